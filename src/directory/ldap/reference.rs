//! Search references that every domain of Active Directory has at its root.
//!
//! They lead to other naming contexts of the same forest: the zones of the name service, the
//! configuration. No person and no group is there ([MS-ADTS] 3.1.1.1.5). Every other reference
//! means that a part of what was asked for is elsewhere.

use crate::directory::distinguished_name::normalise;

/// Whether a reference leads to such a context of the domain or forest of the base (normalised).
pub(super) fn leads_out_of_domain(url: &[u8], base: &str) -> bool {
    let Ok(url) = std::str::from_utf8(url) else { return false };
    let Some((_, rest)) = url.split_once("://") else { return false };
    let Some((_, path)) = rest.split_once('/') else { return false };
    let Some(name) = percent_decoded(path.split('?').next().unwrap_or_default()) else {
        return false;
    };
    let name = normalise(&name);
    ["dc=domaindnszones,", "dc=forestdnszones,", "cn=configuration,"].iter().any(|context| {
        name.strip_prefix(context).is_some_and(|root| {
            !root.is_empty() && (base == root || base.ends_with(&format!(",{root}")))
        })
    })
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_contexts_without_people() {
        let base = "dc=example,dc=org";
        for (url, ignored) in [
            ("ldap://ForestDnsZones.example.org/DC=ForestDnsZones,DC=example,DC=org", true),
            ("ldap://example.org/CN=Configuration,DC=example,DC=org", true),
            ("ldap://x/DC=DomainDnsZones,%20DC=example,DC=org??sub", true),
            ("ldap://child.example.org/DC=child,DC=example,DC=org", false),
            ("ldap://x/DC=ForestDnsZones,DC=example,DC=net", false),
            ("ldap://x/CN=Configuration,", false),
            ("ldap://ForestDnsZones.example.org", false),
            ("nonsense", false),
        ] {
            assert_eq!(leads_out_of_domain(url.as_bytes(), base), ignored, "{url}");
        }
        let child = "dc=child,dc=example,dc=org";
        assert!(leads_out_of_domain(b"ldap://x/CN=Configuration,DC=example,DC=org", child));
    }
}
