//! What is true of a vendor as a whole: known without asking it, used to check what people wrote.

use super::{AttributeName, AttributeValue, VendorName};

/// Facts of a vendor. One constant per cloud, handed to the pure parts by the registry.
#[derive(Clone, Debug)]
pub struct VendorFacts {
    /// Its name in the inventory.
    pub name: VendorName,
    /// What an account id must look like, in words: "12 digits".
    pub account_id_shape: &'static str,
    /// Whether a text is an account id.
    pub is_account_id: fn(&str) -> bool,
    /// Its partitions; empty where it has none. The first is the default.
    pub partitions: &'static [&'static str],
    /// Rules for user names.
    pub user_names: NameRules,
    /// Rules for group names.
    pub group_names: NameRules,
    /// Rules for role names.
    pub role_names: NameRules,
    /// Whether users have a profile (full name, mail address) that is kept in step.
    pub profile: bool,
    /// What a role may say for this vendor.
    pub role_attributes: &'static [RoleAttribute],
}

/// What a vendor accepts as a name.
#[derive(Clone, Copy, Debug)]
pub struct NameRules {
    /// Names that differ only in case are the same.
    pub case_insensitive: bool,
    /// Longest name, in characters.
    pub max_length: usize,
    /// Whether a character may occur.
    pub allows: fn(char) -> bool,
    /// The allowed characters in words.
    pub allowed: &'static str,
}

/// Why a name is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// No characters at all.
    #[error("is empty")]
    Empty,
    /// Too many characters.
    #[error("has {length} characters, at most {max} are allowed")]
    TooLong {
        /// How many it has.
        length: usize,
        /// How many it may have.
        max: usize,
    },
    /// A character that may not occur.
    #[error("has {character:?}, allowed are {allowed}")]
    Character {
        /// The first such character.
        character: char,
        /// The allowed ones in words.
        allowed: &'static str,
    },
}

impl NameRules {
    /// Whether the vendor accepts the name.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn check(&self, name: &str) -> Result<(), NameProblem> {
        let length = name.chars().count();
        if length == 0 {
            return Err(NameProblem::Empty);
        }
        if length > self.max_length {
            return Err(NameProblem::TooLong { length, max: self.max_length });
        }
        match name.chars().find(|character| !(self.allows)(*character)) {
            Some(character) => Err(NameProblem::Character { character, allowed: self.allowed }),
            None => Ok(()),
        }
    }

    /// The form under which two names are the same name for the vendor.
    pub fn fold(&self, name: &str) -> String {
        if self.case_insensitive { name.to_lowercase() } else { name.to_owned() }
    }
}

/// One attribute a role may have at a vendor.
#[derive(Clone, Debug)]
pub struct RoleAttribute {
    /// Its key.
    pub name: &'static str,
    /// What it holds.
    pub shape: AttributeShape,
    /// Whether a role without it is refused.
    pub required: bool,
    /// One line for the JSON Schema and error texts.
    pub help: &'static str,
}

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeShape {
    /// One text.
    Text,
    /// A whole number.
    Number,
    /// Yes or no.
    Flag,
    /// Texts whose order does not matter; each once.
    Set,
}

impl AttributeShape {
    /// Whether a value is of this shape.
    pub fn fits(self, value: &AttributeValue) -> bool {
        matches!(
            (self, value),
            (Self::Text, AttributeValue::Text(_))
                | (Self::Number, AttributeValue::Number(_))
                | (Self::Flag, AttributeValue::Flag(_))
                | (Self::Set, AttributeValue::Set(_))
        )
    }

    /// In words, for error texts.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a whole number",
            Self::Flag => "true or false",
            Self::Set => "a list of texts",
        }
    }
}

impl VendorFacts {
    /// The role attribute of that name.
    pub fn role_attribute(&self, name: &AttributeName) -> Option<&RoleAttribute> {
        self.role_attributes.iter().find(|attribute| attribute.name == name.as_str())
    }
}
