//! The token request (RFC 6749 §4.1.3, §4.4.2, §6), identified, and its rules.

use crate::ask::{Ask, Purpose};
use crate::authentication::BasicCredentials;
use crate::client::{AuthenticationMethod, Client, GrantType};
use crate::gate::Gate;
use crate::grammar;
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
    /// `Basic` credentials, where there are any.
    pub basic: Option<&'a BasicCredentials>,
    /// Whether an attestation of the client comes in a header.
    pub has_attestation: bool,
    /// What it asks of which API; `None` for a grant that no strict client has.
    pub ask: Option<Ask<'a>>,
}

impl<'a> TokenRequest<'a> {
    /// Looks up what is granted.
    #[must_use]
    pub fn new(
        gate: &'a Gate,
        client: &'a Client,
        parameters: &'a Parameters,
        basic: Option<&'a BasicCredentials>,
        has_attestation: bool,
    ) -> Self {
        let grant = parameters.get("grant_type").and_then(GrantType::parse);
        let ask = grant.map(|grant| Ask::new(&gate.policy, &gate.settings, client, parameters, Purpose::Token(grant)));
        Self { client, parameters, basic, has_attestation, ask }
    }

    /// Checks what is asked, where the grant is one that strict clients have.
    pub(crate) fn ask(&self, check: fn(&Ask<'a>) -> Result<(), Breach>) -> Result<(), Breach> {
        self.ask.as_ref().map_or(Ok(()), check)
    }

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
        request.client.grant_types.contains(&grant) && !(grant == GrantType::ClientCredentials && request.client.is_public())
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

/// Refuses `username` and `password` with whatever grant: the password grant under
/// another name (RFC 9700 §2.4).
pub(crate) fn parameters_are_supported(request: &TokenRequest<'_>) -> Result<(), Breach> {
    match request.parameters.iter().find(|(name, _)| matches!(*name, "password" | "username")) {
        // The password grant itself is refused as a grant.
        Some((name, _)) if request.grant_type() != Some("password") => Err(Breach::of(Violation::ParameterNotSupported, name)),
        Some(_) | None => Ok(()),
    }
}

/// Refuses a client that authenticates in more than one way: servers pick one, each
/// its own (RFC 6749 §2.3).
pub(crate) fn client_authenticates_once(request: &TokenRequest<'_>) -> Result<(), Breach> {
    let in_body = ["client_assertion", "client_secret"].iter().filter(|name| request.parameters.get(name).is_some()).count();
    let in_head = usize::from(request.basic.is_some()).saturating_add(usize::from(request.has_attestation));
    if in_body.saturating_add(in_head) > 1 {
        return Err(Violation::ClientAuthenticationRepeated.into());
    }
    Ok(())
}

/// Refuses a client that does not authenticate as it is registered to: a public one
/// with a secret, a confidential one without, a key holder with a secret
/// (RFC 7591 §2; RFC 6749 §2.3). Which of a secret's two places it uses is its choice.
pub(crate) fn client_authenticates_as_registered(request: &TokenRequest<'_>) -> Result<(), Breach> {
    let has = |name: &str| request.parameters.get(name).is_some();
    let (by_secret, by_key) = (
        has("client_secret") || request.basic.is_some_and(BasicCredentials::have_a_secret),
        has("client_assertion") || request.has_attestation,
    );
    let is_as_registered = match request.client.authentication_method {
        None => true,
        Some(AuthenticationMethod::None) => !by_secret && !by_key,
        Some(AuthenticationMethod::ClientSecret) => by_secret && !by_key,
        Some(AuthenticationMethod::PrivateKeyJwt) => by_key && !by_secret,
    };
    if is_as_registered { Ok(()) } else { Err(Violation::ClientAuthenticationNotRegistered.into()) }
}

/// Refuses a redirect URI that the client did not register (RFC 6749 §4.1.3). That
/// it is the one of the authorization request is known once transactions are sealed.
pub(crate) fn redirect_uri_is_registered(request: &TokenRequest<'_>) -> Result<(), Breach> {
    let asked = request.parameters.get("redirect_uri");
    if request.grant_type() == Some("authorization_code")
        && request.client.grant_types.contains(&GrantType::AuthorizationCode)
        && asked.is_some()
        && request.client.redirect_uris.resolve(asked).is_none()
    {
        return Err(Breach::of(Violation::RedirectUriNotRegistered, "redirect_uri"));
    }
    Ok(())
}

/// Refuses a code grant without its code (RFC 6749 §4.1.3).
pub(crate) fn code_is_present(request: &TokenRequest<'_>) -> Result<(), Breach> {
    let must = request.grant_type() == Some("authorization_code");
    if must && request.parameters.get("code").is_none() {
        return Err(Breach::of(Violation::CodeMissing, "code"));
    }
    Ok(())
}

/// Refuses a refresh without its token (RFC 6749 §6).
pub(crate) fn refresh_token_is_present(request: &TokenRequest<'_>) -> Result<(), Breach> {
    let must = request.grant_type() == Some("refresh_token");
    if must && request.parameters.get("refresh_token").is_none() {
        return Err(Breach::of(Violation::RefreshTokenMissing, "refresh_token"));
    }
    Ok(())
}

/// Refuses the credentials of one grant in another: a server that looks at them
/// first would take them (RFC 6749 §4.1.3, §6).
pub(crate) fn parameters_belong_to_the_grant(request: &TokenRequest<'_>) -> Result<(), Breach> {
    let own: &[&str] = match request.grant_type() {
        Some("authorization_code") => &["code", "code_verifier"],
        Some("refresh_token") => &["refresh_token"],
        _ => &[],
    };
    let is_credential =
        |name: &str| matches!(name, "code" | "code_verifier" | "device_code" | "refresh_token" | "subject_token" | "assertion");
    match request.parameters.iter().find(|(name, _)| is_credential(name) && !own.contains(name)) {
        Some((name, _)) if request.grant_type().is_some_and(|grant| GrantType::parse(grant).is_some()) => {
            Err(Breach::of(Violation::ParameterForeignToGrant, name))
        }
        Some(_) | None => Ok(()),
    }
}

/// See [`grammar::values_keep_their_grammar`].
pub(crate) fn values_keep_their_grammar(request: &TokenRequest<'_>) -> Result<(), Breach> {
    grammar::values_keep_their_grammar(request.parameters)
}

/// See [`grammar::scope_keeps_its_grammar`].
pub(crate) fn scope_keeps_its_grammar(request: &TokenRequest<'_>) -> Result<(), Breach> {
    grammar::scope_keeps_its_grammar(request.parameters)
}

/// The parameters that are forwarded for a strict client, by grant; the others are dropped.
pub(crate) fn forwarded(grant: GrantType) -> Vec<&'static str> {
    let own: &[&str] = match grant {
        GrantType::AuthorizationCode => &["code", "code_verifier", "redirect_uri"],
        GrantType::ClientCredentials => &["scope"],
        GrantType::RefreshToken => &["refresh_token", "scope"],
    };
    [COMMON, own].concat()
}

const COMMON: &[&str] =
    &["audience", "client_assertion", "client_assertion_type", "client_id", "client_secret", "grant_type", "resource"];
