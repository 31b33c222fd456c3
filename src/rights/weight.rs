//! How much a change of a role or an account matters.

use super::settings::Weight;
use super::value::{AccountTerms, RoleTerms};
use crate::model::AttributeValue;

/// A role that means more is dangerous, and so is one that no longer counts as privileged. What an
/// attribute other than a set means only its vendor knows: any change of it may be more.
pub(super) fn of_role(before: Option<&RoleTerms>, after: Option<&RoleTerms>) -> Weight {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, Some(_)) => return Weight::Dangerous,
        (_, None) => return Weight::Notable,
    };
    if before.privileged && !after.privileged {
        return Weight::Dangerous;
    }
    let mut weight = Weight::Harmless;
    let names = before.attributes.keys().chain(after.attributes.keys());
    for name in names {
        let (was, is) = (before.attributes.get(name), after.attributes.get(name));
        if was != is {
            weight = weight.min(of_attribute(was, is));
        }
    }
    weight
}

fn of_attribute(was: Option<&AttributeValue>, is: Option<&AttributeValue>) -> Weight {
    match (was, is) {
        (Some(AttributeValue::Set(was)), Some(AttributeValue::Set(is))) if is.is_subset(was) => {
            Weight::Notable
        }
        (Some(AttributeValue::Set(_)), None) => Weight::Notable,
        (Some(AttributeValue::Number(was)), Some(AttributeValue::Number(is))) if is < was => {
            Weight::Notable
        }
        _ => Weight::Dangerous,
    }
}

/// Dangerous is an account that becomes another one or is reached in another way, that folders may
/// grant on which could not, that is given up, that nobody looks after any more, or that keeps fewer administrators.
pub(super) fn of_account(before: Option<&AccountTerms>, after: Option<&AccountTerms>) -> Weight {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, _) => return Weight::Notable,
        (Some(_), None) => return Weight::Dangerous,
    };
    // Every field by name, so that a new one cannot be forgotten.
    let AccountTerms {
        vendor,
        id,
        hub,
        administrators,
        minimum,
        required,
        project,
        partition,
        settings,
        source: _,
        retired,
    } = before;
    let is_another = (vendor, id, hub, project, partition, settings)
        != (
            &after.vendor,
            &after.id,
            &after.hub,
            &after.project,
            &after.partition,
            &after.settings,
        );
    let others = administrators.is_some() && *administrators != after.administrators;
    let fewer =
        after.minimum < *minimum || required.iter().any(|login| !after.required.contains(login));
    let given_up = *retired != after.retired;
    if is_another || others || fewer || given_up { Weight::Dangerous } else { Weight::Notable }
}
