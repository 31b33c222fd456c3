//! Reading the inputs of a run: folders, clouds, lock.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

use jiff::civil::Date;

use super::{ExitCode, Failure, Globals};
use crate::cloud::{Vendor, registry};
use crate::diagnostic::Finding;
use crate::inventory::{self, Loaded, against_operator};
use crate::lock::{LockError, Locks};
use crate::model::{AccountName, Kind, OrganisationName, ResourceKind};
use crate::operator::Operator;
use crate::plan::Narrowing;
use crate::record::{self, InputVersion, RunId};
use crate::run::{Gathered, Sources};
use crate::visible::Visible;

/// Which part of everything a run is about.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Scope {
    /// Only these kinds of objects, separated by commas
    #[arg(long, value_name = "KIND", value_enum, value_delimiter = ',')]
    pub(super) only: Vec<OnlyKind>,

    /// Only these organisations, separated by commas
    #[arg(long = "org", value_name = "ORGANISATION", value_delimiter = ',')]
    pub(super) organisations: Vec<String>,

    /// Only these accounts, separated by commas
    #[arg(long = "account", value_name = "ACCOUNT", value_delimiter = ',')]
    pub(super) accounts: Vec<String>,
}

/// Kinds of objects, as written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OnlyKind {
    /// Users and their credentials
    Users,
    /// Groups
    Groups,
    /// Users in groups
    Memberships,
    /// Roles
    Roles,
    /// Roles attached to groups
    Bindings,
    /// What else is attached to users, groups and roles
    Attachments,
    /// All that mirrors are made of
    Mirrors,
}

impl OnlyKind {
    /// The kinds that are meant.
    pub(super) fn kinds(self) -> Vec<Kind> {
        match self {
            Self::Users => vec![Kind::User, Kind::Credential],
            Self::Groups => vec![Kind::Group],
            Self::Memberships => vec![Kind::Membership],
            Self::Roles => vec![Kind::Role],
            Self::Bindings => vec![Kind::Binding],
            Self::Attachments => vec![Kind::Attachment],
            Self::Mirrors => ResourceKind::ALL.into_iter().map(Kind::Resource).collect(),
        }
    }
}

/// Whether everything must be as the operator allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operators {
    /// Before servers are asked and accounts changed.
    Must,
    /// Where what is not allowed is only left out.
    May,
}

/// The inputs people keep in git, valid.
pub(super) struct Input {
    /// The id of this run.
    pub(super) run: RunId,
    pub(super) loaded: Loaded,
    pub(super) vendors: Vec<Arc<dyn Vendor>>,
    pub(super) narrowing: Narrowing,
    /// The organisations whose accounts must be read.
    pub(super) organisations: BTreeSet<OrganisationName>,
    pub(super) today: Date,
    /// Which state of the folders was read.
    pub(super) version: InputVersion,
    /// What the operator allows.
    pub(super) operator: Operator,
}

impl Input {
    /// Reads and validates the folders.
    ///
    /// # Errors
    /// Any error in them: nothing may be done on account of inputs that are half understood, or that
    /// name what the operator does not allow. All findings have then been written to stderr.
    pub(super) fn read(globals: &Globals, scope: &Scope, today: Date) -> Result<Self, Failure> {
        Self::load(globals, today, Operators::Must, |loaded| narrowing(scope, loaded))
    }

    /// The same for commands that answer from the files: what the operator does not allow is not
    /// asked, and the answer says so.
    ///
    /// # Errors
    /// Any error in the files themselves.
    pub(super) fn read_to_answer(
        globals: &Globals,
        scope: &Scope,
        today: Date,
    ) -> Result<Self, Failure> {
        Self::load(globals, today, Operators::May, |loaded| narrowing(scope, loaded))
    }

    /// The same for what a saved plan is about.
    ///
    /// # Errors
    /// As for [`Input::read`].
    pub(super) fn read_for(
        globals: &Globals,
        narrowing: Narrowing,
        today: Date,
    ) -> Result<Self, Failure> {
        Self::load(globals, today, Operators::Must, |_| Ok(narrowing))
    }

    fn load(
        globals: &Globals,
        today: Date,
        operators: Operators,
        narrowing: impl FnOnce(&Loaded) -> Result<Narrowing, Failure>,
    ) -> Result<Self, Failure> {
        let operator = globals.operator()?;
        globals.trust_state()?;
        let version = record::input_version(&globals.root, &["inventory", "policies", "mirrors"]);
        let tree = inventory::read_folder(&globals.root);
        let mut loaded = inventory::load(&tree, &registry::facts(), today);
        if operators == Operators::Must {
            let denied = against_operator::findings(&loaded.inventory, &operator);
            loaded.findings.extend(denied);
            loaded.findings.sort();
        }
        if loaded.has_errors() {
            let mut stderr = Visible::text(anstream::stderr());
            crate::diagnostic::text::write(&loaded.findings, &tree, &mut stderr)?;
            stderr.flush()?;
            return Err(Failure::new(
                ExitCode::BadInput,
                "the inventory or the policies have errors",
            )
            .hint(
                "put them right; `reconcile check` shows them without a run. Nothing was changed",
            ));
        }
        let narrowing = narrowing(&loaded)?;
        let run = RunId::random();
        let vendors = registry::vendors(&globals.state, run.as_str())
            .map_err(|error| Failure::new(ExitCode::Unexpected, error))?;
        let organisations = organisations(&narrowing, &loaded);
        Ok(Self { run, loaded, vendors, narrowing, organisations, today, version, operator })
    }

    /// Makes sure that the folders are what was read. While git updates a checkout a file may be
    /// missing or end early for a moment, and what is missing would be taken away.
    ///
    /// # Errors
    /// Some file is another one now.
    pub(super) fn still_there(&self, globals: &Globals) -> Result<(), Failure> {
        if inventory::read_folder(&globals.root).digests() == self.loaded.digests {
            return Ok(());
        }
        let text = "the inventory or the policies changed while this run was reading";
        Err(Failure::new(ExitCode::PlanMoved, text).hint("run again; nothing was changed"))
    }

    /// What a run gathers from.
    pub(super) fn sources<'a>(&'a self, globals: &'a Globals) -> Sources<'a> {
        Sources {
            inventory: &self.loaded.inventory,
            policies: &self.loaded.policies,
            topology: &self.loaded.topology,
            vendors: &self.vendors,
            organisations: self.organisations.clone(),
            access: globals.access(&self.operator),
            today: self.today,
        }
    }

    /// The organisations a run works on, all of them if it is not narrowed.
    pub(super) fn working_on(&self) -> Vec<OrganisationName> {
        let all = self.loaded.inventory.organisations.keys();
        all.filter(|name| self.organisations.is_empty() || self.organisations.contains(*name))
            .cloned()
            .collect()
    }

    /// Takes the locks of the organisations a run works on.
    ///
    /// # Errors
    /// Another run has one of them; the failure says who.
    pub(super) fn lock(&self, globals: &Globals) -> Result<Locks, Failure> {
        let locks = Locks::take(&globals.state, &self.working_on(), &globals.holder());
        let locks = locks.map_err(|error| match error {
            LockError::Held { .. } => Failure::new(ExitCode::Locked, error)
                .hint("wait for it to end; nothing was changed"),
            LockError::Folder { .. } | LockError::File { .. } | LockError::NotAFile { .. } => {
                Failure::new(ExitCode::Unexpected, error).hint("nothing was changed")
            }
        })?;
        for (organisation, holder) in locks.taken_over() {
            tracing::warn!("the last run on {organisation} did not end well ({holder}); going on");
        }
        Ok(locks)
    }

    /// The narrowing in words, for the record.
    pub(super) fn narrowing_in_words(&self) -> Vec<String> {
        let Narrowing { kinds, organisations, accounts } = &self.narrowing;
        let kinds = kinds.iter().map(|kind| format!("only {}", kind.plural()));
        let organisations = organisations.iter().map(|name| format!("organisation {name}"));
        let accounts = accounts.iter().map(|name| format!("account {name}"));
        kinds.chain(organisations).chain(accounts).collect()
    }

    /// What is odd about the inputs, also in the light of the directories.
    pub(super) fn findings(&self, gathered: &Gathered) -> Vec<Finding> {
        let mut findings = self.loaded.findings.clone();
        findings.extend(inventory::against_directory::findings(
            &self.loaded.inventory,
            &gathered.directories,
            &gathered.facts,
            &self.loaded.policies.privileged_roles(),
            self.today,
        ));
        findings.extend(crate::mirrors::against_directory(
            &self.loaded.topology,
            &self.loaded.inventory,
            &gathered.directories,
        ));
        findings.extend(gathered.directories.iter().flat_map(|(name, reading)| {
            reading.got().warnings.iter().map(move |warning| {
                let message = format!("directory {name}, {}: {}", warning.entry, warning.message);
                Finding::warning("directory", message)
            })
        }));
        findings
    }

    /// The digest of every input file.
    pub(super) fn digests(&self) -> BTreeMap<String, String> {
        self.loaded.digests.clone()
    }
}

fn narrowing(scope: &Scope, loaded: &Loaded) -> Result<Narrowing, Failure> {
    let known = &loaded.inventory;
    let organisations = scope.organisations.iter().map(|name| {
        let names = known.organisations.keys().map(OrganisationName::as_str);
        named::<OrganisationName>("organisation", name, names)
    });
    let accounts = scope.accounts.iter().map(|name| {
        let names = known.accounts.keys().map(AccountName::as_str);
        named::<AccountName>("account", name, names)
    });
    Ok(Narrowing {
        kinds: scope.only.iter().flat_map(|kind| kind.kinds()).collect(),
        organisations: organisations.collect::<Result<_, _>>()?,
        accounts: accounts.collect::<Result<_, _>>()?,
    })
}

fn named<'a, T: for<'b> From<&'b str>>(
    what: &str,
    name: &str,
    mut known: impl Iterator<Item = &'a str> + Clone,
) -> Result<T, Failure> {
    if known.clone().any(|one| one == name) {
        return Ok(T::from(name));
    }
    let failure = Failure::new(ExitCode::BadInput, format!("there is no {what} `{name}`"));
    Err(match crate::diagnostic::nearest(name, known.clone()) {
        Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
        None => match known.next() {
            None => failure.hint("the inventory names none"),
            Some(_) => failure,
        },
    })
}

/// The organisations to read: those named, and those of named accounts.
fn organisations(narrowing: &Narrowing, loaded: &Loaded) -> BTreeSet<OrganisationName> {
    let of_accounts = narrowing
        .accounts
        .iter()
        .filter_map(|name| loaded.inventory.accounts.get(name))
        .map(|entry| entry.account.place.organisation.clone());
    narrowing.organisations.iter().cloned().chain(of_accounts).collect()
}
