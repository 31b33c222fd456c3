//! What is true of a vendor as a whole: known without asking it, used to check what people wrote.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Account, Attachment, AttributeName, AttributeValue, Federation, ObjectName, ResourceKind,
    RoleName, RoleSpec, Subject, VendorName,
};

/// Facts of a vendor. One constant per cloud, handed to the pure parts by the registry.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact that holds or does not")]
pub struct VendorFacts {
    /// Its name in the program: unique, also among several ways of access to one vendor.
    pub name: VendorName,
    /// Its name in the inventory, and that under which roles say what they mean.
    pub family: VendorName,
    /// What `access:` says at an account to choose this way of access; `None` where the vendor has
    /// one way only.
    pub access: Option<&'static str>,
    /// What an account id must look like, in words: "12 digits".
    pub account_id_shape: &'static str,
    /// Whether a text is an account id.
    pub is_account_id: fn(&str) -> bool,
    /// Its partitions; empty where it has none. The first is the default.
    pub partitions: &'static [&'static str],
    /// Rules for user names.
    pub user_names: NameRules,
    /// Rules for group names.
    pub group_names: NameRules,
    /// Rules for role names.
    pub role_names: NameRules,
    /// Whether users have a profile (full name, mail address) that is kept in step.
    pub profile: bool,
    /// Whether no two users can have one mail address.
    pub unique_mails: bool,
    /// What a role may say for this vendor.
    pub role_attributes: &'static [AttributeFacts],
    /// What an account may say for this vendor: how to reach it.
    pub account_settings: &'static [AttributeFacts],
    /// What settings of an account and its hub lack together, if anything: as [`Lacking`].
    pub unsettled: fn(account: &Account, hub: &Account) -> Option<Lacking>,
    /// Whether people have users here, and groups members. Where not, each group has role objects
    /// of its own ([`Subject::Held`]), and another system says who is in the group.
    pub has_users: bool,
    /// Whether the name of a role can be changed.
    pub renames_roles: bool,
    /// Whether a role is one object in the hub for all accounts, rather than one in each.
    pub shared_roles: bool,
    /// Whether a service account can be a role that exactly these jobs of a forge take on
    /// ([`Trust::Forge`]); what the vendor cannot tell apart is refused here, never ignored. The
    /// error says what it lacks, and what to do.
    pub federates: fn(&Federation) -> Result<(), Lacking>,
    /// What mirrors can be made of here; empty where there can be none.
    pub parts: &'static [ResourceKind],
    /// The kind of credential that this program can issue to service accounts; `None` where it
    /// can issue none.
    pub key_kind: Option<&'static str>,
    /// Whether something that can be attached to users and roles can only take rights away. Where
    /// somebody put such a thing, a key leaked or rights were revoked in haste: it is told about,
    /// and never taken off those who stay.
    pub only_forbids: fn(&Attachment) -> bool,
    /// What a role of the policies is in an account, in the vendor's terms. Pure.
    pub realise: fn(&RoleInputs<'_>) -> RealisedRole,
}

/// What a vendor lacks, as the end of a sentence that begins with its name, and what to do.
pub type Lacking = (&'static str, &'static str);

/// A vendor whose accounts need no settings.
pub fn no_settings(_account: &Account, _hub: &Account) -> Option<Lacking> {
    None
}

/// A vendor at which nothing that is attached only forbids.
pub fn nothing_forbids(_attachment: &Attachment) -> bool {
    false
}

/// A vendor that lets no jobs of a forge in.
///
/// # Errors
/// Always.
pub fn no_forge(_federation: &Federation) -> Result<(), Lacking> {
    Err(("lets no jobs of a forge in", "write `key:` where a key cannot be avoided"))
}

/// A vendor that can tell all jobs of a forge apart.
///
/// # Errors
/// None.
pub fn any_forge(_federation: &Federation) -> Result<(), Lacking> {
    Ok(())
}

/// Everything a role object may depend on.
#[derive(Clone, Copy, Debug)]
pub struct RoleInputs<'a> {
    /// The role of the policies.
    pub role: &'a RoleName,
    /// For people.
    pub description: &'a str,
    /// What the policies say it means.
    pub attributes: &'a BTreeMap<AttributeName, AttributeValue>,
    /// Where it is to be.
    pub account: &'a Account,
    /// Where the groups live.
    pub hub: &'a Account,
    /// Who may take it on.
    pub trust: Trust<'a>,
}

/// Who may take a role on.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// Members of the groups it is bound to.
    Bound,
    /// Members of one group that exists outside the vendor only.
    Holder(&'a Subject),
    /// Jobs of a forge, for the service account of that name.
    Forge(&'a Subject, &'a Federation),
}

/// What a role is in the vendor's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealisedRole {
    /// The role object.
    pub spec: RoleSpec,
    /// What is attached to it.
    pub attachments: BTreeSet<Attachment>,
    /// The identity provider it trusts, which must exist first.
    pub provider: Option<RealisedProvider>,
}

/// An identity provider as the vendor is to have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealisedProvider {
    /// What it is called here.
    pub name: ObjectName,
    /// What it should be like.
    pub spec: RoleSpec,
    /// What it should be like is not known (its text could not be fetched): it is neither created
    /// nor changed.
    pub unknown: bool,
}

impl RealisedRole {
    /// A role object that is just what the policies say.
    pub fn plain(inputs: &RoleInputs<'_>) -> Self {
        Self {
            spec: RoleSpec {
                name: ObjectName::new(inputs.role.as_str()),
                description: inputs.description.to_owned(),
                attributes: inputs.attributes.clone(),
            },
            attachments: BTreeSet::new(),
            provider: None,
        }
    }
}

/// Nothing else must be so: the usual [`AttributeFacts::check`].
///
/// # Errors
/// None.
pub fn any_value(_value: &AttributeValue) -> Result<(), String> {
    Ok(())
}

/// What a vendor accepts as a name.
#[derive(Clone, Copy, Debug)]
pub struct NameRules {
    /// Names that differ only in case are the same.
    pub case_insensitive: bool,
    /// Longest name, in characters.
    pub max_length: usize,
    /// Whether a character may occur.
    pub allows: fn(char) -> bool,
    /// The allowed characters in words.
    pub allowed: &'static str,
}

/// Why a name is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// No characters at all.
    #[error("is empty")]
    Empty,
    /// Too many characters.
    #[error("has {length} characters, at most {max} are allowed")]
    TooLong {
        /// How many it has.
        length: usize,
        /// How many it may have.
        max: usize,
    },
    /// A character that may not occur.
    #[error("has {character:?}, allowed are {allowed}")]
    Character {
        /// The first such character.
        character: char,
        /// The allowed ones in words.
        allowed: &'static str,
    },
}

impl NameRules {
    /// Whether the vendor accepts the name.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn check(&self, name: &str) -> Result<(), NameProblem> {
        let length = name.chars().count();
        if length == 0 {
            return Err(NameProblem::Empty);
        }
        if length > self.max_length {
            return Err(NameProblem::TooLong { length, max: self.max_length });
        }
        match name.chars().find(|character| !(self.allows)(*character)) {
            Some(character) => Err(NameProblem::Character { character, allowed: self.allowed }),
            None => Ok(()),
        }
    }

    /// The form under which two names are the same name for the vendor.
    pub fn fold(&self, name: &str) -> String {
        if self.case_insensitive { name.to_lowercase() } else { name.to_owned() }
    }
}

/// One attribute a role or an account may have at a vendor.
#[derive(Clone, Debug)]
pub struct AttributeFacts {
    /// Its key.
    pub name: &'static str,
    /// What it holds.
    pub shape: AttributeShape,
    /// Whether a role (or account) without it is refused.
    pub required: bool,
    /// What else must be so of a value; the error says what is expected.
    pub check: fn(&AttributeValue) -> Result<(), String>,
    /// One line for the JSON Schema and error texts.
    pub help: &'static str,
}

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeShape {
    /// One text.
    Text,
    /// A whole number.
    Number,
    /// Yes or no.
    Flag,
    /// Texts whose order does not matter; each once.
    Set,
    /// The text of a file, by its path below the root; or an `https` address, whose text is
    /// fetched when a run reads the accounts.
    File,
}

impl AttributeShape {
    /// Whether a value is of this shape.
    pub fn fits(self, value: &AttributeValue) -> bool {
        matches!(
            (self, value),
            (Self::Text | Self::File, AttributeValue::Text(_))
                | (Self::Number, AttributeValue::Number(_))
                | (Self::Flag, AttributeValue::Flag(_))
                | (Self::Set, AttributeValue::Set(_))
        )
    }

    /// In words, for error texts.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a whole number",
            Self::Flag => "true or false",
            Self::Set => "a list of texts",
            Self::File => "the path of a file below inventory/, or an https address",
        }
    }
}

impl VendorFacts {
    /// The role attribute of that name.
    pub fn role_attribute(&self, name: &AttributeName) -> Option<&AttributeFacts> {
        self.role_attributes.iter().find(|attribute| attribute.name == name.as_str())
    }
}
