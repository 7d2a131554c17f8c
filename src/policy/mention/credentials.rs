//! Clients that credentials name: `Basic`, bearer tokens, assertions.

use super::{MOST_CLIENTS, Mentions, add};
use crate::authentication::{PARTY_CLAIMS, claims_of_jwt, decode_base64, is_escaped_in_full, lax_claims_of_jwt};
use crate::json::Json;
use crate::percent::decode_lenient;

/// Claims of one token; no honest one has more.
const MOST_CLAIMS: usize = 256;

/// Credentials in one header line.
pub(super) const MOST_CREDENTIALS: usize = 8;

impl Mentions {
    /// Each credential of a comma-separated list, with any base64, its user raw and decoded.
    pub(super) fn read_basic<'a>(&mut self, authorization: &'a [u8]) {
        let (mut is_basic, mut is_read) = (false, false);
        // Lax decoders skip what is no base64, a comma among it: the whole is one credential, too.
        let parts = authorization.split(|&byte| byte == b',');
        let is_credential = |part: &[u8]| {
            let scheme = part.trim_ascii_start().split(u8::is_ascii_whitespace).next().unwrap_or_default();
            [&b"Basic"[..], b"Bearer", b"DPoP"]
                .iter()
                .any(|known| scheme.get(..known.len()).is_some_and(|it| it.eq_ignore_ascii_case(known)))
        };
        self.gave_up |= parts.clone().skip(MOST_CREDENTIALS).any(is_credential);
        for credential in parts.take(MOST_CREDENTIALS).chain([authorization]) {
            let credential = credential.trim_ascii();
            let Some((scheme, token)) = credential.split_at_checked(b"Basic".len()) else { continue };
            if !scheme.eq_ignore_ascii_case(b"Basic") {
                continue;
            }
            is_basic = true;
            // Others stop at the first `=`. Keycloak skips one octet behind the scheme, whatever that is.
            let cut = |token: &'a [u8]| token.split(|&byte| byte == b'=').next().unwrap_or_default();
            let behind = token.get(1..).filter(|_| !token.starts_with(b" ")).unwrap_or_default();
            let texts = [token, cut(token), behind, cut(behind)];
            for (token, has_dashes) in texts.into_iter().flat_map(|text| [(text, true), (text, false)]) {
                let octets = decode_base64(token, has_dashes);
                is_read |= !octets.is_empty();
                let user = octets.split(|&byte| byte == b':').next().unwrap_or_default();
                let decoded = decode_lenient(user, true);
                self.name(&decoded);
                if is_escaped_in_full(user, &decoded) {
                    add(&mut self.escaped, user, MOST_CLIENTS, &mut self.gave_up);
                    continue;
                }
                self.name(user);
                self.name(&decode_lenient(user, false));
                self.name(&decode_lenient(&decoded, true));
            }
        }
        self.has_unreadable_credentials |= is_basic && !is_read;
    }

    /// Notes the client that a bearer token was issued to, where it says so.
    ///
    /// Spring Security OAuth reads `Bearer` without a blank behind it, and others find a token anywhere.
    pub(super) fn read_bearer(&mut self, authorization: &[u8]) {
        let words = authorization.split(|&byte| byte == b',' || !byte.is_ascii_graphic()).filter(|word| word.contains(&b'.'));
        self.gave_up |= words.clone().nth(MOST_CREDENTIALS).is_some();
        for word in words.take(MOST_CREDENTIALS) {
            self.read_party(word);
        }
    }

    pub(super) fn read_party(&mut self, token: &[u8]) {
        let Some(claims) = self.claims(token) else { return };
        for party in self.texts_under(&claims, PARTY_CLAIMS) {
            add(&mut self.parties, party.as_bytes(), MOST_CLIENTS, &mut self.gave_up);
        }
    }

    /// The claims of a JWT; one with more than any honest one has is not read, and that is noted.
    pub(super) fn claims(&mut self, token: &[u8]) -> Option<Json> {
        let claims = claims_of_jwt(token)?;
        if claims.members().nth(MOST_CLAIMS).is_some() {
            self.gave_up = true;
            return None;
        }
        Some(claims)
    }

    /// Texts under any of some names, however a server folds them.
    pub(super) fn texts_under<'c>(&mut self, claims: &'c Json, names: &[&str]) -> Vec<&'c str> {
        claims.members().filter(|(name, _)| self.is_claim(name, names)).flat_map(|(_, value)| value.texts()).collect()
    }

    fn is_claim(&mut self, name: &str, names: &[&str]) -> bool {
        names.contains(&name) || self.folded(name.as_bytes()).is_some_and(|name| names.contains(&name.as_str()))
    }

    pub(super) fn name_by_claims(&mut self, claims: Option<&Json>, names: &[&str]) {
        for (name, value) in claims.iter().flat_map(|claims| claims.members()) {
            if self.is_claim(name, names) {
                value.for_each_scalar(&mut |client| self.name(client.as_bytes()));
            }
        }
    }

    /// Whether the token could be read.
    pub(super) fn read_jwt(&mut self, token: &[u8], names: &[&str]) -> bool {
        let claims = self.claims(token);
        let lax = if claims.is_none() { lax_claims_of_jwt(token) } else { None };
        self.name_by_claims(claims.as_ref().or(lax.as_ref()), names);
        claims.is_some()
    }
}
