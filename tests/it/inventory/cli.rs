//! The commands about files: `check`, `schema`, `init`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use reconcile::cli::schema::Files;
use reconcile::cli::{ExitCode, check, init, schema};
use reconcile::operator::Operator;

use super::files::{organisation, write};
use super::{TODAY, vendor::vendors};

fn checked(root: &Path, format: check::Format) -> (ExitCode, String) {
    let inputs = check::Inputs {
        root,
        operator: &Operator::default(),
        vendors: &vendors(),
        today: TODAY,
        directories: &|_| BTreeMap::new(),
    };
    let mut out = Vec::new();
    let code = check::check(format, &inputs, &mut anstream::StripStream::new(&mut out)).unwrap();
    (code, String::from_utf8(out).unwrap())
}

#[test]
fn every_format_shows_the_same_findings() {
    let folder = organisation();
    write(
        folder.path(),
        "inventory/x.yaml",
        "grants:\n  - {group: admins, role: raeder, accounts: [hub], reason: r}\n  - {group: x, role: reader, accounts: [hub], reason: r, until: 2020-01-01}\n",
    );
    for (name, format) in [
        ("check_text", check::Format::Text),
        ("check_json", check::Format::Json),
        ("check_gitlab", check::Format::Gitlab),
        ("check_github", check::Format::Github),
    ] {
        let (code, shown) = checked(folder.path(), format);
        assert_eq!(code, ExitCode::BadInput);
        assert_snapshot!(name, shown);
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    for directory in [
        "{schema: rfc2307, base: dc=x, ldap: {url: 'ldaps://x', bind: {dn: cn=x, password: hunter2}}}",
        "{schema: rfc2307, base: dc=x, ldap: {url: 'ldaps://x', bind: {dn: cn=x, 'Secret' : hunter2}}}",
        "{schema: rfc2307, base: dc=x, ldap: {url: 'ldaps://me:hunter2@x'}}",
    ] {
        let folder = organisation();
        write(folder.path(), "inventory/x.yaml", format!("directories:\n  x: {directory}\n"));
        for format in
            [check::Format::Text, check::Format::Json, check::Format::Gitlab, check::Format::Github]
        {
            let (code, shown) = checked(folder.path(), format);
            assert_eq!(code, ExitCode::BadInput);
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}

#[test]
fn warnings_alone_are_no_failure() {
    let folder = organisation();
    write(folder.path(), "inventory/empty.yaml", "");
    let (code, shown) = checked(folder.path(), check::Format::Text);
    assert_eq!(code, ExitCode::Success);
    assert!(
        shown.ends_with("1 warning\nIn order: 1 organisation, 2 accounts, 1 grant, 2 roles.\n"),
        "{shown}"
    );
    assert_eq!(checked(folder.path(), check::Format::Gitlab).0, ExitCode::Success);
}

#[test]
fn what_init_writes_is_in_order_and_small() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut out = Vec::new();
    init::write(folder.path(), &mut out).unwrap();
    let (code, shown) = checked(folder.path(), check::Format::Text);
    assert_eq!(
        (code, shown.as_str()),
        (ExitCode::Success, "In order: 1 organisation, 1 account, 1 grant, 1 role.\n")
    );
    let lines = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap().lines().count();
    assert!(lines("inventory/organisation.yaml") + lines("policies/policies.yaml") <= 30);
}

#[test]
fn init_overwrites_nothing() {
    for path in ["inventory", "policies/x", ".schemas/policies.json"] {
        let folder = tempfile::TempDir::new().unwrap();
        write(folder.path(), path, "mine");
        let before: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        let result = init::write(folder.path(), &mut Vec::new());
        assert!(matches!(result, Err(init::InitError::Exists(_))), "{path}");
        let after: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(before, after, "{path}");
        assert_eq!(fs::read_to_string(folder.path().join(path)).unwrap(), "mine");
    }
}

/// The copies that editors use. Write them anew with `reconcile schema`.
#[test]
fn the_schemas_in_the_repository_are_those_of_the_types() {
    for (files, path) in [
        (Files::Inventory, "inventory"),
        (Files::Policies, "policies"),
        (Files::Mirrors, "mirrors"),
        (Files::Operator, "operator"),
    ] {
        let path = format!("{}/.schemas/{path}.json", env!("CARGO_MANIFEST_DIR"));
        let text = schema::text(files);
        if std::env::var_os("RECONCILE_BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "{path}");
        let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(schema["additionalProperties"], false);
    }
}

#[test]
fn the_schema_says_what_is_required_and_what_it_is() {
    let schema: serde_json::Value = serde_json::from_str(&schema::text(Files::Inventory)).unwrap();
    let grant = &schema["$defs"]["Grant"];
    assert_eq!(grant["required"], serde_json::json!(["group", "role", "accounts", "reason"]));
    assert!(grant["properties"]["until"]["description"].as_str().unwrap().contains("YYYY-MM-DD"));
    assert_eq!(grant["properties"]["group"]["type"], "string");
    assert_eq!(grant["properties"]["accounts"]["type"], "array");
}
