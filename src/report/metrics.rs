//! A run in numbers, for the textfile collector of Prometheus' node exporter.
//!
//! Alert on `time() - reconcile_last_success_timestamp_seconds` and on `reconcile_held > 0`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::event::Outcome;
use crate::model::{Kind, OrganisationName};
use crate::plan::Effect;

const LAST_SUCCESS: &str = "reconcile_last_success_timestamp_seconds";

/// A run in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// When the run ended.
    pub ended: Timestamp,
    /// Its exit code.
    pub exit_code: u8,
    /// Everything is as it should be. The file keeps the time of the last run that says so.
    pub success: bool,
    /// How many changes ended how.
    pub changes: BTreeMap<ChangeLabels, u64>,
    /// How many removals were left out because absence was not proven.
    pub withheld: BTreeMap<(OrganisationName, Kind), u64>,
    /// How long each part of the run took ("read", "plan", "apply").
    pub durations: BTreeMap<&'static str, Duration>,
    /// The head of the run record, if one was written.
    pub record_head: Option<String>,
}

/// What tells a number of changes from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeLabels {
    /// In which organisation.
    pub organisation: OrganisationName,
    /// Of what.
    pub kind: Kind,
    /// To what effect.
    pub effect: Effect,
    /// How they ended.
    pub outcome: OutcomeLabel,
}

/// How a change ended, without the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutcomeLabel {
    /// Done.
    Applied,
    /// So already.
    AlreadyTrue,
    /// Accepted; the vendor is still at it.
    Begun,
    /// Held by the guard.
    Held,
    /// Not tried.
    Skipped,
    /// Tried without success.
    Failed,
}

impl From<&Outcome> for OutcomeLabel {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Applied => Self::Applied,
            Outcome::AlreadyTrue => Self::AlreadyTrue,
            Outcome::Begun { .. } => Self::Begun,
            Outcome::Held { .. } => Self::Held,
            Outcome::Skipped { .. } => Self::Skipped,
            Outcome::Failed { .. } => Self::Failed,
        }
    }
}

impl OutcomeLabel {
    fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::AlreadyTrue => "already_true",
            Self::Begun => "begun",
            Self::Held => "held",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

impl Metrics {
    /// A run in which nothing has been counted yet.
    pub fn new(ended: Timestamp, exit_code: u8, success: bool) -> Self {
        Self {
            ended,
            exit_code,
            success,
            changes: BTreeMap::new(),
            withheld: BTreeMap::new(),
            durations: BTreeMap::new(),
            record_head: None,
        }
    }

    /// Counts one change.
    pub fn count(
        &mut self,
        organisation: &OrganisationName,
        kind: Kind,
        effect: Effect,
        outcome: &Outcome,
    ) {
        let labels = ChangeLabels {
            organisation: organisation.clone(),
            kind,
            effect,
            outcome: outcome.into(),
        };
        *self.changes.entry(labels).or_default() += 1;
    }

    /// Replaces the file at once: its reader sees the old one or the new one, whole.
    ///
    /// Everybody may read it, since the exporter runs as somebody else.
    ///
    /// # Errors
    /// The file cannot be written. The old one is then still there.
    pub fn replace(&self, path: &Path) -> io::Result<()> {
        let before = fs::read_to_string(path).ok().and_then(|text| last_success(&text));
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        // The collector reads only `*.prom`, so it never sees this one.
        let mut file = tempfile::Builder::new()
            .prefix(".reconcile-")
            .suffix(".new")
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(folder.unwrap_or(Path::new(".")))?;
        // The umask may have taken bits away.
        file.as_file().set_permissions(Permissions::from_mode(0o644))?;
        file.write_all(self.text(before).as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    /// The text form. `before` is the last success known before this run.
    pub fn text(&self, before: Option<i64>) -> String {
        let mut text = Text::default();
        let now = self.ended.as_second();
        if let Some(success) = if self.success { Some(now) } else { before } {
            text.family(LAST_SUCCESS, "When a run last ended with everything as it should be.");
            text.sample(&[], success);
        }
        text.family("reconcile_last_run_timestamp_seconds", "When the last run ended.");
        text.sample(&[], now);
        text.family("reconcile_last_exit_code", "Exit code of the last run.");
        text.sample(&[], self.exit_code);
        self.changes_text(&mut text);
        text.family(
            "reconcile_withheld",
            "Removals the last run left out because absence was not proven.",
        );
        for ((organisation, kind), count) in &self.withheld {
            let labels = [("organisation", organisation.as_str()), ("kind", kind.name())];
            text.sample(&labels, count);
        }
        text.family("reconcile_duration_seconds", "How long each part of the last run took.");
        for (phase, took) in &self.durations {
            text.sample(&[("phase", phase)], took.as_secs_f64());
        }
        if let Some(head) = &self.record_head {
            text.family("reconcile_record_head_info", "Head of the run record, a witness of it.");
            text.sample(&[("head", head)], 1);
        }
        text.text
    }

    fn changes_text(&self, text: &mut Text) {
        text.family("reconcile_changes", "Changes of the last run.");
        for (labels, count) in &self.changes {
            text.sample(
                &[
                    ("organisation", labels.organisation.as_str()),
                    ("kind", labels.kind.name()),
                    ("effect", effect_word(labels.effect)),
                    ("outcome", labels.outcome.word()),
                ],
                count,
            );
        }
        let families = [
            ("reconcile_held", "Changes the guard held in the last run.", OutcomeLabel::Held),
            ("reconcile_failed", "Changes that failed in the last run.", OutcomeLabel::Failed),
        ];
        for (name, help, outcome) in families {
            text.family(name, help);
            let mut sums: BTreeMap<(&OrganisationName, Kind), u64> = BTreeMap::new();
            for (labels, count) in &self.changes {
                // A zero for what exists lets an alert end.
                let count = if labels.outcome == outcome { *count } else { 0 };
                *sums.entry((&labels.organisation, labels.kind)).or_default() += count;
            }
            for ((organisation, kind), count) in sums {
                let labels = [("organisation", organisation.as_str()), ("kind", kind.name())];
                text.sample(&labels, count);
            }
        }
    }
}

/// The exposition format, one family after the other.
#[derive(Default)]
struct Text {
    text: String,
    family: &'static str,
}

impl Text {
    fn family(&mut self, name: &'static str, help: &str) {
        self.family = name;
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} gauge"));
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        let family = self.family;
        if labels.is_empty() {
            self.line(format_args!("{family} {value}"));
        } else {
            self.line(format_args!("{family}{{{}}} {value}", labels.join(",")));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("writing to a String cannot fail");
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Addition => "addition",
        Effect::Update => "update",
        Effect::Removal => "removal",
    }
}

/// The last success an earlier file tells of.
fn last_success(text: &str) -> Option<i64> {
    text.lines().find_map(|line| line.strip_prefix(LAST_SUCCESS)?.strip_prefix(' ')?.parse().ok())
}
