//! Names and ids, each its own type, so that a group cannot be passed where an account is meant.
//!
//! All are cheap to clone (`Arc<str>`): a plan of a million memberships repeats few names.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is; what shape it must have is checked where it is read.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, formatter)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

identifiers! {
    /// A kind of attachment in a vendor's words: `managed-policy`, `inline-policy`, …
    AttachmentKind;
    /// A place into which secrets are put: policies name it, the operator's file defines it.
    SinkName;
    /// A secret: the inventory names it, the operator's file says where it is.
    SecretName;
    /// Certificates to trust: the inventory names them, the operator's file says which they are.
    TrustName;
    /// An organisation of the inventory: who owns accounts.
    OrganisationName;
    /// An account, subscription or project at a vendor, by its name in the inventory.
    /// Unique over the whole inventory.
    AccountName;
    /// A project of the inventory (Debian, Arch Linux, …).
    ProjectName;
    /// A directory of the inventory: one LDAP server or LDIF file.
    DirectoryName;
    /// A vendor the program knows (`memory`, …).
    VendorName;
    /// A role of the policies.
    RoleName;
    /// A group as its directory spells it.
    GroupName;
    /// A person's log-in name as the directory spells it. Changes when a person is renamed.
    Login;
    /// What stays the same about a person when they are renamed (`uidNumber`, `entryUUID`, …).
    /// Unique within one directory.
    StableId;
    /// A service account of the inventory.
    ServiceAccountName;
    /// A mirror of the topology.
    MirrorName;
    /// A part of a mirror: the place an object has in it, whichever object that is.
    PartName;
    /// The name an object carries (or will carry) at a vendor.
    ObjectName;
    /// The id a vendor gave an object. Opaque.
    VendorId;
    /// A kind of credential in the vendor's words (`access-key`, `login-profile`, …).
    CredentialKind;
    /// A key of a role's or resource's attributes in the vendor's words.
    AttributeName;
}

/// Whether a text can be a name of the inventory: part of paths, tags and command lines.
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=64).contains(&text.len())
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b'_' | b'.'))
}

/// A group of a named directory: `debian:admin`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct GroupRef {
    /// The directory that defines the group.
    pub directory: DirectoryName,
    /// The group's name in it.
    pub group: GroupName,
}

impl fmt::Display for GroupRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.directory, self.group)
    }
}

/// The place of a change in its plan, counted from 0 in the order of execution.
///
/// Architecture invariant: a change only ever needs changes with a smaller id, so a plan cannot
/// contain a cycle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ChangeId(pub u32);

impl ChangeId {
    /// As an index into the plan's changes.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{}", self.0 + 1)
    }
}

impl fmt::Debug for ChangeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A text that is not the identifier it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct InvalidIdentifier {
    /// What was found.
    pub text: String,
    /// What would have been right, as a noun phrase.
    pub expected: &'static str,
}
