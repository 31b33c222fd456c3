//! What people do at the vendor without telling anybody.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use reconcile::cloud::memory::MemoryWorld;
use reconcile::cloud::memory::config::SUBJECT_TAG;
use reconcile::cloud::memory::service::resource::{Resource, Setting};
use reconcile::cloud::memory::service::state::Tags;
use reconcile::model::ResourceKind;

use super::judge::part_of;
use super::written::ACCOUNTS;

#[derive(Default)]
pub struct Hands {
    /// What does not carry its mark any more, with that.
    lost: BTreeMap<(String, String), Tags>,
    /// What others made.
    foreign: BTreeSet<(String, String)>,
}

impl Hands {
    /// Somebody does something; what.
    pub fn meddle(&mut self, rng: &mut Rng, world: &MemoryWorld) -> String {
        let state = world.dump().expect("memory");
        let ours: Vec<(&str, &Resource)> =
            state.resources().filter(|(_, one)| part_of(one).is_some()).collect();
        let Some((account, one)) = rng.choice(ours) else { return "nothing is there".to_owned() };
        let id = one.id.as_str().into();
        let what = match rng.u8(..9) {
            0..=1 => {
                world.remove_resource(account, &id).expect("memory");
                "is removed"
            }
            2..=4 => {
                let add = rng.bool();
                world.edit_resource(account, &id, |one| edit(one, add)).expect("memory");
                "is edited"
            }
            5..=6 => {
                self.lost.insert((account.to_owned(), one.id.clone()), one.tags.clone());
                let all = rng.bool();
                let change = |one: &mut Resource| {
                    if all {
                        one.tags.clear();
                    } else {
                        one.tags.insert(SUBJECT_TAG.to_owned(), "part:?".to_owned());
                    }
                };
                world.edit_resource(account, &id, change).expect("memory");
                "loses its mark"
            }
            7 => {
                self.take_a_name(rng, world, account, one);
                "has a namesake"
            }
            _ => {
                let found = state.account(account).resources.after(None);
                let mut zones = found.filter(|one| one.kind == ResourceKind::Zone);
                let Some(zone) = zones.next() else { return "there is no zone".to_owned() };
                let settings = record(zone, "mail");
                let name = format!("mail-{}", rng.u16(..));
                self.add(world, account, ResourceKind::RecordSet, &name, settings);
                "gets a neighbour"
            }
        };
        format!("{account} {} {what}", one.name)
    }

    /// Something has the name of one of the next generations, or of one from the beginning.
    fn take_a_name(&mut self, rng: &mut Rng, world: &MemoryWorld, account: &str, one: &Resource) {
        let Some((base, _)) = one.name.rsplit_once('-') else { return };
        let name = format!("{base}-{}", rng.u8(1..4));
        let state = world.dump().expect("memory");
        if state.account(account).resources.of_kind(one.kind, &name).is_some() {
            return;
        }
        let settings = match one.kind {
            ResourceKind::Zone => [("domain".to_owned(), "foreign.example".into())].into(),
            ResourceKind::Server => one.settings.clone(),
            _ => return,
        };
        self.add(world, account, one.kind, &name, settings);
    }

    fn add(
        &mut self,
        world: &MemoryWorld,
        account: &str,
        kind: ResourceKind,
        name: &str,
        settings: BTreeMap<String, Setting>,
    ) {
        let id = world.add_resource(account, kind, name, settings, None).expect("memory");
        self.foreign.insert((account.to_owned(), id.to_string()));
    }

    /// What stands in the way goes, and what lost its mark has it again; or goes, where something
    /// else has that by now.
    pub fn put_right(&mut self, world: &MemoryWorld) {
        for (account, id) in std::mem::take(&mut self.foreign) {
            world.remove_resource(&account, &id.as_str().into()).expect("memory");
        }
        for ((account, id), tags) in std::mem::take(&mut self.lost) {
            let state = world.dump().expect("memory");
            let mark = tags.get(SUBJECT_TAG);
            let mut all =
                ACCOUNTS.iter().flat_map(|(_, id)| state.account(id).resources.after(None));
            let is_taken =
                all.any(|one| part_of(one).is_some() && one.tags.get(SUBJECT_TAG) == mark);
            let id = id.as_str().into();
            if is_taken {
                world.remove_resource(&account, &id).expect("memory");
            } else {
                world.edit_resource(&account, &id, |one| one.tags = tags).expect("memory");
            }
        }
    }
}

fn record(zone: &Resource, label: &str) -> BTreeMap<String, Setting> {
    [
        ("zone".to_owned(), zone.id.as_str().into()),
        ("domain".to_owned(), format!("{label}.{}", zone.text("domain")).as_str().into()),
        ("type".to_owned(), "A".into()),
        ("values".to_owned(), ["192.0.2.7"].into()),
        ("ttl".to_owned(), 60.into()),
    ]
    .into()
}

fn edit(one: &mut Resource, add: bool) {
    let (word, value): (&str, Setting) = match (one.kind, add) {
        (ResourceKind::RecordSet, true) => ("ttl", 7.into()),
        (ResourceKind::RecordSet, false) => ("values", ["192.0.2.1"].into()),
        (ResourceKind::FrontEnd, true) => ("enabled", false.into()),
        (ResourceKind::FrontEnd, false) => ("origins", ["192.0.2.9"].into()),
        (ResourceKind::Server, true) => ("image", "debian-9".into()),
        (ResourceKind::Server, false) => ("size", "huge".into()),
        (ResourceKind::Zone | ResourceKind::Certificate, _) => return,
    };
    one.settings.insert(word.to_owned(), value);
}
