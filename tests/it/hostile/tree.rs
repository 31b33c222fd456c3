//! Links, fifos and repositories that would run something.

mod links;
mod repositories;
