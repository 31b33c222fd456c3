//! Roles of ours that somebody gave by hand, to users or to groups that are not ours, where the hub
//! shows them.
//!
//! All are said. From a single user who is not ours the role is taken back, as an edited trust of a
//! role is put right: whom our role lets in is ours to say. What a group has is that group's, and
//! what a user of ours has ends when they leave; whoever may be of ours under a lost mark keeps it.

use std::collections::HashSet;
use std::sync::Arc;

use super::drafts::Drafts;
use super::hub::Hub;
use super::matching::Match;
use super::roles::Roles;
use super::{DiffInputs, shared};
use crate::diagnostic::Finding;
use crate::model::{
    Assigned, HolderKind, Kind, ObjectName, Observed, Ownership, Place, Private, Reason, UserSpec,
    VendorId,
};
use crate::plan::{Reference, Step, Target};

/// Who has a role of ours by hand.
enum Holder<'a> {
    /// A user of ours, who stays.
    OurUser(&'a ObjectName),
    /// A user of ours, who goes: the role goes with the credentials.
    Leaver,
    /// A user who may be ours, but for the mark.
    MaybeOurs(&'a ObjectName),
    /// What this program acts as: it does not saw off its own branch.
    Own(&'a ObjectName),
    /// A user of somebody else.
    ForeignUser(&'a ObjectName),
    /// A group of somebody else.
    Group(&'a ObjectName),
    /// Nobody who was listed.
    Nobody,
}

/// Says who has roles of ours by hand, and takes back what is to be taken back.
pub(super) fn changes(
    inputs: &DiffInputs<'_>,
    hub: &Hub<'_>,
    roles: &Roles<'_>,
    drafts: &mut Drafts,
) {
    for one in &hub.seen.assigned {
        let Some(&role_at) = roles.role_at.get(&one.role) else { continue };
        let holder = holder(hub, one);
        let place = place(inputs, hub, one);
        let role = &roles.seen.roles[role_at];
        said(hub, one, &role.spec.name, &holder, place.is_some(), drafts);
        let (Holder::ForeignUser(user), Some(place), Some(subject)) =
            (&holder, place, role.ownership.subject())
        else {
            continue;
        };
        if let Some(because) = unproven(inputs, hub) {
            drafts.withhold(place, Kind::Binding, &because);
            continue;
        }
        let target = |id: &VendorId, name: &ObjectName| Target {
            id: Reference::Known(id.clone()),
            name: name.clone(),
        };
        let step = Step::UnbindRole {
            role: target(&one.role, &role.spec.name),
            group: target(&one.holder, user),
            by_hand: Some(subject.clone()),
        };
        let id = drafts.push(&shared(place), step, Vec::new(), Arc::new([Reason::ByHand]));
        if let Some(deletion) = roles.deletions.get(&role_at) {
            drafts.need(*deletion, id);
        }
    }
}

/// Roles that cannot be deleted, because somebody keeps them whom this plan does not take them from.
pub(super) fn kept<'a>(inputs: &DiffInputs<'_>, hub: &Hub<'a>) -> HashSet<&'a VendorId> {
    let goes = |one: &&Assigned| {
        let is_foreign = matches!(holder(hub, one), Holder::ForeignUser(_));
        is_foreign && place(inputs, hub, one).is_some() && unproven(inputs, hub).is_none()
    };
    hub.seen.assigned.iter().filter(|one| !goes(one)).map(|one| &one.role).collect()
}

fn holder<'a>(hub: &Hub<'a>, one: &Assigned) -> Holder<'a> {
    if one.holder_kind != HolderKind::User {
        let group = hub.group_at.get(&one.holder).map(|at| &hub.seen.groups[*at].spec.name);
        return group.map_or(Holder::Nobody, Holder::Group);
    }
    let Some(at) = hub.seen.users.iter().position(|user| user.id == one.holder) else {
        return Holder::Nobody;
    };
    let user = &hub.seen.users[at];
    let name = &user.spec.name;
    match hub.users.of_observed[at] {
        Match::Extraneous if hub.goes(at) => Holder::Leaver,
        Match::Wanted(_) | Match::Extraneous | Match::Surplus => Holder::OurUser(name),
        Match::Foreign if hub.seen.own_principal.as_ref() == Some(&user.id) => Holder::Own(name),
        Match::Foreign if may_be_ours(hub, user) => Holder::MaybeOurs(name),
        Match::Foreign => Holder::ForeignUser(name),
    }
}

/// Whether a user without our mark looks like somebody's who should have one.
fn may_be_ours(hub: &Hub<'_>, user: &Observed<UserSpec>) -> bool {
    let fold = |name: &ObjectName| hub.facts.user_names.fold(name.as_str());
    let mail =
        |user: &UserSpec| user.email.as_ref().map(Private::reveal).map(|it| it.to_lowercase());
    let (name, address) = (fold(&user.spec.name), mail(&user.spec));
    let is_it = |wanted: &UserSpec| {
        fold(&wanted.name) == name || (address.is_some() && mail(wanted) == address)
    };
    matches!(user.ownership, Ownership::Damaged { .. })
        || hub.wanted.users.iter().any(|wanted| is_it(&wanted.spec))
}

/// The account as the inventory knows it, where it is looked at in this run.
fn place<'a>(inputs: &DiffInputs<'a>, hub: &Hub<'_>, one: &Assigned) -> Option<&'a Place> {
    let is_it = |(place, _): &(&Place, _)| inputs.observed.accounts.contains_key(*place);
    let below = inputs.desired.accounts.iter().filter(|(_, wanted)| wanted.hub == *hub.place);
    let mut found = below.filter(|(_, wanted)| wanted.account.id == one.account).filter(is_it);
    found.next().map(|(place, _)| place)
}

/// Why nobody can be called foreign, if so: whose people are not all known, of them users without a
/// mark may be.
fn unproven(inputs: &DiffInputs<'_>, hub: &Hub<'_>) -> Option<String> {
    let incomplete = inputs.desired.incomplete.keys().chain(&inputs.desired.unread).next();
    hub.lacks(&[Kind::User, Kind::Role])
        .or_else(|| incomplete.map(|name| format!("directory {name}")))
}

fn said(
    hub: &Hub<'_>,
    one: &Assigned,
    role: &ObjectName,
    holder: &Holder<'_>,
    is_here: bool,
    drafts: &mut Drafts,
) {
    let (who, hint) = match holder {
        Holder::Leaver => return,
        Holder::OurUser(name) => (
            format!("our user `{name}`, not only through groups,"),
            "take it off by hand, or grant it to a group; when they leave it is taken off",
        ),
        Holder::MaybeOurs(name) => (
            format!("user `{name}`, whose mark was lost or damaged,"),
            "`reconcile adopt` the user; nothing was changed",
        ),
        Holder::Own(name) => (
            format!("user `{name}`, who is not ours and whom this program acts as,"),
            "it is left; run the program as somebody who does not need it, or take it off by hand",
        ),
        Holder::ForeignUser(name) if is_here => {
            (format!("user `{name}`, who is not ours,"), "it is taken back: nobody granted it here")
        }
        Holder::ForeignUser(name) => (format!("user `{name}`, who is not ours,"), ELSEWHERE),
        Holder::Group(name) => (
            format!("group `{name}`, which is not ours,"),
            "take it off by hand, or `reconcile adopt` the group; it is left as it is",
        ),
        Holder::Nobody => (format!("{}, who was not listed,", one.holder), "take it off by hand"),
    };
    let account = &one.account;
    let where_ = if is_here { "" } else { ", which is not looked at" };
    let message = format!("{who} has our role `{role}` by hand in account {account}{where_}");
    drafts.find(Finding::warning("given-by-hand", message).in_place(&hub.place).hint(hint));
}

/// What can be done where the program is not.
const ELSEWHERE: &str = "name the account in the inventory, or take the assignment off by hand";
