//! The head of a request or an answer, as octets.

/// The head of a message: built once, from the host's list of header lines.
///
/// Envoy joins the lines of some headers with a comma before a filter sees them
/// (`authorization`, `content-type`, `host`) and keeps others apart. The
/// constructor joins them all, so that every runner judges the same head. It keeps
/// the fields that the gate knows, and nothing else.
#[derive(Clone, Debug)]
pub struct Head {
    fields: Box<[Option<Vec<u8>>; Field::ALL.len()]>,
    /// Names of known fields that are spelled with `_`.
    odd_names: Vec<String>,
}

macro_rules! fields {
    ($($field:ident = $name:literal,)*) => {
        /// A field of a head that the gate knows.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Field {
            $(#[doc = $name] $field,)*
        }

        impl Field {
            const ALL: &[Self] = &[$(Self::$field),*];

            /// The name on the wire.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)*
                }
            }

            fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$field),)*
                    _ => None,
                }
            }
        }
    };
}

fields! {
    Authority = ":authority",
    Method = ":method",
    Path = ":path",
    Scheme = ":scheme",
    Status = ":status",
    Accept = "accept",
    AccessControlAllowCredentials = "access-control-allow-credentials",
    AccessControlAllowHeaders = "access-control-allow-headers",
    AccessControlAllowMethods = "access-control-allow-methods",
    AccessControlAllowOrigin = "access-control-allow-origin",
    AccessControlExposeHeaders = "access-control-expose-headers",
    AccessControlMaxAge = "access-control-max-age",
    AcceptEncoding = "accept-encoding",
    Authorization = "authorization",
    CacheControl = "cache-control",
    Connection = "connection",
    ContentDigest = "content-digest",
    ContentEncoding = "content-encoding",
    ContentLength = "content-length",
    ContentMd5 = "content-md5",
    ContentSecurityPolicy = "content-security-policy",
    ContentType = "content-type",
    Digest = "digest",
    Etag = "etag",
    Host = "host",
    LastModified = "last-modified",
    Location = "location",
    OauthClientAttestation = "oauth-client-attestation",
    ReferrerPolicy = "referrer-policy",
    Refresh = "refresh",
    ReprDigest = "repr-digest",
    Upgrade = "upgrade",
    XEnvoyOriginalPath = "x-envoy-original-path",
    XForwardedPath = "x-forwarded-path",
    XForwardedPrefix = "x-forwarded-prefix",
    XForwardedProto = "x-forwarded-proto",
    XForwardedUri = "x-forwarded-uri",
    XFrameOptions = "x-frame-options",
    XHttpMethod = "x-http-method",
    XHttpMethodOverride = "x-http-method-override",
    XMethodOverride = "x-method-override",
    XOriginalUri = "x-original-uri",
    XOriginalUrl = "x-original-url",
    XRequestId = "x-request-id",
    XRequestUri = "x-request-uri",
    XRewriteUrl = "x-rewrite-url",
}

impl Head {
    /// Builds a head from header lines, pseudo-headers included, names in any case.
    #[must_use]
    pub fn new<N, V>(lines: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<str>,
        V: Into<Vec<u8>>,
    {
        let mut head = Self { fields: Box::new(std::array::from_fn(|_| None)), odd_names: Vec::new() };
        for (name, value) in lines {
            let name = name.as_ref();
            let is_plain = !name.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_');
            // Servers that hand headers on as variables do not tell `_` from `-`.
            let field = if is_plain { Field::parse(name) } else { Field::parse(&name.to_ascii_lowercase().replace('_', "-")) };
            if field.is_some() && name.contains('_') {
                head.odd_names.push(name.to_owned());
            }
            let Some(slot) = field.and_then(|field| head.fields.get_mut(field as usize)) else { continue };
            let value = value.into();
            match slot {
                Some(first) => {
                    first.push(b',');
                    first.extend_from_slice(&value);
                }
                None => *slot = Some(value),
            }
        }
        head
    }

    /// The value of a field, its lines joined.
    pub(crate) fn get(&self, field: Field) -> Option<&[u8]> {
        self.fields.get(field as usize)?.as_deref()
    }

    /// `:method`.
    #[must_use]
    pub fn method(&self) -> &[u8] {
        self.get(Field::Method).unwrap_or_default()
    }

    /// `:path`: path and query as on the wire.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.get(Field::Path).unwrap_or_default()
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
        self.get(Field::XForwardedProto).or_else(|| self.get(Field::Scheme)).unwrap_or_default()
    }

    /// The host that is asked for: lower case, without port and trailing dot.
    ///
    /// `None` where it is absent or not plainly a host: what cannot be read is judged.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let authority = std::str::from_utf8(self.get(Field::Authority).or_else(|| self.get(Field::Host))?).ok()?;
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        if host.contains(':') && !host.starts_with('[') {
            return None;
        }
        let name = host.strip_prefix('[').and_then(|address| address.strip_suffix(']')).unwrap_or(host);
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_'));
        is_plain.then(|| host.trim_end_matches('.').to_ascii_lowercase())
    }

    /// The `authorization` header.
    #[must_use]
    pub fn authorization(&self) -> Option<&[u8]> {
        self.get(Field::Authorization)
    }

    /// Whether the client is a browser that would show a page.
    #[must_use]
    pub fn accepts_html(&self) -> bool {
        let accept = self.get(Field::Accept).unwrap_or_default().to_ascii_lowercase();
        accept.windows(b"text/html".len()).any(|part| part == b"text/html")
    }

    /// Envoy's id of the request, if it is one that cannot have been made up to be shown.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        let id = std::str::from_utf8(self.get(Field::XRequestId)?).ok()?;
        let fits = (1..=64).contains(&id.len());
        (fits && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')).then_some(id)
    }

    /// Whether the body is said to be `application/x-www-form-urlencoded` in UTF-8, and
    /// nothing else (RFC 6749 Appendix B).
    #[must_use]
    pub fn is_plain_form(&self) -> bool {
        let value = self.get(Field::ContentType).unwrap_or_default().to_ascii_lowercase();
        let mut parameters = value.split(|&byte| byte == b';').map(<[u8]>::trim_ascii).skip(1);
        self.content() == Content::Form
            && parameters.all(|parameter| matches!(parameter, b"" | b"charset=utf-8" | b"charset=\"utf-8\""))
    }

    /// Whether some server would read the body as a form: its type says so in whatever
    /// company, or nothing says what it is.
    #[must_use]
    pub fn may_be_form(&self) -> bool {
        let value = self.get(Field::ContentType).unwrap_or_default();
        if value.trim_ascii().is_empty() {
            // Rack takes it for a form. One without an end in sight is a stream.
            return self.get(Field::ContentLength).is_some();
        }
        let name = b"x-www-form-urlencoded";
        value.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name))
    }

    /// What the body is said to be, whatever its parameters say.
    pub(crate) fn content(&self) -> Content {
        let Some(value) = self.get(Field::ContentType) else { return Content::Absent };
        let essence = value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
        // Go and Django take a no-break space off its beginning.
        let start = essence.iter().position(u8::is_ascii_graphic).unwrap_or_default();
        match essence.as_slice() {
            essence if essence.get(start..).is_some_and(|essence| essence.starts_with(b"multipart/")) => Content::Multipart,
            _ if value.contains(&b',') => Content::Other,
            b"application/x-www-form-urlencoded" => Content::Form,
            // `text/json` and `…+json`, too.
            essence if essence.ends_with(b"json") => Content::Json,
            _ => Content::Other,
        }
    }

    /// The boundary of a multipart body, where everybody reads the same one (RFC 2046 §5.1.1).
    pub(crate) fn boundary(&self) -> Option<&[u8]> {
        let value = self.get(Field::ContentType)?;
        let name = b"boundary";
        // Browsers have the word in the boundary itself, too. What some server takes for another one counts.
        let is_set = |text: &&[u8]| {
            let sign = text.iter().find(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\'));
            matches!(sign, Some(b'=' | b'*'))
        };
        let places = value.windows(name.len()).enumerate().filter(|(_, part)| part.eq_ignore_ascii_case(name));
        let mut texts = places.filter_map(|(at, _)| value.get(at.saturating_add(name.len())..)).filter(is_set);
        let text = texts.next().filter(|_| texts.next().is_none())?.strip_prefix(b"=")?;
        let text = text.strip_prefix(b"\"").unwrap_or(text);
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'=' | b'_');
        let (boundary, tail) = text.split_at_checked(text.iter().position(|byte| !is_plain(byte)).unwrap_or(text.len()))?;
        ((1..=70).contains(&boundary.len()) && matches!(tail.first(), None | Some(b'"' | b';'))).then_some(boundary)
    }

    /// Whether the body is a page.
    #[must_use]
    pub(crate) fn is_html(&self) -> bool {
        let value = self.get(Field::ContentType).unwrap_or_default();
        let essence = value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        essence.eq_ignore_ascii_case(b"text/html") || essence.eq_ignore_ascii_case(b"application/xhtml+xml")
    }

    /// Whether the body is said to have more octets than these (RFC 9110 §8.6).
    pub(crate) fn body_is_longer_than(&self, octets: usize) -> bool {
        let length = self.get(Field::ContentLength).and_then(|value| std::str::from_utf8(value).ok());
        length
            .and_then(|length| length.parse::<u64>().ok())
            .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > octets))
    }

    /// Whether the request opens a WebSocket: what follows is no body (RFC 6455 §4.1).
    pub(crate) fn opens_a_websocket(&self) -> bool {
        let has = |field, word: &[u8]| {
            self.get(field)
                .is_some_and(|value| value.split(|&byte| byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(word)))
        };
        self.method() == b"GET" && has(Field::Upgrade, b"websocket") && has(Field::Connection, b"upgrade")
    }

    /// Whether the body is text in a charset that hides ASCII, such as UTF-16 or UTF-7.
    #[must_use]
    pub fn has_odd_charset(&self) -> bool {
        let value = self.get(Field::ContentType).unwrap_or_default().to_ascii_lowercase();
        let value: Vec<u8> = value.into_iter().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'"').collect();
        // Django takes the charset of RFC 2231 (`charset*=`), too, and blanks that are not ASCII.
        let word = b"charset";
        let mut charsets = value
            .split(|byte| matches!(byte, b';' | b','))
            .filter(|parameter| parameter.windows(word.len()).any(|part| part == word))
            .map(|parameter| parameter.strip_prefix(b"charset="));
        // Each has ASCII where ASCII is; others, such as UTF-16, UTF-7 and EBCDIC, do not.
        let is_ascii_like = |charset: &[u8]| {
            let families: [&[u8]; 9] =
                [b"iso-8859-", b"iso_8859-", b"iso8859-", b"iso8859_", b"latin-", b"windows-125", b"cp125", b"koi8-", b"euc-"];
            matches!(
                charset,
                b"" | b"utf-8"
                    | b"utf8"
                    | b"us-ascii"
                    | b"ascii"
                    | b"latin1"
                    | b"shift_jis"
                    | b"windows-31j"
                    | b"gb2312"
                    | b"gbk"
                    | b"gb18030"
                    | b"big5"
            ) || families.iter().any(|family| charset.starts_with(family))
        };
        charsets.any(|charset| !charset.is_some_and(is_ascii_like))
    }

    /// Whether a header asks for another method, as some frameworks let it.
    pub(crate) fn overrides_the_method(&self) -> bool {
        [Field::XHttpMethod, Field::XHttpMethodOverride, Field::XMethodOverride].iter().any(|field| self.get(*field).is_some())
    }

    /// Whether the body is compressed or otherwise coded (RFC 9110 §8.4).
    #[must_use]
    pub fn has_content_coding(&self) -> bool {
        self.get(Field::ContentEncoding).is_some_and(|coding| !coding.trim_ascii().eq_ignore_ascii_case(b"identity"))
    }

    /// Names of known fields that are spelled with `_`, as they came.
    pub(crate) fn odd_names(&self) -> &[String] {
        &self.odd_names
    }

    /// Names of fields that are there, out of a list.
    pub(crate) fn present(&self, fields: &'static [Field]) -> impl Iterator<Item = &'static str> {
        fields.iter().filter(|field| self.get(**field).is_some()).map(|field| field.name())
    }
}

/// What a request body is said to be, parameters aside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Content {
    Absent,
    Form,
    Json,
    Multipart,
    Other,
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
        for odd in ["x@idp.example", "idp.example,other.example", "idp.example/", "idp example", "idp\u{e9}"] {
            assert_eq!(head(&[(":authority", odd)]).host(), None, "{odd}");
        }
    }

    #[test]
    fn a_made_up_request_id_is_none() {
        assert_eq!(head(&[("x-request-id", "<script>")]).request_id(), None);
        assert_eq!(head(&[("x-request-id", "a-1")]).request_id(), Some("a-1"));
    }

    #[test]
    fn only_one_plain_media_type_is_a_form() {
        for (value, content, is_plain_form) in [
            ("application/x-www-form-urlencoded", Content::Form, true),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", Content::Form, true),
            ("application/x-www-form-urlencoded; charset=\"utf-8\"", Content::Form, true),
            ("application/x-www-form-urlencoded; charset=utf-16", Content::Form, false),
            ("application/x-www-form-urlencoded; charset=utf-8; charset=utf-7", Content::Form, false),
            ("application/x-www-form-urlencoded; boundary=x", Content::Form, false),
            ("application/x-www-form-urlencoded,application/json", Content::Other, false),
            ("application/json; charset=utf-8", Content::Json, false),
            ("application/vnd.api+json", Content::Json, false),
            ("text/json", Content::Json, false),
            ("multipart/form-data; boundary=x", Content::Multipart, false),
            ("multipart/mixed; boundary=\"x,y\"", Content::Multipart, false),
            ("", Content::Other, false),
        ] {
            let head = head(&[("content-type", value)]);
            assert_eq!((head.content(), head.is_plain_form()), (content, is_plain_form), "{value}");
        }
        assert_eq!((head(&[]).content(), head(&[]).is_plain_form()), (Content::Absent, false));
    }
}
