//! From files to the inventory, and everything that can be wrong with them.

mod example;
mod vendor;
