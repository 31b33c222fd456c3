//! Reading people and groups.

mod config;

pub use config::{
    Bind, DirectoryConfig, LdapConfig, Origin, PasswordFrom, SchemaConfig, SchemaKind,
};
