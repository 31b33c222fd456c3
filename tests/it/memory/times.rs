//! What the embedded cloud does as time goes by.

use std::time::Duration;

use jiff::Timestamp;
use reconcile::cloud::memory::api::{Service, Shown};
use reconcile::cloud::memory::service::life::Progress;
use reconcile::cloud::memory::{MemoryVendor, MemoryWorld};
use reconcile::model::{ResourceKind, VendorId};

use super::fixture::{HUB, TARGET};
use super::resources::{
    DAY, NOON, become_, certificate, delete, front_end, issued, look, make, noon, records, server,
    zone,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn just_before(span: Duration) -> Duration {
    span.saturating_sub(SECOND)
}

/// What the service is at, if anything.
fn doing(shown: &Shown) -> &'static str {
    match &shown.progress {
        Progress::Settling { what, .. } => what,
        Progress::Settled => "",
        Progress::Failed { .. } => "failed",
    }
}

async fn told(service: &Service, shown: &Shown) -> (&'static str, Option<Timestamp>) {
    let now = look(service, shown).await;
    (doing(&now), now.end)
}

#[tokio::test]
async fn a_server_boots_for_two_minutes_and_no_write_starts_it_again() {
    let (world, service) = noon();
    let made = make(&service, server("back")).await;
    let booting = Progress::Settling { what: "booting", since: at(NOON) };
    assert_eq!(made.progress, booting);
    world.advance(just_before(2 * MINUTE));
    assert_eq!(look(&service, &made).await.progress, booting);
    world.advance(SECOND);
    assert_eq!(look(&service, &made).await.progress, Progress::Settled);
    let renamed = become_(&service, &made, server("other")).await.unwrap();
    assert_eq!(renamed.progress, Progress::Settled);
    assert_eq!((renamed.address, renamed.resource.made), (made.address, at(NOON)));
}

#[tokio::test]
async fn zones_and_record_sets_are_there_at_once() {
    let (_, service) = noon();
    let zone = make(&service, zone("example.org")).await;
    let a = make(&service, records(&zone.resource.id, "a.example.org", "A", "192.0.2.1")).await;
    assert_eq!((zone.progress, a.progress), (Progress::Settled, Progress::Settled));
}

#[tokio::test]
async fn a_front_end_is_deployed_after_it_is_made_and_after_each_update() {
    let (world, service) = noon();
    let certificate = issued(&world, &service, "cert", "a.example.org").await;
    let wanted = front_end("front", "a.example.org", &certificate.resource.id);
    let front = make(&service, wanted.clone()).await;
    for round in 0..2 {
        let since = world.now();
        assert_eq!(
            look(&service, &front).await.progress,
            Progress::Settling { what: "being deployed", since },
            "{round}"
        );
        world.advance(just_before(5 * MINUTE));
        assert_eq!(told(&service, &front).await.0, "being deployed");
        world.advance(SECOND);
        assert_eq!(told(&service, &front).await.0, "");
        become_(&service, &front, wanted.clone()).await.unwrap();
    }
    // An update while it is being deployed begins anew.
    world.advance(4 * MINUTE);
    become_(&service, &front, wanted).await.unwrap();
    world.advance(4 * MINUTE);
    assert_eq!(told(&service, &front).await.0, "being deployed");
}

#[tokio::test]
async fn times_are_as_tests_want_them() {
    let (world, service) = noon();
    world.behave(|behaviour| behaviour.times.server_boots = Duration::ZERO);
    assert_eq!(doing(&make(&service, server("back")).await), "");
    world.behave(|behaviour| behaviour.times.certificate_issues = Duration::ZERO);
    let zone = make(&service, zone("example.org")).await;
    let certificate = make(&service, certificate("cert", "example.org")).await;
    prove(&service, &zone, &certificate).await;
    assert_eq!(told(&service, &certificate).await.0, "");
}

async fn prove(service: &Service, zone: &Shown, certificate: &Shown) -> Shown {
    let proof = certificate.proof.clone().unwrap();
    make(service, records(&zone.resource.id, &proof.name, "CNAME", &proof.value)).await
}

#[tokio::test]
async fn a_certificate_is_issued_two_days_after_its_proof() {
    let (world, service) = noon();
    let certificate = make(&service, certificate("cert", "a.example.org")).await;
    let waiting =
        Progress::Settling { what: "waiting for the proof of its names", since: at(NOON) };
    assert_eq!((&certificate.progress, certificate.end), (&waiting, None));
    world.advance(DAY);
    assert_eq!(look(&service, &certificate).await.progress, waiting);
    // The zone may be in any account of the world.
    let other = world.service(TARGET);
    let zone = make(&other, zone("example.org")).await;
    let proof = certificate.proof.clone().unwrap();
    let wrong = records(&zone.resource.id, &proof.name, "CNAME", "x.proof.memory.example");
    let record = make(&other, wrong).await;
    assert_eq!(look(&service, &certificate).await.progress, waiting);
    let right = records(&zone.resource.id, &proof.name, "CNAME", &proof.value);
    become_(&other, &record, right).await.unwrap();
    let since = world.now();
    let issuing = Progress::Settling { what: "being issued", since };
    assert_eq!(look(&service, &certificate).await.progress, issuing);
    world.advance(just_before(2 * DAY));
    // More than three days after it was made: in time all the same, since the proof was.
    assert_eq!(look(&service, &certificate).await.progress, issuing);
    world.advance(SECOND);
    assert_eq!(told(&service, &certificate).await, ("", Some(at("2027-06-17T12:00:00Z"))));
    assert_eq!(world.now(), at("2026-12-01T12:00:00Z"), "198 days before");
}

#[tokio::test]
async fn a_proof_that_goes_and_comes_begins_anew() {
    let (world, service) = noon();
    let zone = make(&service, zone("example.org")).await;
    let certificate = make(&service, certificate("cert", "example.org")).await;
    let record = prove(&service, &zone, &certificate).await;
    world.advance(DAY);
    delete(&service, &record).await.unwrap();
    assert_eq!(told(&service, &certificate).await.0, "waiting for the proof of its names");
    world.advance(DAY);
    prove(&service, &zone, &certificate).await;
    world.advance(just_before(2 * DAY));
    assert_eq!(told(&service, &certificate).await.0, "being issued");
    world.advance(SECOND);
    assert_eq!(told(&service, &certificate).await.0, "");
}

#[tokio::test]
async fn a_certificate_that_is_not_proven_in_three_days_fails_for_good() {
    let (world, service) = noon();
    let zone = make(&service, zone("example.org")).await;
    let certificate = make(&service, certificate("cert", "example.org")).await;
    world.advance(just_before(3 * DAY));
    assert_eq!(told(&service, &certificate).await.0, "waiting for the proof of its names");
    world.advance(SECOND);
    let why = "its names were not proven in time".to_owned();
    assert_eq!(look(&service, &certificate).await.progress, Progress::Failed { why });
    prove(&service, &zone, &certificate).await;
    world.advance(9 * DAY);
    assert_eq!(told(&service, &certificate).await, ("failed", None));
    delete(&service, &certificate).await.unwrap();
}

/// A front end whose certificate is issued, and the record that proves its name.
async fn served(world: &MemoryWorld, service: &Service) -> (Shown, Shown, VendorId) {
    let certificate = issued(world, service, "cert", "a.example.org").await;
    let front = make(service, front_end("front", "a.example.org", &certificate.resource.id)).await;
    let records = service.list_resources(ResourceKind::RecordSet, None).await.unwrap().body;
    let record = records.items[0].resource.id.as_str().into();
    (certificate, front, record)
}

#[tokio::test]
async fn a_certificate_in_use_renews_itself_from_forty_five_days_before_its_end() {
    let (world, service) = noon();
    let (certificate, _, record) = served(&world, &service).await;
    let end = certificate.end.unwrap();
    assert_eq!(end, at(NOON) + 200 * DAY);
    world.set_clock(end - 45 * DAY - SECOND);
    assert_eq!(told(&service, &certificate).await, ("", Some(end)));
    world.advance(SECOND);
    let second = end + 153 * DAY;
    assert_eq!(told(&service, &certificate).await, ("", Some(second)));
    // Nobody looks for years, and nobody has to.
    world.set_clock(end + 20 * 153 * DAY);
    let late = look(&service, &certificate).await;
    assert_eq!((doing(&late), late.resource.id), ("", certificate.resource.id.clone()));
    let last = late.end.unwrap();
    assert!(last > world.now() && last <= world.now() + 198 * DAY);
    // Without its proof it lives on to its end, and no longer.
    world.remove_resource(HUB, &record).unwrap();
    world.set_clock(last - SECOND);
    assert_eq!(told(&service, &certificate).await, ("", Some(last)));
    world.set_clock(last);
    let dead = look(&service, &certificate).await;
    assert_eq!(dead.progress, Progress::Failed { why: format!("it expired at {last}") });
    assert_eq!(dead.end, Some(last));
}

#[tokio::test]
async fn a_certificate_that_no_front_end_uses_expires() {
    let (world, service) = noon();
    let certificate = issued(&world, &service, "cert", "a.example.org").await;
    let end = certificate.end.unwrap();
    world.set_clock(end - DAY);
    assert_eq!(told(&service, &certificate).await, ("", Some(end)));
    // Taken into use on its last day, it renews at once.
    let front = front_end("front", "a.example.org", &certificate.resource.id);
    let front = make(&service, front).await;
    let renewed = end - DAY + 198 * DAY;
    assert_eq!(told(&service, &certificate).await, ("", Some(renewed)));
    world.remove_resource(HUB, &front.resource.id.as_str().into()).unwrap();
    world.set_clock(renewed);
    assert_eq!(told(&service, &certificate).await, ("failed", Some(renewed)));
    // What has expired comes back to nobody.
    let front = front_end("front", "a.example.org", &certificate.resource.id);
    service.create_resource(front).await.unwrap_err();
}

#[tokio::test]
async fn a_front_end_with_an_expired_certificate_can_still_be_disabled() {
    let (world, service) = noon();
    let (certificate, front, record) = served(&world, &service).await;
    world.remove_resource(HUB, &record).unwrap();
    world.set_clock(certificate.end.unwrap());
    let wanted = front_end("front", "a.example.org", &certificate.resource.id);
    let off = super::resources::with(wanted, "enabled", false);
    become_(&service, &front, off).await.unwrap();
}

#[tokio::test]
async fn a_state_file_keeps_what_time_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.jsonl");
    let open = |now: Timestamp| {
        let world = MemoryVendor::open(&path).unwrap().world();
        world.set_clock(now);
        world
    };
    let world = open(at(NOON));
    let (certificate, _, record) = served(&world, &world.service(HUB)).await;
    let end = certificate.end.unwrap();
    let later = open(end);
    let renewed = (look(&later.service(HUB), &certificate).await.end).unwrap();
    assert_eq!(renewed, end + 153 * DAY);
    later.remove_resource(HUB, &record).unwrap();
    let last = open(renewed);
    assert_eq!(told(&last.service(HUB), &certificate).await, ("failed", Some(renewed)));
    let length = std::fs::metadata(&path).unwrap().len();
    last.service(HUB).list_resources(ResourceKind::Certificate, None).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), length, "time writes nothing");
}

#[tokio::test]
async fn a_clock_that_is_set_back_changes_nothing() {
    let (world, service) = noon();
    let (certificate, ..) = served(&world, &service).await;
    let before = told(&service, &certificate).await;
    world.set_clock(at(NOON));
    assert_eq!(told(&service, &certificate).await, before);
}

#[tokio::test]
async fn a_proof_by_hand_counts_and_one_under_the_name_of_another_does_not() {
    let (world, service) = noon();
    let zone = make(&service, zone("example.org")).await;
    let one = make(&service, certificate("one", "a.example.org")).await;
    let two = make(&world.service(TARGET), certificate("two", "b.example.org")).await;
    let (of_one, of_two) = (one.proof.clone().unwrap(), two.proof.clone().unwrap());
    let other = records(&zone.resource.id, &of_one.name, "TXT", &of_two.value);
    let settings = other.settings.clone();
    let id = world.add_resource(HUB, ResourceKind::RecordSet, "hand", settings, None).unwrap();
    for (at, shown) in [(&service, &one), (&world.service(TARGET), &two)] {
        assert_eq!(told(at, shown).await.0, "waiting for the proof of its names");
    }
    let prove = |name: String, value: &str| {
        let value = [value].into();
        world
            .edit_resource(HUB, &id, |record| {
                record.settings.insert("domain".to_owned(), (*name).into());
                record.settings.insert("values".to_owned(), value);
            })
            .unwrap();
    };
    prove(of_one.name.to_uppercase(), &of_one.value.to_uppercase());
    assert_eq!(told(&service, &one).await.0, "being issued");
    // The record now says something else, of another certificate: one loses, the other has it.
    prove(of_two.name.clone(), &of_two.value);
    assert_eq!(told(&service, &one).await.0, "waiting for the proof of its names");
    assert_eq!(told(&world.service(TARGET), &two).await.0, "being issued");
}
