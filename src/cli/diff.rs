//! `reconcile diff`: what a change of the inventory and the policies gives and takes.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::civil::Date;

use super::people::People;
use super::{ExitCode, Failure, Globals};
use crate::cloud::registry;
use crate::desired::{self, Inputs};
use crate::diagnostic::{self, Severity};
use crate::git::GitError;
use crate::inventory::{self, Loaded, SourceTree, read_folder, read_revision};
use crate::model::{Directory, DirectoryName, Reading, VendorFacts};
use crate::report::{self, DIFFERENCE_FORMAT, DifferenceReport};
use crate::rights::{self, View};
use crate::visible::Visible;

/// Options of `reconcile diff`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to compare with: a commit, branch or tag
    #[arg(long, value_name = "REV")]
    base: String,

    /// What it became: a commit, branch or tag [default: the files as they are]
    #[arg(long, value_name = "REV")]
    head: Option<String>,

    /// How to show the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Answer as if it were this day (YYYY-MM-DD)
    #[arg(long, value_name = "DAY")]
    today: Option<Date>,

    /// End with code 10 when somebody gets or loses something, or a setting is another one
    #[arg(long)]
    detailed_exitcode: bool,
}

/// How to show a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For scripts; see `reconcile schema diff`
    Json,
    /// A comment for a merge request
    Markdown,
}

pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let operator = globals.operator()?;
    let today = args.today.unwrap_or_else(|| globals.today());
    let mut notes = Vec::new();
    let head = head(args, globals, today)?;
    let base = base(args, globals, today, &mut notes)?;
    let sides = (&base.inventory, &head.inventory);
    let access = globals.access(&operator);
    let people = People::read(access, sides, (&args.base, args.head.as_deref()))?;
    notes.extend(people.notes.iter().cloned());
    let vendors = registry::facts();
    let before = inputs(&base, &people.base, &vendors, today);
    let after = inputs(&head, people.head(), &vendors, today);
    let (was, is) = (desired::resolve(&before), desired::resolve(&after));
    let (before, after) = (View::new(before, &was), View::new(after, &is));
    let difference = rights::compare(&before, &after);
    let mut not_complete = before.not_complete();
    not_complete.extend(after.not_complete());
    not_complete.sort();
    not_complete.dedup();
    let report = DifferenceReport {
        format: DIFFERENCE_FORMAT,
        base: args.base.clone(),
        head: args.head.clone().unwrap_or_else(|| "the files as they are".to_owned()),
        today: today.to_string(),
        not_complete: &not_complete,
        notes: &notes,
        difference: &difference,
    };
    match args.format {
        Format::Text => report::difference_text(out, &report)?,
        Format::Json => report::difference_json(out, &report)?,
        Format::Markdown => report::difference_markdown(out, &report)?,
    }
    Ok(match (not_complete.is_empty(), args.detailed_exitcode && !difference.is_empty()) {
        (false, _) => ExitCode::IncompleteSource,
        (true, true) => ExitCode::ChangesPending,
        (true, false) => ExitCode::Success,
    })
}

fn inputs<'a>(
    loaded: &'a Loaded,
    directories: &'a BTreeMap<DirectoryName, Reading<Directory>>,
    vendors: &'a [VendorFacts],
    today: Date,
) -> Inputs<'a> {
    let Loaded { inventory, policies, .. } = loaded;
    Inputs { inventory, policies, directories, vendors, today }
}

/// The side that is to come: it must be in order.
fn head(args: &Args, globals: &Globals, today: Date) -> Result<Loaded, Failure> {
    let tree = match &args.head {
        Some(revision) => revision_tree(globals, revision)?,
        None => read_folder(&globals.root),
    };
    let loaded = inventory::load(&tree, &registry::facts(), today);
    if !loaded.has_errors() {
        return Ok(loaded);
    }
    let mut stderr = Visible::text(anstream::stderr());
    diagnostic::text::write(&loaded.findings, &tree, &mut stderr)?;
    stderr.flush()?;
    let what = args.head.as_deref().unwrap_or("the inventory or the policies");
    let message = match &args.head {
        Some(_) => format!("{what} has errors in the inventory or the policies"),
        None => format!("{what} have errors"),
    };
    Err(Failure::new(ExitCode::BadInput, message).hint("put them right first; see above"))
}

/// The side that was: what is wrong with it cannot be put right any more.
fn base(
    args: &Args,
    globals: &Globals,
    today: Date,
    notes: &mut Vec<String>,
) -> Result<Loaded, Failure> {
    let tree = revision_tree(globals, &args.base)?;
    let mut loaded = inventory::load(&tree, &registry::facts(), today);
    if loaded.has_errors() {
        loaded.findings.retain(|finding| finding.severity == Severity::Error);
        let mut stderr = Visible::text(anstream::stderr());
        diagnostic::text::write(&loaded.findings, &tree, &mut stderr)?;
        stderr.flush()?;
        let errors = match loaded.findings.len() {
            1 => "an error".to_owned(),
            errors => format!("{errors} errors"),
        };
        notes.push(format!(
            "{} has {errors}: what could not be understood there counts as not written, so it \
             looks new here",
            args.base
        ));
    }
    Ok(loaded)
}

fn revision_tree(globals: &Globals, revision: &str) -> Result<SourceTree, Failure> {
    read_revision(&globals.root, revision).map_err(no_revision)
}

/// Why a revision could not be read, with what to do about it.
pub(super) fn no_revision(error: GitError) -> Failure {
    match error {
        GitError::BadName(_) | GitError::NoCommit { .. } | GitError::NoRepository(_) => {
            Failure::new(ExitCode::BadInput, error)
                .hint("name a commit, branch or tag of the repository that holds the root; a shallow clone may lack it (git fetch --unshallow)")
        }
        GitError::Missing(_) => Failure::new(ExitCode::BadInput, error)
            .hint("nothing is fetched here; `git fetch --refetch --no-filter` makes the clone whole"),
        GitError::Refused { .. } => Failure::new(ExitCode::BadInput, error)
            .hint("use a plain clone of the repository"),
        GitError::Run(_)
        | GitError::Failed { .. }
        | GitError::Unexpected { .. }
        | GitError::TooSlow { .. }
        | GitError::TooMuch { .. } => Failure::new(ExitCode::Unexpected, error),
    }
}
