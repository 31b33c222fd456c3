//! The rules a plan must pass, all of them applied before the first write and in a dry run too.
//!
//! Architecture invariant: [`review`] is the only maker of an [`ApprovedPlan`].
//!
//! A rule is a function from the plan and its context to violations; `RULES` lists them all.
//! A violation holds the changes it is about: they are shown and not carried out, while everything
//! else goes on.

mod administrators;
mod belief;
mod clock;
mod holdings;
mod limits;
mod principals;
mod quotas;
mod recent;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    AccountName, ChangeId, DirectoryName, GroupRef, OrganisationName, Place, Subject, VendorId,
};
use crate::plan::{Effect, Plan, PlanDigest};
use crate::policies::Policies;
pub use belief::Renumbered;
pub use clock::{ClockDoubt, Clocks, LONGEST_SILENCE, Otherwise, TOLERANCE, doubts};
pub use holdings::{Held, Holdings, Members};
pub use limits::taken;
pub use quotas::Usage;
pub use recent::Recent;

/// What the rules look at besides the plan.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// Limits and protected principals.
    pub policies: &'a Policies,
    /// What the program itself acts as, by account.
    pub own_principals: BTreeMap<Place, VendorId>,
    /// The groups through which the program has its rights, by the account in which roles are
    /// attached to them.
    pub own_groups: BTreeMap<Place, BTreeSet<VendorId>>,
    /// The account in which the users of an account live.
    pub hubs: BTreeMap<AccountName, AccountName>,
    /// Who administers what, as it is before the run.
    pub administrators: Vec<AdministratorSet>,
    /// Why directories may not be believed, as far as limits do not decide it.
    pub doubts: Vec<Doubt>,
    /// People whose stable id stood for somebody else when their directory was last read, and what
    /// is different about them.
    pub strangers: BTreeMap<Subject, Vec<&'static str>>,
    /// People who are not listed any more and have a user, and who most likely is the same person
    /// under another id.
    pub renumbered: Vec<Renumbered>,
    /// What accounts allow, and how much of it is used.
    pub usage: BTreeMap<Place, Usage>,
    /// What contradicts this machine's clock, with what would be done if it were wrong.
    pub otherwise: Vec<Otherwise>,
    /// Who has which role where, as it is before the run.
    pub holdings: Holdings,
    /// What was taken away within a day before the run.
    pub recent: Recent,
    /// The plan whose held removals an administrator has approved for this one run.
    pub approved: Option<PlanDigest>,
}

impl<'a> Context<'a> {
    /// A context with nothing in it but the policies.
    pub fn new(policies: &'a Policies) -> Self {
        Self {
            policies,
            own_principals: BTreeMap::new(),
            own_groups: BTreeMap::new(),
            hubs: BTreeMap::new(),
            administrators: Vec::new(),
            doubts: Vec::new(),
            strangers: BTreeMap::new(),
            renumbered: Vec::new(),
            usage: BTreeMap::new(),
            otherwise: Vec::new(),
            holdings: Holdings::default(),
            recent: Recent::default(),
            approved: None,
        }
    }
}

/// The administrators of one account, as they are before the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdministratorSet {
    /// The account that is administered.
    pub account: Place,
    /// Where its users and groups live.
    pub hub: Place,
    /// Where its role objects live: itself, or its hub where roles are shared.
    pub home: Place,
    /// The group whose members should administer it.
    pub group: GroupRef,
    /// The groups whose members administer it now, with those roles of each in the account that
    /// make them administrators, and their members who can log in. That is `group`, once it has
    /// a privileged role there; until then all groups that have one.
    pub groups: BTreeMap<VendorId, AdministratorGroup>,
    /// How many must remain.
    pub minimum: u32,
    /// People who must remain.
    pub required: BTreeSet<Subject>,
    /// Those of them who left longer ago than the grace: an approval lets them go.
    pub left: BTreeSet<Subject>,
    /// For an administering role the others that allow provably as much.
    pub as_wide: BTreeMap<VendorId, BTreeSet<VendorId>>,
    /// Administering roles that are to mean what they meant before: they were widened by mistake,
    /// and an approval narrows them again.
    pub back: BTreeSet<VendorId>,
}

/// A group whose members administer an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdministratorGroup {
    /// Its administering roles in the account.
    pub roles: BTreeSet<VendorId>,
    /// Its members who can log in.
    pub members: BTreeMap<VendorId, Subject>,
}

/// A reason not to believe a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// Which directory.
    pub directory: DirectoryName,
    /// Why.
    pub cause: Cause,
}

/// What contradicts a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// People who might have access are gone. Newcomers do not make up for them.
    Lacks {
        /// How many there were when it was last read completely.
        before: u64,
        /// How many of them there still are, completely read.
        now: u64,
        /// How many of them are still listed, with or without access: of the others nobody says
        /// that they left.
        listed: u64,
    },
    /// Nobody shows what is decided by.
    Hides {
        /// What, as a noun without an article.
        what: &'static str,
        /// How many of those who are still listed showed it when the directory was last read;
        /// `None` where its schema expects it.
        showed: Option<u64>,
    },
    /// People who had left, expired, were locked or not plainly active may have access again.
    Returned {
        /// How many people were listed when it was last read completely.
        before: u64,
        /// How many are back.
        returned: u64,
    },
    /// Ids stand for other people.
    Others {
        /// How many people were listed when it was last read completely.
        before: u64,
        /// How many of their ids stand for somebody else.
        others: u64,
    },
}

/// The verdict on a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The plan, with the changes that must not run marked as held.
    pub approved: ApprovedPlan,
    /// The rules it does not pass, sorted.
    pub violations: Vec<Violation>,
    /// The held changes that would not be held if an administrator approved this plan. Not all
    /// that a rule with exceptions holds: a rule without may hold the same, or what that needs.
    pub approvable: BTreeSet<ChangeId>,
}

/// A plan that passed review. Some of its changes may be held; the others may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedPlan {
    plan: Plan,
    held: BTreeMap<ChangeId, Arc<str>>,
}

impl ApprovedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The changes that must not run, and why.
    pub fn held(&self) -> &BTreeMap<ChangeId, Arc<str>> {
        &self.held
    }
}

/// A rule a plan does not pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Violation {
    /// Which rule.
    pub rule: Rule,
    /// In which organisation.
    pub organisation: OrganisationName,
    /// On account of which directory, for rules about directories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<DirectoryName>,
    /// With numbers, as a sentence without a full stop.
    pub message: String,
    /// The changes it holds.
    pub holds: Vec<ChangeId>,
    /// Whether an administrator may approve the held changes for one run. If they did, `holds`
    /// names the changes that were let go.
    pub overridable: bool,
    /// An administrator approved the changes for this run.
    pub overridden: bool,
}

/// The rules.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Nothing is taken from the program's own principal.
    OwnPrincipal,
    /// Nothing is taken from protected and break-glass accounts.
    Protected,
    /// Required administrators stay.
    RequiredAdministrator,
    /// Enough administrators stay.
    MinimumAdministrators,
    /// A directory that shrank suddenly is not believed.
    DirectoryShrinkage,
    /// A directory that hides what it decides by, gives back those who left, or names other people
    /// is not believed.
    DirectoryBelief,
    /// An id that suddenly stands for somebody else is not a renaming.
    AnotherPerson,
    /// No run removes more than the limits say.
    RemovalLimit,
    /// Nothing is begun for which the account has no room.
    Quota,
    /// Nothing that depends on the day is done by a clock that others contradict.
    Clock,
}

impl Rule {
    /// Whether an administrator may let the held changes of this rule go for one run. Rules that
    /// keep people from being locked out know no exception.
    pub fn is_overridable(self) -> bool {
        match self {
            Self::DirectoryShrinkage
            | Self::DirectoryBelief
            | Self::AnotherPerson
            | Self::RemovalLimit
            | Self::Clock => true,
            Self::OwnPrincipal
            | Self::Protected
            | Self::RequiredAdministrator
            | Self::MinimumAdministrators
            | Self::Quota => false,
        }
    }
}

/// A rule's function.
type Check = fn(&Plan, &Context<'_>) -> Vec<Violation>;

/// Every rule, all of them always applied; then the limits, and last the quotas, which look at what
/// the others hold.
const RULES: [Check; 8] = [
    principals::own,
    principals::protected,
    administrators::required,
    administrators::minimum,
    belief::directories,
    belief::another_person,
    belief::renumbered,
    clock::violations,
];

/// Applies every rule. The only maker of an [`ApprovedPlan`].
///
/// Guarantees: pure; whatever is held by one rule stays held whatever the others say; an approval
/// counts only for the plan with exactly that digest, and only for rules that know exceptions.
pub fn review(plan: Plan, context: &Context<'_>) -> Review {
    let mut violations: Vec<Violation> =
        RULES.iter().flat_map(|check| check(&plan, context)).collect();
    let held_anyway = holds(&plan, violations.iter());
    violations.extend(limits::violations(&plan, context, &held_anyway));
    violations.sort();
    let approved = context.approved.as_ref().is_some_and(|approved| *approved == plan.digest());
    let knows_exceptions = violations.iter().any(|violation| violation.overridable);
    for violation in &mut violations {
        violation.overridden = violation.overridable && approved;
    }
    let in_force = violations.iter().filter(|violation| !violation.overridden);
    let (held, quotas) = held_by(&plan, context, in_force);
    let approvable = if knows_exceptions && !approved {
        let strict = violations.iter().filter(|violation| !violation.overridable);
        let (still, _) = held_by(&plan, context, strict);
        held.keys().filter(|change| !still.contains_key(change)).copied().collect()
    } else {
        BTreeSet::new()
    };
    violations.extend(quotas);
    violations.sort();
    Review { approved: ApprovedPlan { plan, held }, violations, approvable }
}

/// What is held by violations and by the quotas of accounts, and why; and which quotas.
fn held_by<'a>(
    plan: &Plan,
    context: &Context<'_>,
    violations: impl Iterator<Item = &'a Violation>,
) -> (BTreeMap<ChangeId, Arc<str>>, Vec<Violation>) {
    let mut held = holds(plan, violations);
    // What is held uses nothing and frees nothing.
    let quotas = quotas::violations(plan, context, &held);
    for violation in &quotas {
        let why: Arc<str> = violation.message.as_str().into();
        held.extend(violation.holds.iter().map(|change| (*change, Arc::clone(&why))));
    }
    if !quotas.is_empty() {
        hold_along(plan, &mut held);
    }
    (held, quotas)
}

/// What is held by violations, and what hangs together with it; and why.
fn holds<'a>(
    plan: &Plan,
    violations: impl Iterator<Item = &'a Violation>,
) -> BTreeMap<ChangeId, Arc<str>> {
    let mut held = BTreeMap::new();
    for violation in violations {
        let why: Arc<str> = violation.message.as_str().into();
        for change in &violation.holds {
            held.entry(*change).or_insert_with(|| Arc::clone(&why));
        }
    }
    hold_along(plan, &mut held);
    held
}

/// Holds what hangs together with what is held: what needs it could not be done anyway, and a
/// deletion that is held is worth nothing if the object is emptied all the same. What was to replace
/// the object comes: otherwise there never would be enough for it to go.
fn hold_along(plan: &Plan, held: &mut BTreeMap<ChangeId, Arc<str>>) {
    if held.is_empty() {
        return;
    }
    let mut dependents: BTreeMap<ChangeId, Vec<ChangeId>> = BTreeMap::new();
    for change in &plan.changes {
        for need in &change.needs {
            dependents.entry(*need).or_default().push(change.id);
        }
    }
    let mut spreading: Vec<ChangeId> = held.keys().copied().collect();
    while let Some(id) = spreading.pop() {
        let why = Arc::clone(&held[&id]);
        let change = &plan.changes[id.index()];
        let deletion = change.step.is_irreversible();
        let along = dependents.get(&id).into_iter().flatten();
        let emptied = change
            .needs
            .iter()
            .filter(|need| deletion && plan.changes[need.index()].step.effect() == Effect::Removal);
        let along = along.chain(emptied);
        for other in along {
            held.entry(*other).or_insert_with(|| {
                spreading.push(*other);
                Arc::clone(&why)
            });
        }
    }
}

fn violation(
    rule: Rule,
    organisation: &OrganisationName,
    message: String,
    holds: Vec<ChangeId>,
) -> Violation {
    Violation {
        rule,
        organisation: organisation.clone(),
        directory: None,
        message,
        holds,
        overridable: rule.is_overridable(),
        overridden: false,
    }
}
