//! What people and scripts get to read.

mod hostile;
mod metrics;
mod sample;
mod saved;
mod shown;
mod status;
