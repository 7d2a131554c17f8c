//! Folding: what a collation, a framework or a router may take for the same text.
//!
//! The gate never compares folded text to let something in; it folds to notice
//! that somebody behind it might (standards 2.1, 2.2, 2.5).

#[cfg(test)]
mod unicode;

use std::borrow::Cow;

include!(concat!(env!("OUT_DIR"), "/characters.rs"));

/// Folds text to what the most forgiving comparison keeps of it: case, width,
/// accents, strokes, other scripts' digits, controls and invisible characters,
/// surrounding blanks, what follows a NUL, and numeric character references are gone.
pub(crate) fn fold(text: &str) -> String {
    let text = unescape_html(text);
    let cut = text.split('\0').next().unwrap_or_default();
    let mut folded = String::with_capacity(cut.len().min(LONGEST));
    if cut.is_ascii() {
        folded.extend(cut.chars().filter(|c| !c.is_ascii_control()).map(|c| c.to_ascii_lowercase()));
    } else {
        let characters = cut.trim_start().chars().filter(|c| !c.is_ascii_control()).map(|c| (c, beyond_ascii(c)));
        // Long text is no id and no name; folding it whole would cost milliseconds.
        for (c, text) in characters.filter(|(_, text)| *text != Some("")).take(LONGEST) {
            match text {
                Some(text) => folded.push_str(text),
                // An id, a name or a path of ours has none of these, in whatever case.
                None => folded.extend(c.to_lowercase()),
            }
        }
    }
    let trimmed = folded.trim_matches(char::is_whitespace);
    if trimmed.len() == folded.len() { folded } else { trimmed.to_owned() }
}

/// What a character beyond ASCII folds to; `None` where nothing of that is ASCII.
pub(crate) fn beyond_ascii(c: char) -> Option<&'static str> {
    let gone = GONE.get(..GONE.partition_point(|(first, _)| *first <= c))?.last();
    if gone.is_some_and(|(_, last)| c <= *last) {
        return Some("");
    }
    let run = RUNS.get(..RUNS.partition_point(|(first, _)| *first <= c))?.last();
    let of_run = run.and_then(|(first, folded)| {
        let at = usize::try_from(u32::from(c).checked_sub(u32::from(*first))?).ok()?;
        folded.get(at..at.checked_add(1)?)
    });
    let text = || TEXTS.get(TEXTS.binary_search_by_key(&c, |(c, _)| *c).ok()?).map(|(_, text)| *text);
    of_run.or_else(text)
}

/// Text whose characters of other widths and shapes are the ASCII that some servers take them for.
pub(crate) fn in_ascii_shape(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut shaped = String::with_capacity(text.len());
    for c in text.chars() {
        match beyond_ascii(c) {
            Some(ascii) if !ascii.is_empty() => shaped.push_str(ascii),
            _ => shaped.push(c),
        }
    }
    Cow::Owned(shaped)
}

/// Characters of a text that are folded, where some are not ASCII: more than any id, name or path segment has.
const LONGEST: usize = 256;

/// Every text that octets may stand for: UTF-8; else Latin-1, and what remains
/// when bad octets are dropped.
pub(crate) fn texts(octets: &[u8]) -> [Cow<'_, str>; 2] {
    if let Ok(text) = std::str::from_utf8(octets) {
        return [Cow::Borrowed(text), Cow::Borrowed("")];
    }
    let latin1 = octets.iter().copied().map(char::from).collect();
    let dropped = octets.utf8_chunks().map(|chunk| chunk.valid()).collect();
    [Cow::Owned(latin1), Cow::Owned(dropped)]
}

/// A name without what servers take off its ends, however long that is: blanks, controls
/// and brackets before it (PHP, Rack, qs), what follows a NUL, and brackets behind it.
pub(crate) fn core_of_name(name: &[u8]) -> &[u8] {
    let is_off = |byte: &u8| byte.is_ascii_whitespace() || byte.is_ascii_control() || matches!(byte, b'[' | b']');
    let start = name.iter().position(|byte| !is_off(byte)).unwrap_or(name.len());
    let name = name.get(start..).unwrap_or_default();
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    let is_bracket = |byte: &u8| matches!(byte, b'[' | b']');
    if name.contains(&b']') { name.split(is_bracket).next().unwrap_or_default() } else { name }.trim_ascii_end()
}

/// Folds the name of a parameter, as well as the rewriting that frameworks do to
/// names: PHP turns `.`, blank and `[` into `_`, many cut `[…]` off.
pub(crate) fn fold_name(octets: &[u8]) -> String {
    let [text, dropped] = texts(octets);
    let text = if dropped.is_empty() { text } else { dropped };
    let folded = fold(&text);
    let name = folded.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '_');
    // `client[id` has no closing bracket: PHP keeps it as `client_id`.
    let name = if name.contains(']') { name.split(['[', ']']).next().unwrap_or_default() } else { name };
    let mut name = name.to_owned();
    if name.contains(['.', ' ', '[']) {
        name = name.replace(['.', ' ', '['], "_");
    }
    name
}

/// Reads `&#116;` and `&#x74;`, which a lax form decoder may do.
fn unescape_html(text: &str) -> Cow<'_, str> {
    if !text.contains("&#") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("&#") {
        out.push_str(before);
        if let Some((c, tail)) = character_reference(after) {
            out.push(c);
            rest = tail;
        } else {
            out.push_str("&#");
            rest = after;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn character_reference(text: &str) -> Option<(char, &str)> {
    let (digits, radix) = match text.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16),
        None => (text, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (number, tail) = digits.split_at_checked(end)?;
    let c = char::from_u32(u32::from_str_radix(number, radix).ok()?)?;
    Some((c, tail.strip_prefix(';').unwrap_or(tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_fold_are_followed() {
        for variant in [
            "TPC_abc",
            "tpc_abc ",
            "\u{a0}tpc_abc\t",
            "\u{ff54}pc_abc",
            "t\u{1e57}c_abc",
            "tpc_abc\0x",
            "\u{feff}tpc_abc",
            "t\u{200b}pc_abc",
            "&#116;pc_abc",
            "&#x74;pc_abc",
            "tp\u{301}c_ABC",
            "t\u{1}pc_abc",
            "t\tpc_abc",
            "tpc\u{7f}_abc",
            "tp\u{85}c_abc",
            "tp\u{640}c_abc",
            "\u{167}pc_abc",
        ] {
            assert_eq!(fold(variant), "tpc_abc", "{variant:?}");
        }
        assert_eq!(fold("cl\u{131}ent_\u{17f}"), "client_s");
        assert_eq!(fold("p\u{d8}rtal-\u{661}\u{ff12}"), "portal-12");
    }

    #[test]
    fn each_character_folds_as_unicode_has_it() {
        for c in '\u{80}'..=char::MAX {
            let (expected, text) = (unicode::folded(c), beyond_ascii(c));
            if expected.is_empty() || expected.bytes().any(|byte| byte.is_ascii()) {
                assert_eq!(text, Some(expected.as_str()), "{c:?}");
            } else {
                assert_eq!(text, None, "{c:?} folds to {expected:?}");
                assert!(!c.to_lowercase().any(|c| c.is_ascii()), "{c:?}");
            }
        }
    }

    #[test]
    fn octets_that_are_not_text_have_two_readings() {
        assert_eq!(texts(b"tpc\xff_a"), ["tpc\u{ff}_a", "tpc_a"]);
    }

    #[test]
    fn names_fold_as_frameworks_rewrite_them() {
        for name in [
            "client_id",
            "Client_ID",
            "client.id",
            "client id",
            " client_id",
            "client[id",
            "client_id[]",
            "client_id[0]",
            "client_id[x]",
            "client_id\0x",
            "\u{feff}client_id",
            "?client_id",
            "cl\u{131}ent_id",
            "[client_id]",
            "client_id]",
            "[]client_id",
            "[][client_id][x]",
        ] {
            assert_eq!(fold_name(name.as_bytes()), "client_id", "{name:?}");
        }
        for name in ["client", "client-id", "xclient_id", "client_identifier", "client\0_id"] {
            assert_ne!(fold_name(name.as_bytes()), "client_id", "{name:?}");
        }
    }
}
