//! The one integration binary.

mod apply;
mod aws;
mod aws_identity_center;
mod cases;
mod cli;
mod directory;
mod engine;
mod hostile;
mod inventory;
mod keys;
mod memory;
mod mirrors;
mod peers;
mod record;
mod report;
mod rights;
mod run;
mod tidy;
