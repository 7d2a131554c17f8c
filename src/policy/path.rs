//! Which paths some server would read as one and the same.
//!
//! A raw path that equals an endpoint octet for octet *is* that endpoint. One that
//! only equals it after the rewriting that routers do is ambiguous: the gate and
//! the server behind it could disagree, so it is refused (standards 2.1).

use unicode_normalization::UnicodeNormalization;

use crate::fold;
use crate::percent::decode_lenient;

/// Reduces a path to what the most forgiving router keeps of it.
///
/// Percent-escapes (up to three layers), what follows NUL, `?` or `#`,
/// backslashes, path parameters, empty and dot segments, blanks and dots at the
/// end of a segment, the suffix of the last segment, width and case are gone.
///
/// `None` for a path with more characters beyond ASCII than any honest one has:
/// normalising those would cost milliseconds.
pub(crate) fn canonical(path: &[u8]) -> Option<String> {
    let mut octets = path.to_vec();
    for _ in 0..3 {
        let decoded = decode_lenient(&octets, false).into_owned();
        if decoded == octets {
            break;
        }
        octets = decoded;
    }
    let octets = decode_overlong(&octets);
    let [text, dropped] = fold::texts(&octets);
    if text.chars().filter(|c| !c.is_ascii()).count() > MOST_BEYOND_ASCII {
        return None;
    }
    let text: String = if dropped.is_empty() { text.nfkc().collect() } else { text.into_owned() };
    let text = text.split(['\0', '?', '#']).next().unwrap_or_default().replace('\\', "/");

    let mut segments: Vec<String> = Vec::new();
    for segment in text.split('/') {
        let plain = segment.split(';').next().unwrap_or_default();
        match plain.trim() {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            named => {
                let named = fold::fold(named.trim_end_matches(|c: char| c == '.' || c.is_whitespace()));
                if !named.is_empty() {
                    segments.push(named);
                }
            }
        }
    }
    if let Some(last) = segments.last_mut() {
        // `/authorize.json` and, for a suffix pattern, `/authorize.a.b` too.
        if let Some(dot) = last.char_indices().skip(1).find(|&(_, c)| c == '.').map(|(at, _)| at) {
            last.truncate(dot);
        }
    }
    Some(format!("/{}", segments.join("/")))
}

const MOST_BEYOND_ASCII: usize = 512;

/// Whether a path is its own canonical form for sure, so that nothing needs folding.
pub(crate) fn is_plain(path: &[u8]) -> bool {
    let Some((b'/', rest)) = path.split_first() else { return false };
    rest.split(|&byte| byte == b'/')
        .all(|segment| !segment.is_empty() && segment.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_')))
}

/// A path as it may stand in a log or a counter: only a plain one of moderate length.
pub(crate) fn shown(path: &[u8]) -> String {
    let text = std::str::from_utf8(path).unwrap_or_default();
    if is_plain(path) && text.len() <= 64 { text.to_owned() } else { String::new() }
}

/// Reads two-octet overlong forms of ASCII (`C0 AF` is `/`), as old decoders do.
fn decode_overlong(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((&first, tail)) = rest.split_first() {
        match (first, tail.split_first()) {
            (0xC0 | 0xC1, Some((&second, tail))) if second & 0xC0 == 0x80 => {
                out.push(((first & 0x1F) << 6) | (second & 0x3F));
                rest = tail;
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rewriting_of_a_path_ends_at_the_same_place() {
        for path in [
            "/oauth/token",
            "/OAuth/Token",
            "/oauth/token/",
            "//oauth//token",
            "/oauth/./token",
            "/x/../oauth/token",
            "/x/..;/oauth/token",
            "/oauth/token;v=1",
            "/oauth;a=b/token",
            "/oauth%2ftoken",
            "/oauth%252ftoken",
            "/oauth%25252ftoken",
            "/oauth%5Ctoken",
            "/oauth\\token",
            "/%6fauth/token",
            "/oauth/token%00",
            "/oauth/token%00.js",
            "/oauth/token.json",
            "/oauth/token.a.b",
            "/oauth/token.",
            "/oauth/token%20",
            "/oauth/token%3f/x",
            "/oauth/token#x",
            "/\u{ff4f}auth/token",
            "/%EF%BD%8Fauth/token",
            "/oauth%c0%aftoken",
            "/oauth/%u0074oken",
            "/oauth/token%0a",
        ] {
            assert_eq!(canonical(path.as_bytes()).as_deref(), Some("/oauth/token"), "{path}");
        }
    }

    #[test]
    fn other_paths_stay_other() {
        for path in ["/oauth/tokens", "/oauth", "/oauth/token/x", "/oauthtoken", "/", "/.well-known/x"] {
            assert_ne!(canonical(path.as_bytes()).as_deref(), Some("/oauth/token"), "{path}");
        }
    }

    #[test]
    fn plain_paths_are_their_own_canonical_form() {
        for path in ["/oauth/token", "/a-b/c_d/9"] {
            assert!(is_plain(path.as_bytes()));
            assert_eq!(canonical(path.as_bytes()).as_deref(), Some(path));
        }
        for path in ["", "oauth", "//", "/oauth/", "/Oauth", "/a.b", "/a%20b", "/a;b", "/\u{e9}"] {
            assert!(!is_plain(path.as_bytes()), "{path}");
        }
    }
}
