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
