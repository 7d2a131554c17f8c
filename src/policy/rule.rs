//! The rules: one visible table, from which documentation, counters and tests come.

use std::fmt::Write;

use crate::answer::{self, TokenAnswer};
use crate::authorization::{self, AuthorizationRequest};
use crate::endpoint::Endpoint;
use crate::identification;
use crate::reading::Reading;
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
        matches!(self.check, Check::Answer(_))
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
        let row =
            [&format!("[`{id}`](docs/rules.md#{id})"), &endpoints.join(", "), rule.reach.name(), rule.citation, description];
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
        let id = rule.violation.id();
        let endpoints: Vec<&str> = rule.endpoints.iter().map(|endpoint| endpoint.name()).collect();
        let whom = match rule.reach {
            Reach::Everyone => "every request, first-party ones included",
            Reach::Strict => "strict clients",
        };
        let (error, description) = (rule.violation.error(rule.endpoints.last().copied()), rule.violation.description());
        let consequence = match rule.check {
            Check::Answer(_) if rule.violation == Violation::TokenResponseUnreadable => "the answer is not delivered",
            Check::Answer(_) => "the answer is trimmed and delivered",
            _ => "the request is refused, and the identity provider sees no byte of it",
        };
        let code = if matches!(rule.check, Check::Answer(_)) { String::new() } else { format!(" (`{}`)", error.name()) };
        let _infallible = write!(
            out,
            "\n## {id}\n\n{description}{code}\n\n- binds: {whom}, at the endpoint {}\n- then: {consequence}\n- written in: {}\n",
            endpoints.join(" and "),
            rule.citation
        );
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
        Check::Identification(_) | Check::Token(_) | Check::Answer(_) | Check::Gate => None,
    })
}

/// Checks a token request of a strict client against stage two.
pub(crate) fn judge_token(request: &TokenRequest<'_>) -> Vec<Breach> {
    breaches(|rule| match rule.check {
        Check::Token(check) | Check::Either(_, check) => Some(check(request)),
        Check::Identification(_) | Check::Authorization(_) | Check::Answer(_) | Check::Gate => None,
    })
}

/// Checks the answer to a token request of a strict client.
pub(crate) fn judge_answer(answer: &TokenAnswer<'_>) -> Vec<Breach> {
    breaches(|rule| match rule.check {
        Check::Answer(check) => Some(check(answer)),
        Check::Identification(_) | Check::Authorization(_) | Check::Token(_) | Check::Either(..) | Check::Gate => None,
    })
}

fn breaches(check: impl Fn(&Rule) -> Option<Result<(), Breach>>) -> Vec<Breach> {
    RULES.iter().filter_map(|rule| check(rule)?.err()).collect()
}

const BOTH: &[Endpoint] = &[Endpoint::Authorization, Endpoint::Token];
const AUTHORIZATION: &[Endpoint] = &[Endpoint::Authorization];
const TOKEN: &[Endpoint] = &[Endpoint::Token];

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

use Check::{Answer, Authorization, Either, Gate, Identification, Token};

rules! {
    // violation, endpoints, reach, citation, check
    PolicyUnavailable, BOTH, Everyone, "RFC 6749 §4.1.2.1", Gate;
    RequestNotHeld, BOTH, Everyone, "RFC 9110 §15.6.4", Gate;

    // Stage one: which endpoint, which client, can it be read?
    PathAmbiguous, BOTH, Everyone, "RFC 3986 §6.2.2", Identification(identification::path_is_exact);
    UpgradeNotAllowed, BOTH, Everyone, "RFC 9110 §7.8", Identification(identification::protocol_stays);
    LimitExceeded, BOTH, Everyone, "RFC 9110 §15.5.14", Identification(identification::limits_are_kept);
    BodyNotExpected, BOTH, Everyone, "RFC 9110 §9.3.1", Identification(identification::body_is_expected);
    ClientUnreadable, BOTH, Everyone, "RFC 6749 §3.2", Identification(identification::client_is_readable);
    ClientLookalike, BOTH, Everyone, "RFC 6749 §2.2", Identification(identification::client_is_no_lookalike);
    ClientAmbiguous, BOTH, Everyone, "RFC 7521 §4.2", Identification(identification::one_client_is_named);
    ClientBlocked, BOTH, Everyone, "RFC 6749 §4.1.2.1", Identification(identification::client_is_not_blocked);
    ClientUnlisted, BOTH, Everyone, "RFC 6749 §5.2", Identification(identification::client_is_listed);
    ClientMissing, TOKEN, Everyone, "RFC 6749 §3.2.1", Identification(identification::client_is_named);
    SchemeNotHttps, BOTH, Strict, "RFC 6749 §3.1", Identification(identification::scheme_is_https);
    MethodNotAllowed, BOTH, Strict, "RFC 6749 §3.2", Identification(identification::method_is_the_endpoints);
    MediaTypeNotForm, TOKEN, Strict, "RFC 6749 Appendix B", Identification(identification::body_is_a_form);
    ClientAuthenticationMalformed, TOKEN, Strict, "RFC 6749 §2.3.1", Identification(identification::credentials_are_basic);
    ParameterInQuery, TOKEN, Strict, "RFC 6749 §2.3.1", Identification(identification::query_is_not_the_request);
    ParameterMalformed, BOTH, Strict, "RFC 6749 Appendix B", Identification(identification::parameters_are_well_formed);
    ParameterLookalike, BOTH, Strict, "RFC 6749 §3.1", Identification(identification::parameters_are_no_lookalikes);
    ParameterRepeated, BOTH, Strict, "RFC 6749 §3.1", Identification(identification::parameters_stand_once);

    // Stage two: what a strict client may ask.
    RedirectUriNotRegistered, AUTHORIZATION, Strict, "RFC 9700 §4.1.3", Authorization(authorization::redirect_uri_is_registered);
    RequestObjectNotSupported, AUTHORIZATION, Strict, "RFC 9101 §6.3", Authorization(authorization::request_object_is_not_used);
    RequestUriNotSupported, AUTHORIZATION, Strict, "RFC 9101 §10.4", Authorization(authorization::request_uri_is_not_used);
    ParameterNotSupported, BOTH, Strict, "RFC 9700 §4.3.2", Either(authorization::parameters_are_supported, token::parameters_are_supported);
    ParameterValueMalformed, BOTH, Strict, "RFC 6749 Appendix A", Either(authorization::values_keep_their_grammar, token::values_keep_their_grammar);
    ResponseTypeMissing, AUTHORIZATION, Strict, "RFC 6749 §3.1.1", Authorization(authorization::response_type_is_present);
    ResponseTypeNotCode, AUTHORIZATION, Strict, "RFC 9700 §2.1.2", Authorization(authorization::response_type_is_code);
    ResponseModeNotQuery, AUTHORIZATION, Strict, "OAuth 2.0 Multiple Response Types §2.1", Authorization(authorization::response_mode_is_query);
    GrantTypeMissing, TOKEN, Strict, "RFC 6749 §4.1.3", Token(token::grant_type_is_present);
    GrantTypeNotAllowed, BOTH, Strict, "RFC 9700 §2.4", Either(authorization::client_may_use_codes, token::grant_type_is_allowed);
    ClientAuthenticationRepeated, TOKEN, Strict, "RFC 6749 §2.3", Token(token::client_authenticates_once);
    CodeChallengeMissing, AUTHORIZATION, Strict, "RFC 7636 §4.4.1", Authorization(authorization::code_challenge_is_present);
    CodeChallengeMalformed, AUTHORIZATION, Strict, "RFC 7636 §4.2", Authorization(authorization::code_challenge_is_well_formed);
    CodeChallengeMethodNotS256, AUTHORIZATION, Strict, "RFC 9700 §2.1.1", Authorization(authorization::code_challenge_method_is_s256);
    ScopeMalformed, BOTH, Strict, "RFC 6749 §3.3", Either(authorization::scope_keeps_its_grammar, token::scope_keeps_its_grammar);
    PromptMalformed, AUTHORIZATION, Strict, "OpenID Connect Core §3.1.2.1", Authorization(authorization::prompt_none_stands_alone);
    PromptNone, AUTHORIZATION, Strict, "RFC 9700 §4.11.2", Authorization(authorization::prompt_is_not_none);
    CodeMissing, TOKEN, Strict, "RFC 6749 §4.1.3", Token(token::code_is_present);
    RefreshTokenMissing, TOKEN, Strict, "RFC 6749 §6", Token(token::refresh_token_is_present);
    ParameterForeignToGrant, TOKEN, Strict, "RFC 6749 §4.1.3", Token(token::parameters_belong_to_the_grant);
    CodeVerifierMissing, TOKEN, Strict, "RFC 7636 §4.5", Token(token::code_verifier_is_present);
    CodeVerifierMalformed, TOKEN, Strict, "RFC 7636 §4.1", Token(token::code_verifier_is_well_formed);

    // The way back: what a strict client may get.
    TokenResponseUnreadable, TOKEN, Strict, "RFC 6749 §5.1", Answer(answer::token_answer_is_readable);
    IdTokenIssued, TOKEN, Strict, "OpenID Connect Core §3.1.3.3", Answer(answer::no_id_token_is_issued);
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
            assert_eq!(violation.error(Some(endpoint)), error, "{violation:?}");
            assert_eq!(Breach::from(violation).status(Some(endpoint)), status, "{violation:?}");
        }
    }
}
