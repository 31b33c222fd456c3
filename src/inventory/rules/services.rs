//! The rules about how service accounts prove who they are.

use super::Checked;
use crate::diagnostic::{Finding, Findings};
use crate::inventory::ServiceIdentity;

/// A service account proves who it is in a way that a vendor does not know.
pub(super) fn identities_a_vendor_lacks(checked: &Checked<'_>) -> Findings {
    let mut findings = Findings::default();
    for service in checked.inventory.service_accounts.values() {
        let lacking = service.accounts.iter().find_map(|account| {
            let facts = checked.vendor_of(account)?;
            let (lacks, hint) = match &service.identity {
                ServiceIdentity::Forge(federation) => (facts.federates)(federation).err()?,
                ServiceIdentity::User | ServiceIdentity::Key(_) if !facts.has_users => {
                    ("has no users", "write `forge:`; jobs of a forge need no user")
                }
                ServiceIdentity::Key(_) if facts.key_kind.is_none() => (
                    "issues no keys",
                    "write `forge:`, or neither and make its credentials by hand",
                ),
                ServiceIdentity::User | ServiceIdentity::Key(_) => return None,
            };
            Some((account, facts, lacks, hint))
        });
        if let Some((account, facts, lacks, hint)) = lacking {
            let way = facts.access.map(|way| format!(" with {way}")).unwrap_or_default();
            findings.push(
                Finding::error(
                    "identity-not-possible",
                    format!("{}{way} {lacks}, and runs `{account}`", facts.family),
                )
                .at(&service.source)
                .hint(hint),
            );
        }
    }
    findings
}
