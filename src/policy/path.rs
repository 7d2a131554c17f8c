//! Which paths some server would read as one and the same.
//!
//! A raw path that equals an endpoint octet for octet *is* that endpoint. One that
//! only equals it after the rewriting that routers do is ambiguous: the gate and
//! the server behind it could disagree, so it is refused (standards 2.1).

use std::collections::BTreeSet;

use crate::fold;
use crate::percent::decode_lenient;

/// Every reduction of a path that some router makes.
///
/// Percent-escapes (up to three layers), path parameters, the suffix of the last
/// segment, what follows NUL, `?` or `#`, backslashes, empty and dot segments, a
/// leading authority, a script before the path or a path behind a script, blanks and
/// dots at the end of a segment, width and case are gone; in whatever order routers
/// take them away, as each order can end at another place.
///
/// `None` for a path that would take too long: no honest one has so many layers, or so
/// many characters beyond ASCII.
pub(crate) fn canonicals(path: &[u8]) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for octets in layers(path)? {
        let octets = decode_overlong(&octets);
        for text in fold::texts(&octets).iter().filter(|text| !text.is_empty()) {
            if text.chars().filter(|c| !c.is_ascii()).count() > MOST_BEYOND_ASCII {
                return None;
            }
            let text = fold::in_ascii_shape(text).replace('\\', "/");
            let cut = text.split(['\0', '?', '#']).next().unwrap_or_default();
            let texts = [Some(text.as_str()), Some(cut).filter(|cut| cut.len() < text.len())];
            for text in texts.into_iter().flatten() {
                // `//host/path` is a path to one server and an authority to another.
                let authority = text.strip_prefix("//").map(|rest| rest.trim_start_matches('/'));
                let behind_authority = authority.and_then(|rest| rest.get(rest.find('/')?..));
                for text in [Some(text), behind_authority].into_iter().flatten() {
                    reduce(text, false, &mut found);
                    // Without `..` there is nothing that an empty segment could change.
                    if text.contains("..") {
                        reduce(text, true, &mut found);
                    }
                }
            }
        }
    }
    Some(found)
}

/// The canonical form of a plainly spelled endpoint: its case and its suffix are gone.
pub(crate) fn canonical_of(endpoint: &str) -> String {
    let mut found = BTreeSet::new();
    // A script is what the endpoint ends with, so only its whole path counts.
    reduce(endpoint, false, &mut found);
    found.into_iter().max_by_key(String::len).unwrap_or_default()
}

/// The path as it came and as it is after each rewriting that can come before another one.
fn layers(path: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut layers: Vec<Vec<u8>> = vec![path.to_vec()];
    let mut next = 0_usize;
    // Three layers of escapes, with parameters and suffix taken off at any of them.
    for _ in 0..3 {
        let end = layers.len();
        let mut more: Vec<Vec<u8>> = Vec::new();
        for octets in layers.get(next..).unwrap_or_default() {
            for stripped in [octets.clone(), without_parameters(octets), without_suffix(octets)] {
                more.push(decode_lenient(&stripped, false).into_owned());
                more.push(stripped);
            }
        }
        next = end;
        for octets in more {
            if !layers.contains(&octets) {
                layers.push(octets);
            }
        }
        let work = layers.iter().map(Vec::len).sum::<usize>();
        if layers.len() > MOST_LAYERS || work > MOST_WORK {
            return None;
        }
    }
    Some(layers)
}

/// Without `;…` in each segment, before anything is decoded (RFC 3986 §3.3).
fn without_parameters(path: &[u8]) -> Vec<u8> {
    let segments: Vec<&[u8]> =
        path.split(|&byte| byte == b'/').map(|segment| segment.split(|&byte| byte == b';').next().unwrap_or_default()).collect();
    segments.join(&b'/')
}

/// Without what follows the first dot of the last segment.
fn without_suffix(path: &[u8]) -> Vec<u8> {
    let at = path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at.saturating_add(1));
    let (head, last) = path.split_at_checked(at).unwrap_or((path, &[]));
    let dot = last.iter().skip(1).position(|&byte| byte == b'.').map_or(last.len(), |dot| dot.saturating_add(1));
    [head, last.get(..dot).unwrap_or(last)].concat()
}

/// Reduces a decoded text, with empty segments dropped before `..` is resolved, or kept until then.
fn reduce(text: &str, keeps_empty: bool, found: &mut BTreeSet<String>) {
    let mut segments: Vec<String> = Vec::new();
    for segment in text.strip_prefix('/').unwrap_or(text).split('/') {
        let plain = segment.split(';').next().unwrap_or_default();
        match plain.trim() {
            "." => {}
            "" if !keeps_empty => {}
            ".." => {
                segments.pop();
            }
            named => segments.push(fold::fold(named.trim_end_matches(|c: char| c == '.' || c.is_whitespace()))),
        }
    }
    segments.retain(|segment| !segment.is_empty());
    // A front controller, or a session, before the path that is meant.
    let begins_odd = segments.first().is_some_and(|first| is_script(first) || (first.starts_with('(') && first.ends_with(')')));
    let behind = segments.get(1..).filter(|_| begins_odd).map(<[String]>::to_vec);
    // A path that is handed to a script.
    let script = segments.iter().position(|segment| is_script(segment));
    let before = script.and_then(|at| segments.get(..=at)).map(<[String]>::to_vec);
    for mut segments in [Some(segments), behind, before].into_iter().flatten() {
        if let Some(last) = segments.last_mut()
            && let Some(dot) = last.char_indices().skip(1).find(|&(_, c)| c == '.').map(|(at, _)| at)
        {
            // `/authorize.json` and, for a suffix pattern, `/authorize.a.b` too.
            last.truncate(dot);
        }
        found.insert(format!("/{}", segments.join("/")));
    }
}

/// Whether a segment is a program that servers hand the rest of the path to.
fn is_script(segment: &str) -> bool {
    let suffixes = [".php", ".php5", ".phtml", ".asp", ".aspx", ".ashx", ".cfm", ".cgi", ".do", ".jsp", ".pl", ".py"];
    suffixes.iter().any(|suffix| segment.ends_with(suffix))
}

const MOST_BEYOND_ASCII: usize = 512;

/// Rewritings of a path in each other; an honest one has four.
const MOST_LAYERS: usize = 48;

/// Octets of all of them.
const MOST_WORK: usize = 64 * 1024;

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

/// Reads overlong forms of ASCII (`C0 AF` is `/`), as old decoders do.
fn decode_overlong(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((&first, tail)) = rest.split_first() {
        match (first, tail) {
            (0xC0 | 0xC1, [second, tail @ ..]) if second & 0xC0 == 0x80 => {
                out.push(((first & 0x1F) << 6) | (second & 0x3F));
                rest = tail;
            }
            (0xE0, [second @ (0x80 | 0x81), third, tail @ ..]) if third & 0xC0 == 0x80 => {
                out.push(((second & 1) << 6) | (third & 0x3F));
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
            "/oauth/token;a%2f..%2f..",
            "/oauth/token.a%2f%2e%2e%2f%2e%2e",
            "//x/oauth/token",
            "/x%23/../oauth/token",
            "/x%3f/../oauth/token",
            "/oauth//../token/../oauth/token",
            "/index.php/oauth/token",
            "/(S(x))/oauth/token",
            "/oauth/token.php/x",
            "/oauth%e0%80%aftoken",
            "/oauth/token%ff",
        ] {
            assert!(canonicals(path.as_bytes()).unwrap().contains("/oauth/token"), "{path}");
        }
    }

    #[test]
    fn other_paths_stay_other() {
        for path in ["/oauth/tokens", "/oauth", "/oauth/token/x", "/oauthtoken", "/", "/.well-known/x"] {
            assert!(!canonicals(path.as_bytes()).unwrap().contains("/oauth/token"), "{path}");
        }
    }

    #[test]
    fn plain_paths_are_their_own_canonical_form() {
        for path in ["/oauth/token", "/a-b/c_d/9"] {
            assert!(is_plain(path.as_bytes()));
            assert_eq!(canonicals(path.as_bytes()).unwrap().iter().collect::<Vec<_>>(), [path]);
        }
        // RFC 3986 keeps an empty segment until `..` takes it away.
        assert!(canonicals(b"/connect//../token").unwrap().contains("/connect/token"));
        for path in ["", "oauth", "//", "/oauth/", "/Oauth", "/a.b", "/a%20b", "/a;b", "/\u{e9}"] {
            assert!(!is_plain(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn a_path_that_takes_too_long_is_none() {
        let long = format!("/{}", "%25252e%3b/".repeat(1400));
        for path in [long, format!("/{}", "\u{e9}".repeat(600)), "/a;%3b.%2e".repeat(1500)] {
            if let Some(found) = canonicals(path.as_bytes()) {
                assert!(found.len() < 400, "{}", found.len());
            }
        }
        assert_eq!(canonicals(format!("/{}", "\u{e9}".repeat(600)).as_bytes()), None);
    }
}
