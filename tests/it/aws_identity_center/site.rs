//! An organisation whose people get in by way of Identity Center, and the binary to run on it.

use crate::cases::case::{Case, squeezed};
use crate::cli::site::{Ran, ran};
use crate::peers::identity_center::IdentityCenterPeer;

/// The account of the instance.
pub const HUB: &str = "123456789012";
/// The key the program signs with.
pub const KEY: &str = "AKIAEXAMPLE";

/// The case after its first run, with a server for it: ada and bela sing.
pub fn applied() -> (Case, IdentityCenterPeer) {
    let (case, peer) = (Case::new("mail-of-somebody-who-left"), IdentityCenterPeer::start(HUB));
    run(&case, &peer, &[]).ends_with(0);
    (case, peer)
}

pub fn run(case: &Case, peer: &IdentityCenterPeer, arguments: &[&str]) -> Ran {
    let mut command = case.command(arguments);
    ran(command
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", peer.url())
        .env("AWS_EC2_METADATA_DISABLED", "true"))
}

#[track_caller]
pub fn says(ran: &Ran, words: &str) {
    assert!(squeezed(&ran.text()).contains(words), "{words:?} is not in\n{}", ran.text());
}
