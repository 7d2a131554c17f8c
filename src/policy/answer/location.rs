//! Where a redirect leads, as a browser reads it.

use std::fmt::Write;

use crate::percent::{decode_lenient, is_unreserved};

/// The target of a redirect, read.
#[derive(Debug)]
pub(crate) struct Location {
    pub(crate) target: Target,
    query: Vec<(String, String)>,
    fragment: Vec<(String, String)>,
}

/// Where a redirect leads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// The redirect URI of the request.
    Asked,
    /// Some other place.
    Elsewhere,
    /// The identity provider itself.
    Own,
}

impl Location {
    /// Reads the value of a `location` header, or the URL of a `refresh` header.
    pub(crate) fn parse(value: &[u8], redirect_uri: &str, own_hosts: &[String]) -> Self {
        let text = as_browsers_do(value);
        let (rest, fragment) = text.split_once('#').unwrap_or((&text, ""));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        // Scripts that read a fragment split it as they like.
        let fragment = fragment.split(['#', '?', '/', ';']).flat_map(pairs).collect();
        Self { target: target(place, query, redirect_uri, own_hosts), query: pairs(query).collect(), fragment }
    }

    /// Values of a parameter of the query.
    pub(crate) fn all<'l>(&'l self, name: &'l str) -> impl Iterator<Item = &'l str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether query or fragment have a parameter of one of these names.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        self.query.iter().chain(&self.fragment).any(|(name, _)| names.contains(&name.as_str()))
    }
}

/// Browsers drop tabs and line ends, trim blanks, and take `\` for `/`.
fn as_browsers_do(value: &[u8]) -> String {
    let text: String = value.iter().copied().map(char::from).filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    text.trim_matches(|c: char| c <= ' ').replace('\\', "/")
}

fn pairs(raw: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |text: &str| String::from_utf8_lossy(&decode_lenient(&latin1(text), true)).into_owned();
    raw.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// The octets that [`as_browsers_do`] made characters of.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

fn target(place: &str, query: &str, redirect_uri: &str, own_hosts: &[String]) -> Target {
    let (asked, asked_query) = redirect_uri.split_once('?').unwrap_or((redirect_uri, ""));
    let keeps_the_query = || {
        let sent: Vec<(String, String)> = pairs(query).collect();
        pairs(asked_query).all(|pair| sent.contains(&pair))
    };
    let has_scheme = place.split_once(':').is_some_and(|(scheme, _)| !scheme.is_empty() && !scheme.contains('/'));
    if has_scheme && normal(place) == normal(asked) && keeps_the_query() {
        return Target::Asked;
    }
    let authority = if has_scheme {
        let (scheme, rest) = place.split_once(':').unwrap_or_default();
        let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
        // However many slashes follow a web scheme, a browser takes what comes then for the authority.
        is_web.then(|| rest.trim_start_matches('/'))
    } else if place.starts_with("//") {
        Some(place.trim_start_matches('/'))
    } else {
        return Target::Own;
    };
    let host = authority.and_then(|rest| rest.split('/').next()).map(host_of);
    if host.is_some_and(|host| own_hosts.contains(&host)) { Target::Own } else { Target::Elsewhere }
}

/// A host in lower case, without user information, port and trailing dot.
fn host_of(authority: &str) -> String {
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Scheme, authority and path after the normalisation that servers do when they
/// write a URI again (RFC 3986 §6.2.2, §6.2.3).
fn normal(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    let Some(rest) = rest.strip_prefix("//") else { return Some(format!("{scheme}:{}", plain_escapes(rest))) };
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    let authority = authority.to_ascii_lowercase();
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    Some(format!("{scheme}://{authority}{}", if path.is_empty() { "/".to_owned() } else { plain_escapes(path) }))
}

/// Unreserved characters plain, every other escape in upper case.
fn plain_escapes(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut parts = path.split('%');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let octet = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match octet {
            Some(octet) if is_unreserved(octet) => out.push(char::from(octet)),
            Some(octet) => {
                let _infallible = write!(out, "%{octet:02X}");
            }
            None => {
                out.push('%');
                out.push_str(part);
                continue;
            }
        }
        out.push_str(part.get(2..).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target_of(location: &str, redirect_uri: &str) -> Target {
        Location::parse(location.as_bytes(), redirect_uri, &["login.example.com".to_owned()]).target
    }

    #[test]
    fn a_redirect_leads_where_a_browser_would_go() {
        let asked = "https://app.example/cb";
        for (location, expected) in [
            ("https://app.example/cb?code=1", Target::Asked),
            ("HTTPS://APP.example:443/cb?code=1", Target::Asked),
            ("https://app.example/%63b", Target::Asked),
            ("https:\\\\app.example\\cb", Target::Asked),
            ("https://app.example/CB", Target::Elsewhere),
            ("https://app.example/cb/", Target::Elsewhere),
            ("https://app.example:8443/cb", Target::Elsewhere),
            ("http://app.example/cb", Target::Elsewhere),
            ("https://app.example@evil.example/cb", Target::Elsewhere),
            ("https://login.example.com@evil.example/cb", Target::Elsewhere),
            ("https://app.example.evil.example/cb", Target::Elsewhere),
            ("/login?x=1", Target::Own),
            ("login", Target::Own),
            ("?x=1", Target::Own),
            ("https://login.example.com/login", Target::Own),
            ("https://LOGIN.example.com:8443/login", Target::Own),
            ("//login.example.com/login", Target::Own),
            ("//evil.example/login", Target::Elsewhere),
            ("/\\evil.example/login", Target::Elsewhere),
            ("/\t/evil.example/login", Target::Elsewhere),
            ("https:/evil.example", Target::Elsewhere),
            ("https:evil.example", Target::Elsewhere),
            ("javascript:alert(1)", Target::Elsewhere),
            ("com.example.app:/cb", Target::Elsewhere),
        ] {
            assert_eq!(target_of(location, asked), expected, "{location}");
        }
        assert_eq!(target_of("com.example.app:/cb?code=1", "com.example.app:/cb"), Target::Asked);
        assert_eq!(target_of("http://127.0.0.1:51004/cb?code=1", "http://127.0.0.1:51004/cb"), Target::Asked);
        assert_eq!(target_of("http://127.0.0.1:1/cb?code=1", "http://127.0.0.1:51004/cb"), Target::Elsewhere);
        assert_eq!(target_of("https://app.example?code=1", "https://app.example/"), Target::Asked);
    }

    #[test]
    fn a_registered_query_is_kept() {
        let asked = "https://app.example/cb?tenant=a";
        assert_eq!(target_of("https://app.example/cb?tenant=a&code=1", asked), Target::Asked);
        assert_eq!(target_of("https://app.example/cb?code=1", asked), Target::Elsewhere);
        assert_eq!(target_of("https://app.example/cb?tenant=b&code=1", asked), Target::Elsewhere);
    }

    #[test]
    fn parameters_come_from_query_and_fragment() {
        let location =
            Location::parse(b"https://a.example/cb?state=a%20b&st%61te=c#/access_token=t", "https://a.example/cb", &[]);
        assert_eq!(location.all("state").collect::<Vec<_>>(), ["a b", "c"]);
        assert!(location.has(&["access_token"]) && !location.has(&["code"]));
        for fragment in ["x#access_token=t", "x?access_token=t", "/access_token=t&b"] {
            let location = Location::parse(format!("https://a.example/cb#{fragment}").as_bytes(), "https://a.example/cb", &[]);
            assert!(location.has(&["access_token"]), "{fragment}");
        }
    }
}
