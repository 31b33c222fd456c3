//! What sort of thing an object is: the one table of kinds.
//!
//! A new kind is a new row of [`Kind::facts`]. Whatever the engine does differently for two kinds
//! it reads from that row; only clouds, and what makes a difference of people, know more.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::InvalidIdentifier;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Users, with the credentials that go with them.
    User,
    /// Groups.
    Group,
    /// Users in groups.
    Membership,
    /// Roles.
    Role,
    /// Roles attached to groups.
    Binding,
    /// What else is attached to users, groups and roles: policies, boundaries.
    Attachment,
    /// What a user logs in with.
    Credential,
    /// Something a mirror is made of.
    Resource(ResourceKind),
}

/// A kind of thing a mirror is made of, in no vendor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// A zone of the domain name system.
    Zone,
    /// All records of one name and type.
    RecordSet,
    /// A certificate for names.
    Certificate,
    /// A machine with a disk.
    Server,
    /// What the public talks to: a content delivery network or a load balancer.
    FrontEnd,
}

impl ResourceKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Zone, Self::RecordSet, Self::Certificate, Self::Server, Self::FrontEnd];
}

/// How an object that is not wanted any more goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is deleted.
    AtOnce,
    /// It is suspended, and deleted when the time of grace is over.
    Suspend,
    /// Nothing new reaches it; it is deleted when what was under way is done.
    Drain,
}

/// What is true of a kind: its row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindFacts {
    /// One, as a word of files and command lines.
    pub name: &'static str,
    /// One, for people.
    pub singular: &'static str,
    /// Several, for people.
    pub plural: &'static str,
    /// The kind under whose limit a removal counts.
    pub counts_as: Kind,
    /// How one that is not wanted any more goes.
    pub ending: Ending,
    /// Whether the end of one is looked at again after the vendor said it is done.
    pub verified: bool,
}

impl Kind {
    /// All that accounts list, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::User,
        Self::Group,
        Self::Membership,
        Self::Role,
        Self::Binding,
        Self::Attachment,
        Self::Resource(ResourceKind::Zone),
        Self::Resource(ResourceKind::RecordSet),
        Self::Resource(ResourceKind::Certificate),
        Self::Resource(ResourceKind::Server),
        Self::Resource(ResourceKind::FrontEnd),
    ];

    /// Those by which people have access.
    pub const PEOPLE: [Self; 6] =
        [Self::User, Self::Group, Self::Membership, Self::Role, Self::Binding, Self::Attachment];

    /// Its row of the table.
    pub fn facts(self) -> KindFacts {
        use Ending::{AtOnce, Drain, Suspend};
        use ResourceKind::{Certificate, FrontEnd, RecordSet, Server, Zone};
        let row = |name, singular, plural, ending, verified| KindFacts {
            name,
            singular,
            plural,
            counts_as: self,
            ending,
            verified,
        };
        match self {
            Self::User => row("user", "user", "users", Suspend, true),
            Self::Group => row("group", "group", "groups", AtOnce, false),
            Self::Membership => row("membership", "membership", "memberships", AtOnce, true),
            Self::Role => row("role", "role", "roles", AtOnce, false),
            Self::Binding => row("binding", "role binding", "role bindings", AtOnce, true),
            Self::Attachment => row("attachment", "attachment", "attachments", AtOnce, true),
            Self::Credential => KindFacts {
                counts_as: Self::User,
                ..row("credential", "credential", "credentials", AtOnce, true)
            },
            Self::Resource(Zone) => row("zone", "zone", "zones", Drain, false),
            Self::Resource(RecordSet) => {
                row("record-set", "record set", "record sets", AtOnce, false)
            }
            Self::Resource(Certificate) => {
                row("certificate", "certificate", "certificates", AtOnce, false)
            }
            Self::Resource(Server) => row("server", "server", "servers", Drain, false),
            Self::Resource(FrontEnd) => row("front-end", "front end", "front ends", Drain, false),
        }
    }

    /// One, for people.
    pub fn singular(self) -> &'static str {
        self.facts().singular
    }

    /// Several, for people.
    pub fn plural(self) -> &'static str {
        self.facts().plural
    }

    /// One, as a word of files and command lines.
    pub fn name(self) -> &'static str {
        self.facts().name
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, InvalidIdentifier> {
        let all = Self::ALL.into_iter().chain([Self::Credential]);
        all.into_iter().find(|kind| kind.name() == text).ok_or_else(|| InvalidIdentifier {
            text: text.to_owned(),
            expected: "a kind of object such as user or record-set",
        })
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(source)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Kind {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Kind".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> =
            Self::ALL.into_iter().chain([Self::Credential]).map(Self::name).collect();
        json_schema!({ "description": "A kind of object.", "enum": names })
    }
}

impl Serialize for ResourceKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Kind::Resource(*self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ResourceKind {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        match Kind::deserialize(source)? {
            Kind::Resource(kind) => Ok(kind),
            other => Err(serde::de::Error::custom(format!("{other} is no kind of resource"))),
        }
    }
}

impl JsonSchema for ResourceKind {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ResourceKind".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        let all = Self::ALL.into_iter().map(Kind::Resource);
        let names: Vec<&str> = all.map(Kind::name).collect();
        json_schema!({ "description": "A kind of thing a mirror is made of.", "enum": names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_is_found_by_it() {
        for kind in Kind::ALL.into_iter().chain([Kind::Credential]) {
            assert_eq!(kind.name().parse(), Ok(kind));
            let written = serde_json::to_string(&kind).unwrap();
            assert_eq!(serde_json::from_str::<Kind>(&written).unwrap(), kind, "{written}");
        }
        assert!("users".parse::<Kind>().is_err());
        assert!(serde_json::from_str::<ResourceKind>("\"user\"").is_err());
    }
}
