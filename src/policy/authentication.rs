//! How a client authenticates at the token endpoint, and whom that names.

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use serde::Deserialize;

use crate::fold::fold_name;
use crate::json::{Json, Members};
use crate::percent;

/// `Basic` credentials, read strictly (RFC 6749 §2.3.1, RFC 7617 §2).
#[derive(Clone, Eq, PartialEq)]
pub struct BasicCredentials {
    /// The user part, form-decoded: the client identifier.
    pub client_id: String,
    /// The user part as it was sent.
    pub raw_client_id: String,
    token68: String,
    password: String,
}

/// Why an `authorization` header is no `Basic` credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BasicError {
    /// More than one, joined by a comma.
    Joined,
    /// Another scheme, or no base64.
    Scheme,
    /// Not UTF-8.
    Utf8,
    /// No colon, or a user part outside `*VSCHAR` (RFC 6749 Appendix A.1).
    Vschar,
}

impl BasicCredentials {
    /// Reads the value of an `authorization` header.
    ///
    /// # Errors
    /// See [`BasicError`].
    pub fn parse(value: &[u8]) -> Result<Self, BasicError> {
        if value.contains(&b',') {
            return Err(BasicError::Joined);
        }
        let value = std::str::from_utf8(value).map_err(|_| BasicError::Scheme)?;
        let (scheme, token68) = value.split_once(' ').ok_or(BasicError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("Basic") {
            return Err(BasicError::Scheme);
        }
        let token68 = token68.trim_matches(' ');
        let octets = STANDARD.decode(token68).map_err(|_| BasicError::Scheme)?;
        let text = String::from_utf8(octets).map_err(|_| BasicError::Utf8)?;
        let (raw_client_id, password) = text.split_once(':').ok_or(BasicError::Vschar)?;
        let client_id = percent::decode_form(raw_client_id.as_bytes()).map_err(|_| BasicError::Vschar)?;
        if !is_vschar(raw_client_id) || !is_vschar(&client_id) {
            return Err(BasicError::Vschar);
        }
        Ok(Self {
            client_id: client_id.into_owned(),
            raw_client_id: raw_client_id.to_owned(),
            token68: token68.to_owned(),
            password: password.to_owned(),
        })
    }

    /// Whether there is a secret; public clients of some libraries send an empty one.
    #[must_use]
    pub fn have_a_secret(&self) -> bool {
        !self.password.is_empty()
    }

    /// The same secret under another client identifier.
    #[must_use]
    pub fn for_client(&self, client_id: &str) -> Self {
        let user: String = {
            let mut user = String::new();
            percent::encode_into(client_id, &mut user);
            user
        };
        Self {
            client_id: client_id.to_owned(),
            token68: STANDARD.encode(format!("{user}:{}", self.password)),
            raw_client_id: user,
            password: self.password.clone(),
        }
    }

    /// The one spelling that goes upstream: `Basic`, one space, the same token.
    #[must_use]
    pub fn print(&self) -> String {
        format!("Basic {}", self.token68)
    }
}

impl std::fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BasicCredentials")
            .field("client_id", &self.client_id)
            .field("token68", &"[redacted]")
            .finish_non_exhaustive()
    }
}

/// Whether an id that needs no escapes is spelled as libraries do that escape all but letters
/// and digits (RFC 6749 §2.3.1; openid-client and oauth4webapi write `tpc%5Fabc`).
pub(crate) fn is_escaped_in_full(raw: &[u8], id: &[u8]) -> bool {
    let escaped = id.iter().filter(|byte| !byte.is_ascii_alphanumeric()).count();
    // Each of these cannot stand plainly, so by the length nothing else is escaped.
    escaped > 0
        && id.iter().all(|&byte| percent::is_unreserved(byte))
        && raw.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'%')
        && raw.len() == id.len().saturating_add(escaped.saturating_mul(2))
}

/// The claims of a JWT, members that stand twice included.
///
/// Nothing is verified: what is said is only collected, so that it must agree with
/// everything else that is said (RFC 7521 §4.2, RFC 7523 §3, RFC 9101 §6.3). `None`
/// where the payload cannot be read, though a server might.
pub(crate) fn claims_of_jwt(token: &[u8]) -> Option<Json> {
    // The second part is the payload, whatever follows; what is read has just three parts.
    let payload = decode_base64(token.split(|&byte| byte == b'.').nth(1)?, true);
    let token = format!("e30.{}.e30", URL_SAFE_NO_PAD.encode(payload));
    let Members(members) = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
    Some(Json::Object(members))
}

/// The claims of a JWT that only lax servers can read: Jackson takes UTF-16 for JSON, and skips what is behind it.
pub(crate) fn lax_claims_of_jwt(token: &[u8]) -> Option<Json> {
    let payload = decode_base64(token.split(|&byte| byte == b'.').nth(1)?, true);
    let text: Vec<u8> = payload.into_iter().filter(|byte| *byte != 0).skip_while(|byte| *byte != b'{').collect();
    let Members(members) = Members::deserialize(&mut serde_json::Deserializer::from_slice(&text)).ok()?;
    Some(Json::Object(members))
}

/// Base64 as lax decoders read it: they skip what is no letter of it, a letter too many at the end, and bits too many in
/// the last one. `-` and `_` are letters to some (Node, Java), and skipped by others (Python, PHP).
pub(crate) fn decode_base64(text: &[u8], has_dashes: bool) -> Vec<u8> {
    let letter = |byte: &u8| match byte {
        b'-' if has_dashes => Some(b'+'),
        b'_' if has_dashes => Some(b'/'),
        byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') => Some(*byte),
        _ => None,
    };
    let mut letters: Vec<u8> = text.iter().filter_map(letter).collect();
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    // Nothing is left that could be wrong.
    LAX.decode(letters).unwrap_or_default()
}

/// Base64 without pads, whatever its last bits are.
const LAX: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Texts that a JSON object has under any of some names, however a server folds them.
pub(crate) fn texts_under<'c>(claims: &'c Json, names: &'static [&'static str]) -> impl Iterator<Item = &'c str> {
    claims.members().filter(|(name, _)| names.contains(&fold_name(name.as_bytes()).as_str())).flat_map(|(_, value)| value.texts())
}

/// Claims of an attestation that name the client.
pub(crate) const ATTESTATION_CLAIMS: &[&str] = &["sub", "client_id"];

/// Claims of a request object that name the client (RFC 9101 §4).
pub(crate) const REQUEST_OBJECT_CLAIMS: &[&str] = &["iss", "client_id"];

/// Claims of an assertion that name the client (RFC 7523 §3).
pub(crate) const CLIENT_CLAIMS: &[&str] = &["iss", "sub", "client_id"];

/// Claims of an access token that name the client that it was issued to.
pub(crate) const PARTY_CLAIMS: &[&str] = &["azp", "client_id", "cid", "appid"];

/// `VSCHAR = %x20-7E` (RFC 6749 Appendix A).
fn is_vschar(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x7E))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients_of_jwt(token: &[u8]) -> Option<Vec<String>> {
        let claims = claims_of_jwt(token)?;
        Some(texts_under(&claims, CLIENT_CLAIMS).map(str::to_owned).collect())
    }

    #[test]
    fn an_assertion_names_its_issuer_and_subject() {
        // {"alg":"ES256"} . {"iss":"tpc_a","sub":"tpc_b","aud":"x"} . signature
        let token = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ0cGNfYSIsInN1YiI6InRwY19iIiwiYXVkIjoieCJ9.AAAA";
        assert_eq!(clients_of_jwt(token).unwrap(), ["tpc_a", "tpc_b"]);
        assert_eq!(clients_of_jwt(b"a.b.c"), None);
        assert_eq!(clients_of_jwt(b""), None);
    }

    #[test]
    fn a_claim_that_stands_twice_names_two_clients() {
        // {"sub":"first","sub":"tpc_a"}, padded as some encoders do
        let token = b"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJmaXJzdCIsInN1YiI6InRwY19hIn0=.AAAA";
        assert_eq!(clients_of_jwt(token).unwrap(), ["first", "tpc_a"]);
    }

    #[test]
    fn credentials_are_not_printed() {
        let credentials = BasicCredentials::parse(b"Basic dHBjX2FiYzpz").unwrap();
        assert!(!format!("{credentials:?}").contains("dHBj"));
        assert_eq!(credentials.print(), "Basic dHBjX2FiYzpz");
    }
}
