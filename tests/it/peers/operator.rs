//! The operator's file of a test.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use reconcile::operator::{self, Operator};

/// Writes it into its usual place below a home, in the place of what is there.
pub fn write(home: &Path, text: &str) -> PathBuf {
    let folder = home.join(".config/reconcile");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).expect("a folder");
    let path = folder.join("operator.yaml");
    let _ = fs::remove_file(&path);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).expect("a file");
    file.write_all(text.as_bytes()).expect("it is written");
    path
}

/// What a text allows; its relative paths begin at a folder.
#[track_caller]
pub fn of(text: &str, folder: &Path) -> Operator {
    let read = operator::parse(
        Path::new("operator.yaml"),
        folder,
        Path::new("/no/repository"),
        text.as_bytes(),
    );
    read.unwrap_or_else(|unusable| panic!("{unusable:?}"))
}
