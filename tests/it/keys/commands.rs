//! Keys as people meet them: the built program at its most talkative, and no secret anywhere but
//! in the sinks.

use std::fs;
use std::path::Path;

use crate::cli::site::{Ran, Site, files};

const SERVICES: &str = "\
service_accounts:
  to-file: {owners: debian:mirrors, role: publisher, accounts: [debian-mirrors], reason: r, key: {sink: file}}
  to-command: {owners: debian:mirrors, role: publisher, accounts: [debian-mirrors], reason: r, key: {sink: command}}
  to-nobody: {owners: debian:mirrors, role: publisher, accounts: [debian-mirrors], reason: r, key: {sink: nobody}}
";

const SINKS: &str = "\
sinks:
  file: {description: Whoever may read the file}
  command: {description: The command says}
  nobody: {description: Nobody}
";

/// The example with three service accounts. The commands say aloud what they get; the last of them
/// then fails.
fn site() -> Site {
    let site = Site::new();
    fs::create_dir(site.path("keys")).unwrap();
    let keys = site.path("keys").display().to_string();
    site.write("inventory/debian/keys.yaml", SERVICES);
    let aloud = "cat > \"$0\"; cat \"$0\"; cat \"$0\" >&2";
    site.write("policies/sinks.yaml", SINKS);
    site.operator(&format!(
        "\
sinks:
  file: {{file: '{keys}/{{service}}-{{account}}', organisations: [spi]}}
  command: {{command: [sh, -c, '{aloud}', '{keys}/{{service}}-{{account}}'], services: [to-command]}}
  nobody: {{command: [sh, -c, '{aloud}; exit 3', '{keys}/{{service}}-{{account}}'], services: [to-nobody]}}
"
    ));
    site
}

/// The secrets the sinks got.
fn secrets(site: &Site) -> Vec<String> {
    let mut secrets = Vec::new();
    for name in ["to-file", "to-command", "to-nobody"] {
        let text = fs::read_to_string(site.path("keys").join(format!("{name}-spi-hub"))).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let [id, secret] = lines[..] else { panic!("two lines: {lines:?}") };
        assert!(id.starts_with("k-") && secret.len() > 30, "{lines:?}");
        secrets.push(secret.to_owned());
    }
    secrets
}

fn leaks(secrets: &[String], told: &[Ran], folder: &Path) -> Vec<String> {
    let mut places: Vec<(String, String)> = Vec::new();
    for ran in told {
        places.push(("output".to_owned(), format!("{}{}", ran.out, ran.err)));
    }
    for (path, content) in files(folder) {
        places.push((path.display().to_string(), String::from_utf8_lossy(&content).into_owned()));
    }
    let leaks = |(place, text): &(String, String)| {
        secrets.iter().filter(|secret| text.contains(*secret)).count() > 0 && !place.is_empty()
    };
    places.iter().filter(|place| leaks(place)).map(|(place, _)| place.clone()).collect()
}

#[test]
fn no_secret_of_a_key_comes_out_anywhere_but_in_its_sink() {
    let site = site();
    let mut told = Vec::new();
    let plan = site.path("plan.json").display().to_string();
    let metrics = site.path("metrics.prom").display().to_string();
    told.push(site.run(&["plan", "--out", &plan, "-vvv"]).ends_with(0));
    let first = site.run(&["apply", &plan, "-vvv", "--metrics", &metrics]).ends_with(5);
    assert!(first.out.contains("issue credential"), "{}", first.out);
    let why = "sink nobody: `sh` failed (exit status: 3)";
    assert!(first.out.contains(why), "{}", first.out);
    told.push(first);
    let mut all = secrets(&site);
    assert_eq!(leaks(&all, &told, &site.state()), [""; 0]);
    // Once more: only the one that nobody took.
    for arguments in [&["-vvv"][..], &["--format", "json", "-vvv"]] {
        let again = site.run(arguments).ends_with(5);
        assert!(!again.out.contains("to-file") && !again.out.contains("to-command"));
        told.push(again);
        all.extend(secrets(&site));
    }
    for arguments in [
        &["record", "show", "last", "-vvv"][..],
        &["record", "show", "last", "--format", "json"],
        &["record", "verify"],
        &["explain", "service:to-file"],
        &["--dry-run", "--format", "markdown"],
    ] {
        told.push(site.run(arguments).ends_with(0));
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 5, "three, and two more that nobody took");
    assert_eq!(leaks(&all, &told, &site.state()), [""; 0]);
    for file in [plan, metrics] {
        let text = fs::read_to_string(&file).unwrap();
        assert!(all.iter().all(|secret| !text.contains(secret)), "{file}");
    }
    // The other end: the search finds what is there.
    assert_eq!(leaks(&all, &[], &site.path("keys")).len(), 3);
    // What nobody took is gone.
    let kept = fs::read_to_string(site.state().join("memory.jsonl")).unwrap();
    assert!(kept.contains("remove_credential"), "{kept}");
}

/// Between the moment a sink has a key and the note of that, a run is as exposed as it can be.
#[test]
fn killed_when_a_sink_has_just_taken_a_key() {
    let site = site();
    let keys = site.path("keys").display().to_string();
    site.edit("inventory/debian/keys.yaml", "  to-nobody:", "  # to-nobody:");
    // The shell's parent is the program under test.
    let deadly = "cat > \"$0\"; kill -9 $PPID";
    let operator = |command: &str| {
        format!(
            "sinks:\n  file: {{command: [sh, -c, '{command}', '{keys}/{{service}}-{{account}}'], organisations: [spi]}}\n  \
             command: {{file: '{keys}/{{service}}-{{account}}', organisations: [spi]}}\n"
        )
    };
    site.operator(&operator(deadly));
    let killed = site.run(&["-vvv"]);
    assert_eq!(killed.code, None, "ended by a signal: {}", killed.err);
    let first = fs::read_to_string(site.path("keys/to-file-spi-hub")).unwrap();
    site.operator(&operator("cat > \"$0\""));
    let next = site.run(&["-vvv"]).ends_with(0);
    let lost: Vec<&str> = first.lines().collect();
    let revoked = format!("access-key {}", lost[0]);
    assert!(next.out.contains(&revoked), "{} in {}", revoked, next.out);
    let second = fs::read_to_string(site.path("keys/to-file-spi-hub")).unwrap();
    assert_ne!(first, second);
    let secrets = [lost[1].to_owned(), second.lines().nth(1).unwrap().to_owned()];
    assert_eq!(leaks(&secrets, &[killed, next], &site.state()), [""; 0]);
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
}

#[test]
fn a_dry_run_tells_when_the_next_key_comes() {
    let site = site();
    site.edit("inventory/debian/keys.yaml", "sink: nobody", "sink: file");
    site.run(&[]).ends_with(0);
    let changes = |today: jiff::civil::Date| {
        let ran = site.run(&["--dry-run", "--today", &today.to_string()]);
        let about = |line: &&str| line.contains("credential");
        ran.changes().into_iter().filter(about).map(str::to_owned).collect::<Vec<_>>()
    };
    let late = changes(jiff::civil::date(2200, 1, 1));
    assert_eq!(late.len(), 3, "{late:?}");
    let (_, rest) = late[0].split_once("key handed over ").unwrap();
    let on: jiff::civil::Date = rest[..10].parse().unwrap();
    assert!(rest[10..].starts_with(", replaced after 90 days"), "{late:?}");
    assert_eq!(changes(on.checked_add(jiff::ToSpan::days(89)).unwrap()).len(), 0);
    assert_eq!(changes(on.checked_add(jiff::ToSpan::days(90)).unwrap()).len(), 3);
}
