//! What a directory answers with success, and what of it is not true.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use fastrand::Rng;
use jiff::civil::date;
use reconcile::model::AccountStatus;

use super::super::super::world::{DirectoryModel, Model, PersonModel};
use super::world::{GROUPS, some_groups};

/// A reading, entry by entry.
#[derive(Clone, Debug)]
pub struct Answer {
    pub groups: BTreeSet<String>,
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub struct Entry {
    /// What it shows as its stable id.
    pub id: Option<String>,
    pub person: PersonModel,
}

#[derive(Clone, Copy, Debug)]
enum Attribute {
    Status,
    Expiry,
    Lock,
    Key,
    Groups,
}

#[derive(Clone, Copy, Debug)]
enum Lie {
    Hide(Attribute),
    SwapIds,
    Reissue,
    DuplicateId,
    MissingId,
    CutPage,
    AnotherDirectory,
    GiveBack,
}

/// As it is told in a story: a line for everybody.
impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Entry { id, person } in &self.entries {
            let PersonModel { login, status, expires, locked, has_key, groups, .. } = person;
            let id = id.as_deref().unwrap_or("-");
            let state = (status, expires, locked, has_key);
            writeln!(formatter, "  {id} {login} {state:?} {groups:?}")?;
        }
        Ok(())
    }
}

impl Answer {
    pub fn true_one(directory: &DirectoryModel) -> Self {
        let entry = |(id, person): (&String, &PersonModel)| Entry {
            id: Some(id.clone()),
            person: person.clone(),
        };
        Self {
            groups: directory.groups.clone(),
            entries: directory.people.iter().map(entry).collect(),
        }
    }

    /// One lie, in words.
    pub fn lie(&mut self, rng: &mut Rng) -> String {
        let lie = match rng.u8(..18) {
            0..=2 => Lie::Hide(Attribute::Status),
            3 | 4 => Lie::Hide(Attribute::Expiry),
            5 => Lie::Hide(Attribute::Lock),
            6 => Lie::Hide(Attribute::Key),
            7 => Lie::Hide(Attribute::Groups),
            8 | 9 => Lie::SwapIds,
            10 => Lie::Reissue,
            11 => Lie::DuplicateId,
            12 => Lie::MissingId,
            13 | 14 => Lie::CutPage,
            15 => Lie::AnotherDirectory,
            _ => Lie::GiveBack,
        };
        let whom = self.some(rng);
        self.tell(rng, lie, &whom);
        format!("{lie:?} of {whom:?}")
    }

    /// One, some or all entries.
    fn some(&self, rng: &mut Rng) -> Vec<usize> {
        let all = 0..self.entries.len();
        match rng.u8(..4) {
            0 => rng.choice(all).into_iter().collect(),
            1 => all.filter(|_| rng.bool()).collect(),
            _ => all.collect(),
        }
    }

    fn tell(&mut self, rng: &mut Rng, lie: Lie, whom: &[usize]) {
        match lie {
            Lie::Hide(attribute) => {
                for at in whom {
                    hide(attribute, &mut self.entries[*at].person);
                }
            }
            Lie::SwapIds => self.swap_ids(rng),
            Lie::Reissue => {
                if let Some(entry) = rng.choice(self.entries.iter_mut()) {
                    entry.person = stranger(rng, entry.id.as_deref().unwrap_or("0"));
                }
            }
            Lie::DuplicateId => {
                if self.entries.len() > 1 {
                    let (one, other) = two(rng, self.entries.len());
                    self.entries[one].id = self.entries[other].id.clone();
                }
            }
            Lie::MissingId => {
                if let Some(entry) = rng.choice(self.entries.iter_mut()) {
                    entry.id = None;
                }
            }
            Lie::CutPage => {
                // Success without anybody is known for what it is.
                let from = rng.usize(1..=self.entries.len().max(1));
                self.entries.truncate(from);
            }
            Lie::AnotherDirectory => {
                for entry in &mut self.entries {
                    entry.person = stranger(rng, entry.id.as_deref().unwrap_or("0"));
                }
            }
            Lie::GiveBack => {
                for at in whom {
                    for hidden in [Attribute::Status, Attribute::Expiry, Attribute::Lock] {
                        hide(hidden, &mut self.entries[*at].person);
                    }
                }
            }
        }
    }

    fn swap_ids(&mut self, rng: &mut Rng) {
        if self.entries.len() > 1 {
            let (one, other) = two(rng, self.entries.len());
            let id = self.entries[one].id.clone();
            self.entries[one].id = std::mem::replace(&mut self.entries[other].id, id);
        }
    }

    /// As a file.
    pub fn ldif(&self) -> String {
        let mut text =
            String::from("dn: dc=example,dc=org\nobjectClass: dcObject\ndc: example\n\n");
        text += "dn: ou=users,dc=example,dc=org\nobjectClass: organizationalUnit\nou: users\n\n";
        for (number, group) in (800..).zip(&self.groups) {
            let _ = write!(
                text,
                "dn: gid={group},ou=users,dc=example,dc=org\nobjectClass: debianGroup\n\
                 gid: {group}\ngidNumber: {number}\n\n"
            );
        }
        for entry in &self.entries {
            entry.write(&mut text);
        }
        text + "# end\n"
    }
}

impl Entry {
    fn write(&self, text: &mut String) {
        let PersonModel { login, status, expires, locked, has_key, name, email, groups, .. } =
            &self.person;
        let _ = write!(
            text,
            "dn: uid={login},ou=users,dc=example,dc=org\nobjectClass: inetOrgPerson\n\
             objectClass: debianAccount\nobjectClass: shadowAccount\n\
             objectClass: debianDeveloper\nuid: {login}\n"
        );
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "{name}: {value}");
        };
        if let Some(id) = &self.id {
            line("uidNumber", id);
        }
        match status {
            AccountStatus::Active => {}
            AccountStatus::Gone(word) | AccountStatus::Unknown(word) => line("accountStatus", word),
            AccountStatus::Retiring(since) => line("accountStatus", &format!("retiring {since}")),
        }
        if let Some(expires) = expires {
            let days = (*expires - date(1970, 1, 1)).get_days();
            line("shadowExpire", &days.to_string());
        }
        if *locked {
            line("userPassword", "{crypt}*LK*");
        }
        if *has_key == Some(true) {
            // Everybody has one of their own, whatever they are called.
            let name = name.as_deref().unwrap_or_default().bytes();
            let number =
                name.fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            line("keyFingerPrint", &format!("{number:040X}"));
        }
        if let Some(name) = name {
            line("cn", name);
        }
        if let Some(email) = email {
            line("mail", email);
        }
        for group in groups {
            line("supplementaryGid", group);
        }
        text.push('\n');
    }
}

fn hide(attribute: Attribute, person: &mut PersonModel) {
    match attribute {
        Attribute::Status => person.status = AccountStatus::Active,
        Attribute::Expiry => person.expires = None,
        Attribute::Lock => person.locked = false,
        Attribute::Key => person.has_key = Some(false),
        Attribute::Groups => person.groups.clear(),
    }
}

/// Two different positions.
fn two(rng: &mut Rng, many: usize) -> (usize, usize) {
    let one = rng.usize(..many);
    (one, (one + rng.usize(1..many)) % many)
}

/// Somebody of whom nothing is as it was.
fn stranger(rng: &mut Rng, id: &str) -> PersonModel {
    let login = format!("x{id}n{}", rng.u16(..));
    let mut model = Model::empty();
    model.directory("other", &GROUPS);
    let new = model.person("other", &login, &[]);
    let mut person = model.who("other", &new).clone();
    person.groups = some_groups(rng);
    person
}
