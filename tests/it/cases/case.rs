//! A case in a folder of its own, with the binary to run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reconcile::cloud::memory::{MemoryVendor, MemoryWorld};
use tempfile::TempDir;

use crate::cli::site::{Ran, files, ran};

const PEOPLE: &str = "inventory/people.ldif";

/// What says that an LDIF file is whole; the cases were written before there was such a thing.
const END: &str = "\n# end\n";

pub struct Case {
    folder: TempDir,
    from: PathBuf,
}

impl Case {
    /// The inputs as they are before anything goes wrong.
    pub fn new(name: &str) -> Self {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
        let case = Self { folder: tempfile::tempdir().expect("a temporary folder"), from };
        for folder in ["inventory", "policies", "home"] {
            fs::create_dir_all(case.path(folder)).expect("a folder");
        }
        for (path, content) in files(&case.from) {
            let name = path.strip_prefix(&case.from).expect("below").to_str().expect("a name");
            match name {
                "inventory.yaml" | "policies.yaml" => {
                    let folder = name.trim_end_matches(".yaml");
                    fs::write(case.path(folder).join("all.yaml"), content).expect("a file");
                }
                _ if name.contains('/') => fs::write(case.path(name), content).expect("a file"),
                _ => {}
            }
        }
        if case.from.join("before.ldif").exists() {
            case.people("before.ldif");
        } else {
            let text = fs::read_to_string(case.path(PEOPLE)).expect("people");
            fs::write(case.path(PEOPLE), text + END).expect("a file");
        }
        case
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the directory says from now on, by the name of a file of the case.
    pub fn people(&self, name: &str) {
        let text = fs::read_to_string(self.from.join(name)).expect("a file of the case");
        fs::write(self.path(PEOPLE), text + END).expect("a file");
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_reconcile"));
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("USER", "tester")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .args(arguments);
        ran(&mut command)
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
