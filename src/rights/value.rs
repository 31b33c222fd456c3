//! The answers as values, which are also their JSON form.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::settings::{SettingChange, Weight};
use crate::model::{
    AttributeName, AttributeValue, DirectoryName, Federation, GroupName, GroupRef, Login, Missing,
    ObjectName, PersonKind, Place, ProjectName, RoleName, SinkName, Source, StableId, Subject,
    VendorName,
};

/// A person or service account, by the name people use and by what stays the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Who {
    /// The person's present log-in name; not there for service accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
    /// Whom it stands for.
    pub subject: Subject,
}

/// Somebody has a role in an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Right {
    /// Where.
    pub place: Place,
    /// What.
    pub role: RoleName,
    /// Who.
    pub who: Who,
    /// Why: through each of these groups. Never empty.
    pub ways: Vec<Way>,
    /// Whoever has the role could do serious harm; of a change: as either side sees it.
    pub privileged: bool,
}

/// A group through which somebody has a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Way {
    /// The group that holds the role; of jobs of a forge the service account itself.
    pub group: Subject,
    /// How they are in it.
    pub joining: Joining,
    /// The lines of the inventory that give the group the role there.
    pub grants: Vec<GrantLine>,
    /// A name the vendor does not accept stands in the way, so that nothing new is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
}

/// How somebody is in a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Joining {
    /// Named there.
    Direct,
    /// It is their primary group.
    Primary,
    /// Through membership of another group of the directory.
    Through(GroupName),
    /// A service account's own group.
    Itself,
    /// No group: jobs of a forge take on a role of their own.
    Jobs(Box<Federation>),
}

/// A line that grants something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct GrantLine {
    /// Where it is written.
    pub source: Source,
    /// The reason people wrote there.
    pub reason: String,
    /// The first day without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
}

/// A name the vendor does not accept, or that two want at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blocked {
    /// The user's.
    User(ObjectName),
    /// The group's.
    Group(ObjectName),
    /// The role's.
    Role(ObjectName),
}

/// What could not be read of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct NotComplete {
    /// Which directory.
    pub directory: DirectoryName,
    /// What.
    pub missing: Missing,
    /// How many of its people are known all the same.
    pub people: usize,
}

/// The answer to `reconcile explain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Explained {
    /// About a person.
    Person(PersonExplained),
    /// About a group.
    Group(GroupExplained),
    /// About a service account.
    Service(ServiceExplained),
    /// About an account.
    Account(AccountExplained),
}

/// Where a person stands, what they may do and what not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PersonExplained {
    /// The directory.
    pub directory: DirectoryName,
    /// Their present log-in name.
    pub login: Login,
    /// What stays the same about them.
    pub stable_id: StableId,
    /// Person, guest or role account.
    #[schemars(with = "String")]
    pub kind: PersonKind,
    /// Whether they may have access: "present", "departed (status is inactive)", ….
    pub standing: String,
    /// What the directory says of their membership of the organisation: "active", "inactive", ….
    pub status: String,
    /// Why they are not plainly active, so that nothing privileged is theirs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cautions: Vec<String>,
    /// Why it cannot be told which groups they are in, if so: what they have stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unclear: Option<String>,
    /// Whether that standing allows access.
    pub may_have_access: bool,
    /// The first day on which the directory's account is no longer valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub expires: Option<Date>,
    /// Whether a key is registered, where the directory knows of keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_key: Option<bool>,
    /// Their users: where, and under which name.
    pub users: Vec<HubUser>,
    /// What they may do, sorted by place and role.
    pub rights: Vec<Right>,
    /// What they would be able to do, and what is in the way.
    pub withheld: Vec<Withheld>,
    /// Groups they are in that hold no role anywhere today.
    pub idle_groups: Vec<IdleGroup>,
}

/// A user in a hub.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct HubUser {
    /// The account in which the user lives.
    pub hub: Place,
    /// Whose it is.
    pub who: Who,
    /// Its name there.
    pub name: ObjectName,
    /// The name cannot be used there.
    pub blocked: bool,
}

/// A role somebody does not have although one of their groups holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Withheld {
    /// Where.
    pub place: Place,
    /// What.
    pub role: RoleName,
    /// Through which group, and granted where.
    pub way: Way,
    /// Why not.
    pub why: Why,
}

/// Why somebody has not got what their group has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// They left, or are locked.
    Gone(String),
    /// A role account never gets a user.
    RoleAccount,
    /// The group holds a privileged role, for which a key is needed.
    NoKey {
        /// The privileged role.
        privileged: RoleName,
    },
    /// The directory cannot show which groups they are in: what they have stays as it is.
    Unclear(String),
    /// Something the resolution says in words.
    Other(String),
}

/// A group that holds no role today.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct IdleGroup {
    /// Which.
    pub group: GroupRef,
    /// How they are in it.
    pub joining: Joining,
    /// The roles it held until a day that is over.
    pub ended: Vec<EndedGrant>,
}

/// A line of the inventory that has ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct EndedGrant {
    /// Where.
    pub place: Place,
    /// What.
    pub role: RoleName,
    /// Who held it.
    pub group: Subject,
    /// The first day without it.
    #[schemars(with = "String")]
    pub until: Date,
    /// Where that is written.
    pub source: Source,
}

/// What a group may do, and who is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupExplained {
    /// Which.
    pub group: GroupRef,
    /// Whether its directory knows it; `None` while the directory was not read completely.
    pub in_directory: Option<bool>,
    /// What it holds, sorted by place and role.
    pub rights: Vec<GroupRight>,
    /// What it held until a day that is over.
    pub ended: Vec<EndedGrant>,
    /// Accounts whose administrators are its members.
    pub administers: Vec<Place>,
    /// Service accounts it answers for.
    pub answers_for: Vec<String>,
    /// Everybody in it, also those without access.
    pub members: Vec<Member>,
}

/// A group holds a role in an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct GroupRight {
    /// Where.
    pub place: Place,
    /// What.
    pub role: RoleName,
    /// The group.
    pub group: Subject,
    /// How many people and service accounts have it through the group.
    pub people: usize,
    /// The lines that grant it.
    pub grants: Vec<GrantLine>,
    /// Whether that is all of them: the group's directory was read completely.
    pub people_known: bool,
    /// Whoever has the role could do serious harm; of a change: as either side sees it.
    pub privileged: bool,
}

/// Somebody in a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Member {
    /// Who.
    pub who: Who,
    /// How they are in it.
    pub joining: Joining,
    /// Why they have no access through it; `None` = they have, as far as it holds roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<Why>,
}

/// What a service account may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServiceExplained {
    /// Its name.
    pub name: String,
    /// Why it is there.
    pub reason: String,
    /// Where it is written.
    pub source: Source,
    /// The first day without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// The group that answers for it.
    pub owners: GroupRef,
    /// Those of its people who may have access today.
    pub answerable: Vec<Who>,
    /// How it proves who it is.
    pub proof: Proof,
    /// Its users.
    pub users: Vec<HubUser>,
    /// What it may do.
    pub rights: Vec<Right>,
    /// What it could do until a day that is over.
    pub ended: Vec<EndedGrant>,
}

/// How a service account proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// With credentials that people make.
    ByHand,
    /// With a key that this program issues and replaces.
    Key {
        /// After how many days a new one comes.
        after_days: u32,
        /// How many days the old one holds beside the new one.
        overlap_days: u32,
        /// Where it goes.
        sink: SinkName,
    },
    /// By the word of a forge.
    Jobs(Box<Federation>),
}

/// Who may do what in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccountExplained {
    /// Which.
    pub place: Place,
    /// What it is.
    pub terms: AccountTerms,
    /// Where it is written.
    pub source: Source,
    /// Who pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sponsor: Option<String>,
    /// Whom to ask.
    pub contacts: Vec<String>,
    /// What the sponsor asks in return or forbids.
    pub constraints: Vec<String>,
    /// The administrators whom nothing keeps from what their group holds.
    pub administrators: Vec<Who>,
    /// Every role somebody can have there.
    pub roles: Vec<RoleInAccount>,
    /// What is no longer held.
    pub ended: Vec<EndedGrant>,
}

/// A role of an account and who has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoleInAccount {
    /// Which.
    pub role: RoleName,
    /// For people.
    pub description: String,
    /// Whoever holds it could do serious harm.
    pub privileged: bool,
    /// The groups that hold it.
    pub groups: Vec<GroupRight>,
    /// Who has it.
    pub people: Vec<Right>,
}

/// What an account is, as far as a change of it matters to people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct AccountTerms {
    /// Who runs it.
    pub vendor: VendorName,
    /// The vendor's id of it.
    pub id: String,
    /// Where its users and groups live.
    pub hub: Place,
    /// The group that administers it.
    pub administrators: Option<GroupRef>,
    /// How many administrators must remain.
    pub minimum: u32,
    /// Administrators who must remain.
    pub required: Vec<Login>,
    /// The project it belongs to: folders may grant on accounts of projects.
    pub project: Option<ProjectName>,
    /// The vendor's partition, where it has several.
    pub partition: Option<String>,
    /// How it is reached, in the vendor's words; of long texts, such as the metadata of a log-in
    /// service, only the digest.
    pub settings: BTreeMap<AttributeName, String>,
    /// Where it is written.
    pub source: Source,
    /// It is given up: everything of ours in it ends.
    pub retired: bool,
}

/// What a change of the inventory and the policies gives and takes.
///
/// Every list is sorted. With the sides exchanged the answer is the same one, seen backwards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// Settings that are others: where people come from, and what holds a run back.
    pub settings: Vec<SettingChange>,
    /// What somebody gets: lines as they are after the change.
    pub added: Vec<Right>,
    /// What somebody loses: lines as they were before.
    pub removed: Vec<Right>,
    /// People and service accounts that get a user.
    pub first_access: Vec<HubUser>,
    /// People and service accounts whose user would be suspended, and later deleted: they keep
    /// nothing in any account of that hub.
    pub last_access: Vec<HubUser>,
    /// What groups get, also those with nobody in them.
    pub groups_added: Vec<GroupRight>,
    /// What groups lose.
    pub groups_removed: Vec<GroupRight>,
    /// What ends on another day than before.
    pub until: Vec<UntilChange>,
    /// Roles that come, go or mean something else, also those that nobody holds.
    pub roles: Vec<RoleChange>,
    /// Accounts that come, go, or are administered by others.
    pub accounts: Vec<AccountChange>,
    /// Directories the inventory no longer has: their people are left as they are.
    pub directories_removed: Vec<DirectoryName>,
    /// Directories the inventory did not have.
    pub directories_added: Vec<DirectoryName>,
}

impl Difference {
    /// Whether nobody gets or loses anything, and nothing that decides about it is different.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A group keeps a role, but for another time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct UntilChange {
    /// Where.
    pub place: Place,
    /// What.
    pub role: RoleName,
    /// Who.
    pub group: Subject,
    /// The first day without it as it was; `None` = no end.
    #[schemars(with = "Option<String>")]
    pub before: Option<Date>,
    /// The same after the change.
    #[schemars(with = "Option<String>")]
    pub after: Option<Date>,
    /// Whoever has the role could do serious harm, as either side sees it.
    pub privileged: bool,
}

impl UntilChange {
    /// Whether it holds longer than it did.
    pub fn is_longer(&self) -> bool {
        self.before.is_some_and(|before| self.after.is_none_or(|after| after > before))
    }
}

/// Attributes of a role by name.
pub type Attributes = BTreeMap<AttributeName, AttributeValue>;

/// A role comes, goes or means something else at a vendor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct RoleChange {
    /// How much it matters.
    pub weight: Weight,
    /// Which.
    pub role: RoleName,
    /// Where.
    pub vendor: VendorName,
    /// What it meant; `None` = nothing there.
    pub before: Option<RoleTerms>,
    /// What it means.
    pub after: Option<RoleTerms>,
    /// Where it is held before and after.
    pub places: Vec<Place>,
    /// Who has it before and after in one of these accounts.
    pub people: Vec<Who>,
}

/// What a role means at a vendor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct RoleTerms {
    /// Whoever holds it could do serious harm.
    pub privileged: bool,
    /// For people.
    pub description: String,
    /// In the vendor's words.
    pub attributes: Attributes,
    /// Where it is written.
    pub source: Source,
}

/// An account comes, goes, or is something else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct AccountChange {
    /// How much it matters.
    pub weight: Weight,
    /// Which.
    pub place: Place,
    /// What it was; `None` = it is new.
    pub before: Option<AccountTerms>,
    /// What it is; `None` = the inventory no longer has it, so what is there stays as it is.
    pub after: Option<AccountTerms>,
}
