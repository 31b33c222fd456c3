//! `reconcile record`: what earlier runs did, and whether their records are untouched.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use super::ExitCode;
use crate::event::Outcome;
use crate::model::{ChangeId, PublicKey};
use crate::plan::{Step, Withheld};
use crate::record::{
    Called, Entry, Error, Head, InputVersion, KeyError, PlanFacts, PlannedChange, Records, Run,
    RunFacts, SigningKey, State, Trust, Verification,
};
use crate::visible::escaped as printable;

/// Looks at the records of earlier runs.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// List every run: when, who, what came of it, whether its record is untouched
    List {
        /// How to write it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Show one run, line by line
    Show {
        /// Its number, the first digits of its id, or `last`
        run: String,
        /// How to write it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Find any edit, deletion, reordering or truncation of the records
    Verify {
        /// What an earlier run printed after `record`: the records must still contain it
        #[arg(long, value_name = "HEAD")]
        expect: Option<Head>,
        /// Besides those of the operator's file, trust signatures of this key (`ed25519:…`, as
        /// `record keygen` prints it); may be given several times
        #[arg(long = "trust", value_name = "KEY")]
        trusted: Vec<PublicKey>,
        /// Where the witness is, if not where the operator's file says
        #[arg(long, value_name = "FILE")]
        witness: Option<PathBuf>,
        /// How to write it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Make a key that signs the record, and print its public half for the operator's file
    Keygen {
        /// The file for the private key; must not exist, only its owner may read it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Sign the record as it is, after you have looked at it: once when it gets its first key, and
    /// to go on after something that does not verify
    Sign,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

/// Why a subcommand did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The records cannot be read.
    #[error(transparent)]
    Record(#[from] Error),
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The result cannot be written.
    #[error("cannot write the result")]
    Output(#[from] io::Error),
}

impl Args {
    /// Whether it has to do with signatures; a key can be made before there is a file that names it.
    pub(super) fn needs_trust(&self) -> bool {
        !matches!(self.command, Command::Keygen { .. })
    }
}

/// Runs the subcommand. `trust` is what the operator's file says of signatures.
pub fn run(
    args: &Args,
    state_folder: &Path,
    trust: Trust,
    out: &mut dyn Write,
) -> Result<ExitCode, RecordError> {
    let open = |trust| Records::open(state_folder, Arc::new(Timestamp::now)).trusting(trust);
    match &args.command {
        Command::List { format } => list(&open(trust), *format, out),
        Command::Show { run, format } => show(&open(trust), run, *format, out),
        Command::Verify { expect, trusted, witness, format } => {
            let mut trust = trust;
            trust.trusted.extend(trusted.iter().cloned());
            trust.witness = witness.clone().or(trust.witness);
            verify(&open(trust), expect.as_ref(), *format, out)
        }
        Command::Keygen { out: path } => keygen(path, out),
        Command::Sign => sign(&open(trust), out),
    }
}

fn keygen(path: &Path, out: &mut dyn Write) -> Result<ExitCode, RecordError> {
    let key = SigningKey::create(path)?;
    writeln!(out, "{}", key.public())?;
    Ok(ExitCode::Success)
}

fn sign(records: &Records, out: &mut dyn Write) -> Result<ExitCode, RecordError> {
    let head = records.sign()?;
    writeln!(out, "signed\nhead {head}")?;
    Ok(ExitCode::Success)
}

fn verify(
    records: &Records,
    expect: Option<&Head>,
    format: Format,
    out: &mut dyn Write,
) -> Result<ExitCode, RecordError> {
    let found = records.verify(expect)?;
    match format {
        Format::Json => {
            json_line(
                out,
                &json!({
                    "damage": found.damage,
                    "head": found.head.to_string(),
                    "runs": found.runs.len(),
                    "signed_by": found.signed_by.as_ref().map(ToString::to_string),
                    "begun_anew": found.begun_anew,
                }),
            )?;
        }
        Format::Text => {
            write_damage(&found, out)?;
            for run in found.died() {
                writeln!(out, "note: {} died before its end; that is no damage", run.file)?;
            }
            if found.begun_anew > 0 {
                let times = counted(found.begun_anew, "time", "times");
                writeln!(
                    out,
                    "note: {times} an operator signed a record that was not the one the witness \
                     had seen"
                )?;
            }
            let verdict = if found.is_sound() { "untouched" } else { "DAMAGED" };
            writeln!(out, "{}: {verdict}", counted(found.runs.len(), "run", "runs"))?;
            if let Some(key) = &found.signed_by {
                writeln!(out, "signed by {key}")?;
            }
            writeln!(out, "head {}", found.head)?;
        }
    }
    Ok(exit_code(&found))
}

fn exit_code(found: &Verification) -> ExitCode {
    if found.is_sound() { ExitCode::Success } else { ExitCode::RecordDamaged }
}

fn write_damage(found: &Verification, out: &mut dyn Write) -> io::Result<()> {
    found.damage.iter().try_for_each(|damage| writeln!(out, "damaged: {damage}"))
}

fn list(records: &Records, format: Format, out: &mut dyn Write) -> Result<ExitCode, RecordError> {
    let found = records.verify(None)?;
    if format == Format::Json {
        json_line(out, &json!({ "runs": found.runs, "damage": found.damage }))?;
        return Ok(exit_code(&found));
    }
    if found.runs.is_empty() {
        writeln!(out, "no runs yet")?;
    }
    let mut rows =
        vec![["RUN", "BEGAN", "TOOK", "BY", "EXIT", "RECORD", "RESULT", "WHAT"].map(str::to_owned)];
    rows.extend(found.runs.iter().map(row));
    if rows.len() > 1 {
        write_table(&rows, out)?;
    }
    write_damage(&found, out)?;
    Ok(exit_code(&found))
}

fn row(run: &Run) -> [String; 8] {
    let unknown = || "?".to_owned();
    let facts = run.start.as_ref().map(|start| &start.facts);
    [
        run.number.to_string(),
        run.began.map_or_else(unknown, second),
        took(run),
        facts.map_or_else(unknown, |facts| format!("{}@{}", facts.user, facts.host)),
        run.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
        if run.damaged { "DAMAGED" } else { "untouched" }.to_owned(),
        match run.state {
            State::Running => format!("running: {}", run.counts),
            State::Ended => run.counts.to_string(),
            State::Died => format!("DIED: {}", run.counts),
        },
        facts.map_or_else(unknown, what),
    ]
}

/// What a run worked on, in a few words.
fn what(facts: &RunFacts) -> String {
    let organisations: Vec<&str> = facts.organisations.iter().map(AsRef::as_ref).collect();
    let mut words = organisations.join(", ");
    if !facts.narrowing.is_empty() {
        words = format!("{words} ({})", facts.narrowing.join(", "));
    }
    printable(&words).into_owned()
}

fn write_table(rows: &[[String; 8]], out: &mut dyn Write) -> io::Result<()> {
    let mut widths = [0; 8];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{:width$}", printable(cell)))
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

fn show(
    records: &Records,
    wanted: &str,
    format: Format,
    out: &mut dyn Write,
) -> Result<ExitCode, RecordError> {
    let run = records.find(wanted)?;
    let entries = records.entries(&run)?;
    if format == Format::Json {
        let entries: Vec<_> =
            entries.iter().map(|(time, entry)| json!({ "time": time, "what": entry })).collect();
        json_line(out, &json!({ "run": run, "entries": entries }))?;
    } else {
        write_facts(&run, out)?;
        let mut changes = Vec::new();
        for (time, entry) in &entries {
            if let Entry::Change(change) = entry {
                changes.push(change.as_ref());
            }
            if let Some(text) = in_words(entry, &changes) {
                writeln!(out, "{}  {}", time.strftime("%H:%M:%S"), printable(&text))?;
            }
        }
        if run.state == State::Died {
            writeln!(out, "the run died here; what it had begun may or may not have taken effect")?;
        }
    }
    Ok(if run.damaged { ExitCode::RecordDamaged } else { ExitCode::Success })
}

fn write_facts(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "run {} ({})", run.number, run.file)?;
    if run.damaged {
        writeln!(
            out,
            "  DAMAGED: `reconcile record verify` says where; do not rely on what follows"
        )?;
    }
    let Some(start) = &run.start else {
        return writeln!(out, "  its first line cannot be read");
    };
    let facts = &start.facts;
    let inventory = match &facts.inventory {
        InputVersion::Commit { commit, dirty: false } => format!("commit {commit}"),
        InputVersion::Commit { commit, dirty: true } => {
            format!("commit {commit} WITH UNCOMMITTED CHANGES")
        }
        InputVersion::Unknown { why } => format!("no commit known ({why})"),
    };
    let process = format!("process {}", facts.process);
    let mut lines = vec![
        ("began", run.began.map(second).unwrap_or_default()),
        ("took", took(run)),
        ("by", format!("{}@{}, {process}", facts.user, facts.host)),
        ("command", facts.arguments.join(" ")),
        ("version", facts.version.clone()),
        ("inventory", inventory),
        ("works on", what(facts)),
    ];
    lines.extend(facts.inputs.iter().map(|(input, digest)| ("input", format!("{digest} {input}"))));
    let exit = run.exit_code.map_or_else(String::new, |code| format!("; exit code {code}"));
    lines.push(("result", format!("{}{exit}", run.counts)));
    lines.iter().try_for_each(|(name, value)| writeln!(out, "  {name:10}{}", printable(value)))
}

/// A line of a record as a line for people; `None` for what others say as well.
fn in_words(entry: &Entry, changes: &[&PlannedChange]) -> Option<String> {
    Some(match entry {
        Entry::Run(_) => return None,
        Entry::Plan(plan) => plan_in_words(plan),
        Entry::Change(change) => {
            let held =
                change.held.as_ref().map(|why| format!(" (held: {why})")).unwrap_or_default();
            let reasons: Vec<String> = change.reasons.iter().map(ToString::to_string).collect();
            format!("planned  {}{held}: {}", title(change), reasons.join("; "))
        }
        Entry::Started { change } => format!("begins   {}", name(*change, changes)),
        Entry::Called(called) => call_in_words(called),
        Entry::Ended { change, outcome } => {
            format!("{} {}", outcome_in_words(outcome), name(*change, changes))
                + &why(outcome).map(|why| format!(": {why}")).unwrap_or_default()
        }
        Entry::End(end) => format!("ended: {}; exit code {}", end.counts, end.exit_code),
    })
}

fn plan_in_words(plan: &PlanFacts) -> String {
    let violations = plan.violations.iter().map(|violation| {
        let verdict = if violation.overridden { "approved" } else { "held" };
        format!("{verdict}: {}: {}", violation.organisation, violation.message)
    });
    let withheld = plan.withheld.iter().map(|withheld| {
        let kind = withheld.kind.plural();
        let Withheld { count, place, because, .. } = withheld;
        format!("{count} {kind} of {place} withheld because of {because}")
    });
    let changes = usize::try_from(plan.changes).unwrap_or(usize::MAX);
    let changes = counted(changes, "change", "changes");
    let parts: Vec<String> = std::iter::once(format!("plan {} with {changes}", plan.digest))
        .chain(violations)
        .chain(withheld)
        .collect();
    parts.join("; ")
}

fn call_in_words(called: &Called) -> String {
    let Called { change, call, attempt, milliseconds, request_id, error } = called;
    let request = request_id.as_ref().map(|id| format!(", request {id}")).unwrap_or_default();
    let result = error.as_ref().map_or_else(|| "ok".to_owned(), |error| format!("error: {error}"));
    format!("call     {change} {call}, attempt {attempt}, {milliseconds} ms{request}: {result}")
}

fn outcome_in_words(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "applied ",
        Outcome::AlreadyTrue => "was so  ",
        Outcome::Begun { .. } => "begun   ",
        Outcome::Held { .. } => "held    ",
        Outcome::Skipped { .. } => "skipped ",
        Outcome::Failed { .. } => "FAILED  ",
    }
}

fn why(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Applied | Outcome::AlreadyTrue => None,
        Outcome::Begun { what } => Some(what.clone()),
        Outcome::Held { why } | Outcome::Skipped { why } => Some(why.clone()),
        Outcome::Failed { why, hint } => {
            Some(hint.as_ref().map_or_else(|| why.clone(), |hint| format!("{why} ({hint})")))
        }
    }
}

fn name(change: ChangeId, changes: &[&PlannedChange]) -> String {
    changes
        .get(change.index())
        .filter(|planned| planned.change == change)
        .map_or_else(|| change.to_string(), |planned| title(planned))
}

fn title(change: &PlannedChange) -> String {
    format!("{} {}: {} {}", change.change, change.place, change.step.verb(), object(&change.step))
}

/// The object of a step, by the names people know.
fn object(step: &Step) -> String {
    match step {
        Step::RevokeCredential { user, credential, .. } => {
            format!("{} of {user} ({})", credential.kind, credential.id)
        }
        Step::AddMember { group, user, .. } => format!("{} to {}", user.name, group.name),
        Step::RemoveMember { group, user, .. } => format!("{} from {}", user.name, group.name),
        Step::BindRole { role, group } => format!("{} to {}", role.name, group.name),
        Step::UnbindRole { role, group, .. } => format!("{} from {}", role.name, group.name),
        Step::Attach { holder, attachment, .. } | Step::Detach { holder, attachment, .. } => {
            format!("{}: {} {}", holder.name, attachment.kind, attachment.name)
        }
        Step::IssueCredential { user, kind, .. } => format!("{kind} of {}", user.name),
        Step::User(_) | Step::Group(_) | Step::Role(_) | Step::Part { .. } | Step::Adopt { .. } => {
            step.object().to_string()
        }
    }
}

fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn took(run: &Run) -> String {
    match (run.began, run.ended, run.state) {
        (Some(began), Some(ended), State::Ended | State::Died) => {
            format!("{} s", ended.as_second() - began.as_second())
        }
        _ => "-".to_owned(),
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn json_line(out: &mut dyn Write, value: &serde_json::Value) -> io::Result<()> {
    crate::visible::write_json(out, value)
}
