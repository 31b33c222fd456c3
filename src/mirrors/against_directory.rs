//! What only a directory can tell about mirrors.

use std::collections::BTreeMap;

use super::Topology;
use crate::diagnostic::{Finding, nearest};
use crate::inventory::Inventory;
use crate::model::{Directory, DirectoryName, Reading};

/// Groups that run a mirror and are not in their directory, sorted by place. Only a completely read
/// directory proves that.
pub fn findings(
    topology: &Topology,
    inventory: &Inventory,
    directories: &BTreeMap<DirectoryName, Reading<Directory>>,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = topology
        .mirrors
        .values()
        .filter_map(|mirror| {
            let group = &mirror.operators;
            let Some(Reading::Complete(directory)) = directories.get(&group.directory) else {
                return None;
            };
            let is_retired = inventory.is_retired(&group.directory);
            if is_retired || directory.group(&group.group).is_some() {
                return None;
            }
            let message = format!("directory `{}` has no group `{}`", group.directory, group.group);
            let finding = Finding::error("unknown-in-directory", message).at(&mirror.source);
            let known = directory.groups.iter().map(|known| known.name.as_str());
            Some(match nearest(group.group.as_str(), known) {
                Some(name) => finding.hint(format!("did you mean `{}:{name}`?", group.directory)),
                None => finding.hint("it was renamed or removed in the directory"),
            })
        })
        .collect();
    findings.sort();
    findings
}
