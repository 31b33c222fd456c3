//! One attack for each line of the README's "What it never does"; and the table that says which
//! tests attack which line of that section and of the threat model.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use reconcile::model::VendorId;

use crate::cli::site::{SPI_HUB, Site};

/// How a line of the README begins, and its tests as `FILE::TEST` below `tests/it`.
const LINES: &[(&str, &[&str])] = &[
    ("Set, store or send a password", &["hostile/promises.rs::nobody_gets_a_password_or_a_key"]),
    (
        "Attach a role to a single user",
        &["hostile/promises.rs::a_role_for_a_single_user_cannot_be_written"],
    ),
    (
        "Remove something because it could not be read",
        &[
            "hostile/promises.rs::what_only_looks_like_ours_stays",
            "cli/absence.rs::an_attribute_that_nobody_shows_takes_nothing_away",
        ],
    ),
    (
        "Touch what does not carry its mark",
        &["hostile/promises.rs::what_only_looks_like_ours_stays"],
    ),
    (
        "Re-enable a user that somebody else",
        &[
            "hostile/promises.rs::who_was_disabled_by_hand_stays_so",
            "cli/by_hand.rs::who_was_disabled_by_hand_leaves_and_returns_disabled",
            "aws/mistakes.rs::what_only_forbids_is_left_where_somebody_put_it_until_the_user_is_deleted",
            "aws/mistakes.rs::what_somebody_switched_off_does_not_come_back_with_the_person",
        ],
    ),
    (
        "Send anything to, or connect to, a server",
        &[
            "hostile/promises.rs::nobody_else_hears_of_a_run",
            "hostile/operator/branch.rs::a_server_that_the_operator_did_not_name_is_not_even_connected_to",
            "hostile/operator/branch.rs::a_secret_is_not_sent_to_another_server_than_it_is_for",
        ],
    ),
    (
        "Run a command, or read or write a file outside",
        &[
            "hostile/operator/branch.rs::a_command_for_a_password_is_not_run",
            "hostile/operator/branch.rs::a_sink_of_a_branch_overwrites_nothing_and_runs_nothing",
            "hostile/tree/links.rs::paths_that_lead_out",
            "hostile/tree/repositories.rs::hooks_in_the_tree",
        ],
    ),
    (
        "Whoever can open a merge request",
        &[
            "hostile/review/forges.rs::a_hostile_branch_of_a_fork",
            "hostile/operator/branch.rs::a_sink_takes_no_keys_of_others_than_it_is_for",
            "hostile/operator/state.rs::what_a_branch_commits_there_is_not_believed_by_any_command",
            "hostile/operator/state.rs::a_link_in_the_repository_leads_to_no_state",
            "keys/sinks.rs::only_a_file_that_holds_a_key_is_replaced",
        ],
    ),
    (
        "Whoever can write to the operator's file",
        &[
            "hostile/operator/file.rs::a_file_that_others_may_read_or_write_is_refused",
            "hostile/operator/file.rs::a_file_in_a_folder_that_others_may_write_to_is_refused",
        ],
    ),
    (
        "Whoever can write to the inventory",
        &[
            "inventory/rights.rs::a_folder_gives_what_it_may_and_nothing_else",
            "inventory/rights.rs::two_rights_do_not_add_up_to_one",
        ],
    ),
    // Nothing to attack: they have all rights.
    (
        "Whoever can write to `policies/`",
        &["inventory/rights.rs::rights_with_mistakes_do_not_open_the_door"],
    ),
    (
        "Whoever controls the directory",
        &[
            "engine/guard.rs::limits_hold_all_counted_removals_from_one_too_many_on_and_no_addition",
            "engine/guard.rs::nothing_is_taken_from_protected_users_however_their_name_is_written",
            "engine/guard.rs::required_administrators_stay_whatever_the_number_of_others",
        ],
    ),
    (
        "A server in the middle",
        &[
            "directory/transport.rs::an_authority_we_do_not_trust",
            "directory/transport.rs::without_tls_nothing_is_sent_to_another_machine",
        ],
    ),
    (
        "A directory that never ends",
        &[
            "hostile/directory/endless.rs::endless_entries_end_with_the_memory",
            "hostile/directory/endless.rs::an_entry_every_so_often_ends_with_the_time",
            "hostile/directory/endless.rs::a_run_with_a_directory_that_never_ends_gives_the_lock_back",
        ],
    ),
    ("Whoever reads logs", &["cli/secrets.rs::nothing_planted_comes_out"]),
    (
        "Whoever can write to the state folder",
        &[
            "record/chain.rs::any_change_is_found",
            "record/chain.rs::an_index_cut_together_with_its_head_does_not_match_a_head_seen_earlier",
        ],
    ),
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file")
}

/// The lines of "What it never does", and whom the threat model speaks of: what is in italics.
fn promised(readme: &str) -> Vec<String> {
    let section = |name: &str| {
        let rest = readme.split(&format!("\n## {name}\n")).nth(1).expect("the section is there");
        rest.split("\n## ")
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let never = section("What it never does");
    let never = never.split("- ").map(str::trim).filter(|line| !line.is_empty());
    let threats = section("Threat model");
    let actors = threats.split('*').skip(1).step_by(2);
    never.chain(actors).map(str::to_owned).collect()
}

fn problems(readme: &str) -> Vec<String> {
    let promised = promised(readme);
    let mut problems = Vec::new();
    for line in &promised {
        if !LINES.iter().any(|(begin, _)| line.starts_with(begin)) {
            problems.push(format!("no test attacks: {line}"));
        }
    }
    for (begin, tests) in LINES {
        if !promised.iter().any(|line| line.starts_with(begin)) {
            problems.push(format!("the README does not say any more: {begin}"));
        }
        for test in *tests {
            let (file, name) = test.split_once("::").expect("FILE::TEST");
            let source = read(&format!("tests/it/{file}"));
            let function = source.split(&format!("fn {name}()")).next().unwrap_or_default();
            let is_test = function.len() < source.len()
                && function
                    .lines()
                    .rev()
                    .take(4)
                    .any(|line| line.trim().starts_with("#[") && line.contains("test"));
            if !is_test {
                problems.push(format!("there is no test {test}"));
            }
        }
    }
    problems
}

#[test]
fn every_promise_has_a_test_that_attacks() {
    let readme = read("README.md");
    assert_eq!(problems(&readme), Vec::<String>::new());
    let more = readme.replace("- Touch what", "- Eat children.\n- Touch what");
    assert_eq!(problems(&more), ["no test attacks: Eat children."]);
    let less = readme.replace("- Touch what does not", "- Touch nothing that does");
    assert_eq!(problems(&less).len(), 2);
}

/// What is in the hub, as people would see it.
fn described(site: &Site) -> std::collections::BTreeSet<String> {
    site.world().describe().expect("a state")
}

#[test]
fn nobody_gets_a_password_or_a_key() {
    let site = Site::applied();
    // Somebody who joins, somebody who comes back, somebody new in every group.
    site.edit_person("eilidh", |entry| format!("{entry}\nsupplementaryGid: sysadmin"));
    site.run(&[]);
    let state = fs::read_to_string(site.state().join("memory.jsonl")).expect("a state");
    assert!(!state.to_lowercase().contains("password"));
    let credentials: Vec<String> =
        described(&site).into_iter().filter(|line| line.contains(" credential ")).collect();
    for line in &credentials {
        for login in ["eilidh", "amara", "farid"] {
            assert!(!line.contains(login), "{line}");
        }
    }
}

#[test]
fn a_role_for_a_single_user_cannot_be_written() {
    let site = Site::new();
    for who in
        ["user: eilidh", "person: debian:eilidh", "group: eilidh", "group: person:debian:2005"]
    {
        let grant = format!(
            "grants:\n  - {who}\n    role: operator\n    accounts: [debian-mirrors]\n    reason: Because\n"
        );
        site.write("inventory/debian/zz.yaml", &grant);
        let run = site.run(&[]).ends_with(2);
        assert!(run.text().contains("inventory/debian/zz.yaml:"), "{who}: {}", run.text());
        assert!(!site.state().join("memory.jsonl").exists(), "{who}: nothing was written");
    }
}

#[test]
fn what_only_looks_like_ours_stays() {
    let site = Site::applied();
    let world = site.world();
    // Names as ours, in our account, without a mark.
    let user = world.add_user(SPI_HUB, "reconcile-eilidh", None).expect("a user");
    let group = world.add_group(SPI_HUB, "debian-mirrors", None).expect("a group");
    let role = world.add_role(SPI_HUB, "operator-of-old", None).expect("a role");
    world.add_credential(SPI_HUB, &user, "access-key").expect("a key");
    let before = described(&site);
    site.edit_person("eilidh", |entry| format!("{entry}\naccountStatus: inactive"));
    site.run(&[]);
    let after = described(&site);
    let foreign = |line: &&String| {
        ["reconcile-eilidh", "debian-mirrors", "operator-of-old"]
            .iter()
            .any(|name| line.contains(name))
    };
    assert_eq!(
        before.iter().filter(foreign).collect::<Vec<_>>(),
        after.iter().filter(foreign).collect::<Vec<_>>()
    );
    let state = world.dump().expect("a state");
    let hub = &state.accounts[SPI_HUB];
    assert!(hub.users.get(user.as_str()).is_some());
    assert!(hub.groups.get(group.as_str()).is_some() && hub.roles.get(role.as_str()).is_some());
}

#[test]
fn who_was_disabled_by_hand_stays_so() {
    let site = Site::applied();
    let world = site.world();
    let id = |login: &str| -> VendorId {
        let state = world.dump().expect("a state");
        state.accounts[SPI_HUB].users.named(login).expect("a user").id.as_str().into()
    };
    let victim = id("eilidh");
    world.edit_user(SPI_HUB, &victim, |user| user.enabled = false).expect("an edit");
    // Whatever else there is to do with them: a group more, another name, another mail address.
    site.edit_person("eilidh", |entry| {
        let entry =
            entry.replace("cn: Eilidh", "cn: Aileas").replace("mail: eilidh", "mail: aileas");
        format!("{entry}\nsupplementaryGid: sysadmin")
    });
    site.run(&[]);
    site.run(&[]);
    let state = world.dump().expect("a state");
    let user = state.accounts[SPI_HUB].users.get(victim.as_str()).expect("still there");
    assert!(!user.enabled, "somebody else disabled them");
}

#[test]
fn nobody_else_hears_of_a_run() {
    let site = Site::new();
    let ear = TcpListener::bind("127.0.0.1:0").expect("a port");
    ear.set_nonblocking(true).expect("a socket");
    let here = format!("http://{}", ear.local_addr().expect("an address"));
    for arguments in [&["--dry-run"][..], &[], &["check"], &["explain", "eilidh"]] {
        let mut command = site.command(arguments);
        // Wherever a program may be told to call home.
        for variable in [
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "http_proxy",
            "https_proxy",
            "AWS_ENDPOINT_URL",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "VAULT_ADDR",
        ] {
            command.env(variable, &here);
        }
        assert!(command.output().expect("it runs").status.success(), "{arguments:?}");
        let heard = ear.accept().map(|(_, from)| from);
        assert!(heard.is_err(), "{arguments:?} spoke to {heard:?}");
    }
}
