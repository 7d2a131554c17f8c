//! Requests of strict clients: honest in what they ask, odd in how they spell it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A request before the gate, and what a server must read of it.
pub(crate) struct Request {
    pub(crate) endpoint: &'static str,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) form: Vec<u8>,
    pub(crate) expect: BTreeMap<&'static str, String>,
}

/// An authorization request of a strict client, odd and nearly always honest.
pub(crate) fn authorization(random: &mut Random) -> Request {
    let (client, redirect_uri) = random.pick(AUTHORIZING);
    let mut pairs = vec![
        ("client_id", client.to_owned()),
        ("response_type", "code".to_owned()),
        ("redirect_uri", redirect_uri.to_owned()),
        ("code_challenge", random.challenge()),
        ("code_challenge_method", "S256".to_owned()),
        ("state", random.value(ASCII)),
        ("scope", random.scope()),
    ];
    let optional = [
        ("nonce", random.value(ASCII)),
        ("login_hint", random.value(ANY)),
        ("ui_locales", random.locales()),
        ("correlation_id", random.token()),
        ("acr_values", random.value(ANY)),
        ("prompt", random.pick(&["login", "consent", "login consent"]).to_owned()),
        ("max_age", random.pick(&["0", "3600"]).to_owned()),
        ("display", "page".to_owned()),
        ("response_mode", "query".to_owned()),
    ];
    pairs.extend(optional.into_iter().filter(|_| random.one_in(3)));
    pairs.extend(random.resources());
    random.request(AUTHORIZATION, vec![], &pairs)
}

/// Its token request, likewise.
pub(crate) fn token(random: &mut Random) -> Request {
    let (client, redirect_uri) = random.pick(AUTHORIZING);
    let mut headers = vec![("content-type", random.pick(&["application/x-www-form-urlencoded", FORM_IN_UTF8]))];
    let mut pairs = vec![("scope", random.scope())];
    pairs.extend(random.resources());
    if random.one_in(4) {
        pairs.extend([
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", "tpc_machine01".to_owned()),
            ("client_secret", random.value(ASCII)),
        ]);
        return random.request(TOKEN, headers, &pairs);
    }
    if client == "tpc_confidential01" {
        headers.push(("authorization", CONFIDENTIAL));
    } else {
        pairs.push(("client_id", client.to_owned()));
    }
    if random.one_in(2) {
        pairs.extend([("grant_type", "refresh_token".to_owned()), ("refresh_token", random.value(ASCII))]);
    } else {
        pairs.extend([
            ("grant_type", "authorization_code".to_owned()),
            ("code", random.value(ASCII)),
            ("code_verifier", random.verifier()),
            ("redirect_uri", redirect_uri.to_owned()),
        ]);
    }
    random.request(TOKEN, headers, &pairs)
}

/// A xorshift generator: the same requests on every machine, for ever.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn within(&mut self, mut range: RangeInclusive<usize>) -> usize {
        let count = range.clone().count();
        // The lower bits are the weaker ones.
        let at = usize::try_from(self.next() >> 32).unwrap().checked_rem(count).unwrap();
        range.nth(at).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.within(1..=count) == 1
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.within(0..=items.len().saturating_sub(1))]
    }

    fn characters(&mut self, alphabet: &str, length: usize) -> String {
        (0..length).map(|_| char::from(self.pick(alphabet.as_bytes()))).collect()
    }

    /// Printable characters, and pieces that some parser has a meaning for.
    fn value(&mut self, pieces: &[&str]) -> String {
        let length = self.within(1..=8);
        let piece = |random: &mut Self| {
            if random.one_in(2) { random.pick(pieces).to_owned() } else { random.characters(PRINTABLE, 1) }
        };
        (0..length).map(|_| piece(self)).collect()
    }

    fn token(&mut self) -> String {
        let length = self.within(1..=12);
        self.characters(UNRESERVED, length)
    }

    /// `43*128unreserved` (RFC 7636 §4.1).
    fn verifier(&mut self) -> String {
        let length = self.within(43..=128);
        self.characters(UNRESERVED, length)
    }

    /// The base64url of 32 octets, whose last character has two zero bits (RFC 7636 §4.2).
    fn challenge(&mut self) -> String {
        let base64url = UNRESERVED.trim_end_matches(['.', '~']);
        self.characters(base64url, 42) + &self.characters("AEIMQUYcgkosw048", 1)
    }

    fn scope(&mut self) -> String {
        let tokens = ["profile", "email", "offline_access", "read:items"];
        match self.within(1..=4) {
            1 => format!("read:items {}", self.value(ASCII).replace(['"', '\\'], "!")),
            2 => [self.pick(&tokens), self.pick(&tokens)].join("  "),
            _ => self.pick(&tokens).to_owned(),
        }
    }

    fn locales(&mut self) -> String {
        if self.one_in(3) { self.value(ANY) } else { self.pick(&["de", "fr-CA fr en", "zh-Hans"]).to_owned() }
    }

    /// The only parameter that may repeat (RFC 8707 §2); `qs` reads up to 20 of them as a list.
    fn resources(&mut self) -> Vec<(&'static str, String)> {
        let count = if self.one_in(3) { self.within(1..=3) } else { 0 };
        let spellings = ["https://api.example.com", "https://api.example.com/"];
        (0..count).map(|_| ("resource", self.pick(&spellings).to_owned())).collect()
    }

    /// Spells the pairs in any order, with strangers among them.
    fn request(
        &mut self,
        endpoint: &'static str,
        headers: Vec<(&'static str, &'static str)>,
        pairs: &[(&'static str, String)],
    ) -> Request {
        let expect = pairs.iter().filter(|(name, _)| SURVIVE.contains(name)).cloned().collect();
        let mut segments: Vec<Vec<u8>> = pairs.iter().map(|(name, value)| self.pair(name, value)).collect();
        for _ in 0..self.within(0..=3) {
            let (name, value) = self.pick(EXTRAS);
            let segment = if self.one_in(2) { format!("{name}={value}").into_bytes() } else { self.pair(name, value) };
            segments.push(segment);
        }
        if self.one_in(8) {
            segments.push(self.pick(BARE).as_bytes().to_vec());
        }
        if self.one_in(16) {
            segments.push(self.pick(HOSTILE).as_bytes().to_vec());
        }
        for at in (1..segments.len()).rev() {
            let other = self.within(0..=at);
            segments.swap(at, other);
        }
        Request { endpoint, headers, form: segments.join(&b'&'), expect }
    }

    fn pair(&mut self, name: &str, value: &str) -> Vec<u8> {
        // An honest client does not escape a name that needs no escape, but it may.
        let name = if self.one_in(4) { self.spell(name.as_bytes(), b"") } else { name.as_bytes().to_vec() };
        [name, b"=".to_vec(), self.spell(value.as_bytes(), RAW)].concat()
    }

    /// Each octet as it is, as `+`, or percent-encoded in either case.
    fn spell(&mut self, text: &[u8], raw: &[u8]) -> Vec<u8> {
        let careful = self.one_in(2);
        let mut out = Vec::new();
        for &octet in text {
            let is_plain = UNRESERVED.as_bytes().contains(&octet);
            // UTF-8 in a form need not be escaped for the parsers that read it.
            let may_be_raw = raw.contains(&octet) || (!octet.is_ascii() && !raw.is_empty());
            match octet {
                _ if is_plain && !self.one_in(6) => out.push(octet),
                b' ' if self.one_in(2) => out.push(b'+'),
                _ if may_be_raw && !careful && self.one_in(2) => out.push(octet),
                _ if self.one_in(2) => out.extend(format!("%{octet:02x}").into_bytes()),
                _ => out.extend(format!("%{octet:02X}").into_bytes()),
            }
        }
        out
    }
}

const AUTHORIZATION: &str = "/oauth/authorize";
pub(crate) const TOKEN: &str = "/oauth/token";
const FORM_IN_UTF8: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// `tpc_confidential01` and its secret, `s`.
const CONFIDENTIAL: &str = "Basic dHBjX2NvbmZpZGVudGlhbDAxOnM=";

/// Clients of the policy that may have codes and refresh tokens, and where to.
const AUTHORIZING: &[(&str, &str)] = &[
    ("tpc_vbc2Y77hGZfbhkSi7y3gTh", "https://partner.example.com/callback"),
    ("tpc_confidential01", "https://c.example.com/other"),
    ("tpc_native01", "http://127.0.0.1:49152/callback"),
    ("https://agent.example/client.json", "http://127.0.0.1:1/callback"),
];

/// Whatever else the gate adds, narrows or translates: these arrive as they were sent.
const SURVIVE: &[&str] = &[
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "correlation_id",
    "login_hint",
    "redirect_uri",
    "refresh_token",
    "state",
    "ui_locales",
];

pub(crate) const PRINTABLE: &str =
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
const UNRESERVED: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

/// What stands in a query as it is, of honest and of careless clients.
const RAW: &[u8] = b"!$'()*,;=:@/?[]\"<>\\^`{|}";

/// Pieces of `VSCHAR` (RFC 6749 Appendix A) that some parser has a meaning for.
pub(crate) const ASCII: &[&str] = &[
    "  ",
    "%41",
    "%2B",
    "%26",
    "%u0041",
    "%zz",
    "&#116;",
    "&#x74;",
    "&amp;",
    "&x=y",
    "&scope=x",
    ";x=y",
    "=&=",
    "[]",
    "[0]",
    "x[y]=z",
    "__proto__",
    "toString",
    "utf8=",
    "{\"a\":1}",
    "//",
];

/// The same where a value may be any text.
const ANY: &[&str] = &[
    "user@example.com",
    "%C3%A9",
    "&#233;",
    "__proto__",
    "[]",
    "\u{e9}",
    "e\u{301}",
    "\u{df}",
    "\u{feff}",
    "\u{200b}",
    "\u{2028}",
    "\u{ff06}x\u{ff1d}",
    "\u{fffd}",
    "\u{ffff}",
    "\u{4e2d}\u{6587}",
    "\u{1f511}",
];

/// Parameters that the gate does not know, and some parser does.
pub(crate) const EXTRAS: &[(&str, &str)] = &[
    ("__proto__", "x"),
    ("__proto__[state]", "x"),
    ("constructor", "x"),
    ("constructor[prototype][state]", "x"),
    ("toString", "1"),
    ("hasOwnProperty", "1"),
    ("length", "0"),
    ("a[b]", "c"),
    ("a.b", "c"),
    ("a", "b=c,d"),
    ("[]", "x"),
    ("[state]", "x"),
    ("utf8", "&#10003;"),
    ("utf8", "\u{2713}"),
    ("_charset_", "iso-8859-1"),
    ("x", "1;y=2"),
    ("", "x"),
];

/// Segments that are no pairs, or as good as none (RFC 6749 §3.1).
const BARE: &[&str] = &["", "x", "=", "__proto__", "&&", "a[b]", "utf8=%26%2310003%3B", "audience=", "connection"];

/// What makes a second reading of a parameter, and is refused.
const HOSTILE: &[&str] = &[
    "state=again",
    "state[]=x",
    "state[0]=x",
    "State=x",
    "x=1;state=y",
    "x;code=y",
    "state%00=x",
    "code.x=y&code[]=z",
    "+state=x",
    "x=%",
    "x=%E9",
    "x=%u0041",
];
