//! A reviewed plan as a comment on a merge request.

use std::io::{self, Write};

use super::comment::{Comment, entities};
use super::counts::Counts;
use super::table::{Widths, by_place};
use super::text::{closing_line, dangerous_first, finding_in_words, let_go_of};
use super::words::{line, printable};
use crate::guard::Review;

/// Writes a reviewed plan: what it comes to first, the details folded, cut at
/// [`LONGEST_COMMENT`](super::LONGEST_COMMENT) bytes with a word on how much is missing.
pub fn markdown(out: &mut dyn Write, review: &Review) -> io::Result<()> {
    let approved = &review.approved;
    let plan = approved.plan();
    let heading = format!("### reconcile: {}\n\n", Counts::of(approved));
    let mut comment = Comment::new(heading);
    comment.block("text", None, &mut std::iter::once(closing_line(approved)));

    let mut violations = review.violations.iter().map(|violation| {
        let what = if violation.overridden {
            let_go_of(review, violation)
        } else {
            format!("{} held", violation.holds.len())
        };
        let text = format!("! {}: {} ({what})", violation.organisation, violation.message);
        printable(&text).into_owned()
    });
    comment.block("diff", Some("Guard"), &mut violations);

    let mut unread = plan.incomplete.iter().flat_map(|incomplete| {
        incomplete
            .missing
            .iter()
            .map(|missing| printable(&format!("? {}: {missing}", incomplete.read)).into_owned())
    });
    comment.block("text", Some("Not read completely"), &mut unread);

    for (place, changes) in by_place(approved) {
        let mut counts = Counts::default();
        for change in &changes {
            counts.add(change, approved.held().contains_key(&change.id));
        }
        let widths = Widths::of(&changes);
        let mut lines = changes.iter().map(|change| {
            let line = line(change, approved.held().get(&change.id).map(|why| &**why));
            widths.lay_out(&line, &line.why)
        });
        let title = format!("{}: {counts}", entities(&printable(&place.to_string())));
        comment.block("diff", Some(&title), &mut lines);
    }

    let mut findings = dangerous_first(&plan.findings).map(|finding| {
        let (head, rest) = finding_in_words(finding);
        format!("* {head} {rest}")
    });
    comment.block("text", Some("Findings"), &mut findings);
    comment.finish(out)
}
