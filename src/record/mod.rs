//! The run record: what was done, in a form nobody can quietly edit.
//!
//! Every run that may write has a file of JSON lines in `<state>/records/`. Each line names the
//! hash of the line before and ends with its own, so an edit shows. The files hang together in
//! `index.jsonl`, a chain of the same kind with a line for the begin and one for the end of each
//! run; a small file `head` says how long the index is and how it ends, so that cutting off its
//! tail shows as well. Runs on different organisations go on at the same time, hence a file per
//! run and the index as the chain between them.
//!
//! ```text
//! records/
//!   index.jsonl                      started, ended, abandoned; appended under a file lock
//!   head                             "12:<hash>": lines of the index, hash of the last; with a
//!                                    key also whose signature, and that
//!   000001-5f0c….jsonl               one run; locked by the run as long as it lives
//!   000002-9a1b….jsonl               a run under way, or one that died
//!   000002-9a1b….progress            as `head`, for that file; goes when the index seals it
//! ```
//!
//! # Guarantees
//! - The run's first line and its line in the index are on disk (fsync) before [`Records::start`]
//!   returns, the last ones before [`RunWriter::end`] does. Lines in between are handed to the
//!   operating system, unbuffered, before the call to the vendor they announce: they survive
//!   `kill -9` of the program, not a power failure.
//! - A folder that cannot be written is an error of [`Records::start`], before the first change.
//!   A disk that fills up is an error of [`RunWriter::event`]; the piece of a line that went
//!   through is taken back, so the record stays whole and the caller can still end the run.
//! - A run that was killed is no damage. It is told apart from a running one by the lock on its
//!   file, which the kernel drops with the process, and sealed in the index by the next run.
//!
//! # Signatures and the witness
//! With a key ([`Trust`]) each head is signed before the line it covers is written, and so is each
//! step of a run under way. A cut end, a rewritten run or lines made up then show to whoever has
//! the public key. A run adds nothing to a record whose signature does not hold: the next one
//! would make the forgery genuine. Somebody who can write here gains nothing by damaging it, for
//! they could keep runs from starting in simpler ways (a full disk, a taken lock); going on would
//! give them a signature.
//!
//! An older copy of a record, or none, is as well signed as the newest. The witness, a file in
//! another place to which each signed head is appended, shows that there was more. After `kill -9`
//! it is at most one line behind, and the next run mends that.
//!
//! # Caveats
//! A hash chain shows edits to whoever has seen a later hash; it cannot prevent them. Without a
//! key, somebody who may write the folder and knows this format can replace the whole folder by
//! another one that is consistent. What they cannot do is match a head that was seen elsewhere:
//! each run prints its head, so the mail of a cron job, a log host or a ticket is a witness outside
//! the machine, and `record verify --expect HEAD` compares with it. Until a run that died has been
//! sealed by the next, the half-written line at its end, if there is one, is covered by nothing,
//! and its file can be put back to what it was at an earlier moment of the same run.
//!
//! Architecture invariant: the clock comes in as a [`Clock`]; nothing here reads one.

mod chain;
mod earlier;
mod entry;
mod folder;
#[cfg(test)]
mod fuzz;
mod git;
mod index;
mod key;
mod read;
mod redact;
mod taken;
mod trust;
mod verify;
mod writer;

pub use chain::{Head, InvalidHead};
pub use entry::{
    Called, Counts, End, Entry, FORMAT, InputVersion, PlanFacts, PlannedChange, RunFacts, RunId,
    RunStart, SavedPlan,
};
pub use folder::{Clock, Error, Records};
pub use git::input_version;
pub use key::{KeyError, SigningKey};
pub use read::{Run, State};
pub use redact::redact_arguments;
pub use trust::Trust;
pub use verify::{Damage, Verification};
pub use writer::{EndFacts, RunWriter};
