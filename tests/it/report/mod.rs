//! What people and scripts get to read.

mod hostile;
mod sample;
mod saved;
mod shown;
