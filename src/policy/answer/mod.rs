//! Answers of the identity provider, and their rules: what a strict client may get.

mod authorization;
mod location;
mod token;

pub(crate) use authorization::{
    AuthorizationAnswer, authorization_answer_is_protected, error_stays_here, no_token_is_in_the_front_channel,
    response_goes_where_it_was_asked,
};
pub(crate) use token::{
    TokenAnswer, members_have_their_types, no_id_token_is_issued, refresh_token_is_allowed, scope_is_reported,
    token_answer_is_complete, token_answer_is_not_stored, token_answer_is_readable, token_is_for_the_granted_api,
    token_scope_is_granted,
};

use crate::violation::Violation;

/// What becomes of an answer with a breach; `None` for what is no breach of answers.
pub(crate) fn consequence(violation: Violation) -> Option<&'static str> {
    match violation {
        Violation::AuthorizationErrorRedirected => Some("the user sees a page of the gate; nothing is sent to the application"),
        Violation::AuthorizationResponseExposed => Some("headers of the answer are put right, and it is delivered"),
        Violation::TokenAudienceNotGranted => {
            Some("the answer is not delivered; with `token_audience: report` it is, and is counted")
        }
        Violation::AuthorizationResponseMisdirected
        | Violation::AuthorizationResponseTokens
        | Violation::TokenResponseIncomplete
        | Violation::TokenResponseUnreadable
        | Violation::TokenScopeNotGranted => Some("the answer is not delivered"),
        Violation::IdTokenIssued
        | Violation::RefreshTokenNotAllowed
        | Violation::ScopeNotReported
        | Violation::TokenResponseCacheable
        | Violation::TokenResponseMalformed => Some("the answer is trimmed and delivered"),
        _ => None,
    }
}
