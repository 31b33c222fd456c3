//! Jobs of a forge: a role of their own, no user, no key; explained and compared.

use insta::assert_snapshot;
use reconcile::apply::Options;
use reconcile::cloud::memory::MemoryVendor;
use reconcile::desired::{Inputs, resolve};
use reconcile::inventory::ServiceIdentity;
use reconcile::model::{Federation, Forge, GitRef};
use reconcile::report::{
    DIFFERENCE_FORMAT, DifferenceReport, EXPLANATION_FORMAT, ExplanationReport, difference_text,
    explanation_text,
};
use reconcile::rights::{Explained, View, compare, explain, find};

use crate::engine::run::{Cloud, on_a_fast_clock};
use crate::engine::world::{Model, ServiceModel};

fn jobs() -> Federation {
    Federation {
        forge: Forge::Gitlab,
        issuer: "https://gitlab.example.org".to_owned(),
        project: "debian/mirrors".to_owned(),
        git_ref: Some(GitRef::Branch("main".to_owned())),
        protected: true,
        networks: ["192.0.2.0/24".to_owned(), "2001:db8::/32".to_owned()].into(),
        session_hours: Some(2),
    }
}

fn model(federation: Federation) -> Model {
    let mut model = Model::simple();
    model.person("debian", "alice", &["admin"]);
    model.account("spi", "mirror", "100000000002", "hub");
    let service = ServiceModel {
        role: "operator".to_owned(),
        accounts: ["hub".to_owned(), "mirror".to_owned()].into(),
        until: None,
        identity: ServiceIdentity::Forge(federation),
    };
    model.services.insert("ci".to_owned(), service);
    model
}

fn with_view<T>(model: &Model, look: impl FnOnce(&View<'_>) -> T) -> T {
    let (given, vendors) = (model.given(), [MemoryVendor::facts()]);
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

fn explained(model: &Model, name: &str) -> String {
    let explained: Explained =
        with_view(model, |view| explain(view, &find(view, name).unwrap()).unwrap());
    let report = ExplanationReport {
        format: EXPLANATION_FORMAT,
        today: model.today.to_string(),
        not_complete: &[],
        explained: &explained,
    };
    let mut out = Vec::new();
    explanation_text(&mut anstream::StripStream::new(&mut out), &report).unwrap();
    String::from_utf8(out).unwrap()
}

fn compared(base: &Model, head: &Model) -> String {
    let difference = with_view(base, |base| with_view(head, |head| compare(base, head)));
    let report = DifferenceReport {
        format: DIFFERENCE_FORMAT,
        base: "before".to_owned(),
        head: "after".to_owned(),
        today: base.today.to_string(),
        not_complete: &[],
        notes: &[],
        difference: &difference,
    };
    let mut out = Vec::new();
    difference_text(&mut anstream::StripStream::new(&mut out), &report).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn they_get_a_role_of_their_own_that_says_who_they_are_and_nothing_else() {
    on_a_fast_clock(async {
        let cloud = Cloud::new();
        let mut model = model(jobs());
        cloud.run(&model.given(), Options::default()).await;
        let lines = cloud.world.describe().unwrap();
        let about: Vec<&str> =
            lines.iter().map(String::as_str).filter(|line| line.contains("-ci")).collect();
        assert_snapshot!("made", about.join("\n"));
        assert!(cloud.dry_run(&model).await.changes.is_empty());
        // Other jobs: the same role, changed in place.
        let other = Federation { project: "debian/other".to_owned(), ..jobs() };
        model.services.get_mut("ci").unwrap().identity = ServiceIdentity::Forge(other);
        let plan = cloud.dry_run(&model).await;
        let verbs: Vec<&str> = plan.changes.iter().map(|change| change.step.verb()).collect();
        assert_eq!(verbs, ["update role", "update role"]);
        // Drift is put right, and what is no longer wanted goes.
        model.services.clear();
        cloud.run(&model.given(), Options::default()).await;
        let lines = cloud.world.describe().unwrap();
        assert!(!lines.iter().any(|line| line.contains("-ci")), "{lines:?}");
    });
}

#[test]
fn who_may_take_on_what_is_explained() {
    let model = model(jobs());
    assert_snapshot!("explain_service", explained(&model, "ci"));
    assert_snapshot!("explain_account", explained(&model, "mirror"));
}

#[test]
fn every_change_of_who_they_are_is_a_right_given_and_one_taken() {
    let main = model(jobs());
    assert_snapshot!("same", compared(&main, &main));
    assert_snapshot!("new", compared(&Model { services: [].into(), ..main.clone() }, &main));
    let wider = Federation {
        git_ref: Some(GitRef::Branch("*".to_owned())),
        protected: false,
        networks: [].into(),
        session_hours: None,
        ..jobs()
    };
    assert_snapshot!("wider", compared(&main, &model(wider)));
    let mut user = main.clone();
    user.services.get_mut("ci").unwrap().identity = ServiceIdentity::User;
    assert_snapshot!("from_a_user", compared(&user, &main));
    let mut ends = main.clone();
    ends.services.get_mut("ci").unwrap().until = Some(jiff::civil::date(2027, 1, 1));
    assert_snapshot!("ends", compared(&main, &ends));
}
