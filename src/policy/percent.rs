//! Percent-encoding, read strictly and printed in one spelling.

use std::borrow::Cow;

/// What stands in the way of decoding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DecodeError {
    /// A `%` without two hex digits.
    Percent,
    /// Octets that are not UTF-8.
    Utf8,
}

/// Decodes `application/x-www-form-urlencoded` text: `+` is a space, `%XX` an
/// octet, the result UTF-8 (RFC 6749 Appendix B; OAuth 2.1 draft Appendix B).
pub(crate) fn decode_form(raw: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    if !raw.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return std::str::from_utf8(raw).map(Cow::Borrowed).map_err(|_| DecodeError::Utf8);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let (octet, tail) = hex_pair(rest).ok_or(DecodeError::Percent)?;
                decoded.push(octet);
                rest = tail;
            }
            other => decoded.push(other),
        }
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| DecodeError::Utf8)
}

/// Decodes as the most forgiving servers do: a bad escape stays as it is,
/// `%uXXXX` is a code point, octets need not be text.
pub(crate) fn decode_lenient(raw: &[u8], plus_is_space: bool) -> Cow<'_, [u8]> {
    if !raw.iter().any(|&byte| byte == b'%' || (plus_is_space && byte == b'+')) {
        return Cow::Borrowed(raw);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' if plus_is_space => decoded.push(b' '),
            b'%' => {
                if let Some((octet, tail)) = hex_pair(rest) {
                    decoded.push(octet);
                    rest = tail;
                } else if let Some((point, tail)) = percent_u(rest) {
                    decoded.extend_from_slice(point.encode_utf8(&mut [0; 4]).as_bytes());
                    rest = tail;
                } else {
                    decoded.push(b'%');
                }
            }
            other => decoded.push(other),
        }
    }
    Cow::Owned(decoded)
}

/// Prints a value in the gate's one spelling: unreserved characters plain, every
/// other octet `%HH` in upper case, a space `%20` (RFC 3986 §2.3, §6.2.2.1).
pub(crate) fn encode_into(text: &str, out: &mut String) {
    out.reserve(text.len());
    let mut rest = text;
    // Runs of plain characters are copied whole; every boundary lies beside ASCII.
    while let Some(at) = rest.bytes().position(|byte| !is_unreserved(byte)) {
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let character = tail.chars().next().unwrap_or_default();
        let mut octets = [0; 4];
        for byte in character.encode_utf8(&mut octets).bytes() {
            out.push('%');
            out.push(hex_digit(byte >> 4));
            out.push(hex_digit(byte & 15));
        }
        rest = tail.get(character.len_utf8()..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// `unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"` (RFC 3986 §2.3).
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn hex_pair(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = bytes.split_first_chunk::<2>()?;
    Some(((hex_value(high)? << 4) | hex_value(low)?, rest))
}

fn percent_u(bytes: &[u8]) -> Option<(char, &[u8])> {
    let (&marker, digits) = bytes.split_first()?;
    if !marker.eq_ignore_ascii_case(&b'u') {
        return None;
    }
    let (&digits, rest) = digits.split_first_chunk::<4>()?;
    let mut point = 0_u32;
    for digit in digits {
        point = (point << 4) | u32::from(hex_value(digit)?);
    }
    Some((char::from_u32(point)?, rest))
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn hex_digit(value: u8) -> char {
    char::from(if value < 10 { b'0'.wrapping_add(value) } else { b'7'.wrapping_add(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_is_strict_where_servers_differ() {
        assert_eq!(decode_form(b"a+b%20c").as_deref(), Ok("a b c"));
        assert_eq!(decode_form(b"%"), Err(DecodeError::Percent));
        assert_eq!(decode_form(b"%u0074"), Err(DecodeError::Percent));
        assert_eq!(decode_form(b"%C0%AF"), Err(DecodeError::Utf8));
    }

    #[test]
    fn lenient_decoding_follows_the_forgiving() {
        assert_eq!(&*decode_lenient(b"%u0074pc_%zz+", true), b"tpc_%zz ");
        assert_eq!(&*decode_lenient(b"a+b", false), b"a+b");
    }

    #[test]
    fn one_spelling_is_printed() {
        let mut out = String::new();
        encode_into("a b/\u{e9}~", &mut out);
        assert_eq!(out, "a%20b%2F%C3%A9~");
    }
}
