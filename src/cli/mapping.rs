//! `reconcile mapping`: what the log-in service of an organisation must say of people to a vendor
//! at which they have no users.

use std::collections::BTreeMap;
use std::io::Write;

use super::input::{Input, Scope};
use super::{ExitCode, Failure, Globals};
use crate::desired::{self, Inputs};
use crate::model::{ObjectName, Site, Subject};

/// Options of `reconcile mapping`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The account, by its name in the inventory
    account: String,
}

pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let scope = Scope { accounts: vec![args.account.clone()], ..Scope::default() };
    let input = Input::read_to_answer(globals, &scope, globals.today())?;
    let inventory = &input.loaded.inventory;
    let facts: Vec<_> = input.vendors.iter().map(|vendor| vendor.facts().clone()).collect();
    // Which group holds which role does not depend on who is in it.
    let desired = desired::resolve(&Inputs {
        inventory,
        policies: &input.loaded.policies,
        directories: &BTreeMap::new(),
        vendors: &facts,
        today: input.today,
    });
    let account = inventory.accounts.values().map(|entry| &entry.account);
    let account = account.clone().find(|one| one.place.account.as_str() == args.account);
    let mapping = account.and_then(|account| {
        let vendor = input.vendors.iter().find(|one| one.facts().name == account.vendor)?;
        let roles = &desired.accounts.get(&account.place)?.roles;
        let held: Vec<(&Subject, &ObjectName)> = roles
            .iter()
            .filter_map(|(subject, role)| match subject {
                Subject::Held { by, .. } => Some((&**by, &role.spec.name)),
                _ => None,
            })
            .collect();
        vendor.log_in_mapping(&Site::alone(account), &held)
    });
    let Some(mapping) = mapping else {
        let text = format!("people have users at the vendor of `{}`", args.account);
        return Err(
            Failure::new(ExitCode::BadInput, text).hint("no log-in service need say anything")
        );
    };
    crate::visible::write_json(out, &mapping)?;
    Ok(ExitCode::Success)
}
