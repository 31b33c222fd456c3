//! Findings for people: the line, a mark under it, what was expected.

use std::io::{self, Write};
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Finding, Severity, count};
use crate::model::Source;
use crate::visible::escaped;

/// Longest line that is shown, in characters.
const LONGEST_LINE: usize = 300;

/// Files whose lines can be shown.
pub trait Lines {
    /// Gives the text of a line; `None` when there is no such line.
    fn lines(&self) -> impl FnMut(&Source) -> Option<String>;
}

/// No lines: of files that are not for everybody who sees what is wrong in them.
pub struct NoLines;

impl Lines for NoLines {
    fn lines(&self) -> impl FnMut(&Source) -> Option<String> {
        |_| None
    }
}

/// Writes findings with the lines they are about, and their number at the end.
///
/// The text is styled; a stream that cannot show styles takes them away (`anstream`).
pub fn write(findings: &[Finding], files: &impl Lines, out: &mut dyn Write) -> io::Result<()> {
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let mut line_of = files.lines();
    for finding in findings {
        let line = finding.source.as_ref().and_then(&mut line_of);
        let shown = Shown::of(finding);
        writeln!(out, "{}\n", renderer.render(&[group(finding, &shown, line)]))?;
    }
    let (errors, warnings) = count(findings);
    let plural = |number: usize, word| match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    };
    match (errors, warnings) {
        (0, 0) => Ok(()),
        (0, _) => writeln!(out, "{}", plural(warnings, "warning")),
        (_, 0) => writeln!(out, "{}", plural(errors, "error")),
        _ => writeln!(out, "{}, {}", plural(errors, "error"), plural(warnings, "warning")),
    }
}

/// The texts of a finding as they are shown.
struct Shown {
    message: String,
    hint: String,
    file: String,
}

impl Shown {
    fn of(finding: &Finding) -> Self {
        let file = finding.source.as_ref().map(|source| escaped(&source.file).into_owned());
        Self {
            message: escaped(&finding.message).into_owned(),
            hint: finding.hint.as_deref().map(escaped).unwrap_or_default().into_owned(),
            file: file.unwrap_or_default(),
        }
    }
}

fn group<'a>(finding: &'a Finding, shown: &'a Shown, line: Option<String>) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&shown.message).id(&finding.code));
    if let Some(source) = &finding.source {
        let line =
            line.filter(|line| line.chars().count() <= LONGEST_LINE && !may_hold_secret(line));
        group = match line {
            Some(line) if source.line > 0 => {
                let (line, span) = visible_line(&line, span(&line, source.column));
                group.element(
                    Snippet::source(line)
                        .line_start(source.line as usize)
                        .path(&*shown.file)
                        .annotation(AnnotationKind::Primary.span(span)),
                )
            }
            _ => group.element(origin(source, &shown.file)),
        };
    }
    if let Some(place) = &finding.place {
        let place = escaped(&place.to_string()).into_owned();
        group = group.element(Level::NOTE.message(format!("at account {place}")));
    }
    if shown.hint.is_empty() { group } else { group.element(Level::HELP.message(&shown.hint)) }
}

/// A line with what cannot be seen spelled out, and where the part that is meant is now.
fn visible_line(line: &str, span: Range<usize>) -> (String, Range<usize>) {
    // A tab in a line is shown as blanks by the renderer.
    let escaped = |part: &str| {
        part.split('\t').map(|part| escaped(part).into_owned()).collect::<Vec<_>>().join("\t")
    };
    let before = escaped(&line[..span.start]);
    let meant = escaped(&line[span.clone()]);
    let range = before.len()..before.len() + meant.len();
    (before + &meant + &escaped(&line[span.end..]), range)
}

/// Whether somebody may have written a secret into the line: then it is not shown, for reports end
/// up in logs that more people read than the file.
fn may_hold_secret(line: &str) -> bool {
    const KEYS: [&str; 6] = ["password", "passwd", "passphrase", "secret", "token", "private_key"];
    let line: String = line.to_lowercase().split(['"', '\'', ' ']).collect();
    KEYS.iter().any(|key| line.contains(&format!("{key}:")))
        || line.split_once("://").is_some_and(|(_, rest)| rest.contains('@'))
}

fn origin<'a>(source: &Source, file: &'a str) -> Origin<'a> {
    let origin = Origin::path(file);
    match (source.line, source.column) {
        (0, _) => origin,
        (line, 0) => origin.line(line as usize),
        (line, column) => origin.line(line as usize).char_column(column as usize),
    }
}

/// The bytes of the line that are meant: from the column to the end of the word, quoted text or
/// key there.
fn span(line: &str, column: u32) -> Range<usize> {
    let column = column.saturating_sub(1) as usize;
    let start = line.char_indices().nth(column).map_or(line.len(), |(offset, _)| offset);
    let rest = &line[start..];
    let end = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |at| at + 2),
        Some('[' | '{') => 1,
        _ => rest
            .find([',', ']', '}'])
            .into_iter()
            .chain(rest.find(": "))
            .chain(rest.find(" #"))
            .chain(rest.strip_suffix(':').map(str::len))
            .min()
            .unwrap_or(rest.len()),
    };
    let end = start + rest[..end].trim_end().len();
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn the_mark_is_under_the_word_that_is_meant() {
        for (line, column, expected) in [
            ("  group: debian:sysadmin", 10, "debian:sysadmin"),
            ("  gruop: x", 3, "gruop"),
            ("  spi:", 3, "spi"),
            ("roles: [a, b]", 9, "a"),
            ("id: \"a, b\" # why", 5, "\"a, b\""),
            ("id: 'unclosed", 5, "'unclosed"),
            ("until: 2026 # soon", 8, "2026"),
            ("naïve: grün", 8, "grün"),
            ("short", 90, ""),
            ("", 0, ""),
        ] {
            assert_eq!(&line[span(line, column)], expected, "{line} {column}");
        }
    }
}
