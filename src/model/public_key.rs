//! The public half of a key that signs the run record.

use std::fmt;
use std::str::FromStr;

const PREFIX: &str = "ed25519:";
const PUBLIC: usize = 32;

/// A key that signatures are checked with: `ed25519:` and 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; PUBLIC]);

/// A text that is not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a public key; one is `ed25519:` and 64 hexadecimal digits, as `reconcile record keygen` prints it"
)]
pub struct InvalidKey;

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let digits = text.strip_prefix(PREFIX).ok_or(InvalidKey)?;
        unhex(digits).map(Self).ok_or(InvalidKey)
    }
}

impl PublicKey {
    /// From its bytes.
    pub fn new(bytes: [u8; PUBLIC]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; PUBLIC] {
        &self.0
    }
}

/// Bytes from their lower-case digits; one form for each.
pub fn unhex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let lower = |one: u8| one.is_ascii_digit() || (b'a'..=b'f').contains(&one);
    if digits.len() != 2 * N || !digits.bytes().all(lower) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
