//! Which change may begin: phases inside an account, needs across accounts.
//!
//! Architecture invariant: no I/O, no clock, not asynchronous, and work in proportion to changes
//! plus needs, never to their product.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::event::Outcome;
use crate::model::{ChangeId, Place, VendorId};
use crate::plan::{self, Change, Output, Outputs, Phase, Reference};

/// An account's position in the schedule.
pub(super) type Account = usize;

/// The slot of what is ordered by its needs alone, behind those of the phases.
const FREE: usize = Phase::ALL.len();

const SLOTS: usize = FREE + 1;

fn slot(phase: Option<Phase>) -> usize {
    phase.map_or(FREE, |phase| phase as usize)
}

/// What may begin, what runs, what has ended.
pub(super) struct Schedule<'a> {
    changes: &'a [Change],
    slots: Vec<usize>,
    accounts: Vec<Queue>,
    account_of: Vec<Account>,
    /// Needs that have not ended well yet, per change.
    unmet: Vec<u32>,
    begun: Vec<bool>,
    outcomes: Vec<Option<Outcome>>,
    outputs: HashMap<(ChangeId, Output), VendorId>,
    dependents: Dependents,
    pending: usize,
    /// Accounts in which something may have become possible.
    touched: VecDeque<Account>,
    /// What ended since the last [`Schedule::take_ended`].
    ended: Vec<ChangeId>,
}

/// One account's part.
struct Queue {
    place: Arc<Place>,
    changes: Vec<ChangeId>,
    phase: usize,
    /// Changes that have not ended, per phase; and those without one.
    left: [usize; SLOTS],
    /// Changes whose needs are met, likewise.
    ready: [VecDeque<ChangeId>; SLOTS],
    running: usize,
    touched: bool,
}

impl<'a> Schedule<'a> {
    /// Nothing has begun. Held changes end at once.
    pub(super) fn new(changes: &'a [Change], held: &BTreeMap<ChangeId, Arc<str>>) -> Self {
        let mut numbers: BTreeMap<&Place, Account> = BTreeMap::new();
        let slots: Vec<usize> = plan::phases(changes).into_iter().map(slot).collect();
        let mut accounts: Vec<Queue> = Vec::new();
        let mut account_of = Vec::with_capacity(changes.len());
        for (id, change) in (0..).map(ChangeId).zip(changes) {
            let account = *numbers.entry(&change.place).or_insert_with(|| {
                accounts.push(Queue::new(Arc::clone(&change.place)));
                accounts.len() - 1
            });
            accounts[account].changes.push(id);
            accounts[account].left[slots[id.index()]] += 1;
            account_of.push(account);
        }
        let mut schedule = Self {
            changes,
            slots,
            touched: VecDeque::new(),
            accounts,
            account_of,
            unmet: changes.iter().map(|change| count(change.needs.len())).collect(),
            begun: vec![false; changes.len()],
            outcomes: vec![None; changes.len()],
            outputs: HashMap::new(),
            dependents: Dependents::of(changes),
            pending: changes.len(),
            ended: Vec::new(),
        };
        let held = || held.iter().filter(|(id, _)| id.index() < changes.len());
        for (id, why) in held() {
            schedule.note(*id, Outcome::Held { why: why.to_string() });
        }
        for (id, _) in held() {
            schedule.skip_dependents(*id);
        }
        for id in (0..count(changes.len())).map(ChangeId) {
            if schedule.unmet[id.index()] == 0 && schedule.outcomes[id.index()].is_none() {
                schedule.make_ready(id);
            }
        }
        schedule
    }

    /// How many changes have not ended.
    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// How many accounts there are.
    pub(super) fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Which account that is.
    pub(super) fn place(&self, account: Account) -> &Arc<Place> {
        &self.accounts[account].place
    }

    /// An account in which something may have become possible since it was last asked about.
    pub(super) fn next_touched(&mut self) -> Option<Account> {
        let account = self.touched.pop_front()?;
        self.accounts[account].touched = false;
        Some(account)
    }

    /// Begins the next change of an account, if one may begin while at most `limit` run there.
    pub(super) fn begin(&mut self, account: Account, limit: usize) -> Option<ChangeId> {
        let queue = &mut self.accounts[account];
        if queue.running >= limit {
            return None;
        }
        while queue.phase + 1 < FREE && queue.left[queue.phase] == 0 {
            queue.phase += 1;
        }
        loop {
            let lane = queue.ready[queue.phase].pop_front();
            let id = lane.or_else(|| queue.ready[FREE].pop_front())?;
            if self.outcomes[id.index()].is_none() {
                queue.running += 1;
                self.begun[id.index()] = true;
                return Some(id);
            }
        }
    }

    /// A change that began has ended.
    pub(super) fn finish(&mut self, id: ChangeId, outcome: Outcome, outputs: Outputs) {
        self.accounts[self.account_of[id.index()]].running -= 1;
        self.end(id, outcome, outputs);
    }

    /// Ends every change of an account that has not begun.
    pub(super) fn skip_account(&mut self, account: Account, why: &str) {
        let mut skipped = std::mem::take(&mut self.accounts[account].changes);
        skipped.retain(|id| self.outcomes[id.index()].is_none() && !self.begun[id.index()]);
        for id in &skipped {
            self.note(*id, Outcome::Skipped { why: why.to_owned() });
        }
        for id in skipped {
            self.skip_dependents(id);
        }
    }

    /// Ends every change that has not ended. Only when nothing runs.
    pub(super) fn end_all(&mut self, outcome: &Outcome) {
        for id in (0..count(self.changes.len())).map(ChangeId) {
            if self.outcomes[id.index()].is_none() {
                self.note(id, outcome.clone());
            }
        }
    }

    /// The values of a change's references, or which of them nobody knows.
    pub(super) fn resolve(&self, change: &Change) -> Result<Vec<VendorId>, ChangeId> {
        change
            .step
            .references()
            .map(|reference| match reference {
                Reference::Known(id) => Ok(id.clone()),
                Reference::Made { by, output } => {
                    self.outputs.get(&(*by, *output)).cloned().ok_or(*by)
                }
            })
            .collect()
    }

    /// What ended since this was last asked, in the order it did.
    pub(super) fn take_ended(&mut self) -> Vec<ChangeId> {
        std::mem::take(&mut self.ended)
    }

    /// How a change ended, if it has.
    pub(super) fn outcome(&self, id: ChangeId) -> Option<&Outcome> {
        self.outcomes[id.index()].as_ref()
    }

    /// How everything ended. Only when nothing is pending.
    pub(super) fn into_outcomes(self) -> Vec<Outcome> {
        self.outcomes
            .into_iter()
            .map(|outcome| outcome.expect("asked for only when every change has ended"))
            .collect()
    }

    /// Ends a change and everything that needs it, if it did not happen.
    fn end(&mut self, id: ChangeId, outcome: Outcome, outputs: Outputs) {
        for (output, value) in outputs {
            self.outputs.insert((id, output), value);
        }
        let happened =
            matches!(outcome, Outcome::Applied | Outcome::AlreadyTrue | Outcome::Begun { .. });
        self.note(id, outcome);
        if happened {
            for dependent in self.dependents.range(id) {
                let dependent = self.dependents.list[dependent];
                self.unmet[dependent.index()] -= 1;
                if self.unmet[dependent.index()] == 0 && self.outcomes[dependent.index()].is_none()
                {
                    self.make_ready(dependent);
                }
            }
        } else {
            self.skip_dependents(id);
        }
    }

    /// Skips everything that needs `cause`, directly or not, naming `cause` each time.
    fn skip_dependents(&mut self, cause: ChangeId) {
        let mut queue = VecDeque::from([cause]);
        let mut why: Option<String> = None;
        while let Some(id) = queue.pop_front() {
            for dependent in self.dependents.range(id) {
                let dependent = self.dependents.list[dependent];
                if self.outcomes[dependent.index()].is_some() {
                    continue;
                }
                let why = why.get_or_insert_with(|| self.why_not(cause)).clone();
                self.note(dependent, Outcome::Skipped { why });
                queue.push_back(dependent);
            }
        }
    }

    /// Why what depends on a change cannot be done.
    fn why_not(&self, cause: ChangeId) -> String {
        let change = &self.changes[cause.index()];
        let what = format!(
            "depends on \"{} {}\" in {}",
            change.step.verb(),
            change.step.object(),
            change.place
        );
        match &self.outcomes[cause.index()] {
            Some(Outcome::Held { why }) => format!("{what}, which is held: {why}"),
            Some(Outcome::Skipped { why }) => format!("{what}, which was not tried: {why}"),
            Some(Outcome::Failed { .. }) => format!("{what}, which failed"),
            Some(Outcome::Applied | Outcome::AlreadyTrue | Outcome::Begun { .. }) | None => what,
        }
    }

    fn note(&mut self, id: ChangeId, outcome: Outcome) {
        self.outcomes[id.index()] = Some(outcome);
        self.pending -= 1;
        self.ended.push(id);
        let account = self.account_of[id.index()];
        self.accounts[account].left[self.slots[id.index()]] -= 1;
        self.touch(account);
    }

    fn make_ready(&mut self, id: ChangeId) {
        let account = self.account_of[id.index()];
        self.accounts[account].ready[self.slots[id.index()]].push_back(id);
        self.touch(account);
    }

    /// Something may have become possible in the account.
    pub(super) fn touch(&mut self, account: Account) {
        if !std::mem::replace(&mut self.accounts[account].touched, true) {
            self.touched.push_back(account);
        }
    }
}

impl Queue {
    fn new(place: Arc<Place>) -> Self {
        Self {
            place,
            changes: Vec::new(),
            phase: 0,
            left: [0; SLOTS],
            ready: Default::default(),
            running: 0,
            touched: false,
        }
    }
}

/// Who needs whom, the other way round: for each change a range of one long list.
struct Dependents {
    starts: Vec<usize>,
    list: Vec<ChangeId>,
}

impl Dependents {
    fn of(changes: &[Change]) -> Self {
        // A need that is not in the plan can never be met: nobody is told when it ends, so the
        // change stays pending and is reported as impossible.
        let known = |need: &&ChangeId| need.index() < changes.len();
        let mut starts = vec![0; changes.len() + 1];
        for need in changes.iter().flat_map(|change| &change.needs).filter(known) {
            starts[need.index() + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut list = vec![ChangeId(0); starts[changes.len()]];
        for (id, change) in (0..).map(ChangeId).zip(changes) {
            for need in change.needs.iter().filter(known) {
                list[next[need.index()]] = id;
                next[need.index()] += 1;
            }
        }
        Self { starts, list }
    }

    fn range(&self, id: ChangeId) -> std::ops::Range<usize> {
        self.starts[id.index()]..self.starts[id.index() + 1]
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("a plan counts its changes in 32 bits")
}
