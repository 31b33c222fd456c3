//! Which entries are looked for: one value for a server's filter and for a file.

mod parse;

use std::fmt;

use super::entry::Entry;

pub use parse::FilterError;
pub(super) use parse::{ALL_BITS, ANY_BIT};

/// A search filter (RFC 4511, section 4.5.1.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// At least one of these.
    Any(Vec<Filter>),
    /// All of these.
    All(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// What an attribute is like.
    Is(Test),
}

/// What an attribute is like: one of its values, at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Which attribute.
    pub attribute: String,
    /// What is asked of it.
    pub relation: Relation,
}

/// What is asked of the values of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// There is one.
    Present,
    /// Equal to this.
    Equal(Vec<u8>),
    /// Like this, as far as the server knows what that is.
    Like(Vec<u8>),
    /// This or more.
    AtLeast(Vec<u8>),
    /// This or less.
    AtMost(Vec<u8>),
    /// Begins with the first, has those of the middle in their order, ends with the last.
    Parts {
        /// How it begins.
        first: Option<Vec<u8>>,
        /// What is in it.
        middle: Vec<Vec<u8>>,
        /// How it ends.
        last: Option<Vec<u8>>,
    },
    /// A number with all of these bits (Microsoft's rule 1.2.840.113556.1.4.803).
    AllBits(i64),
    /// A number with one of these bits (Microsoft's rule 1.2.840.113556.1.4.804).
    AnyBit(i64),
}

impl Filter {
    /// Of this object class.
    pub(super) fn class(class: &str) -> Self {
        let relation = Relation::Equal(class.as_bytes().to_vec());
        Self::Is(Test { attribute: "objectClass".to_owned(), relation })
    }

    /// Of one of these object classes.
    pub(super) fn classes(classes: impl IntoIterator<Item = &'static str>) -> Self {
        Self::Any(classes.into_iter().map(Self::class).collect())
    }

    /// Both this and, if there is one, another.
    pub(super) fn and(self, other: Option<&Self>) -> Self {
        match other {
            Some(other) => Self::All(vec![self, other.clone()]),
            None => self,
        }
    }

    /// Whether an entry passes.
    pub(super) fn matches(&self, entry: &Entry) -> bool {
        match self {
            Self::Is(test) => test.matches(entry),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(entry)),
            Self::All(filters) => filters.iter().all(|filter| filter.matches(entry)),
            Self::Not(filter) => !filter.matches(entry),
        }
    }
}

impl Test {
    /// Values are compared without case and surrounding blanks, as almost all attributes are;
    /// numbers by their size.
    fn matches(&self, entry: &Entry) -> bool {
        let values = entry.values(&self.attribute);
        let folded = |bytes: &[u8]| fold(bytes);
        let bits = |value: &[u8]| {
            // The sign is one of the bits, as in `groupType`.
            std::str::from_utf8(value).ok()?.trim().parse::<i64>().ok()
        };
        match &self.relation {
            Relation::Present => !values.is_empty(),
            Relation::Equal(wanted) | Relation::Like(wanted) => {
                let wanted = folded(wanted);
                values.iter().any(|value| folded(value) == wanted)
            }
            Relation::AtLeast(least) => values.iter().any(|value| compare(value, least).is_ge()),
            Relation::AtMost(most) => values.iter().any(|value| compare(value, most).is_le()),
            Relation::Parts { first, middle, last } => values
                .iter()
                .any(|value| has_parts(&folded(value), first.as_ref(), middle, last.as_ref())),
            Relation::AllBits(wanted) => {
                values.iter().filter_map(|value| bits(value)).any(|has| has & wanted == *wanted)
            }
            Relation::AnyBit(wanted) => {
                values.iter().filter_map(|value| bits(value)).any(|has| has & wanted != 0)
            }
        }
    }
}

/// Text in lower case without surrounding blanks; other bytes as they are.
fn fold(bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim().to_lowercase().into_bytes(),
        Err(_) => bytes.to_vec(),
    }
}

fn compare(one: &[u8], other: &[u8]) -> std::cmp::Ordering {
    let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.trim().parse::<i64>().ok();
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => fold(one).cmp(&fold(other)),
    }
}

fn has_parts(
    value: &[u8],
    first: Option<&Vec<u8>>,
    middle: &[Vec<u8>],
    last: Option<&Vec<u8>>,
) -> bool {
    let part = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_lowercase().into_bytes(),
        Err(_) => bytes.to_vec(),
    };
    let mut rest = value;
    if let Some(first) = first {
        match rest.strip_prefix(part(first).as_slice()) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    for wanted in middle {
        let wanted = part(wanted);
        let found = rest.windows(wanted.len().max(1)).position(|window| window == wanted);
        match found {
            Some(at) => rest = &rest[at + wanted.len()..],
            None => return false,
        }
    }
    last.is_none_or(|last| rest.ends_with(&part(last)))
}

/// The string form of RFC 4515.
impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, filters) = match self {
            Self::Is(test) => return write!(formatter, "({test})"),
            Self::Not(filter) => return write!(formatter, "(!{filter})"),
            Self::Any(filters) => ('|', filters),
            Self::All(filters) => ('&', filters),
        };
        write!(formatter, "({sign}")?;
        for filter in filters {
            write!(formatter, "{filter}")?;
        }
        formatter.write_str(")")
    }
}

impl fmt::Display for Test {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.attribute;
        match &self.relation {
            Relation::Present => write!(formatter, "{name}=*"),
            Relation::Equal(value) => write!(formatter, "{name}={}", Escaped(value)),
            Relation::Like(value) => write!(formatter, "{name}~={}", Escaped(value)),
            Relation::AtLeast(value) => write!(formatter, "{name}>={}", Escaped(value)),
            Relation::AtMost(value) => write!(formatter, "{name}<={}", Escaped(value)),
            Relation::Parts { first, middle, last } => {
                write!(formatter, "{name}={}*", Escaped(first.as_deref().unwrap_or_default()))?;
                for part in middle {
                    write!(formatter, "{}*", Escaped(part))?;
                }
                write!(formatter, "{}", Escaped(last.as_deref().unwrap_or_default()))
            }
            Relation::AllBits(bits) => write!(formatter, "{name}:{ALL_BITS}:={bits}"),
            Relation::AnyBit(bits) => write!(formatter, "{name}:{ANY_BIT}:={bits}"),
        }
    }
}

/// A value in which everything but plain characters is `\xx`.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            match byte {
                b'*' | b'(' | b')' | b'\\' | ..=0x1f | 0x7f.. => write!(formatter, "\\{byte:02x}")?,
                plain => write!(formatter, "{}", char::from(plain))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(values: &[(&str, &str)]) -> Entry {
        let mut entry = Entry::new("cn=x");
        for (name, value) in values {
            entry.add(name, [value.as_bytes().to_vec()]);
        }
        entry
    }

    #[test]
    fn the_string_form_says_what_matches_does() {
        let filter = Filter::All(vec![
            Filter::classes(["user", "person"]),
            Filter::Not(Box::new(Filter::class("computer"))),
        ]);
        assert_eq!(
            filter.to_string(),
            "(&(|(objectClass=user)(objectClass=person))(!(objectClass=computer)))"
        );
        assert!(filter.matches(&entry(&[("objectclass", "USER")])));
        assert!(!filter.matches(&entry(&[("objectclass", "USER"), ("objectClass", "computer")])));
    }

    #[test]
    fn filters_as_people_write_them() {
        let ada = entry(&[("uid", "ada"), ("mail", "Ada@example.org"), ("uidNumber", "1001")]);
        let ada_of_ad = entry(&[("userAccountControl", "514"), ("groupType", "-2147483646")]);
        for (text, entry, passes) in [
            ("(uid=ADA)", &ada, true),
            ("(uid=*)", &ada, true),
            ("(employeeType=*)", &ada, false),
            ("(!(employeeType=bot))", &ada, true),
            ("(mail=*@example.org)", &ada, true),
            ("(mail=a*@*.org)", &ada, true),
            ("(mail=b*)", &ada, false),
            ("(mail=*org*org)", &ada, false),
            ("(uidNumber>=1000)", &ada, true),
            ("(uidNumber>=20000)", &ada, false),
            ("(uidNumber<=999)", &ada, false),
            ("(&(uid=ada)(|(uidNumber=1)(uidNumber=1001)))", &ada, true),
            ("(uid~=ada)", &ada, true),
            (r"(uid=\61da)", &ada, true),
            ("(userAccountControl:1.2.840.113556.1.4.803:=2)", &ada_of_ad, true),
            ("(userAccountControl:1.2.840.113556.1.4.803:=3)", &ada_of_ad, false),
            ("(userAccountControl:1.2.840.113556.1.4.804:=3)", &ada_of_ad, true),
            ("(groupType:1.2.840.113556.1.4.803:=2147483648)", &ada_of_ad, true),
        ] {
            let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(filter.matches(entry), passes, "{text}");
            assert_eq!(Filter::parse(&filter.to_string()), Ok(filter), "{text}");
        }
    }
}
