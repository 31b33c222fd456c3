//! Reading YAML: the only module that knows the YAML library.
//!
//! [`parse`] turns a text into a tree of [`Node`]s that keep their place and their text as
//! written; [`read`] turns such a tree into a type. Both collect findings and go on, so that one
//! mistake does not hide the next.
//!
//! What is understood is a part of YAML on purpose: mappings, lists and single values. No anchors
//! and aliases (so no alias bombs), no tags, no merge keys, one document per file, keys are texts.
//! A value is what is written: `000123456789` keeps its zeros where a text is meant, and only
//! `true` and `false` are a yes or a no.
//!
//! Architecture invariant: every loop here is bounded by the size of the input; nesting deeper
//! than [`MAX_DEPTH`] is refused by the parser before anything recurses.

mod deserialize;
#[cfg(test)]
mod fuzz;
mod in_file;
mod node;
mod parse;
mod text;
mod written;

pub use deserialize::{read, read_in_confidence};
pub use in_file::InFile;
pub use node::{Key, Node, Position, Value};
pub use parse::{MAX_DEPTH, MAX_NODES, parse};
pub use written::{Field, List, Named, Written};
