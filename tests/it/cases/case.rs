//! A case in a folder of its own, with the binary to run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reconcile::cloud::memory::{MemoryVendor, MemoryWorld};
use tempfile::TempDir;

use crate::cli::site::{Ran, files, ran};
use crate::peers::operator;

const PEOPLE: &str = "inventory/people.ldif";

pub struct Case {
    folder: TempDir,
    /// Outside the repository, where the operator's own file would be.
    home: TempDir,
    from: PathBuf,
}

impl Case {
    /// The inputs as they are before anything goes wrong.
    pub fn new(name: &str) -> Self {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
        let temporary = || tempfile::tempdir().expect("a temporary folder");
        let case = Self { folder: temporary(), home: temporary(), from };
        for folder in ["inventory", "policies"] {
            fs::create_dir_all(case.path(folder)).expect("a folder");
        }
        for (path, content) in files(&case.from) {
            let name = path.strip_prefix(&case.from).expect("below").to_str().expect("a name");
            match name {
                "inventory.yaml" | "policies.yaml" => {
                    let folder = name.trim_end_matches(".yaml");
                    fs::write(case.path(folder).join("all.yaml"), content).expect("a file");
                }
                PEOPLE => case.write_people(&String::from_utf8(content).expect("LDIF")),
                _ if name.contains('/') => fs::write(case.path(name), content).expect("a file"),
                _ => {}
            }
        }
        if case.from.join("before.ldif").exists() {
            case.people("before.ldif");
        }
        case
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets the program ask servers, as the operator.
    pub fn allow(&self, servers: &[&str]) {
        operator::write(self.home.path(), &format!("servers: {servers:?}\n"));
    }

    /// The text of a file of the case.
    pub fn file(&self, name: &str) -> String {
        fs::read_to_string(self.source(name)).expect("a file of the case")
    }

    /// Where a file of the case is.
    pub fn source(&self, name: &str) -> PathBuf {
        self.from.join(name)
    }

    /// What the directory says from now on, by the name of a file of the case.
    pub fn people(&self, name: &str) {
        self.write_people(&self.file(name));
    }

    /// What the directory says from now on: entries, to which the mark of their end is added.
    pub fn write_people(&self, entries: &str) {
        fs::write(self.path(PEOPLE), whole(entries)).expect("a file");
    }

    /// Replaces the one place where `from` is written.
    #[track_caller]
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).expect("a file of the case");
        assert_eq!(text.matches(from).count(), 1, "{from} in {name}");
        fs::write(self.path(name), text.replace(from, to)).expect("a file");
    }

    /// Edits what the directory says.
    #[track_caller]
    pub fn edit_people(&self, from: &str, to: &str) {
        self.edit(PEOPLE, from, to);
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reconcile"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("USER", "tester")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .args(arguments);
        command
    }

    /// The embedded cloud as lines of text.
    pub fn cloud(&self) -> Vec<String> {
        self.world().describe().expect("a cloud").into_iter().collect()
    }

    pub fn world(&self) -> MemoryWorld {
        let state = self.path(".reconcile").join("memory.jsonl");
        MemoryVendor::open(&state).expect("a state file").world()
    }
}

/// Entries as a whole file: one that does not say that it ends may have been cut.
fn whole(entries: &str) -> String {
    format!("{}\n\n# end\n", entries.trim_end())
}

/// A text with runs of blanks as one: tables are aligned, and tests are not about that.
pub fn squeezed(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}
