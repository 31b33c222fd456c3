//! `reconcile permissions`: what the program itself must be allowed to do at a vendor.

use std::collections::BTreeMap;
use std::io::Write;

use super::input::{Input, Scope};
use super::{ExitCode, Failure, Globals};
use crate::cloud::Purpose;
use crate::model::{Account, Site};

/// Options of `reconcile permissions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The vendor, by its name in the inventory
    vendor: String,

    /// What the program is to be allowed to do
    #[arg(long = "for", value_enum, default_value_t, value_name = "PURPOSE")]
    purpose: For,

    /// Only this account; then the document alone is printed, ready to be handed to the vendor
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
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
    let accounts: Vec<String> = args.account.iter().cloned().collect();
    let scope = Scope { accounts, ..Scope::default() };
    let input = Input::read_to_answer(globals, &scope, globals.today())?;
    let all = || input.loaded.inventory.accounts.values().map(|entry| &entry.account);
    let purpose = match args.purpose {
        For::Read => Purpose::Read,
        For::Apply => Purpose::Apply,
        For::Adopt => Purpose::Adopt,
    };
    let mut documents: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    let mut of_vendor = false;
    for account in all() {
        let vendor = input.vendors.iter().find(|vendor| vendor.facts().name == account.vendor);
        let Some(vendor) = vendor.filter(|one| one.facts().family.as_str() == args.vendor) else {
            continue;
        };
        of_vendor = true;
        let wanted =
            args.account.as_ref().is_none_or(|name| account.place.account.as_str() == name);
        if let (true, Some(document)) = (wanted, vendor.permissions(&site(account, all()), purpose))
        {
            documents.insert(account.place.account.to_string(), document);
        }
    }
    if !of_vendor {
        let text = format!("no account of the inventory is at `{}`", args.vendor);
        return Err(Failure::new(ExitCode::BadInput, text));
    }
    let Some(first) = documents.values().next() else {
        let text = format!("`{}` needs no permissions there", args.vendor);
        return Err(Failure::new(ExitCode::BadInput, text));
    };
    let shown = if args.account.is_some() { first.clone() } else { serde_json::json!(documents) };
    crate::visible::write_json(out, &shown)?;
    Ok(ExitCode::Success)
}

fn site<'a>(account: &'a Account, all: impl Iterator<Item = &'a Account>) -> Site<'a> {
    let accounts: Vec<&Account> = all.filter(|other| other.hub == account.hub).collect();
    let hub = accounts.iter().find(|other| other.is_hub()).copied().unwrap_or(account);
    Site { account, hub, accounts }
}
