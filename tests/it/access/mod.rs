//! Who may do what where and why, and what a change gives and takes.

mod commands;
mod hostile;
mod properties;
mod values;
