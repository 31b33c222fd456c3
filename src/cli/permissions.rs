//! `reconcile permissions`: what the program itself must be allowed to do at a vendor.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use super::input::{Input, Scope};
use super::{ExitCode, Failure, Globals};
use crate::cloud::{Needed, Purpose, Vendor};
use crate::model::{Account, Site};

/// Options of `reconcile permissions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The vendor, by its name in the inventory
    vendor: String,

    /// What the program is to be allowed to do
    #[arg(long = "for", value_enum, default_value_t, value_name = "PURPOSE")]
    purpose: For,

    /// Only this account; then the document alone is printed, ready to be handed to the vendor, or
    /// a list of several where one would be too large for it
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,

    /// The vendor's id of the account whose credentials the program has, if that is not the hub:
    /// from there it takes on a role in every other account. With `--account` and the same id, what
    /// it needs where it runs
    #[arg(long, value_name = "ID")]
    program_in: Option<String>,
}

/// What the program is to be allowed to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum For {
    /// Look: enough for `reconcile --dry-run`
    Read,
    /// Look and change: enough for `reconcile`
    #[default]
    Apply,
    /// Look, change, and take over what exists: enough for `reconcile adopt`
    Adopt,
}

pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    // The program's own account need not be in the inventory.
    let named = args.account.iter().filter(|name| args.program_in.as_ref() != Some(*name));
    let accounts: Vec<String> = named.cloned().collect();
    let scope = Scope { accounts, ..Scope::default() };
    let input = Input::read_to_answer(globals, &scope, globals.today())?;
    let vendor_of = |account: &Account| {
        let mut vendors = input.vendors.iter();
        let vendor = vendors.find(|vendor| vendor.facts().name == account.vendor);
        vendor.filter(|one| one.facts().family.as_str() == args.vendor)
    };
    let entries = input.loaded.inventory.accounts.values();
    let all: Vec<(&Account, &Arc<dyn Vendor>)> =
        entries.filter_map(|entry| Some((&entry.account, vendor_of(&entry.account)?))).collect();
    let Some((_, any)) = all.first() else {
        let text = format!("no account of the inventory is at `{}`", args.vendor);
        return Err(Failure::new(ExitCode::BadInput, text));
    };
    if let Some(id) = args.program_in.as_ref().filter(|id| !(any.facts().is_account_id)(id)) {
        let text = format!("`{id}` is no account: an id has {}", any.facts().account_id_shape);
        return Err(Failure::new(ExitCode::BadInput, text));
    }
    let purpose = match args.purpose {
        For::Read => Purpose::Read,
        For::Apply => Purpose::Apply,
        For::Adopt => Purpose::Adopt,
    };
    let mut documents: BTreeMap<String, Value> = BTreeMap::new();
    let mut add = |name: &str, vendor: &Arc<dyn Vendor>, needed: &Needed<'_>| {
        if args.account.as_ref().is_none_or(|wanted| wanted == name)
            && let Some(shown) = one_or_all(vendor.permissions(needed))
        {
            documents.insert(name.to_owned(), shown);
        }
    };
    let program_in = args.program_in.as_deref();
    for (account, vendor) in &all {
        let site = site(account, &all);
        let enters = entered_from(account, &all, program_in);
        let needed = Needed { within: Some(&site), purpose, enters: &enters };
        add(account.place.account.as_str(), vendor, &needed);
    }
    if let Some(id) = program_in.filter(|id| all.iter().all(|(account, _)| account.id != *id)) {
        let enters = ways_in(all.iter(), id);
        add(id, any, &Needed { within: None, purpose, enters: &enters });
    }
    let Some(first) = documents.values().next() else {
        let text = format!("`{}` needs no permissions there", args.vendor);
        return Err(Failure::new(ExitCode::BadInput, text));
    };
    let shown = if args.account.is_some() { first.clone() } else { json!(documents) };
    crate::visible::write_json(out, &shown)?;
    Ok(ExitCode::Success)
}

type Accounts<'a> = [(&'a Account, &'a Arc<dyn Vendor>)];

/// One document as it is, several as a list.
fn one_or_all(mut documents: Vec<Value>) -> Option<Value> {
    if documents.len() > 1 { Some(json!(documents)) } else { documents.pop() }
}

/// The roles that the program takes on from an account: none unless it runs there, which is the hub
/// of what it looks after unless `program_in` says otherwise.
fn entered_from(account: &Account, all: &Accounts<'_>, program_in: Option<&str>) -> Vec<String> {
    let is_below = |other: &Account| match program_in {
        Some(id) => account.id == id,
        None => account.is_hub() && other.hub == account.hub,
    };
    ways_in(all.iter().filter(|(other, _)| is_below(other)), &account.id)
}

fn ways_in<'a>(
    accounts: impl Iterator<Item = &'a (&'a Account, &'a Arc<dyn Vendor>)>,
    from: &str,
) -> Vec<String> {
    let roles: BTreeSet<String> =
        accounts.filter_map(|(account, vendor)| vendor.way_in(account, from)).collect();
    roles.into_iter().collect()
}

fn site<'a>(account: &'a Account, all: &Accounts<'a>) -> Site<'a> {
    let accounts: Vec<&Account> =
        all.iter().map(|(other, _)| *other).filter(|other| other.hub == account.hub).collect();
    let hub = accounts.iter().find(|other| other.is_hub()).copied().unwrap_or(account);
    Site { account, hub, accounts }
}
