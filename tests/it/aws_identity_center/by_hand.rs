//! Permission sets of ours that somebody gave by hand are said; from foreign users they are taken
//! back; whatever cannot be seen withholds nothing else.

use serde_json::json;

use super::fixture::{CenterFixture, TARGET, role};
use super::site::{HUB, applied, run, says};
use super::steps::{all, apply, bind, group, make};
use crate::peers::identity_center::Fault;

const ELSEWHERE: &str = "999999999999";

#[test]
fn a_foreign_user_with_our_permission_set_is_said_and_it_is_taken_back() {
    let (case, peer) = applied();
    {
        let mut state = peer.state();
        let (zoe, set) = (state.add_user("zoe", &json!({})), state.set_called("singer"));
        state.assign(HUB, &set, "USER", &zoe);
        state.assign(ELSEWHERE, &set, "USER", &zoe);
    }
    let dry = run(&case, &peer, &["--dry-run"]).ends_with(0);
    says(
        &dry,
        "warning[given-by-hand] example/main: user `zoe`, who is not ours, has our role `singer` \
         by hand in account 123456789012",
    );
    says(&dry, "in account 999999999999, which is not looked at");
    says(&dry, "unbind role singer from zoe (a user who is not ours)");
    run(&case, &peer, &[]).ends_with(0);
    let after = run(&case, &peer, &[]).ends_with(0);
    assert_eq!(after.changes(), [""; 0], "{}", after.out);
    assert!(!after.text().contains("in account 123456789012"), "{}", after.text());
    // Where the program is not, it can only say so.
    says(&after, "in account 999999999999, which is not looked at");
}

#[test]
fn a_foreign_group_with_our_permission_set_is_said_and_keeps_it() {
    let (case, peer) = applied();
    {
        let mut state = peer.state();
        let (clique, set) = (state.add_group("clique", &json!({})), state.set_called("singer"));
        state.assign(HUB, &set, "GROUP", &clique);
    }
    let ran = run(&case, &peer, &[]).ends_with(0);
    says(&ran, "group `clique`, which is not ours, has our role `singer` by hand");
    assert_eq!(ran.changes(), [""; 0], "what a group has is that group's");
    // Nor is a set deleted that somebody has.
    let grant = "  - {group: choir, role: singer, accounts: [main], reason: They sing}";
    case.edit("inventory/all.yaml", grant, "  []");
    let ran = run(&case, &peer, &["--dry-run"]);
    assert!(!ran.out.contains("delete role"), "{}", ran.out);
}

#[test]
fn what_our_own_user_has_directly_is_said_and_goes_when_they_do() {
    let (case, peer) = applied();
    {
        let mut state = peer.state();
        let (bela, set) = (state.user_called("bela"), state.set_called("singer"));
        state.assign(HUB, &set, "USER", &bela);
    }
    let ran = run(&case, &peer, &[]).ends_with(0);
    says(&ran, "our user `bela`, not only through groups, has our role `singer` by hand");
    assert_eq!(ran.changes(), [""; 0]);
    case.people("after.ldif");
    let ran = run(&case, &peer, &[]).ends_with(11);
    says(&ran, "revoke credential bela direct-assignment");
    assert!(!ran.text().contains("given-by-hand"), "{}", ran.text());
    assert!(!run(&case, &peer, &[]).text().contains("given-by-hand"));
}

#[test]
fn whoever_may_be_ours_under_a_lost_mark_keeps_it() {
    let (case, peer) = applied();
    {
        let mut state = peer.state();
        let (bela, set) = (state.user_called("bela"), state.set_called("singer"));
        state.assign(HUB, &set, "USER", &bela);
        // Renamed and without a mark: the address tells.
        state.edit_user(&bela, &json!({"UserType": "", "UserName": "bb"}));
    }
    let ran = run(&case, &peer, &[]).ends_with(11);
    says(&ran, "user `bb`, whose mark was lost or damaged, has our role `singer` by hand");
    assert!(!ran.out.contains("unbind role"), "{}", ran.out);
}

#[test]
fn a_break_glass_user_keeps_it() {
    let (case, peer) = applied();
    {
        let mut state = peer.state();
        let (zoe, set) = (state.add_user("zoe", &json!({})), state.set_called("singer"));
        state.assign(HUB, &set, "USER", &zoe);
    }
    let protected = "protected:\n  - {user: zoe, break_glass: true, reason: The way in}";
    case.edit("policies/all.yaml", "grace_days: 30", &format!("grace_days: 30\n{protected}"));
    let ran = run(&case, &peer, &[]).ends_with(3);
    says(&ran, "break-glass user `zoe`");
    let held = run(&case, &peer, &[]).ends_with(3);
    says(&held, "has our role `singer` by hand");
}

#[test]
fn the_user_the_program_runs_as_keeps_it() {
    let (case, peer) = applied();
    {
        let mut state = peer.state();
        let (zoe, set) = (state.add_user("Zoe", &json!({})), state.set_called("singer"));
        state.assign(HUB, &set, "USER", &zoe);
        state.caller_id = "AROARUNNER:zoe";
    }
    let ran = run(&case, &peer, &[]).ends_with(0);
    says(&ran, "user `Zoe`, who is not ours and whom this program acts as, has our role `singer`");
    assert_eq!(ran.changes(), [""; 0], "{}", ran.out);
}

#[test]
fn what_cannot_be_seen_of_it_is_said_and_withholds_nothing_else() {
    let (case, peer) = applied();
    case.people("after.ldif");
    peer.next_of("ListAccountAssignments", Fault::Refused(400, "AccessDeniedException", vec![]));
    let ran = run(&case, &peer, &[]).ends_with(4);
    says(&ran, "assignments of arn:aws:sso:::permissionSet/");
    says(&ran, "- suspend user bela");
}

#[test]
fn what_a_foreign_group_of_our_user_may_do_is_said() {
    let (case, peer) = applied();
    {
        let mut state = peer.state();
        let (ada, set) = (state.user_called("ada"), state.add_set("Admins"));
        for (name, may) in [("clique", true), ("bowling", false)] {
            let group = state.add_group(name, &json!({}));
            state.join(&group, &ada);
            if may {
                state.assign(ELSEWHERE, &set, "GROUP", &group);
            }
        }
    }
    let ran = run(&case, &peer, &[]).ends_with(0);
    says(
        &ran,
        "our user `ada` is in group `clique`, which is not ours and has permission set `Admins` in \
         account 999999999999",
    );
    assert!(!ran.text().contains("bowling"), "a group that gives nothing: {}", ran.text());
}

#[tokio::test]
async fn a_reading_costs_what_the_readme_says() {
    let fixture = CenterFixture::new();
    let (hub, target) = fixture.connect().await;
    let sets = [
        make(&hub, &super::steps::role(&role("operator", 1))).await,
        make(&hub, &super::steps::role(&role("watcher", 1))).await,
    ];
    let (crew, band) = (make(&hub, &group("crew")).await, make(&hub, &group("band")).await);
    for (at, set, group) in
        [(&hub, &sets[0], &crew), (&target, &sets[0], &crew), (&target, &sets[1], &band)]
    {
        apply(at, &bind(set, group)).await.unwrap();
    }
    let stranger = {
        let mut state = fixture.peer.state();
        let anna = state.add_user("anna", &json!({"UserType": "reconcile:spi:person:debian:1"}));
        let clique = state.add_group("clique", &json!({}));
        state.join(&clique, &anna);
        state.assign(TARGET, sets[0].as_str(), "GROUP", &clique);
        state.calls.clear();
        clique
    };
    let seen = all(&hub).await;
    assert_eq!(seen.assigned.len(), 1);
    assert_eq!(seen.assigned[0].holder.as_str(), stranger);
    let count = |action: &str| fixture.peer.state().count(action);
    // Our two groups, and the foreign one with a user of ours in it.
    assert_eq!(count("ListAccountAssignmentsForPrincipal"), 3);
    // Each set of ours, whether it is provisioned and where it is.
    assert_eq!(count("ListAccountsForProvisionedPermissionSet"), 4);
    // One set in two accounts, the other in one.
    assert_eq!(count("ListAccountAssignments"), 3);
}
