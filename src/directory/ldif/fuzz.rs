//! Targets: the records of an LDIF file, and base 64 in it.

use super::base64;
use super::record::Records;
use crate::directory::Bounds;
use crate::directory::budget::Budget;
use crate::fuzzing::{Target, lines, text};

const WORDS: &[&str] = &[
    "dn: ",
    "dn:: ",
    "\n",
    "\n\n",
    "\n ",
    "version: 1\n",
    "objectClass: ",
    "changetype: add\n",
    "# ",
    "result: 0 Success\n",
    "search: 2\n",
    "ref: ldap://x\n",
    ":< file:///etc/passwd\n",
    ":: ",
    "\r\n",
    ";range=0-1499: ",
    "uid: ",
    "-\n",
];

fn budget() -> Budget {
    Budget::new(Bounds::default())
}

#[test]
fn ldif() {
    Target::new("ldif").words(WORDS).memory(64 << 10, 256).run(|input| {
        let (mut entries, mut problems) = (0, Vec::new());
        let lines = lines(input);
        for record in Records::new(input, budget()) {
            match record {
                Ok(entry) => {
                    assert!(entry.dn.len() <= input.len());
                    entries += 1;
                }
                Err(problem) => {
                    assert!((1..=lines).contains(&problem.line), "{problem:?} of {lines} lines");
                    problems.push(problem.why);
                }
            }
        }
        // However it is read: all at once or byte by byte.
        let slow = std::io::BufReader::with_capacity(1, input);
        let again: Vec<_> = Records::new(slow, budget()).collect();
        assert_eq!(again.len(), entries + problems.len());
        problems.sort();
        problems.dedup();
        (entries.min(4), problems)
    });
}

#[test]
fn base64() {
    Target::new("base64").words(&["=", "==", "+/", "AAAA"]).memory(4 << 10, 8).run(|input| {
        let text = text(input);
        let Some(bytes) = base64::decode(&text) else { return usize::MAX };
        // The bits that padding leaves over mean nothing; everything else has one form.
        let written = base64::encode(&bytes);
        assert_eq!(written.len(), text.len());
        let spare = text.find('=').map_or(text.len(), |end| end - 1);
        assert_eq!(written[..spare.min(written.len())], text[..spare.min(text.len())]);
        assert_eq!(base64::decode(&written), Some(bytes.clone()));
        bytes.len() % 3
    });
}
