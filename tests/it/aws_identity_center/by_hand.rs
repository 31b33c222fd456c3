//! Permission sets of ours that somebody gave by hand are said; from foreign users they are taken
//! back; whatever cannot be seen withholds nothing else.

use std::time::Duration;

use reconcile::cloud::aws::identity_center::Patience;
use reconcile::model::VendorId;
use serde_json::json;

use super::fixture::{CenterFixture, TARGET, patience, role};
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

#[test]
fn what_our_own_user_has_of_somebody_elses_directly_is_said_and_goes_when_they_do() {
    let (case, peer) = applied();
    {
        let mut state = peer.state();
        let set = state.add_set("Admins");
        let [ada, bela] = ["ada", "bela"].map(|name| state.user_called(name));
        let (zoe, clique) = (state.add_user("zoe", &json!({})), state.add_group("x", &json!({})));
        state.assign(HUB, &set, "USER", &bela);
        state.assign(ELSEWHERE, &set, "USER", &bela);
        state.assign(HUB, &set, "USER", &ada);
        // What others have is theirs.
        state.assign(HUB, &set, "USER", &zoe);
        state.assign(HUB, &set, "GROUP", &clique);
    }
    let writes = peer.state().writes;
    let ran = run(&case, &peer, &[]).ends_with(0);
    says(
        &ran,
        "warning[foreign-assignment] example/main: our user `bela` has role `Admins`, which is not \
         ours, by hand in accounts 123456789012, 999999999999",
    );
    says(&ran, "our user `ada` has role `Admins`, which is not ours, by hand in account 1234");
    assert!(!ran.text().contains("zoe"), "{}", ran.text());
    assert_eq!((ran.changes(), peer.state().writes), (Vec::new(), writes));
    case.people("after.ldif");
    let ran = run(&case, &peer, &[]).ends_with(11);
    says(&ran, "revoke credential bela direct-assignment");
    assert!(!ran.text().contains("our user `bela`"), "{}", ran.text());
    // Of who stays it stays.
    let after = run(&case, &peer, &[]);
    says(&after, "our user `ada` has role `Admins`");
    assert!(!after.text().contains("our user `bela`"), "{}", after.text());
}

#[test]
fn what_cannot_be_seen_of_somebody_elses_is_said_and_withholds_nothing() {
    let (case, peer) = applied();
    {
        let mut state = peer.state();
        let (ada, set) = (state.user_called("ada"), state.add_set("Admins"));
        state.assign(HUB, &set, "USER", &ada);
        state.assign(ELSEWHERE, &set, "USER", &ada);
        state.behaviour.denied = Some(ELSEWHERE);
    }
    case.people("after.ldif");
    let ran = run(&case, &peer, &[]).ends_with(11);
    says(
        &ran,
        "warning[foreign-assignments-unseen] example/main: what roles that are not ours give to \
         users of ours directly: assignments of arn:aws:sso:::permissionSet/",
    );
    says(&ran, "in account 999999999999: ");
    says(&ran, "AccessDenied");
    // What was seen is told, and what rests on none of it is done.
    says(&ran, "our user `ada` has role `Admins`, which is not ours, by hand in account 1234");
    says(&ran, "- suspend user bela");
}

#[tokio::test]
async fn there_is_an_end_to_looking_at_what_others_keep() {
    for (least, patience) in [
        (1, Patience { foreign_lists: 1, ..patience() }),
        (0, Patience { foreign_time: Duration::ZERO, ..patience() }),
    ] {
        let fixture = CenterFixture::with(patience);
        let (hub, _) = fixture.connect().await;
        let set = {
            let mut state = fixture.peer.state();
            let anna = json!({"UserType": "reconcile:spi:person:debian:1"});
            let (anna, set) = (state.add_user("anna", &anna), state.add_set("Admins"));
            state.assign(HUB, &set, "USER", &anna);
            state.assign(TARGET, &set, "USER", &anna);
            VendorId::from(set.as_str())
        };
        let seen = all(&hub).await.foreign_assigned;
        assert_eq!(seen.assigned.len(), least);
        assert_eq!(seen.beyond, [(set, 2 - least)].into());
        assert_eq!(fixture.peer.state().count("ListAccountAssignments"), least);
    }
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
        let theirs = state.add_set("Admins");
        state.assign(TARGET, &theirs, "USER", &anna);
        state.assign(ELSEWHERE, &theirs, "GROUP", &clique);
        state.calls.clear();
        clique
    };
    let seen = all(&hub).await;
    assert_eq!(seen.assigned.len(), 1);
    assert_eq!(seen.assigned[0].holder.as_str(), stranger);
    assert_eq!(seen.foreign_assigned.assigned.len(), 1);
    let count = |action: &str| fixture.peer.state().count(action);
    // Our two groups, and the foreign one with a user of ours in it.
    assert_eq!(count("ListAccountAssignmentsForPrincipal"), 3);
    // Each set of ours, whether it is provisioned and where it is; where somebody else's is.
    assert_eq!(count("ListAccountsForProvisionedPermissionSet"), 5);
    // One set of ours in two accounts, the other in one, and somebody else's in two.
    assert_eq!(count("ListAccountAssignments"), 5);
}
