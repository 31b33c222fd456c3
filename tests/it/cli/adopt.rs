//! `reconcile adopt`: shown first, done by choice, refused where it makes no sense.

use reconcile::model::Mark;

use super::site::{SPI_HUB, Site};

/// The example, with amara's user made by hand before the first run.
fn by_hand() -> Site {
    let site = Site::new();
    site.world().add_user(SPI_HUB, "amara", None).expect("a user");
    site
}

#[test]
fn a_user_made_by_hand_is_in_the_way_until_it_is_adopted() {
    let site = by_hand();
    let first = site.run(&[]).ends_with(11);
    assert!(first.out.contains("foreign-user"), "{}", first.out);
    assert!(first.out.contains("reconcile adopt"), "the finding says what to do: {}", first.out);

    let looked = site.run(&["adopt", "spi-hub", "user", "amara"]).ends_with(0);
    assert!(looked.out.contains("~ adopt user  amara  as person:debian:"), "{}", looked.out);
    assert!(looked.out.contains("+ add member   amara"), "what follows is shown: {}", looked.out);
    assert!(looked.out.contains("Nothing was done"), "{}", looked.out);
    assert_eq!(site.run(&["--dry-run"]).ends_with(11).changes(), [""; 0], "nothing was done");

    site.run(&["adopt", "spi-hub", "user", "Amara", "--yes"]).ends_with(0);
    let run = site.run(&[]).ends_with(0);
    assert!(run.changes().iter().any(|line| line.contains("add member")), "{}", run.out);
    assert_eq!(site.run(&[]).ends_with(0).changes(), [""; 0]);
    let records = site.run(&["record", "list"]).ends_with(0);
    assert!(records.out.lines().count() >= 4, "an adoption is recorded: {}", records.out);
}

#[test]
fn what_makes_no_sense_is_refused_and_says_why() {
    let site = by_hand();
    site.run(&[]).ends_with(11);
    site.world().add_user(SPI_HUB, "nobody-knows-me", None).expect("a user");
    let mark =
        Mark { organisation: "others".into(), subject: "role:x".parse().expect("a subject") };
    site.world().add_user(SPI_HUB, "theirs", Some(&mark)).expect("a user");
    for (arguments, why) in [
        (&["spi-hub", "user", "amaro"][..], "did you mean `amara`?"),
        (&["spi-hub", "user", "nobody-knows-me"], "nothing in the inventory asks for user"),
        (&["spi-hub", "user", "theirs"], "it carries another mark"),
        (&["spi-hub", "group", "sysadmin"], "it is managed already"),
        (&["spi-hub", "user", "amara", "--as", "person:debian:0"], "asks for person:debian:0"),
        (&["spi-hubb", "user", "amara"], "did you mean `spi-hub`?"),
    ] {
        let arguments = [&["adopt"], arguments, &["--yes"]].concat();
        let refused = site.run(&arguments).ends_with(2);
        assert!(refused.err.contains(why), "{arguments:?}: {}", refused.err);
    }
}

/// What is in the embedded cloud, without marks.
fn without_marks(site: &Site) -> Vec<String> {
    let described = site.world().describe().expect("a cloud");
    described.iter().map(|line| line.replace("person:debian:", "")).collect()
}

#[test]
fn everybody_under_other_ids_is_adopted_at_once_and_nobody_loses_anything() {
    let site = Site::applied();
    let before = site.world().describe().expect("a cloud");
    site.edit(
        "inventory/directories.yaml",
        "schema: userdir",
        "schema: userdir\n    stable_id: uid",
    );
    // Without saying so, nothing is given and nothing taken.
    let held = site.run(&[]);
    assert!(held.out.contains("reconcile adopt --all debian"), "{}", held.out);
    assert_eq!(site.world().describe().expect("a cloud"), before, "{}", held.out);

    let shown = site.run(&["adopt", "--all", "debian"]).ends_with(0);
    let line = "~ adopt user  amara     as person:debian:amara, not person:debian:2001";
    assert!(shown.out.contains(line), "{}", shown.out);
    assert!(shown.out.contains("Nothing was done"), "{}", shown.out);
    assert!(!shown.out.contains("remove") && !shown.out.contains("suspend"), "{}", shown.out);
    assert_eq!(site.world().describe().expect("a cloud"), before);

    site.run(&["adopt", "--all", "debian", "--yes"]).ends_with(0);
    let run = site.run(&[]).ends_with(0);
    assert_eq!(run.changes(), [""; 0], "{}", run.out);
    assert_eq!(without_marks(&site).len(), before.len());
    // The directory is believed under its new ids: it gives, and it takes.
    site.edit_person("tomasz", |entry| format!("{entry}\nsupplementaryGid: mirrors"));
    let run = site.run(&[]).ends_with(0);
    assert!(run.out.contains("+ add member  tomasz"), "{}", run.out);
    let again = site.run(&["adopt", "--all", "debian"]).ends_with(0);
    assert!(again.out.contains("Nobody of directory debian has another id"), "{}", again.out);
}

#[test]
fn whoever_is_renamed_while_their_mark_is_damaged_gets_no_second_user() {
    // By the mail address; or, where there is none, by the name that is remembered.
    for (has_mail, why) in
        [(true, "and has their mail address"), (false, "and has the name that they had")]
    {
        let site = Site::new();
        if !has_mail {
            site.edit_person("eilidh", |entry| entry.replace("mail: eilidh@example.org\n", ""));
        }
        site.run(&[]).ends_with(0);
        let world = site.world();
        let all = world.dump().expect("a cloud");
        let mut users = all.account(SPI_HUB).users.after(None);
        let eilidh = users.find(|user| user.name == "eilidh").expect("her user").id.clone();
        world
            .edit_user(SPI_HUB, &eilidh.into(), |user| {
                user.tags.insert("reconcile:subject".to_owned(), "person:debian".to_owned());
            })
            .expect("damaged");
        site.edit_person("eilidh", |entry| {
            entry.replace("eilidh", "elspeth").replace("mail: elspeth", "mail: eilidh")
        });
        for _run in 0..3 {
            let run = site.run(&[]).ends_with(11);
            assert_eq!(run.changes(), [""; 0], "{}", run.out);
            let told = "person:debian:2005 (`elspeth`) gets no user: there is `eilidh`";
            assert!(run.out.contains(told) && run.out.contains(why), "{}", run.out);
        }
        let mend = ["adopt", "spi-hub", "user", "eilidh", "--as", "person:debian:2005", "--yes"];
        site.run(&mend).ends_with(0);
        let run = site.run(&[]).ends_with(0);
        assert!(run.out.contains("~ update user  eilidh"), "{}", run.out);
        assert_eq!(run.changes().len(), 1, "{}", run.out);
    }
}

#[test]
fn whoever_is_not_proven_to_be_the_same_is_left_and_named() {
    let site = Site::applied();
    site.edit(
        "inventory/directories.yaml",
        "schema: userdir",
        "schema: userdir\n    stable_id: uid",
    );
    site.edit_person("amara", |entry| entry.replace("amara@", "somebody.else@"));
    let shown = site.run(&["adopt", "--all", "debian"]).ends_with(0);
    assert!(
        shown.out.contains("user amara stays person:debian:2001: person:debian:amara"),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("has another mail address"), "{}", shown.out);
    assert!(!shown.out.contains("adopt user  amara"), "{}", shown.out);
    site.run(&["adopt", "--all", "debain"]).ends_with(2);
    site.run(&["adopt", "--all", "debian", "spi-hub"]).ends_with(2);
    site.run(&["adopt", "spi-hub", "user"]).ends_with(2);
}
