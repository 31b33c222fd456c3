//! What moto does not do: pages of one, and pages that lie. For every list of IAM that the program
//! reads.
//!
//! [`lists`] says which lists there are and how to ask for what is on them, [`service`] gives them
//! on pages of one.

mod acting;
mod lists;
pub mod pager;
mod service;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_iam::config::{Credentials, SharedCredentialsProvider};
use reconcile::cloud::aws::{AwsBase, AwsVendor, Settings};
use reconcile::cloud::{CloudError, Connection, Vendor};
use reconcile::model::{Account, ChangeId, Place, Reading, Site, Source, VendorId};
use reconcile::plan::{Change, Reference, Step, Target};

use lists::{Ask, LISTS, List};
use service::{Lie, Service};

/// Longer than any question here takes, unless it goes round in a circle.
const FOREVER: Duration = Duration::from_secs(20);

/// A service and who asks it, who knows nothing yet.
struct Asker {
    service: Service,
    connection: Connection,
}

impl Asker {
    async fn new(lie: Option<(&'static str, Lie)>) -> Self {
        let service = Service::start(lie);
        let credentials = Credentials::new("AKIA", "not-in-any-message", None, None, "test");
        let settings = Settings {
            endpoint: Some(service.url()),
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            call_time_limit: Duration::from_secs(5),
            page_size: Some(1),
            ..Settings::default()
        };
        let vendor = AwsVendor::iam(&AwsBase::new(settings, "paging"));
        let account = Account {
            place: Place { organisation: "spi".into(), account: "hub".into() },
            vendor: "aws".into(),
            partition: Some("aws".to_owned()),
            id: "111111111111".to_owned(),
            hub: "hub".into(),
            project: None,
            settings: BTreeMap::new(),
            source: Source::new("inventory/spi.yaml", 1, 1),
        };
        let connection = vendor.connect(&Site::alone(&account)).await.expect("connected");
        Self { service, connection }
    }

    /// Whether the object with a number is on the list; why that cannot be told.
    async fn ask(&self, ask: Ask, number: u32) -> Result<bool, String> {
        let why = |error: CloudError| error.to_string();
        match ask {
            Ask::Look(key) => {
                self.connection.apply.look(&key(number)).await.map_err(why).map(|it| it.is_some())
            }
            Ask::Observe(is_seen) => {
                let reading = self.connection.observe.observe().await;
                whole(&reading)?;
                Ok(is_seen(reading.got(), number))
            }
            Ask::Credentials(is_seen) => {
                let users = [VendorId::new("AIDA1")];
                let reading = self.connection.observe.credentials(&users).await;
                whole(&reading)?;
                Ok(is_seen(reading.got(), number))
            }
            Ask::Unbind(is_done) => {
                let target =
                    |id: &str| Target { id: Reference::Known(id.into()), name: "it".into() };
                let step = Step::UnbindRole {
                    role: target("AROA2"),
                    group: target("AGPA1"),
                    by_hand: None,
                };
                let change = Change::new(
                    ChangeId(0),
                    Arc::new(Place { organisation: "spi".into(), account: "hub".into() }),
                    step,
                    Vec::new(),
                    Arc::new([]),
                );
                let references = ["AROA2".into(), "AGPA1".into()];
                self.connection.apply.apply(&change, &references).await.map_err(why)?;
                let is_done = |call: &service::Call| is_done(call, number);
                Ok(self.service.calls().iter().any(is_done))
            }
        }
    }
}

fn whole<T>(reading: &Reading<T>) -> Result<(), String> {
    if reading.is_complete() { Ok(()) } else { Err(format!("{:?}", reading.missing())) }
}

#[tokio::test]
async fn what_is_on_the_second_page_of_any_list_is_seen() {
    let mut wrong = Vec::new();
    for List { action, asks, is_paged, .. } in LISTS {
        for (way, ask) in asks.iter().enumerate() {
            let asker = Asker::new(None).await;
            let answer = asker.ask(*ask, 2).await;
            if answer != Ok(true) {
                wrong.push(format!("{action}, way {way}: the second page shows it: {answer:?}"));
            }
            let calls = asker.service.calls();
            let pages: Vec<_> = calls.iter().filter(|call| call.action == *action).collect();
            let is_second = |page: &&service::Call| page.marker.as_deref() == Some("two");
            if pages.is_empty() || (*is_paged && !pages.iter().any(is_second)) {
                wrong.push(format!("{action}, way {way}: not asked to its end: {pages:?}"));
            }
            let of_one = |page: &&service::Call| page.most.as_deref() == Some("1");
            if *is_paged && !pages.iter().all(of_one) {
                wrong.push(format!("{action}, way {way}: pages of another size: {pages:?}"));
            }
            // What is on none of the pages is not there.
            let answer = Asker::new(None).await.ask(*ask, 3).await;
            if answer != Ok(false) {
                wrong.push(format!("{action}, way {way}: no page shows it: {answer:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn what_is_not_on_a_list_that_lies_is_not_taken_for_absent() {
    let mut wrong = Vec::new();
    for List { action, elements, asks, is_paged } in LISTS {
        let of_pages = [Lie::NoMarker, Lie::Loop, Lie::Circle, Lie::LastWithMarker];
        let mut lies: Vec<Lie> = elements.iter().map(|one| Lie::NoList(one.name)).collect();
        lies.extend(of_pages.iter().filter(|_| *is_paged));
        for lie in lies {
            for (way, ask) in asks.iter().enumerate() {
                let asker = Asker::new(Some((action, lie))).await;
                let answer = tokio::time::timeout(FOREVER, asker.ask(*ask, 3)).await;
                let calls = asker.service.calls();
                if !matches!(answer, Ok(Err(_))) {
                    wrong.push(format!("{action}, way {way}, {lie:?}: {answer:?}"));
                }
                if !calls.iter().any(|call| call.action == *action) {
                    wrong.push(format!("{action}, way {way}, {lie:?}: not asked: {calls:?}"));
                }
                // And nothing is done on account of it.
                if calls.iter().any(service::Call::is_write) {
                    wrong.push(format!("{action}, way {way}, {lie:?}: went on: {calls:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn fewer_users_than_the_account_says_it_has_make_a_partial_reading() {
    let asker = Asker::new(Some(("GetAccountSummary", Lie::OneMore))).await;
    let reading = asker.connection.observe.observe().await;
    assert!(!reading.is_complete());
    assert_eq!(reading.got().users.len(), 2, "what was read is there");
    assert_eq!(reading.got().memberships.len(), 2, "a group on a later page than its members");
}

#[tokio::test]
async fn what_went_away_does_not_hide_what_is_after_it_on_the_list() {
    for (get, list) in [("GetUser", "ListUsers"), ("GetRole", "ListRoles")] {
        let asker = Asker::new(Some((get, Lie::Gone))).await;
        let list = LISTS.iter().find(|one| one.action == list).expect("in the table");
        assert_eq!(asker.ask(list.asks[0], 2).await, Ok(true), "{get}");
        assert_eq!(asker.ask(list.asks[0], 1).await, Ok(false), "{get}");
    }
}

/// A list that is not in the table is one that nobody has proven to be read to its end.
#[tokio::test]
async fn the_table_has_every_list_that_the_program_reads() {
    let in_table: BTreeSet<String> = LISTS.iter().map(|list| list.action.to_lowercase()).collect();
    assert_eq!(in_table.len(), LISTS.len(), "each list once");

    let mut in_source = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cloud/aws");
    for entry in std::fs::read_dir(folder).expect("the folder of the source") {
        let path = entry.expect("an entry").path();
        // What was refused is named there, from first pages; nothing follows from what is on none.
        if path.ends_with("blockers.rs") {
            continue;
        }
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(path).expect("source");
            in_source.extend(lists_in(&text));
        }
    }
    assert_eq!(in_source, in_table);

    let mut on_the_wire = BTreeSet::new();
    for list in LISTS {
        for ask in list.asks {
            let asker = Asker::new(None).await;
            asker.ask(*ask, 2).await.expect("an answer");
            let calls = asker.service.calls();
            let lists = calls.into_iter().filter(service::Call::is_list);
            on_the_wire.extend(lists.map(|call| call.action.to_lowercase()));
        }
    }
    assert_eq!(on_the_wire, in_table);
}

/// The lists that a text in Rust asks for: `.list_users()` is `listusers`. Our own functions that
/// read a whole list are named like what they call.
fn lists_in(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split('.').filter_map(|piece| {
        let (name, _) = piece.split_once("()")?;
        let is_name = name.chars().all(|one| one.is_ascii_lowercase() || one == '_');
        let is_list = name.starts_with("list_") || name == "get_account_authorization_details";
        (is_name && is_list).then(|| name.replace('_', ""))
    })
}
