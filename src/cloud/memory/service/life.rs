//! What the service does as time goes by, with nobody calling it.
//!
//! Architecture invariant: nothing is written when time goes by. What a resource is like at some
//! moment follows from what was last written and that moment; only what others do to a
//! certificate (its proof comes and goes, a front end uses it) is written down when it happens,
//! because what went before would be forgotten otherwise.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::resource::{Proof, Resource};
use super::state::State;
use crate::model::ResourceKind;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// How long the service takes for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Until a new server is up.
    pub server_boots: Duration,
    /// Until a new or changed front end is everywhere.
    pub front_end_deploys: Duration,
    /// From the proof of its names until a certificate is issued.
    pub certificate_issues: Duration,
    /// Until a certificate whose names are not proven is given up.
    pub certificate_gives_up: Duration,
    /// How long a certificate is valid, from its issue or renewal.
    pub certificate_valid: Duration,
    /// How long before its end a certificate may be renewed.
    pub certificate_renews: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            server_boots: 2 * MINUTE,
            front_end_deploys: 5 * MINUTE,
            certificate_issues: 2 * DAY,
            certificate_gives_up: 3 * DAY,
            certificate_valid: 198 * DAY,
            certificate_renews: 45 * DAY,
        }
    }
}

/// When something is looked at, and how long the service takes for what.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// How long what takes.
    pub times: Times,
}

/// How far the service has got with something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is as it says.
    Settled,
    /// The service is at it.
    Settling {
        /// What at: "booting".
        what: &'static str,
        /// Since when.
        since: Timestamp,
    },
    /// The service gave up.
    Failed {
        /// Why.
        why: String,
    },
}

/// How far a certificate had got at some moment, and what has been so since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Life {
    /// The moment.
    pub as_of: Timestamp,
    /// Since when its names are proven; `None` while they are not.
    pub proven: Option<Timestamp>,
    /// Whether a front end uses it.
    pub used: bool,
    /// When it ends; `None` before it is issued.
    pub end: Option<Timestamp>,
    /// It was not proven in time and never will be issued.
    pub given_up: bool,
}

impl Life {
    /// That of a certificate made now.
    pub fn begin(now: Timestamp) -> Self {
        Self { as_of: now, proven: None, used: false, end: None, given_up: false }
    }

    /// What has become of it, if nobody did anything since.
    #[must_use]
    fn at(&self, made: Timestamp, moment: &Moment) -> Self {
        let mut life = self.clone();
        // Whoever sets the clock back changes nothing.
        if moment.now >= self.as_of {
            life.issue(made, moment);
            life.renew(moment);
            life.as_of = moment.now;
        }
        life
    }

    /// Whether the service renews it when it is time: its names are proven and it is in use.
    pub fn renews(&self) -> bool {
        self.used && self.proven.is_some()
    }

    fn issue(&mut self, made: Timestamp, Moment { now, times }: &Moment) {
        if self.end.is_some() || self.given_up {
            return;
        }
        match self.proven {
            Some(since) => {
                let issued = after(since.max(made), times.certificate_issues);
                if issued <= *now {
                    self.as_of = issued.max(self.as_of);
                    self.end = Some(after(issued, times.certificate_valid));
                }
            }
            None => self.given_up = after(made, times.certificate_gives_up) <= *now,
        }
    }

    fn renew(&mut self, Moment { now, times }: &Moment) {
        while let Some(end) = self.end.filter(|_| self.renews()) {
            let renewed = before(end, times.certificate_renews).max(self.as_of);
            let next = after(renewed, times.certificate_valid);
            if renewed > *now || renewed >= end || next <= end {
                return;
            }
            (self.as_of, self.end) = (renewed, Some(next));
        }
    }

    fn progress(&self, made: Timestamp, now: Timestamp) -> Progress {
        match (self.end, self.proven) {
            _ if self.given_up => {
                Progress::Failed { why: "its names were not proven in time".to_owned() }
            }
            (Some(end), _) if end <= now => {
                Progress::Failed { why: format!("it expired at {end}") }
            }
            (Some(_), _) => Progress::Settled,
            (None, Some(since)) => {
                Progress::Settling { what: "being issued", since: since.max(made) }
            }
            (None, None) => {
                Progress::Settling { what: "waiting for the proof of its names", since: made }
            }
        }
    }
}

/// How far the service has got with a resource, and when it ends if it is a certificate.
pub fn progress(resource: &Resource, moment: &Moment) -> (Progress, Option<Timestamp>) {
    let Moment { now, times } = *moment;
    let until = |since: Timestamp, takes: Duration, what| {
        if after(since, takes) <= now {
            Progress::Settled
        } else {
            Progress::Settling { what, since }
        }
    };
    match resource.kind {
        ResourceKind::Zone | ResourceKind::RecordSet => (Progress::Settled, None),
        ResourceKind::Server => (until(resource.made, times.server_boots, "booting"), None),
        ResourceKind::FrontEnd => {
            (until(resource.changed, times.front_end_deploys, "being deployed"), None)
        }
        ResourceKind::Certificate => {
            let life = match &resource.life {
                Some(life) => life.at(resource.made, moment),
                None => Life::begin(resource.made).at(resource.made, moment),
            };
            (life.progress(resource.made, now), life.end)
        }
    }
}

/// Where a certificate is, and how far it has got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLife {
    /// Its account.
    pub account: String,
    /// Its id.
    pub id: String,
    /// How far it has got.
    pub life: Life,
}

/// What a write does to certificates whose proof, or front end, it brings or takes away.
///
/// `id` is what is written to, in `account`; `becomes` is what it is then, if anything.
pub fn lives(
    state: &State,
    (account, id): (&str, &str),
    becomes: Option<&Resource>,
    moment: &Moment,
) -> Vec<NewLife> {
    let before = state.account(account).resources.get(id);
    let touched: BTreeSet<(&str, &str)> =
        before.into_iter().chain(becomes).flat_map(|one| touches(state, account, one)).collect();
    let after = || {
        let others = state.resources().filter(|(at, one)| (*at, &*one.id) != (account, id));
        others.chain(becomes.map(|one| (account, one)))
    };
    touched
        .into_iter()
        .filter_map(|(at, certificate)| {
            let one = state.account(at).resource(ResourceKind::Certificate, certificate)?;
            let (life, proof) = (one.life.as_ref()?, one.proof()?);
            let proven = after().any(|(_, other)| proves(other, &proof));
            let used = after().any(|(of, other)| of == at && uses(other, certificate));
            if (life.proven.is_some(), life.used) == (proven, used) {
                return None;
            }
            let now = life.at(one.made, moment);
            let proven = proven.then(|| now.proven.unwrap_or(moment.now));
            let life = Life { proven, used, ..now };
            Some(NewLife { account: at.to_owned(), id: one.id.clone(), life })
        })
        .collect()
}

/// The certificates that something in an account may prove or use, by account and id.
fn touches<'a>(
    state: &'a State,
    account: &'a str,
    resource: &'a Resource,
) -> Vec<(&'a str, &'a str)> {
    match resource.kind {
        ResourceKind::FrontEnd => vec![(account, resource.text("certificate"))],
        // The name of a proof begins with the id of its certificate, whose account is not said.
        ResourceKind::RecordSet => {
            let name = resource.text("domain").to_lowercase();
            let id = name.strip_prefix('_').and_then(|rest| rest.split('.').next());
            let accounts = id.map(|id| {
                state.accounts.iter().filter_map(move |(at, account)| {
                    Some((at.as_str(), account.resources.get(id)?.id.as_str()))
                })
            });
            accounts.into_iter().flatten().collect()
        }
        ResourceKind::Zone | ResourceKind::Certificate | ResourceKind::Server => Vec::new(),
    }
}

/// Whether something is a record set that says what a proof must say.
fn proves(resource: &Resource, proof: &Proof) -> bool {
    resource.kind == ResourceKind::RecordSet
        && matches!(resource.text("type"), "CNAME" | "TXT")
        && resource.text("domain").eq_ignore_ascii_case(&proof.name)
        && resource.set("values").any(|value| value.eq_ignore_ascii_case(&proof.value))
}

/// Whether something is a front end with that certificate of its account.
fn uses(resource: &Resource, certificate: &str) -> bool {
    resource.kind == ResourceKind::FrontEnd && resource.text("certificate") == certificate
}

fn after(time: Timestamp, takes: Duration) -> Timestamp {
    time.checked_add(takes).unwrap_or(Timestamp::MAX)
}

fn before(time: Timestamp, takes: Duration) -> Timestamp {
    time.checked_sub(takes).unwrap_or(Timestamp::MIN)
}
