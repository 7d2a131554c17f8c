//! Proof Key for Code Exchange, S256 only (RFC 7636).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The S256 code challenge of an authorization request.
///
/// `code-challenge = 43*128unreserved` (RFC 7636 §4.2); for S256 it is the
/// base64url of 32 octets: 43 characters, and the last one has two zero bits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads a challenge; `None` where S256 cannot have made it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let decodes = URL_SAFE_NO_PAD.decode(text).is_ok_and(|octets| octets.len() == 32);
        decodes.then(|| Self(text.to_owned()))
    }
}

/// The code verifier of a token request (RFC 7636 §4.1).
#[derive(Eq, PartialEq)]
pub struct CodeVerifier(String);

impl CodeVerifier {
    /// Reads a verifier; `None` unless it is `43*128unreserved`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (43..=128).contains(&text.len()) && text.bytes().all(crate::percent::is_unreserved);
        fits.then(|| Self(text.to_owned()))
    }

    /// Whether the challenge was made of this verifier:
    /// `BASE64URL-ENCODE(SHA256(ASCII(code_verifier))) == code_challenge` (RFC 7636 §4.6).
    #[must_use]
    pub fn answers(&self, challenge: &CodeChallenge) -> bool {
        let expected = URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes()));
        // Both are 43 characters; the time does not tell where they differ.
        let differences = expected.bytes().zip(challenge.0.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b));
        differences == 0 && expected.len() == challenge.0.len()
    }
}

impl std::fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeVerifier([redacted])")
    }
}
