//! What a run costs in calls where there are 1,000 people, 100 groups and three accounts, counted on
//! the wire.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use reconcile::cloud::aws::Settings;
use reconcile::plan::Plan;

use super::fixture;
use super::world::{HUB, Someone, TODAY, World};

const PEOPLE: u32 = 1000;
const GROUPS: u32 = 100;
/// Things on a page of a list.
const PAGE: u32 = 400;

const INVENTORY: &str = r#"
organisations:
  spi:
    accounts:
      hub: {vendor: aws, id: "111111111111", hub: true}
      mirrors: {vendor: aws, id: "222222222222"}
      builds: {vendor: aws, id: "333333333333"}
directories:
  debian: {ldif: inventory/people.ldif, schema: userdir, base: "dc=example,dc=org"}
grants:
"#;

struct Scale {
    world: World,
    settings: Settings,
    groups: Vec<String>,
    /// Log-in name, number, and which group.
    people: Vec<(String, u32, usize)>,
}

impl Scale {
    /// After the first run.
    async fn applied() -> Self {
        let world = World::on_pages_of(PAGE as usize);
        let settings = fixture::settings(&world.moto, &world.wire, HUB);
        let settings = Settings { call_time_limit: Duration::from_mins(1), ..settings };
        let groups: Vec<String> = (0..GROUPS).map(|number| format!("group{number}")).collect();
        let mut inventory = INVENTORY.to_owned();
        for (number, group) in groups.iter().enumerate() {
            let account = if number % 2 == 0 { "mirrors" } else { "builds" };
            let grant = format!("group: {group}, role: operator, accounts: [{account}], reason: r");
            let _ = writeln!(inventory, "  - {{{grant}}}");
        }
        world.inventory(&inventory);
        let people = (0..PEOPLE)
            .map(|number| (format!("person{number}"), 10_000 + number, (number % GROUPS) as usize));
        let scale = Self { people: people.collect(), world, settings, groups };
        let plan = scale.run().await;
        assert_eq!(scale.world.wire.counts().get("CreateUser"), Some(&(PEOPLE as usize)));
        let (writes, changes) = (scale.world.wire.writes().len(), plan.changes.len());
        assert_eq!(writes, changes, "one call for each change");
        scale
    }

    /// A run on what the people are now.
    async fn run(&self) -> Plan {
        let groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        let memberships: Vec<&[&str]> =
            self.people.iter().map(|(_, _, group)| &groups[*group..=*group]).collect();
        let people: Vec<Someone<'_>> = self
            .people
            .iter()
            .zip(memberships)
            .map(|((name, number, _), groups)| (name.as_str(), *number, groups, true))
            .collect();
        self.world.directory(&groups, &people);
        self.world.wire.clear();
        let ran = self.world.run_with(self.settings.clone(), TODAY, || {}).await;
        assert_eq!(ran.failures(), [""; 0]);
        ran.plan
    }

    /// The calls of the last run in each account, without those of the bulk reading, which are
    /// what they must be: pages, and at most three calls for each account beside them.
    fn beyond_reading(&self) -> BTreeMap<String, usize> {
        let mut counts = self.world.wire.counts();
        let mut took = |action: &str| counts.remove(action).unwrap_or_default();
        // The users, `runner` among them, and the groups of the hub; a role in each other account.
        let people = self.people.len() + 1 + GROUPS as usize;
        assert_eq!(took("GetAccountAuthorizationDetails"), people.div_ceil(PAGE as usize) + 2);
        assert_eq!(took("ListRoles"), 3, "one page in each account");
        assert_eq!(took("GetCallerIdentity"), 1, "once in a run");
        assert_eq!(took("AssumeRole"), 2, "into the two accounts that are not the hub");
        assert_eq!(took("GetAccountSummary"), 3, "one count of each account");
        counts
    }
}

#[tokio::test]
async fn calls_grow_with_pages_and_changes_and_with_nothing_else() {
    let mut scale = Scale::applied().await;
    assert_eq!(scale.run().await.changes, []);
    assert_eq!(scale.beyond_reading(), BTreeMap::new());

    for number in PEOPLE..PEOPLE + 5 {
        scale.people.push((format!("person{number}"), 10_000 + number, 7));
    }
    assert_eq!(scale.run().await.changes.len(), 10);
    let expected = [("CreateUser".to_owned(), 5), ("AddUserToGroup".to_owned(), 5)];
    assert_eq!(scale.beyond_reading(), expected.into());

    for person in &mut scale.people[..5] {
        person.2 = 50;
    }
    assert_eq!(scale.run().await.changes.len(), 10);
    let expected = [("AddUserToGroup".to_owned(), 5), ("RemoveUserFromGroup".to_owned(), 5)];
    assert_eq!(scale.beyond_reading(), expected.into());
    assert_eq!(scale.run().await.changes, []);
}
