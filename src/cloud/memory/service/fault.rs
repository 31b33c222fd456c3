//! What can go wrong with a call, on demand.

use std::collections::BTreeMap;
use std::time::Duration;

use super::world::Operation;

/// One thing that goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused for the moment; nothing happened.
    Throttle {
        /// What `Retry-After` says.
        after: Option<Duration>,
    },
    /// The service failed; nothing happened.
    Unavailable,
    /// The connection broke before the service did anything.
    ResetBefore,
    /// The service did it, and the reply got lost.
    LostReply,
    /// Only the first half of a page arrives, in a reply that looks like a success. A reply that
    /// is not a page is lost.
    TruncatedPage,
    /// A page arrives without items and without a token, in a reply that looks like a success.
    /// A reply that is not a page is lost.
    EmptyPage,
    /// No reply, ever; nothing happened.
    Stall,
    /// The service did it, and never replies.
    StallAfter,
    /// The caller may not do that.
    Denied,
    /// The caller's credentials are no longer good.
    Expired,
    /// A quota is used up.
    Quota,
    /// Somebody else is changing the object.
    Conflict,
    /// The caller's process dies before the service does anything.
    CrashBefore,
    /// The caller's process dies after the service did it.
    CrashAfter,
}

impl Fault {
    /// Every kind of fault, for seeded simulation.
    pub const ALL: [Self; 14] = [
        Self::Throttle { after: Some(Duration::from_secs(1)) },
        Self::Unavailable,
        Self::ResetBefore,
        Self::LostReply,
        Self::TruncatedPage,
        Self::EmptyPage,
        Self::Stall,
        Self::StallAfter,
        Self::Denied,
        Self::Expired,
        Self::Quota,
        Self::Conflict,
        Self::CrashBefore,
        Self::CrashAfter,
    ];
}

/// Which calls go wrong, and how.
#[derive(Debug, Default)]
pub struct Faults {
    at: BTreeMap<u64, Fault>,
    next: Vec<(Matches, Fault)>,
    random: Option<Random>,
}

/// Which calls a waiting fault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matches {
    Any,
    Write,
    Operation(Operation),
}

impl Matches {
    fn matches(self, operation: Operation) -> bool {
        match self {
            Self::Any => true,
            Self::Write => operation.is_write(),
            Self::Operation(of) => of == operation,
        }
    }
}

#[derive(Debug)]
struct Random {
    source: fastrand::Rng,
    probability: f64,
    kinds: Vec<Fault>,
}

impl Faults {
    /// The call with that number (the first is 1) goes wrong.
    pub fn at(&mut self, call: u64, fault: Fault) {
        self.at.insert(call, fault);
    }

    /// The next call, or the next call of that operation, goes wrong. Several wait in line.
    pub fn next(&mut self, operation: Option<Operation>, fault: Fault) {
        self.next.push((operation.map_or(Matches::Any, Matches::Operation), fault));
    }

    /// The next write goes wrong.
    pub fn next_write(&mut self, fault: Fault) {
        self.next.push((Matches::Write, fault));
    }

    /// Every call goes wrong with that probability, in one of those ways.
    pub fn seeded(&mut self, seed: u64, probability: f64, kinds: &[Fault]) {
        let kinds = kinds.to_vec();
        self.random = (!kinds.is_empty()).then(|| Random {
            source: fastrand::Rng::with_seed(seed),
            probability,
            kinds,
        });
    }

    /// Nothing goes wrong any more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// What goes wrong with this call.
    pub fn draw(&mut self, call: u64, operation: Operation) -> Option<Fault> {
        if let Some(fault) = self.at.remove(&call) {
            return Some(fault);
        }
        let waiting = self.next.iter().position(|(which, _)| which.matches(operation));
        if let Some(position) = waiting {
            return Some(self.next.remove(position).1);
        }
        let random = self.random.as_mut()?;
        if random.source.f64() >= random.probability {
            return None;
        }
        random.source.choice(&random.kinds).copied()
    }
}
