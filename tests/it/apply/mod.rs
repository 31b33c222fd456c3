//! The executor against an account that does what the test's script says.

mod embedded;
pub mod fake;
mod order;
mod retries;
mod stopping;
mod victims;
