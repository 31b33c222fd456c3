//! What `reconcile`, `reconcile plan` and `reconcile apply` have in common: looking, showing,
//! carrying out.

use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::consent::Consent;
use super::globals::record_failure;
use super::input::Input;
use super::output::Steadfast;
use super::progress::Progress;
use super::run::Format;
use super::{ExitCode, Failure, Globals};
use crate::apply::{Options, Outcomes, Stopped};
use crate::diagnostic::Severity;
use crate::guard;
use crate::model::DirectoryName;
use crate::plan::{Plan, PlanDigest};
use crate::record::{self, EndFacts, RunFacts, SavedPlan};
use crate::report::metrics::Metrics;
use crate::report::{self, Detail};
use crate::run::{self, Baseline, Carried, Gathered, Past, Prepared, Told};
use crate::sink::ConfiguredSinks;

/// Runs something asynchronous to its end.
pub(super) fn on_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    // Directory and clouds use rustls; without a process-wide choice of cryptography it
    // panics as soon as two are compiled in. An error means that somebody chose already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Everything read, and the plan that follows.
pub(super) struct Look {
    pub(super) gathered: Gathered,
    pub(super) prepared: Prepared,
    past: Past,
    planning_took: Duration,
    /// A directory is odd in a way that no run has told yet.
    has_news: bool,
}

impl Look {
    pub(super) async fn at(
        globals: &Globals,
        input: &Input,
        baseline: &Baseline,
        approved: Option<PlanDigest>,
    ) -> Self {
        let sources = input.sources(globals);
        let records = record::Records::open(&globals.state, globals.clock());
        let past = Past::read(&globals.state, &records, globals.now());
        let mut gathered = run::gather(&sources).await;
        run::gather_forgotten(&sources, &past.known, &mut gathered).await;
        let gathered = gathered.at(globals.now(), records.last_believed_run());
        let began = Instant::now();
        let findings = input.findings(&gathered);
        let prepared = run::prepare(
            &sources,
            &gathered,
            baseline,
            &past,
            findings,
            &input.narrowing,
            approved.clone(),
        );
        let digest = prepared.review.approved.plan().digest();
        if approved.is_some_and(|approved| approved != digest) {
            tracing::warn!("--approve names another plan than this one, so nothing is approved");
        }
        let findings = &prepared.review.approved.plan().findings;
        let has_news = Told::read(&globals.state).lacks(findings);
        Self { gathered, prepared, past, planning_took: began.elapsed(), has_news }
    }

    fn plan(&self) -> &Plan {
        self.prepared.review.approved.plan()
    }

    pub(super) fn has_changes(&self) -> bool {
        !self.plan().changes.is_empty()
    }

    /// Who contradicts this machine's clock.
    fn clock_doubts(&self) -> Vec<String> {
        let doubts = self.gathered.clocks.as_ref().map(guard::doubts).unwrap_or_default();
        doubts.into_iter().map(|doubt| doubt.message).collect()
    }

    /// Whether a quiet run has nothing to say about it.
    pub(super) fn is_silent(&self, quiet: bool) -> bool {
        let is_well = !self.has_changes() && self.exit_code() == ExitCode::Success;
        quiet && is_well && !self.has_news
    }

    /// With `--detailed-exitcode`, success with changes to make has a code of its own.
    pub(super) fn detailed(&self, code: ExitCode, wanted: bool) -> ExitCode {
        if wanted && code == ExitCode::Success && self.has_changes() {
            ExitCode::ChangesPending
        } else {
            code
        }
    }

    /// How a run ends that does everything it may without a failure.
    pub(super) fn exit_code(&self) -> ExitCode {
        let plan = self.plan();
        if !plan.incomplete.is_empty() {
            ExitCode::IncompleteSource
        } else if !self.prepared.review.approved.held().is_empty() {
            ExitCode::Held
        } else if plan.findings.iter().any(|one| one.severity == Severity::Error) {
            ExitCode::LeftAlone
        } else if !plan.waiting.is_empty() {
            ExitCode::Waiting
        } else {
            ExitCode::Success
        }
    }
}

/// How things are shown.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub(super) format: Format,
    pub(super) detail: Detail,
    pub(super) quiet: bool,
}

impl Shown {
    pub(super) fn plan(self, out: &mut dyn Write, prepared: &Prepared) -> Result<(), Failure> {
        match self.format {
            Format::Text => report::plan(out, &prepared.review, self.detail)?,
            Format::Markdown => report::markdown(out, &prepared.review)?,
            Format::Json => report::json(out, &prepared.review, None)?,
        }
        if prepared.left_out > 0 {
            tracing::warn!(
                "{} changes were left out because they need some that were not asked for",
                prepared.left_out
            );
        }
        Ok(())
    }

    fn outcomes(
        self,
        out: &mut dyn Write,
        prepared: &Prepared,
        outcomes: &Outcomes,
    ) -> Result<(), Failure> {
        let review = &prepared.review;
        match self.format {
            Format::Json => report::json(out, review, Some(outcomes))?,
            // The plan has said so.
            Format::Text | Format::Markdown if review.approved.plan().changes.is_empty() => {}
            Format::Text => report::outcomes(out, &review.approved, outcomes)?,
            Format::Markdown => {
                let mut text = Vec::new();
                let mut plain = anstream::StripStream::new(&mut text);
                report::outcomes(&mut plain, &review.approved, outcomes)?;
                writeln!(out)?;
                for line in String::from_utf8_lossy(&text).lines() {
                    writeln!(out, "    {line}")?;
                }
            }
        }
        Ok(())
    }
}

/// A run that changes things. The locks are the caller's.
pub(super) struct Run<'a> {
    pub(super) globals: &'a Globals,
    pub(super) input: &'a Input,
    pub(super) shown: Shown,
    pub(super) interrupt: CancellationToken,
    pub(super) consent: Consent,
    /// The saved plan that is carried out, if one is.
    pub(super) saved_plan: Option<SavedPlan>,
    /// A directory whose people have other ids now; what is remembered of it is learnt anew once
    /// the whole plan is carried out.
    pub(super) anew: Option<DirectoryName>,
}

impl Run<'_> {
    /// Shows the plan, carries it out with a record, and shows how that ended.
    pub(super) async fn perform(
        self,
        look: Look,
        baseline: Baseline,
        metrics: Option<&Path>,
        out: &mut dyn Write,
    ) -> Result<ExitCode, Failure> {
        self.input.still_there(self.globals)?;
        let mut out = Steadfast::new(out);
        let silent = look.is_silent(self.shown.quiet);
        // A run writes one JSON document, at its end.
        if !silent && self.shown.format != Format::Json {
            self.shown.plan(&mut out, &look.prepared)?;
            out.flush()?;
        }
        let plan = &look.prepared.review.approved;
        if self.consent.asks(plan) && (silent || self.shown.format == Format::Json) {
            let mut stderr = anstream::stderr();
            report::plan(&mut stderr, &look.prepared.review, self.shown.detail)?;
        }
        self.consent.wait(plan, &self.interrupt).await?;
        let (Carried { outcomes, mut writer }, took) = self.carry_out(&look).await?;
        writer.taken(run::taken(&look.prepared, &outcomes));
        let code = exit_code(&look, &outcomes);
        let head = writer.end(EndFacts { exit_code: code as u8 });
        if !silent {
            self.shown.outcomes(&mut out, &look.prepared, &outcomes)?;
            if let (Ok(head), Format::Text) = (&head, self.shown.format) {
                writeln!(out, "record {head}")?;
            }
        }
        // Whatever fails from here on, the rest is still done, and the first failure told.
        let remembered = self.remember(baseline, &look, &outcomes);
        let recorded = (took, &outcomes, head.as_ref().ok().map(ToString::to_string));
        let measured = write_metrics(metrics, self.globals, &look, Some(recorded), code);
        let state = &self.globals.state;
        let ended = unrecorded(&outcomes, head.map(|_| ()), state);
        let remembered = remembered.map_err(|failure| {
            let made = made(&outcomes);
            failure.hint(format!(
                "{made}, and that is on record; only who is in the directories could not be noted \
                 for the next run. Make room in {} and run again",
                state.display()
            ))
        });
        ended.and(remembered).and(measured).and(out.finish())?;
        Ok(code)
    }

    async fn carry_out(&self, look: &Look) -> Result<(Carried, Duration), Failure> {
        let unrecorded = |error: record::Error| {
            let failure = record_failure(error);
            let hint = failure.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
            failure.hint(format!("nothing was changed: no run without a record{hint}"))
        };
        let records = self.globals.records()?;
        let facts = facts(self.globals, self.input, look, self.saved_plan.clone());
        let writer = records.start(self.input.run.clone(), facts).map_err(unrecorded)?;
        let review = &look.prepared.review;
        let mut progress = Progress::new(review.approved.plan().changes.len());
        let began = Instant::now();
        let sinks = ConfiguredSinks::new(&self.input.operator, &Globals::environment);
        let carried = run::carry_out(
            review,
            &look.gathered.connections,
            &sinks,
            Options { seed: u64::from(std::process::id()), ..Options::default() },
            writer,
            &mut progress,
            &self.interrupt,
        )
        .await
        .map_err(unrecorded)?;
        progress.finish();
        Ok((carried, began.elapsed()))
    }

    fn remember(
        &self,
        mut baseline: Baseline,
        look: &Look,
        outcomes: &Outcomes,
    ) -> Result<(), Failure> {
        // An approval is for one run: what that run left undone needs another one.
        let counts = outcomes.counts();
        let finished = outcomes.stopped.is_none() && counts.failed + counts.skipped == 0;
        let policies = &self.input.loaded.policies;
        let violations = &look.prepared.review.violations;
        let mut known = look.past.known.clone();
        if let Some(directory) = self.anew.as_ref().filter(|_| finished) {
            baseline.forget(directory);
            known.forget_ids(directory);
        }
        baseline.update(&look.gathered, policies, violations, finished, self.input.today);
        let about_all = self.input.organisations.is_empty();
        if let Err(error) = Told::write(&self.globals.state, &look.plan().findings, about_all) {
            tracing::warn!("cannot remember what was told: {error}");
        }
        let sources = self.input.sources(self.globals);
        known.update(&sources, &look.gathered, violations);
        let unwritten = |error: &(dyn std::error::Error + 'static)| {
            Failure::new(ExitCode::Unexpected, error.to_string())
        };
        let of_directories = baseline.write(&self.globals.state, &look.gathered);
        let of_inventory = known.write(&self.globals.state, &sources);
        of_directories.map_err(|error| Failure::new(ExitCode::Unexpected, error))?;
        of_inventory.map_err(|error| unwritten(&error))
    }
}

/// How many changes were made, as a sentence.
fn made(outcomes: &Outcomes) -> String {
    let counts = outcomes.counts();
    let total = counts.total();
    let made = counts.applied + counts.already_true;
    format!("{made} of {total} changes were made, {} were not", total - made)
}

/// A run whose record could not be written to its end says what was done all the same.
fn unrecorded(
    outcomes: &Outcomes,
    ended: Result<(), record::Error>,
    state: &Path,
) -> Result<(), Failure> {
    let (made, state) = (made(outcomes), state.display());
    let todo = format!(
        "make room in {state} and run again: the next run goes on from what is there, and closes \
         the record of this one"
    );
    match (&outcomes.stopped, ended) {
        (Some(Stopped::Unrecorded { why }), _) => {
            let text = format!("the run stopped, because it could not be recorded ({why}): {made}");
            Err(Failure::new(ExitCode::Unexpected, text).hint(todo))
        }
        (_, Err(error)) => {
            let hint = format!("{made}; only the end of the record is missing: {todo}");
            Err(record_failure(error).hint(hint))
        }
        (_, Ok(())) => Ok(()),
    }
}

/// What comes before the first change can be given up at once.
pub(super) async fn unless_interrupted<T>(
    interrupt: &CancellationToken,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => Ok(done),
        () = interrupt.cancelled() => Err(Failure::new(
            ExitCode::Interrupted,
            "interrupted before the first change; nothing was changed",
        )),
    }
}

/// The token that is cancelled by Ctrl-C or a termination signal. A second signal ends the
/// program at once: it is safe at any point, a rerun mends what was under way.
pub(super) fn interruption() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        signal().await;
        cancelled.cancel();
        tracing::warn!("interrupted: finishing what is under way; once more to stop at once");
        signal().await;
        std::process::exit(i32::from(ExitCode::Interrupted as u8));
    });
    token
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            // Without a handler for termination the default action remains: the process ends.
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

fn facts(globals: &Globals, input: &Input, look: &Look, saved_plan: Option<SavedPlan>) -> RunFacts {
    let holder = globals.holder();
    let mut inputs = input.digests();
    inputs.extend(run::digests::directories(&look.gathered));
    inputs.extend(input.operator.origin.iter().map(|origin| {
        (format!("operator's file {}", origin.path.display()), origin.digest.clone())
    }));
    RunFacts {
        arguments: globals.arguments.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        user: holder.user,
        host: holder.host,
        process: holder.process,
        inventory: input.version.clone(),
        inputs,
        organisations: input.working_on(),
        narrowing: input.narrowing_in_words(),
        saved_plan,
        clock_doubts: look.clock_doubts(),
    }
}

fn exit_code(look: &Look, outcomes: &Outcomes) -> ExitCode {
    match &outcomes.stopped {
        Some(Stopped::Interrupted) => return ExitCode::Interrupted,
        Some(Stopped::Unrecorded { .. }) => return ExitCode::Unexpected,
        None => {}
    }
    let planned = look.exit_code();
    let counts = outcomes.counts();
    match planned {
        _ if counts.failed > 0 => ExitCode::PartialFailure,
        ExitCode::Success if counts.begun > 0 => ExitCode::Waiting,
        planned => planned,
    }
}

/// What a run that changed things adds to the metrics: how long it took, what became of every
/// change, the head of the record.
type Recorded<'a> = (Duration, &'a Outcomes, Option<String>);

/// Writes into the metrics that a run ended before it did anything. Not for one that found another
/// at work: that one will write its own.
pub(super) fn note_failure(
    path: Option<&Path>,
    globals: &Globals,
    ended: &Result<ExitCode, Failure>,
) {
    let (Some(path), Err(failure)) = (path, ended) else { return };
    if failure.code == ExitCode::Locked {
        return;
    }
    let metrics = Metrics::new(globals.now(), failure.code as u8, false);
    if let Err(error) = metrics.replace(path) {
        tracing::warn!("cannot write {}: {error}", path.display());
    }
}

/// Writes the metrics file, if one is wanted.
pub(super) fn write_metrics(
    path: Option<&Path>,
    globals: &Globals,
    look: &Look,
    recorded: Option<Recorded<'_>>,
    code: ExitCode,
) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    // What a finding names has a code of its own: it does not mean that the others went without.
    let well = matches!(code, ExitCode::Success | ExitCode::LeftAlone | ExitCode::Waiting);
    let success = well && recorded.is_some();
    let mut metrics = Metrics::new(globals.now(), code as u8, success);
    metrics.durations.insert("directories", look.gathered.directories_took);
    metrics.durations.insert("accounts", look.gathered.accounts_took);
    metrics.durations.insert("plan", look.planning_took);
    for one in &look.plan().withheld {
        let key = (one.place.organisation.clone(), one.kind);
        *metrics.withheld.entry(key).or_default() += one.count;
    }
    if let Some((took, outcomes, head)) = recorded {
        metrics.durations.insert("apply", took);
        metrics.record_head = head;
        for (change, outcome) in look.plan().changes.iter().zip(&outcomes.by_change) {
            let organisation = &change.place.organisation;
            metrics.count(organisation, change.step.counts_as(), change.step.effect(), outcome);
        }
    }
    metrics.replace(path).map_err(|source| {
        Failure::new(ExitCode::Unexpected, format!("cannot write {}: {source}", path.display()))
    })
}
