//! The head of a request, as octets.

/// The head of a request: built once, from the host's list of header lines.
///
/// Envoy joins the lines of some headers with a comma before a filter sees them
/// (`authorization`, `content-type`, `host`) and keeps others apart. The
/// constructor joins them all, so that every runner judges the same head.
#[derive(Clone, Debug)]
pub struct Head {
    lines: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// Builds a head from header lines, pseudo-headers included, names in any case.
    #[must_use]
    pub fn new<N, V>(lines: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<Vec<u8>>,
    {
        let mut joined: Vec<(String, Vec<u8>)> = Vec::new();
        for (name, value) in lines {
            let (mut name, value) = (name.into(), value.into());
            name.make_ascii_lowercase();
            // Cookie lines are the one list that does not join with a comma, and nobody here reads them.
            let earlier = joined.iter_mut().find(|(known, _)| *known == name && name != "cookie");
            if let Some((_, first)) = earlier {
                first.push(b',');
                first.extend_from_slice(&value);
            } else {
                joined.push((name, value));
            }
        }
        Self { lines: joined }
    }

    /// The value of a header, its lines joined; `name` in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.lines.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// `:method`.
    #[must_use]
    pub fn method(&self) -> &[u8] {
        self.get(":method").unwrap_or_default()
    }

    /// `:path`: path and query as on the wire.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.get(":path").unwrap_or_default()
    }

    /// The path, up to the first `?`.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        self.target().split(|&byte| byte == b'?').next().unwrap_or_default()
    }

    /// The query behind the first `?`, without it.
    #[must_use]
    pub fn query(&self) -> Option<&[u8]> {
        let mut parts = self.target().splitn(2, |&byte| byte == b'?');
        parts.next();
        parts.next()
    }

    /// The scheme that the client used, as the trusted hop tells it.
    #[must_use]
    pub fn scheme(&self) -> &[u8] {
        self.get("x-forwarded-proto").or_else(|| self.get(":scheme")).unwrap_or_default()
    }

    /// The host that is asked for: lower case, without port and trailing dot.
    ///
    /// `None` where it is absent or no text.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let authority = std::str::from_utf8(self.get(":authority").or_else(|| self.get("host"))?).ok()?;
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        Some(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase())
    }

    /// The `authorization` header.
    #[must_use]
    pub fn authorization(&self) -> Option<&[u8]> {
        self.get("authorization")
    }

    /// Whether the client is a browser that would show a page.
    #[must_use]
    pub fn accepts_html(&self) -> bool {
        let accept = self.get("accept").unwrap_or_default().to_ascii_lowercase();
        accept.windows(b"text/html".len()).any(|part| part == b"text/html")
    }

    /// Envoy's id of the request, if it is one that cannot have been made up to be shown.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        let id = std::str::from_utf8(self.get("x-request-id")?).ok()?;
        let fits = (1..=64).contains(&id.len());
        (fits && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')).then_some(id)
    }

    /// What the body is said to be.
    #[must_use]
    pub fn media_type(&self) -> MediaType {
        MediaType::parse(self.get("content-type"))
    }

    /// Whether the body is compressed or otherwise coded (RFC 9110 §8.4).
    #[must_use]
    pub fn has_content_coding(&self) -> bool {
        self.get("content-encoding").is_some_and(|coding| !coding.trim_ascii().eq_ignore_ascii_case(b"identity"))
    }

    /// Names of headers that are there, out of a list.
    pub(crate) fn present<'n>(&self, names: &'n [&'static str]) -> impl Iterator<Item = &'n &'static str> {
        names.iter().filter(|name| self.get(name).is_some())
    }
}

/// The media type of a request body, as far as the gate tells them apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MediaType {
    /// No `content-type`.
    Absent,
    /// `application/x-www-form-urlencoded` in UTF-8 (RFC 6749 Appendix B).
    Form,
    /// `application/json`, or a type with the suffix `+json`.
    Json,
    /// Something else, a list, or another charset.
    Other,
}

impl MediaType {
    fn parse(value: Option<&[u8]>) -> Self {
        let Some(value) = value else { return Self::Absent };
        let value = value.to_ascii_lowercase();
        let mut parts = value.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        let essence = parts.next().unwrap_or_default();
        let charset_is_utf8 = parts.all(|parameter| matches!(parameter, b"" | b"charset=utf-8" | b"charset=\"utf-8\""));
        match essence {
            _ if !charset_is_utf8 => Self::Other,
            b"application/x-www-form-urlencoded" => Self::Form,
            b"application/json" => Self::Json,
            _ if essence.ends_with(b"+json") && !essence.contains(&b',') => Self::Json,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &[(&str, &str)]) -> Head {
        Head::new(lines.iter().map(|&(name, value)| (name, value)))
    }

    #[test]
    fn a_repeated_header_reads_as_envoy_joins_it() {
        let head = head(&[("Authorization", "Basic a"), ("x", "1"), ("authorization", "Basic b")]);
        assert_eq!(head.authorization(), Some(&b"Basic a,Basic b"[..]));
    }

    #[test]
    fn the_host_is_compared_without_port_case_and_dot() {
        for authority in ["IDP.Example", "idp.example:443", "idp.example.", "idp.example.:8443"] {
            assert_eq!(head(&[(":authority", authority)]).host().as_deref(), Some("idp.example"), "{authority}");
        }
        assert_eq!(head(&[(":authority", "[::1]:80")]).host().as_deref(), Some("[::1]"));
        assert_eq!(head(&[]).host(), None);
    }

    #[test]
    fn a_made_up_request_id_is_none() {
        assert_eq!(head(&[("x-request-id", "<script>")]).request_id(), None);
        assert_eq!(head(&[("x-request-id", "a-1")]).request_id(), Some("a-1"));
    }

    #[test]
    fn only_one_plain_media_type_is_a_form() {
        for (value, expected) in [
            ("application/x-www-form-urlencoded", MediaType::Form),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", MediaType::Form),
            ("application/x-www-form-urlencoded; charset=\"utf-8\"", MediaType::Form),
            ("application/x-www-form-urlencoded; charset=utf-16", MediaType::Other),
            ("application/x-www-form-urlencoded; charset=utf-8; charset=utf-7", MediaType::Other),
            ("application/x-www-form-urlencoded; boundary=x", MediaType::Other),
            ("application/x-www-form-urlencoded,application/json", MediaType::Other),
            ("application/json; charset=utf-8", MediaType::Json),
            ("application/vnd.api+json", MediaType::Json),
            ("multipart/form-data; boundary=x", MediaType::Other),
            ("", MediaType::Other),
        ] {
            assert_eq!(head(&[("content-type", value)]).media_type(), expected, "{value}");
        }
        assert_eq!(head(&[]).media_type(), MediaType::Absent);
    }
}
