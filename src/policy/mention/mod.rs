//! Every client that some parser would read out of a request.
//!
//! The strict grammar of [`Parameters`](crate::parameters::Parameters) says what
//! the gate understands. This module says what *others* could: it reads the same
//! octets as the most forgiving servers do (standards 2.2, 2.3, 6.2) and collects
//! each value that one of them would take for the client. A request in which all
//! of them agree is safe to judge; one in which they do not is refused as soon as
//! a strict client is among them.

mod body;
mod credentials;
mod meaning;
mod multipart;
mod part;

use credentials::MOST_CREDENTIALS;
use meaning::Meaning;
use multipart::is_plain_charset;
pub(crate) use part::Part;

use crate::authentication::{ATTESTATION_CLAIMS, CLIENT_CLAIMS, REQUEST_OBJECT_CLAIMS};
use crate::fold::{core_of_name, fold_name, texts};
use crate::head::{Field, Head};
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
    /// How `Basic` spells ids that need no escapes, with some.
    pub(crate) escaped: Vec<Vec<u8>>,
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
    /// What reading has cost.
    effort: usize,
    /// Whether reading was given up.
    gave_up: bool,
    /// Whether what is read as a form is said to be something else: long names are its text.
    is_no_form: bool,
    /// Whether the path is no endpoint: only the client matters there, not what is asked for,
    /// and names that cost too much are not read.
    is_unlisted: bool,
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

/// More readings than this are nobody's honest request; reading stops there, and
/// the request is refused.
const MOST_READINGS: usize = 256;

/// More distinct names of clients than this are nobody's honest request either.
const MOST_CLIENTS: usize = 16;

/// The same of APIs, and of scopes.
const MOST_VALUES: usize = 64;

/// Octets of the shortest name that means something.
const SHORTEST_NAME: usize = 3;

/// Octets of a name, without what servers take off its ends.
const LONGEST_NAME: usize = 128;

/// What reading may cost in one request: an octet of a value is one; a name beyond ASCII is 32 per octet.
const MOST_EFFORT: usize = 256 * 1024;

/// A body that looks like JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum JsonBody {
    /// One object, no member twice.
    Object,
    /// Anything that parsers could read differently, or no object.
    Unclear,
    /// Nothing that we can read.
    Unreadable,
}

impl Mentions {
    /// Reads a head and its whole body.
    pub(crate) fn read(head: &Head, body: &[u8]) -> Self {
        let mut mentions = Self::default();
        mentions.read_head(head);
        if !body.is_empty() {
            mentions.read_body(head, body);
        }
        mentions
    }

    /// Of a request that has more pairs than are read: it is refused, whatever they say.
    pub(crate) fn unread() -> Self {
        Self { gave_up: true, ..Self::default() }
    }

    /// Reads a request to a path that is no endpoint: query, `Basic`, and the body where it is a form.
    pub(crate) fn read_unlisted(head: &Head, form: &[u8]) -> Self {
        let mut mentions = Self { is_unlisted: true, ..Self::default() };
        mentions.read_head(head);
        if !form.is_empty() {
            mentions.read_pairs(form);
        }
        mentions
    }

    /// Adds a client.
    pub(crate) fn name(&mut self, client: &[u8]) {
        if !client.is_empty() {
            add(&mut self.clients, client, MOST_CLIENTS, &mut self.gave_up);
        }
    }

    /// Whether a query may name a client at all, for a glance.
    pub(crate) fn may_be_in(query: &[u8]) -> bool {
        let is_other = |name: &[u8]| {
            let is_plain = name.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
            is_plain && !Meaning::of(name).is_some_and(Meaning::is_about_the_client)
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
        self.gave_up |= attestations.clone().nth(MOST_CREDENTIALS).is_some();
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
            self.note_charset(name, value);
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
            self.note_charset(name.as_bytes(), value);
        }
        if let Some(meaning) = names.iter().find_map(|name| Meaning::of(name.as_bytes())) {
            self.read_value(meaning, value);
        }
    }

    /// A name as frameworks may rewrite it; `None` where nothing known can come of it,
    /// and once the effort is spent.
    fn folded(&mut self, name: &[u8]) -> Option<String> {
        let core = core_of_name(name);
        if core.len() < SHORTEST_NAME {
            return None;
        }
        if core.len() > LONGEST_NAME {
            // Only such a name has anything that folding takes away.
            let is_odd = !core.is_ascii()
                || !core.first().is_some_and(u8::is_ascii_alphanumeric)
                || core.iter().any(|byte| byte.is_ascii_control() || *byte == b'&');
            self.gave_up |= is_odd && !self.is_unlisted && !self.is_no_form;
            return None;
        }
        let weight = if core.is_ascii() { core.len() / 4 } else { core.len().saturating_mul(32) };
        if !self.spend(weight.saturating_add(8)) {
            self.gave_up |= !self.is_unlisted;
            return None;
        }
        Some(fold_name(core))
    }

    /// Whether there was effort left for this.
    fn spend(&mut self, effort: usize) -> bool {
        self.effort = self.effort.saturating_add(effort);
        self.effort <= MOST_EFFORT
    }

    /// Notes what a name alone says.
    fn note(&mut self, name: &[u8]) {
        self.part.note(name);
        self.has_request_object |= matches!(name, b"request" | b"request_uri");
        self.registers |= part::registers(name);
    }

    /// Notes the charset that a form names for itself (HTML §4.10.18.6.4): Sling reads all of it in that.
    fn note_charset(&mut self, name: &[u8], value: &[u8]) {
        let is_odd = || !value.is_empty() && !is_plain_charset(&decode_lenient(value, true));
        self.has_coded_part |= name == b"_charset_" && is_odd();
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
        if self.is_unlisted && !meaning.is_about_the_client() {
            return;
        }
        self.readings = self.readings.saturating_add(1);
        self.gave_up |= !self.spend(value.len());
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
                let claims = self.claims(value);
                self.asked.has_unreadable_object |= claims.is_none();
                self.name_by_claims(claims.as_ref(), REQUEST_OBJECT_CLAIMS);
                if let Some(claims) = &claims {
                    for (meaning, names) in
                        [(Meaning::Audience, &["audience"]), (Meaning::Resource, &["resource"]), (Meaning::Scope, &["scope"])]
                    {
                        self.texts_under(claims, names).iter().for_each(|text| self.ask(meaning, text.as_bytes()));
                    }
                }
            }
            Meaning::Audience | Meaning::Resource | Meaning::Scope => self.ask(meaning, value),
            Meaning::RequestUri => self.asked.has_unreadable_object = true,
            Meaning::AccessToken => self.read_party(value),
            Meaning::GrantAssertion => {
                let Some(claims) = self.claims(value) else { return };
                for issuer in self.texts_under(&claims, CLIENT_CLAIMS) {
                    add(&mut self.issuers, issuer.as_bytes(), MOST_CLIENTS, &mut self.gave_up);
                }
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
        add(values, text.as_ref(), MOST_VALUES, &mut self.gave_up);
    }
}

/// Adds a value that is not there yet; gives up with one more than `most`.
fn add<T, U>(values: &mut Vec<T>, value: &U, most: usize, gave_up: &mut bool)
where
    T: PartialEq<U>,
    U: ToOwned<Owned = T> + ?Sized,
{
    if *gave_up || values.iter().any(|known| known == value) {
        return;
    }
    *gave_up = values.len() >= most;
    values.push(value.to_owned());
}

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
        // `tpc%5Fabc` is what some libraries make of `tpc_abc`; `%74pc_abc` is nobody's honest spelling.
        assert_eq!(clients(&[("authorization", "Basic dHBjJTVGYWJjOnM=")], b""), ["tpc_abc"]);
        assert_eq!(clients(&[("authorization", "Basic JTc0cGNfYWJjOnM=")], b""), ["tpc_abc", "%74pc_abc"]);
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
