//! The run record and the lock, with real files, processes and kills.

mod chain;
mod children;
mod commands;
mod git;
mod killed;
mod lock;
mod runs;
mod signed;
