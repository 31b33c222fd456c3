//! One hub: what is there matched with what should be, and the changes that follow.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::attachments::Attached;
use super::departures::{self, Verdict};
use super::drafts::Drafts;
use super::former::{self, Successors};
use super::likely::{self, Likely};
use super::matching::{self, Match, Matching};
use super::{
    DiffInputs, PEOPLE, copied_mark, finding, foreign, groups, keys, members, shared, users,
};
use crate::desired::{Desired, DesiredHub, Standing};
use crate::diagnostic::Finding;
use crate::model::{
    ChangeId, Credential, DirectoryName, GroupSpec, HolderKind, Kind, ObjectName, Observed,
    ObservedAccount, Ownership, Place, Reading, Reason, Subject, UserSpec, VendorFacts, VendorId,
    VendorName,
};
use crate::plan::{Reference, Target};

/// A hub, matched up.
pub(super) struct Hub<'a> {
    pub(super) place: Arc<Place>,
    pub(super) desired: &'a Desired,
    pub(super) wanted: &'a DesiredHub,
    pub(super) facts: &'a VendorFacts,
    pub(super) today: Date,
    pub(super) grace_days: u32,
    /// How far everything here was read.
    reading: &'a Reading<ObservedAccount>,
    /// Why no group may be deleted here, if so: its bindings in an account cannot be seen.
    pub(super) unread_accounts: Option<String>,
    pub(super) seen: &'a ObservedAccount,
    /// Groups that have a role in some account.
    pub(super) bound: HashSet<&'a VendorId>,
    /// The ids of the hub's accounts.
    pub(super) accounts: HashSet<&'a str>,
    /// Our groups that have a role in an account that is none of this hub's, and which.
    pub(super) bound_elsewhere: BTreeMap<&'a VendorId, Elsewhere<'a>>,
    /// Credentials of departing users and of service accounts with keys of ours, as far as they
    /// were read.
    credentials: HashMap<&'a VendorId, Credentials<'a>>,
    pub(super) users: Matching,
    pub(super) groups: Matching,
    pub(super) pairs: members::Pairs,
    /// For desired users that are not there the damaged one that is likely theirs.
    pub(super) likely: HashMap<usize, Likely>,
    /// Positions of observed groups by id.
    pub(super) group_at: FxHashMap<&'a VendorId, usize>,
    /// What is to happen to each observed user that is ours and not wanted.
    pub(super) verdicts: HashMap<usize, Verdict>,
    /// Whose users are in another hub now, where this one is none any more.
    pub(super) successors: Successors<'a>,
    /// Groups of ours in hubs of the organisation that are none any more.
    pub(super) former_groups: HashSet<&'a VendorId>,
    /// How to refer to each desired user; `None` where it does not and will not exist.
    pub(super) user_targets: Vec<Option<Reach>>,
    /// How to refer to each desired group.
    pub(super) group_targets: Vec<Option<Reach>>,
    /// The deletion of each observed group that is to go.
    pub(super) group_deletions: HashMap<usize, ChangeId>,
}

/// How to refer to a desired object, and what must have happened before.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    pub(super) target: Target,
    pub(super) needs: Option<ChangeId>,
}

impl<'a> Hub<'a> {
    /// Matches a hub; `None` when it was not to be read (a narrowed run).
    ///
    /// Unless `all` is asked for, memberships are only looked at as far as [`departures`] needs
    /// them: there may be a million.
    pub(super) fn match_up(inputs: &DiffInputs<'a>, place: &Place, all: bool) -> Option<Self> {
        let wanted = inputs.desired.hubs.get(place)?;
        let reading = inputs.observed.accounts.get(place)?;
        let facts = inputs.vendors.iter().find(|facts| facts.name == wanted.account.vendor)?;
        // Where people have no users now, there may be some from before.
        let seen = reading.got();
        let users = matching::match_up(
            wanted.users.iter().map(|user| (&user.subject, &user.spec.name)),
            &seen.users,
            user_name,
        );
        let groups = matching::match_up(
            wanted.groups.iter().map(|group| (&group.subject, &group.spec.name)),
            &seen.groups,
            group_name,
        );
        let user_at: FxHashMap<&VendorId, usize> =
            seen.users.iter().enumerate().map(|(position, user)| (&user.id, position)).collect();
        let group_at: FxHashMap<&VendorId, usize> =
            seen.groups.iter().enumerate().map(|(position, one)| (&one.id, position)).collect();
        let pairs = if all || wanted.groups.iter().any(|group| group.keeps_members().is_some()) {
            members::Pairs::sort_out(seen, wanted, &users, &groups, &user_at, &group_at)
        } else {
            members::Pairs::default()
        };
        let mut hub = Hub {
            place: shared(place),
            desired: inputs.desired,
            wanted,
            facts,
            today: inputs.today,
            grace_days: inputs.grace_days,
            reading,
            unread_accounts: unread_accounts(inputs, place),
            seen,
            bound: inputs.observed.accounts.values().flat_map(bound).collect(),
            accounts: accounts(inputs, place),
            bound_elsewhere: bound_elsewhere(inputs, place, &group_at),
            credentials: credentials(inputs, place),
            user_targets: vec![None; wanted.users.len()],
            group_targets: vec![None; wanted.groups.len()],
            likely: likely::of(wanted, seen, &users, &facts.user_names),
            users,
            groups,
            pairs,
            group_at,
            verdicts: HashMap::new(),
            successors: Successors::of(inputs, place),
            former_groups: former::groups(inputs, &place.organisation),
            group_deletions: HashMap::new(),
        };
        hub.verdicts = departures::verdicts(&hub);
        Some(hub)
    }

    /// Everything that is to change among users, groups and memberships.
    pub(super) fn changes(&mut self, drafts: &mut Drafts) {
        self.copied_marks(drafts);
        self.damaged_marks(drafts);
        self.bindings_elsewhere(drafts);
        let gone = departures::changes(self, drafts);
        groups::changes(self, drafts);
        self.attachments(&gone, drafts);
        users::changes(self, &gone, drafts);
        keys::changes(self, drafts);
        members::changes(self, &gone, drafts);
        foreign::memberships(self, drafts);
        foreign::assignments(self, drafts);
        foreign::accounts(self, drafts);
    }

    /// Why nothing may be concluded from the inventory not asking for a group, if so: it is of a
    /// directory that the inventory does not name, which may just have another name now.
    pub(super) fn unnamed(&self, subject: &Subject) -> Option<String> {
        let Subject::Group(group) = subject else { return None };
        let known = self.desired.directories.contains(&group.directory);
        (!known).then(|| format!("directory {} (not in the inventory)", group.directory))
    }

    /// Why nothing may be taken away here for want of a grant, if so: one of the organisation's
    /// may be there, and misspelt.
    pub(super) fn doubtful_grants(&self) -> Option<String> {
        let group = self.desired.unknown.get(&self.place.organisation)?;
        Some(members::lacking(&Subject::Group(group.clone())))
    }

    /// Why nothing may be removed on account of a subject, if so.
    pub(super) fn blame(&self, subject: &Subject) -> Option<String> {
        if let Some(unread) = self.lacks(PEOPLE) {
            return Some(unread);
        }
        let directory = match subject {
            Subject::Person { directory, .. } => directory,
            Subject::Group(group) => &group.directory,
            Subject::Held { by, .. } => return self.blame(by),
            Subject::Role(_)
            | Subject::Service(_)
            | Subject::ServiceGroup(_)
            | Subject::IdentityProvider(_)
            | Subject::Part { .. } => return None,
        };
        if self.desired.incomplete.contains_key(directory) {
            return Some(format!("directory {directory}"));
        }
        if self.desired.unread.contains(directory) {
            return Some(format!("directory {directory}, which was not asked in this run"));
        }
        if !self.desired.directories.contains(directory) {
            return Some(format!("directory {directory} (not in the inventory)"));
        }
        None
    }

    /// Whether a group with that id is here and ours.
    pub(super) fn owns_group(&self, id: &VendorId) -> bool {
        self.group_at.get(id).is_some_and(|at| self.seen.groups[*at].ownership.subject().is_some())
    }

    /// Whether memberships and bindings of an observed group are this plan's business: it is ours,
    /// and no copy of another one's mark.
    pub(super) fn minds_group(&self, id: &VendorId) -> bool {
        self.group_at.get(id).is_some_and(|at| match self.groups.of_observed[*at] {
            Match::Wanted(_) | Match::Extraneous => true,
            Match::Surplus | Match::Foreign => false,
        })
    }

    /// The first day on which somebody may be deleted who was suspended on a day.
    pub(super) fn grace_end(&self, since: Date) -> Date {
        since.checked_add(i64::from(self.grace_days).days()).unwrap_or(since)
    }

    /// Why no object of a kind may be created here, if so: one that was not listed may be there.
    pub(super) fn unlisted(&self, kind: Kind) -> Option<String> {
        self.lacks(&[kind])
    }

    /// Why nothing may be removed here that rests on the lists of some kinds, if so.
    pub(super) fn lacks(&self, rests_on: &[Kind]) -> Option<String> {
        super::unread(&self.place, self.reading, rests_on)
    }

    /// Roles still trust this hub: whoever is wanted in the new one keeps the user here until they
    /// are turned.
    pub(super) fn keep_those_with_successors(&mut self) {
        for (position, verdict) in &mut self.verdicts {
            let subject = self.seen.users[*position].ownership.subject();
            let is_wanted = subject.is_some_and(|one| self.successors.verdict(one).is_some());
            if is_wanted && matches!(verdict, Verdict::Goes { .. }) {
                let because =
                    "roles and memberships of the new hub that are not there yet".to_owned();
                *verdict = Verdict::Stays { because, frozen: false };
            }
        }
    }

    /// Whether this is no hub any more, and somebody is in that group who stays for now.
    pub(super) fn is_used(&self, group: &VendorId) -> bool {
        if !self.successors.is_former() {
            return false;
        }
        let stays: HashSet<&VendorId> = self
            .verdicts
            .iter()
            .filter(|(_, verdict)| matches!(verdict, Verdict::Stays { .. }))
            .map(|(position, _)| &self.seen.users[*position].id)
            .collect();
        self.seen.memberships.iter().any(|one| one.group == *group && stays.contains(&one.user))
    }

    /// The credentials of a user, as far as they were read.
    pub(super) fn credentials_of(&self, user: &VendorId) -> Option<&Credentials<'a>> {
        self.credentials.get(user)
    }

    /// What is to blame where it is unknown who should be in an observed group of ours.
    pub(super) fn kept(&self, group: usize) -> Option<String> {
        match self.groups.of_observed[group] {
            Match::Wanted(index) => self.wanted.groups[index].keeps_members(),
            Match::Extraneous | Match::Surplus | Match::Foreign => None,
        }
    }

    /// Whether an observed user goes.
    pub(super) fn goes(&self, position: usize) -> bool {
        matches!(self.verdicts.get(&position), Some(Verdict::Goes { .. }))
    }

    /// Whether a user may be that of somebody whom the directory has without telling who they are.
    pub(super) fn may_be_unclear(&self, directory: &DirectoryName, name: &ObjectName) -> bool {
        let fold = |name: &ObjectName| self.facts.user_names.fold(name.as_str());
        let names = self.desired.unclear_names.get(directory);
        names.is_some_and(|names| names.iter().any(|one| fold(one) == fold(name)))
    }

    pub(super) fn owned_users(&self) -> usize {
        self.seen.users.iter().filter(|user| user.ownership.subject().is_some()).count()
    }

    pub(super) fn owned_groups(&self) -> usize {
        self.seen.groups.iter().filter(|group| group.ownership.subject().is_some()).count()
    }

    pub(super) fn owned_memberships(&self) -> usize {
        self.pairs.owned
    }

    pub(super) fn user_target(&self, position: usize) -> Target {
        known(&self.seen.users[position], user_name)
    }

    pub(super) fn group_target(&self, position: usize) -> Target {
        known(&self.seen.groups[position], group_name)
    }

    fn bindings_elsewhere(&self, drafts: &mut Drafts) {
        for (group, elsewhere) in &self.bound_elsewhere {
            let position = self.group_at[group];
            let (why, hint) = match elsewhere {
                Elsewhere::OfAnotherHub(_) => (
                    "where groups of another hub have roles",
                    "detach it there by hand; until then the group is not deleted",
                ),
                // As long as the group is wanted, the account is told about, and that is enough.
                Elsewhere::Forgotten(_)
                    if self.groups.of_observed[position] != Match::Extraneous =>
                {
                    continue;
                }
                Elsewhere::Forgotten(_) => (
                    "which the inventory does not name any more",
                    "put the account back with `retired: true`: what is there ends, and then the \
                     group; until then it is not deleted",
                ),
            };
            let (Elsewhere::OfAnotherHub(account) | Elsewhere::Forgotten(account)) = elsewhere;
            if self.minds_group(group) {
                let name = &self.group_target(position).name;
                let message = format!("our group `{name}` has a role in account {account}, {why}");
                drafts.find(finding(&self.place, "bound-elsewhere", message, hint));
            }
        }
    }

    /// Nothing is ever attached to users and groups by this program except what binds roles: what
    /// else is there was put there by hand.
    fn attachments(&self, gone: &departures::Gone, drafts: &mut Drafts) {
        let attached = Attached::of(self.seen, &[HolderKind::User, HolderKind::Group]);
        for (position, user) in self.seen.users.iter().enumerate() {
            let Some(subject) = user.ownership.subject() else { continue };
            let reason = match (self.users.of_observed[position], self.verdicts.get(&position)) {
                (Match::Wanted(_), _) => Reason::ByHand,
                (_, Some(Verdict::Goes { reason, .. })) => reason.clone(),
                _ => continue,
            };
            let holder = (HolderKind::User, self.user_target(position), subject);
            let deletion = gone.deletions.get(&position).copied();
            attached.detach(self, &holder, &reason, deletion, drafts);
        }
        for (position, group) in self.seen.groups.iter().enumerate() {
            let Some(subject) = group.ownership.subject() else { continue };
            let deletion = self.group_deletions.get(&position).copied();
            let reason = match (self.groups.of_observed[position], deletion) {
                (Match::Wanted(_), _) => Reason::ByHand,
                (_, Some(_)) => Reason::PartOf { subject: subject.clone() },
                _ => continue,
            };
            let holder = (HolderKind::Group, self.group_target(position), subject);
            attached.detach(self, &holder, &reason, deletion, drafts);
        }
    }

    /// Users whose mark is damaged are nobody's: whoever they stand for may have left. (Where one
    /// is in somebody's way by its name, or likely somebody's, that is told with them.)
    fn damaged_marks(&self, drafts: &mut Drafts) {
        let fold = |name: &ObjectName| self.facts.user_names.fold(name.as_str());
        let damaged = self.seen.users.iter().filter_map(|user| match &user.ownership {
            Ownership::Damaged { why, subject } => Some((user, why, subject)),
            _ => None,
        });
        let likely: HashSet<&VendorId> =
            self.likely.values().map(|likely| &self.seen.users[likely.at].id).collect();
        for (user, why, subject) in damaged.filter(|(user, ..)| !likely.contains(&user.id)) {
            let name = fold(&user.spec.name);
            if self.wanted.users.iter().any(|wanted| fold(&wanted.spec.name) == name) {
                continue;
            }
            let name = &user.spec.name;
            let message = format!("user `{name}` carries only a part of our mark ({why})");
            let standing = subject.as_ref().and_then(|one| self.desired.standings.get(one));
            let found = match standing {
                Some(Standing::Absent(_)) => Finding::error("damaged-mark", message),
                _ => Finding::warning("damaged-mark", message),
            };
            let hint = "nobody suspends it when its person leaves: complete its mark or remove it";
            drafts.find(found.in_place(&self.place).hint(hint));
        }
    }

    fn copied_marks(&self, drafts: &mut Drafts) {
        for (position, user) in self.seen.users.iter().enumerate() {
            if let (true, Some(subject)) =
                (self.users.is_doubtful(position), user.ownership.subject())
            {
                drafts.find(copied_mark(&self.place, "user", &user.spec.name, subject));
            }
        }
        for (position, group) in self.seen.groups.iter().enumerate() {
            if let (true, Some(subject)) =
                (self.groups.is_doubtful(position), group.ownership.subject())
            {
                drafts.find(copied_mark(&self.place, "group", &group.spec.name, subject));
            }
        }
    }
}

pub(super) fn user_name(user: &UserSpec) -> &ObjectName {
    &user.name
}

pub(super) fn group_name(group: &GroupSpec) -> &ObjectName {
    &group.name
}

fn known<T>(object: &Observed<T>, name: impl Fn(&T) -> &ObjectName) -> Target {
    Target { id: Reference::Known(object.id.clone()), name: name(&object.spec).clone() }
}

fn bound(reading: &Reading<ObservedAccount>) -> impl Iterator<Item = &VendorId> {
    reading.got().bindings.iter().map(|one| &one.group)
}

fn accounts<'a>(inputs: &DiffInputs<'a>, hub: &Place) -> HashSet<&'a str> {
    let below = inputs.desired.accounts.values().filter(|wanted| wanted.hub == *hub);
    below.map(|wanted| wanted.account.id.as_str()).collect()
}

/// Where a group has a role besides the accounts of its hub.
#[derive(Clone, Copy, Debug)]
pub(super) enum Elsewhere<'a> {
    OfAnotherHub(&'a Place),
    /// The inventory does not name the account any more.
    Forgotten(&'a Place),
}

/// Where else than in the accounts of its hub a group has a role, as far as anybody looked. The
/// same account may be in the inventory twice, once for each organisation in it.
fn bound_elsewhere<'a>(
    inputs: &DiffInputs<'a>,
    hub: &Place,
    group_at: &FxHashMap<&VendorId, usize>,
) -> BTreeMap<&'a VendorId, Elsewhere<'a>> {
    let accounts = &inputs.desired.accounts;
    let below: HashSet<(&VendorName, &str)> = accounts
        .values()
        .filter(|wanted| wanted.hub == *hub)
        .map(|wanted| (&wanted.account.vendor, wanted.account.id.as_str()))
        .collect();
    let elsewhere = inputs.observed.accounts.iter().filter(|(place, _)| {
        accounts.get(*place).is_some_and(|wanted| {
            !below.contains(&(&wanted.account.vendor, wanted.account.id.as_str()))
        })
    });
    let forgotten = inputs.observed.forgotten.iter();
    let forgotten = forgotten.filter(|(group, _)| group_at.contains_key(group));
    elsewhere
        .flat_map(|(place, reading)| reading.got().bindings.iter().map(move |one| (one, place)))
        .filter(|(binding, _)| group_at.contains_key(&binding.group))
        .map(|(binding, place)| (&binding.group, Elsewhere::OfAnotherHub(place)))
        .chain(forgotten.map(|(group, place)| (group, Elsewhere::Forgotten(place))))
        .collect()
}

/// A group's bindings may be in any account of its hub.
fn unread_accounts(inputs: &DiffInputs<'_>, hub: &Place) -> Option<String> {
    inputs.desired.accounts.iter().filter(|(_, wanted)| wanted.hub == *hub).find_map(
        |(place, _)| match inputs.observed.accounts.get(place) {
            Some(reading) => super::unread(place, reading, &[Kind::Binding]),
            None => Some(format!("account {place} (not looked at)")),
        },
    )
}

/// What is known of the credentials of one user.
pub(super) struct Credentials<'a> {
    /// Sorted.
    pub(super) known: Vec<&'a Credential>,
    /// There are no others.
    pub(super) all: bool,
}

/// Credentials by user. No reading at all proves nothing.
fn credentials<'a>(
    inputs: &DiffInputs<'a>,
    place: &Place,
) -> HashMap<&'a VendorId, Credentials<'a>> {
    let readings = inputs.observed.credentials.get(place).into_iter().flatten();
    readings
        .map(|(user, reading)| {
            let mut known: Vec<&Credential> = reading.got().iter().collect();
            known.sort();
            (user, Credentials { known, all: reading.is_complete() })
        })
        .collect()
}
