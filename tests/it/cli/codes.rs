//! Every exit code, reached by a real invocation.

use std::fs;

use super::site::{PEOPLE, SPI_HUB, Site};

/// Three people leave at once; the limits allow two.
fn exodus(site: &Site) {
    for login in LEAVERS {
        site.edit_person(login, |entry| format!("{entry}\naccountStatus: inactive"));
    }
}

const LEAVERS: [&str; 3] = ["eilidh", "farid", "gudrun"];

#[test]
fn wrong_usage_and_wrong_inventory() {
    let site = Site::new();
    for arguments in [
        &["--nonsense"][..],
        &["nonsense"],
        &["--approve", "12"],
        &["--today", "2027-01-01"],
        &["--detailed-exitcode"],
        &["--dry-run", "check"],
    ] {
        site.run(arguments).ends_with(2);
    }
    site.edit("inventory/spi/grants.yaml", "role: auditor", "role: auditer");
    let run = site.run(&[]).ends_with(2);
    assert_eq!(run.out, "");
    assert!(run.err.contains("inventory/spi/grants.yaml:16"), "{}", run.err);
    assert!(run.err.contains("auditor"), "{}", run.err);
    assert!(run.err.contains("Nothing was changed"), "{}", run.err);
    assert!(!site.state().exists());
}

#[test]
fn unknown_names_are_told_the_nearest() {
    let site = Site::new();
    for (option, name, nearest) in
        [("--org", "habour", "harbour"), ("--account", "spi-hup", "spi-hub")]
    {
        let run = site.run(&["--dry-run", option, name]).ends_with(2);
        assert!(run.err.contains(&format!("did you mean `{nearest}`?")), "{}", run.err);
    }
    let run = site.run(&["--dry-run", "--only", "user"]).ends_with(2);
    assert!(run.err.contains("users"), "{}", run.err);
}

#[test]
fn held_removals_wait_and_the_rest_is_done() {
    let site = Site::applied();
    exodus(&site);
    site.edit_person("tomasz", |entry| format!("{entry}\nsupplementaryGid: mirrors"));
    let dry = site.run(&["--dry-run"]).ends_with(3);
    let run = site.run(&[]).ends_with(3);
    assert!(run.out.starts_with(&dry.out));
    assert!(run.out.contains("Held\n"), "{}", run.out);
    assert!(run.out.contains("Done, except for what is held: "), "{}", run.out);
    let cloud = site.world().describe().unwrap();
    assert!(cloud.contains(&format!("{SPI_HUB} member mirrors tomasz")), "{cloud:?}");
    assert!(LEAVERS.iter().all(|login| {
        cloud.iter().any(|line| line.contains(&format!("user {login} enabled=true")))
    }));
}

#[test]
fn an_approval_is_for_one_plan_and_works_once() {
    let site = Site::applied();
    exodus(&site);
    let digest = site.run(&["--dry-run"]).ends_with(3).digest();
    let other = format!("{:064x}", 7);
    let run = site.run(&["--approve", &other]).ends_with(3);
    assert!(run.err.contains("names another plan"), "{}", run.err);
    let run = site.run(&["--approve", &digest]).ends_with(0);
    assert!(run.out.contains("Approved for this run"), "{}", run.out);
    let cloud = site.world().describe().unwrap();
    assert!(LEAVERS.iter().all(|login| {
        cloud.iter().any(|line| line.contains(&format!("user {login} enabled=false")))
    }));
    // The next exodus is another plan.
    for login in ["hana", "ignacio", "jolanta"] {
        site.edit_person(login, |entry| format!("{entry}\naccountStatus: inactive"));
    }
    site.run(&["--approve", &digest]).ends_with(3);
}

#[test]
fn a_directory_that_is_not_there_removes_nobody() {
    let site = Site::applied();
    fs::remove_file(site.root().join(PEOPLE)).unwrap();
    let file = "inventory/people/freedesktop.ldif";
    let text =
        site.read(file).replace("memberUid: lysander", "memberUid: lysander\nmemberUid: olufemi");
    site.write(file, &text);
    let before = site.world().describe().unwrap();
    let run = site.run(&[]).ends_with(4);
    let after = site.world().describe().unwrap();
    assert!(run.out.contains("directory debian: "), "{}", run.out);
    assert!(before.is_subset(&after), "nothing is gone");
    assert!(after.len() > before.len(), "additions go on: {}", run.out);
}

#[test]
fn what_stands_in_the_way_is_named() {
    let site = Site::new();
    fs::create_dir(site.state()).unwrap();
    site.world().add_user(SPI_HUB, "eilidh", None).unwrap();
    let dry = site.run(&["--dry-run"]).ends_with(11);
    assert!(dry.out.contains("eilidh") && dry.out.contains("error["), "{}", dry.out);
    let run = site.run(&[]).ends_with(11);
    assert!(run.out.contains("Done: "), "{}", run.out);
    let cloud = site.world().describe().unwrap();
    assert!(cloud.iter().any(|line| line.starts_with(&format!("{SPI_HUB} user eilidh "))));
    assert!(!cloud.contains(&format!("{SPI_HUB} member mirrors eilidh")));
}

#[test]
fn changes_pending() {
    let site = Site::new();
    site.run(&["--dry-run", "--detailed-exitcode"]).ends_with(10);
    site.run(&["plan", "--detailed-exitcode"]).ends_with(10);
    site.run(&[]).ends_with(0);
    site.run(&["--dry-run", "--detailed-exitcode"]).ends_with(0);
    exodus(&site);
    site.run(&["--dry-run", "--detailed-exitcode"]).ends_with(3);
}

#[test]
fn a_damaged_record_stops_runs_before_they_change_anything() {
    let site = Site::applied();
    let index = site.state().join("records/index.jsonl");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, text.replacen('a', "b", 3)).unwrap();
    site.run(&["record", "verify"]).ends_with(9);
    site.edit_person("tomasz", |entry| format!("{entry}\nsupplementaryGid: mirrors"));
    let cloud = site.world().dump().unwrap();
    let run = site.run(&[]).ends_with(9);
    assert!(run.err.contains("nothing was changed"), "{}", run.err);
    assert_eq!(site.world().dump().unwrap(), cloud);
}

#[test]
fn something_unforeseen() {
    let site = Site::new();
    fs::write(site.state(), "a file where a folder should be").unwrap();
    let run = site.run(&[]).ends_with(1);
    assert!(run.err.contains(&site.state().display().to_string()), "{}", run.err);
}

#[test]
fn locked_by_another() {
    let site = Site::applied();
    let lock =
        fs::OpenOptions::new().write(true).open(site.state().join("locks/spi.lock")).unwrap();
    lock.lock().unwrap();
    let run = site.run(&[]).ends_with(6);
    assert!(run.err.contains("another run works on spi"), "{}", run.err);
    site.run(&["--dry-run"]).ends_with(0);
    site.run(&["--org", "harbour"]).ends_with(0);
    drop(lock);
    site.run(&[]).ends_with(0);
}

/// The codes with their meanings, as one text lists them.
fn listed(text: &str) -> std::collections::BTreeSet<u8> {
    text.lines()
        .filter_map(|line| line.trim().trim_start_matches('|').trim().split_once([' ', '|']))
        .filter_map(|(code, _)| code.trim().parse().ok())
        .collect()
}

#[test]
fn the_tables_of_codes_are_whole() {
    let readme = include_str!("../../../README.md");
    let (_, table) = readme.split_once("## Exit codes\n").expect("a section");
    let (table, _) = table.split_once("\n## ").expect("another one after it");
    let site = Site::new();
    let help = site.run(&["--help"]).ends_with(0).out;
    let (_, help) = help.split_once("Exit codes:\n").expect("a section");
    assert_eq!(listed(table), (0..=12).collect());
    assert_eq!(listed(help), (0..=12).collect());
}
