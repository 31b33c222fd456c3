//! Targets: the records of an LDIF file, where it is cut, and base 64 in it.

use super::record::Records;
use super::write::write;
use crate::directory::Bounds;
use crate::directory::budget::Budget;
use crate::fuzzing::{Target, lines};

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

/// Whether a file is read without a gap.
fn is_complete(file: &[u8]) -> bool {
    let mut records = Records::new(file, budget());
    records.by_ref().all(|record| record.is_ok()) && records.end().is_ok()
}

/// What the input says, as whole files: one for each mark that says so.
fn whole(input: &[u8]) -> [Vec<u8>; 4] {
    let lines = input.split_inclusive(|byte| *byte == b'\n');
    let body = lines.filter(|line| !line.starts_with(b"#")).collect::<Vec<_>>().concat();
    let entries: Vec<_> = Records::new(&body[..], budget()).filter_map(Result::ok).collect();
    let searched = format!("\n\nsearch: 2\nresult: 0 Success\n\n# numEntries: {}\n", entries.len());
    [
        input.to_vec(),
        [&body, &b"\n# end\n"[..]].concat(),
        [&body, searched.as_bytes()].concat(),
        write(entries.iter()).into_bytes(),
    ]
}

/// The other end: there is something to cut.
#[test]
fn what_the_target_of_cuts_cuts_is_whole() {
    let people = std::fs::read("tests/fuzz/ldif_cut/people").expect("a seed");
    let complete = whole(&people).map(|file| is_complete(&file));
    assert_eq!(complete, [true; 4]);
}

#[test]
fn ldif_cut() {
    // Every cut is read: longer ones take the square of the time.
    Target::new("ldif_cut").words(WORDS).longest(700).run(|input| {
        whole(input).map(|file| {
            if !is_complete(&file) {
                return false;
            }
            // Empty lines behind the mark are not missed.
            let blank = file.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
            let mark = file.len() - blank;
            let line =
                file[mark..].iter().position(|byte| *byte == b'\n').map_or(mark, |end| mark + end);
            for cut in 0..=line {
                assert!(!is_complete(&file[..cut]), "cut behind {cut} bytes it is whole, too");
            }
            true
        })
    });
}
