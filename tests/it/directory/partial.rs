//! A bad day of a real server is never mistaken for an empty organisation.

use std::fmt::Write;
use std::time::{Duration, Instant};

use reconcile::directory::LdapConfig;

use super::{
    assert_complete, assert_partial, person, read_it, read_userdir, reader, server, userdir,
};
use crate::peers::proxy::{Fault, Proxy};
use crate::peers::slapd::{READER, Setup, Slapd, USERDIR};

fn start(database: &str) -> Slapd {
    Slapd::start(&Setup { ldif: USERDIR, database, ..Setup::default() })
}

#[tokio::test]
async fn a_size_limit_truncates_even_when_paging() {
    for limit in ["limits * size=3 size.prtotal=3", "limits * size.soft=5 size.hard=5"] {
        let slapd = start(limit);
        for page_size in [0, 2, 500] {
            let config = userdir(LdapConfig { page_size, ..server(slapd.url()) });
            let reading = read_it(&config).await;
            assert_partial(
                &reading,
                &["people below ou=users", "limit exceeded", "raise the server's"],
            );
        }
    }
}

#[tokio::test]
async fn pages_smaller_than_the_limit_are_all_read() {
    let slapd = start("limits * size=3 size.prtotal=unlimited");
    let config = userdir(LdapConfig { page_size: 2, ..server(slapd.url()) });
    assert_complete(&read_it(&config).await);
}

/// A directory with answers of several megabytes.
fn large() -> String {
    let mail = "x".repeat(20_000);
    let mut ldif = USERDIR.to_owned();
    for number in 5000..5400 {
        // Writing to a string cannot fail.
        let _ = write!(
            ldif,
            "\ndn: uid=p{number},ou=users,dc=example,dc=org\nobjectClass: inetOrgPerson\n\
             objectClass: debianAccount\nuid: p{number}\nuidNumber: {number}\ncn: P\nsn: P\n\
             mail: {mail}@example.org\n"
        );
    }
    ldif
}

#[tokio::test]
async fn a_time_limit_of_the_server() {
    let ldif = large();
    let slapd = Slapd::start(&Setup {
        ldif: &ldif,
        database: "limits * time.soft=1 time.hard=1",
        ..Setup::default()
    });
    let pause = Fault::Pause(Duration::from_secs(3));
    let proxy = Proxy::start(slapd.address(), pause, 100_000, 1).await;
    let config = userdir(LdapConfig { page_size: 0, ..server(proxy.url()) });
    assert_partial(&read_it(&config).await, &["time limit exceeded (3"]);
}

#[tokio::test]
async fn access_rules_that_hide_people_or_groups() {
    for (rule, words) in [
        (
            "access to filter=(objectClass=debianAccount) by * none\naccess to * by * read",
            ["people below `ou=users,dc=example,dc=org`", "not allowed to see them"],
        ),
        (
            "access to filter=(objectClass=debianGroup) by * none\naccess to * by * read",
            ["groups below `ou=users,dc=example,dc=org`", "not allowed to see them"],
        ),
        (
            "access to dn.base=ou=users,dc=example,dc=org by * search\naccess to * by * read",
            ["below ou=users,dc=example,dc=org", "the base entry is not visible"],
        ),
        ("access to * by * none", ["below ou=users,dc=example,dc=org", "no such object (32"]),
        (
            "access to attrs=uidNumber by * none\naccess to * by * read",
            ["11 people", "`uidNumber`"],
        ),
    ] {
        let slapd = start(rule);
        assert_partial(&read_userdir(&slapd).await, &words);
    }
}

#[tokio::test]
async fn a_vanished_base() {
    let slapd = start("");
    let mut config = userdir(server(slapd.url()));
    config.schema.people_base = Some("ou=gone,dc=example,dc=org".into());
    let reading = read_it(&config).await;
    assert_partial(&reading, &["people below ou=gone", "no such object (32", "check the base"]);
    assert!(!reading.got().groups.is_empty(), "what could be read stays");
}

#[tokio::test]
async fn a_referral_to_another_server() {
    let elsewhere = "\ndn: ou=elsewhere,ou=users,dc=example,dc=org\nobjectClass: referral\n\
                     objectClass: extensibleObject\nou: elsewhere\n\
                     ref: ldap://ldap.example.net/ou=users,dc=example,dc=net\n";
    let ldif = format!("{USERDIR}{elsewhere}");
    let slapd = Slapd::start(&Setup { ldif: &ldif, ..Setup::default() });
    let reading = read_userdir(&slapd).await;
    assert_partial(&reading, &["people below", "a referral to ldap://ldap.example.net"]);
    let mut config = userdir(server(slapd.url()));
    config.schema.people_base = Some("ou=elsewhere,ou=users,dc=example,dc=org".into());
    assert_partial(&read_it(&config).await, &["people below ou=elsewhere", "a referral to"]);
}

#[tokio::test]
async fn a_server_that_dies_mid_stream_keeps_what_was_read() {
    let ldif = large();
    let slapd = Slapd::start(&Setup { ldif: &ldif, ..Setup::default() });
    let proxy = Proxy::start(slapd.address(), Fault::Cut, 1_000_000, usize::MAX).await;
    let config = userdir(LdapConfig { attempts: 2, page_size: 20, ..server(proxy.url()) });
    let reading = read_it(&config).await;
    assert_partial(&reading, &["people below", "the connection broke after"]);
    assert_eq!(proxy.connections(), 2, "tried as often as configured");
    person(reading.got(), "ada");
    assert!(reading.got().people.len() < 400);
}

#[tokio::test]
async fn a_connection_that_breaks_once_is_read_again_from_the_start() {
    let slapd = start("");
    for fault in [Fault::Cut, Fault::Stall] {
        let proxy = Proxy::start(slapd.address(), fault, 1500, 1).await;
        let config = userdir(LdapConfig {
            attempts: 3,
            read_timeout: Duration::from_millis(1500),
            ..server(proxy.url())
        });
        let reading = read_it(&config).await;
        assert_complete(&reading);
        assert_eq!(reading, read_userdir(&slapd).await, "nothing is there twice");
        assert_eq!(proxy.connections(), 2);
    }
}

#[tokio::test]
async fn half_a_page_and_then_silence() {
    let slapd = start("");
    let proxy = Proxy::start(slapd.address(), Fault::Stall, 1500, usize::MAX).await;
    let config =
        userdir(LdapConfig { read_timeout: Duration::from_millis(300), ..server(proxy.url()) });
    let begin = Instant::now();
    assert_partial(&read_it(&config).await, &["no complete answer within 0.3 s"]);
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_server_that_is_killed_between_two_reads() {
    let mut slapd = start("");
    assert_complete(&read_userdir(&slapd).await);
    slapd.kill();
    let reading = read_userdir(&slapd).await;
    assert_partial(&reading, &["everything on ldap://127.0.0.1", "cannot connect"]);
    assert!(reading.got().people.is_empty());
}

#[tokio::test]
async fn a_limit_for_others_does_not_hold_for_the_reader() {
    let slapd = start(&format!(
        "limits dn.exact=\"{READER}\" size=unlimited\nlimits * size=1 size.prtotal=1"
    ));
    assert_partial(&read_userdir(&slapd).await, &["limit exceeded"]);
    let config = userdir(LdapConfig { bind: reader("RIGHT"), ..server(slapd.url()) });
    assert_complete(&read_it(&config).await);
}
