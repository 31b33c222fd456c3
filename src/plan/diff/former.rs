//! Hubs that are none any more: people get users in the new one first, and then the old ones end.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::drafts::Drafts;
use super::hub::Hub;
use super::roles::Roles;
use super::{DiffInputs, bindings};
use crate::diagnostic::Finding;
use crate::model::{
    Access, ObservedAccount, OrganisationName, Place, Reading, Reason, Subject, VendorId,
};
use crate::plan::{Life, Step};

/// Who of a former hub is wanted in the hub that took its place.
#[derive(Debug, Default)]
pub(super) struct Successors<'a> {
    /// By subject: whether the new user is there. `None` where this is no former hub.
    wanted: Option<HashMap<&'a Subject, bool>>,
}

impl<'a> Successors<'a> {
    /// Of a hub, if it is one that is none any more.
    pub(super) fn of(inputs: &DiffInputs<'a>, place: &Place) -> Self {
        let wanted = inputs.desired.former.contains_key(place);
        Self { wanted: wanted.then(|| successors(inputs, &place.organisation)) }
    }

    pub(super) fn is_former(&self) -> bool {
        self.wanted.is_some()
    }

    /// Why somebody's old user ends, or why it stays for now; `None` where they are wanted nowhere
    /// else.
    pub(super) fn verdict(&self, subject: &Subject) -> Option<Result<Reason, String>> {
        let is_there = *self.wanted.as_ref()?.get(subject)?;
        Some(if is_there {
            Ok(Reason::HubMoved { subject: subject.clone() })
        } else {
            Err("people without a user in the new hub that can log in".to_owned())
        })
    }
}

/// Everybody who is wanted in a hub of an organisation, and whether their user there can log in.
fn successors<'a>(
    inputs: &DiffInputs<'a>,
    organisation: &OrganisationName,
) -> HashMap<&'a Subject, bool> {
    let mut successors = HashMap::new();
    for (place, hub) in &inputs.desired.hubs {
        if place.organisation != *organisation {
            continue;
        }
        let seen = inputs.observed.accounts.get(place).map(Reading::got);
        let there = seen.map(who_can_log_in).unwrap_or_default();
        for user in &hub.users {
            let is_there = successors.entry(&user.subject).or_default();
            *is_there |= there.contains(&user.subject);
        }
    }
    successors
}

/// Whom users stand for that are enabled.
fn who_can_log_in(seen: &ObservedAccount) -> BTreeSet<&Subject> {
    let enabled = seen.users.iter().filter(|user| user.spec.access == Access::Enabled);
    enabled.filter_map(|user| user.ownership.subject()).collect()
}

/// The organisations in which somebody has a user in a former hub only: as long as they do, roles
/// are not turned to the new hub.
pub(super) fn moved<'a>(inputs: &DiffInputs<'a>) -> BTreeSet<&'a OrganisationName> {
    let hubs =
        inputs.desired.former.keys().filter(|place| inputs.desired.hubs.contains_key(*place));
    hubs.filter(|place| {
        let wanted = successors(inputs, &place.organisation);
        let seen = inputs.observed.accounts.get(*place).map(Reading::got);
        let old = seen.map(who_can_log_in).unwrap_or_default();
        old.iter().any(|subject| wanted.get(*subject) == Some(&false))
    })
    .map(|place| &place.organisation)
    .collect()
}

/// Everything that ends in former hubs, and what their groups have in other accounts. Comes after
/// everything else: as long as roles are still to be turned to the new hub, or people to
/// become members there, nobody who is wanted there loses the old user.
pub(super) fn changes<'a>(
    inputs: &DiffInputs<'a>,
    hubs: &mut BTreeMap<Place, Hub<'a>>,
    drafts: &mut Drafts,
) {
    let turning: BTreeSet<OrganisationName> = drafts
        .drawn_up()
        .filter(|change| {
            matches!(
                change.step,
                Step::Role(Life::Update { .. }) | Step::BindRole { .. } | Step::AddMember { .. }
            )
        })
        .map(|change| change.place.organisation.clone())
        .collect();
    for (place, of) in &inputs.desired.former {
        if !inputs.desired.hubs.contains_key(place) {
            continue;
        }
        let Some(mut hub) = Hub::match_up(inputs, place, true) else { continue };
        if turning.contains(&place.organisation) {
            hub.keep_those_with_successors();
        }
        told(of, &hub, drafts);
        hub.changes(drafts);
        for (account, wanted) in inputs.desired.accounts.iter().filter(|(_, one)| one.hub == *place)
        {
            if let Some(roles) = Roles::of_former(inputs, account, &hub) {
                bindings::changes(inputs, account, wanted, &hub, &roles, drafts);
            }
        }
        hubs.insert(place.clone(), hub);
    }
}

/// The groups of ours in former hubs of an organisation.
pub(super) fn groups<'a>(inputs: &DiffInputs<'a>, of: &OrganisationName) -> HashSet<&'a VendorId> {
    let hubs = inputs
        .desired
        .former
        .keys()
        .filter(|place| place.organisation == *of && inputs.desired.hubs.contains_key(*place));
    hubs.filter_map(|place| inputs.observed.accounts.get(place))
        .flat_map(|reading| &reading.got().groups)
        .filter(|group| group.ownership.subject().is_some())
        .map(|group| &group.id)
        .collect()
}

fn told(of: &Place, hub: &Hub<'_>, drafts: &mut Drafts) {
    let message = format!(
        "{} users and {} groups of ours are left here, and the account is no hub any more",
        hub.owned_users(),
        hub.owned_groups()
    );
    drafts.find(Finding::warning("former-hub", message).in_place(of).hint(
        "whoever has a user in the new hub loses the one here in a later run, and groups go with \
         their last members; or make it the hub again",
    ));
}
