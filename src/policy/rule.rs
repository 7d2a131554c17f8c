//! The rules: one visible table, from which documentation, counters and tests come.

use std::fmt::Write;

use crate::answer::{self, AuthorizationAnswer, TokenAnswer};
use crate::ask::Ask;
use crate::authorization::{self, AuthorizationRequest};
use crate::door;
use crate::endpoint::Endpoint;
use crate::identification;
use crate::others;
use crate::reading::Reading;
use crate::settings::ErrorDialect;
use crate::token::{self, TokenRequest};
use crate::violation::{Breach, Violation};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// What breaks it; its id is the rule's id.
    pub violation: Violation,
    /// Where it is checked.
    pub endpoints: &'static [Endpoint],
    /// Whom it binds.
    pub reach: Reach,
    /// RFC and section.
    pub citation: &'static str,
    pub(crate) check: Check,
}

/// Whom a rule binds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Every request (design, promise 4).
    Everyone,
    /// Requests of strict clients.
    Strict,
}

impl Reach {
    /// The word in the rule table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Strict => "strict",
        }
    }
}

/// When, and on what, a rule is checked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Check {
    /// Stage one: on what was read; failures are never redirected.
    Identification(fn(&Reading<'_>) -> Result<(), Breach>),
    /// Stage two, at the authorization endpoint.
    Authorization(fn(&AuthorizationRequest<'_>) -> Result<(), Breach>),
    /// Stage two, at the token endpoint.
    Token(fn(&TokenRequest<'_>) -> Result<(), Breach>),
    /// Stage two, at either endpoint.
    Either(fn(&AuthorizationRequest<'_>) -> Result<(), Breach>, fn(&TokenRequest<'_>) -> Result<(), Breach>),
    /// On the answer of the token endpoint.
    Answer(fn(&TokenAnswer<'_>) -> Result<(), Breach>),
    /// On the answer of the authorization endpoint.
    AuthorizationResponse(fn(&AuthorizationAnswer<'_>) -> Result<(), Breach>),
    /// The state of the gate itself; nothing of the request is looked at.
    Gate,
}

impl Rule {
    /// The rule that a violation breaks.
    #[must_use]
    pub fn of(violation: Violation) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.violation == violation)
    }

    /// Whether the rule is about answers rather than requests.
    #[must_use]
    pub fn is_about_answers(&self) -> bool {
        matches!(self.check, Check::Answer(_) | Check::AuthorizationResponse(_))
    }

    /// What of the rule cannot be judged before transactions are sealed, and what is instead.
    #[must_use]
    pub fn until_sealed(&self) -> Option<&'static str> {
        match self.violation {
            Violation::RedirectUriNotRegistered => {
                Some("at the token endpoint any registered redirect URI passes, not only the one of the authorization request")
            }
            Violation::CodeVerifierMalformed | Violation::CodeVerifierMissing => {
                Some("that the verifier answers the challenge is verified by the identity provider")
            }
            Violation::AudienceNotGranted | Violation::GrantWithdrawn | Violation::ScopeNotGranted => {
                Some("a code or refresh token is measured by what is granted today, not by what it was issued for")
            }
            Violation::AuthorizationResponseMisdirected | Violation::AuthorizationResponseTokens => {
                Some("only the answer to an authorization request is judged, not a redirect that a login page sends")
            }
            _ => None,
        }
    }

    /// Whether the rule is about the gate's own state.
    #[must_use]
    pub fn is_about_the_gate(&self) -> bool {
        matches!(self.check, Check::Gate)
    }
}

/// The rules as a Markdown table.
#[must_use]
pub fn table(rules: &[Rule]) -> String {
    let mut out = "| rule | endpoints | reach | citation | meaning |\n|---|---|---|---|---|\n".to_owned();
    for rule in rules {
        let endpoints: Vec<&str> = rule.endpoints.iter().map(|endpoint| endpoint.name()).collect();
        let (id, description) = (rule.violation.id(), rule.violation.description());
        let mark = if rule.until_sealed().is_some() { " *until-sealed*" } else { "" };
        let row = [
            &format!("[`{id}`](docs/rules.md#{id}){mark}"),
            &endpoints.join(", "),
            rule.reach.name(),
            rule.citation,
            description,
        ];
        out.push_str("| ");
        out.push_str(&row.join(" | "));
        out.push_str(" |\n");
    }
    out
}

/// The page of all rules in Markdown; each id is an anchor, where answers link to.
#[must_use]
pub fn page(rules: &[Rule]) -> String {
    let mut out = "# The rules\n\n\
        Generated from the rule table by `tpc-gate rules --page`; `scripts/check` fails when this page is stale.\n\n\
        An answer of the gate names the rule that was broken in its member `violation` and links to the rule's section here.\n"
        .to_owned();
    for rule in rules {
        let violation = rule.violation;
        let id = violation.id();
        let endpoints: Vec<&str> = rule.endpoints.iter().map(|endpoint| endpoint.name()).collect();
        let whom = match rule.reach {
            Reach::Everyone => "every request, first-party ones included",
            Reach::Strict => "strict clients",
        };
        let (error, description) =
            (violation.error(rule.endpoints.last().copied(), ErrorDialect::OAuth), violation.description());
        let refused = "the request is refused, and the identity provider sees no byte of it";
        let consequence = answer::consequence(violation).unwrap_or(refused);
        let code = if rule.is_about_answers() { String::new() } else { format!(" (`{}`)", error.name()) };
        let guidance = violation.guidance();
        let _infallible = write!(
            out,
            "\n## {id}\n\n{description}{code}\n\n**Cause.** {}\n\n**Remedy.** {}\n\n- binds: {whom}; endpoints: {}\n- then: {consequence}\n- written in: {}\n",
            guidance.cause,
            guidance.remedy,
            endpoints.join(", "),
            rule.citation
        );
        if let Some(until) = rule.until_sealed() {
            let _infallible = writeln!(out, "- until-sealed: {until}");
        }
    }
    out
}

/// Checks a request as it was read against stage one, in table order.
pub(crate) fn identify(reading: &Reading<'_>) -> Vec<Breach> {
    breaches(|rule| {
        let binds = rule.endpoints.contains(&reading.endpoint) && (rule.reach == Reach::Everyone || reading.is_strict());
        match rule.check {
            Check::Identification(check) if binds => Some(check(reading)),
            _ => None,
        }
    })
}

/// Checks an authorization request of a strict client against stage two.
pub(crate) fn judge_authorization(request: &AuthorizationRequest<'_>) -> Vec<Breach> {
    breaches(|rule| match rule.check {
        Check::Authorization(check) | Check::Either(check, _) => Some(check(request)),
        _ => None,
    })
}

/// Checks a token request of a strict client against stage two.
pub(crate) fn judge_token(request: &TokenRequest<'_>) -> Vec<Breach> {
    breaches(|rule| match rule.check {
        Check::Token(check) | Check::Either(_, check) => Some(check(request)),
        _ => None,
    })
}

/// Checks the answer to a token request of a strict client.
pub(crate) fn judge_answer(answer: &TokenAnswer<'_>) -> Vec<Breach> {
    breaches(|rule| match rule.check {
        Check::Answer(check) => Some(check(answer)),
        _ => None,
    })
}

/// Checks the answer to an authorization request of a strict client.
pub(crate) fn judge_authorization_answer(answer: &AuthorizationAnswer<'_>) -> Vec<Breach> {
    breaches(|rule| match rule.check {
        Check::AuthorizationResponse(check) => Some(check(answer)),
        _ => None,
    })
}

fn breaches(check: impl Fn(&Rule) -> Option<Result<(), Breach>>) -> Vec<Breach> {
    RULES.iter().filter_map(|rule| check(rule)?.err()).collect()
}

const BOTH: &[Endpoint] = &[Endpoint::Authorization, Endpoint::Token];
const AUTHORIZATION: &[Endpoint] = &[Endpoint::Authorization];
const TOKEN: &[Endpoint] = &[Endpoint::Token];
const LISTED: &[Endpoint] = &[Endpoint::Authorization, Endpoint::Refused, Endpoint::Registration, Endpoint::Token];
const READ: &[Endpoint] = &[Endpoint::Authorization, Endpoint::Refused, Endpoint::Token];
const EVERYWHERE: &[Endpoint] =
    &[Endpoint::Authorization, Endpoint::Refused, Endpoint::Registration, Endpoint::Token, Endpoint::Unlisted];
const REFUSED: &[Endpoint] = &[Endpoint::Refused, Endpoint::Registration];
const REGISTRATION: &[Endpoint] = &[Endpoint::Registration];
const UNLISTED: &[Endpoint] = &[Endpoint::Unlisted];

macro_rules! rules {
    ($($violation:ident, $endpoints:ident, $reach:ident, $citation:literal, $check:expr;)*) => {
        /// Every rule, in the order of judgement: the first breach gives the answer.
        pub const RULES: &[Rule] = &[$(Rule {
            violation: Violation::$violation,
            endpoints: $endpoints,
            reach: Reach::$reach,
            citation: $citation,
            check: $check,
        }),*];
    };
}

use Check::{Answer, Authorization, AuthorizationResponse, Either, Gate, Identification, Token};

rules! {
    // violation, endpoints, reach, citation, check
    PolicyUnavailable, EVERYWHERE, Everyone, "RFC 6749 §4.1.2.1", Gate;
    RequestNotHeld, EVERYWHERE, Everyone, "RFC 9110 §15.6.4", Gate;

    // Stage one: which endpoint, which client, can it be read?
    PathAmbiguous, BOTH, Everyone, "RFC 3986 §6.2.2", Identification(identification::path_is_exact);
    UpgradeNotAllowed, BOTH, Everyone, "RFC 9110 §7.8", Identification(identification::protocol_stays);
    LimitExceeded, EVERYWHERE, Everyone, "RFC 9110 §15.5.14", Identification(identification::limits_are_kept);
    BodyNotExpected, BOTH, Everyone, "RFC 9110 §9.3.1", Identification(identification::body_is_expected);
    RegistrationClosed, REGISTRATION, Everyone, "RFC 7591 §3", Identification(door::registration_is_open);
    ClientUnreadable, READ, Everyone, "RFC 6749 §3.2", Identification(identification::client_is_readable);
    ClientIdIsAnAlias, EVERYWHERE, Everyone, "RFC 6749 §2.2", Identification(identification::client_id_is_no_alias);
    ClientLookalike, EVERYWHERE, Everyone, "RFC 6749 §2.2", Identification(identification::client_is_no_lookalike);
    ClientAmbiguous, BOTH, Everyone, "RFC 7521 §4.2", Identification(identification::one_client_is_named);
    ClientBlocked, EVERYWHERE, Everyone, "RFC 6749 §4.1.2.1", Identification(identification::client_is_not_blocked);
    EndpointNotAllowed, REFUSED, Strict, "RFC 9700 §2.4", Identification(door::endpoint_is_open);
    EndpointUnlisted, UNLISTED, Strict, "RFC 6749 §3", Identification(door::endpoint_is_listed);
    ClientUnlisted, LISTED, Everyone, "RFC 6749 §5.2", Identification(identification::client_is_listed);
    ClientMissing, BOTH, Everyone, "RFC 6749 §3.2.1", Identification(identification::client_is_named);
    AudienceUnreadable, READ, Everyone, "RFC 8707 §2", Identification(others::what_is_asked_is_readable);
    AccessPolicyDenies, READ, Everyone, "RFC 8707 §2", Identification(others::access_policy_lets_in);
    SchemeNotHttps, BOTH, Strict, "RFC 6749 §3.1", Identification(identification::scheme_is_https);
    MethodNotAllowed, BOTH, Strict, "RFC 6749 §3.2", Identification(identification::method_is_the_endpoints);
    MediaTypeNotForm, TOKEN, Strict, "RFC 6749 Appendix B", Identification(identification::body_is_a_form);
    ClientAuthenticationMalformed, TOKEN, Strict, "RFC 6749 §2.3.1", Identification(identification::credentials_are_readable);
    ParameterInQuery, TOKEN, Strict, "RFC 6749 §2.3.1", Identification(identification::query_is_not_the_request);
    ParameterMalformed, BOTH, Strict, "RFC 6749 Appendix B", Identification(identification::parameters_are_well_formed);
    ParameterLookalike, BOTH, Strict, "RFC 6749 §3.1", Identification(identification::parameters_are_no_lookalikes);
    ParameterRepeated, BOTH, Strict, "RFC 6749 §3.1", Identification(identification::parameters_stand_once);

    // Stage two: what a strict client may ask.
    RedirectUriNotRegistered, BOTH, Strict, "RFC 9700 §4.1.3", Either(authorization::redirect_uri_is_registered, token::redirect_uri_is_registered);
    RequestObjectNotSupported, AUTHORIZATION, Strict, "RFC 9101 §6.3", Authorization(authorization::request_object_is_not_used);
    RequestUriNotSupported, AUTHORIZATION, Strict, "RFC 9101 §10.4", Authorization(authorization::request_uri_is_not_used);
    ParameterNotSupported, BOTH, Strict, "RFC 9700 §4.3.2", Either(authorization::parameters_are_supported, token::parameters_are_supported);
    ParameterValueMalformed, BOTH, Strict, "RFC 6749 Appendix A", Either(authorization::values_keep_their_grammar, token::values_keep_their_grammar);
    TenantHasActiveRules, AUTHORIZATION, Strict, "RFC 6749 §4.1.2.1", Authorization(authorization::tenant_has_no_active_rules);
    ResponseTypeMissing, AUTHORIZATION, Strict, "RFC 6749 §3.1.1", Authorization(authorization::response_type_is_present);
    ResponseTypeNotCode, AUTHORIZATION, Strict, "RFC 9700 §2.1.2", Authorization(authorization::response_type_is_code);
    ResponseModeNotQuery, AUTHORIZATION, Strict, "OAuth 2.0 Multiple Response Types §2.1", Authorization(authorization::response_mode_is_query);
    GrantTypeMissing, TOKEN, Strict, "RFC 6749 §4.1.3", Token(token::grant_type_is_present);
    GrantTypeNotAllowed, BOTH, Strict, "RFC 9700 §2.4", Either(authorization::client_may_use_codes, token::grant_type_is_allowed);
    ClientAuthenticationRepeated, TOKEN, Strict, "RFC 6749 §2.3", Token(token::client_authenticates_once);
    ClientAuthenticationNotRegistered, TOKEN, Strict, "RFC 7591 §2", Token(token::client_authenticates_as_registered);
    CodeChallengeMissing, AUTHORIZATION, Strict, "RFC 7636 §4.4.1", Authorization(authorization::code_challenge_is_present);
    CodeChallengeMalformed, AUTHORIZATION, Strict, "RFC 7636 §4.2", Authorization(authorization::code_challenge_is_well_formed);
    CodeChallengeMethodNotS256, AUTHORIZATION, Strict, "RFC 9700 §2.1.1", Authorization(authorization::code_challenge_method_is_s256);
    CodeMissing, TOKEN, Strict, "RFC 6749 §4.1.3", Token(token::code_is_present);
    RefreshTokenMissing, TOKEN, Strict, "RFC 6749 §6", Token(token::refresh_token_is_present);
    ParameterForeignToGrant, TOKEN, Strict, "RFC 6749 §4.1.3", Token(token::parameters_belong_to_the_grant);
    CodeVerifierMissing, TOKEN, Strict, "RFC 7636 §4.5", Token(token::code_verifier_is_present);
    CodeVerifierMalformed, TOKEN, Strict, "RFC 7636 §4.1", Token(token::code_verifier_is_well_formed);
    ConnectionNotAllowed, AUTHORIZATION, Strict, "OpenID Connect Core §3.1.2.1", Authorization(authorization::connection_is_open);
    AudienceMalformed, BOTH, Strict, "RFC 8707 §2", Either(|request| request.ask.audience_is_well_formed(), |request| request.ask(Ask::audience_is_well_formed));
    AudienceAmbiguous, BOTH, Strict, "RFC 8707 §2", Either(|request| request.ask.audience_is_one(), |request| request.ask(Ask::audience_is_one));
    AudienceMissing, BOTH, Strict, "RFC 8707 §2", Either(|request| request.ask.audience_is_known(), |request| request.ask(Ask::audience_is_known));
    AudienceNotGranted, BOTH, Strict, "RFC 8707 §2", Either(|request| request.ask.audience_is_granted(), |request| request.ask(Ask::audience_is_granted));
    GrantWithdrawn, TOKEN, Strict, "RFC 6749 §5.2", Token(|request| request.ask(Ask::something_is_granted));
    ScopeMalformed, BOTH, Strict, "RFC 6749 §3.3", Either(authorization::scope_keeps_its_grammar, token::scope_keeps_its_grammar);
    OidcScopeNotSupported, BOTH, Strict, "OpenID Connect Core §5.4", Either(|request| request.ask.no_oidc_scope_is_rejected(), |request| request.ask(Ask::no_oidc_scope_is_rejected));
    ScopeNotGranted, BOTH, Strict, "RFC 6749 §3.3", Either(|request| request.ask.scope_is_granted(), |request| request.ask(Ask::scope_is_granted));
    AuthorizationDetailsNotGranted, AUTHORIZATION, Strict, "RFC 9396 §5", Authorization(authorization::authorization_details_are_granted);
    PromptMalformed, AUTHORIZATION, Strict, "OpenID Connect Core §3.1.2.1", Authorization(authorization::prompt_none_stands_alone);
    PromptNone, AUTHORIZATION, Strict, "RFC 9700 §4.11.2", Authorization(authorization::prompt_is_not_none);

    // The way back: what a strict client may get.
    AuthorizationResponseTokens, AUTHORIZATION, Strict, "RFC 9700 §2.1.2", AuthorizationResponse(answer::no_token_is_in_the_front_channel);
    AuthorizationResponseMisdirected, AUTHORIZATION, Strict, "RFC 9700 §4.1.3", AuthorizationResponse(answer::response_goes_where_it_was_asked);
    AuthorizationErrorRedirected, AUTHORIZATION, Strict, "RFC 9700 §4.11.2", AuthorizationResponse(answer::error_stays_here);
    AuthorizationResponseExposed, AUTHORIZATION, Strict, "RFC 9700 §4.16", AuthorizationResponse(answer::authorization_answer_is_protected);
    TokenResponseUnreadable, TOKEN, Strict, "RFC 6749 §5.1", Answer(answer::token_answer_is_readable);
    TokenResponseIncomplete, TOKEN, Strict, "RFC 6749 §5.1", Answer(answer::token_answer_is_complete);
    TokenAudienceNotGranted, TOKEN, Strict, "RFC 8707 §2.2", Answer(answer::token_is_for_the_granted_api);
    TokenScopeNotGranted, TOKEN, Strict, "RFC 6749 §3.3", Answer(answer::token_scope_is_granted);
    IdTokenIssued, TOKEN, Strict, "OpenID Connect Core §3.1.3.3", Answer(answer::no_id_token_is_issued);
    RefreshTokenNotAllowed, TOKEN, Strict, "RFC 6749 §4.4.3", Answer(answer::refresh_token_is_allowed);
    TokenResponseMalformed, TOKEN, Strict, "RFC 6749 §5.1", Answer(answer::members_have_their_types);
    ScopeNotReported, TOKEN, Strict, "RFC 6749 §5.1", Answer(answer::scope_is_reported);
    TokenResponseCacheable, TOKEN, Strict, "RFC 6749 §5.1", Answer(answer::token_answer_is_not_stored);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::violation::ErrorCode;

    #[test]
    fn each_rule_stands_once_and_its_words_fit_the_wire() {
        for (at, rule) in RULES.iter().enumerate() {
            let id = rule.violation.id();
            assert!(RULES.iter().skip(at + 1).all(|other| other.violation.id() != id), "{id} stands twice");
            let fits = |text: &str| text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E));
            assert!(fits(rule.violation.description()), "{id}");
            assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{id}");
        }
    }

    #[test]
    fn the_status_follows_from_the_error() {
        for (violation, endpoint, error, status) in [
            (Violation::ClientUnlisted, Endpoint::Authorization, ErrorCode::InvalidRequest, 400),
            (Violation::ClientUnlisted, Endpoint::Token, ErrorCode::InvalidClient, 401),
            (Violation::ClientBlocked, Endpoint::Token, ErrorCode::AccessDenied, 403),
            (Violation::GrantTypeNotAllowed, Endpoint::Token, ErrorCode::UnsupportedGrantType, 400),
            (Violation::GrantTypeNotAllowed, Endpoint::Authorization, ErrorCode::UnsupportedResponseType, 400),
            (Violation::MethodNotAllowed, Endpoint::Token, ErrorCode::InvalidRequest, 405),
            (Violation::PolicyUnavailable, Endpoint::Token, ErrorCode::TemporarilyUnavailable, 503),
        ] {
            assert_eq!(violation.error(Some(endpoint), ErrorDialect::OAuth), error, "{violation:?}");
            assert_eq!(Breach::from(violation).status(Some(endpoint), ErrorDialect::OAuth), status, "{violation:?}");
        }
    }
}
