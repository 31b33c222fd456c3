//! One run from end to end, without printing anything: read everything, compute the plan, review
//! it; then, if asked to, carry it out under the lock, with a record.
//!
//! Architecture invariant: there is no flag for a dry run below the command line. A dry run calls
//! [`prepare`] and stops; a run calls [`prepare`] and then [`carry_out`] with what it returned.

mod administrators;
mod adopt;
mod adopt_all;
mod baseline;
mod belief;
mod carry_out;
mod credentials;
pub mod digests;
mod former;
#[cfg(test)]
mod fuzz;
mod gather;
mod holdings;
mod known;
mod parts;
mod past;
mod prepare;
mod recognise;
mod remembered;
mod time;
mod told;
mod usage;

pub use adopt::{Adoption, Choice, Refusal, adoption, look_closer};
pub use adopt_all::{AdoptionOfAll, LeftAlone, RefusalOfAll, adoption_of_all};
pub use baseline::{Baseline, BaselineError};
pub use carry_out::{Carried, carry_out};
pub use credentials::credentials;
pub use gather::{Gathered, Sources, gather, gather_forgotten};
pub use known::{Forgotten, Known, KnownError};
pub use past::{Past, taken};
pub use prepare::{Prepared, prepare};
pub use told::Told;
