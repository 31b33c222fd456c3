//! The description of a log-in service (SAML 2.0 metadata): whether it is one that AWS can use,
//! and until when what it vouches with can be checked.
//!
//! Facts: AWS wants one `EntityDescriptor` of an identity provider, of 1,000 to 10,000,000
//! characters (IAM API Reference, `CreateSAMLProvider`). It uses the certificates for signing; a
//! `KeyDescriptor` without `use` is for signing as well (SAML 2.0 Metadata, 2.4.1.1). Several may
//! stand side by side while one replaces the other.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use roxmltree::{Document, Node};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::model::AttributeValue;
use crate::operator::Server;

const NAMESPACE: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURES: &str = "http://www.w3.org/2000/09/xmldsig#";

/// With what an address begins.
const HTTPS: &str = "https://";

const SHORTEST: usize = 1_000;
const LONGEST: usize = 10_000_000;

/// What a description says.
#[derive(Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The last day on which one of the certificates for signing can be used.
    pub certificates_end: Date,
    /// The day until which the description itself is good, where it says so.
    pub valid_until: Option<Date>,
}

/// Whether a setting is a description, or the address of one.
///
/// # Errors
/// What is wrong with it.
pub fn check(value: &AttributeValue) -> Result<(), String> {
    match value {
        AttributeValue::Text(text) if text.starts_with(HTTPS) => match address(text) {
            Some(_) => Ok(()),
            None => {
                Err("https://host/path, or the name of an XML file below inventory/".to_owned())
            }
        },
        AttributeValue::Text(text) => parse(text).map(|_| ()),
        _ => Err("some text".to_owned()),
    }
}

/// The server and the rest of an address of a description; `None` where it is none.
pub fn address(text: &str) -> Option<(Server, &str)> {
    if !text.starts_with(HTTPS) {
        return None;
    }
    Server::parse_with_path(text).ok()
}

/// Reads a description.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Metadata, String> {
    let text = text.trim();
    let length = text.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(format!("metadata have {SHORTEST} to {LONGEST} characters, not {length}"));
    }
    let document = Document::parse(text).map_err(|error| format!("no XML: {error}"))?;
    let entity = document.root_element();
    if !entity.has_tag_name((NAMESPACE, "EntityDescriptor")) {
        let name = entity.tag_name().name();
        return Err(format!("the outermost element is {name}, not SAML's EntityDescriptor"));
    }
    let of_entity = |name| entity.children().find(|node| node.has_tag_name((NAMESPACE, name)));
    let service = of_entity("IDPSSODescriptor")
        .ok_or("it describes no identity provider (no IDPSSODescriptor)")?;
    let mut certificates_end: Option<Date> = None;
    for certificate in certificates(service) {
        let end = end_of(certificate)
            .map_err(|why| format!("a certificate for signing cannot be read: {why}"))?;
        certificates_end = certificates_end.max(Some(end));
    }
    let valid_until = [entity, service]
        .iter()
        .filter_map(|node| node.attribute("validUntil"))
        .map(|text| {
            let time: Timestamp =
                text.parse().map_err(|error| format!("validUntil `{text}`: {error}"))?;
            Ok(day(time))
        })
        .collect::<Result<Vec<Date>, String>>()?
        .into_iter()
        .min();
    let certificates_end = certificates_end.ok_or("it has no certificate for signing")?;
    Ok(Metadata { certificates_end, valid_until })
}

/// The certificates with which a service signs, as texts.
fn certificates<'a>(service: Node<'a, 'a>) -> impl Iterator<Item = &'a str> {
    let keys = service.children().filter(|node| node.has_tag_name((NAMESPACE, "KeyDescriptor")));
    keys.filter(|key| matches!(key.attribute("use"), None | Some("signing")))
        .flat_map(|key| key.descendants())
        .filter(|node| node.has_tag_name((SIGNATURES, "X509Certificate")))
        .map(|node| node.text().unwrap_or_default())
}

fn end_of(certificate: &str) -> Result<Date, String> {
    let plain: String = certificate.split_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(plain).map_err(|error| error.to_string())?;
    let certificate = Certificate::from_der(&bytes).map_err(|error| error.to_string())?;
    let end = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    let end = i64::try_from(end.as_secs()).map_err(|error| error.to_string())?;
    Timestamp::from_second(end).map(day).map_err(|error| error.to_string())
}

fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> String {
        let mut parameters = CertificateParams::new(vec!["idp".to_owned()]).expect("a name");
        parameters.not_after = date_time_ymd(year, 5, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        BASE64_STANDARD.encode(certificate.der())
    }

    fn key(purpose: &str, certificate: &str) -> String {
        format!(
            "<KeyDescriptor{purpose}><ds:KeyInfo xmlns:ds=\"{SIGNATURES}\"><ds:X509Data>\
             <ds:X509Certificate>\n  {certificate}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
             </KeyDescriptor>"
        )
    }

    fn description(until: &str, keys: &str) -> String {
        let filling = " ".repeat(SHORTEST);
        format!(
            "<?xml version=\"1.0\"?>\n<EntityDescriptor xmlns=\"{NAMESPACE}\" entityID=\"https://idp\"{until}>\
             <IDPSSODescriptor>{keys}</IDPSSODescriptor>{filling}</EntityDescriptor>"
        )
    }

    #[test]
    fn the_last_certificate_for_signing_counts() {
        let keys = [
            key(" use=\"signing\"", &certificate(2027)),
            key("", &certificate(2031)),
            key(" use=\"encryption\"", &certificate(2040)),
        ];
        let read = parse(&description("", &keys.concat())).expect("good");
        assert_eq!(read, Metadata { certificates_end: date(2031, 5, 1), valid_until: None });
        let until = " validUntil=\"2026-12-24T18:00:00Z\"";
        let read = parse(&description(until, &keys.concat())).expect("good");
        assert_eq!(read.valid_until, Some(date(2026, 12, 24)));
    }

    #[test]
    fn what_aws_cannot_use_is_refused_with_the_reason() {
        let good = key("", &certificate(2031));
        let long = |text: &str| format!("{text}{}", " ".repeat(SHORTEST));
        for (text, expected) in [
            ("<a/>".to_owned(), "1000 to 10000000 characters"),
            (description("", &good).replace("</Entity", "</Other"), "no XML"),
            (long("<a>") + "</a>", "the outermost element is a"),
            (description("", &good).replace("IDPSSO", "SPSSO"), "no IDPSSODescriptor"),
            (description("", &key(" use=\"encryption\"", "")), "no certificate for signing"),
            (description("", &key("", "AAAA")), "a certificate for signing cannot be read"),
            (description(" validUntil=\"soon\"", &good), "validUntil `soon`"),
            (
                description("", &good)
                    .replace("<Entity", "<!DOCTYPE a [<!ENTITY b \"c\">]><Entity"),
                "no XML",
            ),
        ] {
            let error = parse(&text).expect_err(expected);
            assert!(error.contains(expected), "{error}, not {expected}");
        }
    }
}
