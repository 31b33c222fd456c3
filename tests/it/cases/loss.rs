//! What somebody loses is a removal, whatever the verb.

use super::case::Case;
use crate::cli::site::Ran;

const INVENTORY: &str = "inventory/all.yaml";
const POLICIES: &str = "policies/all.yaml";
const FARM: &str = "      farm: {vendor: memory, id: \"100000000002\"}\n";

#[track_caller]
fn says(ran: &Ran, words: &str) {
    assert!(ran.text().contains(words), "{words:?} is not in\n{}", ran.text());
}

#[track_caller]
fn all_begin(ran: &Ran, count: usize, words: &str) {
    assert_eq!(ran.changes().len(), count, "{}", ran.text());
    assert!(ran.changes().iter().all(|line| line.starts_with(words)), "{}", ran.text());
}

#[test]
fn a_role_that_means_less_is_counted_as_what_people_lose() {
    let case = Case::new("role-narrowed");
    case.run(&[]).ends_with(0);
    case.edit(POLICIES, "permissions: [\"*\"]", "permissions: [nothing]");
    case.edit(POLICIES, "permissions: [\"instances:*\"]", "permissions: [none]");
    let ran = case.run(&[]).ends_with(3);
    says(&ran, "of 3 administrators");
    says(&ran, "accesses (one person in one account)");
    all_begin(&ran, 3, "! update role");
    says(&ran, "3 removals (3 held)");
    // What administrators hold stays, approved or not; the rest is let go for one run.
    let approved = case.run(&["--approve", &ran.digest()]).ends_with(3);
    says(&approved, "2 held");
    // The other way round nobody loses anything.
    case.edit(POLICIES, "permissions: [nothing]", "permissions: [\"*\"]");
    case.edit(POLICIES, "permissions: [none]", "permissions: [\"*\"]");
    let ran = case.run(&[]).ends_with(0);
    all_begin(&ran, 1, "~ update role");
}

#[test]
fn an_account_taken_out_of_the_inventory_is_not_forgotten() {
    let case = Case::new("account-dropped");
    case.run(&[]).ends_with(0);
    case.edit(INVENTORY, FARM, "");
    case.edit(INVENTORY, "accounts: [farm]", "accounts: [hub]");
    for _ in 0..3 {
        let ran = case.run(&[]);
        says(&ran, "forgotten-account");
        says(&ran, "account farm (memory 100000000002) was in the inventory until");
        says(&ran, "2 roles, 2 role bindings of ours are left there");
        says(&ran, "put it back with `retired: true`");
    }
    // Put back as retired, everything of ours there ends: as much as people would lose.
    let retired = FARM.replace('}', ", retired: true}");
    case.edit(INVENTORY, "hub: true}\n", &format!("hub: true}}\n{retired}"));
    let ran = case.run(&[]).ends_with(3);
    says(&ran, "accesses (one person in one account)");
    let ran = case.run(&["--approve", &ran.digest()]).ends_with(0);
    let mut ended = ran.changes();
    ended.retain(|line| line.starts_with("- unbind role") || line.starts_with("- delete role"));
    assert_eq!(ended.len(), 4, "{}", ran.text());
    says(&case.run(&[]).ends_with(0), "Nothing to do");
    // Now the line can go, and nothing is left to be told.
    case.edit(INVENTORY, &retired, "");
    let ran = case.run(&[]).ends_with(0);
    assert!(!ran.text().contains("forgotten"), "{}", ran.text());
}

/// People get users in the new hub first. Only then the old ones end, within the limits.
#[test]
fn who_is_in_a_former_hub_is_not_there_for_ever() {
    let case = Case::new("account-dropped");
    case.run(&[]).ends_with(0);
    case.edit(INVENTORY, "hub: true", "region: one");
    case.edit(INVENTORY, ", region: one", "");
    case.edit(INVENTORY, "id: \"100000000002\"}", "id: \"100000000002\", hub: true}");
    let ran = case.run(&[]);
    says(&ran, "former-hub");
    assert!(ran.changes().iter().all(|line| line.starts_with('+')), "{}", ran.text());
    let ran = case.run(&[]).ends_with(3);
    says(&ran, "has a user in the new hub");
    says(&ran, "users would be taken away");
    case.run(&["--approve", &ran.digest()]).ends_with(0);
    says(&case.run(&[]).ends_with(0), "Nothing to do");
}

/// A group that nothing asks for any more, and that has a role in an account that was forgotten, cannot
/// be deleted: no run tries and fails, and once the account is retired it goes.
#[test]
fn a_group_with_a_role_in_a_forgotten_account_waits() {
    let case = Case::new("account-dropped");
    case.run(&[]).ends_with(0);
    case.edit(INVENTORY, FARM, "");
    let grant = "  - {group: build, role: builder, accounts: [farm], reason: They build}\n";
    case.edit(INVENTORY, grant, "");
    let digest = case.run(&["--dry-run"]).digest();
    case.run(&["--approve", &digest]).ends_with(11);
    for _ in 0..2 {
        let ran = case.run(&[]).ends_with(11);
        says(
            &ran,
            "our group `build` has a role in account example/farm, which the inventory does",
        );
        assert_eq!(ran.changes(), [""; 0], "{}", ran.text());
    }
    let retired = FARM.replace('}', ", retired: true}");
    case.edit(INVENTORY, "hub: true}\n", &format!("hub: true}}\n{retired}"));
    let digest = case.run(&["--dry-run"]).digest();
    case.run(&["--approve", &digest]).ends_with(0);
    assert!(!case.cloud().iter().any(|line| line.contains("group build")), "{:?}", case.cloud());
    says(&case.run(&[]).ends_with(0), "Nothing to do");
}

#[test]
fn an_account_that_nobody_remembers_keeps_no_run_from_its_work() {
    let case = Case::new("account-dropped");
    case.run(&[]).ends_with(0);
    case.edit(INVENTORY, FARM, "");
    case.edit(INVENTORY, "accounts: [farm]", "accounts: [hub]");
    std::fs::remove_file(case.path(".reconcile/known.json")).expect("what was known");
    case.run(&[]).ends_with(0);
}

#[test]
fn nothing_is_made_or_taken_for_a_group_that_nobody_knows() {
    let case = Case::new("group-misspelt");
    case.run(&[]).ends_with(0);
    case.edit(INVENTORY, "group: build", "group: buidl");
    for _ in 0..2 {
        let ran = case.run(&[]);
        says(&ran, "unknown-in-directory");
        says(&ran, "did you mean `people:build`?");
        says(&ran, "(directory people (without group buidl))");
        assert_eq!(ran.changes(), [""; 0], "{}", ran.text());
        assert_ne!(ran.code, Some(0), "{}", ran.text());
    }
    case.edit(INVENTORY, "group: buidl", "group: build");
    says(&case.run(&[]).ends_with(0), "Nothing to do");
}

/// Somebody who has no key is kept out of the privileged group, and builds. What they build with may
/// be the misspelt grant: that a rule keeps them out elsewhere is no reason to take it.
#[test]
fn a_misspelt_group_takes_nothing_from_whom_a_rule_keeps_out_elsewhere() {
    let case = Case::new("group-misspelt");
    let key = "keyFingerPrint: 0000000000000000000000000000000000000002\n";
    case.edit_people(key, &format!("{key}supplementaryGid: build\n"));
    case.edit(INVENTORY, "minimum: 3", "minimum: 1");
    case.run(&[]).ends_with(0);
    case.edit_people(key, "");
    case.edit(INVENTORY, "group: build", "group: buidl");
    for first in [true, false] {
        let ran = case.run(&[]).ends_with(11);
        let mut changes = ran.changes();
        changes.retain(|line| !line.contains("from group admin"));
        assert_eq!(changes, [""; 0], "{}", ran.text());
        assert_eq!(ran.text().contains("no key registered"), first, "{}", ran.text());
    }
    case.edit(INVENTORY, "group: buidl", "group: build");
    says(&case.run(&[]).ends_with(0), "Nothing to do");
}

/// What the administrators get instead is not held with what they would lose: otherwise it could never
/// come, since only what is there counts for the minimum.
#[test]
fn a_role_of_administrators_can_get_another_name() {
    let case = Case::new("group-misspelt");
    case.edit(INVENTORY, "minimum: 3", "minimum: 2");
    case.run(&[]).ends_with(0);
    case.edit(INVENTORY, "role: administrator", "role: root");
    case.edit(POLICIES, "administrator: {", "root: {");
    let ran = case.run(&[]).ends_with(3);
    let binds = ran
        .changes()
        .into_iter()
        .filter(|line| line.contains("bind role") && line.contains(" root "));
    assert!(binds.clone().all(|line| line.starts_with("+ bind role")), "{}", ran.text());
    assert_eq!(binds.count(), 2, "{}", ran.text());
    says(&ran, "new ones count from the next run on");
    let ran = case.run(&[]);
    assert!(!ran.text().contains("of 2 administrators"), "{}", ran.text());
    if ran.code == Some(3) {
        case.run(&["--approve-removals", &ran.digest()]).ends_with(0);
    }
    says(&case.run(&[]).ends_with(0), "Nothing to do");
}

/// The only role of the administrators was widened by mistake. To what it meant before it can be
/// narrowed again, by somebody who looks at the plan; to anything else it cannot.
#[test]
fn a_role_that_was_widened_by_mistake_can_be_narrowed_back() {
    let case = Case::new("role-narrowed");
    case.edit(POLICIES, "permissions: [\"*\"]", "permissions: [administer]");
    case.run(&[]).ends_with(0);
    case.edit(POLICIES, "permissions: [administer]", "permissions: [administer, more]");
    case.run(&[]).ends_with(0);
    case.edit(POLICIES, "permissions: [administer, more]", "permissions: [more]");
    let ran = case.run(&[]).ends_with(3);
    case.run(&["--approve", &ran.digest()]).ends_with(3);
    case.edit(POLICIES, "permissions: [more]", "permissions: [administer]");
    let ran = case.run(&[]).ends_with(3);
    all_begin(&ran, 2, "! update role");
    case.run(&["--approve", &ran.digest()]).ends_with(0);
    says(&case.run(&[]).ends_with(0), "Nothing to do");
}

/// A role that is called privileged and allows next to nothing takes nobody's place.
#[test]
fn another_privileged_role_must_allow_as_much() {
    let case = Case::new("role-narrowed");
    case.edit(POLICIES, "roles:\n", "roles:\n  look: {description: looks, privileged: true, means: {memory: {permissions: [look]}}}\n");
    let owner = "  - {group: admin, role: administrator,";
    case.edit(
        INVENTORY,
        owner,
        &format!("  - {{group: admin, role: look, accounts: [\"*\"], reason: They look}}\n{owner}"),
    );
    case.run(&[]).ends_with(0);
    let text = std::fs::read_to_string(case.path(INVENTORY)).expect("an inventory");
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with(owner)).collect();
    std::fs::write(case.path(INVENTORY), without.join("\n") + "\n").expect("a file");
    let ran = case.run(&[]).ends_with(3);
    says(&ran, "nobody can tell that what they keep allows as much");
    assert!(ran.changes().iter().all(|line| line.starts_with('!')), "{}", ran.text());
    case.run(&["--approve", &ran.digest()]).ends_with(0);
}

/// Several runs within a day are one: a cron job cannot drain an organisation bit by bit.
#[test]
fn runs_within_a_day_count_as_one() {
    let case = Case::new("role-narrowed");
    case.run(&[]).ends_with(0);
    let leave = |number: u32| {
        let uid = format!("uidNumber: {number}\n");
        case.edit_people(&uid, &format!("{uid}accountStatus: inactive\n"));
    };
    leave(2005);
    leave(2006);
    case.run(&[]).ends_with(0);
    leave(2008);
    let ran = case.run(&[]).ends_with(3);
    says(&ran, "users would be taken away, at most 2 within a day, 2 were");
}

/// What somebody looked at and approved keeps nobody else from leaving on the same day.
#[test]
fn what_was_approved_does_not_count_for_the_day() {
    let case = Case::new("role-narrowed");
    case.run(&[]).ends_with(0);
    let leave = |number: u32| {
        let uid = format!("uidNumber: {number}\n");
        case.edit_people(&uid, &format!("{uid}accountStatus: inactive\n"));
    };
    [2005, 2006, 2008].into_iter().for_each(leave);
    let digest = case.run(&["--dry-run"]).ends_with(3).digest();
    case.run(&["--approve-removals", &digest]).ends_with(0);
    [2009, 2010].into_iter().for_each(leave);
    case.run(&[]).ends_with(0);
}
