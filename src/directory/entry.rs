//! One entry of a directory, as the wire and the file see it.

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

    /// Adds values to an attribute. Descriptions are compared without case.
    pub(super) fn add(
        &mut self,
        description: &str,
        values: impl IntoIterator<Item = Vec<u8>>,
    ) -> &mut Self {
        let known = self
            .attributes
            .iter_mut()
            .find(|attribute| attribute.description.eq_ignore_ascii_case(description));
        match known {
            Some(attribute) => attribute.values.extend(values),
            None => self.attributes.push(Attribute {
                description: description.to_owned(),
                values: values.into_iter().collect(),
            }),
        }
        self
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
        entry.add("supplementaryGid", [b"a".to_vec()]).add("SUPPLEMENTARYGID", [b" b ".to_vec()]);
        assert_eq!(entry.texts("supplementarygid").collect::<Vec<_>>(), ["a", "b"]);
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
        entry.add("member;range=0-1499", [b"x".to_vec()]).add("other;Range=3-*", [b"y".to_vec()]);
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
