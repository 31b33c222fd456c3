//! From what is written to values: every name looked up, every default filled in.
//!
//! What cannot be made a value is left out with a finding. What spans several items (duplicates,
//! rights, names that collide) is checked afterwards by the table in `rules`.

mod accounts;
mod directories;
mod grants;
pub(crate) mod groups;
mod identities;
mod moved;

use jiff::civil::Date;

use super::Inventory;
use super::as_written::InventoryFile;
use super::known::{Known, ReadFile};
use crate::diagnostic::{Finding, Findings};
use crate::model::{ProjectName, VendorFacts};
use crate::yaml::{Field, InFile};

/// What resolving looks at.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) known: &'a Known,
    pub(crate) vendors: &'a [VendorFacts],
    /// Every file that was read.
    pub(crate) files: &'a std::collections::BTreeMap<String, Vec<u8>>,
}

impl<'a> World<'a> {
    /// A vendor by its name in the inventory; of several ways of access the first.
    pub(crate) fn vendor(self, name: &str) -> Option<&'a VendorFacts> {
        self.vendors.iter().find(|vendor| vendor.family.as_str() == name)
    }

    /// The ways of access to a vendor, where it has several.
    fn accesses(self, name: &'a str) -> impl Iterator<Item = &'static str> {
        self.vendors
            .iter()
            .filter(move |vendor| vendor.family.as_str() == name)
            .filter_map(|vendor| vendor.access)
    }

    /// The names of all vendors, each once.
    pub(crate) fn families(self) -> impl Iterator<Item = &'a str> {
        let mut names: Vec<&str> =
            self.vendors.iter().map(|vendor| vendor.family.as_str()).collect();
        names.dedup();
        names.into_iter()
    }
}

/// Makes the inventory of all files together.
pub(super) fn inventory(
    files: &[ReadFile<InventoryFile>],
    world: World<'_>,
    findings: &mut Findings,
) -> Inventory {
    let mut inventory = Inventory::default();
    for file in files {
        directories::resolve(file, world, findings, &mut inventory.directories);
        projects(file, world, findings, &mut inventory);
    }
    for file in files {
        accounts::resolve(file, world, findings, &mut inventory);
    }
    accounts::choose_hubs(files, findings, &mut inventory);
    let places = grants::Places::new(&inventory.accounts);
    let mut all = Vec::new();
    let mut service_accounts = std::collections::BTreeMap::new();
    for file in files {
        all.extend(grants::resolve(file, world, &places, findings));
        grants::resolve_service_accounts(file, world, &places, findings, &mut service_accounts);
    }
    all.sort_by(|a, b| a.source.cmp(&b.source));
    inventory.grants = all;
    inventory.service_accounts = service_accounts;
    inventory
}

fn projects(
    file: &ReadFile<InventoryFile>,
    world: World<'_>,
    findings: &mut Findings,
    inventory: &mut Inventory,
) {
    let at = InFile(&file.path);
    for (name, project) in file.content.projects.given().iter().flat_map(|s| &s.value.0) {
        let source = at.source(name.at);
        let Some(project) =
            project.given().filter(|_| world.known.projects.is_definition(&name.value, &source))
        else {
            continue;
        };
        let directory = project.value.directory.given().and_then(|directory| {
            world.known.directories.look_up("directory", directory, at, findings)?;
            Some(directory.value.as_str().into())
        });
        let name = ProjectName::from(name.value.as_str());
        let description = text(&project.value.description);
        let project = super::Project { name: name.clone(), directory, description, source };
        inventory.projects.insert(name, project);
    }
}

/// An optional text, empty where there is none.
fn text(field: &Field<String>) -> String {
    field.given().map(|written| written.value.trim().to_owned()).unwrap_or_default()
}

/// An optional day.
fn day(field: &Field<String>, at: InFile<'_>, findings: &mut Findings) -> Option<Date> {
    let written = field.given()?;
    let text = written.value.as_str();
    // jiff also takes times and other forms; people shall see one form only.
    let day = (text.len() == 10).then(|| text.parse().ok()).flatten();
    if day.is_none() {
        findings.push(
            Finding::error("not-a-day", format!("`{text}` is not a day"))
                .at(&at.source(written.at))
                .hint("write it as YYYY-MM-DD, for example 2027-03-31"),
        );
    }
    day
}
