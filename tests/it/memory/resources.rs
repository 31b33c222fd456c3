//! What mirrors are made of, at the embedded cloud: what it keeps, shows and refuses.

use std::collections::BTreeMap;
use std::time::Duration;

use reconcile::cloud::memory::api::{Code, Failure, ResourceInput, Service, Shown, Which};
use reconcile::cloud::memory::service::life::Progress;
use reconcile::cloud::memory::service::resource::Setting;
use reconcile::cloud::memory::{Fault, MemoryVendor, MemoryWorld, Operation};
use reconcile::model::ResourceKind::{self, Certificate, FrontEnd, RecordSet, Server, Zone};

use super::fixture::{HUB, TARGET};

pub const NOON: &str = "2026-11-28T12:00:00Z";
pub const DAY: Duration = Duration::from_hours(24);

/// A world that stands at noon, and the service for one account.
pub fn noon() -> (MemoryWorld, Service) {
    let world = MemoryVendor::in_memory().world();
    world.set_clock(NOON.parse().unwrap());
    let service = world.service(HUB);
    (world, service)
}

pub fn input<const N: usize>(
    kind: ResourceKind,
    name: &str,
    settings: [(&str, Setting); N],
) -> ResourceInput {
    let settings = settings.into_iter().map(|(word, value)| (word.to_owned(), value)).collect();
    ResourceInput { kind, name: name.to_owned(), settings, tags: BTreeMap::new() }
}

pub fn zone(domain: &str) -> ResourceInput {
    input(Zone, domain, [("domain", domain.into())])
}

pub fn records(zone: &str, domain: &str, kind: &str, value: &str) -> ResourceInput {
    let name = format!("{domain}-{kind}");
    let settings = [
        ("zone", zone.into()),
        ("domain", domain.into()),
        ("type", kind.into()),
        ("values", [value].into()),
        ("ttl", 300.into()),
    ];
    input(RecordSet, &name, settings)
}

pub fn certificate(name: &str, domain: &str) -> ResourceInput {
    input(Certificate, name, [("domains", [domain].into())])
}

pub fn server(name: &str) -> ResourceInput {
    let settings = [
        ("region", "north".into()),
        ("size", "small".into()),
        ("image", "debian-13".into()),
        ("disk", 100.into()),
        ("content", "sha256:1".into()),
    ];
    input(Server, name, settings)
}

pub fn front_end(name: &str, domain: &str, certificate: &str) -> ResourceInput {
    let settings = [
        ("domains", [domain].into()),
        ("certificate", certificate.into()),
        ("origins", ["198.18.0.1"].into()),
        ("enabled", true.into()),
    ];
    input(FrontEnd, name, settings)
}

pub fn with(mut input: ResourceInput, word: &str, value: impl Into<Setting>) -> ResourceInput {
    input.settings.insert(word.to_owned(), value.into());
    input
}

pub async fn make(service: &Service, input: ResourceInput) -> Shown {
    service.create_resource(input).await.unwrap().body
}

pub async fn look(service: &Service, shown: &Shown) -> Shown {
    let which = Which::Id(&shown.resource.id);
    service.get_resource(shown.resource.kind, which).await.unwrap().body
}

/// Makes it what is given, on its newest revision.
pub async fn become_(
    service: &Service,
    shown: &Shown,
    input: ResourceInput,
) -> Result<Shown, Failure> {
    let now = look(service, shown).await.resource;
    Ok(service.update_resource(&now.id, now.revision, input).await?.body)
}

pub async fn delete(service: &Service, shown: &Shown) -> Result<(), Failure> {
    let now = look(service, shown).await.resource;
    service.delete_resource(&now.id, now.revision).await.map(|_| ())
}

/// A certificate with its proof in a zone of its own, issued.
pub async fn issued(world: &MemoryWorld, service: &Service, name: &str, domain: &str) -> Shown {
    let zone = make(service, zone(domain)).await;
    let certificate = make(service, certificate(name, domain)).await;
    let proof = certificate.proof.clone().unwrap();
    let records = records(&zone.resource.id, &proof.name, "CNAME", &proof.value);
    make(service, ResourceInput { name: format!("{name}-proof"), ..records }).await;
    world.advance(2 * DAY);
    let certificate = look(service, &certificate).await;
    assert_eq!(certificate.progress, Progress::Settled);
    certificate
}

/// One of each kind, in the order in which they can be made.
async fn one_of_each(world: &MemoryWorld, service: &Service) -> Vec<Shown> {
    let certificate = issued(world, service, "cert", "a.example.org").await;
    let zone = service.get_resource(Zone, Which::Name("a.example.org")).await.unwrap().body;
    let records = service.get_resource(RecordSet, Which::Name("cert-proof")).await.unwrap().body;
    let server = make(service, server("back")).await;
    let front = front_end("front", "a.example.org", &certificate.resource.id);
    let front = with(front, "origins", [&*server.address.clone().unwrap()]);
    let front = make(service, front).await;
    vec![zone, records, certificate, server, front]
}

fn refused<T: std::fmt::Debug>(result: Result<T, Failure>, code: Code, words: &str) {
    let failure = result.unwrap_err();
    assert_eq!(failure.code, code, "{}", failure.message);
    assert!(failure.message.contains(words), "{}", failure.message);
}

#[tokio::test]
async fn one_of_each_kind_is_made_shown_listed_and_found() {
    let (world, service) = noon();
    let all = one_of_each(&world, &service).await;
    for shown in &all {
        let kind = shown.resource.kind;
        let page = service.list_resources(kind, None).await.unwrap().body;
        assert_eq!((page.items.len(), page.total, page.next), (1, 1, None), "{kind:?}");
        let again = look(&service, shown).await;
        assert_eq!(page.items[0], again);
        let upper = shown.resource.name.to_uppercase();
        let by_name = service.get_resource(kind, Which::Name(&upper)).await.unwrap().body;
        assert_eq!(by_name, again);
        // Neither another account nor another kind has it.
        let which = Which::Id(&shown.resource.id);
        let elsewhere = world.service(TARGET).get_resource(kind, which).await;
        refused(elsewhere, Code::NoSuchEntity, &shown.resource.id);
        let other = ResourceKind::ALL.into_iter().find(|other| *other != kind).unwrap();
        refused(service.get_resource(other, which).await, Code::NoSuchEntity, &shown.resource.id);
    }
    let address = |at: usize| all[at].address.clone();
    assert_eq!((address(0), address(1), address(2)), (None, None, None));
    assert!(address(3).unwrap().parse::<std::net::Ipv4Addr>().unwrap().octets()[0] == 198);
    assert_eq!(address(4).unwrap(), format!("{}.front.memory.example", all[4].resource.id));
    let proven = all.iter().filter(|shown| shown.proof.is_some()).count();
    assert_eq!(proven, 1);
}

#[tokio::test]
async fn lists_come_in_pages_of_one_kind_with_their_total() {
    let (world, service) = noon();
    world.behave(|behaviour| behaviour.page_size = 2);
    for number in 0..5 {
        make(&service, server(&format!("s{number}"))).await;
        make(&service, zone(&format!("z{number}.example.org"))).await;
    }
    let (mut token, mut names) = (None, Vec::new());
    loop {
        let page = service.list_resources(Server, token).await.unwrap().body;
        assert_eq!(page.total, 5);
        names.extend(page.items.into_iter().map(|shown| shown.resource.name));
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(names, ["s0", "s1", "s2", "s3", "s4"]);
}

#[tokio::test]
async fn names_are_unique_per_kind_and_account_whatever_their_case() {
    let (world, service) = noon();
    let one = make(&service, server("same")).await;
    refused(service.create_resource(server("SAME")).await, Code::EntityAlreadyExists, "name");
    let other = make(&service, server("other")).await;
    let renamed = become_(&service, &other, server("Same")).await;
    refused(renamed, Code::EntityAlreadyExists, "name");
    let kept = become_(&service, &one, server("SaMe")).await.unwrap();
    assert_eq!(kept.resource.name, "SaMe");
    make(&service, input(Zone, "same", [("domain", "a.example.org".into())])).await;
    make(&world.service(TARGET), server("same")).await;
    for name in ["", "a b", &"x".repeat(129)] {
        refused(service.create_resource(server(name)).await, Code::InvalidInput, "name");
    }
}

#[tokio::test]
async fn a_write_on_an_older_revision_is_refused() {
    let (_, service) = noon();
    let old = make(&service, server("back")).await.resource;
    let tagged = ResourceInput { tags: BTreeMap::from([("a".into(), "b".into())]), ..server("x") };
    let new = service.update_resource(&old.id, old.revision, tagged).await.unwrap().body.resource;
    assert!(new.revision > old.revision && new.tags.len() == 1);
    let stale = service.update_resource(&old.id, old.revision, server("y")).await;
    refused(stale, Code::ConcurrentModification, "meanwhile");
    let stale = service.delete_resource(&old.id, old.revision).await;
    refused(stale, Code::ConcurrentModification, "meanwhile");
    service.delete_resource(&new.id, new.revision).await.unwrap();
    refused(service.delete_resource(&new.id, new.revision).await, Code::NoSuchEntity, &new.id);
    let gone = service.update_resource(&new.id, new.revision, server("x")).await;
    refused(gone, Code::NoSuchEntity, &new.id);
}

#[tokio::test]
async fn settings_are_those_of_the_kind() {
    let (_, service) = noon();
    let zone = make(&service, zone("example.org")).await.resource.id;
    let a = || records(&zone, "a.example.org", "A", "192.0.2.1");
    for (wrong, words) in [
        (input(Server, "x", []), "needs `region`"),
        (with(server("x"), "colour", "red"), "no `colour`"),
        (with(server("x"), "disk", "large"), "`disk` is a Number"),
        (with(server("x"), "disk", 0), "1 GB"),
        (with(server("x"), "size", ""), "`size` is empty"),
        (certificate("x", "not a name"), "no domain name"),
        (certificate("x", "localhost"), "no domain name"),
        (input(Certificate, "x", [("domains", [].into())]), "`domains` is empty"),
        (with(a(), "type", "MX"), "A, AAAA, CNAME, TXT"),
        (with(a(), "ttl", -1), "`ttl`"),
        (with(a(), "values", ["::1"]), "no value of a record of type A"),
        (records(&zone, "a.example.org", "AAAA", "192.0.2.1"), "type AAAA"),
        (with(with(a(), "type", "CNAME"), "values", ["b.example", "c.example"]), "one value"),
        (with(a(), "domain", "a.example.com"), "not in the zone"),
        (with(a(), "domain", "notexample.org"), "not in the zone"),
        (with(front_end("x", "example.org", "y"), "enabled", 1), "`enabled` is a Flag"),
    ] {
        refused(service.create_resource(wrong).await, Code::InvalidInput, words);
    }
    for right in [
        a(),
        with(records(&zone, "EXAMPLE.org", "A", "192.0.2.1"), "near", "north"),
        records(&zone, "b.example.org", "A", "f-0.front.memory.example"),
        records(&zone, "_c.b.example.org", "TXT", "any \"words\""),
        certificate("stars", "*.example.org"),
    ] {
        make(&service, right).await;
    }
}

#[tokio::test]
async fn what_does_not_change_is_refused_and_the_rest_changes() {
    let (world, service) = noon();
    let all = one_of_each(&world, &service).await;
    let fixed: [(usize, &[(&str, Setting)]); 4] = [
        (0, &[("domain", "b.example.org".into())]),
        (1, &[("zone", "z-0".into()), ("type", "TXT".into()), ("near", "north".into())]),
        (2, &[("domains", ["b.example.org"].into())]),
        (3, &[("region", "x".into()), ("disk", 1.into()), ("content", "x".into())]),
    ];
    let same = |shown: &Shown| ResourceInput {
        kind: shown.resource.kind,
        name: shown.resource.name.clone(),
        settings: shown.resource.settings.clone(),
        tags: BTreeMap::from([("note".into(), "x".into())]),
    };
    for (at, changes) in fixed {
        for (word, value) in changes {
            let changed = with(same(&all[at]), word, value.clone());
            refused(become_(&service, &all[at], changed).await, Code::InvalidInput, "be changed");
        }
    }
    let other_kind = ResourceInput { kind: Zone, ..same(&all[3]) };
    refused(become_(&service, &all[3], other_kind).await, Code::InvalidInput, "");
    for shown in &all {
        let changed = become_(&service, shown, same(shown)).await.unwrap();
        assert_eq!(changed.resource.tags["note"], "x");
    }
    for (at, word, value) in [
        (1, "ttl", Setting::Number(5)),
        (4, "origins", ["198.18.0.9"].into()),
        (4, "region", "north".into()),
        (4, "enabled", false.into()),
    ] {
        let changed = become_(&service, &all[at], with(same(&all[at]), word, value.clone())).await;
        assert_eq!(changed.unwrap().resource.settings[word], value);
    }
}

#[tokio::test]
async fn a_name_and_type_have_one_record_set_for_each_region() {
    let (_, service) = noon();
    let zone = make(&service, zone("example.org")).await.resource.id;
    let a = |name: &str| {
        let records = records(&zone, "a.example.org", "A", "192.0.2.1");
        ResourceInput { name: name.to_owned(), ..records }
    };
    make(&service, a("one")).await;
    make(&service, with(a("north"), "near", "north")).await;
    make(&service, with(a("south"), "near", "south")).await;
    make(&service, ResourceInput { name: "other".into(), ..with(a("x"), "type", "TXT") }).await;
    for again in
        [a("two"), with(a("two"), "near", "north"), with(a("two"), "domain", "A.example.org")]
    {
        refused(service.create_resource(again).await, Code::EntityAlreadyExists, "record set `");
    }
    let nowhere = with(a("two"), "zone", "z-00000000");
    refused(service.create_resource(nowhere).await, Code::NoSuchEntity, "zone z-00000000");
}

#[tokio::test]
async fn a_front_end_wants_an_issued_certificate_that_covers_its_names() {
    let (world, service) = noon();
    let bare = issued(&world, &service, "bare", "example.org").await;
    let id = &bare.resource.id;
    let covers = service.create_resource(front_end("x", "a.example.org", id)).await;
    refused(covers, Code::InvalidInput, "does not cover `a.example.org`");
    let pending = make(&service, certificate("pending", "*.example.org")).await;
    let early = front_end("x", "a.example.org", &pending.resource.id);
    refused(service.create_resource(early.clone()).await, Code::InvalidInput, "not issued");
    let zone = service.get_resource(Zone, Which::Name("example.org")).await.unwrap().body;
    let proof = pending.proof.clone().unwrap();
    make(&service, records(&zone.resource.id, &proof.name, "CNAME", &proof.value)).await;
    world.advance(2 * DAY);
    let front = make(&service, early.clone()).await;
    let deeper = with(early.clone(), "domains", ["b.a.example.org"]);
    refused(become_(&service, &front, deeper).await, Code::InvalidInput, "does not cover");
    let nothing = with(early.clone(), "certificate", "ct-0");
    refused(become_(&service, &front, nothing).await, Code::NoSuchEntity, "certificate ct-0");
    become_(&service, &front, with(early, "domains", ["A.example.org"])).await.unwrap();
}

#[tokio::test]
async fn a_domain_is_at_one_front_end_of_the_world_that_is_in_no_region() {
    let (world, service) = noon();
    let other = world.service(TARGET);
    let mine = issued(&world, &service, "cert", "a.example.org").await.resource.id;
    let theirs = issued(&world, &other, "cert", "a.example.org").await.resource.id;
    let front = make(&service, front_end("front", "a.example.org", &mine)).await;
    let wanted = front_end("front", "A.example.org", &theirs);
    let taken = other.create_resource(wanted.clone()).await;
    refused(taken, Code::EntityAlreadyExists, "another front end has the domain `A.example.org`");
    // One in a region shares a domain with anybody: that is how a name is served while it moves.
    let regional = make(&other, with(wanted.clone(), "region", "north")).await;
    refused(become_(&other, &regional, wanted.clone()).await, Code::EntityAlreadyExists, "domain");
    let off = with(front_end("front", "a.example.org", &mine), "enabled", false);
    become_(&service, &front, off).await.unwrap();
    let second = ResourceInput { name: "second".into(), ..wanted };
    let taken = other.create_resource(second.clone()).await;
    refused(taken, Code::EntityAlreadyExists, "domain");
    world.advance(DAY);
    delete(&service, &front).await.unwrap();
    make(&other, second).await;
}

#[tokio::test]
async fn what_is_leaned_on_is_not_deleted() {
    let (world, service) = noon();
    let all = one_of_each(&world, &service).await;
    let [zone, records, certificate, server, front] = &all[..] else { panic!() };
    let named = format!("`{}`", records.resource.name);
    refused(delete(&service, zone).await, Code::DeleteConflict, &named);
    refused(delete(&service, certificate).await, Code::DeleteConflict, "`front`");
    refused(delete(&service, front).await, Code::DeleteConflict, "disabled first");
    let off = ResourceInput {
        kind: FrontEnd,
        name: "front".into(),
        settings: front.resource.settings.clone(),
        tags: BTreeMap::new(),
    };
    become_(&service, front, with(off, "enabled", false)).await.unwrap();
    refused(delete(&service, front).await, Code::DeleteConflict, "still being deployed");
    world.advance(Duration::from_mins(5));
    for shown in [server, front, certificate, records, zone] {
        delete(&service, shown).await.unwrap();
    }
    assert_eq!(world.describe().unwrap().len(), 0);
}

#[tokio::test]
async fn reads_of_resources_lag_behind_writes() {
    let (world, service) = noon();
    world.behave(|behaviour| behaviour.lag = 3);
    service.list_resources(Zone, None).await.unwrap();
    let zone = make(&service, zone("example.org")).await.resource;
    let which = Which::Id(&zone.id);
    refused(service.get_resource(Zone, which).await, Code::NoSuchEntity, &zone.id);
    assert_eq!(service.list_resources(Zone, None).await.unwrap().body.total, 0);
    // What names the zone is refused as long as reads do not show it.
    let early = records(&zone.id, "a.example.org", "A", "192.0.2.1");
    refused(service.create_resource(early.clone()).await, Code::NoSuchEntity, &zone.id);
    make(&service, early).await;
    assert_eq!(service.get_resource(Zone, which).await.unwrap().body.resource, zone);
}

#[tokio::test]
async fn every_operation_on_resources_can_go_wrong() {
    for operation in Operation::ALL.iter().filter(|one| one.name().contains("Resource")) {
        for (fault, code, done) in [
            (Fault::Denied, Code::AccessDenied, false),
            (Fault::Throttle { after: None }, Code::Throttling, false),
            (Fault::ResetBefore, Code::ConnectionReset, false),
            (Fault::LostReply, Code::ConnectionReset, true),
            (Fault::Conflict, Code::ConcurrentModification, false),
        ] {
            let (world, service) = noon();
            let one = make(&service, server("one")).await.resource;
            let which = Which::Id(&one.id);
            world.clear_log();
            world.fail_next_of(*operation, fault);
            let (read, make) = (server("one"), server("two"));
            let failure = match operation {
                Operation::ListResources => service.list_resources(Server, None).await.err(),
                Operation::GetResource => service.get_resource(Server, which).await.err(),
                Operation::CreateResource => service.create_resource(make).await.err(),
                Operation::UpdateResource => {
                    service.update_resource(&one.id, one.revision, read).await.err()
                }
                Operation::DeleteResource => {
                    service.delete_resource(&one.id, one.revision).await.err()
                }
                _ => panic!("{operation} is not tried"),
            };
            assert_eq!(failure.unwrap().code, code, "{operation} {fault:?}");
            assert_eq!(world.writes() == 1, done && operation.is_write(), "{operation} {fault:?}");
        }
    }
    let (world, service) = noon();
    make(&service, server("one")).await;
    make(&service, server("two")).await;
    world.fail_next(Fault::TruncatedPage);
    let page = service.list_resources(Server, None).await.unwrap().body;
    assert_eq!((page.items.len(), page.total), (1, 2), "the total tells");
}

#[tokio::test]
async fn what_is_done_by_hand_is_there_and_described_by_name() {
    let mut descriptions = Vec::new();
    for detour in [false, true] {
        let (world, service) = noon();
        if detour {
            make(&service, server("gone")).await;
            world.advance(DAY);
        }
        let all = one_of_each(&world, &service).await;
        let lines = world.describe().unwrap();
        if detour {
            let gone = service.get_resource(Server, Which::Name("gone")).await.unwrap().body;
            world.remove_resource(HUB, &gone.resource.id.as_str().into()).unwrap();
        }
        descriptions.push((world.describe().unwrap(), lines, all));
    }
    assert_eq!(descriptions[0].0, descriptions[1].0);
    let (lines, _, all) = &descriptions[0];
    assert_eq!(lines.len(), 5, "{lines:#?}");
    let told = lines.iter().cloned().collect::<String>();
    assert!(all.iter().all(|shown| !told.contains(&shown.resource.id)), "{told}");

    let (world, service) = noon();
    let settings = server("x").settings;
    let id = world.add_resource(HUB, Server, "theirs", settings, None).unwrap();
    let before = world.describe().unwrap();
    world
        .edit_resource(HUB, &id, |server| {
            server.settings.insert("size".into(), "huge".into());
        })
        .unwrap();
    assert_ne!(world.describe().unwrap(), before);
    let shown = service.get_resource(Server, Which::Id(id.as_str())).await.unwrap().body;
    assert_eq!(shown.resource.settings["size"], "huge".into());
    assert_eq!(shown.resource.revision, 2);
    world.remove_resource(HUB, &id).unwrap();
    assert_eq!(world.describe().unwrap().len(), 0);
}
