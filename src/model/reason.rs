//! Why something should be: shown to people, never branched on.

use std::fmt;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GroupName, GroupRef, MirrorName, RoleName, Source, Subject};

/// One reason for a change, down to the line or the directory group that asks for it.
///
/// Architecture invariant: reasons are for readers. No decision anywhere looks into one; what a
/// decision needs is a field of its own.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A line of the inventory gives a group a role.
    Grant {
        /// Who gets it.
        group: GroupRef,
        /// What they get.
        role: RoleName,
        /// Where that is written.
        source: Source,
        /// The reason people wrote there.
        note: String,
    },
    /// The topology asks for a part of a mirror.
    Mirror {
        /// Which mirror.
        mirror: MirrorName,
        /// Where that is written.
        source: Source,
    },
    /// The topology says that a mirror is to be taken down.
    MirrorRetired {
        /// Which mirror.
        mirror: MirrorName,
    },
    /// Another object has taken its place in a mirror.
    Superseded {
        /// Which part of which mirror.
        subject: Subject,
        /// The how-manyeth object has its place now.
        by: u32,
    },
    /// A part is not asked for any more.
    NotInTopology {
        /// Which part.
        subject: Subject,
    },
    /// The directory says that a person is in a group.
    Member {
        /// The group.
        group: GroupRef,
        /// The group through which, if not directly.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        through: Option<GroupName>,
        /// It is the person's primary group.
        #[serde(default, skip_serializing_if = "is_false")]
        primary: bool,
    },
    /// The directory no longer says that a person is in a group.
    NotMember {
        /// The group.
        group: GroupRef,
    },
    /// The person left or is locked.
    Gone {
        /// Whom it is about.
        subject: Subject,
        /// "departed (status is inactive)".
        why: String,
    },
    /// The person is not in the (completely read) directory.
    NotInDirectory {
        /// Whom it is about.
        subject: Subject,
    },
    /// The person is there but in no group that holds a role.
    NoGrantedGroup {
        /// Whom it is about.
        subject: Subject,
    },
    /// Somebody enabled the user by hand whom this program had suspended.
    EnabledByHand {
        /// The day of the suspension.
        #[schemars(with = "String")]
        since: Date,
    },
    /// The group lists somebody who is nobody, and the person is the only one who can be meant.
    PerhapsMeant {
        /// The group.
        group: GroupRef,
    },
    /// The person has a user in another hub, which the inventory names instead of this one.
    HubMoved {
        /// Whom it is about.
        subject: Subject,
    },
    /// No line of the inventory asks for it any more.
    NotInInventory {
        /// What is no longer asked for.
        subject: Subject,
    },
    /// No line of the inventory gives a group that role in this account any more.
    NotGranted {
        /// The group, by what it stands for.
        subject: Subject,
        /// The role.
        role: RoleName,
    },
    /// The line that asked for it has ended.
    GrantEnded {
        /// The first day without it.
        #[schemars(with = "String")]
        until: Date,
        /// Where that is written.
        source: Source,
    },
    /// Privileged access needs a registered key.
    NoKey {
        /// The group that holds the privileged role.
        group: GroupRef,
        /// That role.
        role: RoleName,
    },
    /// Privileged access is for the plainly active, and the person announced to leave.
    Retiring {
        /// The group that holds the privileged role.
        group: GroupRef,
        /// That role.
        role: RoleName,
        /// The day they announced it.
        #[schemars(with = "String")]
        since: Date,
    },
    /// Privileged access is for the plainly active, and the person's state is none that is known.
    UnknownStatus {
        /// The group that holds the privileged role.
        group: GroupRef,
        /// That role.
        role: RoleName,
        /// The state as it is written.
        status: String,
    },
    /// Privileged access is for the plainly active, and what says so cannot be understood.
    UnreadableState {
        /// The group that holds the privileged role.
        group: GroupRef,
        /// That role.
        role: RoleName,
        /// What cannot be understood: "its `shadowExpire`".
        what: String,
    },
    /// The person gets nothing new while the directory does not plainly say that they are active.
    NothingNew {
        /// Whom it is about.
        subject: Subject,
        /// Why: "the status `napping` is not known".
        why: String,
    },
    /// Several groups have the name, and the person is not in all of them.
    OneOfSeveral {
        /// The group that holds the privileged role.
        group: GroupRef,
        /// The distinguished names of those that have the name.
        entries: Vec<String>,
    },
    /// What a role means is written there.
    Definition {
        /// Where.
        source: Source,
    },
    /// A service account of the inventory.
    ServiceAccount {
        /// Where it is written.
        source: Source,
        /// The reason people wrote there.
        note: String,
    },
    /// The person has another name in the directory now.
    Renamed {
        /// Whom it is about.
        subject: Subject,
    },
    /// The vendor's side is not as it should be; who changed which side cannot be told.
    Differs {
        /// What is different, for people; no personal values.
        what: String,
    },
    /// Somebody put a foreign user into our group, or attached something to what is ours, by hand;
    /// or what asked for it was taken out together with whatever could say so.
    ByHand,
    /// The role of a binding was deleted, and not by this program.
    RoleGone,
    /// The person is back before the grace period ended.
    Returned {
        /// The day they were suspended.
        #[schemars(with = "String")]
        since: Date,
    },
    /// The grace period is over.
    GraceOver {
        /// The day the user was suspended.
        #[schemars(with = "String")]
        since: Date,
        /// How many days the grace period has.
        days: u32,
    },
    /// The service account has no key that was handed over.
    NoKeyHandedOver,
    /// The newest key of a service account is to be replaced.
    KeyDue {
        /// The day it was handed over.
        #[schemars(with = "String")]
        since: Date,
        /// After how many days it is replaced.
        days: u32,
    },
    /// A newer key was handed over long enough ago.
    KeyReplaced {
        /// The day the newer one was handed over.
        #[schemars(with = "String")]
        since: Date,
        /// How many days both hold.
        days: u32,
    },
    /// Nobody can be known to have the secret of a key: a run ended before it was handed over, or
    /// somebody made the key by hand.
    KeyNotHandedOver,
    /// It goes because what it belongs to goes.
    PartOf {
        /// What it belongs to.
        subject: Subject,
    },
    /// Somebody asked for exactly this.
    Adopted,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if hands a reference"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant { group, role, source, note } => {
                write!(formatter, "{group} is granted {role} ({source})")?;
                if note.is_empty() { Ok(()) } else { write!(formatter, ": {note}") }
            }
            Self::Member { group, through: Some(through), .. } => {
                write!(formatter, "in {group} through {through}")
            }
            Self::Member { group, primary: true, .. } => {
                write!(formatter, "{group} is their primary group")
            }
            Self::Member { group, .. } => write!(formatter, "in {group}"),
            Self::Mirror { mirror, source } => write!(formatter, "mirror {mirror} ({source})"),
            Self::MirrorRetired { mirror } => write!(formatter, "mirror {mirror} is retired"),
            Self::Superseded { subject, by } => {
                write!(formatter, "{subject} was replaced by generation {by}")
            }
            Self::NotInTopology { subject } => write!(formatter, "nothing asks for {subject}"),
            Self::NotMember { group } => write!(formatter, "not in {group}"),
            Self::Gone { subject, why } => write!(formatter, "{subject} {why}"),
            Self::NotInDirectory { subject } => {
                write!(formatter, "{subject} is not in its directory")
            }
            Self::NoGrantedGroup { subject } => {
                write!(formatter, "{subject} is in no group that holds a role here")
            }
            Self::EnabledByHand { since } => {
                write!(formatter, "enabled by hand, after it was suspended on {since}")
            }
            Self::PerhapsMeant { group } => {
                write!(formatter, "{group} lists a member that is nobody, who may be meant")
            }
            Self::HubMoved { subject } => {
                write!(formatter, "{subject} has a user in the new hub")
            }
            Self::NotInInventory { subject } => {
                write!(formatter, "nothing in the inventory asks for {subject} here")
            }
            Self::NotGranted { subject, role } => {
                write!(formatter, "nothing in the inventory gives {subject} the role {role} here")
            }
            Self::GrantEnded { until, source } => {
                write!(formatter, "the grant ended on {until} ({source})")
            }
            Self::NoKey { group, role } => {
                write!(formatter, "no key registered, and {group} holds the privileged role {role}")
            }
            Self::Retiring { group, role, since } => write!(
                formatter,
                "retiring since {since}, and {group} holds the privileged role {role}"
            ),
            Self::UnknownStatus { group, role, status } => write!(
                formatter,
                "the status `{status}` is not known, and {group} holds the privileged role {role}"
            ),
            Self::UnreadableState { group, role, what } => write!(
                formatter,
                "{what} cannot be understood, and {group} holds the privileged role {role}"
            ),
            Self::NothingNew { subject, why } => {
                write!(formatter, "{subject} gets nothing new: {why}")
            }
            Self::OneOfSeveral { group, entries } => write!(
                formatter,
                "several groups are called {group}, not all of them have this member ({})",
                entries.join("; ")
            ),
            Self::Definition { source } => write!(formatter, "defined in {source}"),
            Self::ServiceAccount { source, note } => {
                write!(formatter, "service account ({source})")?;
                if note.is_empty() { Ok(()) } else { write!(formatter, ": {note}") }
            }
            Self::Renamed { subject } => {
                write!(formatter, "{subject} was renamed in the directory")
            }
            Self::Differs { what } => write!(formatter, "differs: {what}"),
            Self::ByHand => formatter.write_str("nothing asks for it (any more)"),
            Self::RoleGone => formatter.write_str("the role is no longer there"),
            Self::Returned { since } => {
                write!(formatter, "back within the grace period (suspended {since})")
            }
            Self::GraceOver { since, days } => {
                write!(formatter, "suspended {since}, the grace period of {days} days is over")
            }
            Self::NoKeyHandedOver => formatter.write_str("no key was handed over yet"),
            Self::KeyDue { since, days } => {
                write!(formatter, "key handed over {since}, replaced after {days} days")
            }
            Self::KeyReplaced { since, days } => {
                write!(
                    formatter,
                    "newer key handed over {since}, the overlap of {days} days is over"
                )
            }
            Self::KeyNotHandedOver => formatter.write_str("this key was never handed over"),
            Self::PartOf { subject } => write!(formatter, "goes with {subject}"),
            Self::Adopted => formatter.write_str("asked for by `reconcile adopt`"),
        }
    }
}
