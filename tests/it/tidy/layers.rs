//! Imports go one way.

use super::code::{paths, tokens};
use super::{Problem, module_of};

/// What each module may know besides itself. `guard` stands below `apply` and above `plan`, and
/// so on: the picture in `lib.rs`.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("fuzzing", &["digest"]),
    ("digest", &[]),
    ("file", &[]),
    ("masks", &["digest", "visible"]),
    ("pattern", &[]),
    ("visible", &[]),
    ("folder", &[]),
    ("git", &["folder", "masks"]),
    ("place", &["file"]),
    ("state", &["git", "place"]),
    ("model", &[]),
    ("diagnostic", &["model", "digest", "visible"]),
    ("yaml", &["model", "diagnostic", "visible"]),
    ("event", &["model"]),
    ("lock", &["model", "digest"]),
    ("operator", &["model", "diagnostic", "digest", "file", "masks", "place", "yaml"]),
    ("directory", &["model", "diagnostic", "digest", "file", "folder", "masks", "operator"]),
    ("policies", &["model", "diagnostic", "digest", "pattern", "yaml", "inventory"]),
    // What an inventory says about a directory is `directory`'s configuration. `load` reads all
    // three folders, because what stands in one is checked against the others.
    (
        "inventory",
        &[
            "model",
            "diagnostic",
            "digest",
            "folder",
            "git",
            "pattern",
            "visible",
            "yaml",
            "operator",
            "directory",
            "policies",
            "mirrors",
        ],
    ),
    ("mirrors", &["model", "diagnostic", "digest", "yaml", "inventory"]),
    ("desired", &["model", "diagnostic", "digest", "inventory", "policies", "mirrors"]),
    // Of `directory` only its configuration, like the inventory.
    (
        "rights",
        &[
            "model",
            "diagnostic",
            "digest",
            "pattern",
            "directory",
            "inventory",
            "policies",
            "desired",
        ],
    ),
    ("plan", &["model", "diagnostic", "digest", "pattern", "desired"]),
    ("guard", &["model", "diagnostic", "digest", "desired", "plan", "policies", "inventory"]),
    ("status", &["model", "diagnostic", "plan", "guard"]),
    ("http", &["model", "diagnostic", "file"]),
    ("cloud", &["model", "digest", "file", "masks", "plan", "http", "operator"]),
    ("sink", &["model", "file", "http", "operator"]),
    ("apply", &["model", "digest", "plan", "guard", "event", "cloud", "sink"]),
    ("record", &["model", "digest", "file", "folder", "git", "plan", "guard", "event"]),
    (
        "report",
        &[
            "visible",
            "masks",
            "model",
            "diagnostic",
            "digest",
            "pattern",
            "desired",
            "rights",
            "plan",
            "guard",
            "status",
            "event",
            "inventory",
            "policies",
            "apply",
        ],
    ),
    // One run from end to end knows everything but how it is asked for and shown.
    (
        "run",
        &[
            "model",
            "diagnostic",
            "digest",
            "file",
            "operator",
            "directory",
            "inventory",
            "mirrors",
            "policies",
            "desired",
            "plan",
            "guard",
            "cloud",
            "event",
            "apply",
            "sink",
            "record",
        ],
    ),
    // Everything below it; whoever imports `cli` is above the top.
    ("cli", ANYTHING),
];

const ANYTHING: &[&str] = &["*"];

/// What of `directory` an inventory may know: the values that say what people wrote.
const DIRECTORY_CONFIG: [&str; 10] = [
    "config",
    "Bind",
    "Bounds",
    "DirectoryConfig",
    "Filter",
    "GONE_WORDS",
    "LdapConfig",
    "Origin",
    "SchemaConfig",
    "SchemaKind",
];

/// The paths that lead where they must not.
pub fn problems(file: &str, source: &str) -> Vec<Problem> {
    let module = module_of(file);
    let Some(top) = module.first() else { return Vec::new() };
    let Some((_, may_know)) = MAY_KNOW.iter().find(|(name, _)| name == top) else {
        return vec![Problem::new(file, "is in a module that layers.rs does not know")];
    };
    paths(&tokens(source), &module)
        .into_iter()
        .filter(|path| path.len() > 1 && path[0] == "crate")
        .filter(|path| !is_allowed(file, &module, may_know, path))
        .map(|path| Problem::new(file, &format!("must not know {}", path.join("::"))))
        .collect()
}

fn is_allowed(file: &str, module: &[&str], may_know: &[&str], path: &[String]) -> bool {
    let (own, other) = (module[0], path[1].as_str());
    if own == "cloud" && other == "cloud" {
        return is_allowed_within_clouds(module, path);
    }
    if matches!(own, "inventory" | "rights") && other == "directory" {
        return path.get(2).is_some_and(|item| DIRECTORY_CONFIG.contains(&item.as_str()));
    }
    // Targets of fuzzing are unit tests in files of their own.
    if other == "fuzzing" {
        return file.ends_with("/fuzz.rs") || own == "fuzzing";
    }
    own == other || may_know == ANYTHING || may_know.contains(&other)
}

/// A cloud knows the traits and itself; the registry alone names the clouds.
fn is_allowed_within_clouds(module: &[&str], path: &[String]) -> bool {
    const CLOUDS: [&str; 4] = ["memory", "aws", "azure", "gcp"];
    let other = path.get(2).map_or("", String::as_str);
    let own = module.get(1).copied().unwrap_or("");
    let a_cloud = CLOUDS.contains(&own);
    (!CLOUDS.contains(&other) || other == own || own == "registry")
        && !(a_cloud && other == "registry")
}

/// What knows something below it, all the same: `load` reads the three folders, and what stands in one
/// is checked against the others.
const CIRCLE: [(&str, &str); 2] = [("inventory", "mirrors"), ("inventory", "policies")];

#[test]
fn the_table_is_the_order_of_lib() {
    let lib = include_str!("../../../src/lib.rs");
    let modules: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let place = |name: &str| modules.iter().position(|one| *one == name);
    let mut found = Vec::new();
    for (own, may_know) in MAY_KNOW {
        assert!(place(own).is_some(), "{own} is not in lib.rs");
        for other in may_know.iter().filter(|other| **other != "*") {
            if place(other) >= place(own) {
                found.push((*own, *other));
            }
        }
    }
    found.sort_unstable();
    assert_eq!(found, CIRCLE);
    let rows: Vec<&str> = MAY_KNOW.iter().map(|(own, _)| *own).collect();
    assert!(modules.iter().all(|module| rows.contains(module)), "{modules:?}");
}

#[test]
fn violations_are_caught() {
    for (file, source) in [
        ("src/model/x.rs", "use crate::plan::Plan;"),
        ("src/model/x.rs", "fn f(p: crate::plan::Plan) {}"),
        ("src/model/x.rs", "use {crate::{plan::{Plan, self}}};"),
        ("src/plan/diff/x.rs", "use super::super::super::guard::review;"),
        ("src/guard/mod.rs", "use crate::{model::Place, apply::execute};"),
        ("src/report/text.rs", "use crate::cli::ExitCode;"),
        ("src/inventory/read.rs", "use crate::directory::read;"),
        ("src/cloud/aws/mod.rs", "use super::memory::Thing;"),
        ("src/cloud/aws/mod.rs", "use crate::guard::review;"),
        ("src/cloud/memory/mod.rs", "use crate::cloud::registry::all;"),
        ("src/event.rs", "use crate::plan::Step;"),
        ("src/somewhere/mod.rs", ""),
        ("src/yaml/parse.rs", "use crate::fuzzing::Target;"),
    ] {
        assert_eq!(problems(file, source).len().min(1), 1, "{file}: {source}");
    }
}

#[test]
fn what_is_allowed_is_not_reported() {
    for (file, source) in [
        ("src/model/x.rs", "use super::Place; use crate::model::Source; use std::fmt;"),
        ("src/inventory/read.rs", "use crate::directory::{Bind, SchemaKind};"),
        ("src/cloud/registry.rs", "use super::memory; use crate::cloud::aws;"),
        ("src/cloud/aws/roles.rs", "use super::error; use crate::cloud::CloudError;"),
        ("src/yaml/fuzz.rs", "use crate::fuzzing::Target;"),
        ("src/cli/apply.rs", "use crate::{apply, record, report};"),
        ("src/model/x.rs", "// crate::cli\n#[cfg(test)] mod tests { use crate::plan; }"),
    ] {
        assert_eq!(problems(file, source), [], "{file}: {source}");
    }
}
