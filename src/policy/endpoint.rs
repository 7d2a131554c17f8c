//! Endpoints, and which path is which.

use crate::fold::beyond_ascii;
use crate::head::{Field, Head};
use crate::path;
use crate::percent::{decode_form, decode_lenient, encode_into, is_unreserved};

/// An endpoint that the gate judges, or a door that it watches.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Endpoint {
    /// The authorization endpoint (RFC 6749 §3.1).
    Authorization,
    /// An endpoint that strict clients cannot use.
    Refused,
    /// The registration endpoint (RFC 7591 §3, RFC 7592).
    Registration,
    /// The token endpoint (RFC 6749 §3.2).
    Token,
    /// Any path that is no listed endpoint.
    Unlisted,
}

impl Endpoint {
    /// The name in the settings: that of RFC 8414 §2 without `_endpoint`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Refused => "refused",
            Self::Registration => "registration",
            Self::Token => "token",
            Self::Unlisted => "unlisted",
        }
    }

    /// Whether requests there are judged in full, and rebuilt for strict clients.
    #[must_use]
    pub fn is_judged(self) -> bool {
        matches!(self, Self::Authorization | Self::Token)
    }
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// A path that some server would read as an endpoint, and another would not.
    Ambiguous(Endpoint),
    /// No endpoint of ours.
    Elsewhere,
    /// Exactly this endpoint.
    Endpoint(Endpoint),
}

impl Place {
    /// The endpoint that the path is, or may be read as.
    #[must_use]
    pub fn endpoint(self) -> Option<Endpoint> {
        match self {
            Self::Ambiguous(endpoint) | Self::Endpoint(endpoint) => Some(endpoint),
            Self::Elsewhere => None,
        }
    }
}

/// The paths of the endpoints of an identity provider.
#[derive(Clone, Debug, Default)]
pub struct Endpoints(Vec<(Endpoint, EndpointPath)>);

impl Endpoints {
    /// Adds a path to an endpoint.
    pub fn add(&mut self, endpoint: Endpoint, path: EndpointPath) {
        self.0.push((endpoint, path));
    }

    /// Takes all paths of an endpoint out.
    pub fn clear(&mut self, endpoint: Endpoint) {
        self.0.retain(|(known, _)| *known != endpoint);
    }

    /// The paths of an endpoint, as they are written.
    pub fn paths(&self, endpoint: Endpoint) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| *known == endpoint).map(|(_, path)| path.raw.text.as_str())
    }

    /// Where a request goes, by its path and by headers that replace the path in some frameworks.
    #[must_use]
    pub fn place(&self, head: &Head) -> Place {
        let raw = head.path();
        let place = self.place_of(raw);
        // Symfony, Laminas and IIS route by these headers instead of the path (CVE-2018-14773).
        let lines = PATH_OVERRIDES.into_iter().filter_map(|field| head.get(field));
        // The same target once more, as proxies add it, hides nothing. Behind a comma may be another line.
        let hides = |line: &[u8]| line.split(|&byte| byte == b',').skip(1).any(|part| part.contains(&b'/'));
        let others = lines.filter(|line| without_origin(line) != head.target() || hides(line));
        let mut effort = 0_usize;
        for value in others.flat_map(|line| line.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii) {
            let target = without_origin(value);
            let path = target.split(|&byte| byte == b'?').next().unwrap_or_default();
            // The same target once more, as proxies add it, or the same path: nothing is hidden in there.
            if target == head.target() || (target == raw && path == raw) {
                continue;
            }
            effort = effort.saturating_add(path.len()).saturating_add(EFFORT_OF_A_PATH);
            if effort > MOST_EFFORT {
                return self.folded(|_| true);
            }
            match (self.place_of(path).endpoint(), place.endpoint().filter(|endpoint| endpoint.is_judged())) {
                (Some(endpoint), _) if endpoint.is_judged() => return Place::Ambiguous(endpoint),
                (Some(_), Some(endpoint)) => return Place::Ambiguous(endpoint),
                (Some(endpoint), None) => return Place::Endpoint(endpoint),
                (None, _) => {}
            }
        }
        place
    }

    /// What stands at each `{}` of the endpoint that a raw path is: an id of
    /// a client may be among it (`/samlp/{}`).
    #[must_use]
    pub(crate) fn placeholders(&self, raw: &[u8]) -> Vec<Vec<u8>> {
        let of = |pattern: &str, path: &[u8]| -> Vec<Vec<u8>> {
            let segments = path.split(|&byte| byte == b'/').zip(pattern.split('/'));
            let named = segments.filter(|(_, expected)| *expected == "{}").map(|(segment, _)| segment);
            named.map(|segment| decode_lenient(segment, false).into_owned()).collect()
        };
        if let Some((_, path)) = self.0.iter().find(|(_, path)| path.is(raw)) {
            let mut found = of(&path.raw.text, raw);
            // Some servers take a suffix, or a dot, off the last segment.
            if let Some(last) = found.last().filter(|_| path.raw.text.ends_with("{}")).cloned() {
                let is_dot = |byte: &u8| *byte == b'.';
                let ends = [last.iter().position(is_dot), last.iter().rposition(is_dot)];
                found.extend(ends.into_iter().flatten().filter_map(|at| last.get(..at)).map(<[u8]>::to_vec));
            }
            return found;
        }
        let mut found = Vec::new();
        for canonical in path::canonicals(raw).unwrap_or_default() {
            for (_, path) in self.0.iter().filter(|(_, path)| path.folds_to(canonical.as_bytes())) {
                found.extend(of(&path.canonical.text, canonical.as_bytes()));
            }
        }
        found
    }

    /// Where a raw path leads.
    #[must_use]
    pub fn place_of(&self, raw: &[u8]) -> Place {
        // A path in two lists is judged, not only closed to some.
        if let Some((endpoint, _)) =
            self.0.iter().filter(|(_, path)| path.is(raw)).max_by_key(|(endpoint, _)| endpoint.is_judged())
        {
            return Place::Endpoint(*endpoint);
        }
        if path::is_plain(raw) {
            // Its canonical form is itself; only an endpoint that is spelled oddly could still be meant.
            return self.folded(|path| !path.is_plain && path.folds_to(raw));
        }
        match path::canonicals(raw) {
            Some(found) => self.folded(|path| found.iter().any(|canonical| path.folds_to(canonical.as_bytes()))),
            // A path that nobody normalises in reasonable time is nobody's honest one.
            None => self.folded(|_| true),
        }
    }

    /// A variant of a judged endpoint is refused. One of a door is that door: what
    /// is closed there is closed however it is spelled.
    fn folded(&self, folds: impl Fn(&EndpointPath) -> bool) -> Place {
        let found = |is_judged: bool| self.0.iter().find(|(endpoint, path)| endpoint.is_judged() == is_judged && folds(path));
        match (found(true), found(false)) {
            (Some((endpoint, _)), _) => Place::Ambiguous(*endpoint),
            (None, Some((endpoint, _))) => Place::Endpoint(*endpoint),
            (None, None) => Place::Elsewhere,
        }
    }
}

/// The path of an endpoint; `{}` stands for one segment of letters, digits, `-._~` and blanks:
/// realms have names like `ACME Corp.` and `münchen`. So does `{any}`, where whoever the segment
/// names is not the one who asks: users withdraw there what they agreed to for a client.
#[derive(Clone, Debug)]
pub struct EndpointPath {
    raw: Pattern,
    canonical: Pattern,
    is_plain: bool,
}

impl EndpointPath {
    /// Reads a path as the settings write it.
    ///
    /// # Errors
    /// Says what is wrong where it is no path, or has a query, a fragment, an
    /// escape or a dot segment.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err("must begin with `/`");
        };
        let fits = |segment: &str| {
            matches!(segment, "{}" | "{any}")
                || (!matches!(segment, "" | "." | "..")
                    && segment.bytes().all(|byte| {
                        is_unreserved(byte)
                            || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@')
                    }))
        };
        // Django and its like end their paths in a slash, which is then part of the name.
        if !rest.strip_suffix('/').unwrap_or(rest).split('/').all(fits) {
            return Err("must be a plain path: segments of letters, digits and `-._~`, or `{}` or `{any}` for any one segment");
        }
        // A placeholder survives canonicalisation: braces are neither decoded nor trimmed.
        let canonical = path::canonical_of(text);
        let is_plain = path::is_plain(text.replace("{}", "x").replace("{any}", "x").as_bytes());
        Ok(Self { raw: Pattern::new(text.to_owned()), canonical: Pattern::new(canonical), is_plain })
    }

    fn is(&self, raw: &[u8]) -> bool {
        self.raw.matches(raw, is_name)
    }

    fn folds_to(&self, canonical: &[u8]) -> bool {
        self.canonical.matches(canonical, |segment| !segment.is_empty())
    }
}

/// Whether a raw segment is a name that every router reads alike: escaped is what has to be
/// (RFC 3986 §2.4), in UTF-8, and no router makes anything but a letter or a blank of it.
fn is_name(segment: &[u8]) -> bool {
    if matches!(segment, b"" | b"." | b"..") {
        return false;
    }
    if segment.iter().all(|&byte| is_unreserved(byte)) {
        return true;
    }
    let Ok(text) = decode_form(segment) else { return false };
    let mut spelled = String::new();
    encode_into(&text, &mut spelled);
    let is_letter = |c: char| {
        c.is_alphanumeric()
            && beyond_ascii(c).is_none_or(|text| text.chars().all(|part| !part.is_ascii() || part.is_ascii_alphanumeric()))
    };
    // Only the case of hex digits is left open.
    spelled.as_bytes().eq_ignore_ascii_case(segment)
        && !(text.starts_with(' ') || text.ends_with(' '))
        && text.chars().all(|c| is_letter(c) || matches!(c, ' ' | '-' | '.' | '_' | '~'))
}

/// A path with `{}` or `{any}` for some segments.
#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    first_placeholder: Option<usize>,
}

impl Pattern {
    fn new(text: String) -> Self {
        let first_placeholder = text.find('{');
        Self { text, first_placeholder }
    }

    /// Whether a path is like that; every request is compared with every endpoint.
    fn matches(&self, path: &[u8], placeholder: impl Fn(&[u8]) -> bool) -> bool {
        let pattern = self.text.as_bytes();
        let Some(at) = self.first_placeholder else { return pattern == path };
        if path.get(..at) != pattern.get(..at) {
            return false;
        }
        let mut expected = pattern.split(|&byte| byte == b'/');
        let mut actual = path.split(|&byte| byte == b'/');
        loop {
            match (expected.next(), actual.next()) {
                (None, None) => return true,
                (Some(b"{}" | b"{any}"), Some(segment)) if placeholder(segment) => {}
                (Some(wanted), Some(segment)) if wanted == segment => {}
                _ => return false,
            }
        }
    }
}

/// A target in absolute form without its scheme and authority.
fn without_origin(target: &[u8]) -> &[u8] {
    let at = target.windows(3).position(|part| part == b"://");
    match at.and_then(|at| target.get(at.saturating_add(3)..)) {
        Some(rest) if !target.starts_with(b"/") => {
            rest.iter().position(|&byte| byte == b'/').and_then(|at| rest.get(at..)).unwrap_or(b"/")
        }
        Some(_) | None => target,
    }
}

/// Headers by which a client can replace the path in some frameworks, by name; those
/// that hand headers on as variables do not tell `-` and `_` apart.
pub const PATH_OVERRIDE_NAMES: [&str; 8] = [
    "x-original-url",
    "x-original_url",
    "x-rewrite-url",
    "x-rewrite_url",
    "x_original-url",
    "x_original_url",
    "x_rewrite-url",
    "x_rewrite_url",
];

/// Octets of paths in them that are taken apart: as many as fit into a head would take too long.
const MOST_EFFORT: usize = 4096;

/// What each of them costs besides.
const EFFORT_OF_A_PATH: usize = 32;

const PATH_OVERRIDES: [Field; 2] = [Field::XOriginalUrl, Field::XRewriteUrl];

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints() -> Endpoints {
        let mut endpoints = Endpoints::default();
        endpoints.add(Endpoint::Token, EndpointPath::parse("/oauth/token").unwrap());
        endpoints.add(Endpoint::Token, EndpointPath::parse("/connect/Token.aspx").unwrap());
        endpoints.add(Endpoint::Authorization, EndpointPath::parse("/realms/{}/auth").unwrap());
        endpoints.add(Endpoint::Refused, EndpointPath::parse("/samlp/{}").unwrap());
        endpoints
    }

    #[test]
    fn a_placeholder_is_one_plain_segment() {
        for (path, place) in [
            ("/realms/acme/auth", Place::Endpoint(Endpoint::Authorization)),
            ("/realms/a.b~c-D_9/auth", Place::Endpoint(Endpoint::Authorization)),
            ("/realms/ac%6de/auth", Place::Ambiguous(Endpoint::Authorization)),
            ("/realms/../auth", Place::Elsewhere),
            ("/realms/a/b/auth", Place::Elsewhere),
            ("/realms//auth", Place::Elsewhere),
            ("/realms/acme/auth/", Place::Ambiguous(Endpoint::Authorization)),
            ("/REALMS/acme/auth", Place::Ambiguous(Endpoint::Authorization)),
            ("/realms/ACME%20Corp./auth", Place::Endpoint(Endpoint::Authorization)),
            ("/realms/m%C3%BCnchen/auth", Place::Endpoint(Endpoint::Authorization)),
            ("/realms/%e6%9d%b1%e4%ba%ac/auth", Place::Endpoint(Endpoint::Authorization)),
            // Half an escape, a slash in disguise, overlong, Latin-1, a blank at an end, raw octets.
            ("/realms/acme%2/auth", Place::Ambiguous(Endpoint::Authorization)),
            ("/realms/a%2Fb/auth", Place::Ambiguous(Endpoint::Authorization)),
            ("/realms/a%EF%BC%8Fb/auth", Place::Ambiguous(Endpoint::Authorization)),
            ("/realms/a%C0%AFb/auth", Place::Ambiguous(Endpoint::Authorization)),
            ("/realms/m%FCnchen/auth", Place::Ambiguous(Endpoint::Authorization)),
            ("/realms/acme%20/auth", Place::Ambiguous(Endpoint::Authorization)),
            ("/realms/m\u{fc}nchen/auth", Place::Ambiguous(Endpoint::Authorization)),
            ("/realms/a%2520b/auth", Place::Ambiguous(Endpoint::Authorization)),
        ] {
            assert_eq!(endpoints().place_of(path.as_bytes()), place, "{path}");
        }
    }

    #[test]
    fn an_endpoint_with_case_and_suffix_is_itself_and_its_plain_form_is_ambiguous() {
        assert_eq!(endpoints().place_of(b"/connect/Token.aspx"), Place::Endpoint(Endpoint::Token));
        assert_eq!(endpoints().place_of(b"/connect/token"), Place::Ambiguous(Endpoint::Token));
        assert_eq!(endpoints().place_of(b"/connect/tokens"), Place::Elsewhere);
    }

    #[test]
    fn a_header_that_replaces_the_path_makes_it_ambiguous() {
        let head = |target: &str| Head::new([(":path", target), ("x-original-url", "/oauth/token?x=1")]);
        assert_eq!(endpoints().place(&head("/health")), Place::Ambiguous(Endpoint::Token));
        assert_eq!(endpoints().place(&head("/oauth/token")), Place::Ambiguous(Endpoint::Token), "another query");
        assert_eq!(endpoints().place(&head("/oauth/token?x=1")), Place::Endpoint(Endpoint::Token));
        assert_eq!(endpoints().place(&head("/samlp/x")), Place::Ambiguous(Endpoint::Token));
        for value in ["https://h/oauth/token", "//h/oauth/token", "/health, /oauth/token", "/OAuth/token"] {
            let head = Head::new([(":path", "/health"), ("X_Original-URL", value)]);
            assert_eq!(endpoints().place(&head), Place::Ambiguous(Endpoint::Token), "{value}");
        }
    }

    #[test]
    fn the_names_of_overrides_are_those_that_are_read() {
        let spelled: std::collections::BTreeSet<String> = PATH_OVERRIDE_NAMES.iter().map(|name| name.replace('_', "-")).collect();
        assert_eq!(PATH_OVERRIDES.map(Field::name).map(str::to_owned), *spelled.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_variant_of_a_door_is_that_door() {
        for path in ["/samlp/x", "/SAMLP/x", "/samlp/x/", "//samlp/%78", "/samlp;a/x"] {
            assert_eq!(endpoints().place_of(path.as_bytes()), Place::Endpoint(Endpoint::Refused), "{path}");
        }
        assert_eq!(endpoints().place_of(b"/samlp"), Place::Elsewhere);
        let head = Head::new([(":path", "/health"), ("x-original-url", "/samlp/x")]);
        assert_eq!(endpoints().place(&head), Place::Endpoint(Endpoint::Refused));
    }

    #[test]
    fn placeholders_give_what_stands_there() {
        assert_eq!(endpoints().placeholders(b"/samlp/tpc_a"), [b"tpc_a"]);
        assert_eq!(endpoints().placeholders(b"/samlp/a.b.xml"), [&b"a.b.xml"[..], b"a", b"a.b"]);
        assert!(endpoints().placeholders(b"/samlp/tp%63_a/").contains(&b"tpc_a".to_vec()));
        assert_eq!(endpoints().placeholders(b"/realms/acme/auth"), [b"acme"]);
        assert_eq!(endpoints().placeholders(b"/other/tpc_a"), [] as [Vec<u8>; 0]);
    }

    #[test]
    fn a_slash_at_the_end_is_part_of_the_name() {
        let mut endpoints = Endpoints::default();
        for (endpoint, path) in [
            (Endpoint::Token, "/o/token/"),
            (Endpoint::Authorization, "/o/authorize/"),
            (Endpoint::Authorization, "/o/authorize"),
            (Endpoint::Registration, "/o/register/{}/"),
        ] {
            endpoints.add(endpoint, EndpointPath::parse(path).unwrap());
        }
        for (path, place) in [
            ("/o/token/", Place::Endpoint(Endpoint::Token)),
            ("/o/token", Place::Ambiguous(Endpoint::Token)),
            ("/o/token//", Place::Ambiguous(Endpoint::Token)),
            ("/o//token/", Place::Ambiguous(Endpoint::Token)),
            ("/O/token/", Place::Ambiguous(Endpoint::Token)),
            ("/o/%74oken/", Place::Ambiguous(Endpoint::Token)),
            ("/o/token;a/", Place::Ambiguous(Endpoint::Token)),
            ("/o/token.json", Place::Ambiguous(Endpoint::Token)),
            ("/o/token/x", Place::Elsewhere),
            ("/o/authorize/", Place::Endpoint(Endpoint::Authorization)),
            ("/o/authorize", Place::Endpoint(Endpoint::Authorization)),
            ("/o/authorize//", Place::Ambiguous(Endpoint::Authorization)),
            ("/o/register/tpc_a/", Place::Endpoint(Endpoint::Registration)),
            ("/o/register/tpc_a", Place::Endpoint(Endpoint::Registration)),
            ("/o/register//", Place::Elsewhere),
        ] {
            assert_eq!(endpoints.place_of(path.as_bytes()), place, "{path}");
        }
        assert_eq!(endpoints.placeholders(b"/o/register/tpc_a/"), [b"tpc_a"]);
        assert_eq!(endpoints.placeholders(b"/o/register/tpc_a"), [b"tpc_a"]);
    }

    #[test]
    fn endpoints_are_spelled_plainly() {
        for text in ["", "oauth", "/", "//", "/oauth//", "/a//b", "/a/../b", "/a%20", "/a?b", "/a#b", "/{x}", "/a{}"] {
            assert!(EndpointPath::parse(text).is_err(), "{text}");
        }
    }
}
