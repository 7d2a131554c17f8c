//! The authorization request (RFC 6749 §4.1.1), identified, and its rules.

use crate::access::SubjectType;
use crate::ask::{Ask, Purpose};
use crate::client::{Client, GrantType};
use crate::gate::{Gate, Policy};
use crate::grammar;
use crate::json::Json;
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
    /// What it asks of which API.
    pub ask: Ask<'a>,
    policy: &'a Policy,
}

impl<'a> AuthorizationRequest<'a> {
    /// Looks up where the answer may go, and what is granted.
    #[must_use]
    pub fn new(gate: &'a Gate, client: &'a Client, parameters: &'a Parameters) -> Self {
        let redirect_uri = client.redirect_uris.resolve(parameters.get("redirect_uri"));
        let ask = Ask::new(&gate.policy, &gate.settings, client, parameters, Purpose::Authorization);
        Self { client, parameters, redirect_uri, ask, policy: &gate.policy }
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

/// Refuses a request object: its members would replace those that were judged
/// (RFC 9101 §6.3).
pub(crate) fn request_object_is_not_used(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.parameters.get("request") {
        Some(_) => Err(Breach::of(Violation::RequestObjectNotSupported, "request")),
        None => Ok(()),
    }
}

/// Refuses a request by reference, which the server would fetch (RFC 9101 §10.4).
pub(crate) fn request_uri_is_not_used(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.parameters.get("request_uri") {
        Some(_) => Err(Breach::of(Violation::RequestUriNotSupported, "request_uri")),
        None => Ok(()),
    }
}

/// Refuses what the vendor's strict mode refuses, and whatever does not belong
/// into a URI: secrets, tokens, codes (RFC 6749 §2.3.1; RFC 9700 §4.3.2).
pub(crate) fn parameters_are_supported(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.parameters.iter().find(|(name, _)| NOT_SUPPORTED.contains(name)) {
        Some((name, _)) => Err(Breach::of(Violation::ParameterNotSupported, name)),
        None => Ok(()),
    }
}

/// Refuses every response mode but the default: codes and errors come in the
/// query (OAuth 2.0 Multiple Response Types §2.1).
pub(crate) fn response_mode_is_query(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.parameters.get("response_mode") {
        Some("query") | None => Ok(()),
        Some(_) => Err(Breach::of(Violation::ResponseModeNotQuery, "response_mode")),
    }
}

/// Refuses `none` beside another prompt (`OpenID` Connect Core §3.1.2.1).
pub(crate) fn prompt_none_stands_alone(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    let prompts: Vec<&str> =
        request.parameters.get("prompt").unwrap_or_default().split(' ').filter(|prompt| !prompt.is_empty()).collect();
    if prompts.len() > 1 && prompts.contains(&"none") {
        return Err(Breach::of(Violation::PromptMalformed, "prompt"));
    }
    Ok(())
}

/// Refuses to bounce a user to a third party unseen (RFC 9700 §4.11.2).
pub(crate) fn prompt_is_not_none(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.parameters.get("prompt").map(|prompt| prompt.trim_matches(' ')) {
        Some("none") => Err(Breach::of(Violation::PromptNone, "prompt")),
        Some(_) | None => Ok(()),
    }
}

/// See [`grammar::values_keep_their_grammar`].
pub(crate) fn values_keep_their_grammar(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    grammar::values_keep_their_grammar(request.parameters)
}

/// See [`grammar::scope_keeps_its_grammar`].
pub(crate) fn scope_keeps_its_grammar(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    grammar::scope_keeps_its_grammar(request.parameters)
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

/// Refuses everybody while the tenant has active Rules, as the vendor does: Rules
/// may do what no third party must trigger (design, decision 21).
pub(crate) fn tenant_has_no_active_rules(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    if request.policy.rules_are_active { Err(Violation::TenantHasActiveRules.into()) } else { Ok(()) }
}

/// Refuses a connection that is not open to third parties: by it a user would sign
/// in where only the owner's own applications may send them (design, decision 21).
pub(crate) fn connection_is_open(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    match request.parameters.get("connection") {
        Some(connection) if !request.policy.connections.allow(connection) => {
            Err(Breach::of(Violation::ConnectionNotAllowed, "connection"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses `authorization_details` of a type that the grant does not list, and what
/// is no JSON that everybody reads alike (RFC 9396 §2, §5).
pub(crate) fn authorization_details_are_granted(request: &AuthorizationRequest<'_>) -> Result<(), Breach> {
    let Some(text) = request.parameters.get("authorization_details") else { return Ok(()) };
    let breach = Breach::of(Violation::AuthorizationDetailsNotGranted, "authorization_details");
    let Ok(Some((api, _))) = request.ask.api else { return Err(breach) };
    let types = request
        .policy
        .access
        .granted(request.client, api, SubjectType::User)
        .map(|grant| grant.authorization_details_types.as_slice())
        .unwrap_or_default();
    let Ok(Json::Array(items)) = serde_json::from_str::<Json>(text) else { return Err(breach) };
    let is_granted = |item: &Json| {
        let mut of = item.members().filter(|(name, _)| *name == "type");
        matches!((of.next(), of.next()), (Some((_, Json::String(kind))), None) if types.contains(kind))
    };
    if items.iter().all(is_granted) && !items.iter().any(Json::repeats_a_member) { Ok(()) } else { Err(breach) }
}

/// Whether a breach is about a credential in the URL, which must not bounce on (RFC 9700 §4.3.2).
pub(crate) fn is_credential(breach: Breach) -> bool {
    let credentials =
        ["access_token", "client_assertion", "client_secret", "code", "code_verifier", "id_token", "login_ticket", "password"];
    breach.violation == Violation::ParameterNotSupported && breach.parameter.is_some_and(|name| credentials.contains(&name))
}

/// The prompts that go upstream: those that the standard has, and with `adds_consent`
/// always `consent`, which cannot be skipped (`OpenID` Connect Core §3.1.2.1; design, decision 6).
pub(crate) fn canonical_prompt(asked: &str, adds_consent: bool) -> String {
    let mut prompts: Vec<&str> = Vec::new();
    for prompt in asked.split(' ').chain(adds_consent.then_some("consent")) {
        if matches!(prompt, "consent" | "login" | "select_account") && !prompts.contains(&prompt) {
            prompts.push(prompt);
        }
    }
    prompts.join(" ")
}

/// Parameters that strict clients cannot use, and those that are no parameters of an authorization request.
const NOT_SUPPORTED: &[&str] = &[
    "access_token",
    "claims",
    "client_assertion",
    "client_assertion_type",
    "client_secret",
    "code",
    "code_verifier",
    "id_token",
    "id_token_hint",
    "invitation",
    "login_ticket",
    "password",
    "registration",
    "screen_hint",
    "username",
];

/// The parameters that are forwarded for a strict client; the others are dropped.
///
/// `nonce`, `max_age`, `acr_values` and `display` belong to `openid`, which no strict
/// client has: some servers refuse them without it (design, decision 3).
pub(crate) const FORWARDED: &[&str] = &[
    "audience",
    "authorization_details",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "connection",
    "correlation_id",
    "dpop_jkt",
    "login_hint",
    "prompt",
    "redirect_uri",
    "resource",
    "response_type",
    "scope",
    "state",
    "ui_locales",
];
