//! Keeps cloud accounts in step with an LDAP directory.

pub mod model;

pub mod diagnostic;
pub mod digest;
pub mod pattern;
pub mod yaml;

pub mod directory;
pub mod inventory;
pub mod mirrors;
pub mod policies;

pub mod access;
pub mod desired;
pub mod plan;

pub mod guard;

pub mod apply;
pub mod cloud;
pub mod event;

pub mod lock;
pub mod record;
pub mod report;
pub mod run;

pub mod cli;
