//! Keeps the cloud accounts of volunteer organisations in step with their LDAP directory.
//!
//! `reconcile` reads what people wrote (`inventory/`, `policies/`, `mirrors/`), who is in
//! which group (LDAP or LDIF), and what each cloud says; works out what should be; shows the
//! difference as a plan; applies it within limits; and records what it did.
//!
//! # Bird's-eye view
//!
//! ```text
//!  inventory/ ─▶ Inventory ─┐
//!  LDAP, LDIF ─▶ Directory ─┤
//!  policies/  ─▶ Policies ──┼─▶ desired::{resolve, mirrors} ─▶ Desired ─┐            (pure)
//!  mirrors/   ─▶ Topology ──┘                                           ├─▶ plan::diff ─▶ Plan (pure)
//!  clouds     ─▶ cloud::Observe ─▶ Observations ────────────────────────┘
//!                                  (complete | partial)
//!  operator's file ─▶ Operator ─▶ Permit: no directory is asked and no sink used without
//!  Plan + Policies ─▶ guard::review ─▶ ApprovedPlan + held changes + violations     (pure)
//!  ApprovedPlan ─▶ apply::execute ─▶ events ─▶ { progress, record } ─▶ Outcomes ─▶ exit code
//!                            └─▶ sink::Sinks (secrets of new keys, and nowhere else)
//! ```
//!
//! A dry run is this flow without its last line ([`run::prepare`] without [`run::carry_out`]):
//! there is no flag for it below the command line. [`status::Status`] is another look at the same
//! reading and plan.
//!
//! # Words
//!
//! One meaning each, in code, output and documents.
//!
//! - **inventory**: what people wrote; **directory**: what LDAP says; **desired**: what should be;
//!   **observed**: what a cloud says is.
//! - **kind**: what sort of thing an object is, a row of one table ([`model::Kind`]) from which all
//!   is read that the engine does differently for it; **act**: the verb of a change, one of the same
//!   nine for every kind ([`plan::Act`]).
//! - **change**: one act on one object, with before and after; **reason**: why, down to the line of
//!   a file or the group of a directory (shown, never branched on, in no digest).
//! - **need**: an earlier change of the plan that must have happened first, in whichever account;
//!   **lane**: what goes on by itself in an account: what is about people goes in phases, parts of
//!   mirrors beside it, by their needs alone.
//! - **plan**: all changes in order, as data; **guard**: the rules a plan must pass; **violation**:
//!   a rule it does not pass, with numbers; **approved plan**: a plan that went through the guard.
//! - **held**: kept back by the guard; **withheld**: not even planned, because a read was not
//!   complete; **waiting**: not planned before a vendor has finished something; the next run goes on.
//! - **outcome**: what became of a change; **begun**: the outcome of what a vendor has accepted and is
//!   still at: it has happened for those that need it; **run record**: the durable account of a run.
//! - **owned**: carries our mark; **foreign**: exists and is not ours; **extraneous**: owned and
//!   not desired; **departed**: whose person left (what follows is deprovisioning: suspend, wait, delete).
//! - **mirror**: one archive served from one account under one name; **part**: one thing a mirror is
//!   made of, by what it is for: stays the same when another object takes its place; **generation**: the
//!   how-manyeth object in that place. The next one is made, used, and only then the earlier one goes.
//! - **key**: a credential of a service account that this program issues; **handed over**: a sink
//!   took its secret, as noted on its user; **sink**: where secrets of new keys go.
//! - **operator's file**: what only the operator decides, outside the repository: secrets, whom to
//!   trust, which servers may be asked; **permit**: leave to ask one server, with what and trusting
//!   whom.
//! - **hub**: the account in which an organisation's users and groups at a vendor live; **former hub**:
//!   one that another account has taken the place of, and that still has some of ours.
//!
//! # Rules that hold everywhere
//!
//! 1. `model`, `desired`, `plan` and `guard` are synchronous and pure; "today" is an argument.
//! 2. A plan holds every choice; the executor makes none. What was reviewed is what runs.
//! 3. Only [`guard::review`] makes an [`guard::ApprovedPlan`]; only [`apply::execute`] takes one.
//! 4. Absence must be proven: nothing is removed in an account, or on account of a directory, that
//!    was not completely read ([`model::Reading`]).
//! 5. Only owned objects are changed or removed. The mark is on the object itself; names are never
//!    enough.
//! 6. No state file is needed to be correct: grace periods and marks live on the objects.
//! 7. The same inputs give a byte-identical plan.
//! 8. All rules are applied before the first write. What trips a limit is held; additions go on.
//!    What counts as a removal is decided by what somebody loses, not by the verb; what replaces
//!    comes first, and what it replaces needs it.
//! 9. Every write is safe to repeat; a lost reply is resolved by looking.
//! 10. Secrets are types that cannot be printed; personal values are stored where they are needed
//!     and shown nowhere.
//! 11. What a merge request can change is untrusted: it names secrets, servers and sinks, and the
//!     operator's file, outside the repository, says what they are and what each is good for.
//!
//! `tests/it/tidy` enforces what a test can: the direction of imports below, purity, who prints.
//!
//! # Modules, in reading order
//!
//! Each knows those above it, not those below.

pub mod model;

pub mod digest;
pub mod file;
pub mod folder;
pub mod pattern;
pub mod visible;

pub mod masks;

pub mod git;
mod place;

pub mod state;

pub mod diagnostic;

pub mod yaml;

pub mod operator;

pub mod directory;
pub mod inventory;
pub mod mirrors;
pub mod policies;

pub mod desired;
pub mod plan;
pub mod rights;

pub mod guard;

pub mod status;

pub mod http;

pub mod cloud;
pub mod event;
pub mod sink;

pub mod apply;

pub mod lock;
pub mod record;
pub mod report;
pub mod run;

pub mod cli;

#[cfg(test)]
mod fuzzing;
