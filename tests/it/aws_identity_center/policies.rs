//! A name of a policy that is new is looked up before anything gives way to it.

use super::site::{HUB, applied, run, says};
use crate::cases::case::Case;
use crate::peers::identity_center::{Fault, IdentityCenterPeer};

/// Singers who may look at everything.
fn with_a_policy() -> (Case, IdentityCenterPeer) {
    let (case, peer) = applied();
    let means = "      aws: {inline_policy:";
    case.edit("policies/all.yaml", means, &format!("      aws: {{{READ}, inline_policy:"));
    case.edit("policies/all.yaml", "default: {users", "default: {access: {floor: 99}, users");
    run(&case, &peer, &[]).ends_with(0);
    assert_eq!(peer.state().managed("singer"), [arn("ReadOnlyAccess")]);
    (case, peer)
}

const READ: &str = "managed_policies: [ReadOnlyAccess]";

fn arn(name: &str) -> String {
    format!("arn:aws:iam::aws:policy/{name}")
}

#[test]
fn a_misspelt_policy_takes_the_right_one_off_no_permission_set() {
    let (case, peer) = with_a_policy();
    case.edit("policies/all.yaml", READ, "managed_policies: [ReadOnlyAcess]");
    let writes = peer.state().writes;
    let ran = run(&case, &peer, &[]).ends_with(11);
    says(&ran, "ReadOnlyAcess, which there is not: nothing of the role is changed");
    assert_eq!((ran.changes(), peer.state().writes), (Vec::new(), writes));
    // One call for the new name; none for what is there.
    peer.state().calls.clear();
    case.edit("policies/all.yaml", "ReadOnlyAcess", "ViewOnlyAccess");
    run(&case, &peer, &[]).ends_with(0);
    assert_eq!(peer.state().count("GetPolicy"), 1);
    assert_eq!(peer.state().managed("singer"), [arn("ViewOnlyAccess")]);
    peer.state().calls.clear();
    run(&case, &peer, &[]).ends_with(0);
    assert_eq!(peer.state().count("GetPolicy"), 0);
}

#[test]
fn a_policy_that_cannot_be_looked_up_is_said_and_attached() {
    let (case, peer) = with_a_policy();
    case.edit("policies/all.yaml", READ, "managed_policies: [ViewOnlyAccess]");
    peer.next_of("GetPolicy", Fault::Refused(403, "AccessDenied", vec![]));
    let ran = run(&case, &peer, &[]).ends_with(0);
    says(&ran, "warning[unverified-policy] example/main: role:singer is to have managed-policy");
    assert_eq!(peer.state().managed("singer"), [arn("ViewOnlyAccess")]);
}

#[test]
fn a_policy_that_no_account_has_of_its_own_takes_nothing_off_in_however_many_runs() {
    let (case, peer) = with_a_policy();
    peer.state().behaviour.no_own_policies = true;
    let own = format!("managed_policies: [\"arn:aws:iam::{HUB}:policy/singing\"]");
    case.edit("policies/all.yaml", READ, &own);
    for _run in 0..3 {
        let ran = run(&case, &peer, &[]).ends_with(5);
        says(&ran, "each account has its own; 123456789012 has none of that name");
        assert_eq!(peer.state().managed("singer"), [arn("ReadOnlyAccess")]);
    }
    // Put right, nothing is left of it.
    case.edit("policies/all.yaml", &own, READ);
    run(&case, &peer, &[]).ends_with(0);
    let last = run(&case, &peer, &[]).ends_with(0);
    assert_eq!(last.changes(), [""; 0]);
    assert_eq!(peer.state().managed("singer"), [arn("ReadOnlyAccess")]);
    let set = peer.state().set_called("singer");
    assert!(peer.state().is_provisioned(&set));
}

#[test]
fn a_misspelt_boundary_takes_the_place_of_none() {
    let (case, peer) = applied();
    let means = "      aws: {inline_policy:";
    case.edit("policies/all.yaml", means, "      aws: {boundary: ReadOnlyAccess, inline_policy:");
    case.edit("policies/all.yaml", "default: {users", "default: {access: {floor: 99}, users");
    peer.state().calls.clear();
    run(&case, &peer, &[]).ends_with(0);
    assert_eq!(peer.state().count("GetPolicy"), 1);
    let boundary = |peer: &IdentityCenterPeer| peer.state().boundary("singer");
    assert!(boundary(&peer).contains(&arn("ReadOnlyAccess")));
    peer.state().calls.clear();
    run(&case, &peer, &[]).ends_with(0);
    assert_eq!(peer.state().count("GetPolicy"), 0, "none for what is there");

    case.edit("policies/all.yaml", "boundary: ReadOnlyAccess", "boundary: ReadOnlyAcess");
    let writes = peer.state().writes;
    let ran = run(&case, &peer, &[]).ends_with(11);
    says(
        &ran,
        "role:singer should have boundary arn:aws:iam::aws:policy/ReadOnlyAcess, which there is not",
    );
    assert_eq!((ran.changes(), peer.state().writes), (Vec::new(), writes));
    assert!(boundary(&peer).contains(&arn("ReadOnlyAccess")));

    // One that cannot be looked up is said.
    case.edit("policies/all.yaml", "boundary: ReadOnlyAcess", "boundary: ViewOnlyAccess");
    peer.next_of("GetPolicy", Fault::Refused(403, "AccessDenied", vec![]));
    let ran = run(&case, &peer, &["--dry-run"]);
    says(
        &ran,
        "warning[unverified-policy] example/main: role:singer is to have boundary \
         arn:aws:iam::aws:policy/ViewOnlyAccess",
    );
}
