//! Tests of `answer`.

use lber::structure::{PL, StructureTag};
use proptest::prelude::*;

use super::super::ber::{element, encoded_integer};
use super::super::request::message;
use super::*;

fn octets(text: impl AsRef<[u8]>) -> Vec<u8> {
    element(tag::OCTETS, text.as_ref())
}

fn result(code: i32, words: &str) -> Vec<u8> {
    [encoded_integer(tag::ENUMERATED, code), octets(""), octets(words)].concat()
}

/// What is inside the sequence of a message.
fn inside(operation: &[u8], controls: &[u8]) -> Vec<u8> {
    let message = message(7, operation, controls);
    Elements(&message).expect(tag::SEQUENCE).expect("a sequence").to_vec()
}

fn done(controls: &[u8]) -> Vec<u8> {
    inside(&element(tag::application(5), &result(0, "")), controls)
}

fn control(name: &str, rest: &[u8]) -> Vec<u8> {
    element(tag::SEQUENCE, &[octets(name).as_slice(), rest].concat())
}

fn paged(cookie: &str) -> Vec<u8> {
    let value = [encoded_integer(tag::INTEGER, 0), octets(cookie)].concat();
    control(PAGED_RESULTS, &octets(element(tag::SEQUENCE, &value)))
}

fn controls(controls: &[Vec<u8>]) -> Vec<u8> {
    element(tag::context_sequence(0), &controls.concat())
}

#[test]
fn the_cookie_is_found_among_other_controls() {
    let other = control("1.2.3", &element(tag::BOOLEAN, &[0xff]));
    let cookie = |bytes: &[u8]| match operation(bytes) {
        Ok(Operation::Done(_, cookie)) => Ok(cookie),
        Ok(_) => panic!("it is a search's end"),
        Err(malformed) => Err(malformed),
    };
    assert_eq!(cookie(&done(&[])), Ok(None));
    assert_eq!(cookie(&done(&controls(std::slice::from_ref(&other)))), Ok(None));
    assert_eq!(cookie(&done(&controls(&[other, paged("next")]))), Ok(Some(b"next".to_vec())));
    assert_eq!(cookie(&done(&controls(&[paged("")]))), Ok(Some(Vec::new())));
    for value in [&[][..], &octets(""), &octets([0x30, 0]), &octets([0x30, 3, 2, 1, 0])] {
        let broken = control(PAGED_RESULTS, value);
        assert_eq!(cookie(&done(&controls(&[broken]))), Err(Malformed), "{value:02x?}");
    }
}

#[test]
fn a_referral_is_shown_without_control_characters_and_not_whole() {
    let long = format!("ldap://a\u{1b}[31m\n{}", "é".repeat(1000));
    let parts = [result(10, "go\naway"), element(tag::context_sequence(3), &octets(long))].concat();
    let bytes = inside(&element(tag::application(5), &parts), &[]);
    let Ok(Operation::Done(outcome, None)) = operation(&bytes) else {
        panic!("it is a search's end");
    };
    assert_eq!(outcome.words, "go away");
    let referral = outcome.referral.expect("a referral");
    assert!(referral.starts_with("ldap://a\\u{1b}[31m é"), "{referral}");
    assert_eq!(referral.chars().count(), SHOWN + "\\u{1b}".len());
    assert_eq!(outcome.code, 10);
}

#[test]
fn unknown_operations_and_numbers_are_malformed() {
    assert!(operation(&inside(&element(0x7e, &[]), &[])).is_err());
    assert!(operation(&inside(&[], &[])).is_err());
    assert!(operation(&[]).is_err());
    assert!(id(&encoded_integer(tag::INTEGER, -1)).is_err());
    assert!(id(&octets("1")).is_err());
    assert!(operation(&inside(&element(0x79, &[]), &[0x30])).is_err());
}

#[test]
fn more_attributes_than_anybody_asks_for_are_refused() {
    let many = |count: usize| {
        let attributes: Vec<u8> = (0..count)
            .flat_map(|number| {
                let parts = [octets(number.to_string()), element(tag::SET, &[])].concat();
                element(tag::SEQUENCE, &parts)
            })
            .collect();
        [octets("cn=x"), element(tag::SEQUENCE, &attributes)].concat()
    };
    assert!(entry(&many(MOST_ATTRIBUTES), usize::MAX).is_ok());
    assert!(entry(&many(MOST_ATTRIBUTES + 1), usize::MAX).is_err());
}

/// The same entry as another reader of the encoding sees it.
fn by_another_reader(content: &[u8]) -> Option<Entry> {
    let bytes = element(tag::application(4), content);
    let (_, tree) = lber::parse::parse_tag(&bytes).ok()?;
    let inside = |tree: StructureTag| match tree.payload {
        PL::C(parts) => Some(parts.into_iter()),
        PL::P(_) => None,
    };
    let bytes = |tree: StructureTag| match tree.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    };
    let mut parts = inside(tree)?;
    let mut entry = Entry::new(String::from_utf8(bytes(parts.next()?)?).ok()?);
    for attribute in inside(parts.next()?)? {
        let mut parts = inside(attribute)?;
        let description = String::from_utf8(bytes(parts.next()?)?).ok()?;
        let values: Option<Vec<_>> = inside(parts.next()?)?.map(bytes).collect();
        entry.add(&description, values?);
    }
    Some(entry)
}

/// Whether something comes after what is known of an entry, or of an attribute of it.
fn has_more(content: &[u8]) -> bool {
    let mut parts = Elements(content);
    let (Ok(_), Ok(mut attributes)) = (parts.expect(tag::OCTETS), parts.inside(tag::SEQUENCE))
    else {
        return false;
    };
    let mut more = !parts.is_at_end();
    while let Ok(mut attribute) = attributes.inside(tag::SEQUENCE) {
        let known = (attribute.expect(tag::OCTETS), attribute.inside(tag::SET));
        more |= matches!(known, (Ok(_), Ok(_))) && !attribute.is_at_end();
    }
    more
}

/// Names and values of attributes.
type Attributes = Vec<(String, Vec<Vec<u8>>)>;

fn attributes() -> impl Strategy<Value = Attributes> {
    let values = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..150), 0..4);
    prop::collection::vec(("[a-zA-Z]{0,8}(;range=0-9)?", values), 0..6)
}

fn encoded(dn: &str, attributes: &Attributes) -> Vec<u8> {
    let attributes: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, values)| {
            let values: Vec<u8> = values.iter().flat_map(octets).collect();
            element(tag::SEQUENCE, &[octets(name), element(tag::SET, &values)].concat())
        })
        .collect();
    [octets(dn), element(tag::SEQUENCE, &attributes)].concat()
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = id(&bytes);
        let _ = operation(&bytes);
        let _ = entry(&bytes, usize::MAX);
        for kind in [1, 4, 5, 19, 24, 25] {
            let _ = operation(&inside(&element(tag::application(kind), &bytes), &bytes));
        }
    }

    #[test]
    fn an_entry_is_read_as_it_was_written(dn in ".{0,20}", attributes in attributes()) {
        let mut expected = Entry::new(dn.clone());
        for (name, values) in &attributes {
            expected.add(name, values.clone());
        }
        let content = encoded(&dn, &attributes);
        prop_assert!(entry(&content, usize::MAX) == Ok(expected));
        for cut in 0..content.len() {
            prop_assert!(entry(&content[..cut], usize::MAX).is_err());
        }
    }

    #[test]
    fn a_damaged_entry_is_refused_or_read_as_another_reader_reads_it(
        dn in ".{0,20}",
        attributes in attributes(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut content = encoded(&dn, &attributes);
        for (place, byte) in damage {
            let place = place.index(content.len());
            content[place] = byte;
        }
        if let Ok(ours) = entry(&content, usize::MAX) {
            let theirs = by_another_reader(&content);
            // What comes after everything that is known is skipped, whatever is inside of it.
            prop_assert!(theirs == Some(ours) || (theirs.is_none() && has_more(&content)));
        }
    }
}

#[test]
fn what_a_server_says_of_people_is_not_shown() {
    for (words, expected) in [
        (
            "no such entry CN=Max Mustermann,OU=People,DC=example",
            "no such entry CN=…,OU=People,DC=example",
        ),
        (r"best match 'cn=Mustermann\, Max,dc=x' of it", "best match 'cn=…,dc=x' of it"),
        ("uid=max and mail=max@example.org+sn=M", "uid=max and mail=…+sn=…"),
        ("data 52e, v4563", "data 52e, v4563"),
        ("a=b", "a=b"),
        ("=", "="),
        ("cn=", "cn=…"),
        ("line\none\u{1b}[0m\u{202e}", "line one\\u{1b}[0m\\u{202e}"),
    ] {
        assert_eq!(shown(words.as_bytes()), expected);
    }
    assert_eq!(place(b"ldap://other:389/CN=Max,DC=x??sub"), "ldap://other:389");
    assert_eq!(place(b"ldap://other"), "ldap://other");
    assert_eq!(place(b"nonsense"), "nonsense");
    assert!(shown(&vec![b'x'; 100_000]).chars().count() <= SHOWN + 1);
}
