//! What servers show of the time.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reconcile::directory::{LdapConfig, Origin, SchemaKind};
use reconcile::model::ShownTime;

use super::scripted::{
    Message, ada, all, base_entry, done, element, entry, is_base_check, is_for_groups, last_page,
    plain, reading_with, serve, text,
};
use super::{assert_complete, config, read_it, read_userdir, server, userdir};
use crate::peers::slapd::{ADMIN, ADMIN_PASSWORD, BASE, Setup, Slapd, USERDIR};

/// Active Directory's root entry, with that as its time.
fn root(time: &str) -> Vec<Message> {
    vec![plain(entry("", &[("currentTime", &[time])])), plain(done())]
}

fn asks_for_the_time(request: &str) -> bool {
    request.contains("currentTime")
}

#[tokio::test]
async fn active_directory_says_what_time_it_is_in_one_more_search() {
    let (without, before) = reading_with(|_, _| None).await;
    let (reading, requests) =
        reading_with(|request, _| asks_for_the_time(request).then(|| root("20270301123000.0Z")))
            .await;
    assert_complete(&reading);
    let expected = "2027-03-01T12:30:00Z".parse().unwrap();
    assert_eq!(reading.got().time, Some(ShownTime::Now(expected)));
    // Two searches, and their bases.
    assert_eq!((without.got().time, before, requests), (None, 5, 5));
}

#[tokio::test]
async fn what_is_no_time_is_as_good_as_nothing() {
    let refused = element(0x65, &[element(0x0a, &[50]), text(""), text("no")].concat());
    let answers: Vec<Vec<Message>> = vec![
        root("99991231235959.0Z"),
        root("soon"),
        root(""),
        root("20270301123000+0100"),
        vec![plain(entry("", &[])), plain(done())],
        vec![plain(done())],
        vec![plain(refused)],
        vec![plain(vec![0x64, 0x00]), plain(done())],
        vec![plain(element(0x7e, &[]))],
        vec![plain(element(0x73, &text("ldap://elsewhere/"))), plain(done())],
    ];
    for answer in answers {
        let shown = format!("{answer:?}");
        let (reading, _) =
            reading_with(move |request, _| asks_for_the_time(request).then(|| answer.clone()))
                .await;
        assert_complete(&reading);
        assert_eq!(reading.got().time, None, "{shown}");
    }
}

#[tokio::test]
async fn a_far_time_is_a_time() {
    let (reading, _) =
        reading_with(|request, _| asks_for_the_time(request).then(|| root("16010101000000.0Z")))
            .await;
    let expected = "1601-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(reading.got().time, Some(ShownTime::Now(expected)));
}

#[tokio::test]
async fn a_server_that_chokes_on_the_question_has_said_everything_else() {
    // Silence, and entries without an end.
    for endless in [false, true] {
        let (url, requests) = serve(move |request, _| match request {
            _ if asks_for_the_time(request) && endless => {
                (0..5000).map(|at| plain(entry(&format!("cn={at}"), &[]))).collect()
            }
            _ if asks_for_the_time(request) => Vec::new(),
            _ if is_base_check(request) => base_entry(),
            _ if is_for_groups(request) => last_page(vec![all()]),
            _ => last_page(vec![ada()]),
        })
        .await;
        let read_timeout = Duration::from_millis(300);
        let server = LdapConfig { read_timeout, attempts: 3, ..server(url) };
        let origin = Origin::Ldap(Box::new(server));
        let began = std::time::Instant::now();
        let reading = read_it(&config(origin, SchemaKind::ActiveDirectory)).await;
        assert_complete(&reading);
        assert_eq!((reading.got().time, reading.got().people.len()), (None, 1));
        assert_eq!(*requests.lock().unwrap(), 5, "asked once");
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

/// A server that numbers its changes for replicas.
const NUMBERED: &str = "overlay syncprov";

fn started(database: &str) -> Slapd {
    let setup =
        Setup { ldif: USERDIR, global: "moduleload syncprov", database, ..Setup::default() };
    Slapd::start(&setup)
}

fn modify(slapd: &Slapd, dn: &str) {
    let mut child = Command::new("ldapmodify")
        .args(["-x", "-H", &slapd.url(), "-D", ADMIN, "-w", ADMIN_PASSWORD])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("ldapmodify is installed by tests/run");
    let change = format!("dn: {dn}\nchangetype: modify\nreplace: description\ndescription: x\n");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(change.as_bytes()).expect("ldapmodify reads");
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

fn not_before(time: Option<ShownTime>) -> Timestamp {
    match time {
        Some(ShownTime::NotBefore(time)) => time,
        other => panic!("{other:?} is no time of a last change"),
    }
}

#[tokio::test]
async fn openldap_tells_when_it_was_last_written_to() {
    let slapd = started(NUMBERED);
    let before = Timestamp::now() - SignedDuration::from_secs(1);
    // Below the base: the suffix knows of it by the number of the change alone.
    modify(&slapd, "cn=reader,dc=example,dc=org");
    let reading = read_userdir(&slapd).await;
    let time = not_before(reading.got().time);
    assert!(before.as_second() <= time.as_second() && time <= Timestamp::now(), "{time}");
    // From a base below the suffix as well.
    let mut below = userdir(server(slapd.url()));
    below.schema.base = format!("ou=users,{BASE}");
    below.schema.people_base = Some(below.schema.base.clone());
    below.schema.groups_base = Some(below.schema.base.clone());
    assert_eq!(not_before(read_it(&below).await.got().time), time);
}

#[tokio::test]
async fn without_numbered_changes_the_entry_of_the_base_tells() {
    let old =
        USERDIR.replacen("\ndc: example", "\ndc: example\nmodifyTimestamp: 20010203040506Z", 1);
    assert_ne!(old, USERDIR);
    let slapd = Slapd::start(&Setup { ldif: &old, ..Setup::default() });
    let time = not_before(read_userdir(&slapd).await.got().time);
    assert_eq!(time.to_string(), "2001-02-03T04:05:06Z");
}

#[tokio::test]
async fn a_server_that_hides_it_shows_nothing_and_is_read_all_the_same() {
    let hide = "access to attrs=modifyTimestamp,contextCSN by * none\naccess to * by * read";
    let slapd = started(&format!("{hide}\n{NUMBERED}"));
    let reading = read_userdir(&slapd).await;
    let other = read_userdir(&started(NUMBERED)).await;
    assert_eq!(reading.got().time, None);
    assert!(other.got().time.is_some());
    assert_eq!(reading.got().people.len(), other.got().people.len());
    assert_eq!(reading.missing(), other.missing());
}

#[tokio::test]
async fn a_file_shows_no_time() {
    let reading = super::read_ldif(USERDIR, SchemaKind::Userdir).await;
    assert_eq!(reading.got().time, None);
    let retired = read_it(&config(Origin::Retired, SchemaKind::Userdir)).await;
    assert_eq!(retired.got().time, None);
}
