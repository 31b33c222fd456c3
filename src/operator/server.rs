//! Which server: what of an address decides who is at the other end, and nothing else.
//!
//! Addresses come from two sides that do not trust each other: the operator's file says which servers
//! may be asked, the inventory says which one is meant. They are compared as values, never as texts,
//! and what was compared is what is connected to: nobody parses the text a second time.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Server {
    /// At a host and port, spoken to in a way.
    Network {
        /// How it is spoken to. `ldap` and `ldaps` are two servers.
        scheme: Scheme,
        /// The host.
        host: Host,
        /// The port.
        port: u16,
    },
    /// At a socket of this machine.
    Socket(PathBuf),
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// LDAP under TLS.
    Ldaps,
    /// LDAP, to be upgraded with `StartTLS`.
    Ldap,
    /// HTTP under TLS.
    Https,
    /// HTTP, which is for this machine only.
    Http,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// By its name: lower-case, without a dot at the end.
    Name(String),
    /// By its address.
    Address(IpAddr),
}

/// A text that is not the address of a server. Never shows it: there may be a password in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoServer(&'static str);

impl Scheme {
    const ALL: [Self; 4] = [Self::Ldaps, Self::Ldap, Self::Https, Self::Http];

    /// As it stands in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ldaps => "ldaps",
            Self::Ldap => "ldap",
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Ldaps => 636,
            Self::Ldap => 389,
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

impl Server {
    /// Reads an address that is nothing but a scheme, a host and perhaps a port, or a socket.
    ///
    /// # Errors
    /// It is more than that, or less.
    pub fn parse(text: &str) -> Result<Self, NoServer> {
        match Self::parse_with_path(text)? {
            (server, "" | "/") => Ok(server),
            _ => Err(NoServer("there is more behind the host and the port")),
        }
    }

    /// The same with the rest of the address: empty, or a path from `/` on.
    ///
    /// # Errors
    /// It is no address.
    pub fn parse_with_path(text: &str) -> Result<(Self, &str), NoServer> {
        let (scheme, rest) = text.split_once("://").ok_or(NoServer("there is no `://` in it"))?;
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(NoServer("there is a user or a password in it"));
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>^`{|}#".contains(&byte)) {
            return Err(NoServer("there are characters behind the host that no address has"));
        }
        if scheme.eq_ignore_ascii_case("ldapi") {
            return Ok((Self::Socket(socket(authority)?), path));
        }
        let scheme = Scheme::ALL
            .into_iter()
            .find(|known| scheme.eq_ignore_ascii_case(known.as_str()))
            .ok_or(NoServer("it begins with none of ldaps://, ldap://, ldapi:// and https://"))?;
        let (host, port) = host_and_port(authority)?;
        let host = Host::parse(host)?;
        let server = Self::Network { scheme, host, port: port.unwrap_or(scheme.default_port()) };
        if matches!(scheme, Scheme::Http) && !server.is_this_machine() {
            return Err(NoServer("without TLS only loopback addresses are spoken to"));
        }
        Ok((server, path))
    }

    /// Whether what is sent there stays on this machine.
    pub fn is_this_machine(&self) -> bool {
        match self {
            Self::Network { host: Host::Name(name), .. } => name == "localhost",
            Self::Network { host: Host::Address(address), .. } => address.is_loopback(),
            Self::Socket(_) => true,
        }
    }

    /// Whether it is a directory.
    pub fn speaks_ldap(&self) -> bool {
        match self {
            Self::Network { scheme, .. } => matches!(scheme, Scheme::Ldap | Scheme::Ldaps),
            Self::Socket(_) => true,
        }
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, NoServer> {
        if let Some(inside) = text.strip_prefix('[') {
            let inside = inside.strip_suffix(']').unwrap_or_default();
            let address: Ipv6Addr =
                inside.parse().map_err(|_| NoServer("there is no IPv6 address in the brackets"))?;
            return Ok(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        // `127.1` and `0x7f.0.0.1` are addresses to some and names to others.
        let last = name.rsplit('.').next().unwrap_or_default();
        let is_number = last.starts_with(|first: char| first.is_ascii_digit());
        if name.len() > 253 || is_number || !name.split('.').all(is_label) {
            return Err(NoServer("its host is neither a name nor an address"));
        }
        Ok(Self::Name(name))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(address) => write!(formatter, "{address}"),
        }
    }
}

/// The shortest text that means the same server.
impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { scheme, host, port } => {
                write!(formatter, "{}://", scheme.as_str())?;
                match host {
                    Host::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]")?,
                    other => write!(formatter, "{other}")?,
                }
                if *port == scheme.default_port() { Ok(()) } else { write!(formatter, ":{port}") }
            }
            Self::Socket(path) => {
                formatter.write_str("ldapi://")?;
                for byte in path.as_os_str().as_bytes() {
                    match byte {
                        b'-' | b'_' | b'.' => write!(formatter, "{}", char::from(*byte))?,
                        byte if byte.is_ascii_alphanumeric() => {
                            write!(formatter, "{}", char::from(*byte))?;
                        }
                        byte => write!(formatter, "%{byte:02X}")?,
                    }
                }
                Ok(())
            }
        }
    }
}

fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), NoServer> {
    let wrong = NoServer("its port is not a number from 1 to 65535");
    // The colon of a port comes behind the brackets of an address.
    let from = authority.rfind(']').unwrap_or(0);
    let Some(at) = authority[from..].find(':').map(|at| from + at) else {
        return Ok((authority, None));
    };
    let (host, port) = (&authority[..at], &authority[at + 1..]);
    // `parse` alone would take `+636`.
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong);
    }
    match port.parse() {
        Ok(0) | Err(_) => Err(wrong),
        Ok(port) => Ok((host, Some(port))),
    }
}

/// The path of a socket, in which `/` is written `%2F`.
fn socket(text: &str) -> Result<PathBuf, NoServer> {
    let wrong = NoServer("it is no socket: write ldapi://%2Fpath%2Fto%2Fsocket");
    let digit = |byte: Option<u8>| {
        let digit = char::from(byte?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = digit(rest.next()).ok_or(wrong)?;
                high << 4 | digit(rest.next()).ok_or(wrong)?
            }
            byte => byte,
        });
    }
    let path = PathBuf::from(OsString::from_vec(bytes.clone()));
    let plain = path.components().all(|part| !matches!(part, Component::ParentDir));
    // `components` drops what means nothing; two spellings of one path are not one value.
    let same: PathBuf = path.components().collect();
    if !path.is_absolute() || !plain || same.as_os_str() != path.as_os_str() || bytes.contains(&0) {
        return Err(wrong);
    }
    Ok(path)
}

/// The path, if it is a socket.
impl Server {
    /// Where the socket is, for a server that is one.
    pub fn socket(&self) -> Option<&Path> {
        match self {
            Self::Socket(path) => Some(path),
            Self::Network { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Server::parse(text).ok().map(|server| server.to_string())
    }

    #[test]
    fn spellings_of_one_server_are_one_value() {
        for (text, canonical) in [
            ("ldaps://ldap.example.org", "ldaps://ldap.example.org"),
            ("LDAPS://LDAP.Example.org:636/", "ldaps://ldap.example.org"),
            ("ldaps://ldap.example.org.", "ldaps://ldap.example.org"),
            ("ldaps://ldap.example.org.:0636", "ldaps://ldap.example.org"),
            ("ldap://ldap.example.org:389", "ldap://ldap.example.org"),
            ("https://idp.example.org:443/", "https://idp.example.org"),
            ("ldaps://[2001:DB8:0:0::1]:636", "ldaps://[2001:db8::1]"),
            ("http://[::1]:80", "http://[::1]"),
            ("ldapi://%2frun%2Fslapd%2fldapi", "ldapi://%2Frun%2Fslapd%2Fldapi"),
            ("ldapi://%2Frun%2Fa%2Db", "ldapi://%2Frun%2Fa-b"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(canonical), "{text}");
            assert_eq!(Server::parse(canonical), Server::parse(text), "{text}");
        }
    }

    #[test]
    fn other_servers_are_other_values() {
        let good = Server::parse("ldaps://ldap.example.org").expect("a server");
        for text in [
            "ldap://ldap.example.org",
            "https://ldap.example.org",
            "ldap://ldap.example.org:636",
            "ldaps://ldap.example.org:389",
            "ldaps://ldap.example.org.evil.example",
            "ldaps://evil-ldap.example.org",
            "ldaps://ldap.example.or",
            "ldaps://xldap.example.org",
            "ldaps://192.0.2.1",
            "ldapi://%2Fldap.example.org",
        ] {
            assert_ne!(Server::parse(text).expect(text), good, "{text}");
        }
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_no_server() {
        for text in [
            "",
            "ldap.example.org",
            "ldaps:ldap.example.org",
            "ldaps:///ldap.example.org",
            "ldaps://",
            "ldaps://user@ldap.example.org",
            "ldaps://user:secret@ldap.example.org",
            "ldaps://ldap.example.org@evil.example",
            "ldaps://evil.example#ldap.example.org",
            "ldaps://evil.example?ldap.example.org",
            "ldaps://evil.example\\@ldap.example.org",
            "ldaps://evil.example%00.ldap.example.org",
            "ldaps://ldap.example.org/dc=example",
            "ldaps://ldap.example.org ldaps://evil.example",
            " ldaps://ldap.example.org",
            "ldaps://ldap.example.org\n",
            "ldaps://ldap.example.org:+636",
            "ldaps://ldap.example.org:",
            "ldaps://ldap.example.org:0",
            "ldaps://ldap.example.org:65536",
            "ldaps://ldap.example.org:636:636",
            "ldaps://ldap..example.org",
            "ldaps://ldap.example.org..",
            "ldaps://.",
            "ldaps://ldаp.example.org",
            "ldap://127.1",
            "ldap://0x7f.0.0.1",
            "ldap://2130706433",
            "ldap://127.0.0.01",
            "ldap://[::1",
            "ldap://::1",
            "ldap://[::1]389",
            "ldap://[fe80::1%25eth0]",
            "ldap://[127.0.0.1]",
            "http://idp.example.org",
            "ftp://idp.example.org",
            "ldapi://",
            "ldapi://run",
            "ldapi://%2Frun%2F..%2Fevil",
            "ldapi://%2Frun%2F.%2Fslapd",
            "ldapi://%2Frun%2F%2Fslapd",
            "ldapi://%2Frun%2Fslapd%2F",
            "ldapi://%2Frun%00",
            "ldapi://%2",
            "ldapi://%+1",
        ] {
            assert_eq!(shown(text), None, "{text:?}");
        }
        let error = Server::parse("ldaps://me:planted@x").expect_err("a password");
        assert!(!error.to_string().contains("planted"));
    }

    #[test]
    fn the_path_of_an_address_is_not_part_of_the_server() {
        let (server, path) =
            Server::parse_with_path("https://IDP.example.org:443/saml/metadata?x=1").expect("good");
        assert_eq!(format!("{server}{path}"), "https://idp.example.org/saml/metadata?x=1");
        assert!(Server::parse_with_path("https://idp.example.org/a b").is_err());
        assert!(Server::parse_with_path("https://idp.example.org/\r\nHost:x").is_err());
    }

    #[test]
    fn this_machine_is_this_machine() {
        for (text, is_it) in [
            ("ldap://127.1.2.3", true),
            ("ldap://[::1]", true),
            ("ldap://LOCALHOST", true),
            ("ldapi://%2Frun", true),
            ("ldap://127.0.0.1.example.org", false),
            ("ldap://localhost.example.org", false),
            ("ldap://10.0.0.1", false),
            ("ldap://[::ffff:10.0.0.1]", false),
        ] {
            assert_eq!(Server::parse(text).expect(text).is_this_machine(), is_it, "{text}");
        }
    }
}
