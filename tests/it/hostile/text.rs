//! Deceptive characters, and files that are large in a clever way.
