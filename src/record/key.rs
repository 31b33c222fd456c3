//! Keys that sign a record, and what they sign.
//!
//! Ed25519 by aws-lc-rs, the library that TLS uses too. A private key is kept as PEM of PKCS #8
//! (RFC 8410), which `openssl pkey` reads; a public key is written `ed25519:` and 64 hexadecimal
//! digits, a signature is 128 of them.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;

use super::chain::Head;
use super::folder::no_follow;
use crate::digest::hex;
use crate::file::{self, Readers, Refusal};
use crate::model::{PublicKey, unhex};

const PUBLIC: usize = 32;
const SIGNATURE: usize = 64;
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Why a private key cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Its file cannot be read, or others than its owner may read it.
    #[error("the key of the record cannot be used: {}", why.of_named(path, "`sign_with`"))]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        why: Refusal,
    },
    /// Its file cannot be made; one that exists is never overwritten.
    #[error("cannot write the key of the record {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no key of that kind.
    #[error("{} is not an ed25519 private key in PEM (PKCS #8); `reconcile record keygen` makes one", path.display())]
    Shape {
        /// Which.
        path: PathBuf,
    },
    /// The cryptography failed, for want of randomness.
    #[error("no key could be made")]
    Cryptography,
}

/// A key that signs records. Never shown; its clones are the same key.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Ed25519KeyPair>,
    public: PublicKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the private key of {}", self.public)
    }
}

impl SigningKey {
    /// A new one, in memory only.
    ///
    /// # Errors
    /// [`KeyError::Cryptography`].
    pub fn generate() -> Result<Self, KeyError> {
        Ed25519KeyPair::generate().map(Self::of).map_err(|_| KeyError::Cryptography)
    }

    /// Makes a new one in a new file that only its owner may read.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let key = Self::generate()?;
        // Version 1 of the form, the one that the tools of OpenSSL read.
        let document = key.pair.to_pkcs8v1().map_err(|_| KeyError::Cryptography)?;
        let text = Zeroizing::new(format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(&document)));
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .custom_flags(no_follow())
                .open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|source| KeyError::Write { path: path.to_owned(), source })?;
        Ok(key)
    }

    /// Reads one that only the owner of this process may read.
    ///
    /// # Errors
    /// It cannot be read, others may, or it is no key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let bytes = file::read(path, file::SECRET, Readers::Owner)
            .map_err(|why| KeyError::Read { path: path.to_owned(), why })?;
        let bytes = Zeroizing::new(bytes);
        std::str::from_utf8(&bytes)
            .ok()
            .and_then(Self::parse)
            .ok_or_else(|| KeyError::Shape { path: path.to_owned() })
    }

    fn parse(text: &str) -> Option<Self> {
        let body = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
        let body: Zeroizing<String> =
            Zeroizing::new(body.chars().filter(|one| !one.is_ascii_whitespace()).collect());
        let document = Zeroizing::new(STANDARD.decode(body.as_bytes()).ok()?);
        Ed25519KeyPair::from_pkcs8(&document).ok().map(Self::of)
    }

    /// The key others check its signatures with.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a statement about a head.
    pub(super) fn sign(&self, statement: Statement<'_>, head: &Head) -> SignedHead {
        let signature = self.pair.sign(statement.about(head).as_bytes());
        let mut bytes = [0; SIGNATURE];
        bytes.copy_from_slice(signature.as_ref());
        let seal = Signature { key: self.public.clone(), bytes };
        SignedHead { head: head.clone(), signature: Some(seal) }
    }

    fn of(pair: Ed25519KeyPair) -> Self {
        let mut bytes = [0; PUBLIC];
        bytes.copy_from_slice(pair.public_key().as_ref());
        Self { pair: Arc::new(pair), public: PublicKey::new(bytes) }
    }
}

/// What is said of a head. Part of what is signed, so that no signature can be used for another
/// purpose than its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Statement<'a> {
    /// The index is so long and ends so.
    Index,
    /// That run's file is.
    Run(&'a str),
    /// An operator looked at the record and goes on from here, whatever the witness saw before:
    /// the head it saw last.
    Anew(&'a str),
}

impl Statement<'_> {
    fn about(self, head: &Head) -> String {
        match self {
            Self::Index => format!("reconcile record, index\n{head}\n"),
            Self::Run(file) => format!("reconcile record, run {file}\n{head}\n"),
            Self::Anew(after) => format!("reconcile record, anew after {after}\n{head}\n"),
        }
    }
}

/// A signature and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub key: PublicKey,
    bytes: [u8; SIGNATURE],
}

/// A head, signed or not, as it is written: `LINES:HASH`, or `LINES:HASH KEY SIGNATURE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignedHead {
    pub head: Head,
    pub signature: Option<Signature>,
}

impl SignedHead {
    pub(super) fn plain(head: &Head) -> Self {
        Self { head: head.clone(), signature: None }
    }

    /// Whose signature under that statement it carries; `None` if it has none or a wrong one.
    pub(super) fn signer(&self, statement: Statement<'_>) -> Option<&PublicKey> {
        let Signature { key, bytes } = self.signature.as_ref()?;
        UnparsedPublicKey::new(&ED25519, key.bytes())
            .verify(statement.about(&self.head).as_bytes(), bytes)
            .ok()
            .map(|()| key)
    }
}

impl fmt::Display for SignedHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signature {
            None => write!(formatter, "{}", self.head),
            Some(Signature { key, bytes }) => {
                write!(formatter, "{} {key} {}", self.head, hex(bytes))
            }
        }
    }
}

impl FromStr for SignedHead {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split(' ');
        let head = words.next().and_then(|head| head.parse().ok()).ok_or(())?;
        let signature = match (words.next(), words.next(), words.next()) {
            (None, _, _) => None,
            (Some(key), Some(bytes), None) => Some(Signature {
                key: key.parse().map_err(|_| ())?,
                bytes: unhex(bytes).ok_or(())?,
            }),
            _ => return Err(()),
        };
        Ok(Self { head, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head { lines: 12, last: "ab".repeat(32) }
    }

    #[test]
    fn a_key_is_read_back_as_it_was_made_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.key");
        let key = SigningKey::create(&path).unwrap();
        let signed = SigningKey::read(&path).unwrap().sign(Statement::Index, &head());
        assert_eq!(signed.signer(Statement::Index), Some(key.public()));
        assert!(matches!(SigningKey::create(&path), Err(KeyError::Write { .. })));
        assert_eq!(SigningKey::read(&path).unwrap().public(), key.public());
        assert!(!format!("{key:?}").contains("BEGIN"));
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.key");
        SigningKey::create(&path).unwrap();
        for mode in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(SigningKey::read(&path), Err(KeyError::Read { .. })), "{mode:o}");
        }
        assert!(matches!(SigningKey::read(folder.path()), Err(KeyError::Read { .. })));
    }

    #[test]
    fn a_signature_is_for_one_head_and_one_purpose() {
        let key = SigningKey::generate().unwrap();
        let signed = key.sign(Statement::Index, &head());
        let read: SignedHead = signed.to_string().parse().unwrap();
        assert_eq!(read, signed);
        assert!(read.signer(Statement::Run("000001-0123456789abcdef")).is_none());
        assert!(read.signer(Statement::Anew("0")).is_none());
        let other = SignedHead { head: Head { lines: 13, ..head() }, ..signed.clone() };
        assert!(other.signer(Statement::Index).is_none());
        let text = signed.to_string();
        for wrong in [format!("{text} x"), text.to_uppercase(), text[..text.len() - 2].to_owned()] {
            assert!(wrong.parse::<SignedHead>().is_err(), "{wrong}");
        }
    }
}
