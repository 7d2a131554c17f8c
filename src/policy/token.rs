//! The token request (RFC 6749 §4.1.3, §4.4.2, §6), identified, and its rules.

use crate::client::{Client, GrantType};
use crate::parameters::Parameters;
use crate::pkce::CodeVerifier;
use crate::violation::{Breach, Violation};

/// A token request of a strict client.
#[derive(Debug)]
pub struct TokenRequest<'a> {
    /// The client.
    pub client: &'a Client,
    /// Its parameters, each read once.
    pub parameters: &'a Parameters,
}

impl TokenRequest<'_> {
    fn grant_type(&self) -> Option<&str> {
        self.parameters.get("grant_type")
    }
}

/// Refuses a request without `grant_type` (RFC 6749 §4.1.3).
pub(crate) fn grant_type_is_present(request: &TokenRequest<'_>) -> Result<(), Breach> {
    match request.grant_type() {
        Some(_) => Ok(()),
        None => Err(Breach::of(Violation::GrantTypeMissing, "grant_type")),
    }
}

/// Refuses every grant but those that the client's entry has, and those that no
/// strict client can have: the password grant among them (RFC 9700 §2.4;
/// RFC 6749 §4.4: `client_credentials` is for confidential clients).
pub(crate) fn grant_type_is_allowed(request: &TokenRequest<'_>) -> Result<(), Breach> {
    let Some(asked) = request.grant_type() else { return Ok(()) };
    let is_allowed = GrantType::parse(asked).is_some_and(|grant| {
        request.client.grant_types.contains(&grant) && !(grant == GrantType::ClientCredentials && request.client.is_public)
    });
    if is_allowed { Ok(()) } else { Err(Breach::of(Violation::GrantTypeNotAllowed, "grant_type")) }
}

/// Refuses a code without a `code_verifier`: a server that forgets to ask would
/// take it (RFC 7636 §4.5; RFC 9700 §2.1.1; CVE-2023-48228).
pub(crate) fn code_verifier_is_present(request: &TokenRequest<'_>) -> Result<(), Breach> {
    let must = request.grant_type() == Some("authorization_code");
    if must && request.parameters.get("code_verifier").is_none() {
        return Err(Breach::of(Violation::CodeVerifierMissing, "code_verifier"));
    }
    Ok(())
}

/// Refuses a `code_verifier` outside `43*128unreserved` (RFC 7636 §4.1): short
/// ones can be guessed.
pub(crate) fn code_verifier_is_well_formed(request: &TokenRequest<'_>) -> Result<(), Breach> {
    match request.parameters.get("code_verifier").map(CodeVerifier::parse) {
        Some(None) => Err(Breach::of(Violation::CodeVerifierMalformed, "code_verifier")),
        Some(Some(_)) | None => Ok(()),
    }
}

/// The parameters that are forwarded for a strict client; the others are dropped.
pub(crate) const FORWARDED: &[&str] = &[
    "audience",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "grant_type",
    "redirect_uri",
    "refresh_token",
    "resource",
    "scope",
];
