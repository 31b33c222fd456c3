//! The Prometheus textfile, read by a strict parser of its format.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use jiff::Timestamp;
use reconcile::event::Outcome;
use reconcile::model::Kind;
use reconcile::plan::Effect;
use reconcile::report::metrics::Metrics;

type Labels = BTreeMap<String, String>;

/// Samples by name and labels. Panics at anything the format does not allow: a sample without
/// HELP and TYPE before it, a family told twice, a sample told twice, a wrong name or escape.
fn parse(text: &str) -> BTreeMap<(String, Labels), f64> {
    assert!(text.ends_with('\n'), "the last line has no end");
    let (mut samples, mut families) = (BTreeMap::new(), Vec::<String>::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a help text");
            assert!(!help.is_empty() && !families.iter().any(|family| family == name), "{line}");
            assert_eq!(lines.next(), Some(format!("# TYPE {name} gauge").as_str()));
            families.push(name.to_owned());
            continue;
        }
        let (name, labels, value) = sample(line);
        assert_eq!(families.last(), Some(&name), "outside its family: {line}");
        let value = value.parse().expect("a number");
        assert_eq!(samples.insert((name, labels), value), None, "told twice: {line}");
    }
    samples
}

fn sample(line: &str) -> (String, Labels, &str) {
    let end = line.find(|letter: char| !is_name(letter)).expect("more than a name");
    let (name, mut rest) = line.split_at(end);
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").expect("a label");
            assert!(!label.is_empty() && label.chars().all(is_name), "{line}");
            let (value, after) = quoted(after);
            assert_eq!(labels.insert(label.to_owned(), value), None, "{line}");
            match after.strip_prefix(',') {
                Some(after) => rest = after,
                None => break rest = after.strip_prefix('}').expect("an end of labels"),
            }
        }
    }
    (name.to_owned(), labels, rest.strip_prefix(' ').expect("a space before the value"))
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter == '_'
}

fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match letters.next() {
                Some((_, 'n')) => '\n',
                Some((_, same @ ('\\' | '"'))) => same,
                other => panic!("a wrong escape: {other:?}"),
            }),
            letter => value.push(letter),
        }
    }
    panic!("no end of the label's value: {text}")
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_run_in_numbers() {
    let mut metrics = Metrics::new(at(1000), 3, false);
    let spi = "spi".into();
    let held = Outcome::Held { why: "too many".into() };
    metrics.count(&spi, Kind::User, Effect::Removal, &held);
    metrics.count(&spi, Kind::User, Effect::Removal, &held);
    metrics.count(&spi, Kind::User, Effect::Addition, &Outcome::Applied);
    metrics.withheld.insert((spi, Kind::Binding), 4);
    metrics.durations.insert("apply", Duration::from_millis(1500));
    metrics.record_head = Some("2:ab".into());
    let samples = parse(&metrics.text(None));
    let sample = |name: &str, pairs: &[(&str, &str)]| {
        samples.get(&(name.to_owned(), labels(pairs))).copied()
    };
    let user = [("organisation", "spi"), ("kind", "user")];
    assert_eq!(sample("reconcile_last_success_timestamp_seconds", &[]), None);
    assert_eq!(sample("reconcile_last_run_timestamp_seconds", &[]), Some(1000.0));
    assert_eq!(sample("reconcile_last_exit_code", &[]), Some(3.0));
    let removals = [user.as_slice(), &[("effect", "removal"), ("outcome", "held")]].concat();
    assert_eq!(sample("reconcile_changes", &removals), Some(2.0));
    assert_eq!(sample("reconcile_held", &user), Some(2.0));
    assert_eq!(sample("reconcile_failed", &user), Some(0.0));
    let bindings = [("organisation", "spi"), ("kind", "binding")];
    assert_eq!(sample("reconcile_withheld", &bindings), Some(4.0));
    assert_eq!(sample("reconcile_duration_seconds", &[("phase", "apply")]), Some(1.5));
    assert_eq!(sample("reconcile_record_head_info", &[("head", "2:ab")]), Some(1.0));
}

#[test]
fn any_name_is_a_label() {
    for name in ["a\"b", "a\\", "a\nb", "{x=\"y\"} 1", "åäö"] {
        let mut metrics = Metrics::new(at(0), 0, true);
        metrics.withheld.insert((name.into(), Kind::User), 7);
        let key =
            ("reconcile_withheld".to_owned(), labels(&[("organisation", name), ("kind", "user")]));
        assert_eq!(parse(&metrics.text(None)).get(&key), Some(&7.0), "{name}");
    }
}

#[test]
fn the_last_success_outlives_runs_that_fail() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reconcile.prom");
    let last_success = || {
        let key = ("reconcile_last_success_timestamp_seconds".to_owned(), Labels::new());
        parse(&fs::read_to_string(&file).unwrap()).get(&key).copied()
    };
    Metrics::new(at(1000), 1, false).replace(&file).unwrap();
    assert_eq!(last_success(), None);
    Metrics::new(at(2000), 0, true).replace(&file).unwrap();
    assert_eq!(last_success(), Some(2000.0));
    for second in [3000, 4000] {
        Metrics::new(at(second), 5, false).replace(&file).unwrap();
        assert_eq!(last_success(), Some(2000.0));
    }
    fs::write(&file, b"reconcile_last_success_timestamp_seconds soon\xff\n").unwrap();
    Metrics::new(at(5000), 5, false).replace(&file).unwrap();
    assert_eq!(last_success(), None);
}

#[test]
fn the_file_is_replaced_whole_and_everybody_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reconcile.prom");
    fs::write(&file, "old").unwrap();
    let reader = fs::File::open(&file).unwrap();
    Metrics::new(at(1000), 0, true).replace(&file).unwrap();
    let old = std::io::read_to_string(reader).unwrap();
    assert_eq!(old, "old", "a reader of the old file is not disturbed");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    assert!(Metrics::new(at(0), 0, true).replace(&folder.path().join("gone/x.prom")).is_err());
}
