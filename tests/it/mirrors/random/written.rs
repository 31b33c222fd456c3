//! What people write in these lives: two mirrors at most, and a few people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use fastrand::Rng;

pub const ACCOUNTS: [(&str, &str); 2] = [("one", "100000000001"), ("two", "100000000002")];
const REGIONS: [&str; 3] = ["asia", "europe", "north"];
const SIZES: [&str; 3] = ["small", "medium", "large"];
pub const PEOPLE: [&str; 4] = ["amara", "bela", "chidi", "dana"];

pub const INVENTORY: &str = "\
organisations:
  debian:
    accounts:
      one: {vendor: memory, id: \"100000000001\", hub: true}
      two: {vendor: memory, id: \"100000000002\"}
directories:
  debian: {ldif: people.ldif, schema: userdir, base: \"dc=example,dc=org\"}
grants:
  - {group: \"debian:mirrors\", role: operator, accounts: [one, two], reason: They keep them}
";

/// So much may go in one run.
pub fn policies(limit: u32) -> String {
    format!(
        "roles:\n  operator: {{description: Runs, means: {{memory: {{permissions: [\"*\"]}}}}}}\n\
         limits:\n  default:\n    access: {{floor: 99}}\n    users: {{floor: 9}}\n    \
         memberships: {{floor: 9}}\n    mirrors: {{floor: {limit}}}\n"
    )
}

/// One mirror, as written.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a line of the file, written or not")]
pub struct Mirror {
    pub account: usize,
    pub regional: bool,
    pub suites: BTreeSet<&'static str>,
    pub regions: BTreeMap<&'static str, (u32, usize)>,
    pub other_name: bool,
    pub image: u32,
    pub disk: u32,
    pub retired: bool,
    /// Whether it is in the file at all.
    pub written: bool,
}

impl Mirror {
    fn random(rng: &mut Rng, account: usize) -> Self {
        let mut regions = BTreeMap::from([(REGIONS[rng.usize(..3)], (rng.u32(1..3), 0))]);
        if rng.bool() {
            regions.insert(REGIONS[rng.usize(..3)], (1, rng.usize(..3)));
        }
        Self {
            account,
            regional: rng.bool(),
            suites: BTreeSet::from(["trixie"]),
            regions,
            other_name: false,
            image: 13,
            disk: 4000,
            retired: false,
            written: true,
        }
    }

    pub fn public_name(&self, mirror: &str) -> String {
        let more = if self.other_name { "2" } else { "" };
        format!("{mirror}{more}.memory.mirror.example.org")
    }

    /// Which account it is in.
    pub fn account_id(&self) -> &'static str {
        ACCOUNTS[self.account].1
    }

    pub fn servers(&self) -> u32 {
        self.regions.values().map(|(servers, _)| servers).sum()
    }

    /// Somebody edits it; what was done.
    fn edit(&mut self, rng: &mut Rng) -> &'static str {
        let region = REGIONS[rng.usize(..3)];
        match rng.u8(..16) {
            0..=2 => {
                self.regions.entry(region).or_insert((1, 0));
                "a region more"
            }
            3..=4 if self.regions.len() > 1 => {
                self.regions.remove(region);
                "a region less"
            }
            5 => {
                let (servers, size) = (rng.u32(1..3), rng.usize(..3));
                self.regions = BTreeMap::from([(region, (servers, size))]);
                "another region"
            }
            6..=7 => {
                let servers = rng.u32(1..4);
                self.regions.values_mut().for_each(|region| region.0 = servers);
                "more or fewer servers"
            }
            8 => {
                self.image = 27 - self.image;
                "another image"
            }
            9 => {
                let size = rng.usize(..3);
                self.regions.values_mut().for_each(|region| region.1 = size);
                "another size"
            }
            10 => {
                self.disk = 12_000 - self.disk;
                "another disk"
            }
            11 => {
                if !self.suites.remove("forky") {
                    self.suites.insert("forky");
                }
                "other suites"
            }
            12 => {
                self.regional = !self.regional;
                "another form"
            }
            13 => {
                self.other_name = !self.other_name;
                "another name"
            }
            14 => {
                self.retired = !self.retired;
                "retired, or not any more"
            }
            _ => {
                self.written = !self.written;
                "out of the file, or back"
            }
        }
    }

    fn write(&self, name: &str, out: &mut String) {
        let form = if self.regional { "regional" } else { "cdn" };
        let (more, suites) = (if self.other_name { "2" } else { "" }, Vec::from_iter(&self.suites));
        let _ = write!(
            out,
            "  {name}:\n    account: {}\n    form: {form}\n    archive:\n      upstream: {{host: \
             rsync.debian.example, module: debian}}\n      suites: {suites:?}\n      keyring: \
             mirrors/debian.asc\n      fresh_hours: 12\n    name: \
             {name}{more}.${{vendor}}.mirror.example.org\n    parent_zone: {{name: \
             mirror.example.org, by: delegation}}\n    image: debian-{}\n    disk_gb: {}\n    \
             operators: debian:mirrors\n    ceiling: {{amount: 300, currency: EUR}}\n    retired: \
             {}\n    regions:\n",
            ACCOUNTS[self.account].0, self.image, self.disk, self.retired
        );
        for (region, (servers, size)) in &self.regions {
            let size = SIZES[*size];
            let _ = writeln!(out, "      {region}: {{servers: {servers}, size: {size}}}");
        }
    }
}

/// What a person is in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    Unknown,
    Active,
    Left,
}

/// All that is written.
#[derive(Clone, Debug)]
pub struct Written {
    pub mirrors: BTreeMap<&'static str, Mirror>,
    pub people: [Person; 4],
    pub limit: u32,
}

impl Written {
    pub fn random(rng: &mut Rng) -> Self {
        let mut mirrors = BTreeMap::from([("alpha", Mirror::random(rng, 0))]);
        if rng.u8(..3) == 0 {
            let account = rng.usize(..2);
            mirrors.insert("beta", Mirror::random(rng, account));
        }
        let people = [Person::Active, Person::Active, Person::Unknown, Person::Unknown];
        // In some lives limits hold what goes.
        let limit = if rng.u8(..5) == 0 { 1 } else { 500 };
        Self { mirrors, people, limit }
    }

    /// Somebody edits the topology; what was done.
    pub fn edit(&mut self, rng: &mut Rng) -> String {
        let at = rng.usize(..self.mirrors.len());
        let (name, mirror) = self.mirrors.iter_mut().nth(at).expect("one of them");
        format!("{name}: {}", mirror.edit(rng))
    }

    /// Somebody joins or leaves.
    pub fn move_person(&mut self, rng: &mut Rng) -> String {
        let at = rng.usize(..self.people.len());
        self.people[at] =
            if self.people[at] == Person::Active { Person::Left } else { Person::Active };
        format!("{} is {:?}", PEOPLE[at], self.people[at])
    }

    pub fn topology(&self) -> String {
        let mut out = "mirrors:\n".to_owned();
        for (name, mirror) in self.mirrors.iter().filter(|(_, mirror)| mirror.written) {
            mirror.write(name, &mut out);
        }
        if out.ends_with("mirrors:\n") { "mirrors: {}\n".to_owned() } else { out }
    }

    pub fn ldif(&self) -> String {
        let mut out = "version: 1\n\ndn: gid=mirrors,ou=users,dc=example,dc=org\nobjectClass: \
                       debianGroup\ngid: mirrors\ngidNumber: 800\n\n"
            .to_owned();
        for (at, name) in PEOPLE.into_iter().enumerate() {
            let status = match self.people[at] {
                Person::Unknown => continue,
                Person::Active => "active",
                Person::Left => "inactive 2026-01-01",
            };
            let _ = write!(
                out,
                "dn: uid={name},ou=users,dc=example,dc=org\nobjectClass: \
                 inetOrgPerson\nobjectClass: debianAccount\nobjectClass: shadowAccount\nuid: \
                 {name}\nuidNumber: {}\ngidNumber: 100\nsupplementaryGid: mirrors\naccountStatus: \
                 {status}\ncn: {name}\nsn: Example\nmail: {name}@example.org\nkeyFingerPrint: \
                 1D9E5EB12F9FDBE59D2C7A67EEDBFB816F86CA2F\n\n",
                2001 + at
            );
        }
        out + "# end\n"
    }
}
