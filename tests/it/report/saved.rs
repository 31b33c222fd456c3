//! Saved plans.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use reconcile::model::ChangeId;
use reconcile::plan::{Narrowing, PlanFile, PlanFileError};
use reconcile::report::{SavedPlanError, load, save};

use super::sample;

fn file() -> PlanFile {
    let made_at = "2026-11-22T01:00:00Z".parse().expect("a time");
    let inputs = BTreeMap::from([("inventory".to_owned(), "aa".to_owned())]);
    let observed = BTreeMap::from([("spi/aws-hub".to_owned(), "bb".to_owned())]);
    PlanFile::new(sample::plan(), Narrowing::default(), made_at, inputs, observed)
}

#[test]
fn what_is_saved_is_loaded_and_only_for_its_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plan.json");
    std::fs::write(&path, "older").expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).expect("set");
    save(&path, &file()).expect("saved");
    assert_eq!(load(&path).expect("loaded"), file());
    let mode = std::fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1, "nothing left over");
    let text = std::fs::read_to_string(&path).expect("read");
    assert!(text.contains("planted@example.org"), "what is to be carried out is in it");
}

#[test]
fn what_cannot_be_saved_names_the_file() {
    let error = save("/nowhere/plan.json".as_ref(), &file()).expect_err("no such folder");
    assert_eq!(error.to_string(), "cannot save the plan to /nowhere/plan.json");
    let error = load("/nowhere/plan.json".as_ref()).expect_err("no such file");
    assert_eq!(error.to_string(), "cannot read the plan /nowhere/plan.json");
}

fn parse(change: impl FnOnce(&mut serde_json::Value)) -> Result<PlanFile, PlanFileError> {
    let mut document = serde_json::to_value(file()).expect("JSON");
    change(&mut document);
    PlanFile::parse(document.to_string().as_bytes())
}

#[test]
fn an_edited_plan_is_refused() {
    assert!(parse(|_| {}).is_ok());
    let error = parse(|document| {
        document["plan"]["changes"][8]["place"]["account"] = "aws-builders".into();
    });
    assert!(matches!(error, Err(PlanFileError::Digest { .. })), "{error:?}");
}

#[test]
fn another_version_is_refused_by_name_even_if_its_shape_differs() {
    let error = PlanFile::parse(br#"{"format": "reconcile-plan-file/1", "steps": []}"#);
    assert!(
        matches!(&error, Err(PlanFileError::Format { found }) if found == "reconcile-plan-file/1")
    );
}

#[test]
fn what_is_no_plan_is_refused() {
    let edits: [fn(&mut serde_json::Value); 3] = [
        |document| document["unknown"] = 1.into(),
        |document| document["plan"] = 1.into(),
        |document| document["format"] = 1.into(),
    ];
    for edit in edits {
        assert!(matches!(parse(edit), Err(PlanFileError::Shape(_))));
    }
    for text in [&b""[..], b"{", b"\xff\xfe", b"[[[[[[[["] {
        assert!(matches!(PlanFile::parse(text), Err(PlanFileError::Shape(_))));
    }
    let deep = "[".repeat(200_000);
    assert!(matches!(PlanFile::parse(deep.as_bytes()), Err(PlanFileError::Shape(_))));
}

#[test]
fn a_plan_whose_order_cannot_be_is_refused_even_with_the_right_digest() {
    let edits: [fn(&mut reconcile::plan::Plan); 4] = [
        |plan| plan.changes.swap(0, 1),
        |plan| plan.changes[3].needs = vec![ChangeId(3)],
        |plan| plan.changes[3].needs = vec![ChangeId(900)],
        |plan| plan.changes[16].needs.clear(),
    ];
    for edit in edits {
        let mut plan = sample::plan();
        edit(&mut plan);
        let file = PlanFile { digest: plan.digest(), plan, ..file() };
        let text = serde_json::to_vec(&file).expect("JSON");
        assert!(matches!(PlanFile::parse(&text), Err(PlanFileError::Order { .. })));
    }
}

#[test]
fn what_moved_is_named() {
    let file = file();
    assert!(file.moved(&file.inputs, &file.observed).is_empty());
    let inputs = BTreeMap::from([
        ("inventory".to_owned(), "changed".to_owned()),
        ("directory debian".to_owned(), "new".to_owned()),
    ]);
    assert_eq!(
        file.moved(&inputs, &BTreeMap::new()),
        ["directory debian is new", "inventory has changed", "account spi/aws-hub is gone"]
    );
}

#[test]
fn errors_tell_the_cause_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plan.json");
    std::fs::write(&path, "{}").expect("written");
    let error = load(&path).expect_err("not a plan");
    assert!(matches!(&error, SavedPlanError::Content { .. }));
    assert!(!error.to_string().contains("saved plan"), "{error}");
}
