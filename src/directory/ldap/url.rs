//! Where a server is.

use std::net::IpAddr;

use super::failure::Failure;

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// TLS from the first byte.
    Tls,
    /// A plain connection to that host, which may be upgraded.
    Plain { host: String },
    /// A socket of this machine.
    Local,
}

/// Reads the parts of a URL that decide what is allowed. Only scheme, host and port are accepted:
/// a base or filter in it would be ignored silently.
pub(super) fn endpoint(url: &str) -> Result<Endpoint, Failure> {
    let wrong = || Failure::Url { url: url.to_owned() };
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ']) {
        return Err(wrong());
    }
    match scheme.to_ascii_lowercase().as_str() {
        "ldapi" => Ok(Endpoint::Local),
        "ldaps" => host(authority).map(|_| Endpoint::Tls).ok_or_else(wrong),
        "ldap" => host(authority).map(|host| Endpoint::Plain { host }).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn host(authority: &str) -> Option<String> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some("0"))?)
        }
        None => authority.split_once(':').unwrap_or((authority, "0")),
    };
    port.parse::<u16>().ok()?;
    (!host.is_empty()).then(|| host.to_owned())
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
        let plain = |host: &str| Some(Endpoint::Plain { host: host.into() });
        for (url, expected) in [
            ("ldaps://ldap.example.org", Some(Endpoint::Tls)),
            ("LDAPS://ldap.example.org:636/", Some(Endpoint::Tls)),
            ("ldap://127.0.0.1:389", plain("127.0.0.1")),
            ("ldap://[::1]:389", plain("::1")),
            ("ldapi://%2Frun%2Fslapd", Some(Endpoint::Local)),
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
