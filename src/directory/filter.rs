//! Which entries a schema is interested in: one value for a server's filter and for a file.

use std::fmt;

use super::entry::Entry;

/// A search filter, as far as the schemas need one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// Of this object class.
    Class(&'static str),
    /// At least one of these.
    Any(Vec<Filter>),
    /// All of these.
    All(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
}

impl Filter {
    /// Of one of these object classes.
    pub(super) fn classes(classes: impl IntoIterator<Item = &'static str>) -> Self {
        Self::Any(classes.into_iter().map(Self::Class).collect())
    }

    /// Whether an entry passes.
    pub(super) fn matches(&self, entry: &Entry) -> bool {
        match self {
            Self::Class(class) => entry.has_class(class),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(entry)),
            Self::All(filters) => filters.iter().all(|filter| filter.matches(entry)),
            Self::Not(filter) => !filter.matches(entry),
        }
    }
}

/// The string form of RFC 4515.
impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, filters) = match self {
            Self::Class(class) => return write!(formatter, "(objectClass={class})"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_string_form_says_what_matches_does() {
        let filter = Filter::All(vec![
            Filter::classes(["user", "person"]),
            Filter::Not(Box::new(Filter::Class("computer"))),
        ]);
        assert_eq!(
            filter.to_string(),
            "(&(|(objectClass=user)(objectClass=person))(!(objectClass=computer)))"
        );
        let mut entry = Entry::new("cn=x");
        entry.add("objectclass", [b"USER".to_vec()]);
        assert!(filter.matches(&entry));
        entry.add("objectClass", [b"computer".to_vec()]);
        assert!(!filter.matches(&entry));
    }
}
