//! Every client that some parser would read out of a request.
//!
//! The strict grammar of [`Parameters`](crate::parameters::Parameters) says what
//! the gate understands. This module says what *others* could: it reads the same
//! octets as the most forgiving servers do (standards 2.2, 2.3, 6.2) and collects
//! each value that one of them would take for the client. A request in which all
//! of them agree is safe to judge; one in which they do not is refused as soon as
//! a strict client is among them.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::authentication::{
    ATTESTATION_CLAIMS, CLIENT_CLAIMS, PARTY_CLAIMS, REQUEST_OBJECT_CLAIMS, claims_of_jwt, is_claim, texts_under,
};
use crate::fold::{fold_name, texts};
use crate::head::{Content, Field, Head};
use crate::json::Json;
use crate::parameters::pairs;
use crate::percent::decode_lenient;

/// What some parser would read out of a request.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    /// Distinct values that name the client.
    pub(crate) clients: Vec<Vec<u8>>,
    /// Whether some reading asks for a grant that belongs to a client.
    pub(crate) asks_for_a_code_or_refresh: bool,
    /// Whether there are `Basic` credentials that nobody could read.
    pub(crate) has_unreadable_credentials: bool,
    /// Whom tokens and assertions name that are no credentials of the client here.
    pub(crate) parties: Vec<Vec<u8>>,
    /// Whom an assertion that is itself the grant names (RFC 7523 §2.1).
    pub(crate) issuers: Vec<Vec<u8>>,
    /// Whether a form names members of a client registration (RFC 7591 §2).
    pub(crate) registers: bool,
    /// Whether a form is read by some servers as they decode it, and by others as it is.
    pub(crate) has_coded_part: bool,
    /// Whether an assertion names a client that we cannot read.
    pub(crate) has_unreadable_assertion: bool,
    /// Whether some reading asks for a token for the client itself.
    pub(crate) asks_for_client_credentials: bool,
    /// Whether some reading asks for another grant than that.
    pub(crate) asks_for_another_grant: bool,
    /// How the body reads as JSON, if it looks like JSON.
    pub(crate) json: Option<JsonBody>,
    /// Whether the body has a NUL octet.
    pub(crate) has_nul: bool,
    /// Whether the body begins like JSON, whatever its media type.
    pub(crate) looks_like_json: bool,
    /// What is asked for.
    pub(crate) asked: Asked,
    /// Whether some reading carries a request object, or a reference to one.
    pub(crate) has_request_object: bool,
    /// Whether query or form act like a request to an endpoint.
    pub(crate) part: Part,
    /// How many values have been read as something that matters.
    readings: usize,
    /// What folding of names has cost.
    effort: usize,
    /// Whether reading was given up.
    gave_up: bool,
    /// Whether only the client matters, not what is asked for.
    reads_clients_only: bool,
}

/// What a request asks for, by every reading of the names; each distinct value once.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) audiences: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) scopes: Vec<String>,
    /// Whether it may ask for more in a request object that we cannot read.
    pub(crate) has_unreadable_object: bool,
}

/// What the names in a query or a form say about it, wherever it is sent (design, decision 16).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    names_a_client: bool,
    has_oauth_parameter: bool,
    has_typed_in: bool,
    has_named_a_client: bool,
    acts: bool,
}

impl Part {
    /// Whether it acts like a request to an authorization or a token endpoint.
    pub(crate) fn acts(self) -> bool {
        self.acts
    }

    /// Whether a client is named beside everything else, not only inside an object.
    pub(crate) fn named_a_client(self) -> bool {
        self.has_named_a_client
    }

    /// Ends a part: what people type into a login page counts only beside the client's name.
    fn close(&mut self) {
        self.acts |= self.has_oauth_parameter || (self.names_a_client && self.has_typed_in);
        self.has_named_a_client |= self.names_a_client;
        self.has_typed_in = false;
        self.names_a_client = false;
    }
}

/// Parameters by which a request asks an authorization or a token endpoint for something.
const OAUTH_PARAMETERS: &[&str] = &[
    "response_type",
    "response_mode",
    "redirect_uri",
    "scope",
    "request",
    "request_uri",
    "code_challenge",
    "audience",
    "resource",
    "authorization_details",
    "grant_type",
    "refresh_token",
    "token",
    "assertion",
];

/// Members of a client registration that no form for people has (RFC 7591 §2).
const REGISTRATION_MEMBERS: &[&str] = &[
    "application_type",
    "client_name",
    "client_uri",
    "grant_types",
    "jwks",
    "jwks_uri",
    "redirect_uris",
    "response_types",
    "software_id",
    "software_statement",
    "token_endpoint_auth_method",
];

/// The same, but also fields of login pages, which carry the client's id in their URL.
const TYPED_IN: &[&str] = &["code", "password"];

/// More readings than this are nobody's honest request; reading stops there, and
/// the request is refused.
const MOST_READINGS: usize = 256;

/// More distinct names of clients, APIs or scopes than this are nobody's honest request either.
const MOST_VALUES: usize = 16;

/// Credentials in one header line.
const MOST_CREDENTIALS: usize = 8;

/// Octets of the shortest name that means something.
const SHORTEST_NAME: usize = 4;

/// Octets of a name; no server makes a known one of a longer.
const LONGEST_NAME: usize = 128;

/// What folding names may cost in one request: about 20 000 odd names, or 8 KiB of names beyond ASCII.
const MOST_EFFORT: usize = 256 * 1024;

/// A body that looks like JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum JsonBody {
    /// One object, no member twice.
    Object,
    /// Anything that parsers could read differently, or no object.
    Unclear,
}

impl Mentions {
    /// Reads a head and its whole body.
    pub(crate) fn read(head: &Head, body: &[u8]) -> Self {
        let mut mentions = Self::default();
        mentions.read_head(head);
        if !body.is_empty() {
            mentions.read_body(body, head.content());
        }
        mentions
    }

    /// Of a request that has more pairs than are read: it is refused, whatever they say.
    pub(crate) fn unread() -> Self {
        Self { gave_up: true, ..Self::default() }
    }

    /// Reads a request to a path that is no endpoint: query, `Basic`, and the body where it is a form.
    pub(crate) fn read_unlisted(head: &Head, form: &[u8]) -> Self {
        let mut mentions = Self { reads_clients_only: true, ..Self::default() };
        mentions.read_head(head);
        if !form.is_empty() {
            mentions.read_pairs(form);
        }
        mentions
    }

    /// Notes the client that a bearer token was issued to, where it says so.
    fn read_bearer(&mut self, authorization: &[u8]) {
        for credential in authorization.split(|&byte| byte == b',').take(MOST_CREDENTIALS) {
            let Some(at) = credential.trim_ascii().iter().position(u8::is_ascii_whitespace) else { continue };
            let (scheme, token) = credential.trim_ascii().split_at_checked(at).unwrap_or_default();
            if scheme.eq_ignore_ascii_case(b"Bearer") || scheme.eq_ignore_ascii_case(b"DPoP") {
                self.read_party(token.trim_ascii());
            }
        }
    }

    fn read_party(&mut self, token: &[u8]) {
        let claims = claims_of_jwt(token);
        let parties = claims.iter().flat_map(|claims| texts_under(claims, PARTY_CLAIMS));
        self.parties.extend(parties.take(MOST_VALUES).map(|party| party.as_bytes().to_vec()));
    }

    /// Adds a client that is named elsewhere: in the path.
    pub(crate) fn name(&mut self, client: &[u8]) {
        if client.is_empty() || self.gave_up || self.clients.iter().any(|known| known == client) {
            return;
        }
        self.gave_up = self.clients.len() >= MOST_VALUES;
        self.clients.push(client.to_vec());
    }

    /// Whether a query may name a client at all, for a glance.
    pub(crate) fn may_be_in(query: &[u8]) -> bool {
        let is_other = |name: &[u8]| {
            let is_plain = name.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
            is_plain && name != b"client_id"
        };
        query.contains(&b';') || pairs(query, |byte| byte == b'&').any(|(name, _)| !is_other(name))
    }

    fn read_head(&mut self, head: &Head) {
        if let Some(authorization) = head.authorization() {
            self.read_basic(authorization);
            self.read_bearer(authorization);
        }
        let by_header = self.name_a_client();
        if let Some(query) = head.query() {
            self.part.names_a_client = by_header;
            self.read_pairs(query);
        }
        self.part.names_a_client = by_header;
        let attestations =
            head.get(Field::OauthClientAttestation).into_iter().flat_map(|lines| lines.split(|&byte| byte == b','));
        for attestation in attestations.take(MOST_CREDENTIALS) {
            // Its issuer is the attester (draft-ietf-oauth-attestation-based-client-auth §5.1).
            self.has_unreadable_assertion |= !self.read_jwt(attestation, ATTESTATION_CLAIMS);
        }
    }

    /// Whether a client is named, by whatever reading.
    pub(crate) fn name_a_client(&self) -> bool {
        !self.clients.is_empty()
    }

    /// Whether reading was given up.
    pub(crate) fn are_too_many(&self) -> bool {
        self.gave_up || self.readings > MOST_READINGS
    }

    fn read_body(&mut self, body: &[u8], content: Content) {
        self.read_pairs(body);
        // UTF-16 and UTF-32 have one beside each character of ASCII; JSON readers find out by themselves.
        self.has_nul = body.contains(&0);
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
        self.looks_like_json = matches!(text.first(), Some(b'{' | b'['));
        if content == Content::Json || self.looks_like_json {
            self.read_json(text);
        }
        match content {
            Content::Multipart => self.read_multipart(body),
            Content::Absent | Content::Other => self.read_anything(body),
            Content::Form | Content::Json => {}
        }
    }

    /// Splits at `&` as the standard says, and at `;` as older servers do.
    fn read_pairs(&mut self, raw: &[u8]) {
        for (name, value) in pairs(raw, |byte| byte == b'&') {
            self.read_pair(name, value);
        }
        if raw.contains(&b';') {
            for (name, value) in pairs(raw, |byte| matches!(byte, b'&' | b';')) {
                self.read_pair(name, value);
            }
        }
        self.part.close();
    }

    fn read_pair(&mut self, name: &[u8], value: &[u8]) {
        let is_plain = name.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if is_plain {
            self.note(name);
            if let Some(meaning) = Meaning::of(name) {
                self.read_value(meaning, value);
            }
            return;
        }
        let once = decode_lenient(name, true);
        let twice = decode_lenient(&once, true);
        let more = (twice != once).then_some(twice.as_ref());
        let names: Vec<String> = [Some(once.as_ref()), more].into_iter().flatten().filter_map(|name| self.folded(name)).collect();
        for name in &names {
            self.note(name.as_bytes());
        }
        if let Some(meaning) = names.iter().find_map(|name| Meaning::of(name.as_bytes())) {
            self.read_value(meaning, value);
        }
    }

    /// A name as frameworks may rewrite it; `None` where nothing known can come of it,
    /// and once the effort is spent.
    fn folded(&mut self, name: &[u8]) -> Option<String> {
        let before_bracket = name.split(|&byte| byte == b'[').next().unwrap_or(name);
        if name.len() < SHORTEST_NAME || before_bracket.len() > LONGEST_NAME {
            return None;
        }
        let weight = if name.is_ascii() { name.len() / 4 } else { before_bracket.len().saturating_mul(32) };
        self.effort = self.effort.saturating_add(weight).saturating_add(8);
        if self.effort > MOST_EFFORT {
            self.gave_up = true;
            return None;
        }
        Some(fold_name(name))
    }

    /// Notes what a name alone says.
    fn note(&mut self, name: &[u8]) {
        let is_one_of = |names: &[&str]| names.iter().any(|known| known.as_bytes() == name);
        self.part.names_a_client |= name == b"client_id";
        self.part.has_oauth_parameter |= is_one_of(OAUTH_PARAMETERS);
        self.part.has_typed_in |= is_one_of(TYPED_IN);
        self.has_request_object |= matches!(name, b"request" | b"request_uri");
        self.registers |= is_one_of(REGISTRATION_MEMBERS);
    }

    /// A value decoded once; with a literal `+`; and once more where escapes remain.
    fn read_value(&mut self, meaning: Meaning, raw: &[u8]) {
        let once = decode_lenient(raw, true);
        self.read_meaning(meaning, &once);
        if meaning.is_read_once() {
            return;
        }
        if raw.contains(&b'+') {
            self.read_meaning(meaning, &decode_lenient(raw, false));
        }
        if once.contains(&b'%') {
            self.read_meaning(meaning, &decode_lenient(&once, true));
        }
    }

    fn read_meaning(&mut self, meaning: Meaning, value: &[u8]) {
        if self.reads_clients_only && !meaning.is_about_the_client() {
            return;
        }
        self.readings = self.readings.saturating_add(1);
        if self.are_too_many() {
            return;
        }
        match meaning {
            _ if value.is_empty() => {}
            Meaning::ClientId => self.name(value),
            Meaning::Assertion => {
                self.has_unreadable_assertion |= !self.read_jwt(value, CLIENT_CLAIMS);
            }
            // An encrypted request object is nobody's business; what is readable must agree.
            Meaning::RequestObject => {
                let claims = claims_of_jwt(value);
                self.asked.has_unreadable_object |= claims.is_none();
                self.name_by_claims(claims.as_ref(), REQUEST_OBJECT_CLAIMS);
                if let Some(claims) = &claims {
                    for (meaning, names) in
                        [(Meaning::Audience, &["audience"]), (Meaning::Resource, &["resource"]), (Meaning::Scope, &["scope"])]
                    {
                        texts_under(claims, names).for_each(|text| self.ask(meaning, text.as_bytes()));
                    }
                }
            }
            Meaning::Audience | Meaning::Resource | Meaning::Scope => self.ask(meaning, value),
            Meaning::RequestUri => self.asked.has_unreadable_object = true,
            Meaning::AccessToken => self.read_party(value),
            Meaning::GrantAssertion => {
                let claims = claims_of_jwt(value);
                let issuers = claims.iter().flat_map(|claims| texts_under(claims, CLIENT_CLAIMS));
                self.issuers.extend(issuers.take(MOST_VALUES).map(|issuer| issuer.as_bytes().to_vec()));
            }
            Meaning::GrantType => {
                let grant = texts(value).map(|text| crate::fold::fold(&text));
                self.asks_for_a_code_or_refresh |=
                    grant.iter().any(|grant| matches!(grant.as_str(), "authorization_code" | "refresh_token"));
                let is_for_itself = grant.iter().any(|grant| grant == "client_credentials");
                self.asks_for_client_credentials |= is_for_itself;
                self.asks_for_another_grant |= !is_for_itself;
            }
        }
    }

    fn ask(&mut self, meaning: Meaning, value: &[u8]) {
        let values = match meaning {
            Meaning::Audience => &mut self.asked.audiences,
            Meaning::Resource => &mut self.asked.resources,
            _ => &mut self.asked.scopes,
        };
        let [text, _] = texts(value);
        if self.gave_up || values.iter().any(|known| *known == text) {
            return;
        }
        self.gave_up = values.len() >= MOST_VALUES;
        values.push(text.into_owned());
    }

    fn name_by_claims(&mut self, claims: Option<&Json>, names: &'static [&'static str]) {
        for (name, value) in claims.iter().flat_map(|claims| claims.members()) {
            if is_claim(name, names) {
                value.for_each_scalar(&mut |client| self.name(client.as_bytes()));
            }
        }
    }

    /// Whether the token could be read.
    fn read_jwt(&mut self, token: &[u8], names: &'static [&'static str]) -> bool {
        let claims = claims_of_jwt(token);
        self.name_by_claims(claims.as_ref(), names);
        claims.is_some()
    }

    /// Each credential of a comma-separated list, with any base64, its user raw and decoded.
    fn read_basic(&mut self, authorization: &[u8]) {
        let (mut is_basic, mut is_read) = (false, false);
        // Lax decoders skip what is no base64, a comma among it: the whole is one credential, too.
        let parts = authorization.split(|&byte| byte == b',');
        self.gave_up |= parts.clone().nth(MOST_CREDENTIALS).is_some()
            && authorization.trim_ascii_start().get(..5).is_some_and(is_basic_scheme);
        for credential in parts.take(MOST_CREDENTIALS).chain([authorization]) {
            let credential = credential.trim_ascii();
            let Some((scheme, token)) = credential.split_at_checked(b"Basic".len()) else { continue };
            if !is_basic_scheme(scheme) {
                continue;
            }
            is_basic = true;
            // Others stop at the first `=`.
            for token in [token, token.split(|&byte| byte == b'=').next().unwrap_or_default()] {
                let token: Vec<u8> = token
                    .iter()
                    .filter_map(|byte| match byte {
                        b'-' => Some(b'+'),
                        b'_' => Some(b'/'),
                        byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') => Some(*byte),
                        _ => None,
                    })
                    .collect();
                let Ok(octets) = LENIENT.decode(&token) else { continue };
                is_read |= !octets.is_empty();
                let user = octets.split(|&byte| byte == b':').next().unwrap_or_default();
                self.name(user);
                self.name(&decode_lenient(user, true));
                self.name(&decode_lenient(user, false));
            }
        }
        self.has_unreadable_credentials |= is_basic && !is_read;
    }

    fn read_json(&mut self, text: &[u8]) {
        let Ok(json) = serde_json::from_slice::<Json>(text) else {
            self.json = Some(JsonBody::Unclear);
            self.read_anything(text);
            return;
        };
        let is_clear = matches!(json, Json::Object(_)) && !json.repeats_a_member();
        self.json = Some(if is_clear { JsonBody::Object } else { JsonBody::Unclear });
        json.for_each_member(&mut |name, value| {
            let Some(name) = self.folded(name.as_bytes()) else { return };
            self.note(name.as_bytes());
            if let Some(meaning) = Meaning::of(name.as_bytes()) {
                value.for_each_scalar(&mut |text| self.read_meaning(meaning, text.as_bytes()));
            }
        });
    }

    /// `multipart/form-data` without trusting its boundary: what follows the blank
    /// line behind a `name="client_id"`, up to the end of that line.
    fn read_multipart(&mut self, body: &[u8]) {
        let has = |word: &[u8]| body.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
        self.has_coded_part = has(b"content-transfer-encoding") || has(b"name*") || has(b"name =");
        let mut rest = body;
        while let Some(at) = rest.windows(5).position(|part| part.eq_ignore_ascii_case(b"name=")) {
            rest = rest.get(at.saturating_add(5)..).unwrap_or_default();
            self.readings = self.readings.saturating_add(1);
            if self.are_too_many() {
                return;
            }
            let quoted = rest.strip_prefix(b"\"").unwrap_or(rest);
            // Without an end in sight it is no name; the body is not copied for each of them.
            let quoted = quoted.get(..LONGEST_NAME).unwrap_or(quoted);
            let name = quoted.split(|byte| matches!(byte, b'"' | b';' | b'\r' | b'\n')).next().unwrap_or_default();
            let Some(name) = self.folded(name) else { continue };
            self.note(name.as_bytes());
            let Some(meaning) = Meaning::of(name.as_bytes()) else { continue };
            let blank = rest.windows(2).position(|pair| pair == b"\n\n" || pair == b"\n\r").unwrap_or(rest.len());
            let value = rest.get(blank.saturating_add(2)..).unwrap_or_default();
            let value = value.strip_prefix(b"\n").unwrap_or(value);
            let line = value.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
            self.read_meaning(meaning, line);
        }
    }

    /// Anything in a text of unknown grammar that begins like a strict id.
    fn read_anything(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while let Some(at) = rest.windows(4).position(|part| part.eq_ignore_ascii_case(b"tpc_")) {
            rest = rest.get(at..).unwrap_or_default();
            let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'));
            let (id, tail) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or_default();
            self.read_meaning(Meaning::ClientId, id);
            rest = tail;
        }
    }
}

fn is_basic_scheme(scheme: &[u8]) -> bool {
    scheme.eq_ignore_ascii_case(b"Basic")
}

/// What a name means for the questions who the client is, and what it asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Meaning {
    /// A bearer token (RFC 6750 §2.2, §2.3).
    AccessToken,
    /// A JWT that authenticates the client (RFC 7521 §4.2).
    Assertion,
    Audience,
    ClientId,
    /// A JWT that is a grant (RFC 7523 §2.1).
    GrantAssertion,
    GrantType,
    /// A JWT that carries an authorization request (RFC 9101).
    RequestObject,
    RequestUri,
    Resource,
    Scope,
}

impl Meaning {
    fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"access_token" => Some(Self::AccessToken),
            b"assertion" => Some(Self::GrantAssertion),
            b"audience" => Some(Self::Audience),
            b"client_assertion" => Some(Self::Assertion),
            b"client_id" => Some(Self::ClientId),
            b"grant_type" => Some(Self::GrantType),
            b"request" => Some(Self::RequestObject),
            b"request_uri" => Some(Self::RequestUri),
            b"resource" => Some(Self::Resource),
            b"scope" => Some(Self::Scope),
            _ => None,
        }
    }

    /// Whether it says who the client is, rather than what it asks for.
    fn is_about_the_client(self) -> bool {
        matches!(self, Self::Assertion | Self::ClientId | Self::RequestObject)
    }

    /// Whether nobody is told apart by it, so that one decoding is enough.
    fn is_read_once(self) -> bool {
        matches!(
            self,
            Self::AccessToken | Self::Audience | Self::GrantAssertion | Self::RequestUri | Self::Resource | Self::Scope
        )
    }
}

/// Base64 as the laxest decoders read it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(lines: &[(&str, &str)], body: &[u8]) -> Vec<String> {
        let head = Head::new(lines.iter().map(|&(name, value)| (name, value)));
        let mentions = Mentions::read(&head, body);
        mentions.clients.iter().map(|client| String::from_utf8_lossy(client).into_owned()).collect()
    }

    #[test]
    fn names_and_values_are_read_as_the_forgiving_read_them() {
        for query in [
            "client_id=tpc_a",
            "client%5Fid=tpc_a",
            "Client_ID=tpc_a",
            "client.id=tpc_a",
            "client_id[]=tpc_a",
            "client_id%5B0%5D=tpc_a",
            "x=1;client_id=tpc_a",
            "client_id=%74pc_a",
            "client_id=%2574pc_a",
            "client%255Fid=tpc_a",
            "client_id=%u0074pc_a",
            "?client_id=tpc_a",
            "%EF%BB%BFclient_id=tpc_a",
            "client+id=tpc_a",
            "client_id%00x=tpc_a",
        ] {
            let target = format!("/authorize?{query}");
            let found = clients(&[(":path", &target)], b"");
            assert!(found.iter().any(|client| client == "tpc_a"), "{query}: {found:?}");
        }
        assert_eq!(clients(&[(":path", "/authorize?xclient_id=tpc_a&state=tpc_a")], b""), Vec::<String>::new());
    }

    #[test]
    fn basic_is_read_with_any_base64_and_in_both_spellings() {
        for header in ["Basic dHBjX2FiYzpz", "bAsIc   dHBjX2FiYzpz", "Basic x, Basic dHBjX2FiYzpz", "Basic dHBj X2FiYzpz"] {
            assert!(clients(&[("authorization", header)], b"").contains(&"tpc_abc".to_owned()), "{header}");
        }
        assert_eq!(clients(&[("authorization", "Basic dHBjJTVGYWJjOnM=")], b""), ["tpc%5Fabc", "tpc_abc"]);
    }

    #[test]
    fn bodies_are_read_as_form_json_and_multipart() {
        for (media_type, body) in [
            ("application/x-www-form-urlencoded", "client_id=tpc_a"),
            ("application/x-www-form-urlencoded", "{\"client_id\":\"tpc_a\"}"),
            ("application/json", " {\"a\":[{\"Client_Id\":\"tpc_a\"}]}"),
            ("application/json", "{\"client\\u005fid\":\"tpc_a\"}"),
            ("application/json", "{\"client_id\":[\"tpc_a\"]}"),
            ("application/json", "{\"client_id\":\"tpc_a\",}"),
            (
                "multipart/form-data; boundary=b",
                "--b\r\ncontent-disposition: form-data; name=\"client_id\"\r\n\r\ntpc_a\r\n--b--",
            ),
            ("multipart/form-data; boundary=b", "--b\ncontent-disposition: form-data; NAME=client_id\n\ntpc_a\n--b--"),
            ("text/xml", "<client>tpc_a</client>"),
        ] {
            let found = clients(&[("content-type", media_type)], body.as_bytes());
            assert!(found.contains(&"tpc_a".to_owned()), "{media_type} {body}: {found:?}");
        }
    }
}
