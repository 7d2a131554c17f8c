//! The issuer that the user names, and the places of its metadata.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An issuer identifier (RFC 8414 §2), as it was typed: it is compared octet for octet.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    text: String,
    pub(crate) address: Address,
}

impl Issuer {
    /// Reads an issuer: https without query and fragment, or http on loopback.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let address = Address::parse(text)?;
        if address.has_query || address.has_fragment {
            return Err("an issuer has no query and no fragment (RFC 8414 §2)".to_owned());
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/@!$&'()*+,;=%".contains(&byte);
        if !address.path.bytes().all(fits) {
            return Err("the path has a character that must be escaped in a URL".to_owned());
        }
        if !address.origin.is_https && !address.origin.is_loopback() {
            return Err("expected https: http is only for an identity provider on loopback".to_owned());
        }
        Ok(Self { text: text.to_owned(), address })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether other issuers may live beside it, as realms and tenants do.
    pub(crate) fn has_path(&self) -> bool {
        !self.path().is_empty()
    }

    /// Where its metadata may be, best first.
    ///
    /// RFC 8414 §3.1 inserts the well-known name between host and path, `OpenID`
    /// Connect Discovery §4 appends it; a server may know any of them.
    pub(crate) fn well_known(&self) -> Vec<String> {
        let (base, path) = (&self.address.base, self.path());
        let mut places = vec![
            format!("{base}/.well-known/oauth-authorization-server{path}"),
            format!("{base}/.well-known/openid-configuration{path}"),
        ];
        if self.has_path() {
            places.push(format!("{base}{path}/.well-known/openid-configuration"));
        }
        places
    }

    /// "any terminating `/` MUST be removed" (RFC 8414 §3.1).
    fn path(&self) -> &str {
        self.address.path.trim_end_matches('/')
    }
}

/// An absolute http or https URL, in its parts.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) origin: Origin,
    /// Scheme and authority, as written.
    base: String,
    /// Everything between authority and query, as written; may be empty.
    pub(crate) path: String,
    pub(crate) has_query: bool,
    pub(crate) has_fragment: bool,
}

impl Address {
    /// Reads a URL (RFC 3986 §3), without user information.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected an absolute URL, such as `https://login.example.com`";
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(EXPECTED);
        }
        let (scheme, rest) = text.split_once("://").ok_or(EXPECTED)?;
        let is_https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(EXPECTED),
        };
        let (rest, has_fragment) = rest.split_once('#').map_or((rest, false), |(before, _)| (before, true));
        let (rest, has_query) = rest.split_once('?').map_or((rest, false), |(before, _)| (before, true));
        let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).ok_or(EXPECTED)?;
        let origin = Origin::parse(is_https, authority).ok_or("expected a host, with or without a port, after `://`")?;
        Ok(Self { origin, base: format!("{scheme}://{authority}"), path: path.to_owned(), has_query, has_fragment })
    }

    /// Where a redirect from here leads, if it stays at this origin.
    pub(crate) fn follow(&self, location: &str) -> Result<String, &'static str> {
        const ELSEWHERE: &str = "elsewhere: only a redirect at the same host is followed";
        if location.starts_with('/') && !location.starts_with("//") {
            return Ok(format!("{}{location}", self.base));
        }
        let target = Self::parse(location).map_err(|_| ELSEWHERE)?;
        if target.origin == self.origin { Ok(location.to_owned()) } else { Err(ELSEWHERE) }
    }
}

/// Scheme, host and port (RFC 6454 §4): what one listener serves, and so what a gate can see.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Origin {
    pub(crate) is_https: bool,
    host: String,
    port: u16,
}

impl Origin {
    fn parse(is_https: bool, authority: &str) -> Option<Self> {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok().filter(|_| !port.starts_with('+'))?),
            _ => (authority, if is_https { 443 } else { 80 }),
        };
        let is_address =
            host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok());
        let is_name =
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        (is_address || is_name).then(|| Self { is_https, host: host.to_ascii_lowercase(), port })
    }

    /// Whether it is this machine (RFC 8252 §7.3).
    pub(crate) fn is_loopback(&self) -> bool {
        let ip = self.host.trim_matches(['[', ']']);
        self.host == "localhost"
            || ip.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            || ip.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_name_is_inserted_and_appended() {
        for (issuer, places) in [
            ("https://login.example.com", &["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"][..]),
            ("https://login.example.com/", &["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]),
            (
                // RFC 8414 §3.1 and OpenID Connect Discovery §4.1 have this example.
                "https://login.example.com/issuer1/",
                &[
                    "/.well-known/oauth-authorization-server/issuer1",
                    "/.well-known/openid-configuration/issuer1",
                    "/issuer1/.well-known/openid-configuration",
                ],
            ),
        ] {
            let expected: Vec<String> = places.iter().map(|place| format!("https://login.example.com{place}")).collect();
            assert_eq!(Issuer::parse(issuer).unwrap().well_known(), expected, "{issuer}");
        }
    }

    #[test]
    fn http_is_for_loopback() {
        for issuer in ["http://localhost:8080", "http://127.0.0.1", "http://127.9.9.9:1/realms/a", "http://[::1]:8080"] {
            assert!(Issuer::parse(issuer).is_ok(), "{issuer}");
        }
        for issuer in [
            "http://login.example.com",
            "http://localhost.example",
            "http://10.0.0.1",
            "http://[::2]",
            "http://127.0.0.1.example",
        ] {
            assert!(Issuer::parse(issuer).unwrap_err().contains("loopback"), "{issuer}");
        }
    }

    #[test]
    fn what_is_no_issuer_is_refused() {
        for issuer in [
            "",
            "login.example.com",
            "ftp://login.example.com",
            "https://",
            "https:///path",
            "https://login.example.com?x",
            "https://login.example.com/#x",
            "https://user@login.example.com",
            "https://login.example.com:",
            "https://login.example.com:+1",
            "https://login.example.com:70000",
            "https://login.example.com:443:443",
            "https://[::1",
            "https://a b",
            "https://a/{x}",
            "https://a/\"",
            "https://\u{e9}.example",
        ] {
            assert!(Issuer::parse(issuer).is_err(), "{issuer}");
        }
    }

    #[test]
    fn an_origin_has_scheme_host_and_port() {
        let origin = |text| Address::parse(text).unwrap().origin;
        assert_eq!(origin("https://A.example/x"), origin("https://a.example:443/y?z#f"));
        for other in ["http://a.example", "https://a.example:8443", "https://b.example", "https://a.example."] {
            assert_ne!(origin(other), origin("https://a.example"), "{other}");
        }
    }

    #[test]
    fn a_redirect_is_followed_at_its_own_origin_only() {
        let from = Address::parse("https://a.example/x").unwrap();
        for (location, target) in [
            ("/y", Ok("https://a.example/y")),
            ("https://a.example/z", Ok("https://a.example/z")),
            ("//b.example/y", Err(())),
            ("https://b.example/y", Err(())),
            ("http://a.example/y", Err(())),
            ("https://a.example@b.example/", Err(())),
            ("https://a.example\\@b.example/", Err(())),
            ("y", Err(())),
        ] {
            assert_eq!(from.follow(location).map_err(|_| ()), target.map(str::to_owned), "{location}");
        }
    }
}
