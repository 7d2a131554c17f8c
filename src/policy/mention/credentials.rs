//! Clients that credentials name: `Basic`, bearer tokens, assertions.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{MOST_VALUES, Mentions};
use crate::authentication::{PARTY_CLAIMS, claims_of_jwt, is_claim, texts_under};
use crate::json::Json;
use crate::percent::decode_lenient;

/// Credentials in one header line.
pub(super) const MOST_CREDENTIALS: usize = 8;

impl Mentions {
    /// Each credential of a comma-separated list, with any base64, its user raw and decoded.
    pub(super) fn read_basic(&mut self, authorization: &[u8]) {
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

    /// Notes the client that a bearer token was issued to, where it says so.
    pub(super) fn read_bearer(&mut self, authorization: &[u8]) {
        for credential in authorization.split(|&byte| byte == b',').take(MOST_CREDENTIALS) {
            let Some(at) = credential.trim_ascii().iter().position(u8::is_ascii_whitespace) else { continue };
            let (scheme, token) = credential.trim_ascii().split_at_checked(at).unwrap_or_default();
            if scheme.eq_ignore_ascii_case(b"Bearer") || scheme.eq_ignore_ascii_case(b"DPoP") {
                self.read_party(token.trim_ascii());
            }
        }
    }

    pub(super) fn read_party(&mut self, token: &[u8]) {
        let claims = claims_of_jwt(token);
        let parties = claims.iter().flat_map(|claims| texts_under(claims, PARTY_CLAIMS));
        self.parties.extend(parties.take(MOST_VALUES).map(|party| party.as_bytes().to_vec()));
    }

    pub(super) fn name_by_claims(&mut self, claims: Option<&Json>, names: &'static [&'static str]) {
        for (name, value) in claims.iter().flat_map(|claims| claims.members()) {
            if is_claim(name, names) {
                value.for_each_scalar(&mut |client| self.name(client.as_bytes()));
            }
        }
    }

    /// Whether the token could be read.
    pub(super) fn read_jwt(&mut self, token: &[u8], names: &'static [&'static str]) -> bool {
        let claims = claims_of_jwt(token);
        self.name_by_claims(claims.as_ref(), names);
        claims.is_some()
    }
}

fn is_basic_scheme(scheme: &[u8]) -> bool {
    scheme.eq_ignore_ascii_case(b"Basic")
}

/// Base64 as the laxest decoders read it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
