//! The programs tests talk to, started and stopped by guards.

pub mod certificates;
pub mod proxy;
pub mod slapd;
