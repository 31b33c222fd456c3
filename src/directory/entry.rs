//! One entry of a directory, as the wire and the file see it.

use super::distinguished_name::normalise;
use crate::digest::sha256;

/// More attributes than anybody asks for: looking for one among them takes its time.
pub(super) const MOST_ATTRIBUTES: usize = 1000;
/// What a value needs besides its bytes: where it is and how long, and what an allocation costs.
const VALUE: usize = 40;
/// Of a name that comes from outside, this much is shown.
const SHOWN: usize = 100;
/// Hexadecimal digits of the digest that stands for a distinguished name: enough to tell the
/// entries of an organisation apart.
const DIGEST: usize = 12;

/// A distinguished name and attributes, not yet understood.
///
/// Deliberately without `Debug`: entries hold personal values.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its distinguished name as the directory spells it.
    pub(super) dn: String,
    attributes: Vec<Attribute>,
}

/// One attribute with its values.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    /// The attribute description with its options: `member;range=0-1499`.
    pub(super) description: String,
    /// The values as bytes, in the order they came.
    pub(super) values: Vec<Vec<u8>>,
}

impl Entry {
    /// An entry without attributes.
    pub(super) fn new(dn: impl Into<String>) -> Self {
        Self { dn: dn.into(), attributes: Vec::new() }
    }

    /// The bytes a value needs.
    pub(super) fn cost_of(value: &[u8]) -> usize {
        VALUE + value.len()
    }

    /// The bytes the entry needs, about.
    pub(super) fn cost(&self) -> usize {
        let attributes = self.attributes.iter().map(|attribute| {
            let values = attribute.values.iter().map(|value| Self::cost_of(value));
            VALUE + attribute.description.len() + values.sum::<usize>()
        });
        VALUE + self.dn.len() + attributes.sum::<usize>()
    }

    /// How the entry is called where people read: by the attribute that names it if that shows,
    /// else by a digest of its distinguished name.
    ///
    /// Never by the distinguished name itself, which is a person's full name in Active Directory;
    /// that is told at the level of debugging.
    pub(super) fn known_as(&self, naming: &str) -> String {
        if let Some(name) = self.text(naming) {
            return match name.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}…", &name[..end]),
                None => name.to_owned(),
            };
        }
        let digest = &sha256(normalise(&self.dn).as_bytes())[..DIGEST];
        tracing::debug!(dn = self.dn, "{digest}");
        format!("{digest} (its DN: -vv)")
    }

    /// The attributes with their values.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter()
    }

    /// Adds values to an attribute; whether it is new. Descriptions are compared without case.
    pub(super) fn add(
        &mut self,
        description: &str,
        values: impl IntoIterator<Item = Vec<u8>>,
    ) -> bool {
        let known = self
            .attributes
            .iter_mut()
            .find(|attribute| attribute.description.eq_ignore_ascii_case(description));
        if let Some(attribute) = known {
            attribute.values.extend(values);
            return false;
        }
        let values = values.into_iter().collect();
        self.attributes.push(Attribute { description: description.to_owned(), values });
        true
    }

    /// The values of an attribute: those whose description is exactly this, without options.
    pub(super) fn values(&self, name: &str) -> &[Vec<u8>] {
        self.attributes
            .iter()
            .find(|attribute| attribute.description.eq_ignore_ascii_case(name))
            .map_or(&[], |attribute| &attribute.values)
    }

    /// The values that are text, without surrounding blanks; empty ones are left out.
    pub(super) fn texts<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.values(name)
            .iter()
            .filter_map(|value| std::str::from_utf8(value).ok())
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// Whether an attribute has a value that is not text.
    pub(super) fn is_unreadable(&self, name: &str) -> bool {
        self.values(name).iter().any(|value| std::str::from_utf8(value).is_err())
    }

    /// The first text of an attribute.
    pub(super) fn text<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.texts(name).next()
    }

    /// Takes the attributes out that came in part: name, values, and the first value that is
    /// missing. The last part of a range (`;range=1500-*`) is complete and stays, under its name.
    pub(super) fn take_ranges(&mut self) -> Vec<Range> {
        // The common case costs nothing: this runs for every entry.
        if !self.attributes.iter().any(|attribute| attribute.description.contains(';')) {
            return Vec::new();
        }
        let (optional, whole): (Vec<_>, Vec<_>) = std::mem::take(&mut self.attributes)
            .into_iter()
            .partition(|attribute| attribute.description.contains(';'));
        self.attributes = whole;
        let mut ranges = Vec::new();
        for attribute in optional {
            match range_of(&attribute.description) {
                Some((name, next)) => {
                    self.add(name, attribute.values);
                    if let Some(next) = next {
                        ranges.push(Range { name: name.to_owned(), next });
                    }
                }
                None => self.attributes.push(attribute),
            }
        }
        ranges
    }

    /// Whether the entry is of that object class.
    pub(super) fn has_class(&self, class: &str) -> bool {
        self.texts("objectClass").any(|one| one.eq_ignore_ascii_case(class))
    }
}

/// An attribute of which only the first values came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// The attribute.
    pub(super) name: String,
    /// The position of the first value that is missing.
    pub(super) next: u64,
}

/// Splits `member;range=0-1499` into the name and where to go on: nothing after `*`.
fn range_of(description: &str) -> Option<(&str, Option<u64>)> {
    let (name, options) = description.split_once(';')?;
    options.split(';').find_map(|option| {
        let (key, bounds) = option.split_once('=')?;
        if !key.eq_ignore_ascii_case("range") {
            return None;
        }
        let (_, last) = bounds.split_once('-')?;
        match last {
            "*" => Some((name, None)),
            last => last.parse::<u64>().ok().map(|last| (name, Some(last.saturating_add(1)))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attribute_names_are_compared_without_case_and_values_are_joined() {
        let mut entry = Entry::new("uid=ada");
        assert!(entry.add("supplementaryGid", [b"a".to_vec()]));
        assert!(!entry.add("SUPPLEMENTARYGID", [b" b ".to_vec()]));
        assert_eq!(entry.texts("supplementarygid").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn an_entry_is_known_by_what_names_it_or_by_a_digest() {
        let mut entry = Entry::new("CN=Max Mustermann,DC=example");
        let digest = entry.known_as("uid");
        assert!(digest.ends_with(" (its DN: -vv)") && !digest.contains("Max"), "{digest}");
        entry.dn = "cn=max mustermann, dc=EXAMPLE".into();
        assert_eq!(entry.known_as("uid"), digest, "one entry, one digest");
        entry.add("uid", [b"max".to_vec()]);
        assert_eq!(entry.known_as("uid"), "max");
        entry.add("long", ["é".repeat(1000).into_bytes()]);
        assert_eq!(entry.known_as("long").chars().count(), SHOWN + 1);
    }

    #[test]
    fn an_option_is_another_attribute() {
        let mut entry = Entry::new("uid=ada");
        entry.add("cn;lang-de", [b"Ada".to_vec()]);
        assert!(entry.values("cn").is_empty());
    }

    #[test]
    fn ranges_are_found_and_the_last_one_is_whole() {
        let mut entry = Entry::new("cn=all");
        entry.add("member;range=0-1499", [b"x".to_vec()]);
        entry.add("other;Range=3-*", [b"y".to_vec()]);
        assert_eq!(entry.take_ranges(), [Range { name: "member".into(), next: 1500 }]);
        assert_eq!(entry.values("member").len(), 1);
        assert_eq!(entry.values("other").len(), 1);
    }

    #[test]
    fn an_absurd_range_does_not_overflow() {
        let mut entry = Entry::new("cn=all");
        entry.add("member;range=0-18446744073709551615", []);
        assert_eq!(entry.take_ranges()[0].next, u64::MAX);
    }
}
