//! AWS, against moto behind a wire that counts calls and goes wrong on order.

mod site;
mod story;
