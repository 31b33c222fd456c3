//! A plan with every kind of step, and outcomes of every kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::date;
use reconcile::apply::{Outcomes, Stopped};
use reconcile::diagnostic::Finding;
use reconcile::event::Outcome;
use reconcile::guard::{AdministratorGroup, AdministratorSet, Context, Review, review};
use reconcile::model::{
    Access, AttributeValue, ChangeId, Credential, GroupRef, GroupSpec, Kind, Missing, Place,
    Private, Reason, RoleSpec, Source, Subject, UserSpec,
};
use reconcile::plan::{Change, Incomplete, Life, Output, Plan, Reference, Step, Target, Withheld};
use reconcile::policies::{Limit, Limits, Policies};

pub fn place(organisation: &str, account: &str) -> Place {
    Place { organisation: organisation.into(), account: account.into() }
}

pub fn person(id: &str) -> Subject {
    Subject::Person { directory: "debian".into(), stable_id: id.into() }
}

fn group_ref(name: &str) -> GroupRef {
    GroupRef { directory: "debian".into(), group: name.into() }
}

pub fn user(name: &str, access: Access) -> UserSpec {
    UserSpec {
        name: name.into(),
        display_name: Some(Private::new("Ada Planted Lovelace".into())),
        email: Some(Private::new("planted@example.org".into())),
        access,
    }
}

fn known(name: &str) -> Target {
    Target { id: Reference::Known(format!("id-{name}").into()), name: name.into() }
}

fn made(by: u32, name: &str) -> Target {
    Target { id: Reference::Made { by: ChangeId(by), output: Output::Id }, name: name.into() }
}

fn role(name: &str, actions: &[&str], hours: i64) -> RoleSpec {
    let actions: BTreeSet<String> = actions.iter().map(|action| (*action).to_owned()).collect();
    RoleSpec {
        name: name.into(),
        description: "Runs the builders".into(),
        attributes: BTreeMap::from([
            ("actions".into(), AttributeValue::Set(actions)),
            ("session-hours".into(), AttributeValue::Number(hours)),
        ]),
    }
}

fn grant(line: u32) -> Reason {
    Reason::Grant {
        group: group_ref("admin"),
        role: "operator".into(),
        source: Source::new("inventory/debian.yaml", line, 3),
        note: "keep the builders running".into(),
    }
}

fn member() -> Reason {
    Reason::Member { group: group_ref("admin"), through: Some("dsa".into()), primary: false }
}

fn gone(id: &str) -> Reason {
    Reason::Gone { subject: person(id), why: "departed (status is inactive)".into() }
}

/// Every kind of step, in two accounts of one organisation and one of another.
#[expect(clippy::too_many_lines, reason = "one entry per kind of step")]
pub fn plan() -> Plan {
    let hub = || place("spi", "aws-hub");
    let builders = || place("spi", "aws-builders");
    let other = || place("debian-france", "memory");
    let suspended = Access::Enabled.suspended(date(2026, 10, 20));
    let admin = || Subject::Group(group_ref("admin"));
    let operator = || Subject::Role("operator".into());
    let not_asked = |subject: Subject| Reason::NotInInventory { subject };
    let steps: Vec<(Place, Step, Vec<u32>, Vec<Reason>)> = vec![
        (
            hub(),
            Step::RevokeCredential {
                user: "grace".into(),
                subject: person("2001"),
                credential: Box::new(Credential {
                    user: "id-grace".into(),
                    kind: "access-key".into(),
                    id: "AKIAEXAMPLE".into(),
                    handed_over: None,
                }),
                replaced_by: None,
            },
            vec![],
            vec![gone("2001")],
        ),
        (
            hub(),
            Step::RemoveMember {
                group: known("admin"),
                user: known("grace"),
                subject: Some(person("2001")),
            },
            vec![],
            vec![gone("2001")],
        ),
        (
            hub(),
            Step::RemoveMember { group: known("admin"), user: known("mallory"), subject: None },
            vec![],
            vec![Reason::ByHand],
        ),
        (
            builders(),
            Step::UnbindRole { role: known("reader"), group: known("admin"), by_hand: None },
            vec![],
            vec![Reason::GrantEnded {
                until: date(2026, 11, 1),
                source: Source::new("inventory/debian.yaml", 30, 3),
            }],
        ),
        (
            hub(),
            Step::User(Life::Retire {
                id: "id-grace".into(),
                subject: person("2001"),
                before: Box::new(user("grace", Access::Enabled)),
                on: date(2026, 11, 22),
            }),
            vec![],
            vec![gone("2001")],
        ),
        (
            hub(),
            Step::User(Life::Delete {
                id: "id-old".into(),
                subject: person("2002"),
                before: Box::new(user("old", suspended)),
            }),
            vec![],
            vec![Reason::GraceOver { since: date(2026, 10, 20), days: 30 }],
        ),
        (
            hub(),
            Step::Group(Life::Delete {
                id: "id-retired".into(),
                subject: admin(),
                before: GroupSpec { name: "retired".into() },
            }),
            vec![],
            vec![not_asked(admin())],
        ),
        (
            builders(),
            Step::Role(Life::Delete {
                id: "id-reader".into(),
                subject: Subject::Role("reader".into()),
                before: Box::new(role("reader", &[], 1)),
            }),
            vec![],
            vec![not_asked(Subject::Role("reader".into()))],
        ),
        (
            hub(),
            Step::User(Life::Create {
                subject: person("1001"),
                spec: Box::new(user("ada", Access::Enabled)),
            }),
            vec![],
            vec![member(), grant(12)],
        ),
        (
            hub(),
            Step::User(Life::Update {
                id: "id-bob".into(),
                subject: person("1002"),
                before: Box::new(user("bob", Access::Enabled)),
                after: Box::new(UserSpec { email: None, ..user("robert", Access::Enabled) }),
            }),
            vec![],
            vec![Reason::Renamed { subject: person("1002") }],
        ),
        (
            hub(),
            Step::User(Life::Restore {
                id: "id-linus".into(),
                subject: person("1003"),
                before: Box::new(user("linus", suspended)),
            }),
            vec![],
            vec![Reason::Returned { since: date(2026, 10, 20) }],
        ),
        (
            hub(),
            Step::Group(Life::Create {
                subject: admin(),
                spec: GroupSpec { name: "debian-a-name-that-is-longer-than-others".into() },
            }),
            vec![],
            vec![grant(12)],
        ),
        (
            hub(),
            Step::Group(Life::Update {
                id: "id-qa".into(),
                subject: admin(),
                before: GroupSpec { name: "qa".into() },
                after: GroupSpec { name: "debian-qa".into() },
            }),
            vec![],
            vec![Reason::Differs { what: "its name".into() }],
        ),
        (
            builders(),
            Step::Role(Life::Create {
                subject: operator(),
                spec: Box::new(role("operator", &["ec2:StartInstances", "ec2:StopInstances"], 4)),
            }),
            vec![],
            vec![Reason::Definition { source: Source::new("policies/roles.yaml", 4, 1) }],
        ),
        (
            builders(),
            Step::Role(Life::Update {
                id: "id-auditor".into(),
                subject: Subject::Role("auditor".into()),
                before: Box::new(role("auditor", &["s3:Get", "s3:Put"], 4)),
                after: Box::new(role("auditor", &["s3:Get", "s3:List"], 1)),
            }),
            vec![],
            vec![Reason::Definition { source: Source::new("policies/roles.yaml", 14, 1) }],
        ),
        (
            other(),
            Step::User(Life::Create {
                subject: person("1001"),
                spec: Box::new(user("ada", Access::Enabled)),
            }),
            vec![],
            vec![member(), grant(40)],
        ),
        (
            hub(),
            Step::AddMember {
                group: made(11, "admin"),
                user: made(8, "ada"),
                subject: person("1001"),
            },
            vec![8, 11],
            vec![member()],
        ),
        (
            builders(),
            Step::BindRole { role: made(13, "operator"), group: made(11, "admin") },
            vec![11, 13],
            vec![grant(12)],
        ),
    ];
    Plan {
        today: date(2026, 11, 22),
        changes: (0..)
            .zip(steps)
            .map(|(id, (place, step, needs, reasons))| {
                Change::new(
                    ChangeId(id),
                    Arc::new(place),
                    step,
                    needs.into_iter().map(ChangeId).collect(),
                    reasons.into(),
                )
            })
            .collect(),
        waiting: Vec::new(),
        withheld: vec![Withheld {
            place: other(),
            kind: Kind::Membership,
            count: 4,
            because: "directory debian".into(),
        }],
        incomplete: vec![Incomplete {
            read: "directory debian".into(),
            missing: vec![Missing::new(
                "people below ou=users,dc=debian,dc=org",
                "size limit exceeded (4) after 500 entries",
            )],
        }],
        findings: vec![
            Finding::error("unknown-group", "the group debian:dsaa is not in its directory")
                .at(&Source::new("inventory/debian.yaml", 12, 5))
                .hint("did you mean debian:dsa?"),
            Finding::warning("foreign-user", "ada is there and not ours").in_place(&hub()),
        ],
        census: BTreeMap::from([(
            "spi".into(),
            BTreeMap::from([(Kind::User, 40), (Kind::Membership, 90)]),
        )]),
    }
}

/// Reviewed with limits that hold the removals of users.
pub fn reviewed(plan: Plan) -> Review {
    let mut limits = Limits::default();
    for (kind, limit) in &mut limits.kinds {
        let allowed = if *kind == Kind::User { 1 } else { 1000 };
        *limit = Limit { count: allowed, percent: 100, floor: allowed };
    }
    let policies = Policies { limits, ..Policies::default() };
    review(plan, &Context::new(&policies))
}

/// All of some administrators leave where one membership may end in a run and `minimum`
/// administrators must stay.
pub fn leaving(administrators: u32, minimum: u32) -> Review {
    all_leave(administrators, minimum, false)
}

/// The same, approved.
pub fn leaving_approved(administrators: u32, minimum: u32) -> Review {
    all_leave(administrators, minimum, true)
}

fn all_leave(administrators: u32, minimum: u32, approved: bool) -> Review {
    let leave = |number: u32| {
        Change::new(
            ChangeId(number),
            Arc::new(place("spi", "aws-hub")),
            Step::RemoveMember {
                group: known("admin"),
                user: known(&number.to_string()),
                subject: Some(person(&number.to_string())),
            },
            vec![],
            [Reason::NotMember { group: group_ref("admin") }].into(),
        )
    };
    let mut plan = Plan::empty(date(2026, 11, 22));
    plan.changes = (0..administrators).map(leave).collect();
    plan.census = BTreeMap::from([("spi".into(), BTreeMap::from([(Kind::Membership, 90)]))]);
    let mut limits = Limits::default();
    limits.kinds.insert(Kind::Membership, Limit { count: 1, percent: 100, floor: 1 });
    let policies = Policies { limits, ..Policies::default() };
    let mut context = Context::new(&policies);
    let members = (0..administrators).map(|number| number.to_string());
    let members = members.map(|one| (format!("id-{one}").into(), person(&one))).collect();
    let group = AdministratorGroup { roles: ["id-operator".into()].into(), members };
    context.administrators = vec![AdministratorSet {
        account: place("spi", "aws-hub"),
        hub: place("spi", "aws-hub"),
        home: place("spi", "aws-hub"),
        group: group_ref("admin"),
        groups: BTreeMap::from([("id-admin".into(), group)]),
        left: BTreeSet::new(),
        as_wide: BTreeMap::new(),
        back: BTreeSet::new(),
        minimum,
        required: BTreeSet::new(),
    }];
    context.approved = approved.then(|| plan.digest());
    review(plan, &context)
}

/// Every kind of outcome.
pub fn outcomes(review: &Review, stopped: Option<Stopped>) -> Outcomes {
    let by_change = review
        .approved
        .plan()
        .changes
        .iter()
        .map(|change| match (change.id.0, review.approved.held().get(&change.id)) {
            (_, Some(why)) => Outcome::Held { why: why.to_string() },
            (1, _) => Outcome::AlreadyTrue,
            (11, _) => Outcome::Failed {
                why: "CreateGroup admin: the quota of groups is used up (request 4711)".into(),
                hint: Some("ask the vendor for a higher quota, or use less of it".into()),
            },
            (16 | 17, _) => Outcome::Skipped {
                why: "depends on \"create group admin\" in spi/aws-hub, which failed".into(),
            },
            _ => Outcome::Applied,
        })
        .collect();
    Outcomes { by_change, stopped }
}

/// What a function writes, without colours.
pub fn plain(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut written = Vec::new();
    write(&mut written).expect("writing to memory");
    let written = String::from_utf8(written).expect("UTF-8");
    anstream::adapter::strip_str(&written).to_string()
}
