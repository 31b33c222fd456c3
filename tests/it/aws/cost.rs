//! What a run costs in calls, counted on the wire.

use std::collections::BTreeMap;

use super::site::{AwsSite, HUB};

#[test]
fn nothing_to_do_costs_three_calls_and_the_pages_for_each_account() {
    let site = AwsSite::applied();
    site.run(&[]).ends_with(0);
    let mut counts: BTreeMap<String, usize> = site.wire.counts();
    // Whose the base credentials are: once in a run.
    assert_eq!(counts.remove("GetCallerIdentity"), Some(1));
    // Pages: one of each list for each account.
    assert_eq!(counts.remove("GetAccountAuthorizationDetails"), Some(3));
    assert_eq!(counts.remove("ListRoles"), Some(3));
    // Signing in to the two accounts that are not the credentials' own, and a count of each.
    let rest: BTreeMap<String, usize> =
        [("AssumeRole".to_owned(), 2), ("GetAccountSummary".to_owned(), 3)].into();
    assert_eq!(counts, rest);
    assert_eq!(site.wire.writes(), []);
}

#[test]
fn a_change_costs_one_call_and_a_removal_a_look_as_well() {
    let site = AwsSite::applied();
    let count = |site: &AwsSite| {
        let mut counts = site.wire.counts();
        for bulk in [
            "GetCallerIdentity",
            "AssumeRole",
            "GetAccountSummary",
            "GetAccountAuthorizationDetails",
            "ListRoles",
        ] {
            counts.remove(bulk);
        }
        counts
    };
    for number in 0..5 {
        site.joins(&format!("new{number}"), 3000 + number, &["build"]);
    }
    let run = site.run(&[]).ends_with(0);
    let expected: BTreeMap<String, usize> =
        [("CreateUser".to_owned(), 5), ("AddUserToGroup".to_owned(), 5)].into();
    assert_eq!(count(&site), expected, "{}", run.out);

    site.wire.clear();
    site.moves("new0", &["audit", "admin"]);
    site.run(&[]).ends_with(0);
    let expected: BTreeMap<String, usize> =
        [("AddUserToGroup".to_owned(), 1), ("RemoveUserFromGroup".to_owned(), 1)].into();
    assert_eq!(count(&site), expected);

    site.wire.clear();
    site.account(HUB).access_key("new1");
    site.is_active("new1", false);
    site.run(&[]).ends_with(0);
    let counts = count(&site);
    let writes: usize = site.wire.writes().len();
    assert_eq!(writes, 3, "the key, the membership, the mark of the suspension: {counts:?}");
}
