//! The answer of the authorization endpoint (RFC 6749 §4.1.2).

use super::location::{Location, Target};
use crate::exchange::AuthorizationExchange;
use crate::head::{Field, Head};
use crate::violation::{Breach, Violation};

/// An answer of the authorization endpoint, read: its headers only.
#[derive(Debug)]
pub(crate) struct AuthorizationAnswer<'a> {
    exchange: &'a AuthorizationExchange,
    head: &'a Head,
    /// Where it leads: by `location`, and by `refresh`.
    locations: Vec<Location>,
}

impl<'a> AuthorizationAnswer<'a> {
    pub(crate) fn new(exchange: &'a AuthorizationExchange, head: &'a Head) -> Self {
        let by_refresh = head.get(Field::Refresh).and_then(refresh_url);
        let values = head.get(Field::Location).into_iter().chain(by_refresh);
        let locations = values.map(|value| Location::parse(value, &exchange.redirect_uri, &exchange.hosts)).collect();
        Self { exchange, head, locations }
    }

    /// The `error` that it carries, where it is one of the words that the standards have.
    pub(crate) fn error(&self) -> Option<&'static str> {
        let error = self.locations.iter().flat_map(|location| location.all("error")).next()?;
        ERRORS.iter().find(|known| **known == error).copied()
    }

    /// The headers that make it safe: names with the value to be set, and names to be taken out.
    pub(crate) fn corrections(&self) -> (Vec<(&'static str, String)>, Vec<&'static str>) {
        let (mut set, has) = (Vec::new(), |field| self.head.get(field).is_some());
        let leads_to_the_client = self.locations.iter().any(|location| location.target == Target::Asked);
        // A browser repeats the request, credentials included, after 307 and 308, and for ever after
        // 301 (RFC 9700 §4.12; RFC 9110 §15.4).
        if leads_to_the_client && matches!(self.head.get(Field::Status), Some(b"301" | b"307" | b"308")) {
            set.push((":status", "303".to_owned()));
        }
        let carries_a_code = self.locations.iter().any(|location| location.has(&["code"]));
        if carries_a_code && !self.head.get(Field::CacheControl).is_some_and(|value| value.eq_ignore_ascii_case(b"no-store")) {
            set.push(("cache-control", "no-store".to_owned()));
        }
        let is_page = self.locations.is_empty() && self.head.is_html();
        if !has(Field::ReferrerPolicy) && (is_page || leads_to_the_client) {
            // A page's own forms may need the referrer: servers check it against forged requests.
            set.push(("referrer-policy", if is_page { "same-origin" } else { "no-referrer" }.to_owned()));
        }
        let policy = self.head.get(Field::ContentSecurityPolicy).unwrap_or_default().to_ascii_lowercase();
        let is_framed_by_policy = policy.windows(b"frame-ancestors".len()).any(|part| part == b"frame-ancestors");
        if is_page && !is_framed_by_policy {
            if !has(Field::XFrameOptions) {
                set.push(("x-frame-options", "DENY".to_owned()));
            }
            if policy.is_empty() {
                set.push(("content-security-policy", "frame-ancestors 'none'".to_owned()));
            }
        }
        // The standards forbid CORS here (draft-ietf-oauth-v2-1-15 §3.1; RFC 9700 §2.6).
        (set, self.head.present(CORS).collect())
    }
}

/// Refuses to hand on tokens through the browser: an implicit answer to a request for
/// a code (RFC 9700 §2.1.2).
pub(crate) fn no_token_is_in_the_front_channel(answer: &AuthorizationAnswer<'_>) -> Result<(), Breach> {
    let carries_tokens = answer.locations.iter().any(|location| location.has(&["access_token", "id_token", "refresh_token"]));
    if carries_tokens { Err(Violation::AuthorizationResponseTokens.into()) } else { Ok(()) }
}

/// Refuses to hand on an authorization response that goes to another place than was
/// asked for, or with another `state` (RFC 9700 §4.1.3; RFC 6749 §4.1.2).
///
/// A redirect without `code` or `error` is none: to a login page, or to the
/// identity provider that stands behind this one.
pub(crate) fn response_goes_where_it_was_asked(answer: &AuthorizationAnswer<'_>) -> Result<(), Breach> {
    let is_right = |location: &Location| {
        let (has_code, has_error) = (location.has(&["code", "response"]), location.has(&["error"]));
        let states: Vec<&str> = location.all("state").collect();
        let state_is_ours = states.iter().copied().eq(answer.exchange.state.as_deref());
        match location.target {
            Target::Asked if has_code => {
                let one_code = location.all("code").count() == 1 && !location.has(&["response"]);
                one_code && state_is_ours
            }
            // Some servers lose the state of an error; the client will not take it, but nothing leaks.
            Target::Asked if has_error => states.is_empty() || state_is_ours,
            Target::Own => !has_code,
            Target::Asked => true,
            Target::Elsewhere => !has_code && !has_error,
        }
    };
    if answer.locations.iter().all(is_right) { Ok(()) } else { Err(Violation::AuthorizationResponseMisdirected.into()) }
}

/// Keeps an error here, where the client wants no redirects of errors: they make the
/// server an open redirector (RFC 9700 §4.11.2; draft-ietf-oauth-v2-1-15 §7.13.2).
pub(crate) fn error_stays_here(answer: &AuthorizationAnswer<'_>) -> Result<(), Breach> {
    let leaves = |location: &Location| location.target == Target::Asked && location.has(&["error"]) && !location.has(&["code"]);
    if !answer.exchange.errors_are_redirected && answer.locations.iter().any(leaves) {
        return Err(Violation::AuthorizationErrorRedirected.into());
    }
    Ok(())
}

/// Puts right what others could do with the answer: frame it (RFC 9700 §4.16), read it
/// across origins, learn its URL (§4.2.4), keep it, or have the request repeated (§4.12).
pub(crate) fn authorization_answer_is_protected(answer: &AuthorizationAnswer<'_>) -> Result<(), Breach> {
    let (set, removed) = answer.corrections();
    if set.is_empty() && removed.is_empty() { Ok(()) } else { Err(Violation::AuthorizationResponseExposed.into()) }
}

/// The URL of a `refresh` header, as browsers find it: behind the time, with or
/// without `url=`, in quotes or not (HTML, the rules for the refresh pragma).
fn refresh_url(value: &[u8]) -> Option<&[u8]> {
    let rest = value.trim_ascii_start();
    let time = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(rest.len());
    let rest = rest.get(time..)?.trim_ascii_start();
    let rest = rest.strip_prefix(b";").or_else(|| rest.strip_prefix(b",")).unwrap_or(rest).trim_ascii_start();
    let named = rest.get(..3).filter(|name| name.eq_ignore_ascii_case(b"url")).and_then(|_| rest.get(3..));
    let rest = named.and_then(|rest| rest.trim_ascii_start().strip_prefix(b"=")).map_or(rest, <[u8]>::trim_ascii_start);
    let quote = rest.first().copied().filter(|byte| matches!(byte, b'"' | b'\''));
    let url = match quote {
        Some(quote) => rest.get(1..)?.split(|&byte| byte == quote).next().unwrap_or_default(),
        None => rest,
    };
    (!url.is_empty()).then_some(url)
}

const CORS: &[Field] = &[
    Field::AccessControlAllowCredentials,
    Field::AccessControlAllowHeaders,
    Field::AccessControlAllowMethods,
    Field::AccessControlAllowOrigin,
    Field::AccessControlExposeHeaders,
    Field::AccessControlMaxAge,
];

/// Errors of an authorization response (RFC 6749 §4.1.2.1, RFC 8707 §2, RFC 9101 §7,
/// RFC 9396 §5; `OpenID` Connect Core §3.1.2.6).
const ERRORS: &[&str] = &[
    "access_denied",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "invalid_authorization_details",
    "invalid_request",
    "invalid_request_object",
    "invalid_request_uri",
    "invalid_scope",
    "invalid_target",
    "login_required",
    "registration_not_supported",
    "request_not_supported",
    "request_uri_not_supported",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_response_type",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_is_read_as_browsers_read_it() {
        for (value, expected) in [
            ("0; url=https://a.example/", Some("https://a.example/")),
            ("0; https://a.example/", Some("https://a.example/")),
            ("0;URL = 'https://a.example/'; x", Some("https://a.example/")),
            ("1.5 , url=\"https://a.example/", Some("https://a.example/")),
            ("0; https://a.example/?url=/x", Some("https://a.example/?url=/x")),
            ("5", None),
            ("", None),
        ] {
            assert_eq!(refresh_url(value.as_bytes()), expected.map(str::as_bytes), "{value}");
        }
    }
}
