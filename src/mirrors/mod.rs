//! Mirrors are not understood yet: files of theirs are named in a warning and left alone.

use crate::diagnostic::Finding;
use crate::inventory::SourceTree;
use crate::model::Source;

/// One warning for each file that looks as if it were meant for this program.
pub fn findings(tree: &SourceTree) -> Vec<Finding> {
    tree.unread
        .iter()
        .filter(|path| path.starts_with("mirrors/"))
        .map(|path| {
            Finding::warning("not-understood-yet", "mirrors are not understood by this version")
                .at(&Source::new(path.as_str(), 0, 0))
                .hint("the file was not read")
        })
        .collect()
}
