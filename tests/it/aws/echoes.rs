//! What AWS says back of what it was sent, or of people, does not come out.

use super::site::{AwsSite, BUILDS, HUB};
use crate::cli::site::{files, ran};
use crate::peers::wire::{Fault, Place};

/// How every token begins that moto gives.
const TOKEN: &str = "FQoGZXIvYXdzEBYaD";

#[test]
fn our_credentials_and_peoples_addresses_in_its_words_are_not_shown() {
    const SECRET: &str = "planted/Secret+Access-Key/of/the/run/0123";
    const OWN_TOKEN: &str = "planted-token-of-the-surroundings";
    let site = AwsSite::new();
    let words = format!(
        "not with {SECRET} nor {}, {OWN_TOKEN}, {{token}}, {}; ada.lovelace@mail.example.org has it",
        SECRET.replace('/', "%2F").replace('+', "%2B"),
        site.key_id(),
    );
    let run = |arguments: &[&str]| {
        let mut command = site.command(arguments);
        command.env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_SESSION_TOKEN", OWN_TOKEN);
        ran(&mut command).text()
    };
    // Where they were assumed, the token is one that AWS gave on the way; then where they are the
    // surroundings' own.
    let mut said = String::new();
    for (account, whose) in [(BUILDS, TOKEN), (HUB, OWN_TOKEN)] {
        site.wire.clear();
        site.wire
            .inject(Place::call(2).in_account(account).and_later(), Fault::Says(words.clone()));
        for arguments in [&["--dry-run"][..], &["--dry-run", "--format", "json"], &["-vvv"]] {
            let text = run(arguments);
            let shown = "not with (not shown) nor (not shown), (not shown), (not shown), (not shown); …@… has it";
            assert!(text.contains(shown), "{account}: {text}");
            said.push_str(&text);
        }
        let sent = site.wire.calls().into_iter().filter(|call| call.fault.is_some());
        let mut tokens = sent.flat_map(|call| call.headers.0);
        assert!(tokens.any(|(_, value)| value.starts_with(whose)), "{account}: it was sent");
    }
    // From a file of the SDK's.
    let mut command = site.command(&["-vvv"]);
    let file = site.path("credentials");
    let own = format!(
        "[default]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = {SECRET}\n\
         aws_session_token = {OWN_TOKEN}\n"
    );
    assert!(said.contains("not with") && !said.contains(site.key_id()), "{said}");
    std::fs::write(&file, own).expect("a file");
    site.wire.clear();
    let words = words.replace(site.key_id(), "AKIAOTHER");
    site.wire.inject(Place::call(1).and_later(), Fault::Says(words));
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let by_file = ran(command.env("AWS_SHARED_CREDENTIALS_FILE", &file)).text();
    assert!(by_file.contains("not with (not shown)"), "{by_file}");
    said.push_str(&by_file);
    for (_, content) in files(&site.path("state")) {
        said.push_str(&String::from_utf8_lossy(&content));
    }
    for secret in ["planted", TOKEN, site.key_id(), "AKIAOTHER", "lovelace", "example.org has"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}
