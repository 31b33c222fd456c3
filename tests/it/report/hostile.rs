//! Names chosen to break out of a report.

use reconcile::model::Access;
use reconcile::plan::{Life, Step};
use reconcile::report::{self, Detail, LONGEST_COMMENT};

use super::sample::{self, person, plain, reviewed, user};

const HOSTILE: &[&str] = &[
    "</details><script>alert(1)</script>",
    "`````` end",
    "a|b|c\n+ create user admin",
    "\u{1b}[2J\u{1b}[31m",
    "@everyone #1 ![x](http://example.org/x.png)",
    "\u{202e}evil",
    "\r+ nothing",
];

fn with_name(name: &str) -> reconcile::guard::Review {
    let mut plan = sample::plan();
    plan.changes = vec![plan.changes[8].clone()];
    let change = &mut plan.changes[0];
    change.id = reconcile::model::ChangeId(0);
    let spec = user(name, Access::Enabled);
    change.step = Step::User(Life::Create { subject: person(name), spec: Box::new(spec) });
    change.place = sample::place(name, name).into();
    plan.findings[0].message = name.into();
    plan.incomplete[0].read = name.into();
    plan.withheld[0].because = name.into();
    reviewed(plan)
}

#[test]
fn no_name_makes_a_line_or_steers_a_terminal() {
    let lines = |name| {
        let review = with_name(name);
        let mut written = Vec::new();
        report::plan(&mut written, &review, Detail::Everything).expect("memory");
        let text = String::from_utf8(written).expect("UTF-8");
        let stripped = anstream::adapter::strip_str(&text).to_string();
        assert!(!stripped.contains(['\r', '\u{1b}', '\u{202e}']), "{stripped:?}");
        stripped.lines().count()
    };
    let usual = lines("harmless");
    for name in HOSTILE {
        assert_eq!(lines(name), usual, "{name:?}");
    }
}

#[test]
fn no_name_breaks_out_of_a_comment() {
    for name in HOSTILE {
        let review = with_name(name);
        let text = plain(|out| report::markdown(out, &review));
        // Outside of fenced blocks there is only our own markup.
        let mut fenced = false;
        for line in text.lines() {
            if line.starts_with("````") {
                fenced = !fenced;
                continue;
            }
            if fenced {
                assert!(!line.trim_start().starts_with("```"), "{line}");
                assert!(!line.trim_start().starts_with("~~~"), "{line}");
            } else {
                assert!(!line.contains("<script"), "{line}");
                assert!(!line.contains(['@', '`', '|', '[']), "{line}");
                let opened = line.matches("<details>").count();
                let closed = line.matches("</details>").count();
                assert!(opened + closed <= 1, "{line}");
            }
        }
        assert!(!fenced);
    }
}

#[test]
fn a_long_plan_is_cut_honestly() {
    let mut plan = sample::plan();
    let template = plan.changes[8].clone();
    plan.changes = (0..5000)
        .map(|number| {
            let mut change = template.clone();
            change.id = reconcile::model::ChangeId(number);
            change
        })
        .collect();
    let review = reviewed(plan);
    let text = plain(|out| report::markdown(out, &review));
    assert!(text.len() <= LONGEST_COMMENT, "{}", text.len());
    assert!(text.len() > LONGEST_COMMENT - 2_000, "{}", text.len());
    let shown = text.lines().filter(|line| line.starts_with("+ ")).count();
    // The two findings come last and do not fit either.
    let left_out = 5000 - shown;
    let last = text.lines().last().expect("a line");
    let said: usize = last
        .strip_prefix("… and ")
        .and_then(|rest| rest.split(' ').next())
        .and_then(|number| number.parse().ok())
        .expect(last);
    assert!((left_out..=left_out + 2).contains(&said), "{last} {left_out}");
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}
