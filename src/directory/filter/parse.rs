//! Reading the string form of a filter (RFC 4515).

use super::{Filter, Relation, Test};

/// Microsoft's rule "has all of these bits" ([MS-ADTS] 3.1.1.3.4.4.1).
pub(in crate::directory) const ALL_BITS: &str = "1.2.840.113556.1.4.803";
/// Microsoft's rule "has one of these bits" ([MS-ADTS] 3.1.1.3.4.4.2).
pub(in crate::directory) const ANY_BIT: &str = "1.2.840.113556.1.4.804";
/// Deeper than anybody writes one; reading it goes as deep as it is.
const DEEPEST: u32 = 50;

/// A text that is not a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}, at character {at}")]
pub struct FilterError {
    /// Where, in characters from 1.
    pub at: usize,
    /// What is wrong.
    pub why: &'static str,
}

impl Filter {
    /// Reads `(&(objectClass=person)(!(employeeType=bot)))`.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut reader = Reader { text, at: 0 };
        reader.skip_blanks();
        let filter = reader.filter(0)?;
        reader.skip_blanks();
        if reader.at < text.len() {
            return Err(reader.wrong("nothing may follow the last parenthesis"));
        }
        Ok(filter)
    }

    /// The attributes it looks at.
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            Self::Is(test) => vec![&test.attribute],
            Self::Not(filter) => filter.attributes(),
            Self::Any(filters) | Self::All(filters) => {
                filters.iter().flat_map(Self::attributes).collect()
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
}

impl<'a> Reader<'a> {
    fn wrong(&self, why: &'static str) -> FilterError {
        FilterError { at: self.text[..self.at].chars().count() + 1, why }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, expected: char, why: &'static str) -> Result<(), FilterError> {
        if !self.rest().starts_with(expected) {
            return Err(self.wrong(why));
        }
        self.at += expected.len_utf8();
        Ok(())
    }

    fn filter(&mut self, depth: u32) -> Result<Filter, FilterError> {
        if depth > DEEPEST {
            return Err(self.wrong("this is too deep"));
        }
        self.take('(', "a filter begins with `(`")?;
        self.skip_blanks();
        let filter = match self.rest().chars().next() {
            Some('&') => Filter::All(self.several(depth)?),
            Some('|') => Filter::Any(self.several(depth)?),
            Some('!') => {
                self.at += 1;
                self.skip_blanks();
                Filter::Not(Box::new(self.filter(depth + 1)?))
            }
            _ => Filter::Is(self.test()?),
        };
        self.skip_blanks();
        self.take(')', "a filter ends with `)`")?;
        Ok(filter)
    }

    fn several(&mut self, depth: u32) -> Result<Vec<Filter>, FilterError> {
        self.at += 1;
        let mut filters = Vec::new();
        loop {
            self.skip_blanks();
            if !self.rest().starts_with('(') {
                break;
            }
            filters.push(self.filter(depth + 1)?);
        }
        if filters.is_empty() {
            return Err(self.wrong("`&` and `|` take at least one filter in parentheses"));
        }
        Ok(filters)
    }

    fn test(&mut self) -> Result<Test, FilterError> {
        let end = self.rest().find(['(', ')']).unwrap_or(self.rest().len());
        let item = &self.rest()[..end];
        let Some(equals) = item.find('=') else {
            return Err(self.wrong("an attribute, `=` and a value are expected"));
        };
        let (left, value) = (&item[..equals], &item[equals + 1..]);
        let sign = left.chars().last().filter(|sign| "~<>:".contains(*sign));
        let left = left.strip_suffix(['~', '<', '>', ':']).unwrap_or(left);
        let (attribute, rule) = match left.split_once(':') {
            Some((attribute, rule)) => (attribute, Some(rule)),
            None => (left, None),
        };
        let attribute = attribute.trim();
        let is_name = attribute.starts_with(|one: char| one.is_ascii_alphanumeric())
            && attribute.bytes().all(|one| one.is_ascii_alphanumeric() || b"-.;".contains(&one));
        if !is_name {
            return Err(self.wrong("this is not the name of an attribute"));
        }
        let relation = match (sign, rule) {
            (Some(':'), Some(ALL_BITS)) => Relation::AllBits(self.bits(value)?),
            (Some(':'), Some(ANY_BIT)) => Relation::AnyBit(self.bits(value)?),
            (Some(':'), _) | (_, Some(_)) => {
                return Err(self.wrong(
                    "of matching rules only 1.2.840.113556.1.4.803 and .804 are understood",
                ));
            }
            (Some('~'), None) => Relation::Like(self.value(value)?),
            (Some('>'), None) => Relation::AtLeast(self.value(value)?),
            (Some('<'), None) => Relation::AtMost(self.value(value)?),
            _ if value == "*" => Relation::Present,
            _ if value.contains('*') => self.parts(value)?,
            _ => Relation::Equal(self.value(value)?),
        };
        self.at += end;
        Ok(Test { attribute: attribute.to_owned(), relation })
    }

    fn bits(&self, value: &str) -> Result<i64, FilterError> {
        value.trim().parse().map_err(|_| self.wrong("this rule takes a whole number"))
    }

    fn parts(&self, value: &str) -> Result<Relation, FilterError> {
        let pieces: Result<Vec<Vec<u8>>, _> =
            value.split('*').map(|piece| self.value(piece)).collect();
        let mut pieces = pieces?;
        let some = |piece: Vec<u8>| Some(piece).filter(|piece| !piece.is_empty());
        let last = pieces.pop().and_then(some);
        let first = (!pieces.is_empty()).then(|| pieces.remove(0)).and_then(some);
        pieces.retain(|piece| !piece.is_empty());
        if first.is_none() && last.is_none() && pieces.is_empty() {
            return Ok(Relation::Present);
        }
        Ok(Relation::Parts { first, middle: pieces, last })
    }

    /// Resolves `\2a`.
    fn value(&self, text: &str) -> Result<Vec<u8>, FilterError> {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            if byte != b'\\' {
                bytes.push(byte);
                continue;
            }
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let escaped = digit().zip(digit()).and_then(|(h, l)| u8::try_from(h * 16 + l).ok());
            bytes.push(escaped.ok_or_else(|| self.wrong("`\\` takes two hexadecimal digits"))?);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_a_filter_is_told() {
        for (text, why) in [
            ("", "begins with `(`"),
            ("uid=ada", "begins with `(`"),
            ("(uid=ada", "ends with `)`"),
            ("(uid=ada))", "nothing may follow"),
            ("(&)", "at least one"),
            ("(uid)", "`=` and a value"),
            ("(=x)", "not the name"),
            (r"(uid=\zz)", "two hexadecimal"),
            ("(uid:caseExactMatch:=ada)", "matching rules"),
            ("(u:1.2.840.113556.1.4.803:=x)", "whole number"),
            (&"(!".repeat(99), "too deep"),
        ] {
            let error = Filter::parse(text).expect_err(text);
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r"[(&|!)a:=*~<>\\0 é]{0,40}") {
            if let Ok(filter) = Filter::parse(&text) {
                prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
            }
        }
    }
}
