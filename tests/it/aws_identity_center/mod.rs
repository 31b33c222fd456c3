//! Tests of access to AWS by way of IAM Identity Center.

mod assignments;
mod blocked;
mod by_hand;
mod ceiling;
mod conformance;
mod contradictions;
mod damaged;
mod fixture;
mod foreign;
mod instance;
mod moto;
mod people;
mod policies;
mod provisioning;
mod realise;
pub mod site;
mod steps;
