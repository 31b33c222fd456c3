//! The line at the end of an LDIF file that says that nothing behind it is missing.
//!
//! LDIF has no end of its own: a file that was cut between two lines reads as a shorter file, in
//! which people are gone. So a file is whole only if its last line is one of
//!
//! - `# end`, for files that people write and edit;
//! - `# reconcile: 123 entries, sha256 …`, as `reconcile export-ldif` writes it: the number of
//!   entries and the digest of every line before, whatever the line ends;
//! - `# numEntries: 123`, as `ldapsearch` of `OpenLDAP` writes it after `result: 0 Success`.
//!
//! Others leave it out (looked up in November 2026): `slapcat`, `ldapsearch -LL` and `-LLL`,
//! 389's `db2ldif`, `OpenDJ`'s `export-ldif`, Active Directory's `ldifde`. Whoever makes a file
//! with them appends `# end` once the command has succeeded.
//!
//! There is exactly one mark and nothing behind it but empty lines. Otherwise a file cut behind the
//! first of two would look whole; so every shorter beginning of a whole file is found.

use sha2::{Digest as _, Sha256};

use crate::digest::hex;

/// A line that says that the file ends here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mark {
    /// Somebody wrote that it does.
    End,
    /// Our own export: how many entries, and the digest of what is before.
    Export { entries: u64, sha256: String },
    /// The last line of `ldapsearch`: how many entries it wrote.
    Search { entries: u64 },
}

/// What an export ends with, without the end of the line.
pub(super) fn of_export(entries: usize, sha256: &str) -> String {
    format!("# reconcile: {entries} entries, sha256 {sha256}")
}

/// Reads a physical line, without its end.
fn parse(line: &[u8]) -> Option<Mark> {
    let text = std::str::from_utf8(line.strip_prefix(b"#")?).ok()?.trim();
    if text.eq_ignore_ascii_case("end") {
        return Some(Mark::End);
    }
    if let Some(number) = text.strip_prefix("numEntries:") {
        return number.trim().parse().ok().map(|entries| Mark::Search { entries });
    }
    let (entries, sha256) =
        text.strip_prefix("reconcile:")?.trim_start().split_once(" entries, sha256 ")?;
    Some(Mark::Export { entries: entries.parse().ok()?, sha256: sha256.to_owned() })
}

/// Watches the physical lines of a file go by.
pub(super) struct Watch {
    digest: Sha256,
    lines: u32,
    mark: Option<(u32, Mark)>,
    /// The first line behind the mark that is not empty.
    behind: Option<u32>,
}

impl Watch {
    /// Nothing seen yet.
    pub(super) fn new() -> Self {
        Self { digest: Sha256::new(), lines: 0, mark: None, behind: None }
    }

    /// The next line, without its end.
    pub(super) fn line(&mut self, number: u32, line: &[u8]) {
        self.lines = number;
        if self.mark.is_some() {
            if !line.trim_ascii().is_empty() {
                self.behind.get_or_insert(number);
            }
            return;
        }
        self.mark = parse(line).map(|mark| (number, mark));
        if self.mark.is_none() {
            self.digest.update(line);
            self.digest.update(b"\n");
        }
    }

    /// The next line has no end.
    pub(super) fn cut(&mut self, number: u32) {
        self.lines = number;
        if self.mark.is_some() {
            self.behind.get_or_insert(number);
        }
    }

    /// Whether the file is whole, given what was seen in it: line and cause if not. `found` is how
    /// many entries it holds, `searches` whether a search that succeeded is told of.
    pub(super) fn into_verdict(self, found: u64, searches: bool) -> Result<(), (u32, String)> {
        let Some((line, mark)) = self.mark else {
            let why = if self.lines == 0 {
                "the file is empty"
            } else {
                "nothing says that the file ends here, so that it may have been cut; if it is \
                 whole, end it with the line `# end`, or write it with `reconcile export-ldif`"
            };
            return Err((self.lines.max(1), why.to_owned()));
        };
        if let Some(behind) = self.behind {
            return Err((
                behind,
                format!(
                    "this stands behind line {line}, which says that the file ends there; there is \
                     one such line, and it is the last: take that one out, or move it to the end"
                ),
            ));
        }
        let edit = "if somebody edited it and means it, end it with the line `# end` instead";
        match mark {
            Mark::Export { entries, .. } | Mark::Search { entries } if entries != found => Err((
                line,
                format!(
                    "the file ended with {entries} entries when it was written and holds {found}: \
                     export it again; {edit}"
                ),
            )),
            Mark::Export { sha256, .. } if sha256 != hex(&self.digest.finalize()) => Err((
                line,
                format!("the file is not as it was when it was written: export it again; {edit}"),
            )),
            Mark::Search { .. } if !searches => Err((
                line,
                "this does not say whether the search succeeded: export it again without `-L`"
                    .to_owned(),
            )),
            Mark::End | Mark::Export { .. } | Mark::Search { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_marks_and_lines_that_are_not() {
        for mark in ["# end", "#end", "# END  ", "#\tEnd\t"] {
            assert_eq!(parse(mark.as_bytes()), Some(Mark::End), "{mark}");
        }
        assert_eq!(parse(b"# numEntries: 12"), Some(Mark::Search { entries: 12 }));
        let written = of_export(3, "abc");
        let read = Mark::Export { entries: 3, sha256: "abc".into() };
        assert_eq!(parse(written.as_bytes()), Some(read));
        for other in [
            "",
            "#",
            "# the end",
            "# end.",
            " # end",
            "end",
            "## end",
            "# end # end",
            "# numEntries: ",
            "# numEntries: -1",
            "# numResponses: 3",
            "# reconcile: 3 entries",
        ] {
            assert_eq!(parse(other.as_bytes()), None, "{other}");
        }
    }
}
