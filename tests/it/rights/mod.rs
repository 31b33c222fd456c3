//! Who may do what where and why, and what a change gives and takes.

pub mod commands;
mod hostile;
mod properties;
pub mod values;
