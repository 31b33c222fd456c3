//! Carries out an approved plan.
//!
//! # Expected flow
//! Every account works through its phases on its own, at most as many changes at once as its
//! connection allows. A change begins when its phase has begun and all it needs has happened, in
//! whichever account. What it needs but did not happen ends it as skipped, with the reason.
//!
//! # Guarantees
//! - Held changes are never sent.
//! - A lost reply is resolved by looking. Nothing is deleted that is not, at that moment, as the
//!   plan found it. What takes access away is looked at again afterwards.
//! - An account that is slow, throttled, or whose credentials have expired does not affect others.
//! - Every change has exactly one outcome, also when the run is interrupted, the record cannot be
//!   written, or the code of a cloud panics.
//! - The secret of a new key is handed to its sink and kept nowhere. A key whose secret could not be
//!   handed over is revoked at once.
//! - Patience is bounded in attempts and time, see [`Options`].
//!
//! # Architecture invariants
//! The executor makes no choices about what to do, only about when and whether again. Its only
//! clock is `tokio::time`, its only randomness the seed in [`Options`].

pub mod goal;
mod hint;
mod issue;
mod options;
mod outcomes;
mod pace;
mod patience;
mod schedule;
mod shared;
mod verify;
mod work;

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio_util::sync::CancellationToken;

pub use options::Options;
pub use outcomes::{OutcomeCounts, Outcomes, Stopped};

use crate::cloud::Connection;
use crate::event::{Event, Events, Outcome};
use crate::guard::ApprovedPlan;
use crate::model::{ChangeId, Place};
use crate::plan::Outputs;
use crate::sink::Sinks;
use pace::Pace;
use schedule::{Account, Schedule};
use shared::Shared;
use work::{Ended, Work};

const INTERRUPTED: &str = "interrupted";
const UNRECORDED: &str = "what happens can no longer be recorded";

/// Carries out an approved plan and says what became of every change.
///
/// New keys of service accounts go into `sinks`, and their secrets nowhere else. `events` is told as
/// things happen; when it fails, no further change begins. After `interrupt`
/// is cancelled no further change begins either, and those under way are brought to an end without
/// long waits.
pub async fn execute(
    approved: &ApprovedPlan,
    connections: &BTreeMap<Place, Connection>,
    sinks: &dyn Sinks,
    options: Options,
    events: &mut dyn Events,
    interrupt: &CancellationToken,
) -> Outcomes {
    let changes = &approved.plan().changes;
    let shared = Shared::new(options, interrupt, sinks, events);
    let mut schedule = Schedule::new(changes, approved.held());
    let accounts: Vec<Option<&Connection>> = (0..schedule.accounts())
        .map(|account| connections.get(&**schedule.place(account)))
        .collect();
    let paces: Vec<Pace> = accounts.iter().map(|_| Pace::new()).collect();
    for (account, connection) in accounts.iter().enumerate() {
        if connection.is_none() {
            let why = format!("not tried: no connection to {}", schedule.place(account));
            schedule.skip_account(account, &why);
        }
    }

    let mut running = FuturesUnordered::new();
    loop {
        tell_ended(&mut schedule, &shared);
        while !shared.halt.is_cancelled()
            && let Some((account, id)) = next(&mut schedule, &accounts)
        {
            let Some(connection) = accounts[account] else { continue };
            let change = &changes[id.index()];
            match schedule.resolve(change) {
                Ok(references) => {
                    let (pace, shared) = (&paces[account], &shared);
                    let cloud = &*connection.apply;
                    let work = async move {
                        let change = &*change.resolved(&references);
                        let (has_turn, calls) = (false, 0);
                        Work { change, references, cloud, pace, shared, has_turn, calls }
                            .run()
                            .await
                    };
                    let work = AssertUnwindSafe(work).catch_unwind();
                    running.push(work.map(move |ended| (account, id, ended)));
                }
                Err(by) => schedule.finish(id, no_id(by), Outputs::new()),
            }
            tell_ended(&mut schedule, &shared);
        }
        let Some((account, id, ended)) = running.next().await else { break };
        let Ended { outcome, outputs, account_lost } =
            ended.unwrap_or_else(|panic| panicked(panic.as_ref()).into());
        schedule.finish(id, outcome, outputs);
        if let Some(why) = account_lost {
            schedule.skip_account(account, &format!("not tried: {why}"));
        }
    }
    drop(running);

    let stopped = end_the_rest(&mut schedule, &shared, interrupt);
    tell_ended(&mut schedule, &shared);
    let stopped = match shared.unrecorded() {
        Some(why) => Some(Stopped::Unrecorded { why }),
        None => stopped,
    };
    Outcomes { by_change: schedule.into_outcomes(), stopped }
}

/// The next change that may begin, in whichever account.
fn next(
    schedule: &mut Schedule<'_>,
    accounts: &[Option<&Connection>],
) -> Option<(Account, ChangeId)> {
    while let Some(account) = schedule.next_touched() {
        let limit = accounts[account].map_or(0, |connection| connection.concurrency.max(1));
        if let Some(id) = schedule.begin(account, limit) {
            schedule.touch(account);
            return Some((account, id));
        }
    }
    None
}

/// Gives an outcome to every change that never began.
fn end_the_rest(
    schedule: &mut Schedule<'_>,
    shared: &Shared<'_>,
    interrupt: &CancellationToken,
) -> Option<Stopped> {
    let stopped = interrupt.is_cancelled().then_some(Stopped::Interrupted);
    if schedule.pending() > 0 {
        schedule.end_all(&if shared.unrecorded().is_some() {
            Outcome::Skipped { why: UNRECORDED.to_owned() }
        } else if stopped.is_some() {
            Outcome::Skipped { why: INTERRUPTED.to_owned() }
        } else {
            Outcome::Failed {
                why: "the plan is in an order that cannot be carried out".to_owned(),
                hint: Some("this is a bug; please report it with the plan".to_owned()),
            }
        });
    }
    stopped
}

fn tell_ended(schedule: &mut Schedule<'_>, shared: &Shared<'_>) {
    for id in schedule.take_ended() {
        if let Some(outcome) = schedule.outcome(id) {
            shared.tell(&Event::Ended { change: id, outcome: outcome.clone() });
        }
    }
}

fn no_id(by: ChangeId) -> Outcome {
    Outcome::Failed {
        why: format!("the id that {by} was to make is not known"),
        hint: Some("run again: the next plan starts from what is there now".to_owned()),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Outcome {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Outcome::Failed {
        why: format!("internal error, whether it happened is unknown: {message}"),
        hint: Some("this is a bug; please report it".to_owned()),
    }
}
