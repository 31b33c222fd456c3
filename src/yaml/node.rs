//! A parsed file: values with their places.

/// Where something starts, as people count: from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// A value and where it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it starts.
    pub at: Position,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing: an empty place, `~` or `null`.
    Nothing,
    /// One value, as written (after the escapes of quoted texts).
    Scalar {
        /// Its text.
        text: String,
        /// It is written without quotes.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// Keys and values in the order of the file, duplicates included.
    Mapping(Vec<(Key, Node)>),
    /// Something that was reported already.
    Broken,
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Where it starts.
    pub at: Position,
    /// Its text.
    pub text: String,
}

impl Value {
    /// What it is, in words, for findings.
    pub fn in_words(&self) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::Scalar { text, .. } => format!("`{}`", shortened(text)),
            Self::List(_) => "a list".to_owned(),
            Self::Mapping(_) => "keys and values".to_owned(),
            Self::Broken => "something unreadable".to_owned(),
        }
    }
}

/// A text short enough for a message, on one line.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= LONGEST && line.len() == text.trim_end().len() {
        return line.to_owned();
    }
    line.chars().take(LONGEST).chain(['…']).collect()
}
