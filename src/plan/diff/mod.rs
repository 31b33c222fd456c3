//! The difference between desired and observed, as changes.
//!
//! Architecture invariants:
//! - pure: the same desired and observed give the same plan, whatever order a vendor lists in;
//! - no removal is planned that rests on a list of an account, or on a directory, that was not
//!   completely read: it is counted as withheld instead;
//! - what is not ours is never the object of a step. Memberships and bindings belong to their
//!   group; a departing user of ours leaves foreign groups too.

mod attachments;
mod bindings;
mod by_hand;
mod departures;
mod drafts;
mod foreign;
mod former;
mod groups;
mod hub;
mod keys;
mod likely;
mod mails;
mod matching;
mod members;
mod names;
mod parts;
mod roles;
mod undecided;
mod users;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use jiff::civil::Date;

pub use self::names::is_in_between;

use self::drafts::Drafts;
use self::hub::Hub;
use self::roles::Roles;
use super::{End, Incomplete, Plan, ends};
use crate::desired::{Desired, DesiredHub};
use crate::diagnostic::Finding;
use crate::model::{
    Attachment, Binding, Credential, Doubt, HeldAttachment, HolderKind, Kind, Missing, Nearness,
    ObjectName, Observed, ObservedAccount, OrganisationName, Ownership, Place, Reading,
    ResourceKind, SeenResource, Subject, VendorFacts, VendorId, nearness,
};

/// What the clouds say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observations {
    /// Every account that was to be read.
    pub accounts: BTreeMap<Place, Reading<ObservedAccount>>,
    /// The credentials of the users named by [`credentials_needed`], by hub and user: what is not
    /// known of one says nothing about the others.
    pub credentials: BTreeMap<Place, BTreeMap<VendorId, Reading<Vec<Credential>>>>,
    /// What should be attached to roles and the vendor says it does not know, or of which that cannot
    /// be told, by account.
    pub doubtful: BTreeMap<Place, BTreeMap<Attachment, Doubt>>,
    /// What mirrors are made of, in every account in which they may be, by kind.
    pub parts: BTreeMap<Place, BTreeMap<ResourceKind, Reading<Vec<SeenResource>>>>,
    /// Groups that have a role in an account that the inventory does not name any more, and which.
    pub forgotten: BTreeMap<VendorId, Place>,
}

/// Everything a difference is computed from.
#[derive(Clone, Copy, Debug)]
pub struct DiffInputs<'a> {
    /// What should be.
    pub desired: &'a Desired,
    /// What is.
    pub observed: &'a Observations,
    /// Facts of every vendor.
    pub vendors: &'a [VendorFacts],
    /// Days between suspending and deleting a user.
    pub grace_days: u32,
    /// The day for which to plan.
    pub today: Date,
}

/// The users of every hub whose credentials must be read before [`diff`], sorted: ours, not wanted,
/// and proven so; and service accounts whose keys this program issues. Few, because vendors do not
/// list credentials in bulk.
pub fn credentials_needed(inputs: &DiffInputs<'_>) -> BTreeMap<Place, Vec<VendorId>> {
    let desired = real(inputs);
    let inputs = &DiffInputs { desired: &desired, ..*inputs };
    inputs
        .desired
        .hubs
        .keys()
        .filter_map(|place| {
            let hub = Hub::match_up(inputs, place, false)?;
            let mut users = departures::departing(&hub);
            users.extend(keys::watched(&hub));
            users.sort_unstable();
            (!users.is_empty()).then(|| (place.clone(), users))
        })
        .collect()
}

/// The plan that makes what is into what should be.
///
/// Guarantees: deterministic; every change only needs changes before it; applying all of it and
/// observing again gives an empty plan, unless a finding says what stands in the way.
pub fn diff(inputs: &DiffInputs<'_>) -> Plan {
    let desired = real(inputs);
    let inputs = &DiffInputs { desired: &desired, ..*inputs };
    let mut drafts = Drafts::new();
    let mut incomplete = incomplete(inputs);
    let mut hubs = BTreeMap::new();
    let is_former = |place: &&Place| inputs.desired.former.contains_key(*place);
    for place in inputs.desired.hubs.keys().filter(|place| !is_former(place)) {
        if let Some(mut hub) = Hub::match_up(inputs, place, true) {
            hub.changes(&mut drafts);
            hubs.insert(place.clone(), hub);
        }
    }
    let moved = former::moved(inputs);
    let mut roles: BTreeMap<&Place, Roles<'_>> = BTreeMap::new();
    for (place, wanted) in &inputs.desired.accounts {
        let Some(hub) = hubs.get(&wanted.hub) else { continue };
        let bindings = bindings_below(inputs, place, hub);
        let moved = moved.contains(&place.organisation);
        if is_former(&place) {
            continue;
        }
        if let Some(changed) = Roles::changes(inputs, place, hub, &bindings, moved, &mut drafts) {
            if *place == wanted.hub {
                by_hand::changes(inputs, hub, &changed, &mut drafts);
            }
            roles.insert(place, changed);
        }
    }
    for (place, wanted) in &inputs.desired.accounts {
        let Some(hub) = hubs.get(&wanted.hub) else { continue };
        let home = if hub.facts.shared_roles { &wanted.hub } else { place };
        if let Some(roles) = roles.get(home) {
            bindings::changes(inputs, place, wanted, hub, roles, &mut drafts);
        }
    }
    former::changes(inputs, &mut hubs, &mut drafts);
    parts::changes(inputs, &mut drafts);
    expiries(inputs, &mut drafts);
    incomplete.sort();
    let census = census(inputs, &hubs);
    let waiting = drafts.take_waiting();
    let (changes, mut withheld, mut findings) = drafts.finish();
    withheld.sort();
    findings.sort();
    findings.dedup();
    let today = inputs.today;
    let plan = Plan { today, changes, withheld, incomplete, waiting, findings, census };
    undecided::leave_alone(plan, inputs)
}

/// What ends soon, or has ended: nobody may notice before nobody can log in any more, or a mirror
/// is not trusted any more.
fn expiries(inputs: &DiffInputs<'_>, drafts: &mut Drafts) {
    for end in ends(inputs.observed).iter().filter(|end| !is_retired(inputs, end)) {
        let End { place, object, part, on, renews } = end;
        let (what, hint) = match part {
            None => ((*object).to_owned(), "renew it where it comes from, then run again"),
            Some((kind, _)) => {
                let hint = if *renews {
                    "the vendor should have renewed it by now; ask there what keeps it from that"
                } else {
                    "the vendor renews it only while its proof is there and something uses it"
                };
                (format!("{} `{object}`", Kind::Resource(*kind).singular()), hint)
            }
        };
        let found = match nearness(*on, *renews, inputs.today) {
            Nearness::Past => Finding::error("expired", format!("{what} expired on {on}")),
            Nearness::Soon => Finding::warning("expires-soon", format!("{what} expires on {on}")),
            Nearness::Far => continue,
        };
        drafts.find(found.in_place(place).hint(hint));
    }
}

/// Whether it is part of a mirror that is taken down anyway.
fn is_retired(inputs: &DiffInputs<'_>, end: &End<'_>) -> bool {
    let Some((_, Subject::Part { mirror, .. })) = end.part else { return false };
    let wanted = inputs.desired.mirrors.get(end.place).and_then(|all| all.get(mirror));
    wanted.is_some_and(|wanted| wanted.retired)
}

/// The bindings of the roles of an account: its own, or where roles are shared those of every
/// account of the hub.
fn bindings_below<'a>(inputs: &DiffInputs<'a>, place: &Place, hub: &Hub<'_>) -> Vec<&'a Binding> {
    let of = |place: &Place| inputs.observed.accounts.get(place).map(Reading::got);
    let accounts = inputs.desired.accounts.iter();
    accounts
        .filter(|(other, wanted)| {
            *other == place || (hub.facts.shared_roles && wanted.hub == *place)
        })
        .filter_map(|(other, _)| of(other))
        .flat_map(|seen| &seen.bindings)
        .collect()
}

/// What should be, without the users and groups of systems that vouch for people at a vendor that
/// has none. Those that are there are from another way of access, which was given up.
fn real<'a>(inputs: &DiffInputs<'a>) -> Cow<'a, Desired> {
    let has_users = |hub: &DesiredHub| {
        let facts = inputs.vendors.iter().find(|facts| facts.name == hub.account.vendor);
        facts.is_none_or(|facts| facts.has_users)
    };
    let mut desired = Cow::Borrowed(inputs.desired);
    if !inputs.desired.hubs.values().all(has_users) {
        for hub in desired.to_mut().hubs.values_mut().filter(|hub| !has_users(hub)) {
            hub.users.clear();
            hub.groups.clear();
            hub.memberships.clear();
        }
    }
    desired
}

/// Why something with a name that is wanted is not ours, as the end of a sentence.
fn unowned(ownership: &Ownership) -> String {
    match ownership {
        Ownership::Damaged { why, .. } => format!("carries only a part of our mark ({why})"),
        Ownership::Theirs(whose) => format!("carries another mark: {whose}"),
        Ownership::Unmarked | Ownership::Ours(_) => "does not carry our mark".to_owned(),
    }
}

/// Every read that did not get everything.
fn incomplete(inputs: &DiffInputs<'_>) -> Vec<Incomplete> {
    let directories = inputs.desired.incomplete.iter().map(|(name, missing)| Incomplete {
        read: format!("directory {name}"),
        missing: missing.clone(),
    });
    let accounts =
        inputs.observed.accounts.iter().filter(|(_, reading)| !reading.is_complete()).map(
            |(place, reading)| Incomplete {
                read: format!("account {place}"),
                missing: reading.missing().to_vec(),
            },
        );
    let credentials = inputs.observed.credentials.iter().filter_map(|(place, readings)| {
        let missing: BTreeSet<&Missing> = readings.values().flat_map(Reading::missing).collect();
        (!missing.is_empty()).then(|| Incomplete {
            read: format!("credentials in {place}"),
            missing: missing.into_iter().cloned().collect(),
        })
    });
    let parts = inputs.observed.parts.iter().filter_map(|(place, readings)| {
        let missing: Vec<Missing> = readings.values().flat_map(Reading::missing).cloned().collect();
        let read = format!("mirrors in account {place}");
        (!missing.is_empty()).then_some(Incomplete { read, missing })
    });
    directories.chain(accounts).chain(credentials).chain(parts).collect()
}

/// How many owned objects each organisation has.
fn census(
    inputs: &DiffInputs<'_>,
    hubs: &BTreeMap<Place, Hub<'_>>,
) -> BTreeMap<OrganisationName, BTreeMap<Kind, u64>> {
    let mut census: BTreeMap<OrganisationName, BTreeMap<Kind, u64>> = BTreeMap::new();
    let mut add = |place: &Place, kind, count: usize| {
        let kinds = census.entry(place.organisation.clone()).or_default();
        *kinds.entry(kind).or_default() += count as u64;
    };
    for (place, hub) in hubs {
        add(place, Kind::User, hub.owned_users());
        add(place, Kind::Group, hub.owned_groups());
        add(place, Kind::Membership, hub.owned_memberships());
    }
    for (place, readings) in &inputs.observed.parts {
        for (kind, reading) in readings {
            let is_ours = |one: &&SeenResource| one.observed.ownership.subject().is_some();
            add(place, Kind::Resource(*kind), reading.got().iter().filter(is_ours).count());
        }
    }
    for (place, wanted) in &inputs.desired.accounts {
        if inputs.desired.former.contains_key(place) {
            continue;
        }
        let Some(reading) = inputs.observed.accounts.get(place) else { continue };
        let seen = reading.got();
        let roles = seen.roles.iter().filter(|role| role.ownership.subject().is_some()).count();
        add(place, Kind::Role, roles);
        if let Some(hub) = hubs.get(&wanted.hub) {
            let ours = seen.bindings.iter().filter(|one| hub.owns_group(&one.group)).count();
            add(place, Kind::Binding, ours);
        }
        add(place, Kind::Attachment, owned_attachments(seen));
    }
    census
}

/// How many attachments users, groups and roles of ours have.
fn owned_attachments(seen: &ObservedAccount) -> usize {
    fn ours<T>(objects: &[Observed<T>]) -> impl Iterator<Item = &VendorId> {
        objects.iter().filter(|one| one.ownership.subject().is_some()).map(|one| &one.id)
    }
    if seen.attachments.is_empty() {
        return 0;
    }
    let users: HashSet<&VendorId> = ours(&seen.users).collect();
    let groups: HashSet<&VendorId> = ours(&seen.groups).collect();
    let roles: HashSet<&VendorId> = ours(&seen.roles).collect();
    let is_ours = |held: &&HeldAttachment| match held.holder_kind {
        HolderKind::User => users.contains(&held.holder),
        HolderKind::Group => groups.contains(&held.holder),
        HolderKind::Role => roles.contains(&held.holder),
    };
    seen.attachments.iter().filter(is_ours).count()
}

/// What it rests on that somebody loses something in a hub: whom it hits, and whether enough
/// administrators stay, is told by these lists. (What is attached to whom, and which identity
/// providers there are, is not asked.)
const PEOPLE: &[Kind] = &[Kind::User, Kind::Group, Kind::Membership, Kind::Role, Kind::Binding];

/// What it rests on that a role object goes or means less.
const ROLES: &[Kind] = &[Kind::Role, Kind::Binding];

/// Why nothing may be removed in an account that rests on the lists of some kinds, if so.
fn unread(place: &Place, reading: &Reading<ObservedAccount>, rests_on: &[Kind]) -> Option<String> {
    let listed = &reading.got().listed;
    let proven = reading.is_complete() || rests_on.iter().all(|kind| listed.contains(kind));
    (!proven).then(|| format!("account {place}"))
}

/// A place, shared by all its changes.
fn shared(place: &Place) -> Arc<Place> {
    Arc::new(place.clone())
}

/// A finding about an account.
fn finding(place: &Place, code: &str, message: String, hint: &str) -> Finding {
    Finding::error(code, message).in_place(place).hint(hint)
}

/// Two objects carry the same mark.
fn copied_mark(place: &Place, kind: &str, name: &ObjectName, subject: &Subject) -> Finding {
    finding(
        place,
        "copied-mark",
        format!("{kind} `{name}` carries the mark of {subject}, which another {kind} carries too"),
        "remove the mark from the one that is not meant; until then it is not deleted",
    )
}
