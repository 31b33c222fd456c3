//! The programs tests talk to, started and stopped by guards.

pub mod certificates;
pub mod dirsrv;
pub mod http;
pub mod https;
pub mod identity_center;
pub mod microburst;
pub mod moto;
pub mod operator;
pub mod process;
pub mod proxy;
pub mod python;
pub mod server;
pub mod slapd;
pub mod wire;
