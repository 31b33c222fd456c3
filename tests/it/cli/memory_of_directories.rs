//! What a run remembers of the directories, and who must not be locked out.

use std::fs;

use super::site::{PEOPLE, Site};

/// Takes people out of the directory, as if they had never been in it.
fn vanish(site: &Site, logins: &[&str]) {
    for login in logins {
        site.edit_person(login, |_| "# nobody".to_owned());
    }
}

const SOME: [&str; 4] = ["eilidh", "farid", "gudrun", "hana"];

#[test]
fn a_directory_that_shrank_is_not_believed_the_second_time_either() {
    let site = Site::applied();
    let remembered = fs::read_to_string(site.state().join("directories.json")).unwrap();
    // The other limits are not what this is about.
    site.edit(
        "policies/limits.yaml",
        "users: {count: 10, percent: 10, floor: 2}",
        "users: {count: 90, percent: 90, floor: 90}",
    );
    vanish(&site, &SOME);
    for _ in 0..3 {
        let run = site.run(&[]).ends_with(3);
        assert!(run.out.contains("debian"), "{}", run.out);
        let now = fs::read_to_string(site.state().join("directories.json")).unwrap();
        assert_eq!(now, remembered);
    }
    let digest = site.run(&["--dry-run"]).ends_with(3).digest();
    site.run(&["--approve", &digest]).ends_with(0);
    let now = fs::read_to_string(site.state().join("directories.json")).unwrap();
    assert_ne!(now, remembered, "an administrator has said so");
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
}

#[test]
fn what_is_remembered_may_be_lost_but_not_damaged() {
    let site = Site::applied();
    let path = site.state().join("directories.json");
    for damage in ["", "{", "{\"format\":\"reconcile-directories/9\",\"directories\":{}}"] {
        fs::write(&path, damage).unwrap();
        for arguments in [&[][..], &["--dry-run"]] {
            let run = site.run(arguments).ends_with(1);
            assert!(
                run.err.contains("directories.json") && run.err.contains("remove it"),
                "{}",
                run.err
            );
        }
    }
    fs::remove_file(&path).unwrap();
    site.run(&[]).ends_with(0);
    assert!(path.exists());
}

#[test]
fn a_directory_that_could_not_be_read_is_not_remembered_as_empty() {
    let site = Site::applied();
    let path = site.state().join("directories.json");
    let remembered = fs::read(&path).unwrap();
    fs::rename(site.root().join(PEOPLE), site.path("away")).unwrap();
    site.run(&[]).ends_with(4);
    assert_eq!(fs::read(&path).unwrap(), remembered);
}

#[test]
fn a_required_administrator_stays_whatever_the_directory_says() {
    // That the inventory requires somebody who is gone is a mistake of its own.
    let gone: [fn(&Site); 2] = [
        |site| vanish(site, &["amara"]),
        |site| site.edit_person("amara", |entry| format!("{entry}\naccountStatus: inactive")),
    ];
    let code = 3;
    for go in gone {
        let site = Site::applied();
        go(&site);
        let run = site.run(&[]).ends_with(code);
        assert!(run.out.contains("cannot be approved"), "{}", run.out);
        let digest = run.digest();
        site.run(&["--approve", &digest]).ends_with(code);
        let digest = site.run(&["--dry-run"]).ends_with(code).digest();
        site.run(&["--approve", &digest]).ends_with(code);
        let cloud = site.world().describe().unwrap();
        assert!(cloud.iter().any(|line| line.contains("user amara enabled=true")));
        assert!(cloud.iter().any(|line| line.contains("member sysadmin amara")));
    }
}
