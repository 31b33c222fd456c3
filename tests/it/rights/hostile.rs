//! Names chosen to break out of a report.

use reconcile::cloud::registry;
use reconcile::desired::{Inputs, resolve};
use reconcile::report::{
    self, DIFFERENCE_FORMAT, DIFFERENCE_MARKER, DifferenceReport, EXPLANATION_FORMAT,
    ExplanationReport, LONGEST_COMMENT,
};
use reconcile::rights::{Explained, View, compare, explain, find};

use crate::engine::world::{Given, Model};

const HOSTILE: &[&str] = &[
    "</details><script>alert(1)</script>",
    "`````` end",
    "a|b|c\n+ debian:root  administrator",
    "\u{1b}[2J\u{1b}[31m",
    "@everyone #1 ![x](http://example.org/x.png)",
    "\u{202e}evil",
    "\r+ nothing",
    "--> <!--",
];

fn inputs<'a>(given: &'a Given, vendors: &'a [reconcile::model::VendorFacts]) -> Inputs<'a> {
    Inputs {
        inventory: &given.inventory,
        policies: &given.policies,
        directories: &given.directories,
        vendors,
        today: given.today,
    }
}

/// The text of explaining the person, and the comment about a new grant.
fn shown(given: &Given, person: &str, notes: &[String]) -> (String, String) {
    let vendors = registry::facts();
    let nothing = Model::simple().given();
    let (before, after) = (inputs(&nothing, &vendors), inputs(given, &vendors));
    let (was, is) = (resolve(&before), resolve(&after));
    let (before, after) = (View::new(before, &was), View::new(after, &is));
    let explained = explain(&after, &find(&after, person).unwrap()).unwrap();
    assert!(matches!(explained, Explained::Person(_)));
    let explanation = ExplanationReport {
        format: EXPLANATION_FORMAT,
        today: String::new(),
        not_complete: &[],
        explained: &explained,
    };
    let difference = DifferenceReport {
        format: DIFFERENCE_FORMAT,
        base: notes.first().cloned().unwrap_or_default(),
        head: String::new(),
        today: String::new(),
        not_complete: &[],
        notes,
        difference: &compare(&before, &after),
    };
    let (mut text, mut comment) = (Vec::new(), Vec::new());
    report::explanation_text(&mut anstream::StripStream::new(&mut text), &explanation).unwrap();
    report::difference_markdown(&mut comment, &difference).unwrap();
    (String::from_utf8(text).unwrap(), String::from_utf8(comment).unwrap())
}

#[test]
fn no_name_can_break_out() {
    let mut counts = Vec::new();
    for name in HOSTILE.iter().chain(&["plain"]) {
        let mut model = Model::simple();
        model.of("debian").groups.insert((*name).into());
        model.account("spi", name, "100000000009", "hub");
        let id = model.person("debian", name, &[name]);
        model.grant(&format!("debian:{name}"), "operator", &[name]);
        let (text, comment) =
            shown(&model.given(), &format!("person:debian:{id}"), &[(*name).into()]);
        let bad = |character: char| {
            (character.is_control() && character != '\n') || character == '\u{202e}'
        };
        assert!(!text.contains(bad) && !comment.contains(bad), "{name:?}");
        assert!(comment.starts_with(&format!("{DIFFERENCE_MARKER}\n### reconcile: ")), "{comment}");
        // Outside of fences there is nothing but what every comment has.
        let mut inside = false;
        let outside: Vec<&str> = comment
            .lines()
            .filter(|line| {
                let fence = line.starts_with("````");
                inside ^= fence;
                !inside && !fence
            })
            .collect();
        let outside = outside.join("\n");
        assert!(!outside.contains("<script") && !outside.contains("![") && !outside.contains('@'));
        assert!(comment.lines().all(|line| !line.starts_with("+ debian:root")), "{comment}");
        counts.push((text.lines().count(), comment.lines().count()));
    }
    counts.dedup();
    assert_eq!(counts.len(), 1, "a name adds lines: {counts:?}");
}

#[test]
fn a_comment_is_never_too_long() {
    let mut model = Model::simple();
    for number in 0..3000 {
        model.person("debian", &format!("person-{number}"), &["admin"]);
    }
    let (_, comment) = shown(&model.given(), "person-7", &[]);
    assert!(comment.len() <= LONGEST_COMMENT, "{}", comment.len());
    assert!(comment.ends_with("more lines, left out for their length.\n"));
    assert_eq!(comment.matches("````").count() % 2, 0);
    assert!(comment.contains("3000 rights given, 0 taken; 3000 users created"));
}
