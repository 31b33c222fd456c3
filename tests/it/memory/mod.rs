//! Tests of the embedded cloud.

mod conformance;
mod fixture;
mod journal;
mod liar;
mod resources;
mod service;
mod times;
