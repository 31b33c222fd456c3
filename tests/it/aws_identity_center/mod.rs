//! Tests of access to AWS by way of IAM Identity Center.

mod assignments;
mod blocked;
mod ceiling;
mod conformance;
mod contradictions;
mod damaged;
mod fixture;
mod foreign;
mod instance;
mod moto;
mod provisioning;
mod realise;
mod steps;
