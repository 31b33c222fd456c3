//! Links, fifos and repositories that would run something.

pub(super) mod links;
mod repositories;
