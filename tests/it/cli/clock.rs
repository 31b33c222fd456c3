//! A clock that jumped: what depends on the day waits, everything else goes on.

use std::fs;
use std::sync::{Arc, Mutex};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use reconcile::cloud::memory::config::SUSPENDED_TAG;
use reconcile::model::VendorId;
use reconcile::record::{EndFacts, InputVersion, Records, RunFacts, RunId};

use super::site::{SPI_HUB, Site};
use crate::directory::scripted::{
    ada, all, base_entry, done, entry, is_base_check, is_for_groups, last_page, plain, serve,
};
use crate::peers::slapd::{Setup, Slapd, USERDIR};

/// The example with one person suspended forty days ago, whom a run would delete, and a record whose
/// last run was so many days ago. To a machine whose clock jumped ahead it looks just like that.
fn last_run(days: i64) -> Site {
    let site = Site::applied();
    site.edit_person("eilidh", |entry| format!("{entry}\naccountStatus: inactive"));
    site.run(&[]).ends_with(0);
    let cloud = site.world();
    let state = cloud.dump().unwrap();
    let id = state.account(SPI_HUB).users.named("eilidh").unwrap().id.clone();
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    cloud
        .edit_user(SPI_HUB, &VendorId::new(id.as_str()), |user| {
            user.tags.insert(SUSPENDED_TAG.to_owned(), (today - 40.days()).to_string());
        })
        .unwrap();
    fs::remove_dir_all(site.state().join("records")).unwrap();
    let then = Timestamp::now() - (24 * days).hours();
    let facts = RunFacts {
        arguments: vec!["reconcile".into()],
        version: "0.1.0".into(),
        user: "anna".into(),
        host: "tower".into(),
        process: 1,
        inventory: InputVersion::Unknown { why: "no git".into() },
        inputs: [].into(),
        organisations: vec!["spi".into()],
        narrowing: Vec::new(),
        saved_plan: None,
        clock_doubts: Vec::new(),
    };
    let records = Records::open(&site.state(), Arc::new(move || then));
    let run = records.start(RunId::random(), facts).unwrap();
    run.end(EndFacts { exit_code: 0 }).unwrap();
    site
}

fn exists(site: &Site, login: &str) -> bool {
    let begins = format!("{SPI_HUB} user {login} ");
    site.world().describe().unwrap().iter().any(|line| line.starts_with(&begins))
}

#[test]
fn a_clock_far_ahead_of_the_last_run_deletes_nobody_until_somebody_approves() {
    let site = last_run(63);
    site.edit_person("tomasz", |entry| format!("{entry}\nsupplementaryGid: mirrors"));
    let dry = site.run(&["--dry-run"]).ends_with(3);
    assert!(dry.out.contains("63 days after the last run on record"), "{}", dry.out);
    // However often it runs: a run that is not believed does not count as the last.
    for _ in 0..3 {
        site.run(&[]).ends_with(3);
        assert!(exists(&site, "eilidh"));
    }
    let cloud = site.world().describe().unwrap();
    assert!(cloud.contains(&format!("{SPI_HUB} member mirrors tomasz")), "the rest is done");
    let digest = site.run(&["--dry-run"]).ends_with(3).digest();
    site.run(&["--approve", &digest]).ends_with(0);
    assert!(!exists(&site, "eilidh"));
    site.run(&[]).ends_with(0);
}

#[test]
fn who_leaves_meanwhile_loses_access_and_gets_no_wrong_day() {
    let site = last_run(63);
    site.edit_person("farid", |entry| format!("{entry}\naccountStatus: inactive"));
    let run = site.run(&[]).ends_with(3);
    let cloud = site.world().describe().unwrap();
    let member = |line: &String| line.contains(" member ") && line.ends_with(" farid");
    assert!(!cloud.iter().any(member), "{}", run.out);
    assert!(cloud.iter().any(|line| line.contains("user farid enabled=true")), "{}", run.out);
}

#[test]
fn a_few_days_without_a_run_are_nothing() {
    let site = last_run(6);
    site.run(&[]).ends_with(0);
    assert!(!exists(&site, "eilidh"));
}

#[test]
fn a_clock_behind_the_last_run_does_nothing_that_depends_on_the_day() {
    let site = last_run(-20);
    let run = site.run(&[]).ends_with(0);
    assert!(!exists(&site, "eilidh"), "due by both clocks: {}", run.out);
    // A grant that has ended by the other clock is not given again.
    let site = last_run(-20);
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let expires = (today + 10.days()).since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1)));
    let days = expires.unwrap().get_days();
    site.edit_person("tomasz", |entry| {
        format!("{entry}\nsupplementaryGid: mirrors\nshadowExpire: {days}")
    });
    let run = site.run(&[]).ends_with(3);
    assert!(run.out.contains("the last run on record was later"), "{}", run.out);
    let cloud = site.world().describe().unwrap();
    assert!(!cloud.contains(&format!("{SPI_HUB} member mirrors tomasz")), "{}", run.out);
}

/// One more directory, on a server; whom it knows is of no account to anybody.
fn another_directory(site: &Site, url: &str, schema: &str) {
    let more = format!(
        "  other:\n    ldap: {{url: \"{url}\", start_tls: false}}\n    schema: {schema}\n    \
         base: dc=example,dc=org\n"
    );
    let directories = site.read("inventory/directories.yaml");
    site.write("inventory/directories.yaml", &format!("{}\n{more}", directories.trim_end()));
    site.operator(&format!("servers: ['{url}']\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_ahead_of_active_directorys_deletes_nobody() {
    let says = Arc::new(Mutex::new(String::new()));
    let said = Arc::clone(&says);
    let (url, _) = serve(move |request, _| match request {
        _ if request.contains("currentTime") => {
            let time = said.lock().unwrap();
            vec![plain(entry("", &[("currentTime", &[time.as_str()])])), plain(done())]
        }
        _ if is_base_check(request) => base_entry(),
        _ if is_for_groups(request) => last_page(vec![all()]),
        _ => last_page(vec![ada()]),
    })
    .await;
    let say = move |days: i64| {
        let time = Timestamp::now() + (24 * days).hours();
        *says.lock().unwrap() = time.strftime("%Y%m%d%H%M%S.0Z").to_string();
    };
    tokio::task::spawn_blocking(move || {
        let site = last_run(0);
        another_directory(&site, &url, "active_directory");
        say(-35);
        let run = site.run(&[]).ends_with(3);
        assert!(run.out.contains("directory other says 20"), "{}", run.out);
        assert!(exists(&site, "eilidh"));
        // It is right: then so is a machine that was off for two months.
        say(0);
        site.run(&[]).ends_with(0);
        assert!(!exists(&site, "eilidh"));
    })
    .await
    .expect("the site");
}

#[test]
fn a_clock_before_what_a_directory_wrote_is_not_believed() {
    let later = Timestamp::now() + (24 * 60).hours();
    let base = format!("\ndc: example\nmodifyTimestamp: {}", later.strftime("%Y%m%d%H%M%SZ"));
    let ldif = USERDIR.replacen("\ndc: example", &base, 1);
    let slapd = Slapd::start(&Setup { ldif: &ldif, ..Setup::default() });
    let site = Site::applied();
    another_directory(&site, &slapd.url(), "userdir");
    site.edit_person("farid", |entry| format!("{entry}\naccountStatus: inactive"));
    let run = site.run(&[]).ends_with(3);
    assert!(run.out.contains("and directory other was written to later, at "), "{}", run.out);
    let cloud = site.world().describe().unwrap();
    assert!(cloud.iter().any(|line| line.contains("user farid enabled=true")), "{}", run.out);
    assert!(!cloud.iter().any(|line| line.contains(" member ") && line.ends_with(" farid")));
}
