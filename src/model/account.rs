//! Accounts as the engine sees them.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AccountName, AttributeName, AttributeValue, OrganisationName, ProjectName, Source, VendorName,
};

/// Where a change happens: an account of an organisation.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Place {
    /// The organisation that owns the account.
    pub organisation: OrganisationName,
    /// The account, by its name in the inventory.
    pub account: AccountName,
}

impl Place {
    /// The account's name as the inventory has it: what stands for an account as it was before its
    /// hub was moved has a remark behind it.
    pub fn written(&self) -> &str {
        self.account.as_str().split(" (").next().unwrap_or_default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.organisation, self.account)
    }
}

/// An account, subscription or project at a vendor: validated, with defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Organisation and name.
    pub place: Place,
    /// Who runs it.
    pub vendor: VendorName,
    /// The vendor's partition (`aws-cn`, …), where it has several.
    pub partition: Option<String>,
    /// The vendor's id of the account.
    pub id: String,
    /// The account of the same organisation and vendor in which its users and groups live.
    /// Equal to the account's own name for a hub.
    pub hub: AccountName,
    /// The project the account belongs to.
    pub project: Option<ProjectName>,
    /// How to reach it, in the vendor's words.
    pub settings: BTreeMap<AttributeName, AttributeValue>,
    /// Where it is written.
    pub source: Source,
}

/// An account with those it has to do with: what a connection to it may need to know.
#[derive(Clone, Debug)]
pub struct Site<'a> {
    /// The account.
    pub account: &'a Account,
    /// The account in which its users and groups live; may be the same.
    pub hub: &'a Account,
    /// Every account with that hub, itself included, sorted by name.
    pub accounts: Vec<&'a Account>,
}

impl<'a> Site<'a> {
    /// An account that is its own hub and has no others.
    pub fn alone(account: &'a Account) -> Self {
        Self { account, hub: account, accounts: vec![account] }
    }
}

impl Account {
    /// Whether the organisation's users and groups at this vendor live in this account.
    pub fn is_hub(&self) -> bool {
        self.hub == self.place.account
    }
}
