//! Targets: the chain of a record and its index, and the head of one.

use super::chain::{self, Chain, Head, NOTHING};
use super::index::index_runs;
use super::key::{SignedHead, Statement};
use super::read::entries;
use crate::fuzzing::{Target, text};

const WORDS: &[&str] = &[
    "{\"sequence\":1,\"previous\":\"",
    ",\"hash\":\"",
    "\"}\n",
    "\"what\":{\"started\":",
    "\n",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "{\"ended\":",
    "{\"abandoned\":",
];

/// What is taken for sound has the one form in which it was written.
fn is_one_form(input: &[u8], chain: &Chain<'_>) {
    let mut bytes: Vec<u8> =
        chain.lines.iter().flat_map(|line| [line, b"\n".as_slice()].concat()).collect();
    bytes.extend_from_slice(chain.torn);
    assert_eq!(bytes, input, "no byte is left out");
    assert_eq!(chain.lines.len(), chain.hashes.len());
    if chain.damage.is_empty() {
        let head = chain.head(NOTHING);
        assert!(chain.contains(&head, NOTHING));
        // Any cut at a line's end, and any change of the last line, gives another head.
        if let Some((last, before)) = chain.lines.split_last() {
            assert_ne!(chain.hashes.last(), chain.hashes.get(before.len().wrapping_sub(1)));
            let mut other = last.to_vec();
            let middle = other.len() / 2;
            other[middle] ^= 1;
            let previous = before.len().checked_sub(1).map_or(NOTHING, |at| chain.hashes[at]);
            assert!(
                !chain::check(&[&other, b"\n".as_slice()].concat(), previous).damage.is_empty()
            );
        }
    }
}

#[test]
fn record_chain() {
    Target::new("record_chain").words(WORDS).longest(64 << 10).memory(256 << 10, 256).run(
        |input| {
            let chain = chain::check(input, NOTHING);
            is_one_form(input, &chain);
            assert!(chain.damage.len() <= chain.lines.len() + 1);
            let entries = entries(&chain);
            assert_eq!(entries.len(), chain.lines.len());
            let (runs, problems) = index_runs(&chain);
            assert!(runs.len() + problems.len() <= chain.lines.len());
            let damage: std::collections::BTreeSet<_> =
                chain.damage.iter().map(|(_, what)| what.clone()).collect();
            (
                damage,
                chain.torn.len().min(1),
                entries.iter().flatten().count().min(3),
                runs.len().min(3),
            )
        },
    );
}

/// The seed is a record from before every kind had the same verbs; its steps are understood.
#[test]
fn a_record_of_an_earlier_version_is_read() {
    let seed = include_bytes!("../../tests/fuzz/record_chain/run");
    let chain = chain::check(seed, NOTHING);
    assert!(chain.damage.is_empty(), "{:?}", chain.damage);
    assert!(String::from_utf8_lossy(seed).contains("\"create_group\""));
    assert!(entries(&chain).iter().all(Option::is_some), "every line is understood");
}

#[test]
fn record_head() {
    const WORDS: &[&str] = &[":", "0", "a", "+", "18446744073709551615", " ed25519:", " "];
    Target::new("record_head").words(WORDS).run(|input| {
        let text = text(input);
        if let Ok(signed) = text.parse::<SignedHead>() {
            assert_eq!(signed.to_string(), text);
            assert!(signed.signer(Statement::Index).is_none(), "nobody has signed it");
        }
        let Ok(head) = text.parse::<Head>() else { return 0 };
        assert_eq!(head.to_string(), text);
        1 + u8::from(head.lines > 9)
    });
}
