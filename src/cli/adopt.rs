//! `reconcile adopt`: take something that exists under management, after showing what follows.

use std::io::Write;

use super::consent::Consent;
use super::input::{Input, Scope};
use super::perform::{self, Look, Run, Shown};
use super::run::{Format, baseline};
use super::{ExitCode, Failure, Globals};
use crate::diagnostic::nearest;
use crate::model::{AccountName, DirectoryName, HolderKind, Subject};
use crate::report::{self, Detail, printable};
use crate::run::{self, Adoption, AdoptionOfAll, Choice, LeftAlone, Refusal, RefusalOfAll};

/// Options of `reconcile adopt`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The account the object is in, by its name in the inventory
    #[arg(required_unless_present = "all", requires = "kind")]
    account: Option<String>,

    /// What kind of object it is
    #[arg(value_enum, requires = "name")]
    kind: Option<Kind>,

    /// Its name at the vendor
    name: Option<String>,

    /// Everybody of a directory in which the same people have other ids now (another `stable_id`,
    /// another server): users get the new marks where name and mail address say who it is
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["account", "kind", "name", "subject"])]
    all: Option<String>,

    /// Whom or what it is to stand for (person:debian:2345, group:debian:admin, role:operator);
    /// unless given, what the inventory asks for under that name
    #[arg(long = "as", value_name = "SUBJECT")]
    subject: Option<Subject>,

    /// Do it; without this it is only shown
    #[arg(long)]
    yes: bool,
}

/// Kinds of objects that can be adopted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// A user
    User,
    /// A group
    Group,
    /// A role
    Role,
    /// What vouches for jobs of a forge, or for people who log in elsewhere
    IdentityProvider,
}

impl From<Kind> for HolderKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::User => Self::User,
            Kind::Group => Self::Group,
            // Kept like a role; its name is never that of one.
            Kind::Role | Kind::IdentityProvider => Self::Role,
        }
    }
}

pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let (account, kind, name) = match (&args.all, &args.account, args.kind, &args.name) {
        (Some(directory), ..) => return everybody(args, directory, globals, out),
        (None, Some(account), Some(kind), Some(name)) => (account, kind, name),
        // The command line has been looked at.
        _ => return Err(Failure::new(ExitCode::BadInput, "ACCOUNT, KIND and NAME are needed")),
    };
    // The whole organisation is read: what follows may be in any of its accounts.
    let scope = Scope { accounts: vec![account.clone()], ..Scope::default() };
    let input = Input::read(globals, &scope, globals.today())?;
    let choice = Choice {
        account: AccountName::from(account.as_str()),
        kind: kind.into(),
        name: name.clone(),
        subject: args.subject.clone(),
    };
    perform::on_runtime(async {
        let interrupt = perform::interruption();
        let locks = if args.yes { Some(input.lock(globals)?) } else { None };
        let baseline = baseline(globals)?;
        let look = Look::at(globals, &input, &baseline, None);
        let mut look = perform::unless_interrupted(&interrupt, look).await?;
        let sources = input.sources(globals);
        run::look_closer(&sources, &mut look.gathered, &choice).await.map_err(refused)?;
        let adoption = run::adoption(&sources, &look.gathered, &baseline, &choice);
        let Adoption { prepared, follows, subject } = adoption.map_err(refused)?;
        if follows.review.approved.plan().changes.is_empty() {
            writeln!(out, "As {subject} it is just as it should be: no run would change it.")?;
        } else {
            writeln!(out, "As {subject} it would be managed; the next run would then")?;
            writeln!(out)?;
            report::plan(out, &follows.review, Detail::Everything)?;
        }
        writeln!(out)?;
        look.prepared = prepared;
        let code = if args.yes {
            let run = Run {
                globals,
                input: &input,
                shown: SHOWN,
                interrupt,
                consent: Consent::Given,
                saved_plan: None,
                anew: None,
            };
            run.perform(look, baseline, None, out).await
        } else {
            only_shown(&look, out)
        };
        drop(locks);
        code
    })
}

const SHOWN: Shown = Shown { format: Format::Text, detail: Detail::Everything, quiet: false };

fn only_shown(look: &Look, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    SHOWN.plan(out, &look.prepared)?;
    writeln!(out, "Nothing was done; the same command with --yes does it.")?;
    Ok(look.exit_code())
}

/// Everybody of a directory in which the same people have other ids now.
fn everybody(
    args: &Args,
    directory: &str,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let input = Input::read(globals, &Scope::default(), globals.today())?;
    let directory = DirectoryName::from(directory);
    perform::on_runtime(async {
        let interrupt = perform::interruption();
        let locks = if args.yes { Some(input.lock(globals)?) } else { None };
        let baseline = baseline(globals)?;
        let look = Look::at(globals, &input, &baseline, None);
        let mut look = perform::unless_interrupted(&interrupt, look).await?;
        let sources = input.sources(globals);
        let adoption = run::adoption_of_all(&sources, &look.gathered, &baseline, &directory);
        let AdoptionOfAll { prepared, follows, left } =
            adoption.map_err(|refusal| all_refused(refusal, &input))?;
        for LeftAlone { place, user, subject, why } in &left {
            let text = format!("{place}: user {user} stays {subject}: {why}");
            writeln!(out, "{}", printable(&text))?;
        }
        if !left.is_empty() {
            writeln!(out, "For later runs they are users of people who left; see to them first.")?;
            writeln!(out)?;
        }
        if prepared.review.approved.plan().changes.is_empty() {
            writeln!(out, "Nobody of directory {directory} has another id than before.")?;
            return Ok(ExitCode::Success);
        }
        if !follows.review.approved.plan().changes.is_empty() {
            writeln!(out, "The next run would then")?;
            writeln!(out)?;
            report::plan(out, &follows.review, Detail::Everything)?;
            writeln!(out)?;
        }
        look.prepared = prepared;
        let code = if args.yes {
            let run = Run {
                globals,
                input: &input,
                shown: SHOWN,
                interrupt,
                consent: Consent::Given,
                saved_plan: None,
                anew: Some(directory),
            };
            run.perform(look, baseline, None, out).await
        } else {
            only_shown(&look, out)
        };
        drop(locks);
        code
    })
}

fn all_refused(refusal: RefusalOfAll, input: &Input) -> Failure {
    match &refusal {
        RefusalOfAll::NoDirectory(name) => {
            let known = input.loaded.inventory.directories.keys().map(DirectoryName::as_str);
            let hint = match nearest(name.as_str(), known) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "give its name in the inventory".to_owned(),
            };
            Failure::new(ExitCode::BadInput, refusal).hint(hint)
        }
        RefusalOfAll::Unread { .. } => Failure::new(ExitCode::IncompleteSource, refusal)
            .hint("nothing was changed: who is not in it cannot be told"),
    }
}

fn refused(refusal: Refusal) -> Failure {
    let code = match refusal {
        Refusal::Unread { .. } => ExitCode::IncompleteSource,
        _ => ExitCode::BadInput,
    };
    let hint = match &refusal {
        Refusal::NotThere { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
        Refusal::NotWanted { .. } => {
            "grant its group something first, or say whom it stands for with --as".to_owned()
        }
        Refusal::SubjectNotWanted { .. } => {
            "the next run would take it away again; let the inventory ask for it first".to_owned()
        }
        Refusal::Other { .. } => {
            "take its tags off by hand first, if that is no mistake".to_owned()
        }
        Refusal::Taken { .. } => "there can be only one; remove or rename the other".to_owned(),
        Refusal::Theirs(_) => "whoever put that mark there should take it off first".to_owned(),
        Refusal::NoAccount(_)
        | Refusal::Unread { .. }
        | Refusal::NotThere { .. }
        | Refusal::Ours(_) => "nothing was changed".to_owned(),
    };
    Failure::new(code, refusal).hint(hint)
}
