//! Who may have been meant by a member that is nobody.
//!
//! While people go by, only those are remembered who come near to a member that is listed:
//! fingerprints of what is listed are kept, not a second copy of it.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::{NEAR, shown};
use crate::directory::distinguished_name::{first_component, is_at_or_below, named_by};
use crate::model::{Login, Mismatch};

/// People who come near to listed members.
#[derive(Default)]
pub(super) struct Near {
    key: RandomState,
    /// Fingerprints of first components of listed names.
    components: HashSet<u64>,
    /// Fingerprints of listed log-in names, as they are and in lower case.
    logins: HashSet<u64>,
    /// First component → the entry that has it now.
    moved: HashMap<String, String>,
    /// Log-in name in lower case → as it is.
    by_case: HashMap<String, Login>,
    by_number: HashMap<String, Login>,
    /// Log-in name that does not count → the one that does.
    others: HashMap<String, Login>,
    /// What is said of several people: nobody can tell which of them is meant.
    several: HashSet<String>,
}

impl Near {
    /// A group lists somebody by this normalised name.
    pub(super) fn expect_dn(&mut self, dn: &str) {
        self.components.insert(self.key.hash_one(first_component(dn)));
    }

    /// A group lists somebody by this log-in name.
    pub(super) fn expect_login(&mut self, login: &str) {
        self.logins.insert(self.key.hash_one(login));
        self.logins.insert(self.key.hash_one(login.to_lowercase().as_str()));
        if let Some(login) = log_in_of(login) {
            self.logins.insert(self.key.hash_one(login.as_str()));
        }
    }

    /// There is somebody of this normalised name, and no group lists it. The bytes that are kept.
    pub(super) fn somebody_at(&mut self, normalised: &str) -> usize {
        let component = first_component(normalised);
        if !self.components.contains(&self.key.hash_one(component)) {
            return 0;
        }
        self.moved.insert(component.to_owned(), shown(normalised));
        NEAR + component.len() + normalised.len()
    }

    /// There is somebody with these log-in names and this number. The bytes that are kept.
    pub(super) fn somebody_called(
        &mut self,
        login: &Login,
        others: &[String],
        number: Option<&str>,
    ) -> usize {
        if self.logins.is_empty() {
            return 0;
        }
        let mut cost = 0;
        let folded = login.as_str().to_lowercase();
        if self.logins.contains(&self.key.hash_one(folded.as_str())) {
            cost += NEAR + folded.len();
            remember(&mut self.by_case, &mut self.several, folded, login);
        }
        for other in others {
            if self.is_listed(other) {
                cost += NEAR + other.len();
                remember(&mut self.others, &mut self.several, other.clone(), login);
            }
        }
        if let Some(number) = number.filter(|number| self.is_listed(number)) {
            cost += NEAR + number.len();
            remember(&mut self.by_number, &mut self.several, number.to_owned(), login);
        }
        cost
    }

    fn is_listed(&self, login: &str) -> bool {
        self.logins.contains(&self.key.hash_one(login))
    }

    /// Why a listed name is nobody's.
    pub(super) fn why_not(&self, dn: &str, people_base: &str) -> Mismatch {
        if let Some(to) = self.moved.get(first_component(dn)) {
            Mismatch::Moved { to: to.clone() }
        } else if is_at_or_below(dn, people_base) {
            Mismatch::NotFound
        } else {
            Mismatch::Elsewhere { people_base: people_base.to_owned() }
        }
    }

    /// The only one who can be meant by a listed log-in name that is nobody's.
    pub(super) fn meant(&self, listed: &str) -> Option<&Login> {
        let folded = listed.to_lowercase();
        let named = log_in_of(listed).unwrap_or_default();
        let said = [
            (&self.others, listed),
            (&self.by_number, listed),
            (&self.by_case, folded.as_str()),
            (&self.by_case, named.as_str()),
        ];
        let mut meant = said.iter().filter_map(|(all, key)| Some((*key, all.get(*key)?)));
        let (_, first) = meant.clone().next()?;
        let alone = meant.all(|(key, login)| login == first && !self.several.contains(key));
        alone.then_some(first)
    }

    /// Why a listed log-in name is nobody's.
    pub(super) fn who_not(&self, login: &str) -> Mismatch {
        if let Some(counts) = self.others.get(login) {
            Mismatch::OtherLogin { counts: counts.clone() }
        } else if let Some(login) = self.by_number.get(login) {
            Mismatch::NumberForLogin { login: login.clone() }
        } else if let Some(login) = self.by_case.get(&login.to_lowercase()) {
            Mismatch::Case { login: login.clone() }
        } else if login.contains('=') {
            Mismatch::NameForLogin
        } else {
            Mismatch::NoSuchLogin
        }
    }
}

/// The log-in name in a distinguished name that stands where a log-in name belongs, in lower case.
fn log_in_of(listed: &str) -> Option<String> {
    listed.contains('=').then(|| named_by(listed, "uid")).flatten().map(|uid| uid.to_lowercase())
}

fn remember(
    all: &mut HashMap<String, Login>,
    several: &mut HashSet<String>,
    key: String,
    login: &Login,
) {
    if all.get(&key).is_some_and(|before| before != login) {
        several.insert(key.clone());
    }
    all.insert(key, login.clone());
}
