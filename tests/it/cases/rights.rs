//! IAM Identity Center at an organisation: what goes by us is said, and never silently failed at.

use serde_json::json;

use crate::aws_identity_center::site::{applied, run, says};

#[test]
fn a_newcomer_waits_for_the_address_of_somebody_who_left_and_everybody_is_told() {
    let (case, peer) = applied();
    case.people("after.ldif");
    // Bela left and is back as another person with the same address.
    let first = run(&case, &peer, &[]).ends_with(11);
    says(&first, "- suspend user bela");
    let made = peer.state().count("CreateUser");
    let told = "cannot have its mail address: user `bela` has it";
    for arguments in [&["--dry-run"][..], &[]] {
        let ran = run(&case, &peer, arguments).ends_with(11);
        says(&ran, "error[mail-taken] example/main: person:people:2002 (`bbauer`)");
        says(&ran, told);
        says(&ran, "suspended, still stands for person:people:1002, to be deleted from");
        assert!(!ran.text().contains("bela@example.org"), "{}", ran.text());
        assert_eq!(ran.changes(), [""; 0], "nobody else waits for it");
    }
    assert_eq!(peer.state().count("CreateUser"), made, "what would be refused is not tried");
    // Once the address is given up, the newcomer gets in.
    let bela = peer.state().user_called("bela");
    peer.state().edit_user(&bela, &json!({"Emails": []}));
    let ran = run(&case, &peer, &[]).ends_with(0);
    says(&ran, "+ create user bbauer");
    assert_eq!(run(&case, &peer, &[]).ends_with(0).changes(), [""; 0]);
}

#[test]
fn users_in_foreign_groups_and_roles_in_accounts_nobody_named_are_said() {
    let (case, peer) = applied();
    {
        let mut state = peer.state();
        let (ada, clique) = (state.user_called("ada"), state.add_group("clique", &json!({})));
        state.join(&clique, &ada);
        let (choir, set) = (state.group_called("choir"), state.set_called("singer"));
        state.assign("999999999999", &set, "GROUP", &choir);
        let theirs = state.add_set("Dancer");
        state.assign("999999999999", &theirs, "GROUP", &clique);
    }
    for arguments in [&["--dry-run"][..], &[]] {
        let ran = run(&case, &peer, arguments).ends_with(0);
        says(&ran, "warning[foreign-membership] example/main: our user `ada` is in group `clique`");
        says(&ran, "groups of ours have a role in account 999999999999");
        assert_eq!(ran.changes(), [""; 0], "neither is ours to take away");
    }
}

#[test]
fn a_page_of_permission_sets_that_is_left_out_takes_no_roles() {
    let (case, peer) = applied();
    let set = peer.state().set_called("singer");
    let before = peer.state().writes;
    peer.state().behaviour.hidden = Some(set);
    let ran = run(&case, &peer, &[]).ends_with(4);
    says(&ran, "permission sets: 1 are assigned to groups, and were not listed");
    assert_eq!((ran.changes(), peer.state().writes), (Vec::new(), before));
    // Nor does one of users take memberships, or make anybody twice.
    let ada = peer.state().user_called("ada");
    peer.state().behaviour.hidden = Some(ada);
    let ran = run(&case, &peer, &[]).ends_with(4);
    says(&ran, "users: 1 are members of groups, and were not listed");
    assert_eq!((ran.changes(), peer.state().writes), (Vec::new(), before));
}
