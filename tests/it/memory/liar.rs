//! The conformance suite finds a cloud that lies: each lie, and a case that must not pass.

use std::sync::Arc;

use async_trait::async_trait;
use reconcile::cloud::conformance::{CASES, Calls, Fixture, ListTrouble, Trouble};
use reconcile::cloud::memory::MemoryVendor;
use reconcile::cloud::{Applied, Apply, CloudError, Connection, ErrorKind, Observe, Vendor};
use reconcile::model::{
    Account, Credential, Kind, ObjectKey, ObservedAccount, Ownership, Reading, RoleSpec, Site,
    Snapshot, Subject, VendorFacts, VendorId,
};
use reconcile::plan::{Change, Life, Outputs, Step};

use super::fixture::MemoryFixture;

#[derive(Clone, Copy, Debug)]
enum Lie {
    PartialIsComplete,
    ForeignIsOurs,
    RefusalIsSuccess,
    LookFindsNothing,
    NoOutputs,
    LostReplyIsSuccess,
    LostReplyIsUnavailable,
    FirstUserIsHidden,
    NothingIsDone,
    EverythingIsDoneTwice,
    NotFoundIsDenied,
}

/// Each lie with cases that must find it.
const LIES: &[(Lie, &[&str])] = &[
    (Lie::PartialIsComplete, &["a_list_that_goes_wrong_makes_the_reading_partial"]),
    (Lie::ForeignIsOurs, &["foreign_objects_are_listed_as_foreign"]),
    (
        Lie::RefusalIsSuccess,
        &[
            "foreign_objects_are_refused",
            "another_organisations_objects_are_foreign",
            "nobody_elses_user_or_group_gets_anything",
            "an_object_that_stands_for_somebody_else_is_refused",
        ],
    ),
    (Lie::LookFindsNothing, &["a_lost_reply_is_found_by_looking", "a_user_is_updated"]),
    (Lie::NoOutputs, &["a_created_user_is_there_and_ours_and_has_no_credential"]),
    (Lie::LostReplyIsSuccess, &["a_lost_reply_is_found_by_looking"]),
    (Lie::LostReplyIsUnavailable, &["a_lost_reply_is_found_by_looking"]),
    (Lie::FirstUserIsHidden, &["a_user_is_suspended_and_restored"]),
    (Lie::NothingIsDone, &["a_member_is_added_and_removed", "a_role_is_bound_and_unbound"]),
    (Lie::EverythingIsDoneTwice, &["every_step_is_at_most_one_write"]),
    (Lie::NotFoundIsDenied, &["a_member_is_added_and_removed", "a_credential_is_revoked"]),
];

#[tokio::test(start_paused = true)]
async fn every_lie_is_found() {
    for (lie, cases) in LIES {
        for name in *cases {
            let case = CASES.iter().find(|case| case.name == *name).unwrap();
            let verdict = tokio::spawn(async { case.run(&LiarFixture::new(*lie)).await });
            assert!(verdict.await.is_err_and(|error| error.is_panic()), "{lie:?} passes {name}");
        }
    }
}

struct Liar {
    honest: MemoryVendor,
    lie: Lie,
}

struct LyingConnection {
    honest: Connection,
    lie: Lie,
}

#[async_trait]
impl Vendor for Liar {
    fn facts(&self) -> &VendorFacts {
        self.honest.facts()
    }

    async fn connect(&self, site: &Site<'_>) -> Result<Connection, CloudError> {
        let honest = self.honest.connect(site).await?;
        let concurrency = honest.concurrency;
        let lying = Arc::new(LyingConnection { honest, lie: self.lie });
        Ok(Connection { observe: Arc::clone(&lying) as _, apply: lying, concurrency })
    }
}

#[async_trait]
impl Observe for LyingConnection {
    async fn observe(&self) -> Reading<ObservedAccount> {
        let reading = self.honest.observe.observe().await;
        match self.lie {
            Lie::PartialIsComplete => Reading::Complete(reading.into_parts().0),
            Lie::ForeignIsOurs => reading.map(|mut got| {
                for user in &mut got.users {
                    user.ownership = Ownership::Ours(Subject::Role("x".into()));
                }
                got
            }),
            Lie::FirstUserIsHidden => reading.map(|mut got| {
                got.users = got.users.split_off(got.users.len().min(1));
                got
            }),
            _ => reading,
        }
    }

    async fn credentials(&self, users: &[VendorId]) -> Reading<Vec<Credential>> {
        self.honest.observe.credentials(users).await
    }
}

#[async_trait]
impl Apply for LyingConnection {
    async fn apply(&self, change: &Change, references: &[VendorId]) -> Result<Applied, CloudError> {
        let creates = matches!(
            change.step,
            Step::User(Life::Create { .. })
                | Step::Group(Life::Create { .. })
                | Step::Role(Life::Create { .. })
        );
        if matches!(self.lie, Lie::NothingIsDone) && !creates {
            return Ok(Applied::default());
        }
        let result = self.honest.apply.apply(change, references).await;
        match (self.lie, result) {
            (Lie::RefusalIsSuccess, Err(error)) if error.kind == ErrorKind::Foreign => {
                Ok(Applied::default())
            }
            (Lie::LostReplyIsSuccess, Err(error)) if error.kind == ErrorKind::LostReply => {
                Ok(Applied::default())
            }
            (Lie::LostReplyIsUnavailable, Err(error)) if error.kind == ErrorKind::LostReply => {
                Err(CloudError { kind: ErrorKind::Unavailable, ..error })
            }
            (Lie::NotFoundIsDenied, Err(error)) if error.kind == ErrorKind::NotFound => {
                Err(CloudError { kind: ErrorKind::Denied, ..error })
            }
            (Lie::NoOutputs, Ok(applied)) => Ok(Applied { outputs: Outputs::new(), ..applied }),
            (Lie::EverythingIsDoneTwice, Ok(applied)) => {
                if let Step::AddMember { group, user, .. } = &change.step {
                    let step = Step::RemoveMember {
                        group: group.clone(),
                        user: user.clone(),
                        subject: None,
                    };
                    let undo = Change { step, ..change.clone() };
                    self.honest.apply.apply(&undo, references).await?;
                    self.honest.apply.apply(change, references).await?;
                }
                Ok(applied)
            }
            (_, result) => result,
        }
    }

    async fn note_handover(
        &self,
        change: &Change,
        references: &[VendorId],
        key: &VendorId,
    ) -> Result<Applied, CloudError> {
        if matches!(self.lie, Lie::NothingIsDone) {
            return Ok(Applied::default());
        }
        self.honest.apply.note_handover(change, references, key).await
    }

    async fn look(&self, key: &ObjectKey) -> Result<Option<Snapshot>, CloudError> {
        match self.lie {
            Lie::LookFindsNothing => Ok(None),
            _ => self.honest.apply.look(key).await,
        }
    }
}

struct LiarFixture {
    honest: MemoryFixture,
    liar: Liar,
}

impl LiarFixture {
    fn new(lie: Lie) -> Self {
        let vendor = MemoryVendor::in_memory();
        let honest = MemoryFixture::new(vendor.clone());
        Self { honest, liar: Liar { honest: vendor, lie } }
    }
}

#[async_trait]
impl Fixture for LiarFixture {
    fn vendor(&self) -> &dyn Vendor {
        &self.liar
    }
    fn hub(&self) -> Account {
        self.honest.hub()
    }
    fn target(&self) -> Account {
        self.honest.target()
    }
    fn role(&self, name: &str, other: bool) -> RoleSpec {
        self.honest.role(name, other)
    }
    async fn foreign_user(&self, name: &str) -> VendorId {
        self.honest.foreign_user(name).await
    }
    async fn foreign_group(&self, name: &str) -> VendorId {
        self.honest.foreign_group(name).await
    }
    async fn foreign_role(&self, name: &str) -> VendorId {
        self.honest.foreign_role(name).await
    }
    async fn join_by_hand(&self, user: &VendorId, group: &VendorId) {
        self.honest.join_by_hand(user, group).await;
    }
    async fn give_credential(&self, user: &VendorId) -> Option<Credential> {
        self.honest.give_credential(user).await
    }
    async fn disable_by_hand(&self, user: &VendorId) -> bool {
        self.honest.disable_by_hand(user).await
    }
    async fn rename_by_hand(&self, user: &VendorId, name: &str) -> bool {
        self.honest.rename_by_hand(user, name).await
    }
    async fn page_size(&self, items: usize) -> bool {
        self.honest.page_size(items).await
    }
    async fn lag(&self, calls: u64) -> bool {
        self.honest.lag(calls).await
    }
    async fn next_write_fails(&self, trouble: Trouble) -> bool {
        self.honest.next_write_fails(trouble).await
    }
    async fn next_list_fails(&self, kind: Kind, trouble: ListTrouble) -> bool {
        self.honest.next_list_fails(kind, trouble).await
    }
    async fn calls(&self) -> Option<Calls> {
        self.honest.calls().await
    }
}
