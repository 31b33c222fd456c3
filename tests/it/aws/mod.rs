//! AWS, against moto behind a wire that counts calls and goes wrong on order.

mod keys;
mod site;
mod story;
