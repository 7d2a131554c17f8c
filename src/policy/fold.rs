//! Folding: what a collation, a framework or a router may take for the same text.
//!
//! The gate never compares folded text to let something in; it folds to notice
//! that somebody behind it might (standards 2.1, 2.2, 2.5).

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folds text to what the most forgiving comparison keeps of it: case, width,
/// accents, strokes, other scripts' digits, controls and invisible characters,
/// surrounding blanks, what follows a NUL, and numeric character references are gone.
pub(crate) fn fold(text: &str) -> String {
    let text = unescape_html(text);
    let cut = text.split('\0').next().unwrap_or_default();
    let folded: String = if cut.is_ascii() {
        cut.chars().filter(|c| !c.is_ascii_control()).map(|c| c.to_ascii_lowercase()).collect()
    } else {
        // Long text is no id and no name; folding it whole would cost milliseconds.
        let kept = cut.trim_start().chars().filter(|&c| !is_invisible(c) && !is_combining_mark(c)).take(LONGEST);
        kept.nfkd()
            .filter(|&c| !is_combining_mark(c) && !is_invisible(c))
            // Upper case first: `ı` and `ſ` only meet their ASCII letter there.
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .map(|c| plain_digit(c).unwrap_or_else(|| without_stroke(c)))
            // Case may bring marks back. Nothing is composed: the tables for that would be a tenth of the module.
            .nfkd()
            .filter(|&c| !is_combining_mark(c))
            .collect()
    };
    let trimmed = folded.trim_matches(char::is_whitespace);
    if trimmed.len() == folded.len() { folded } else { trimmed.to_owned() }
}

/// Letters that collations take for a plain one, though Unicode does not decompose them.
fn without_stroke(c: char) -> char {
    match c {
        'ø' | 'ɵ' => 'o',
        'ł' | 'ƚ' => 'l',
        'đ' | 'ð' | 'ɖ' => 'd',
        'ħ' => 'h',
        'ŧ' => 't',
        'ƀ' => 'b',
        'ɨ' => 'i',
        'ƈ' => 'c',
        'ƥ' => 'p',
        _ => c,
    }
}

/// The digit that another script writes otherwise (Unicode category Nd).
fn plain_digit(c: char) -> Option<char> {
    let point = u32::from(c);
    let zero = ZEROS.iter().find(|zero| (**zero..zero.saturating_add(10)).contains(&point))?;
    char::from_digit(point.checked_sub(*zero)?, 10)
}

/// Where the digits of scripts begin.
const ZEROS: &[u32] = &[
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0,
    0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0,
    0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
];

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

/// Characters that take no room on a page, or no weight in a collation: controls, zero-width,
/// byte order mark, direction and format marks, the Arabic stretch.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{0600}'..='\u{0605}' | '\u{061C}' | '\u{0640}' | '\u{06DD}' | '\u{070F}' | '\u{07FA}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
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
