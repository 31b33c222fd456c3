//! What we say to a server.

use super::answer::PAGED_RESULTS;
use super::ber::{element, encoded_integer, tag};
use crate::directory::filter::{ALL_BITS, ANY_BIT, Filter, Relation, Test};

/// A message: a request under its number, and controls.
pub(super) fn message(id: i32, operation: &[u8], controls: &[u8]) -> Vec<u8> {
    element(tag::SEQUENCE, &[&encoded_integer(tag::INTEGER, id), operation, controls].concat())
}

/// A bind with name and password.
pub(super) fn simple_bind(dn: &str, password: &str) -> Vec<u8> {
    bind(dn, &element(tag::context(0), password.as_bytes()))
}

/// A bind in which the connection itself says who we are.
pub(super) fn external_bind() -> Vec<u8> {
    // Empty credentials, not none: with none, a server asks for them in a second round.
    bind("", &element(tag::context_sequence(3), &[octets("EXTERNAL"), octets("")].concat()))
}

fn bind(dn: &str, authentication: &[u8]) -> Vec<u8> {
    let version = encoded_integer(tag::INTEGER, 3);
    element(tag::application(0), &[&version, octets(dn).as_slice(), authentication].concat())
}

/// The wish to go on under TLS (RFC 4511, section 4.14).
pub(super) fn start_tls() -> Vec<u8> {
    element(tag::application(23), &element(tag::context(0), b"1.3.6.1.4.1.1466.20037"))
}

/// The last request of a connection.
pub(super) fn unbind() -> Vec<u8> {
    // A null value: `[APPLICATION 2]` of one value, not of a sequence.
    vec![0x42, 0]
}

/// How far down a search looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The base itself.
    Base,
    /// The base and everything below.
    Subtree,
}

/// Which entries a search wants, and what of them.
pub(super) struct Search<'a> {
    /// Where.
    pub(super) base: &'a str,
    /// How far down.
    pub(super) scope: Scope,
    /// Which entries; `None` for all.
    pub(super) filter: Option<&'a Filter>,
    /// Which attributes.
    pub(super) attributes: &'a [String],
}

/// The control by which Active Directory leaves out where else it would look (`LDAP_SERVER_DOMAIN_SCOPE_OID`,
/// [MS-ADTS] 3.1.1.3.4.1.4). Not critical: others do not know it.
pub(super) fn domain_scope() -> Vec<u8> {
    element(tag::SEQUENCE, &octets("1.2.840.113556.1.4.1339"))
}

/// Controls of a message, none for none.
pub(super) fn controls(controls: &[Vec<u8>]) -> Vec<u8> {
    if controls.is_empty() {
        return Vec::new();
    }
    element(tag::context_sequence(0), &controls.concat())
}

/// A search.
pub(super) fn search(search: &Search<'_>) -> Vec<u8> {
    let scope = match search.scope {
        Scope::Base => 0,
        Scope::Subtree => 2,
    };
    let attributes: Vec<u8> = search.attributes.iter().flat_map(|name| octets(name)).collect();
    let parts = [
        octets(search.base),
        encoded_integer(tag::ENUMERATED, scope),
        // Aliases are not followed: they lead out of the base.
        encoded_integer(tag::ENUMERATED, 0),
        // No limits of ours on size and time: the server has its own, and says when it uses them.
        encoded_integer(tag::INTEGER, 0),
        encoded_integer(tag::INTEGER, 0),
        // Values, not types only.
        element(tag::BOOLEAN, &[0]),
        search.filter.map_or_else(|| element(tag::context(7), b"objectClass"), filter),
        element(tag::SEQUENCE, &attributes),
    ];
    element(tag::application(3), &parts.concat())
}

/// The control of a search for one page of this size after the one this cookie came with.
///
/// Critical: a server that cannot page must say so, not ignore it.
pub(super) fn page(size: i32, cookie: &[u8]) -> Vec<u8> {
    let value = [encoded_integer(tag::INTEGER, size), element(tag::OCTETS, cookie)].concat();
    let control = [
        octets(PAGED_RESULTS),
        element(tag::BOOLEAN, &[0xff]),
        element(tag::OCTETS, &element(tag::SEQUENCE, &value)),
    ];
    element(tag::SEQUENCE, &control.concat())
}

fn filter(filter: &Filter) -> Vec<u8> {
    let all = |filters: &[Filter]| filters.iter().flat_map(self::filter).collect::<Vec<u8>>();
    match filter {
        Filter::All(filters) => element(tag::context_sequence(0), &all(filters)),
        Filter::Any(filters) => element(tag::context_sequence(1), &all(filters)),
        Filter::Not(inner) => element(tag::context_sequence(2), &self::filter(inner)),
        Filter::Is(test) => self::test(test),
    }
}

fn test(Test { attribute, relation }: &Test) -> Vec<u8> {
    let value = |number: u8, value: &[u8]| {
        let parts = [octets(attribute), element(tag::OCTETS, value)];
        element(tag::context_sequence(number), &parts.concat())
    };
    let bits = |rule: &str, bits: i64| {
        let parts = [
            element(tag::context(1), rule.as_bytes()),
            element(tag::context(2), attribute.as_bytes()),
            element(tag::context(3), bits.to_string().as_bytes()),
        ];
        element(tag::context_sequence(9), &parts.concat())
    };
    match relation {
        Relation::Present => element(tag::context(7), attribute.as_bytes()),
        Relation::Equal(wanted) => value(3, wanted),
        Relation::AtLeast(least) => value(5, least),
        Relation::AtMost(most) => value(6, most),
        Relation::Like(wanted) => value(8, wanted),
        Relation::Parts { first, middle, last } => {
            let first = first.iter().map(|part| element(tag::context(0), part));
            let middle = middle.iter().map(|part| element(tag::context(1), part));
            let last = last.iter().map(|part| element(tag::context(2), part));
            let parts: Vec<u8> = first.chain(middle).chain(last).flatten().collect();
            let whole = [octets(attribute), element(tag::SEQUENCE, &parts)];
            element(tag::context_sequence(4), &whole.concat())
        }
        Relation::AllBits(wanted) => bits(ALL_BITS, *wanted),
        Relation::AnyBit(wanted) => bits(ANY_BIT, *wanted),
    }
}

fn octets(text: &str) -> Vec<u8> {
    element(tag::OCTETS, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_as_ldapsearch_writes_them() {
        let everything =
            Search { base: "", scope: Scope::Base, filter: None, attributes: &["1.1".to_owned()] };
        // Recorded from `ldapsearch -x -b "" -s base "(objectClass=*)" 1.1`.
        assert_eq!(
            message(2, &search(&everything), &[]),
            b"\x30\x2a\x02\x01\x02\x63\x25\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\
              \x01\x01\x00\x87\x0bobjectClass\x30\x05\x04\x031.1"
        );
        // … and from the bind before it.
        assert_eq!(
            message(1, &simple_bind("", ""), &[]),
            b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"
        );
        assert_eq!(message(3, &unbind(), &[]), b"\x30\x05\x02\x01\x03\x42\x00");
    }

    #[test]
    fn filters() {
        let wanted = Filter::All(vec![
            Filter::Any(vec![Filter::class("a")]),
            Filter::Not(Box::new(Filter::class("b"))),
        ]);
        let class = |name: u8| [&b"\xa3\x10\x04\x0bobjectClass\x04\x01"[..], &[name]].concat();
        let expected = [&b"\xa0\x28\xa1\x12"[..], &class(b'a'), b"\xa2\x12", &class(b'b')].concat();
        assert_eq!(filter(&wanted), expected);
        // As `ldapsearch` (OpenLDAP 2.5) encodes them.
        for (text, bytes) in [
            ("(a=*)", &b"\x87\x01a"[..]),
            ("(a=b*c*d)", b"\xa4\x0e\x04\x01a\x30\x09\x80\x01b\x81\x01c\x82\x01d"),
            ("(a>=1)", b"\xa5\x06\x04\x01a\x04\x011"),
            ("(a<=1)", b"\xa6\x06\x04\x01a\x04\x011"),
            ("(a~=b)", b"\xa8\x06\x04\x01a\x04\x01b"),
            (
                "(a:1.2.840.113556.1.4.803:=2)",
                b"\xa9\x1e\x81\x161.2.840.113556.1.4.803\x82\x01a\x83\x012",
            ),
        ] {
            let parsed = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(filter(&parsed), bytes, "{text}");
        }
    }
}
