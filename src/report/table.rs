//! Columns that line up without wasting a screen on one long name.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::words::{Line, line, printable};
use crate::guard::ApprovedPlan;
use crate::model::Place;
use crate::plan::Change;

/// A longer name or detail moves the rest of its own line only.
const WIDEST_OBJECT: usize = 32;
const WIDEST_DETAIL: usize = 40;
const WIDEST_CELL: usize = 60;

pub(super) const HEADING: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const CAUTION: Style = AnsiColor::Yellow.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();

/// The changes of each account, in the order of the plan.
pub(super) fn by_place(approved: &ApprovedPlan) -> BTreeMap<&Place, Vec<&Change>> {
    let mut places: BTreeMap<&Place, Vec<&Change>> = BTreeMap::new();
    for change in &approved.plan().changes {
        places.entry(&change.place).or_default().push(change);
    }
    places
}

/// How wide the columns of one account are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Widths {
    verb: usize,
    object: usize,
    detail: usize,
}

impl Widths {
    pub(super) fn of(changes: &[&Change]) -> Self {
        let mut widths = Self::default();
        for change in changes {
            let line = line(change, None);
            widths.verb = widths.verb.max(line.verb.len());
            widths.object = widths.object.max(within(&line.object, WIDEST_OBJECT));
            widths.detail = widths.detail.max(within(&line.detail, WIDEST_DETAIL));
        }
        widths
    }

    /// The columns up to the detail, then what is given, without trailing spaces.
    pub(super) fn lay_out(&self, line: &Line, rest: &str) -> String {
        let Self { verb, object, detail } = *self;
        let text = format!(
            "{} {:verb$}  {:object$}  {:detail$}  {rest}",
            line.sign, line.verb, line.object, line.detail
        );
        text.trim_end().to_owned()
    }
}

/// Rows of cells as lines with columns that line up; the cells may hold anything.
pub(super) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let rows: Vec<Vec<_>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(within(cell, WIDEST_CELL));
        }
    }
    let lay_out = |row: &Vec<_>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  "));
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(lay_out).collect()
}

/// How wide a line may be.
const WIDTH: usize = 80;

/// A text in lines of at most [`WIDTH`] columns, broken between words: the first begins with one
/// text, each further line with another. A word that is longer has a line of its own.
pub(super) fn wrapped(first: &str, rest: &str, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split(' ') {
        let width = line.chars().count() + usize::from(!is_empty) + word.chars().count();
        if width > WIDTH && !is_empty {
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

/// Texts with commas between them in lines that begin alike, broken between texts; within one only
/// where it is longer than a line.
pub(super) fn listed(first: &str, texts: &[impl AsRef<str>]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let comma = if number + 1 < texts.len() { "," } else { "" };
        let text = format!("{}{comma}", text.as_ref());
        match lines.last_mut() {
            Some(line) if fits(&format!("{line} {text}")) => {
                line.push(' ');
                line.push_str(&text);
            }
            _ => lines.extend(wrapped(first, first, &text)),
        }
    }
    lines
}

/// Whether a text fits on one line.
pub(super) fn fits(text: &str) -> bool {
    text.chars().count() <= WIDTH
}

fn within(text: &str, widest: usize) -> usize {
    let width = text.chars().count();
    if width > widest { 0 } else { width }
}

/// The colour that goes with a sign.
pub(super) fn style_of(sign: char) -> Style {
    match sign {
        '+' => GOOD,
        '-' => BAD,
        '~' | '!' => CAUTION,
        _ => Style::new(),
    }
}

/// A line in a style.
pub(super) fn styled(out: &mut dyn Write, style: Style, text: &str) -> io::Result<()> {
    writeln!(out, "{style}{text}{style:#}")
}
