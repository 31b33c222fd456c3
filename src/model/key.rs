//! Keys of service accounts that this program issues and replaces.
//!
//! # How one sees without any state file whether a key was handed over
//!
//! Once a sink has taken a new key, the cloud writes the key's id and the day onto the key's user,
//! next to our mark ([`Handovers`]). From then on the key counts as handed over on that day. Every
//! other key of the user counts as lost: nobody can be known to have its secret.
//!
//! # From one key to the next
//!
//! 1. The plan says so, because no key was handed over, or the newest is `after_days` old.
//!    Whatever must go first, goes first: keys that were never handed over, and keys whose
//!    successor is `overlap_days` old. So there are never more than two keys.
//! 2. The sink is asked whether it could take a key. If not, nothing is issued.
//! 3. The vendor issues the key. Its secret is in this process only.
//! 4. The sink takes it. If it does not, the key is revoked at once and the change has failed.
//! 5. The cloud notes on the user that the key was handed over.
//!
//! # Ended at any point
//!
//! Until 3 nothing has happened. Ended between 3 and 5, or with the reply to 3 lost, there is a key
//! without a note. The next run revokes it and issues another. If that was between 4 and 5, the
//! sink holds a key that is revoked moments before the sink gets the next one; a consumer that had
//! fetched it fetches again. The key before it, noted and in use, is not touched by any of that.
//! So a key whose secret is lost ends with the next run, and there are never more than two.
//!
//! A sink that took a key without being able to say so holds one that is revoked at once, until
//! the next run gives it another: better a consumer that complains than a key nobody knows of.

use std::fmt;

use jiff::civil::Date;
use secrecy::SecretString;

use super::{SinkName, VendorId};

/// When a key is replaced, and where the new one goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRotation {
    /// A new key is issued when the newest was handed over so many days ago.
    pub after_days: u32,
    /// The old key ends so many days after the new one was handed over. Fewer than `after_days`.
    pub overlap_days: u32,
    /// Where a new key goes.
    pub sink: SinkName,
}

/// A key with its secret, on its way from the vendor to a sink. Cannot be printed or written.
#[derive(Clone, Debug)]
pub struct IssuedKey {
    /// The vendor's id of it: the public part.
    pub id: VendorId,
    /// The secret part. Shown by `Debug` as nothing.
    pub secret: SecretString,
}

/// An id belongs to one key only.
impl PartialEq for IssuedKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for IssuedKey {}

/// Which keys of a user were handed over, and when: what is written on the user, newest first.
///
/// The form is `ID=DAY ID=DAY`: letters, digits, `=`, `-` and spaces, which every vendor allows in
/// labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handovers(Vec<(VendorId, Date)>);

impl Handovers {
    /// More than this many are never written: there are never more than two keys.
    const MOST: usize = 2;

    /// What a label says. Parts that cannot be read say nothing, so their keys count as lost.
    pub fn parse(text: &str) -> Self {
        let read = |part: &str| {
            let (id, day) = part.rsplit_once('=')?;
            Some((VendorId::new(id), day.parse().ok()?)).filter(|_| !id.is_empty())
        };
        Self(text.split(' ').filter_map(read).collect())
    }

    /// The day a key was handed over, if it was.
    pub fn of(&self, key: &VendorId) -> Option<Date> {
        self.0.iter().find(|(id, _)| id == key).map(|(_, day)| *day)
    }

    /// With one more, which is the newest. The oldest is forgotten where there are too many.
    #[must_use]
    pub fn with(&self, key: &VendorId, day: Date) -> Self {
        let others = self.0.iter().filter(|(id, _)| id != key).cloned();
        Self(std::iter::once((key.clone(), day)).chain(others).take(Self::MOST).collect())
    }
}

impl fmt::Display for Handovers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (id, day)) in self.0.iter().enumerate() {
            let space = if position == 0 { "" } else { " " };
            write!(formatter, "{space}{id}={day}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_the_oldest_is_forgotten() {
        let day = |day| date(2026, 3, day);
        let one = Handovers::default().with(&"A1".into(), day(1));
        let three = one.with(&"B2".into(), day(2)).with(&"C=3".into(), day(3));
        assert_eq!(three.to_string(), "C=3=2026-03-03 B2=2026-03-02");
        assert_eq!(Handovers::parse(&three.to_string()), three);
        assert_eq!(three.of(&"B2".into()), Some(day(2)));
        assert_eq!(three.of(&"A1".into()), None);
        assert_eq!(three.with(&"B2".into(), day(4)).to_string(), "B2=2026-03-04 C=3=2026-03-03");
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        for text in ["", " ", "A1", "A1=", "A1=yesterday", "=2026-03-01", "A1 2026-03-01"] {
            assert_eq!(Handovers::parse(text), Handovers::default(), "{text}");
        }
        let half = Handovers::parse("A1=2026-13-01 B2=2026-03-02");
        assert_eq!(half.of(&"B2".into()), Some(date(2026, 3, 2)));
        assert_eq!(half.of(&"A1".into()), None);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let key = IssuedKey { id: "A1".into(), secret: "planted".to_owned().into() };
        assert!(!format!("{key:?}").contains("planted"));
    }
}
