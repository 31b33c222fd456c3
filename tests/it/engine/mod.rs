//! The engine as a whole: resolve, plan, review, execute, observe again, on small invented worlds.

mod cases;
mod guard;
mod meddling;
mod oracle;
mod proof;
mod properties;
mod random;
mod run;
mod scenarios;
mod simulation;
mod world;
