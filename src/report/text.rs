//! A reviewed plan for people.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::counts::Counts;
use super::parts;
use super::table::{
    BAD, CAUTION, FAINT, GOOD, HEADING, Widths, by_place, style_of, styled, wrapped,
};
use super::words::{line, printable, sign};
use jiff::Timestamp;

use crate::diagnostic::{Finding, Severity};
use crate::guard::{ApprovedPlan, Review, Violation};
use crate::model::Place;
use crate::plan::{Change, Effect, Incomplete, Plan, Step, Waiting, Withheld};

/// How much of a plan is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Every change.
    #[default]
    Everything,
    /// How many of each sort in each account; what is held is still shown one by one.
    Summary,
}

/// Writes a reviewed plan.
pub fn plan(out: &mut dyn Write, review: &Review, detail: Detail) -> io::Result<()> {
    let approved = &review.approved;
    let plan = approved.plan();
    for (place, changes) in by_place(approved) {
        account(out, approved, place, &changes, detail)?;
    }
    incomplete(out, &plan.incomplete, &plan.withheld)?;
    waiting(out, &plan.waiting)?;
    findings(out, &plan.findings)?;
    violations(out, review)?;
    closing(out, approved)
}

fn account(
    out: &mut dyn Write,
    approved: &ApprovedPlan,
    place: &Place,
    changes: &[&Change],
    detail: Detail,
) -> io::Result<()> {
    let mut counts = Counts::default();
    for change in changes {
        counts.add(change, approved.held().contains_key(&change.id));
    }
    let name = place.to_string();
    let name = printable(&name);
    writeln!(out, "{HEADING}{name}{HEADING:#}  {FAINT}{counts}{FAINT:#}")?;
    let held = |change: &&&Change| approved.held().contains_key(&change.id);
    let shown: Vec<&Change> = match detail {
        Detail::Everything => changes.to_vec(),
        Detail::Summary => changes.iter().filter(held).copied().collect(),
    };
    if detail == Detail::Summary {
        let mut sorts: BTreeMap<(Effect, &str, char), usize> = BTreeMap::new();
        for change in changes.iter().filter(|change| !held(change)) {
            *sorts
                .entry((change.step.effect(), change.step.verb(), sign(&change.step)))
                .or_default() += 1;
        }
        for ((_, verb, sign), count) in sorts {
            let style = style_of(sign);
            writeln!(out, "  {style}{sign} {verb:17}{style:#}  {count}")?;
        }
    }
    let is_part = |change: &&Change| matches!(change.step, Step::Part { .. });
    let (of_mirrors, shown): (Vec<&Change>, Vec<&Change>) = shown.into_iter().partition(is_part);
    let widths = Widths::of(&shown);
    // Below, every rule is named with its numbers; a line need only say which of several.
    let rules: BTreeSet<&str> = approved.held().values().map(|why| &**why).collect();
    for change in shown {
        let held = approved.held().get(&change.id).map(|why| &**why);
        let line = line(change, held.map(|why| if rules.len() > 1 { why } else { "" }));
        let style = style_of(line.sign);
        let text = widths.lay_out(&line, "");
        let padded = widths.lay_out(&line, "\u{0}");
        let gap = padded.chars().count() - 1 - text.chars().count();
        let why = &line.why;
        if why.is_empty() {
            writeln!(out, "  {style}{text}{style:#}")?;
        } else {
            writeln!(out, "  {style}{text}{style:#}{:gap$}{FAINT}{why}{FAINT:#}", "")?;
        }
    }
    parts::parts(out, approved, &of_mirrors, rules.len() > 1)?;
    writeln!(out)
}

fn incomplete(
    out: &mut dyn Write,
    incomplete: &[Incomplete],
    withheld: &[Withheld],
) -> io::Result<()> {
    if incomplete.is_empty() && withheld.is_empty() {
        return Ok(());
    }
    let heading = if incomplete.is_empty() {
        "Not planned"
    } else {
        "Not read completely (so nothing is removed on account of it)"
    };
    styled(out, CAUTION, heading)?;
    for read in incomplete {
        let missing: Vec<String> = read.missing.iter().map(ToString::to_string).collect();
        let text = format!("{}: {}", read.read, missing.join("; "));
        writeln!(out, "  ? {}", printable(&text))?;
    }
    for withheld in withheld {
        let Withheld { place, kind, count, because } = withheld;
        let kind = if *count == 1 { kind.singular() } else { kind.plural() };
        let is_read = incomplete.iter().any(|one| one.read == *because);
        let why = if is_read {
            format!(", because {because} is incomplete")
        } else {
            format!(" ({because})")
        };
        let text = format!("not planned in {place}: {count} {kind}{why}");
        writeln!(out, "  ? {}", printable(&text))?;
    }
    writeln!(out)
}

fn waiting(out: &mut dyn Write, waiting: &[Waiting]) -> io::Result<()> {
    if waiting.is_empty() {
        return Ok(());
    }
    styled(out, HEADING, "Waiting (the next run goes on from there)")?;
    let mut of = None;
    for one in waiting {
        let Waiting { place, kind, object, subject: _, what, since } = one;
        if of.replace(place) != Some(place) {
            writeln!(out, "  {}", printable(&place.to_string()))?;
        }
        let since = since.map(|since| format!(" since {}", second(since))).unwrap_or_default();
        let text = format!("{} {object}: {what}{since}", kind.singular());
        for line in wrapped("  … ", "      ", &printable(&text)) {
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out)
}

/// That a vendor must finish something first, and what to do about it, if so.
pub(super) fn run_again(things: usize) -> Option<String> {
    match things {
        0 => None,
        1 => Some("1 thing waits for the vendor; run again later.".to_owned()),
        many => Some(format!("{many} things wait for the vendor; run again later.")),
    }
}

/// A time as people read it, in UTC.
pub(super) fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn findings(out: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    styled(out, HEADING, "Findings")?;
    for finding in dangerous_first(findings) {
        let style = match finding.severity {
            Severity::Error => BAD,
            Severity::Warning => CAUTION,
        };
        let (head, rest) = finding_in_words(finding);
        writeln!(out, "  {style}{head}{style:#} {rest}")?;
        if let Some(hint) = &finding.hint {
            writeln!(out, "      {FAINT}{}{FAINT:#}", printable(hint))?;
        }
    }
    writeln!(out)
}

/// Errors before warnings, else as they are: of a long list the end is not read, or cut.
pub(super) fn dangerous_first(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    let of = |severity| findings.iter().filter(move |finding| finding.severity == severity);
    of(Severity::Error).chain(of(Severity::Warning))
}

/// `error[code]` and where and what.
pub(super) fn finding_in_words(finding: &Finding) -> (String, String) {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let head = format!("{severity}[{}]", finding.code);
    let source = finding.source.as_ref().map(ToString::to_string);
    let place = finding.place.as_ref().map(ToString::to_string);
    let parts: Vec<String> =
        source.into_iter().chain(place).chain([finding.message.clone()]).collect();
    let rest = parts.join(": ");
    (printable(&head).into_owned(), printable(&rest).into_owned())
}

fn violations(out: &mut dyn Write, review: &Review) -> io::Result<()> {
    let (let_go, held): (Vec<_>, Vec<_>) =
        review.violations.iter().partition(|violation| violation.overridden);
    if !held.is_empty() {
        styled(out, CAUTION, "Held")?;
        for violation in &held {
            let text = format!("{}: {}", violation.organisation, violation.message);
            writeln!(out, "  ! {} ({} held)", printable(&text), violation.holds.len())?;
        }
        approval(out, review)?;
        writeln!(out)?;
    }
    if !let_go.is_empty() {
        styled(out, CAUTION, "Approved for this run")?;
        for violation in let_go {
            let text = format!("{}: {}", violation.organisation, violation.message);
            writeln!(out, "  ! {} ({})", printable(&text), let_go_of(review, violation))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// What an approval would do, and what else there is to do.
fn approval(out: &mut dyn Write, review: &Review) -> io::Result<()> {
    let (all, approvable) = (review.approved.held().len(), review.approvable.len());
    let digest = review.approved.plan().digest();
    if approvable > 0 {
        let which = match approvable {
            _ if approvable == all => "them".to_owned(),
            some => format!("{some} of the {all} changes"),
        };
        writeln!(out, "  To let {which} go, once and for exactly this plan, add to the command:")?;
        writeln!(out, "      --approve {digest}")?;
    }
    let which = match all - approvable {
        0 => return Ok(()),
        rest if approvable > 0 => format!("The other {rest} cannot be approved"),
        _ => "They cannot be approved".to_owned(),
    };
    writeln!(out, "  {which}: change the inventory or the policies, or do it by hand.")
}

/// How many of the changes that a violation held are let go by the approval.
pub(super) fn let_go_of(review: &Review, violation: &Violation) -> String {
    let held = review.approved.held();
    let still = violation.holds.iter().filter(|change| held.contains_key(change)).count();
    match (violation.holds.len(), still) {
        (all, 0) => format!("{all} let go"),
        (all, still) => {
            format!("{} of {all} let go; another rule holds the rest", all - still)
        }
    }
}

fn closing(out: &mut dyn Write, approved: &ApprovedPlan) -> io::Result<()> {
    let text = closing_line(approved);
    let style = if Counts::of(approved).is_nothing() { GOOD } else { HEADING };
    styled(out, style, &text)?;
    match run_again(approved.plan().waiting.len()) {
        Some(text) if !says_so(approved) => writeln!(out, "{text}"),
        Some(_) | None => Ok(()),
    }
}

/// Whether the closing line says that there is nothing to do but to wait.
fn says_so(approved: &ApprovedPlan) -> bool {
    let plan = approved.plan();
    let in_the_way = plan.findings.iter().any(|one| one.severity == Severity::Error);
    let is_whole = plan.incomplete.is_empty() && plan.withheld.is_empty();
    Counts::of(approved).is_nothing() && is_whole && !in_the_way && !plan.waiting.is_empty()
}

/// What the plan comes to, in one line.
pub(super) fn closing_line(approved: &ApprovedPlan) -> String {
    let plan = approved.plan();
    let counts = Counts::of(approved);
    if counts.is_nothing() {
        let in_the_way = plan.findings.iter().any(|one| one.severity == Severity::Error);
        // Somebody merely gets nothing new, or something keeps what it has.
        if plan.incomplete.is_empty() && !plan.withheld.is_empty() {
            return format!("Nothing to do{}, for the reasons above.", not_planned(plan, &counts));
        }
        return if plan.incomplete.is_empty() {
            if in_the_way {
                "Nothing to do, besides putting right the errors above.".to_owned()
            } else {
                match run_again(plan.waiting.len()) {
                    None => "Nothing to do: everything is as it should be.".to_owned(),
                    Some(text) => format!("Nothing to do now: {text}"),
                }
            }
        } else {
            format!("Nothing to do as far as could be read{}.", not_planned(plan, &counts))
        };
    }
    format!("{counts}{}; plan sha256 {}", not_planned(plan, &counts), plan.digest())
}

fn not_planned(plan: &Plan, counts: &Counts) -> String {
    if counts.not_planned == 0 {
        return String::new();
    }
    let incomplete = |because: &str| plan.incomplete.iter().any(|one| one.read == because);
    let mut reads: Vec<&str> =
        plan.withheld.iter().map(|withheld| withheld.because.as_str()).collect();
    // What else is to blame is said above.
    reads.retain(|because| incomplete(because));
    reads.sort_unstable();
    reads.dedup();
    if reads.is_empty() {
        return format!(", {} not planned", counts.not_planned);
    }
    let verb = if reads.len() == 1 { "was" } else { "were" };
    let text = format!(
        ", {} not planned because {} {verb} not read completely",
        counts.not_planned,
        reads.join(" and ")
    );
    printable(&text).into_owned()
}
