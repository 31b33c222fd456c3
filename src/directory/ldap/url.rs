//! Where a server is.

use std::ffi::OsString;
use std::net::IpAddr;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::failure::Failure;

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// TLS from the first byte.
    Tls(Address),
    /// A plain connection, which may be upgraded.
    Plain(Address),
    /// A socket of this machine.
    Local(PathBuf),
}

/// A host, without the brackets of an IPv6 address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

/// Reads a URL. Only scheme, host and port are accepted: a base or filter in it would be ignored
/// silently.
pub(super) fn endpoint(url: &str) -> Result<Endpoint, Failure> {
    let wrong = || Failure::Url { url: url.to_owned() };
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ']) {
        return Err(wrong());
    }
    match scheme.to_ascii_lowercase().as_str() {
        "ldapi" => path(authority).map(Endpoint::Local),
        "ldaps" => address(authority, 636).map(Endpoint::Tls),
        "ldap" => address(authority, 389).map(Endpoint::Plain),
        _ => None,
    }
    .ok_or_else(wrong)
}

fn address(authority: &str, default: u16) -> Option<Address> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':')?),
            };
            (host, port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = port.map_or(Some(default), |port| port.parse().ok())?;
    (!host.is_empty()).then(|| Address { host: host.to_owned(), port })
}

/// The path of a socket, in which `/` is written `%2F`.
fn path(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            byte => byte,
        });
    }
    Some(OsString::from_vec(bytes).into())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Whether what is sent to the host stays on this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_and_hosts() {
        let address = |host: &str, port| Address { host: host.into(), port };
        let plain = |host, port| Some(Endpoint::Plain(address(host, port)));
        let tls = |host, port| Some(Endpoint::Tls(address(host, port)));
        for (url, expected) in [
            ("ldaps://ldap.example.org", tls("ldap.example.org", 636)),
            ("LDAPS://ldap.example.org:1636/", tls("ldap.example.org", 1636)),
            ("ldaps://[2001:db8::1]", tls("2001:db8::1", 636)),
            ("ldap://127.0.0.1", plain("127.0.0.1", 389)),
            ("ldap://[::1]:1389", plain("::1", 1389)),
            ("ldapi://%2Frun%2fslapd", Some(Endpoint::Local("/run/slapd".into()))),
            ("ldapi://%2", None),
            ("ldapi://%+1", None),
            ("ldap://[::1", None),
            ("ldap://[::1]389", None),
            ("ldap://host:", None),
            ("ldap://", None),
            ("ldap:ldap.example.org", None),
            ("ldap://host:99999", None),
            ("ldap://user@host", None),
            ("ldap://host/dc=example", None),
            ("http://host", None),
            ("", None),
        ] {
            assert_eq!(endpoint(url).ok(), expected, "{url}");
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        assert!(is_loopback("127.1.2.3") && is_loopback("::1") && is_loopback("LOCALHOST"));
        assert!(!is_loopback("127.0.0.1.example.org") && !is_loopback("10.0.0.1"));
    }
}
