//! The verb of every act on every kind, for people. In no digest, and nothing branches on it.

use super::Act;
use crate::model::{Kind, ResourceKind};

macro_rules! verbs {
    ($act:expr, $kind:literal, $retire:literal) => {
        match $act {
            Act::Create => concat!("create ", $kind),
            Act::Update => concat!("update ", $kind),
            Act::Retire => concat!($retire, " ", $kind),
            Act::Restore => concat!("restore ", $kind),
            Act::Delete => concat!("delete ", $kind),
            Act::Link => concat!("add ", $kind),
            Act::Unlink => concat!("remove ", $kind),
            Act::Adopt => concat!("adopt ", $kind),
            Act::Issue => concat!("issue ", $kind),
        }
    };
}

/// What an act on an object of a kind is called, in one or two plain words.
pub(super) fn verb(kind: Kind, act: Act) -> &'static str {
    use ResourceKind::{Certificate, FrontEnd, RecordSet, Server, Zone};
    match (kind, act) {
        (Kind::Credential, Act::Delete) => "revoke credential",
        (Kind::Membership, Act::Link) => "add member",
        (Kind::Membership, Act::Unlink) => "remove member",
        (Kind::Binding, Act::Link) => "bind role",
        (Kind::Binding, Act::Unlink) => "unbind role",
        (Kind::Attachment, Act::Link | Act::Update) => "attach to",
        (Kind::Attachment, Act::Unlink) => "detach from",
        (Kind::User, act) => verbs!(act, "user", "suspend"),
        (Kind::Group, act) => verbs!(act, "group", "retire"),
        (Kind::Role, act) => verbs!(act, "role", "retire"),
        (Kind::Membership, act) => verbs!(act, "membership", "retire"),
        (Kind::Binding, act) => verbs!(act, "role binding", "retire"),
        (Kind::Attachment, act) => verbs!(act, "attachment", "retire"),
        (Kind::Credential, act) => verbs!(act, "credential", "retire"),
        (Kind::Resource(Zone), act) => verbs!(act, "zone", "retire"),
        (Kind::Resource(RecordSet), act) => verbs!(act, "record set", "retire"),
        (Kind::Resource(Certificate), act) => verbs!(act, "certificate", "retire"),
        (Kind::Resource(Server), act) => verbs!(act, "server", "drain"),
        (Kind::Resource(FrontEnd), act) => verbs!(act, "front end", "drain"),
    }
}
