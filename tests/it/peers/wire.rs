//! The wire between the program and AWS: writes down every call, and goes wrong on order.
//!
//! A proxy in front of a server ([`Moto`](super::moto::Moto) as a rule). Tests count calls here, and
//! put a [`Fault`] at a [`Place`]. Each call goes to the server on a connection of its own; the
//! program's connections are kept alive.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::http::{Reply, Request};
use super::server::{Answer, ScriptedHttp};

mod call;
mod fault;
mod tests;

pub use call::Call;
pub use fault::{Fault, Place};

/// A running proxy; ends when dropped.
pub struct Wire {
    server: ScriptedHttp,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    /// Accounts by access key, as far as they are known.
    accounts: HashMap<String, String>,
    faults: Vec<Planned>,
    /// What the `Date` of replies says instead of what the server says.
    date: Option<String>,
}

struct Planned {
    place: Place,
    fault: Fault,
    seen: usize,
    met: usize,
}

impl Wire {
    /// Starts a proxy in front of a server.
    pub fn start(upstream: SocketAddr) -> Self {
        let shared =
            Arc::new(Shared { upstream, state: Mutex::default(), changed: Condvar::new() });
        let for_serving = Arc::clone(&shared);
        let server = ScriptedHttp::start(move |request| for_serving.carry(request));
        Self { server, shared }
    }

    /// `http://127.0.0.1:…`, to be given to the program as its endpoint.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Says which account an access key belongs to. Those that `AssumeRole` gives are learnt from
    /// its replies.
    pub fn know(&self, access_key: &str, account: &str) {
        self.shared.state().accounts.insert(access_key.into(), account.into());
    }

    /// Every call so far, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    /// How many calls of each action there were.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in &self.shared.state().calls {
            *counts.entry(call.action.clone()).or_default() += 1;
        }
        counts
    }

    /// The calls that could change something.
    pub fn writes(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.is_write).collect()
    }

    /// Forgets the calls and the faults, not the accounts.
    pub fn clear(&self) {
        let mut state = self.shared.state();
        state.calls.clear();
        state.faults.clear();
    }

    /// Lets something go wrong from now on. Where two faults fit one call, the first given happens.
    pub fn inject(&self, place: Place, fault: Fault) {
        self.shared.state().faults.push(Planned { place, fault, seen: 0, met: 0 });
    }

    /// Lets replies say that it is another time, or something else.
    pub fn set_date(&self, date: &str) {
        self.shared.state().date = Some(date.to_owned());
    }

    /// How many calls met a fault.
    pub fn faults_met(&self) -> usize {
        self.shared.state().faults.iter().map(|planned| planned.met).sum()
    }

    /// Waits until the calls so far satisfy a condition; `false` after half a minute. A call whose
    /// reply is stalled counts as soon as it has come as far as it will.
    pub fn wait_until(&self, wanted: impl Fn(&[Call]) -> bool) -> bool {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut state = self.shared.state();
        while !wanted(&state.calls) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return false };
            state = match self.shared.changed.wait_timeout(state, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        true
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry(&self, request: &Request) -> Answer {
        let (number, call, fault) = {
            let mut state = self.state();
            let call = Call::of(request, &state.accounts);
            let fault = state.next_fault(&call);
            state.calls.push(call.clone());
            (state.calls.len() - 1, call, fault)
        };
        let answer = match &fault {
            Some(fault) if !fault.reaches_the_server() => fault.instead(&call),
            _ => match request.send(self.upstream) {
                Ok(mut reply) => {
                    self.learn(&call, &reply);
                    self.date(&mut reply);
                    match &fault {
                        Some(fault) => fault.afterwards(&call, reply),
                        None => reply.into(),
                    }
                }
                // The server is gone: so is the connection.
                Err(_) => Answer::Reset,
            },
        };
        let mut state = self.state();
        // Cleared in the meantime, it is of no interest any more.
        if let Some(written) = state.calls.get_mut(number).filter(|old| **old == call) {
            written.finish(&answer, fault.as_ref());
        }
        self.changed.notify_all();
        answer
    }

    /// Puts another time into a reply.
    fn date(&self, reply: &mut Reply) {
        if let Some(date) = &self.state().date {
            reply.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
            reply.headers.push(("Date".to_owned(), date.clone()));
        }
    }

    /// Remembers whose the credentials are that `AssumeRole` gives.
    fn learn(&self, call: &Call, reply: &Reply) {
        if !call.action.starts_with("AssumeRole") || reply.status != 200 {
            return;
        }
        let text = reply.text();
        let between = |begin: &str| {
            text.split_once(begin)
                .and_then(|(_, rest)| rest.split_once('<'))
                .map(|(value, _)| value)
        };
        if let (Some(key), Some(arn)) = (between("<AccessKeyId>"), between("<Arn>"))
            && let Some(account) = arn.split(':').nth(4)
        {
            self.state().accounts.insert(key.into(), account.into());
        }
    }
}

impl State {
    fn next_fault(&mut self, call: &Call) -> Option<Fault> {
        let mut fault = None;
        for planned in &mut self.faults {
            if !planned.place.fits(call) {
                continue;
            }
            planned.seen += 1;
            if fault.is_none() && planned.place.is_at(planned.seen) {
                planned.met += 1;
                fault = Some(planned.fault.clone());
            }
        }
        fault
    }
}
