//! Links, fifos and repositories that would run something.
