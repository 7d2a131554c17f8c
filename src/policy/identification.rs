//! Stage one: where does the request go, whom does it name, can it be read?
//!
//! Failures here are answered directly and never redirected: only a request that
//! passed has one client, so only then can a redirect URI be verified.

use crate::client::{ClientKind, Recognition};
use crate::endpoint::{Endpoint, Place};
use crate::head::{Content, Field};
use crate::mention::JsonBody;
use crate::parameters::ParameterError;
use crate::reading::{Body, Reading};
use crate::settings::UnlistedClients;
use crate::violation::{Breach, Violation};

type Verdict = Result<(), Breach>;

/// Refuses a path that one server reads as an endpoint and another does not.
///
/// Nobody can say which rules it would meet behind us (CVE-2026-0976,
/// CVE-2021-29492; RFC 3986 §6.2.2).
pub(crate) fn path_is_exact(reading: &Reading<'_>) -> Verdict {
    match reading.place {
        Place::Ambiguous(_) => Err(Violation::PathAmbiguous.into()),
        Place::Endpoint(_) | Place::Elsewhere => Ok(()),
    }
}

/// Refuses CONNECT and Upgrade at an endpoint: what follows would not be judged
/// (RFC 9110 §7.8, §9.3.6).
pub(crate) fn protocol_stays(reading: &Reading<'_>) -> Verdict {
    let leaves = reading.head.get(Field::Upgrade).is_some() || reading.head.method() == b"CONNECT";
    if leaves { Err(Violation::UpgradeNotAllowed.into()) } else { Ok(()) }
}

/// Refuses what is larger than the limits: servers cut, drop or fail there, each
/// in its own way (RFC 9110 §15.5.14, §15.5.15).
pub(crate) fn limits_are_kept(reading: &Reading<'_>) -> Verdict {
    let limits = &reading.settings.limits;
    let exceeded = |limit| Err(Breach::of(Violation::LimitExceeded, limit));
    if !reading.endpoint.is_judged() {
        // A form on an unlisted path is released when it is long (design, decision 16).
        let is_too_long = matches!(reading.body, Body::TooLong) && reading.endpoint != Endpoint::Unlisted;
        return match () {
            () if is_too_long => exceeded("body"),
            () if reading.gave_up() => exceeded("parameters"),
            () => Ok(()),
        };
    }
    if reading.head.path().len() > limits.path {
        return exceeded("path");
    }
    if reading.head.query().is_some_and(|query| query.len() > limits.query) {
        return exceeded("query");
    }
    if matches!(reading.body, Body::TooLong) {
        return exceeded("body");
    }
    if reading.gave_up() {
        return exceeded("parameters");
    }
    let Ok(parameters) = reading.parameters() else { return Ok(()) };
    // Values of others are their server's to judge.
    let is_longer = |name, limit| reading.is_strict() && parameters.get(name).is_some_and(|value| value.len() > limit);
    if is_longer("state", limits.state) {
        return exceeded("state");
    }
    if is_longer("redirect_uri", limits.redirect_uri) {
        return exceeded("redirect_uri");
    }
    Ok(())
}

/// Refuses a GET or HEAD with a body: some servers read parameters out of it
/// (RFC 9110 §9.3.1).
pub(crate) fn body_is_expected(reading: &Reading<'_>) -> Verdict {
    let has_body = match reading.body {
        Body::Whole(octets) => !octets.is_empty(),
        Body::TooLong => true,
    };
    if has_body && matches!(reading.head.method(), b"GET" | b"HEAD") {
        return Err(Violation::BodyNotExpected.into());
    }
    Ok(())
}

/// Refuses a body that hides whom it names: a content coding, a charset that is
/// no superset of ASCII, and at the token endpoint anything but a form or an
/// unambiguous JSON object.
///
/// A strict client could be in there (RFC 6749 §3.2, Appendix B; RFC 9110 §8.4).
pub(crate) fn client_is_readable(reading: &Reading<'_>) -> Verdict {
    let unreadable = Err(Violation::ClientUnreadable.into());
    let at_token = reading.endpoint == Endpoint::Token;
    if at_token && (reading.mentions.has_unreadable_assertion || reading.mentions.has_unreadable_credentials) {
        return unreadable;
    }
    // Django reads a query in it, too.
    if reading.head.has_odd_charset() || reading.mentions.has_coded_part {
        return unreadable;
    }
    if reading.octets().is_empty() {
        return Ok(());
    }
    if reading.head.has_content_coding() {
        return unreadable;
    }
    if !at_token {
        // Servers that read JSON anywhere may read more of it than we do.
        let hides = match reading.head.content() {
            Content::Multipart => false,
            Content::Form => reading.mentions.json == Some(JsonBody::Unreadable),
            Content::Absent | Content::Json | Content::Other => {
                reading.mentions.json == Some(JsonBody::Unreadable) || reading.mentions.has_nul
            }
        };
        return if hides { unreadable } else { Ok(()) };
    }
    if reading.mentions.has_nul {
        return unreadable;
    }
    match (reading.head.content(), reading.mentions.json) {
        (Content::Form, Some(JsonBody::Unreadable)) => unreadable,
        (Content::Form, _) | (Content::Json, Some(JsonBody::Object)) => Ok(()),
        _ => unreadable,
    }
}

/// Refuses a value that is no protected id, but that some server would fold onto
/// one: other case, width, accents, blanks (RFC 6749 Appendix A.1; design §1).
pub(crate) fn client_is_no_lookalike(reading: &Reading<'_>) -> Verdict {
    let is_lookalike = reading.recognised.iter().any(|who| matches!(who, Recognition::Lookalike));
    if is_lookalike { Err(Breach::of(Violation::ClientLookalike, "client_id")) } else { Ok(()) }
}

/// Refuses the identity provider's own name of a strict client, from everybody: by it
/// the request would reach the client's entry around every rule (design §1).
pub(crate) fn client_id_is_no_alias(reading: &Reading<'_>) -> Verdict {
    let is_alias = reading.recognised.iter().any(|who| matches!(who, Recognition::Alias));
    if is_alias { Err(Breach::of(Violation::ClientIdIsAnAlias, "client_id")) } else { Ok(()) }
}

/// Refuses a request that names two clients, one of them strict or blocked.
///
/// Query, body, `Basic` in both spellings, assertions and request objects are
/// read as every server might, and must agree (RFC 7521 §4.2, RFC 9101 §6.3).
pub(crate) fn one_client_is_named(reading: &Reading<'_>) -> Verdict {
    let is_protected = reading.kind().is_some_and(|kind| kind <= ClientKind::Strict);
    if is_protected && reading.recognised.len() > 1 {
        return Err(Breach::of(Violation::ClientAmbiguous, "client_id"));
    }
    Ok(())
}

/// Refuses a blocked client, whatever else it is: the kill switch (design §1).
pub(crate) fn client_is_not_blocked(reading: &Reading<'_>) -> Verdict {
    let is_blocked = reading.kind() == Some(ClientKind::Blocked);
    if is_blocked { Err(Violation::ClientBlocked.into()) } else { Ok(()) }
}

/// Refuses a strict id that the policy does not list, and with
/// `unlisted_clients: refuse` any other unlisted id (RFC 6749 §4.1.2.1, §5.2).
pub(crate) fn client_is_listed(reading: &Reading<'_>) -> Verdict {
    let refuses_all = reading.settings.unlisted_clients == UnlistedClients::Refuse;
    let is_unlisted = |who: &Recognition| match who {
        // At a door it is refused as the strict client that it is.
        Recognition::StrictUnlisted => reading.endpoint.is_judged(),
        Recognition::Unlisted => refuses_all,
        Recognition::Alias | Recognition::Listed(_) | Recognition::Lookalike => false,
    };
    if reading.recognised.iter().any(is_unlisted) {
        return Err(Breach::of(Violation::ClientUnlisted, "client_id"));
    }
    Ok(())
}

/// Refuses a code or a refresh token that nobody presents, a request object that
/// nobody sends, and a strict client that only a header or an object names where it
/// must name itself (RFC 6749 §4.1.1).
///
/// The server would find the client in there, and it could be a strict one
/// (draft-ietf-oauth-v2-1-15 §4.1.3; RFC 6749 §3.2.1; RFC 9101 §5).
pub(crate) fn client_is_named(reading: &Reading<'_>) -> Verdict {
    let names_one_outside = reading.mentions.part.named_a_client();
    let is_missing = match reading.endpoint {
        Endpoint::Token => reading.mentions.asks_for_a_code_or_refresh && !reading.mentions.name_a_client(),
        _ if reading.is_strict() && reading.head.method() == b"GET" => {
            reading.parameters().is_ok_and(|parameters| parameters.get("client_id").is_none())
        }
        _ => reading.mentions.has_request_object && !names_one_outside,
    };
    if is_missing { Err(Breach::of(Violation::ClientMissing, "client_id")) } else { Ok(()) }
}

/// Refuses http, as the trusted hop tells it (RFC 6749 §3.1, §3.2;
/// draft-ietf-oauth-v2-1-15 §1.5).
pub(crate) fn scheme_is_https(reading: &Reading<'_>) -> Verdict {
    let is_https = reading.head.scheme().eq_ignore_ascii_case(b"https");
    if is_https || reading.settings.allow_http { Ok(()) } else { Err(Violation::SchemeNotHttps.into()) }
}

/// Refuses any method but GET at the authorization endpoint and POST at the
/// token endpoint (RFC 6749 §3.1, §3.2): frameworks run the GET handler for HEAD.
pub(crate) fn method_is_the_endpoints(reading: &Reading<'_>) -> Verdict {
    let expected: &[u8] = if reading.endpoint == Endpoint::Token { b"POST" } else { b"GET" };
    if reading.head.method() == expected { Ok(()) } else { Err(Violation::MethodNotAllowed.into()) }
}

/// Refuses a token request that is no form in UTF-8 (RFC 6749 §3.2, Appendix B).
pub(crate) fn body_is_a_form(reading: &Reading<'_>) -> Verdict {
    if reading.head.is_plain_form() || reading.head.method() != b"POST" {
        Ok(())
    } else {
        Err(Violation::MediaTypeNotForm.into())
    }
}

/// Refuses credentials that servers read differently: an `authorization` header that
/// is not one `Basic` credential (RFC 6749 §2.3, §2.3.1), an assertion of another type
/// than a JWT, and a type without its assertion (RFC 7521 §4.2, RFC 7523 §2.2).
pub(crate) fn credentials_are_readable(reading: &Reading<'_>) -> Verdict {
    if reading.head.authorization().is_some() && reading.basic().is_none() {
        return Err(Violation::ClientAuthenticationMalformed.into());
    }
    let Ok(parameters) = reading.parameters() else { return Ok(()) };
    match (parameters.get("client_assertion"), parameters.get("client_assertion_type")) {
        (None, None) | (Some(_), Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")) => Ok(()),
        _ => Err(Breach::of(Violation::ClientAuthenticationMalformed, "client_assertion_type")),
    }
}

/// Refuses OAuth parameters in the query of a token request: some servers prefer
/// them, and a secret must not be in a URI (RFC 6749 §2.3.1, §3.2).
pub(crate) fn query_is_not_the_request(reading: &Reading<'_>) -> Verdict {
    match &reading.query {
        Ok(query) => match query.first_known() {
            Some(name) => Err(Breach::of(Violation::ParameterInQuery, name)),
            None => Ok(()),
        },
        Err(_) => Err(Violation::ParameterInQuery.into()),
    }
}

/// Refuses a bad percent-escape and octets that are not UTF-8: servers replace,
/// keep or drop them (RFC 6749 Appendix B).
pub(crate) fn parameters_are_well_formed(reading: &Reading<'_>) -> Verdict {
    match reading.parameters() {
        Err(ParameterError::Malformed(_)) => Err(Violation::ParameterMalformed.into()),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Refuses a name that some framework would take for a known one, or that hides
/// behind a `;` (RFC 6749 §3.1: names are case-sensitive).
pub(crate) fn parameters_are_no_lookalikes(reading: &Reading<'_>) -> Verdict {
    match reading.parameters() {
        Err(ParameterError::Lookalike(name) | ParameterError::Semicolon(name)) => {
            Err(Breach::of(Violation::ParameterLookalike, name))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Refuses a parameter that is included more than once (RFC 6749 §3.1, §3.2):
/// first, last or both, as the server likes.
pub(crate) fn parameters_stand_once(reading: &Reading<'_>) -> Verdict {
    match reading.parameters() {
        Err(ParameterError::Repeated(name)) => Err(Breach::of(Violation::ParameterRepeated, name)),
        Ok(_) | Err(_) => Ok(()),
    }
}
