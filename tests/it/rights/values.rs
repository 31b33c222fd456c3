//! Single cases by hand.

use jiff::civil::date;
use reconcile::cloud::registry;
use reconcile::desired::{Inputs, resolve};
use reconcile::model::{AccountStatus, Missing, PersonKind, Reading};
use reconcile::rights::{Explained, PersonExplained, Unknown, View, Why, compare, explain, find};

use crate::engine::world::{Given, Model};

/// Looks at what is given as `explain` and `diff` do.
pub fn with_view<T>(given: &Given, look: impl FnOnce(&View<'_>) -> T) -> T {
    let vendors = registry::facts();
    let inputs = Inputs {
        inventory: &given.inventory,
        policies: &given.policies,
        directories: &given.directories,
        vendors: &vendors,
        today: given.today,
    };
    let desired = resolve(&inputs);
    look(&View::new(inputs, &desired))
}

fn person(model: &Model, name: &str) -> PersonExplained {
    with_view(&model.given(), |view| {
        let found = find(view, name).unwrap();
        match explain(view, &found) {
            Some(Explained::Person(person)) => person,
            other => panic!("{name} is {other:?}"),
        }
    })
}

#[test]
fn why_somebody_has_not_what_they_expect() {
    let mut model = Model::simple();
    let gone = model.person("debian", "gone", &["admin"]);
    model.who("debian", &gone).status = AccountStatus::Gone("inactive".into());
    let shared = model.person("debian", "shared", &["admin"]);
    model.who("debian", &shared).kind = PersonKind::RoleAccount;
    let guest = model.person("debian", "guest", &["admin"]);
    model.who("debian", &guest).kind = PersonKind::Guest;
    model.who("debian", &guest).expires = Some(model.today);
    model.role("root", &["write"], true);
    model.grant("debian:admin", "root", &["hub"]);
    let keyless = model.person("debian", "keyless", &["admin"]);
    model.who("debian", &keyless).has_key = Some(false);

    let why = |name: &str| {
        let one = person(&model, name);
        assert_eq!((one.rights.len(), one.withheld.len()), (0, 2), "{name}");
        one.withheld[0].why.clone()
    };
    assert_eq!(why("gone"), Why::Gone("departed (status is inactive)".into()));
    assert_eq!(why("shared"), Why::RoleAccount);
    assert_eq!(why("guest"), Why::Gone("locked (account expired on 2026-11-01)".into()));
    assert_eq!(why("keyless"), Why::NoKey { privileged: "root".into() });
}

#[test]
fn a_grant_that_ended_and_a_group_that_holds_nothing() {
    let mut model = Model::simple();
    model.of("debian").groups.insert("idle".into());
    model.person("debian", "alice", &["admin", "idle"]);
    model.grants[0].until = Some(model.today);
    let alice = person(&model, "alice");
    assert!(alice.rights.is_empty() && alice.may_have_access);
    let idle: Vec<_> =
        alice.idle_groups.iter().map(|one| (one.group.to_string(), one.ended.len())).collect();
    assert_eq!(idle, [("debian:admin".into(), 1), ("debian:idle".into(), 0)]);

    // One day earlier it still held.
    model.today = date(2026, 10, 31);
    assert_eq!(person(&model, "alice").rights.len(), 1);
}

#[test]
fn two_who_want_one_name_are_told() {
    let mut model = Model::simple();
    model.person("debian", "alice", &["admin"]);
    model.person("debian", "ALICE", &["admin"]);
    // The equal name is meant.
    let alice = person(&model, "alice");
    assert_eq!(alice.login.as_str(), "alice");
    assert!(alice.users[0].blocked && alice.rights[0].ways[0].blocked.is_some());
    with_view(&model.given(), |view| {
        let ambiguous = find(view, "Alice").unwrap_err();
        assert!(
            matches!(ambiguous, Unknown::Ambiguous { candidates, .. } if candidates.len() == 2)
        );
    });
}

#[test]
fn every_form_of_a_name_is_found() {
    let mut model = Model::simple();
    let id = model.person("debian", "Alice", &["admin"]);
    model.of("debian").prefix = "deb-".into();
    with_view(&model.given(), |view| {
        let subject = format!("person:debian:{id}");
        for name in [
            "Alice",
            "alice",
            "debian:alice",
            "person:debian:Alice",
            &subject,
            "deb-Alice",
            " alice ",
        ] {
            let found = find(view, name).unwrap();
            assert_eq!(found.to_string(), format!("person:debian:{id}  (debian:Alice)"), "{name}");
        }
        for name in ["admin", "debian:admin", "group:debian:admin", "group:admin", "deb-admin"] {
            assert_eq!(find(view, name).unwrap().to_string(), "group:debian:admin", "{name}");
        }
        for name in ["hub", "spi/hub", "account:hub", "100000000001"] {
            assert_eq!(find(view, name).unwrap().to_string(), "account:hub", "{name}");
        }
        // Groups of userdir are case-exact.
        for (name, expected) in [("Admin", Some("admin")), ("debian:alcie", Some("debian:Alice"))] {
            let Err(Unknown::Nothing { nearest, .. }) = find(view, name) else {
                panic!("{name} was found")
            };
            assert_eq!(nearest.as_deref(), expected);
        }
        for name in ["", ":", "person:", "group::", "service:", "person:debian:", "x:y:z"] {
            assert!(matches!(find(view, name), Err(Unknown::Nothing { .. })), "{name}");
        }
    });
}

#[test]
fn a_group_its_directory_does_not_know() {
    let mut model = Model::simple();
    model.grant("debian:nobody-knows", "operator", &["hub"]);
    let mut given = model.given();
    let known = |given: &Given| {
        with_view(given, |view| match explain(view, &find(view, "nobody-knows").unwrap()) {
            Some(Explained::Group(group)) => group.in_directory,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(known(&given), Some(false));
    for reading in given.directories.values_mut() {
        *reading = Reading::partial(reading.got().clone(), Missing::new("groups", "time limit"));
    }
    assert_eq!(known(&given), None);
}

#[test]
fn a_role_through_another_group_is_no_change() {
    let mut model = Model::simple();
    model.of("debian").groups.insert("web".into());
    model.person("debian", "alice", &["admin", "web"]);
    let before = model.given();
    model.grants.clear();
    model.grant("debian:web", "operator", &["hub"]);
    let after = model.given();
    let difference = with_view(&before, |before| with_view(&after, |after| compare(before, after)));
    assert!(difference.added.is_empty() && difference.removed.is_empty());
    assert_eq!((difference.groups_added.len(), difference.groups_removed.len()), (1, 1));
}
