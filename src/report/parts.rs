//! Changes of mirrors for people: why is said once for what stands below it, and what is long goes on
//! in further lines.

use std::io::{self, Write};

use super::table::{FAINT, fits, listed, style_of, wrapped};
use super::words::{line, printable, setting_changes, settings};
use crate::guard::ApprovedPlan;
use crate::model::Reference;
use crate::plan::{Change, Life, Plan, Step};

/// How deep the reasons and further lines stand.
const DEEPER: &str = "      ";

/// Writes changes of parts, in the order of the plan. Which rule holds one is said where there are
/// `several`.
pub(super) fn parts(
    out: &mut dyn Write,
    approved: &ApprovedPlan,
    changes: &[&Change],
    several: bool,
) -> io::Result<()> {
    let width = changes.iter().map(|change| change.step.verb().len()).max().unwrap_or_default();
    for alike in changes.chunk_by(|one, other| one.reasons == other.reasons) {
        let reasons: Vec<String> = alike[0].reasons.iter().map(ToString::to_string).collect();
        for line in wrapped("  ", "    ", &printable(&format!("{}:", reasons.join("; ")))) {
            writeln!(out, "{FAINT}{line}{FAINT:#}")?;
        }
        for change in alike {
            let held = approved.held().get(&change.id).map(|why| if several { &**why } else { "" });
            one(out, approved.plan(), change, held, width)?;
        }
    }
    Ok(())
}

fn one(
    out: &mut dyn Write,
    plan: &Plan,
    change: &Change,
    held: Option<&str>,
    width: usize,
) -> io::Result<()> {
    let said = line(change, held);
    let begins = format!("  {} {:width$}  {}", said.sign, said.verb, said.object);
    let held = held.map(|why| if why.is_empty() { "HELD".into() } else { format!("HELD: {why}") });
    let texts: Vec<String> = held.into_iter().chain(detail(plan, &change.step)).collect();
    let style = style_of(said.sign);
    let texts: Vec<_> = texts.iter().map(|text| printable(text)).collect();
    if texts.is_empty() {
        return writeln!(out, "{style}{begins}{style:#}");
    }
    let whole = format!("{begins}  {}", texts.join(", "));
    if fits(&whole) {
        return writeln!(out, "{style}{whole}{style:#}");
    }
    writeln!(out, "{style}{begins}{style:#}")?;
    for line in listed(DEEPER, &texts) {
        writeln!(out, "{style}{line}{style:#}")?;
    }
    Ok(())
}

/// What a part is to be like, setting by setting; where the reason says all, nothing.
fn detail(plan: &Plan, step: &Step) -> Vec<String> {
    let Step::Part { life, .. } = step else { return Vec::new() };
    let called = |reference: &Reference| called(plan, reference);
    match life {
        Life::Create { spec, .. } => settings(spec, &called),
        Life::Update { before, after, .. } => setting_changes(before, after, &called),
        Life::Retire { on, .. } => vec![format!("nothing new reaches it from {on} on")],
        Life::Restore { .. } | Life::Delete { .. } => Vec::new(),
    }
}

/// What the same plan makes is called by its name: its id is not known yet.
fn called(plan: &Plan, reference: &Reference) -> String {
    match reference {
        Reference::Known(id) => id.to_string(),
        Reference::Made { by, .. } => match plan.changes.get(by.index()) {
            Some(change) => format!("(of {})", change.step.object()),
            None => format!("(made by {by})"),
        },
    }
}
