//! What is remembered of one person of a directory: what they showed, and fingerprints by which a
//! renaming is told from somebody else under the same id.
//!
//! Nothing personal is kept: a fingerprint is the beginning of a hash. It proves nothing to anybody
//! who cannot guess the value, and it is only ever compared with another one.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::digest::sha256;
use crate::model::{AccountStatus, Person, Standing, Via};

/// One person, as they were when their directory was last read completely.
///
/// Its text form is a word of letters (what they showed), then the fingerprints of log-in name, full
/// name and mail address (`-` where there is none), then those of other ids, with commas, and those
/// of former log-in names, where there are any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Remembered {
    /// They might have access.
    pub(super) present: bool,
    shows: [bool; SHOWN.len()],
    login: Option<Fingerprint>,
    name: Option<Fingerprint>,
    email: Option<Fingerprint>,
    others: Vec<Fingerprint>,
    /// Of log-in names they had before, the last ones.
    former: Vec<Fingerprint>,
}

/// So many former log-in names of somebody are remembered.
const FORMER: usize = 4;

/// What is decided by, as it is told, with the letter by which it is remembered.
///
/// Groups come from several attributes, of which each can be hidden alone: what is left of
/// somebody's groups proves nothing about the others.
pub(super) const SHOWN: [(&str, char); 8] = [
    ("status", 's'),
    ("expiry", 'e'),
    ("registered key", 'k'),
    ("locked password or account", 'l'),
    (GROUPS, 'g'),
    ("memberships", 'm'),
    ("primary group", 'i'),
    ("groups through other groups", 't'),
];

/// Groups of any kind; what follows it in [`SHOWN`] are the ways in which groups are shown.
pub(super) const GROUPS: &str = "groups";

const PRESENT: char = 'p';

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fingerprint(u32);

impl Remembered {
    /// As a person is on a day.
    pub(super) fn of(person: &Person, today: Date) -> Self {
        let mark = |kind: &str, text: &str| Fingerprint::of(kind, text);
        Self {
            present: person.standing(today) == Standing::Present,
            shows: shows(person),
            login: Some(mark("login", person.login.as_str())),
            name: person.display_name.as_ref().map(|name| mark("name", name.reveal())),
            email: person.email.as_ref().map(|email| mark("email", &email.reveal().to_lowercase())),
            others: person.other_ids.iter().map(|other| mark("other", other.reveal())).collect(),
            former: Vec::new(),
        }
    }

    /// The same, with the log-in names they are remembered to have had before.
    pub(super) fn after(mut self, before: &Self) -> Self {
        let renamed = before.login.filter(|login| Some(*login) != self.login);
        let mut former: Vec<Fingerprint> = before.former.iter().copied().chain(renamed).collect();
        former.retain(|one| Some(*one) != self.login);
        self.former = former.split_off(former.len().saturating_sub(FORMER));
        self
    }

    /// Whether that is a log-in name they are remembered to have or have had.
    pub(super) fn was_called(&self, login: &str) -> bool {
        let mark = Fingerprint::of("login", login);
        self.login == Some(mark) || self.former.contains(&mark)
    }

    /// Somebody of whom only that is known.
    pub(super) fn present_only() -> Self {
        Self {
            present: true,
            shows: [false; SHOWN.len()],
            login: None,
            name: None,
            email: None,
            others: Vec::new(),
            former: Vec::new(),
        }
    }

    /// The same person, who is not listed any more.
    pub(super) fn gone(self) -> Self {
        Self { present: false, ..self }
    }

    /// What they showed, in the order of [`SHOWN`].
    pub(super) fn shows(&self) -> [bool; SHOWN.len()] {
        self.shows
    }

    /// Whether they had the mail address that a person has; `None` where one of the two has none.
    pub(super) fn has_email_of(&self, person: &Person) -> Option<bool> {
        let now = person.email.as_ref()?.reveal().to_lowercase();
        Some(self.email? == Fingerprint::of("email", &now))
    }

    /// Whether this is who may have had no access, or not all of it, and of whom nothing says so any
    /// more: they had left, expired or were locked, or had a status that is not plainly active.
    pub(super) fn is_given_back(&self, before: &Self) -> bool {
        let [was_marked, ..] = before.shows;
        let [is_marked, ..] = self.shows;
        self.present && (!before.present || was_marked && !is_marked)
    }

    /// What is the same if these are most likely one person under two ids. A log-in name alone, with
    /// the address that follows from it, may have been given to somebody else, and so may an address.
    pub(super) fn is_same(&self, other: &Self) -> Option<Vec<&'static str>> {
        let equal = |one: Option<Fingerprint>, other| one.is_some() && one == other;
        let key = self.others.iter().any(|one| other.others.contains(one));
        let name = equal(self.name, other.name);
        let login = equal(self.login, other.login);
        let found = [
            ("log-in name", login),
            ("full name", name),
            ("mail address", equal(self.email, other.email)),
            ("key or further id", key),
        ];
        let same: Vec<_> = found.iter().filter(|(_, same)| *same).map(|(what, _)| *what).collect();
        ((key || login && name) && same.len() > 1).then_some(same)
    }

    /// What somebody may be found by who is the same person under another id.
    pub(super) fn traits(&self) -> impl Iterator<Item = u32> {
        self.name.iter().chain(&self.others).map(|one| one.0)
    }

    /// What is different if this is somebody else than `before`: nothing by which they could be
    /// known is as it was. `None` for the same person, and where nothing can be compared.
    pub(super) fn is_not(&self, before: &Self) -> Option<Vec<&'static str>> {
        let pairs = [
            ("log-in name", self.login, before.login),
            ("full name", self.name, before.name),
            ("mail address", self.email, before.email),
        ];
        let known = pairs.into_iter().filter(|(_, now, was)| now.is_some() && was.is_some());
        let mut different = Vec::new();
        for (what, now, was) in known {
            if now == was {
                return None;
            }
            different.push(what);
        }
        if self.others.iter().any(|other| before.others.contains(other)) {
            return None;
        }
        if !self.others.is_empty() && !before.others.is_empty() {
            different.push("key or further id");
        }
        (!different.is_empty()).then_some(different)
    }
}

/// What a person shows.
fn shows(person: &Person) -> [bool; SHOWN.len()] {
    let joined = |how: fn(Via) -> bool| person.groups.iter().any(|joined| how(joined.via));
    [
        person.status != AccountStatus::Active,
        person.expires.is_some(),
        person.has_key == Some(true),
        person.locked.is_some(),
        !person.groups.is_empty(),
        joined(|via| via == Via::Direct),
        joined(|via| via == Via::Primary),
        joined(|via| matches!(via, Via::Through(_))),
    ]
}

impl Fingerprint {
    fn of(kind: &str, text: &str) -> Self {
        let hash = sha256(format!("{kind}\0{}", text.trim()).as_bytes());
        let digits = hash.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        Self(digits.expect("a hash is 64 hexadecimal digits"))
    }
}

impl From<Remembered> for String {
    fn from(person: Remembered) -> Self {
        let letters = SHOWN.iter().zip(person.shows).filter(|(_, shows)| *shows);
        let mut text: Self = person
            .present
            .then_some(PRESENT)
            .into_iter()
            .chain(letters.map(|((_, letter), _)| *letter))
            .collect();
        for mark in [person.login, person.name, person.email] {
            text.push(' ');
            match mark {
                Some(mark) => text += &mark.to_string(),
                None => text.push('-'),
            }
        }
        text.push(' ');
        let joined = |marks: &[Fingerprint]| {
            marks.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        text += &joined(&person.others);
        if !person.former.is_empty() {
            text.push(' ');
            text += &joined(&person.former);
        }
        text
    }
}

impl TryFrom<String> for Remembered {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parse = || {
            let mut words = text.split(' ');
            let letters = words.next()?;
            let mut mark = || match words.next()? {
                "-" => Some(None),
                word => word.parse().ok().map(Some),
            };
            let (login, name, email) = (mark()?, mark()?, mark()?);
            let marks = |word: &str| {
                word.split(',').map(|word| word.parse().ok()).collect::<Option<Vec<Fingerprint>>>()
            };
            let others = match words.next()? {
                "" => Vec::new(),
                word => marks(word)?,
            };
            let former = words.next().map_or(Some(Vec::new()), marks)?;
            let known = |letter| letter == PRESENT || SHOWN.iter().any(|(_, one)| *one == letter);
            (words.next().is_none() && letters.chars().all(known)).then(|| Self {
                present: letters.contains(PRESENT),
                shows: SHOWN.map(|(_, letter)| letters.contains(letter)),
                login,
                name,
                email,
                others,
                former,
            })
        };
        parse().ok_or_else(|| format!("`{}` does not remember a person", text.escape_debug()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u32::from_str_radix(text, 16).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Private;

    fn person(login: &str, name: &str, email: &str, other: &str) -> Remembered {
        let given = |text: &str| (!text.is_empty()).then(|| Private::new(text.to_owned()));
        let person = Person {
            status: AccountStatus::Gone("inactive".into()),
            has_key: Some(true),
            display_name: given(name),
            email: given(email),
            other_ids: given(other).into_iter().collect(),
            ..Person::new("1002", login)
        };
        Remembered::of(&person, jiff::civil::date(2026, 11, 28))
    }

    #[test]
    fn one_thing_that_stays_is_enough_to_be_the_same() {
        let olaf = person("olaf", "Olaf Old", "olaf@example.org", "1111");
        for same in [
            person("olaf", "Nina New", "nina@example.org", "2222"),
            person("nina", "Olaf Old", "nina@example.org", "2222"),
            person("nina", "Nina New", "Olaf@example.org", "2222"),
            person("nina", "Nina New", "nina@example.org", "1111"),
        ] {
            assert_eq!(same.is_not(&olaf), None);
        }
        let nina = person("nina", "Nina New", "nina@example.org", "2222");
        assert_eq!(nina.is_not(&olaf).map(|different| different.len()), Some(4));
        assert_eq!(person("nina", "", "", "").is_not(&olaf), Some(vec!["log-in name"]));
        assert_eq!(nina.is_not(&Remembered::present_only()), None, "nothing to compare with");
    }

    #[test]
    fn former_names_are_remembered_also_after_another_renaming() {
        let names = ["a", "b", "a", "c", "d", "e", "f"];
        let all = names.map(|name| person(name, "Olaf Old", "", ""));
        let last = all.into_iter().reduce(|before, now| now.after(&before)).expect("some");
        let known = ["a", "b", "c", "d", "e", "f", "g"].map(|name| last.was_called(name));
        assert_eq!(known, [true, false, true, true, true, true, false]);
    }

    #[test]
    fn what_follows_groups_are_the_ways_they_are_shown() {
        let after: Vec<char> = SHOWN
            .iter()
            .skip_while(|(what, _)| *what != GROUPS)
            .map(|(_, letter)| *letter)
            .collect();
        assert_eq!(after, ['g', 'm', 'i', 't']);
    }

    #[test]
    fn the_text_form_says_it_all_and_no_name() {
        let olaf = person("olaf", "Olaf Old", "", "1111");
        let text = String::from(olaf.clone());
        assert!(text.starts_with("sk ") && !text.contains("laf"), "{text}");
        assert_eq!(Remembered::try_from(text), Ok(olaf.clone()));
        let renamed = person("oleg", "Olaf Old", "", "1111").after(&olaf);
        assert_eq!(Remembered::try_from(String::from(renamed.clone())), Ok(renamed));
        for wrong in ["", "p", "x - - - ", "p zz - - ", "p - - -", "p - - -  ", "p - - - 1,z"] {
            assert!(Remembered::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
