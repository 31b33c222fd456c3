//! A fixture, connected, and short words for what the cases do with it.

use std::sync::Arc;

use jiff::civil::{Date, date};

use super::Fixture;
use crate::cloud::{Applied, CloudError, Connection, ErrorKind, Retry};
use crate::model::{
    Access, Account, ChangeId, GroupRef, GroupSpec, HeldAttachment, Membership, ObjectKey,
    Observed, ObservedAccount, Ownership, Private, Reading, RoleSpec, Site, Snapshot, Subject,
    UserSpec, VendorId,
};
use crate::plan::{Change, Life, Output, Reference, Step, Target};

pub const DAY: Date = date(2026, 3, 9);

pub struct Bench<'a> {
    pub fixture: &'a dyn Fixture,
    pub hub: At,
    pub target: At,
}

/// One account.
pub struct At {
    pub account: Account,
    connection: Connection,
}

/// An object that was made for a case.
#[derive(Clone)]
pub struct Made<T> {
    pub id: VendorId,
    pub subject: Subject,
    pub spec: T,
}

impl<'a> Bench<'a> {
    pub async fn new(fixture: &'a dyn Fixture) -> Self {
        Self::connect(fixture, fixture.hub(), fixture.target()).await
    }

    async fn connect(fixture: &'a dyn Fixture, hub: Account, target: Account) -> Self {
        let accounts = if hub == target { vec![&hub] } else { vec![&hub, &target] };
        let site = |account| Site { account, hub: &hub, accounts: accounts.clone() };
        let at_hub = At::connect(fixture, &site(&hub)).await;
        let at_target = At::connect(fixture, &site(&target)).await;
        Self { fixture, hub: at_hub, target: at_target }
    }

    /// The same accounts as another organisation sees them.
    pub async fn as_organisation(&self, name: &str) -> Self {
        let other = |account: &Account| {
            let mut account = account.clone();
            account.place.organisation = name.into();
            account
        };
        let (hub, target) = (other(&self.hub.account), other(&self.target.account));
        Self::connect(self.fixture, hub, target).await
    }

    /// What a user of that name would be like.
    pub fn user_spec(&self, stem: &str) -> UserSpec {
        let profile = self.fixture.vendor().facts().profile;
        UserSpec {
            name: self.fixture.name(stem).into(),
            display_name: profile.then(|| Private::new(format!("Änne {stem}"))),
            email: profile.then(|| Private::new(format!("{stem}@example.org"))),
            access: Access::Enabled,
        }
    }

    pub async fn user(&self, stem: &str) -> Made<UserSpec> {
        let spec = self.user_spec(stem);
        let subject = person(stem);
        let creation =
            Step::User(Life::Create { subject: subject.clone(), spec: Box::new(spec.clone()) });
        let id = created(&self.hub.must(&creation).await);
        Made { id, subject, spec }
    }

    pub async fn group(&self, stem: &str) -> Made<GroupSpec> {
        let spec = GroupSpec { name: self.fixture.name(stem).into() };
        let subject = group_subject(stem);
        let creation = Step::Group(Life::Create { subject: subject.clone(), spec: spec.clone() });
        let id = created(&self.hub.must(&creation).await);
        Made { id, subject, spec }
    }

    pub async fn role(&self, stem: &str) -> Made<RoleSpec> {
        let spec = self.fixture.role(&self.fixture.name(stem), false);
        let subject = Subject::Role(stem.into());
        let creation =
            Step::Role(Life::Create { subject: subject.clone(), spec: Box::new(spec.clone()) });
        let id = created(&self.target.must(&creation).await);
        Made { id, subject, spec }
    }
}

impl At {
    async fn connect(fixture: &dyn Fixture, site: &Site<'_>) -> Self {
        let connection = fixture.vendor().connect(site).await;
        Self {
            connection: connection.unwrap_or_else(|error| panic!("{error}")),
            account: site.account.clone(),
        }
    }

    /// Applies a step, with the references it holds.
    pub async fn apply(&self, step: &Step) -> Result<Applied, CloudError> {
        let (change, references) = self.change(step);
        self.connection.apply.apply(&change, &references).await
    }

    /// Notes that the key of a step was handed over.
    pub async fn note(&self, step: &Step, key: &VendorId) -> Result<Applied, CloudError> {
        let (change, references) = self.change(step);
        self.connection.apply.note_handover(&change, &references, key).await
    }

    fn change(&self, step: &Step) -> (Change, Vec<VendorId>) {
        let references: Vec<VendorId> = step
            .references()
            .map(|reference| match reference {
                Reference::Known(id) => id.clone(),
                Reference::Made { .. } => panic!("cases know all ids"),
            })
            .collect();
        let change = Change::new(
            ChangeId(0),
            Arc::new(self.account.place.clone()),
            step.clone(),
            Vec::new(),
            Arc::new([]),
        );
        (change, references)
    }

    pub async fn must(&self, step: &Step) -> Applied {
        let applied = self.apply(step).await;
        applied.unwrap_or_else(|error| panic!("{}: {error}", step.verb()))
    }

    /// Applies a step, and once more, which must change nothing and either succeed or fail in a
    /// way that looking at the object explains.
    pub async fn must_twice(&self, step: &Step) -> Applied {
        let applied = self.must(step).await;
        let once = self.all().await;
        if let Err(error) = self.apply(step).await {
            assert_eq!(error.retry(), Retry::Look, "{} again: {error}", step.verb());
        }
        assert_eq!(self.all().await, once, "{} again changed something", step.verb());
        applied
    }

    pub async fn must_fail(&self, step: &Step, kind: ErrorKind) {
        let error = self.fail(step).await;
        assert_eq!(error.kind, kind, "{}: {error}", step.verb());
    }

    pub async fn fail(&self, step: &Step) -> CloudError {
        match self.apply(step).await {
            Ok(_) => panic!("{} must not succeed", step.verb()),
            Err(error) => error,
        }
    }

    /// Everything, which must be a complete reading.
    pub async fn all(&self) -> ObservedAccount {
        match self.reading().await {
            Reading::Complete(mut all) => {
                all.users.sort_by(|one, other| one.id.cmp(&other.id));
                all.groups.sort_by(|one, other| one.id.cmp(&other.id));
                all.roles.sort_by(|one, other| one.id.cmp(&other.id));
                all.memberships.sort();
                all.attachments.sort();
                all.bindings.sort();
                all
            }
            Reading::Partial { missing, .. } => panic!("not completely read: {missing:?}"),
        }
    }

    pub async fn reading(&self) -> Reading<ObservedAccount> {
        self.connection.observe.observe().await
    }

    pub async fn credentials(&self, user: &VendorId) -> Reading<Vec<crate::model::Credential>> {
        self.connection.observe.credentials(std::slice::from_ref(user)).await
    }

    pub async fn look(&self, key: &ObjectKey) -> Option<Snapshot> {
        let found = self.connection.apply.look(key).await;
        found.unwrap_or_else(|error| panic!("{key:?}: {error}"))
    }

    /// A user as looked at and as observed, which must be the same.
    pub async fn see_user(&self, id: &VendorId) -> Option<Observed<UserSpec>> {
        let looked = match self.look(&ObjectKey::User(id.clone())).await {
            Some(Snapshot::User(user)) => Some(user),
            None => None,
            other => panic!("looked for a user, found {other:?}"),
        };
        let listed = self.all().await.users.into_iter().find(|user| user.id == *id);
        assert_eq!(looked, listed, "a look and a listing tell different things");
        looked
    }

    /// A group as looked at and as observed, which must be the same.
    pub async fn see_group(&self, id: &VendorId) -> Option<Observed<GroupSpec>> {
        let looked = match self.look(&ObjectKey::Group(id.clone())).await {
            Some(Snapshot::Group(group)) => Some(group),
            None => None,
            other => panic!("looked for a group, found {other:?}"),
        };
        let listed = self.all().await.groups.into_iter().find(|group| group.id == *id);
        assert_eq!(looked, listed, "a look and a listing tell different things");
        looked
    }

    /// A role as looked at and as observed, which must be the same.
    pub async fn see_role(&self, id: &VendorId) -> Option<Observed<RoleSpec>> {
        let looked = match self.look(&ObjectKey::Role(id.clone())).await {
            Some(Snapshot::Role(role)) => Some(role),
            None => None,
            other => panic!("looked for a role, found {other:?}"),
        };
        let listed = self.all().await.roles.into_iter().find(|role| role.id == *id);
        assert_eq!(looked, listed, "a look and a listing tell different things");
        looked
    }

    /// An attachment must be there, as looked at and as observed.
    pub async fn must_have(&self, held: &HeldAttachment) {
        let key = ObjectKey::Attachment(held.clone());
        assert_eq!(self.look(&key).await, Some(Snapshot::Exists), "{held:?}");
        let all = self.all().await.attachments;
        assert!(all.contains(held), "{held:?} is not among {all:?}");
    }

    /// Whether a user is in a group, as looked at and as observed, which must be the same.
    pub async fn see_member(&self, group: &VendorId, user: &VendorId) -> bool {
        let membership = Membership { group: group.clone(), user: user.clone() };
        let looked = self.look(&ObjectKey::Membership(membership.clone())).await.is_some();
        assert_eq!(looked, self.all().await.memberships.contains(&membership));
        looked
    }
}

/// The id a creation made up.
pub fn created(applied: &Applied) -> VendorId {
    let id = applied.outputs.get(&Output::Id).expect("a creation says which id it made");
    assert!(!id.as_str().is_empty(), "an id has characters");
    id.clone()
}

pub fn person(stem: &str) -> Subject {
    Subject::Person { directory: "people".into(), stable_id: format!("id-{stem}").into() }
}

pub fn group_subject(stem: &str) -> Subject {
    Subject::Group(GroupRef { directory: "people".into(), group: stem.into() })
}

pub fn target(id: &VendorId) -> Target {
    Target { id: Reference::Known(id.clone()), name: "conformance".into() }
}

pub fn join(group: &VendorId, user: &VendorId) -> Step {
    Step::AddMember { group: target(group), user: target(user), subject: person("member") }
}

pub fn leave(group: &VendorId, user: &VendorId) -> Step {
    Step::RemoveMember { group: target(group), user: target(user), subject: None }
}

pub fn bind(role: &VendorId, group: &VendorId) -> Step {
    Step::BindRole { role: target(role), group: target(group) }
}

pub fn unbind(role: &VendorId, group: &VendorId) -> Step {
    Step::UnbindRole { role: target(role), group: target(group), by_hand: None }
}

impl Made<UserSpec> {
    pub fn delete(&self) -> Step {
        let before = Box::new(self.spec.clone());
        Step::User(Life::Delete { id: self.id.clone(), subject: self.subject.clone(), before })
    }

    pub fn suspend(&self) -> Step {
        let before = Box::new(self.spec.clone());
        Step::User(Life::Retire {
            id: self.id.clone(),
            subject: self.subject.clone(),
            before,
            on: DAY,
        })
    }

    pub fn restore(&self) -> Step {
        let access = Access::Enabled.suspended(DAY);
        Made { spec: UserSpec { access, ..self.spec.clone() }, ..self.clone() }.bring_back()
    }

    /// As it is.
    pub fn bring_back(&self) -> Step {
        let before = Box::new(self.spec.clone());
        Step::User(Life::Restore { id: self.id.clone(), subject: self.subject.clone(), before })
    }

    pub fn update(&self, after: UserSpec) -> Step {
        Step::User(Life::Update {
            id: self.id.clone(),
            subject: self.subject.clone(),
            before: Box::new(self.spec.clone()),
            after: Box::new(after),
        })
    }
}

impl Made<GroupSpec> {
    pub fn delete(&self) -> Step {
        let before = self.spec.clone();
        Step::Group(Life::Delete { id: self.id.clone(), subject: self.subject.clone(), before })
    }

    pub fn rename(&self, name: &str) -> Step {
        Step::Group(Life::Update {
            id: self.id.clone(),
            subject: self.subject.clone(),
            before: self.spec.clone(),
            after: GroupSpec { name: name.into() },
        })
    }
}

impl Made<RoleSpec> {
    pub fn delete(&self) -> Step {
        let before = Box::new(self.spec.clone());
        Step::Role(Life::Delete { id: self.id.clone(), subject: self.subject.clone(), before })
    }

    pub fn update(&self, after: RoleSpec) -> Step {
        Step::Role(Life::Update {
            id: self.id.clone(),
            subject: self.subject.clone(),
            before: Box::new(self.spec.clone()),
            after: Box::new(after),
        })
    }
}

impl<T: Clone> Made<T> {
    /// How it must be seen.
    #[expect(clippy::unnecessary_wraps, reason = "compared with a look, which may find nothing")]
    pub fn seen(&self, spec: T) -> Option<Observed<T>> {
        let ownership = Ownership::Ours(self.subject.clone());
        Some(Observed { id: self.id.clone(), ownership, spec })
    }
}
