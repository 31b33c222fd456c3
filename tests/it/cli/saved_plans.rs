//! `plan --out F` and `apply F`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::site::{PEOPLE, Ran, SPI_HUB, Site};

const PLAN: &str = "../plan.json";

/// The example applied, with one grant more and its plan saved.
fn saved() -> Site {
    let site = Site::applied();
    site.edit_person("tomasz", |entry| format!("{entry}\nsupplementaryGid: mirrors"));
    site.run(&["plan", "--out", PLAN]).ends_with(0);
    site
}

fn edit_plan(site: &Site, edit: impl FnOnce(&mut Value)) {
    let path = site.path("plan.json");
    let mut plan: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    edit(&mut plan);
    fs::write(path, plan.to_string()).unwrap();
}

#[track_caller]
fn refuses(site: &Site, code: i32, naming: &[&str]) -> Ran {
    let cloud = site.world().dump().unwrap();
    let run = site.run(&["apply", PLAN]).ends_with(code);
    for name in naming {
        assert!(run.err.contains(name), "{name}: {}", run.err);
    }
    assert_eq!(site.world().dump().unwrap(), cloud, "nothing was changed");
    run
}

#[test]
fn exactly_the_saved_plan_is_carried_out() {
    let site = saved();
    assert_eq!(fs::metadata(site.path("plan.json")).unwrap().permissions().mode() & 0o777, 0o600);
    let planned = site.run(&["plan"]).ends_with(0);
    let run = site.run(&["apply", PLAN]).ends_with(0);
    assert_eq!(run.changes(), planned.changes());
    assert!(run.out.contains(&format!("Done: {} applied", planned.changes().len())));
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
    // What is done is not done again.
    let again = refuses(&site, 7, &["account spi/spi-hub has changed"]);
    assert!(again.err.contains("make a new plan"), "{}", again.err);
}

#[test]
fn what_moved_is_named() {
    let site = saved();
    site.edit("inventory/projects.yaml", "Where desktops meet", "Where desktops are");
    let run = refuses(&site, 7, &["inventory/projects.yaml has changed"]);
    assert!(!run.err.contains("debian"), "only what moved: {}", run.err);

    let site = saved();
    site.edit("policies/grace.yaml", "grace_days: 30", "grace_days: 31");
    refuses(&site, 7, &["policies/grace.yaml has changed"]);

    let site = saved();
    site.edit_person("amara", |entry| entry.replace("cn: Amara", "cn: Amara O."));
    refuses(&site, 7, &["directory debian has changed"]);

    let site = saved();
    fs::remove_file(site.root().join(PEOPLE)).unwrap();
    refuses(&site, 7, &["directory debian has changed"]);

    let site = saved();
    site.world().add_user(SPI_HUB, "by-hand", None).unwrap();
    refuses(&site, 7, &["account spi/spi-hub has changed"]);

    let site = saved();
    site.write("inventory/more.yaml", "projects: {}\n");
    refuses(&site, 7, &["inventory/more.yaml is new"]);
}

#[test]
fn an_edited_plan_is_refused() {
    let site = saved();
    edit_plan(&site, |plan| plan["plan"]["changes"] = json!([]));
    refuses(&site, 2, &["edited or damaged"]);

    let site = saved();
    edit_plan(&site, |plan| plan["format"] = json!("reconcile-plan-file/99"));
    refuses(&site, 2, &["reconcile-plan-file/99", "make the plan again"]);

    let site = saved();
    edit_plan(&site, |plan| plan["narrowing"]["kinds"] = json!(["role"]));
    refuses(&site, 7, &["the file was edited"]);

    let site = saved();
    fs::write(site.path("plan.json"), "{").unwrap();
    refuses(&site, 2, &["plan.json"]);
    fs::remove_file(site.path("plan.json")).unwrap();
    refuses(&site, 2, &["plan.json"]);
}

#[test]
fn a_plan_is_for_its_day() {
    let site = saved();
    edit_plan(&site, |plan| plan["made_at"] = json!("2026-01-01T00:00:00Z"));
    refuses(&site, 7, &["2026-01-01", "more than 24 hours ago"]);
    edit_plan(&site, |plan| plan["made_at"] = json!("2126-01-01T00:00:00Z"));
    refuses(&site, 7, &["yet to come"]);
    let now = jiff::Timestamp::now();
    edit_plan(&site, |plan| {
        plan["made_at"] = json!((now - jiff::SignedDuration::from_hours(25)).to_string());
    });
    refuses(&site, 7, &["more than 24 hours ago"]);

    // A short validity is obeyed, too.
    let site = Site::applied();
    site.edit("policies/grace.yaml", "plan_valid_hours: 24", "plan_valid_hours: 1");
    site.run(&["plan", "--out", PLAN]).ends_with(0);
    let made = now - jiff::SignedDuration::from_mins(61);
    edit_plan(&site, |plan| plan["made_at"] = json!(made.to_string()));
    refuses(&site, 7, &["more than 1 hours ago"]);
}

#[test]
fn a_narrowed_plan_needs_no_options_to_be_applied() {
    let site = Site::new();
    let narrow = ["plan", "--out", PLAN, "--org", "harbour", "--only", "groups,roles"];
    let planned = site.run(&narrow).ends_with(0);
    assert!(!planned.changes().is_empty());
    site.run(&["apply", PLAN, "--org", "harbour"]).ends_with(2);
    let run = site.run(&["apply", PLAN]).ends_with(0);
    assert_eq!(run.changes(), planned.changes());
    let cloud = site.world().describe().unwrap();
    assert!(
        cloud.iter().all(|line| line.starts_with('2') && !line.contains(" user ")),
        "{cloud:?}"
    );
    let shown = site.run(&["record", "show", "last"]);
    assert!(shown.out.contains("organisation harbour"), "{}", shown.out);
}

#[test]
fn held_removals_stay_held_unless_the_plan_is_approved() {
    let site = Site::applied();
    for login in ["eilidh", "farid", "gudrun"] {
        site.edit_person(login, |entry| format!("{entry}\naccountStatus: inactive"));
    }
    let digest = site.run(&["plan", "--out", PLAN]).ends_with(3).digest();
    site.run(&["apply", PLAN]).ends_with(3);
    site.run(&["plan", "--out", PLAN]).ends_with(3);
    site.run(&["apply", PLAN, "--approve-removals", &digest]).ends_with(0);
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
}

#[test]
fn private_values_are_in_the_file_and_nowhere_else() {
    let site = Site::new();
    let planned = site.run(&["plan", "--out", PLAN, "-vvv"]).ends_with(0);
    let run = site.run(&["apply", PLAN, "-vvv", "--metrics", "../metrics"]).ends_with(0);
    let json = site.run(&["plan", "--format", "json"]).ends_with(0);
    let plan = fs::read_to_string(site.path("plan.json")).unwrap();
    assert!(plan.contains("eilidh@example.org"));
    for text in [planned.out, planned.err, run.out, run.err, json.out] {
        assert!(!text.contains("eilidh@example.org"));
    }
}
