//! The program as its users meet it: the built binary, in copies of the repository's example.

mod absence;
mod adopt;
mod asked;
mod at_once;
mod by_hand;
mod clock;
mod codes;
mod grace;
mod interrupted;
mod memory_of_directories;
mod outside;
mod saved_plans;
mod secrets;
mod shown;
pub mod site;
mod status;
mod two_commands;
