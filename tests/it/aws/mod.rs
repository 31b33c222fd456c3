//! AWS, against moto behind a wire that counts calls and goes wrong on order.

mod adopt_all;
mod clock;
mod conformance;
mod cost;
mod denied;
mod documents;
mod echoes;
mod faults;
mod fixture;
mod forges;
mod keys;
mod killed;
mod limits;
mod log_in;
mod matrix;
mod mistakes;
mod never;
mod paging;
mod partitions;
mod permissions;
mod rich;
mod scale;
mod site;
mod story;
mod surprises;
mod world;
