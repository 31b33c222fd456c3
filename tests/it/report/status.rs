//! What `reconcile status` looks like.

use jiff::civil::date;
use reconcile::model::{Kind, Missing, ResourceKind, Subject};
use reconcile::plan::Incomplete;
use reconcile::report;
use reconcile::status::{Item, Next, Standing, Status, Urgency};

use super::sample::{person, place, plain};

fn item(urgency: Urgency, kind: Option<Kind>, object: &str, standing: Standing) -> Item {
    let part = || Subject::Part { mirror: "debian".into(), part: "x".into(), generation: 1 };
    let subject = kind.map(|kind| if kind == Kind::User { person("2005") } else { part() });
    let place = place("spi", if kind == Some(Kind::User) { "aws-hub" } else { "mirrors" });
    let (object, next) = (object.to_owned(), None);
    Item { urgency, place, day: None, kind, object, subject, standing, next }
}

/// Everything that can be told.
fn status() -> Status {
    let of = |kind| Some(Kind::Resource(kind));
    let certificate = of(ResourceKind::Certificate);
    let ends = |on, renews, over| Standing::Ends { on, renews, over };
    let suspended =
        Standing::Suspended { since: date(2026, 10, 20), deleted: Some(date(2026, 11, 19)) };
    let waits = |what: &str, since: Option<&str>| Standing::Waits {
        what: what.into(),
        since: since.map(|since| since.parse().expect("a time")),
    };
    let drains = |what: Option<&str>| Standing::Drains {
        since: date(2026, 11, 21),
        what: what.map(str::to_owned),
    };
    let (server, front) = (of(ResourceKind::Server), of(ResourceKind::FrontEnd));
    let why = || "its names were not proven in time".to_owned();
    let user = item(Urgency::Leaves, Some(Kind::User), "grace", suspended);
    let items = vec![
        item(
            Urgency::Ends,
            certificate,
            "other-certificate-1",
            ends(date(2026, 11, 20), false, true),
        ),
        item(
            Urgency::Ends,
            None,
            "the certificate of the log-in service",
            ends(date(2026, 12, 2), false, false),
        ),
        item(Urgency::Failed, certificate, "third-certificate-1", Standing::Failed { why: why() }),
        item(
            Urgency::Damaged,
            server,
            "debian-server.europe.1-1",
            Standing::Damaged { why: "no subject\u{1b}[2J".into() },
        ),
        item(
            Urgency::Waits,
            front,
            "debian-front.north-america-1",
            waits("waits for debian-certificate-1 (waiting for the proof of its names)", None),
        ),
        item(
            Urgency::Waits,
            server,
            "debian-server.europe.2-2",
            waits("booting", Some("2026-11-22T09:58:00.5Z")),
        ),
        Item { next: Some(Next::Deleted), ..user.clone() },
        Item { object: "hopper".into(), next: Some(Next::Held), ..user.clone() },
        Item { object: "ada".into(), next: Some(Next::Restored), ..user },
        item(
            Urgency::Leaves,
            server,
            "debian-server.europe.2-1",
            drains(Some("drains since 2026-11-21, and goes the day after")),
        ),
        Item {
            next: Some(Next::Deleted),
            ..item(Urgency::Leaves, front, "old-front-1", drains(None))
        },
        item(
            Urgency::EndsLater,
            certificate,
            "debian-certificate-1",
            ends(date(2027, 5, 18), true, false),
        ),
    ];
    let incomplete = vec![Incomplete {
        read: "account spi/aws-builders".into(),
        missing: vec![Missing::new(
            "roles",
            "denied (AccessDenied) after 2 pages; the policy of the program lacks iam:ListRoles",
        )],
    }];
    Status { today: date(2026, 11, 22), items, incomplete, changes: 2, errors: 1, warnings: 0 }
}

#[test]
fn as_text() {
    let status = status();
    let text = plain(|out| report::status_text(out, &status));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn well() {
    let mut status = Status { incomplete: vec![], changes: 0, errors: 0, ..status() };
    status.items.retain(|item| item.urgency == Urgency::EndsLater);
    let text = plain(|out| report::status_text(out, &status));
    assert!(text.ends_with("\n\nAll is well.\n"), "{text}");
    status.items.clear();
    assert_eq!(plain(|out| report::status_text(out, &status)), "All is well.\n");
    status.changes = 1;
    let text = plain(|out| report::status_text(out, &status));
    assert_eq!(text, "`reconcile --dry-run` shows 1 change to be made.\n");
}
