//! Findings for programs: this one's own JSON, GitLab's code quality report, GitHub's workflow
//! commands.

use std::collections::HashMap;
use std::io::{self, Write};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Finding, Severity, count};
use crate::digest::sha256;
use crate::visible::{escaped, write_json as write_visible_json};

/// The JSON form of findings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of this form. A new field does not change it.
    pub version: u32,
    /// How many findings are errors.
    pub errors: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// All of them, sorted by place.
    pub findings: Vec<Finding>,
}

/// The version of [`Report`].
pub const REPORT_VERSION: u32 = 1;

/// Writes a [`Report`].
pub fn write_json(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let (errors, warnings) = count(findings);
    let report = Report { version: REPORT_VERSION, errors, warnings, findings: findings.to_vec() };
    write_visible_json(out, &report)
}

/// One entry of GitLab's report
/// (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).
#[derive(Serialize)]
struct Quality<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// Writes GitLab's code quality report.
///
/// A finding keeps its fingerprint when lines above it come or go: it is made of the code, the
/// file and the message. Of several equal ones, each has its number.
pub fn write_gitlab(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let mut seen: HashMap<(&str, &str, &str), usize> = HashMap::new();
    let entries: Vec<Quality<'_>> = findings
        .iter()
        .map(|finding| {
            let path = finding.source.as_ref().map_or("inventory", |source| &*source.file);
            let number = seen.entry((&finding.code, path, &finding.message)).or_default();
            *number += 1;
            let identity = [&finding.code, path, &finding.message, &number.to_string()].join("\n");
            Quality {
                description: sentence(finding),
                check_name: &finding.code,
                fingerprint: sha256(identity.as_bytes()),
                severity: match finding.severity {
                    Severity::Error => "major",
                    Severity::Warning => "minor",
                },
                location: Location { path, lines: Lines { begin: line(finding).max(1) } },
            }
        })
        .collect();
    write_visible_json(out, &entries)
}

/// Writes GitHub's workflow commands
/// (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
pub fn write_github(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(out, "::{command} ")?;
        if let Some(source) = &finding.source {
            write!(out, "file={},", property(&source.file))?;
            if source.line > 0 {
                write!(out, "line={},", source.line)?;
            }
            if source.column > 0 {
                write!(out, "col={},", source.column)?;
            }
        }
        writeln!(out, "title={}::{}", property(&finding.code), data(&sentence(finding)))?;
    }
    Ok(())
}

fn line(finding: &Finding) -> u32 {
    finding.source.as_ref().map_or(0, |source| source.line)
}

fn sentence(finding: &Finding) -> String {
    let place = finding.place.as_ref().map(|place| format!(" (account {place})"));
    let hint = finding.hint.as_ref().filter(|hint| !hint.is_empty());
    let hint = hint.map(|hint| format!(" ({hint})"));
    let all: String = [Some(finding.message.clone()), place, hint].into_iter().flatten().collect();
    escaped(&all).into_owned()
}

/// Escapes what follows `::`. A line end is spelled out like all that cannot be seen.
fn data(text: &str) -> String {
    escaped(text).replace('%', "%25")
}

/// Escapes a value before `::`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{write_github, write_gitlab};
    use crate::diagnostic::Finding;
    use crate::model::Source;

    fn rendered(
        findings: &[Finding],
        write: impl Fn(&[Finding], &mut dyn std::io::Write) -> std::io::Result<()>,
    ) -> String {
        let mut out = Vec::new();
        write(findings, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn workflow_commands_cannot_be_broken_out_of() {
        let finding = Finding::error("bad,code:x", "100%\n::error::injected\r").at(&Source::new(
            "a,b:c.yaml",
            3,
            7,
        ));
        assert_eq!(
            rendered(&[finding], write_github),
            "::error file=a%2Cb%3Ac.yaml,line=3,col=7,title=bad%2Ccode%3Ax::100%25\\u{a}::error::injected\\u{d}\n"
        );
    }

    #[test]
    fn fingerprints_survive_moved_lines_and_are_unique() {
        let finding = |line| Finding::error("c", "m").at(&Source::new("f", line, 1));
        let prints = |lines: &[u32]| -> Vec<String> {
            let findings: Vec<Finding> = lines.iter().map(|line| finding(*line)).collect();
            let report: serde_json::Value =
                serde_json::from_str(&rendered(&findings, write_gitlab)).unwrap();
            report
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["fingerprint"].as_str().unwrap().to_owned())
                .collect()
        };
        let before = prints(&[3, 9]);
        assert_ne!(before[0], before[1]);
        assert_eq!(before, prints(&[13, 19]));
    }
}
