//! Targets: what a server sends, whole and in pieces.

use tokio::io::{AsyncWriteExt as _, duplex};

use super::answer::{self, Operation};
use super::ber::{Elements, element, tag};
use super::clock;
use super::reference::leads_out_of_domain;
use super::wire::{Broken, Wire};
use crate::fuzzing::{Target, text};

/// Beginnings of what LDAP is made of; one byte of each text is one byte of the input.
const WORDS: &[&str] = &[
    "\u{30}\u{0}",
    "\u{30}\u{3}\u{2}\u{1}\u{3}",
    "\u{4}\u{1}x",
    "\u{4}\u{0}",
    "\u{31}\u{0}",
    "\u{2}\u{1}\u{3}",
    "\u{a}\u{1}\u{0}",
    "\u{a}\u{1}\u{4}",
    "\u{64}",
    "\u{65}",
    "\u{73}",
    "\u{78}",
    "\u{61}",
    "objectClass",
    "1.2.840.113556.1.4.319",
    "member;range=0-1",
];

#[test]
fn ldap_message() {
    Target::new("ldap_message").words(WORDS).memory(16 << 10, 64).run(|input| {
        // A message is what is inside its outermost sequence.
        let message = Elements(input).inside(tag::SEQUENCE).map_or(input, |inside| inside.0);
        let id = answer::id(message).ok();
        assert!(id.is_none_or(|id| id >= 0));
        match answer::operation(message) {
            Err(_) => (0, 0),
            Ok(Operation::Entry(content)) => {
                // In full, or not at all: a cut entry is never a smaller one.
                let whole = answer::entry(content, usize::MAX).ok();
                for cut in (0..content.len()).step_by(1 + content.len() / 16) {
                    let part = answer::entry(&content[..cut], usize::MAX).ok();
                    assert!(whole.is_none() || part.is_none() || part == whole, "cut at {cut}");
                }
                (1, usize::from(whole.is_some()))
            }
            Ok(Operation::Reference(to)) => {
                let to = answer::place(to);
                assert!(!to.chars().any(char::is_control));
                (2, to.len().min(2))
            }
            Ok(Operation::Intermediate) => (3, 0),
            Ok(Operation::Done(outcome, cookie)) => {
                assert!(outcome.words.chars().count() <= 200);
                (4, cookie.map_or(0, |cookie| 1 + cookie.len().min(2)))
            }
            Ok(Operation::Bind(outcome)) => (5, usize::from(outcome.code == 0)),
            Ok(Operation::Extended(outcome)) => (6, usize::from(outcome.referral.is_some())),
        }
    });
}

#[test]
fn ldap_time() {
    let words = &["2026", "1128", "0102", "03", "Z", ".", ",", "#000000", "+0100", "9999", "00"];
    Target::new("ldap_time").words(words).longest(64).memory(1 << 10, 16).run(|input| {
        let text = text(input);
        let Some(time) = clock::time(&text) else { return 0 };
        // Nothing is made up: what was read is what is written there.
        let written = time.strftime("%Y%m%d%H%M%S").to_string();
        assert_eq!(text.get(..14), Some(written.as_str()), "{text}");
        assert_eq!(clock::time(&format!("{written}Z")), Some(time));
        written.len()
    });
}

#[test]
fn ldap_wire() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    Target::new("ldap_wire").words(WORDS).memory(512 << 10, 64).run(|input| {
        let framed = element(tag::SEQUENCE, input);
        let in_pieces = |bytes: &[u8], piece: usize| {
            let bytes = bytes.to_vec();
            runtime.block_on(async move {
                let (ours, mut theirs) = duplex(piece);
                let said = tokio::spawn(async move { theirs.write_all(&bytes).await });
                let mut wire = Wire::new(Box::new(ours));
                let (mut answers, broken) = (0, loop_until_broken);
                let broken = broken(&mut wire, &mut answers).await;
                assert!(!wire.is_usable(), "a broken connection is used no longer");
                said.abort();
                (answers, broken)
            })
        };
        let whole = in_pieces(input, 1 << 16);
        assert_eq!(in_pieces(input, 7), whole, "in whatever pieces it comes");
        (whole, in_pieces(&framed, 1 << 16))
    });
}

#[test]
fn ldap_reference() {
    let words = &[
        "ldap://",
        "/",
        "?",
        "%20",
        "%",
        "DC=ForestDnsZones,",
        "CN=Configuration,",
        "DC=example",
        "DC=org",
        ",",
    ];
    Target::new("ldap_reference").words(words).longest(1 << 10).memory(64 << 10, 256).run(
        |input| {
            let out = leads_out_of_domain(input, "dc=example,dc=org");
            // Only a name that a server of that domain can give leads out of it.
            assert!(!leads_out_of_domain(input, "dc=elsewhere,dc=net") || !out);
            assert!(!leads_out_of_domain(input, ""), "nothing is above everything");
            out
        },
    );
}

async fn loop_until_broken(wire: &mut Wire, answers: &mut usize) -> &'static str {
    loop {
        match wire.answer(3).await {
            Ok(_) => *answers += 1,
            Err(Broken::Transport(_)) => return "transport",
            Err(Broken::Closed) => return "closed",
            Err(Broken::Dismissed(_)) => return "dismissed",
            Err(Broken::Malformed) => return "malformed",
            Err(Broken::TooLong { .. }) => return "too long",
        }
    }
}
