//! The encoding of LDAP: the part of BER that RFC 4511, section 5.1, leaves.
//!
//! Reading borrows from the message and allocates nothing. Lengths are definite, tags have one
//! byte, lengths may be longer than they need be (Active Directory writes all of them so). What
//! differs from that is [`Malformed`]; no bytes panic.

/// Tags of one byte, class and form included.
pub(super) mod tag {
    pub(in super::super) const BOOLEAN: u8 = 0x01;
    pub(in super::super) const INTEGER: u8 = 0x02;
    pub(in super::super) const OCTETS: u8 = 0x04;
    pub(in super::super) const ENUMERATED: u8 = 0x0a;
    pub(in super::super) const SEQUENCE: u8 = 0x30;
    pub(in super::super) const SET: u8 = 0x31;

    /// `[APPLICATION number]` of a sequence.
    pub(in super::super) const fn application(number: u8) -> u8 {
        0x60 | number
    }

    /// `[number]` of one value.
    pub(in super::super) const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// `[number]` of a sequence.
    pub(in super::super) const fn context_sequence(number: u8) -> u8 {
        0xa0 | number
    }
}

/// Bytes that are not what LDAP wants there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an answer that is not LDAP")]
pub(super) struct Malformed;

/// Elements next to each other, read from the first to the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    /// The content of the next element, which must have that tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        match self.next()? {
            Some((found, content)) if found == tag => Ok(content),
            _ => Err(Malformed),
        }
    }

    /// The elements inside the next one, which must have that tag.
    pub(super) fn inside(&mut self, tag: u8) -> Result<Elements<'a>, Malformed> {
        self.expect(tag).map(Elements)
    }

    /// Tag and content of the next element, nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u8, &'a [u8])>, Malformed> {
        let Some(&tag) = self.0.first() else { return Ok(None) };
        let header = header(self.0)?.ok_or(Malformed)?;
        let end = header.size.checked_add(header.content).ok_or(Malformed)?;
        let (element, rest) = self.0.split_at_checked(end).ok_or(Malformed)?;
        self.0 = rest;
        Ok(Some((tag, &element[header.size..])))
    }

    /// Whether nothing is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left must be elements, whatever they mean: later versions of the protocol may add
    /// some at the end, which readers must ignore (RFC 4511, section 4).
    pub(super) fn ignore_rest(mut self) -> Result<(), Malformed> {
        while self.next()?.is_some() {}
        Ok(())
    }
}

/// The sizes of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Of tag and length together.
    pub(super) size: usize,
    /// Of what follows them.
    pub(super) content: usize,
}

/// Reads tag and length of the element the bytes begin with; nothing if they end before.
pub(super) fn header(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
    let Some(tag) = bytes.first() else { return Ok(None) };
    if tag & 0x1f == 0x1f {
        return Err(Malformed);
    }
    match bytes.get(1).copied() {
        None => Ok(None),
        Some(short @ ..=0x7f) => Ok(Some(Header { size: 2, content: usize::from(short) })),
        // 0x80 would be an indefinite length.
        Some(long @ 0x81..=0x84) => {
            let size = usize::from(long - 0x80) + 2;
            let Some(length) = bytes.get(2..size) else { return Ok(None) };
            let content = length.iter().fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
            Ok(Some(Header { size, content: usize::try_from(content).map_err(|_| Malformed)? }))
        }
        Some(_) => Err(Malformed),
    }
}

/// A whole number of at most 32 bits, as all of LDAP's are.
pub(super) fn integer(content: &[u8]) -> Result<i32, Malformed> {
    let [first, rest @ ..] = content else { return Err(Malformed) };
    if rest.len() > 3 {
        return Err(Malformed);
    }
    let sign = i32::from(i8::from_be_bytes([*first]));
    Ok(rest.iter().fold(sign, |sum, byte| (sum << 8) | i32::from(*byte)))
}

/// Text in UTF-8.
pub(super) fn text(content: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(content).map_err(|_| Malformed)
}

/// Encodes an element around its content.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len() + 6);
    bytes.push(tag);
    if let Ok(short @ ..=0x7f) = u8::try_from(content.len()) {
        bytes.push(short);
    } else {
        let length = content.len().to_be_bytes();
        let zeros = length.iter().take_while(|byte| **byte == 0).count();
        let length = &length[zeros..];
        // At most eight.
        bytes.push(0x80 | u8::try_from(length.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(length);
    }
    bytes.extend_from_slice(content);
    bytes
}

/// Encodes a whole number.
pub(super) fn encoded_integer(tag: u8, number: i32) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let fill = if number < 0 { 0xff } else { 0 };
    // One byte stays, and one that would change the sign.
    let spare =
        bytes.windows(2).take_while(|pair| pair[0] == fill && (pair[1] ^ fill) & 0x80 == 0).count();
    element(tag, &bytes[spare..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A walk through everything, as deep as it goes.
    fn walk(bytes: &[u8], depth: u32) -> Result<usize, Malformed> {
        let (mut elements, mut count) = (Elements(bytes), 0);
        while let Some((tag, content)) = elements.next()? {
            count += 1;
            if tag & 0x20 != 0 && depth > 0 {
                count += walk(content, depth - 1)?;
            }
        }
        Ok(count)
    }

    #[test]
    fn lengths_in_every_form() {
        for bytes in [&[0x04, 1, b'x'][..], &[0x04, 0x81, 1, b'x'], &[0x04, 0x84, 0, 0, 0, 1, b'x']]
        {
            assert_eq!(Elements(bytes).expect(tag::OCTETS), Ok(&b"x"[..]));
        }
        let long = element(tag::OCTETS, &[7; 300]);
        assert_eq!(long[..4], [0x04, 0x82, 0x01, 0x2c]);
        assert_eq!(Elements(&long).expect(tag::OCTETS).map(<[u8]>::len), Ok(300));
    }

    #[test]
    fn what_ldap_does_not_allow_is_malformed() {
        for bytes in [
            &[0x04][..],
            &[0x04, 1],
            &[0x04, 0x81],
            &[0x04, 0x80, b'x', 0, 0],
            &[0x04, 0x85, 0, 0, 0, 0, 1, b'x'],
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff, b'x'],
            &[0x04, 0xff],
            &[0x1f, 0x81, 0x01, 0],
            &[0x05, 0],
            &[],
        ] {
            assert_eq!(Elements(bytes).expect(tag::OCTETS), Err(Malformed), "{bytes:02x?}");
        }
    }

    #[test]
    fn numbers() {
        for number in [0, 1, 127, 128, 255, 256, 32_768, i32::MAX, -1, -128, -129, i32::MIN] {
            let bytes = encoded_integer(tag::INTEGER, number);
            let content = Elements(&bytes).expect(tag::INTEGER).expect("an integer");
            assert_eq!(integer(content), Ok(number));
        }
        assert_eq!(encoded_integer(tag::INTEGER, 128), [0x02, 2, 0, 128]);
        assert_eq!(integer(&[]), Err(Malformed));
        assert_eq!(integer(&[0, 0, 0, 0, 1]), Err(Malformed));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = walk(&bytes, 8);
            let _ = integer(&bytes);
        }

        #[test]
        fn what_was_encoded_is_read_and_every_cut_is_noticed(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..5),
        ) {
            let inner: Vec<u8> =
                contents.iter().flat_map(|content| element(tag::OCTETS, content)).collect();
            let bytes = element(tag::SEQUENCE, &inner);
            let mut elements = Elements(&bytes).inside(tag::SEQUENCE)?;
            for content in &contents {
                prop_assert_eq!(elements.expect(tag::OCTETS)?, content.as_slice());
            }
            prop_assert!(elements.is_at_end());
            for cut in 1..bytes.len() {
                prop_assert_eq!(walk(&bytes[..cut], 1), Err(Malformed));
            }
        }
    }
}
