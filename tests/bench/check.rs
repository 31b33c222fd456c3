//! How long it takes to read and check 10,000 grants, in one file and in a hundred.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use reconcile::inventory::{load, read_folder};
use reconcile::model::{
    AttributeFacts, AttributeShape, NameRules, RealisedRole, VendorFacts, any_value, no_forge,
    no_settings, nothing_forbids,
};

const GRANTS: usize = 10_000;
const ACCOUNTS: usize = 200;
const ROLES: usize = 10;
const ROUNDS: usize = 15;

const NAMES: NameRules = NameRules {
    case_insensitive: true,
    max_length: 64,
    allows: |character| character.is_ascii_alphanumeric() || "+=,.@_-".contains(character),
    allowed: "letters, digits and +=,.@_-",
};

fn main() {
    let vendors = [VendorFacts {
        name: "memory".into(),
        family: "memory".into(),
        access: None,
        account_id_shape: "12 digits",
        is_account_id: |id| id.len() == 12,
        partitions: &[],
        user_names: NAMES,
        group_names: NAMES,
        role_names: NAMES,
        profile: true,
        unique_mails: false,
        role_attributes: &[AttributeFacts {
            name: "permissions",
            shape: AttributeShape::Set,
            required: true,
            check: any_value,
            help: "What holders may do",
        }],
        account_settings: &[],
        has_users: true,
        renames_roles: true,
        shared_roles: false,
        unsettled: no_settings,
        federates: no_forge,
        only_forbids: nothing_forbids,
        parts: &[],
        key_kind: None,
        realise: RealisedRole::plain,
    }];
    for files in [1, 100] {
        let folder = tempfile::TempDir::new().expect("a folder for the benchmark");
        write_organisation(folder.path(), files);
        let mut times: Vec<Duration> = (0..ROUNDS)
            .map(|_| {
                let started = Instant::now();
                let loaded =
                    load(&read_folder(folder.path()), &vendors, jiff::civil::date(2026, 11, 22));
                let took = started.elapsed();
                assert_eq!(loaded.findings, []);
                assert_eq!(loaded.inventory.grants.len(), GRANTS + 1);
                took
            })
            .collect();
        times.sort();
        println!(
            "check of {GRANTS} grants in {files} files: median {:?} of {ROUNDS} rounds, {:?} to {:?}",
            times[ROUNDS / 2],
            times[0],
            times[ROUNDS - 1],
        );
    }
}

fn write_organisation(root: &Path, files: usize) {
    let mut base = String::from(
        "directories:\n  people: {ldif: people.ldif, schema: userdir, base: dc=example}\n\
         organisations:\n  spi:\n    administrators: {group: admins, minimum: 2}\n    accounts:\n",
    );
    for account in 0..ACCOUNTS {
        let hub = if account == 0 { ", hub: true" } else { "" };
        writeln!(base, "      account-{account}: {{vendor: memory, id: {account:012}{hub}}}")
            .expect("writing to a String cannot fail");
    }
    base += "grants:\n  - {group: admins, role: role-0, accounts: [\"*\"], reason: They run it}\n";
    write(root, "inventory/base.yaml", &base);
    let mut roles = String::from("roles:\n");
    for role in 0..ROLES {
        writeln!(
            roles,
            "  role-{role}: {{description: d, means: {{memory: {{permissions: [a]}}}}}}"
        )
        .expect("writing to a String cannot fail");
    }
    write(root, "policies/roles.yaml", &roles);
    for file in 0..files {
        let mut text = String::from("grants:\n");
        for grant in (0..GRANTS).filter(|grant| grant % files == file) {
            write!(
                text,
                "  - group: people:group-{grant}\n    role: role-{}\n    accounts:\n      \
                 - account-{}\n      - account-{}\n    reason: They look after part {grant} of it\n",
                grant % ROLES,
                grant % ACCOUNTS,
                (grant + 1) % ACCOUNTS,
            )
            .expect("writing to a String cannot fail");
        }
        write(root, &format!("inventory/team-{file}/grants.yaml"), &text);
    }
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("every path has a folder")).expect("a new folder");
    fs::write(path, text).expect("a new file");
}
