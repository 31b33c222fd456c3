//! Plans, reviews and outcomes as text, JSON and Markdown, written to any `impl Write`.

pub mod metrics;
