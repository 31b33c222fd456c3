//! The engine as a whole: resolve, plan, review, execute, observe again, on small invented worlds.

mod access;
mod attachments;
mod cases;
mod credentials;
mod foreign;
mod guard;
mod meddling;
mod oracle;
mod proof;
mod properties;
pub mod quotas;
pub mod random;
pub mod run;
mod scenarios;
mod services;
mod simulation;
pub mod world;
