//! Whose signature a record must carry, and the witness that remembers how long it was.
//!
//! A hash chain shows edits to whoever has seen a later hash. A signature makes a hash one that
//! nobody without the key could have written: a cut end, a rewritten run, lines made up. It cannot
//! show that there was once *more*: an older copy of a record is signed just as well, and so is,
//! in its way, an empty folder. That is what the **witness** is for: a file in another place, to
//! which the signed head of every line of the index is appended.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::chain::{Chain, Head, NOTHING};
use super::folder::no_follow;
use super::key::{SignedHead, SigningKey, Statement};
use crate::model::PublicKey;

const ANEW: &str = "anew";
const AFTER: &str = "after";

/// Whose signatures count, with what this run signs, and where the witness is. By default nobody's,
/// nothing and nowhere.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The key that signs what is written from now on. It is trusted too.
    pub sign_with: Option<SigningKey>,
    /// Keys whose signatures count.
    pub trusted: BTreeSet<PublicKey>,
    /// The file to which every signed head is appended, outside the state folder; one for each.
    pub witness: Option<PathBuf>,
}

impl Trust {
    /// Whether a record must be signed to be believed.
    pub fn is_wanted(&self) -> bool {
        self.sign_with.is_some() || !self.trusted.is_empty()
    }

    pub(super) fn trusts(&self, key: &PublicKey) -> bool {
        self.trusted.contains(key) || self.sign_with.as_ref().is_some_and(|own| own.public() == key)
    }

    pub(super) fn sign(&self, statement: Statement<'_>, head: &Head) -> SignedHead {
        match &self.sign_with {
            Some(key) => key.sign(statement, head),
            None => SignedHead::plain(head),
        }
    }

    /// What is wrong with a signature; it must be there if signatures are wanted.
    pub(super) fn problem(&self, signed: &SignedHead, statement: Statement<'_>) -> Option<String> {
        if !self.is_wanted() {
            return None;
        }
        if signed.signature.is_none() {
            return Some(
                "is not signed; if the record was begun without a key, look at it and sign it \
                 once with `reconcile record sign`"
                    .into(),
            );
        }
        match signed.signer(statement) {
            None => Some("has a signature that does not fit: it was edited".into()),
            Some(key) if !self.trusts(key) => {
                Some(format!("is signed by {key}, which is not trusted (any more)"))
            }
            Some(_) => None,
        }
    }

    /// What is wrong with the signatures of an index: every line must be covered by one. `next` is
    /// the head that is signed before its line is appended, and so covers one more line after a
    /// run was killed in between.
    pub(super) fn index_problem(
        &self,
        written: Option<&SignedHead>,
        next: Option<&SignedHead>,
        chain: &Chain<'_>,
    ) -> Option<String> {
        if !self.is_wanted() {
            return None;
        }
        let problem = |one: &SignedHead| self.problem(one, Statement::Index);
        let lines = chain.lines.len() as u64;
        if let Some(what) = written.and_then(problem) {
            return Some(what);
        }
        if lines == 0 || written.is_some_and(|written| written.head.lines == lines) {
            return None;
        }
        match next.filter(|next| next.head == chain.head(NOTHING)) {
            Some(next) => problem(next),
            None => Some(format!("line {lines} of the index is covered by no signature")),
        }
    }
}

/// What a witness saw.
#[derive(Debug, Default)]
pub(super) struct Witness {
    /// Heads since the record was last begun anew, with their lines in the file, from 1.
    seen: Vec<(usize, SignedHead)>,
    /// The only one of them is that with which an operator began anew.
    is_anew: bool,
    /// How often an operator began anew though it had seen another record.
    pub anew: usize,
    /// What is wrong with the file itself: the line, from 1, and what.
    pub damage: Vec<(usize, String)>,
}

impl Witness {
    /// Reads the file of a witness. One that is not there has seen nothing.
    ///
    /// Half a line, as a kill leaves it, is no line and counts for nothing.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(path: &Path, trust: &Trust) -> io::Result<Self> {
        let text = match fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut witness = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            if let Some((signed, after)) = parse_anew(line) {
                witness.begin_anew(number, signed, after, trust);
            } else if let Ok(signed) = line.parse::<SignedHead>() {
                witness.see(number, signed);
            }
        }
        if let Some((number, last)) = witness.seen.last()
            && !witness.is_anew
            && let Some(what) = trust.problem(last, Statement::Index)
        {
            witness.damage.push((*number, what));
        }
        Ok(witness)
    }

    fn see(&mut self, number: usize, signed: SignedHead) {
        if let Some((_, last)) = self.seen.last()
            && signed.head.lines < last.head.lines
        {
            let what = format!("goes back from {} to {} lines", last.head.lines, signed.head.lines);
            self.damage.push((number, what));
            return;
        }
        self.seen.push((number, signed));
        self.is_anew = false;
    }

    fn begin_anew(&mut self, number: usize, signed: SignedHead, after: &str, trust: &Trust) {
        let before = self.last_text();
        let by_key = signed.signer(Statement::Anew(after)).filter(|key| trust.trusts(key));
        if after != before || (trust.is_wanted() && by_key.is_none()) {
            let what = "begins the record anew without being signed for this place".into();
            self.damage.push((number, what));
            return;
        }
        self.anew += usize::from(!self.seen.is_empty());
        (self.seen, self.is_anew) = (vec![(number, signed)], true);
    }

    fn last_text(&self) -> String {
        self.seen.last().map_or_else(|| NOTHING.to_owned(), |(_, last)| last.head.to_string())
    }

    /// The last head it saw.
    pub fn last(&self) -> Option<&Head> {
        self.seen.last().map(|(_, last)| &last.head)
    }

    /// What of an index does not agree with what was seen: every head must be there.
    pub fn problem(&self, chain: &Chain<'_>) -> Option<String> {
        let lines = chain.lines.len() as u64;
        let lost = self.seen.iter().rev().find(|(_, seen)| !chain.contains(&seen.head, NOTHING));
        match lost {
            // The first line of a signed record says whose key it is, and nothing else: a kill can
            // leave it without a witness.
            None if self.seen.is_empty() && lines > 1 => Some(format!(
                "has {lines} lines, of which the witness has seen none: the witness was emptied or \
                 is new; if it is new, look at the record and sign it once with `reconcile record \
                 sign`"
            )),
            None => None,
            Some((_, seen)) if seen.head.lines > lines => Some(format!(
                "has {lines} lines, but the witness saw {}: the record was emptied, cut or put \
                 back to an older state",
                seen.head.lines
            )),
            Some((_, seen)) => Some(format!(
                "was replaced: its line {} is not the one that the witness saw",
                seen.head.lines
            )),
        }
    }
}

/// `anew HEAD after HEAD KEY SIGNATURE`.
fn parse_anew(line: &str) -> Option<(SignedHead, &str)> {
    let rest = line.strip_prefix(ANEW)?.strip_prefix(' ')?;
    let mut words = rest.split(' ');
    let (head, after_word, after) = (words.next()?, words.next()?, words.next()?);
    if after_word != AFTER {
        return None;
    }
    let signature: Vec<&str> = words.collect();
    let text = if signature.is_empty() {
        head.to_owned()
    } else {
        format!("{head} {}", signature.join(" "))
    };
    Some((text.parse().ok()?, after))
}

/// Appends a signed head, on disk when this returns.
pub(super) fn append(path: &Path, signed: &SignedHead) -> io::Result<()> {
    append_line(path, &signed.to_string())
}

/// Appends that an operator begins anew after what the witness saw last.
pub(super) fn append_anew(path: &Path, trust: &Trust, head: &Head) -> io::Result<()> {
    let after = Witness::read(path, trust)?.last_text();
    let signed = trust.sign(Statement::Anew(&after), head).to_string();
    let (head, signature) = signed.split_once(' ').unwrap_or((&signed, ""));
    append_line(path, format!("{ANEW} {head} {AFTER} {after} {signature}").trim_end())
}

fn append_line(path: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(no_follow())
        .open(path)?;
    // What a kill left of a line cannot be taken back where only appending is allowed.
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let begin = if last == [b'\n'] { "" } else { "\n" };
    file.write_all(format!("{begin}{line}\n").as_bytes())?;
    file.sync_all()
}
