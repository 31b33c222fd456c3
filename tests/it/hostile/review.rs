//! What a reviewer of a merge request must see.

mod comment;
mod forges;
mod people;
mod settings;

use std::path::Path;

use crate::rights::commands::{example, ran};

/// What `diff` says of a change of the example organisation: its code, its text, its comment.
struct Said {
    code: i32,
    text: String,
    comment: String,
}

impl Said {
    fn of(change: impl FnOnce(&Path)) -> Self {
        let folder = example();
        change(folder.path());
        Self::about(folder.path(), "HEAD")
    }

    fn about(root: &Path, base: &str) -> Self {
        let diff = ["diff", "--base", base, "--detailed-exitcode"];
        let (code, text, err) = ran(root, &diff);
        assert!([0, 4, 10].contains(&code), "{code}: {err}");
        let comment = ran(root, &[&diff[..], &["--format", "markdown"]].concat()).1;
        Self { code, text, comment }
    }

    fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The heading of the comment.
    fn heading(&self) -> &str {
        self.comment.lines().nth(1).unwrap_or_default()
    }
}
