//! The life of mirrors on the embedded cloud, as stories: a folder each in `tests/mirrors`, with what
//! happens (`story.txt`) and what the program makes of it (`expected.txt`).
//!
//! Every story begins with one mirror in `mirrors/debian.yaml` of which nothing exists.
//! `RECONCILE_BLESS=1` writes the expectations anew. The lines of a story:
//!
//! ```text
//! # for the reader
//! wait 10m                     the vendor's clock goes on (m, h, d)
//! mirrors OLD => NEW           the topology is edited (`\n` is a new line)
//! no-mirrors                   the file is empty from now on
//! hand WORDS                   somebody does something at the vendor
//! fault OPERATION              the next such call gives half a page
//! run                          a run, shown
//! runs                         runs with an hour between them until nothing is left to do, counted
//! ```
//!
//! At the end of every line the public name must be served, once it was, until the mirror is retired.

mod estate;
mod last;
mod properties;
mod random;

use std::path::{Path, PathBuf};

use estate::Estate;

use super::engine::run::on_a_fast_clock;

/// Each story is its own test: it can be filtered, and runs beside others.
macro_rules! stories {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                on_a_fast_clock(story(&stringify!($name).replace('_', "-")));
            }
        )*

        /// A folder that no test reads would be read by nobody.
        #[test]
        fn every_story_is_a_test() {
            let mut told: Vec<String> =
                [$(stringify!($name)),*].map(|name| name.replace('_', "-")).into();
            told.sort();
            let mut written: Vec<String> = std::fs::read_dir(folder())
                .expect("a folder")
                .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
                .collect();
            written.sort();
            assert_eq!(told, written);
        }
    };
}

stories! {
    from_nothing
    regional
    a_region_more
    another_image
    taken_down
    forgotten
    half_a_list
    somebody_elses_name
    one_server_less
    proof_removed
    certificate_ends
    another_form
    another_name
    another_region
    there_and_back
    front_end_without_mark
    wanted_again
    nobody_behind
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mirrors")
}

async fn story(name: &str) {
    let folder = folder().join(name);
    let text = std::fs::read_to_string(folder.join("story.txt")).expect("a story");
    let mut estate = Estate::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        estate.happens(word, rest).await;
        estate.must_be_served(line);
    }
    let told = estate.told;
    let expected = folder.join("expected.txt");
    if std::env::var_os("RECONCILE_BLESS").is_some() {
        std::fs::write(&expected, &told).expect("a writable folder");
    }
    let expected = std::fs::read_to_string(&expected).expect("an expectation");
    assert!(told == expected, "{name}: got\n{told}\nexpected\n{expected}");
}
