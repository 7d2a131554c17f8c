//! The authorization request (RFC 6749 §4.1.1), identified, and its rules.

use crate::client::{Client, GrantType};
use crate::parameters::Parameters;
use crate::pkce::CodeChallenge;
use crate::redirect::VerifiedRedirectUri;
use crate::violation::{Breach, Violation};

/// An authorization request of a strict client.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// The client.
    pub client: &'a Client,
    /// Its parameters, each read once.
    pub parameters: &'a Parameters,
    /// Where the answer may go; without it nothing is ever redirected.
    pub redirect_uri: Option<VerifiedRedirectUri>,
}

impl<'a> AuthorizationRequest<'a> {
    /// Looks up where the answer may go.
    #[must_use]
    pub fn new(client: &'a Client, parameters: &'a Parameters) -> Self {
        let redirect_uri = client.redirect_uris.resolve(parameters.get("redirect_uri"));
        Self { client, parameters, redirect_uri }
    }
}

/// Refuses a redirect URI that the client did not register: codes would go to
/// whoever asks (RFC 9700 §2.1, §4.1.3; draft-ietf-oauth-v2-1-15 §4.1.1).
pub(crate) fn redirect_uri_is_registered(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.redirect_uri {
        Some(_) => Ok(()),
        None => Err(Breach::of(Violation::RedirectUriNotRegistered, "redirect_uri")),
    }
}

/// Refuses a request without `response_type` (RFC 6749 §3.1.1).
pub(crate) fn response_type_is_present(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.parameters.get("response_type") {
        Some(_) => Ok(()),
        None => Err(Breach::of(Violation::ResponseTypeMissing, "response_type")),
    }
}

/// Refuses the implicit and hybrid flows: `code`, and nothing else, octet for
/// octet (RFC 9700 §2.1.2; draft-ietf-oauth-v2-1-15 §10.1).
pub(crate) fn response_type_is_code(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.parameters.get("response_type") {
        Some("code") | None => Ok(()),
        Some(_) => Err(Breach::of(Violation::ResponseTypeNotCode, "response_type")),
    }
}

/// Refuses a client that cannot have codes at all (RFC 6749 §4.1.2.1).
pub(crate) fn client_may_use_codes(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    if request.client.grant_types.contains(&GrantType::AuthorizationCode) {
        return Ok(());
    }
    Err(Violation::GrantTypeNotAllowed.into())
}

/// Refuses a request without a `code_challenge`.
///
/// Without it a stolen code can be spent by whoever holds it
/// (RFC 9700 §2.1.1, §4.5; RFC 7636 §4.4.1).
pub(crate) fn code_challenge_is_present(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.parameters.get("code_challenge") {
        Some(_) => Ok(()),
        None => Err(Breach::of(Violation::CodeChallengeMissing, "code_challenge")),
    }
}

/// Refuses a `code_challenge` that S256 cannot have made (RFC 7636 §4.2).
pub(crate) fn code_challenge_is_well_formed(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.parameters.get("code_challenge").map(CodeChallenge::parse) {
        Some(None) => Err(Breach::of(Violation::CodeChallengeMalformed, "code_challenge")),
        Some(Some(_)) | None => Ok(()),
    }
}

/// Refuses every method but `S256`; an absent one means `plain`, which whoever
/// sees the request can answer (RFC 7636 §4.3; RFC 9700 §2.1.1).
pub(crate) fn code_challenge_method_is_s256(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.parameters.get("code_challenge_method") {
        Some("S256") => Ok(()),
        Some(_) | None => Err(Breach::of(Violation::CodeChallengeMethodNotS256, "code_challenge_method")),
    }
}

/// The parameters that are forwarded for a strict client; the others are dropped.
pub(crate) const FORWARDED: &[&str] = &[
    "acr_values",
    "audience",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "connection",
    "display",
    "dpop_jkt",
    "login_hint",
    "max_age",
    "nonce",
    "prompt",
    "redirect_uri",
    "resource",
    "response_type",
    "scope",
    "state",
    "ui_locales",
];
