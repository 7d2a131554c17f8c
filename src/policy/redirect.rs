//! Redirection URIs: registered, requested, and proved to be one of the registered.

/// A redirect URI that the client registered, as the request spelled it.
///
/// Only [`RedirectUris::resolve`] makes one, so holding it is the proof that a
/// redirect is safe (RFC 9700 §4.1.3; draft-ietf-oauth-v2-1-15 §4.1.2.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedRedirectUri(String);

impl VerifiedRedirectUri {
    /// The URI, octet for octet as it was asked for.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The redirect URIs of one client.
#[derive(Clone, Debug, Default)]
pub struct RedirectUris {
    registered: Vec<RegisteredRedirectUri>,
    loopback_port_is_free: bool,
    localhost_is_loopback: bool,
}

impl RedirectUris {
    /// None yet. For native and URL clients the port of a loopback URI is free
    /// (RFC 8252 §7.3); for the name `localhost` too where that counts as loopback
    /// (RFC 8252 §8.3 advises against it; real agents use it).
    #[must_use]
    pub fn new(loopback_port_is_free: bool, localhost_is_loopback: bool) -> Self {
        Self { registered: Vec::new(), loopback_port_is_free, localhost_is_loopback }
    }

    /// Registers a URI.
    pub fn register(&mut self, uri: RegisteredRedirectUri) {
        self.registered.push(uri);
    }

    /// Whether none is registered.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.registered.is_empty()
    }

    /// Whether the port of a loopback URI is free.
    #[must_use]
    pub fn loopback_port_is_free(&self) -> bool {
        self.loopback_port_is_free
    }

    /// Proves that a requested URI is a registered one.
    ///
    /// Simple string comparison (RFC 3986 §6.2.1, RFC 9700 §4.1.3); only the port
    /// of a loopback `http` URI of a native client is free (RFC 8252 §7.3, §8.4).
    /// `None` in, when the request names none: the only registered URI is meant,
    /// unless its port would be free.
    #[must_use]
    pub fn resolve(&self, requested: Option<&str>) -> Option<VerifiedRedirectUri> {
        let Some(requested) = requested else {
            return match self.registered.as_slice() {
                [only] if !only.is_loopback() => Some(VerifiedRedirectUri(only.0.clone())),
                _ => None,
            };
        };
        if !is_uri(requested) {
            return None;
        }
        let matches = |registered: &RegisteredRedirectUri| {
            registered.0 == requested || (self.loopback_port_is_free && self.differs_in_loopback_port(&registered.0, requested))
        };
        self.registered.iter().any(matches).then(|| VerifiedRedirectUri(requested.to_owned()))
    }

    fn differs_in_loopback_port(&self, registered: &str, requested: &str) -> bool {
        match (Loopback::parse(registered), Loopback::parse(requested)) {
            (Some(registered), Some(requested)) => {
                registered == requested && (registered.host != "localhost" || self.localhost_is_loopback)
            }
            _ => false,
        }
    }
}

/// A redirect URI that can be registered for a strict client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegisteredRedirectUri(String);

impl RegisteredRedirectUri {
    /// Reads a callback of the policy document.
    ///
    /// # Errors
    /// Says why it could never match safely (draft-ietf-oauth-v2-1-15 §2.3.1,
    /// RFC 9700 §2.6, §4.1.3).
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains('*') {
            return Err("wildcards never match; list each callback");
        }
        if text.contains('#') {
            return Err("must have no fragment");
        }
        if !is_uri(text) {
            return Err("must be an absolute URI");
        }
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        if let Some(authority) = authority_of(rest)
            && authority.contains('@')
        {
            return Err("must have no user information before the host");
        }
        let query = text.split_once('?').map_or("", |(_, query)| query);
        if query.split('&').any(|pair| RESPONSE_PARAMETERS.contains(&pair.split('=').next().unwrap_or_default())) {
            return Err("must have no query parameter of an authorization response, such as `code` or `state`");
        }
        match scheme.to_ascii_lowercase().as_str() {
            "https" if authority_of(rest).is_some_and(|authority| !authority.is_empty()) => Ok(Self(text.to_owned())),
            "https" => Err("must name a host"),
            "http" if Loopback::parse(text).is_some() => Ok(Self(text.to_owned())),
            "http" => Err("must use https, or a loopback address"),
            "about" | "blob" | "data" | "file" | "javascript" | "urn" | "vbscript" | "ws" | "wss" | "ftp" => {
                Err("must use https, a loopback address, or an application's own scheme")
            }
            _ => Ok(Self(text.to_owned())),
        }
    }

    fn is_loopback(&self) -> bool {
        Loopback::parse(&self.0).is_some()
    }
}

/// A loopback `http` URI without its port.
#[derive(Debug, Eq, PartialEq)]
struct Loopback<'u> {
    host: &'u str,
    path_and_query: &'u str,
}

impl<'u> Loopback<'u> {
    fn parse(uri: &'u str) -> Option<Self> {
        let rest = uri.strip_prefix("http://")?;
        let host = ["127.0.0.1", "[::1]", "localhost"].into_iter().find(|host| rest.starts_with(host))?;
        let rest = rest.strip_prefix(host)?;
        let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (port, path_and_query) = rest.split_at_checked(path_at)?;
        match port.strip_prefix(':') {
            None if port.is_empty() => {}
            Some(digits) if is_port(digits) => {}
            _ => return None,
        }
        Some(Self { host, path_and_query })
    }
}

/// A port in decimal, 1 to 65535, without leading zeros.
fn is_port(digits: &str) -> bool {
    !digits.starts_with(['0', '+']) && digits.parse::<u16>().is_ok()
}

fn authority_of(after_scheme: &str) -> Option<&str> {
    after_scheme.strip_prefix("//").map(|rest| rest.split(['/', '?']).next().unwrap_or_default())
}

/// Whether text is made of URI characters only, begins with a scheme and has no
/// fragment (RFC 3986 §2, §3.1).
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let characters_fit = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte));
    let escapes_fit = rest
        .split('%')
        .skip(1)
        .all(|after| after.get(..2).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())));
    scheme_fits && !rest.is_empty() && characters_fit && escapes_fit
}

/// Parameters of authorization responses, which a registered query must not carry.
const RESPONSE_PARAMETERS: &[&str] = &["access_token", "code", "error", "id_token", "iss", "response", "state"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_never_match_safely_cannot_be_registered() {
        for uri in [
            "",
            "/cb",
            "https://*.example/cb",
            "https://app.example/cb#x",
            "http://app.example/cb",
            "https:///cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://user@app.example/cb",
            "https://app.example/cb?code=1",
            "https://app.example/ü",
            "urn:ietf:wg:oauth:2.0:oob",
            "http://localhost.evil.test/cb",
            "http://127.0.0.1:0/cb",
        ] {
            assert!(RegisteredRedirectUri::parse(uri).is_err(), "{uri}");
        }
        for uri in [
            "https://app.example/cb?tenant=a",
            "http://127.0.0.1/cb",
            "http://[::1]:8080/",
            "cursor://x/cb",
            "com.example.app:/cb",
        ] {
            assert!(RegisteredRedirectUri::parse(uri).is_ok(), "{uri}");
        }
    }

    #[test]
    fn an_omitted_redirect_uri_is_the_only_one_registered_unless_it_is_loopback() {
        let registered = |uris: &[&str]| {
            let mut all = RedirectUris::default();
            for uri in uris {
                all.register(RegisteredRedirectUri::parse(uri).unwrap());
            }
            all.resolve(None).map(|uri| uri.0)
        };
        assert_eq!(registered(&["https://a.example/cb"]).as_deref(), Some("https://a.example/cb"));
        assert_eq!(registered(&["https://a.example/cb", "https://b.example/cb"]), None);
        assert_eq!(registered(&["http://127.0.0.1/cb"]), None);
        assert_eq!(registered(&[]), None);
    }
}
