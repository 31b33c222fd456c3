//! What a branch cannot define: commands, secrets, trust anchors, servers, sinks.

mod branch;
mod file;
mod secrets;
mod state;
