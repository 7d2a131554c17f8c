//! What the most forgiving comparison keeps of one character beyond ASCII.
//!
//! The build script asks this of each character of Unicode, and embeds what has to do with ASCII: ids, names and
//! paths are ASCII, and the tables of Unicode that it takes to find out would be a fifth of the module.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A character without case, width, accents, strokes and script of its digits; nothing of one that nobody sees.
pub(crate) fn folded(c: char) -> String {
    // Upper case first: `ı` and `ſ` only meet their ASCII letter there.
    let cased = seen(c.nfkd()).flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let plain = cased.map(|c| plain_digit(c).unwrap_or_else(|| without_stroke(c)));
    // Case may bring marks back.
    seen(plain.nfkd()).collect()
}

fn seen(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    text.filter(|&c| !is_combining_mark(c) && !is_invisible(c))
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
