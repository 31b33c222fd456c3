//! The parts of mirrors: what should be compared with what is, and only what is safe now.
//!
//! # Make before break
//! What cannot be changed is replaced: the next generation is made, and once the vendor has finished
//! it, what refers to the part refers to that one. The earlier generation goes when nothing refers to
//! it any more: as a leaver does, in two steps and with a day between them. Whoever goes back to what
//! was before gets the earlier generation back, as long as that is there.
//!
//! # What is needed without being named
//! A public name leads somewhere: the record of one that is not wanted any more (another name, another
//! form, a region less) stays until all names that are wanted lead to front ends that are everywhere. A
//! certificate is renewed only while its names are proven: the proof goes with it. In some places a
//! front end that is being deployed is what it was before: what it needed stays until it is
//! everywhere. And what is not ours, or has lost its mark, needs what it names as much as any other.
//!
//! # Waiting
//! What needs something that the vendor has not finished is not planned: it waits, and the plan says
//! for what. So the plan is empty once everything has settled, after as many runs as the longest
//! chain of parts has links.
//!
//! Architecture invariants: nothing is made or taken away in an account any of whose lists of parts
//! is incomplete; the last record of a public name is never taken away while its mirror is wanted and
//! nothing else is served in its place.

mod ending;
mod seen;
mod wanted;

use std::sync::Arc;

use super::drafts::Drafts;
use super::{DiffInputs, finding, shared};
use crate::desired::DesiredMirror;
use crate::diagnostic::Finding;
use crate::model::{Kind, MirrorName, Place, Reading, SeenResource, State};
use crate::plan::Waiting;
use seen::Seen;

/// All changes of the parts of mirrors.
pub(super) fn changes(inputs: &DiffInputs<'_>, drafts: &mut Drafts) {
    for (place, readings) in &inputs.observed.parts {
        let wanted = inputs.desired.mirrors.get(place);
        let unread = readings.iter().find(|(_, reading)| !reading.is_complete());
        if let Some((kind, _)) = unread {
            // What is there may not have been listed: it would be made a second time.
            for _ in wanted.into_iter().flatten() {
                let because = format!("mirrors in account {place}");
                drafts.withhold(place, Kind::Resource(*kind), &because);
            }
            continue;
        }
        let seen = Seen::of(place, readings.values().flat_map(Reading::got), drafts);
        let place = shared(place);
        for (mirror, wanted) in wanted.into_iter().flatten() {
            Part { place: &place, mirror, wanted, seen: &seen, today: inputs.today }
                .changes(drafts);
        }
        let is_wanted = |mirror: &MirrorName| wanted.is_some_and(|all| all.contains_key(mirror));
        for mirror in seen.mirrors().filter(|mirror| !is_wanted(mirror)) {
            forgotten(&place, mirror, seen.count(mirror), drafts);
        }
    }
}

/// Nobody asks for a mirror any more, and nobody says that it is to go.
fn forgotten(place: &Place, mirror: &MirrorName, count: usize, drafts: &mut Drafts) {
    let parts = if count == 1 { "1 part".to_owned() } else { format!("{count} parts") };
    drafts.find(finding(
        place,
        "forgotten-mirror",
        format!(
            "mirror {mirror} is not in mirrors/ for this account, and {parts} of it are left here"
        ),
        "put it back with `retired: true`, and it is taken down in order, its public name first",
    ));
}

/// One mirror in one account.
struct Part<'a> {
    place: &'a Arc<Place>,
    mirror: &'a MirrorName,
    wanted: &'a DesiredMirror,
    seen: &'a Seen<'a>,
    today: jiff::civil::Date,
}

impl Part<'_> {
    fn changes(&self, drafts: &mut Drafts) {
        if let Some(lacking) = &self.wanted.lacking {
            let message = format!("mirror {} is left alone: {lacking}", self.mirror);
            let hint = "nothing is made and nothing taken down for it";
            drafts.find(Finding::error("mirror-lacks", message).in_place(self.place).hint(hint));
            return;
        }
        let made = self.begin(drafts);
        self.end(&made, drafts);
    }

    /// The vendor is at it.
    fn settling(&self, one: &SeenResource, drafts: &mut Drafts) {
        if let State::Settling { what, since } = &one.state {
            let waiting = self.waiting(one, what.clone());
            drafts.wait(Waiting { since: Some(*since), ..waiting });
        }
    }

    fn waiting(&self, one: &SeenResource, what: String) -> Waiting {
        let subject = one.observed.ownership.subject();
        Waiting {
            place: (**self.place).clone(),
            kind: Kind::Resource(one.observed.spec.kind),
            object: one.observed.spec.name.clone(),
            subject: subject.expect("only what is ours is looked at").clone(),
            what,
            since: None,
        }
    }
}
