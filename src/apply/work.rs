//! Carrying out one change: attempts, looks, and what to make of each answer.

use tokio::time::Instant;

use super::goal::{self, Verdict};
use super::hint;
use super::pace::{NoTurn, Pace};
use super::patience::Patience;
use super::shared::Shared;
use super::verify::makes_id;
use crate::cloud::{Apply, CloudError, ErrorKind, Retry};
use crate::event::{Event, Outcome};
use crate::model::{Snapshot, VendorId};
use crate::plan::{Change, Output, Outputs, Reference, Step};

/// So often at most a deletion is refused because something hangs on the object, before that is
/// taken for somebody else's doing: with the usual waits, three seconds.
const SETTLING: u32 = 5;

/// One change in hand.
pub(super) struct Work<'a, 's> {
    pub(super) change: &'a Change,
    pub(super) references: Vec<VendorId>,
    pub(super) cloud: &'a dyn Apply,
    pub(super) pace: &'a Pace,
    pub(super) shared: &'a Shared<'s>,
    /// It already has its turn for the next call.
    pub(super) has_turn: bool,
    pub(super) calls: u32,
}

/// How a change ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) outputs: Outputs,
    /// Nothing else need be tried in the account, and why.
    pub(super) account_lost: Option<String>,
}

/// Why a change could not be brought to a good end.
pub(super) struct Failure {
    pub(super) why: String,
    pub(super) hint: Option<String>,
    account_lost: bool,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, outputs: Outputs::new(), account_lost: None }
    }
}

impl Failure {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), hint: None, account_lost: false }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn of(error: &CloudError) -> Self {
        Self {
            why: in_words(error),
            hint: Some(hint::of(error.kind).to_owned()),
            account_lost: error.kind == ErrorKind::Unauthenticated,
        }
    }
}

impl Work<'_, '_> {
    /// From the first call to the last.
    pub(super) async fn run(mut self) -> Ended {
        if let Err(why) = self.turn().await {
            return Outcome::Skipped { why }.into();
        }
        if self.shared.halt.is_cancelled() {
            let why = if self.shared.unrecorded().is_some() {
                super::UNRECORDED
            } else {
                super::INTERRUPTED
            };
            return Outcome::Skipped { why: why.to_owned() }.into();
        }
        if !self.shared.tell(&Event::Started { change: self.change.id }) {
            return Outcome::Skipped { why: super::UNRECORDED.to_owned() }.into();
        }
        self.has_turn = true;
        let began = Instant::now();
        let ended = if matches!(self.change.step, Step::IssueCredential { .. }) {
            self.issue(began).await
        } else {
            self.attempts(began).await
        };
        match ended {
            Ok(ended) => ended,
            Err(failure) => Ended {
                account_lost: failure.account_lost.then(|| failure.why.clone()),
                outcome: Outcome::Failed { why: failure.why, hint: failure.hint },
                outputs: Outputs::new(),
            },
        }
    }

    /// Sends the change until it is done, or known to be done, or hopeless.
    pub(super) async fn attempts(&mut self, began: Instant) -> Result<Ended, Failure> {
        let mut patience = self.patience(0, began);
        let mut reply_lost = false;
        let mut blocked = 0;
        loop {
            if self.change.step.is_irreversible()
                && let Some(ended) = self.spare_what_changed(began, reply_lost).await?
            {
                return Ok(ended);
            }
            let error = match self.send().await? {
                Ok(applied) => return self.confirm(applied.outputs, applied.begun, began).await,
                Err(error) => error,
            };
            let after = match error.retry() {
                Retry::Never => return Err(self.failure(&error)),
                Retry::Again { after } => after,
                Retry::Look => {
                    reply_lost |= error.kind == ErrorKind::LostReply;
                    let found = self.look(began, Some(&error)).await?;
                    match self.judge(found.as_ref()) {
                        Verdict::Happened(id) => return Ok(happened(reply_lost, id)),
                        verdict => {
                            blocked += u32::from(error.kind == ErrorKind::HasDependents);
                            self.worth_repeating(&verdict, &error, blocked)?;
                        }
                    }
                    None
                }
            };
            if let Err(gave_up) = patience.pause(after, &self.shared.halt).await {
                let mut failure = self.failure(&error);
                failure.why = format!("{}; {gave_up}", failure.why);
                return Err(failure);
            }
        }
    }

    /// A failure of the step itself, of which more is known than of a call.
    fn failure(&self, error: &CloudError) -> Failure {
        let failure = Failure::of(error);
        match hint::of_change(error.kind, self.change) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// Looks at the victim of a step nothing can undo: gone already ends the change well,
    /// anything but the state the plan was made from ends it badly.
    async fn spare_what_changed(
        &mut self,
        began: Instant,
        reply_lost: bool,
    ) -> Result<Option<Ended>, Failure> {
        let found = self.look(began, None).await?;
        match self.judge(found.as_ref()) {
            Verdict::NotYet => Ok(None),
            Verdict::Happened(_) | Verdict::Missing => Ok(Some(happened(reply_lost, None))),
            Verdict::Foreign(what) | Verdict::Changed(what) => {
                Err(Failure::new(format!("changed since the plan: {what}"))
                    .hint("nothing was deleted; the next plan starts from what is there now"))
            }
        }
    }

    /// What the vendor said is done is completed with its outputs and, where that matters,
    /// looked at.
    async fn confirm(
        &mut self,
        mut outputs: Outputs,
        still_to_come: Option<String>,
        began: Instant,
    ) -> Result<Ended, Failure> {
        let step = &self.change.step;
        let id_unknown = makes_id(step) && !outputs.contains_key(&Output::Id);
        if id_unknown || self.change.verified {
            let mut patience = self.patience(1, began);
            loop {
                let found = self.look(began, None).await.map_err(|failure| Failure {
                    why: format!("accepted by the vendor, but not confirmed: {}", failure.why),
                    ..failure
                })?;
                if let Verdict::Happened(id) = self.judge(found.as_ref()) {
                    outputs.extend(id.map(|id| (Output::Id, id)));
                    break;
                }
                if let Err(gave_up) = patience.pause(None, &self.shared.halt).await {
                    return Err(Failure::new(format!(
                        "accepted by the vendor, but a second look does not show it; {gave_up}"
                    ))
                    .hint("look at it by hand; the next run tries again"));
                }
            }
        }
        let outcome = still_to_come.map_or(Outcome::Applied, |what| Outcome::Begun { what });
        Ok(Ended { outcome, outputs, account_lost: None })
    }

    /// Whether, after an error that called for a look, the same call may be made again.
    fn worth_repeating(
        &self,
        verdict: &Verdict,
        error: &CloudError,
        blocked: u32,
    ) -> Result<(), Failure> {
        match (verdict, error.kind) {
            (Verdict::Foreign(what), _) => Err(Failure::new(format!(
                "{} is there already and not ours: {what}",
                self.change.step.object()
            ))
            .hint("adopt it, or give it or ours another name")),
            (Verdict::Changed(what), _) => {
                Err(Failure::new(format!("changed since the plan: {what} ({})", in_words(error)))
                    .hint("the next plan starts from what is there now"))
            }
            (Verdict::Missing, _) => Err(Failure::new(format!(
                "{} is no longer there ({})",
                self.change.step.object(),
                in_words(error)
            ))
            .hint("the next plan starts from what is there now")),
            // Not found, though it is not what we look at: it is what the step refers to. Only
            // what this run made can be still on its way.
            (Verdict::NotYet, ErrorKind::NotFound) if !self.refers_to_new() => {
                Err(self.failure(error))
            }
            // What this run took off a moment ago may still be seen for a moment. Anything else
            // that hangs on it was put there by somebody, and stays however long one waits.
            (Verdict::NotYet, ErrorKind::HasDependents)
                if self.change.needs.is_empty() || blocked >= SETTLING =>
            {
                Err(self.failure(error))
            }
            // A new name that is taken stays taken.
            (Verdict::NotYet, ErrorKind::AlreadyExists)
                if goal::before(&self.change.step) != goal::Expected::Absent =>
            {
                Err(Failure::of(error))
            }
            (Verdict::NotYet | Verdict::Happened(_), _) => Ok(()),
        }
    }

    pub(super) fn refers_to_new(&self) -> bool {
        self.change.step.references().any(|reference| match reference {
            Reference::Made { .. } => true,
            Reference::Known(_) => false,
        })
    }

    fn judge(&self, found: Option<&Snapshot>) -> Verdict {
        goal::judge(&self.change.step, &self.references, found)
    }

    /// One write.
    pub(super) async fn send(
        &mut self,
    ) -> Result<Result<crate::cloud::Applied, CloudError>, Failure> {
        self.next_call().await?;
        let sent = Instant::now();
        let call = self.cloud.apply(self.change, &self.references);
        let answer = match tokio::time::timeout(self.shared.options.call_time, call).await {
            Ok(answer) => answer,
            Err(_) => Err(self.no_answer("apply")),
        };
        let request_id = answer.as_ref().ok().and_then(|applied| applied.request_id.clone());
        self.note_call("apply", sent, request_id, answer.as_ref().err());
        Ok(answer)
    }

    /// Looks at what the step is about until there is an answer.
    async fn look(
        &mut self,
        began: Instant,
        after: Option<&CloudError>,
    ) -> Result<Option<Snapshot>, Failure> {
        let (key, _) = goal::goal(&self.change.step, &self.references);
        let mut patience = self.patience(2, began);
        loop {
            self.next_call().await?;
            let sent = Instant::now();
            let call = self.cloud.look(&key);
            let answer = match tokio::time::timeout(self.shared.options.call_time, call).await {
                Ok(answer) => answer,
                Err(_) => Err(self.no_answer("look")),
            };
            self.note_call("look", sent, None, answer.as_ref().err());
            let error = match answer {
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            let wait = match error.retry() {
                Retry::Never => return Err(unknown(&error, after, None)),
                Retry::Again { after } => after,
                Retry::Look => None,
            };
            if let Err(gave_up) = patience.pause(wait, &self.shared.halt).await {
                return Err(unknown(&error, after, Some(&gave_up)));
            }
        }
    }

    /// Waits for the account's turn before each call.
    pub(super) async fn next_call(&mut self) -> Result<(), Failure> {
        self.calls += 1;
        if std::mem::take(&mut self.has_turn) {
            return Ok(());
        }
        self.turn().await.map_err(|why| {
            Failure::new(format!("{why}, before its result was known"))
                .hint("the next run looks before it does anything")
        })
    }

    /// Waits until the account's pace lets a call through; fails if that takes too long.
    async fn turn(&self) -> Result<(), String> {
        match self.pace.turn(self.shared.options.time, &self.shared.halt).await {
            Ok(()) => Ok(()),
            Err(NoTurn::TooLong(wait)) => {
                Err(format!("the vendor asks to wait another {} s", wait.as_secs()))
            }
            Err(NoTurn::Halted) => Err(super::INTERRUPTED.to_owned()),
        }
    }

    pub(super) fn note_call(
        &mut self,
        call: &'static str,
        sent: Instant,
        request_id: Option<String>,
        error: Option<&CloudError>,
    ) {
        match error.map(|error| error.kind) {
            Some(ErrorKind::Throttled { after }) => self.pace.slow_down(sent, after),
            None => self.pace.went_well(),
            Some(_) => {}
        }
        // Names and messages come from outside: quoted, they cannot steer a terminal. No secret is
        // in any of them: an answer's secret is nowhere but in `Applied`.
        tracing::debug!(
            place = %self.change.place,
            step = self.change.step.verb(),
            object = ?self.change.step.object().as_str(),
            call,
            attempt = self.calls,
            took = ?sent.elapsed(),
            outcome = ?error.map_or_else(|| "done".to_owned(), ToString::to_string),
            "called"
        );
        self.shared.tell(&Event::Called {
            change: self.change.id,
            call,
            attempt: self.calls,
            took: sent.elapsed(),
            request_id: request_id.or_else(|| error.and_then(|error| error.request_id.clone())),
            error: error.map(ToString::to_string),
        });
    }

    pub(super) fn no_answer(&self, operation: &'static str) -> CloudError {
        CloudError::new(
            ErrorKind::LostReply,
            operation,
            self.change.step.object().as_str(),
            format!("no answer within {} s", self.shared.options.call_time.as_secs()),
        )
    }

    pub(super) fn patience(&self, purpose: u64, began: Instant) -> Patience {
        let salt = u64::from(self.change.id.0) << 32 | u64::from(self.calls) << 2 | purpose;
        Patience::new(&self.shared.options, salt, began)
    }
}

/// It is as it should be: by this run if a reply was lost, else by somebody else.
fn happened(reply_lost: bool, id: Option<VendorId>) -> Ended {
    Ended {
        outcome: if reply_lost { Outcome::Applied } else { Outcome::AlreadyTrue },
        outputs: id.map(|id| (Output::Id, id)).into_iter().collect(),
        account_lost: None,
    }
}

/// A look that gave no answer: after a write, nobody knows whether it happened.
fn unknown(error: &CloudError, after: Option<&CloudError>, gave_up: Option<&str>) -> Failure {
    let mut failure = Failure::of(error);
    if let Some(gave_up) = gave_up {
        failure.why = format!("{}; {gave_up}", failure.why);
    }
    if let Some(first) = after {
        failure.why =
            format!("{}; whether it happened is unknown: {}", in_words(first), failure.why);
        failure.hint.get_or_insert_with(|| "the next run looks before it does anything".to_owned());
    }
    failure
}

/// The error with the id the vendor's support asks for.
fn in_words(error: &CloudError) -> String {
    match &error.request_id {
        Some(request) => format!("{error} (request {request})"),
        None => error.to_string(),
    }
}
