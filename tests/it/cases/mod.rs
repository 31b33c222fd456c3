//! Small inputs that went wrong once, each the example of a kind: `tests/cases/NAME` has the inputs
//! and says what should happen. Every one is run by the built program, as people meet it.

mod belief;
pub mod case;
mod directory;
mod loss;
mod rights;
mod states;
