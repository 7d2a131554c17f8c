//! Doors: every way to the identity provider that is no authorization or token
//! endpoint, and what of it is closed (design, decision 16).

use crate::client::ClientKind;
use crate::head::Content;
use crate::reading::{Body, Reading};
use crate::violation::{Breach, Violation};

/// Refuses a client registration, from everybody: a stranger could register a client
/// that no rule binds (RFC 7591 §3, §5; RFC 7592).
///
/// A page for people at the same path passes: what it sends is a form.
pub(crate) fn registration_is_open(reading: &Reading<'_>) -> Result<(), Breach> {
    if reading.settings.passes_registration || !is_registration(reading) {
        return Ok(());
    }
    Err(Violation::RegistrationClosed.into())
}

fn is_registration(reading: &Reading<'_>) -> bool {
    let head = reading.head;
    if matches!(head.method(), b"GET" | b"HEAD" | b"OPTIONS") && !head.overrides_the_method() {
        return false;
    }
    // Many servers read JSON whatever the type says (RFC 7591 §3.1), and some a form like JSON.
    let is_form = matches!(head.content(), Content::Form | Content::Multipart);
    let mentions = &reading.mentions;
    // Without metadata there is nothing to register.
    let is_empty = matches!(reading.body, Body::Whole([])) && head.method() == b"POST";
    let is_plain = (is_form || is_empty)
        && !head.has_content_coding()
        && !head.has_odd_charset()
        && !mentions.has_coded_part
        && !mentions.looks_like_json
        && !mentions.has_nul
        && !mentions.registers;
    head.method() != b"POST" || head.overrides_the_method() || !is_plain
}

/// Refuses strict clients at an endpoint that they cannot use: device authorization,
/// pushed requests, CIBA, introspection, userinfo, logout, and what is older than
/// OAuth 2.0 (RFC 9700 §2.4; the vendor's strict mode).
pub(crate) fn endpoint_is_open(reading: &Reading<'_>) -> Result<(), Breach> {
    let is_protected = reading.kind().is_some_and(|kind| kind <= ClientKind::Strict);
    if is_protected { Err(Violation::EndpointNotAllowed.into()) } else { Ok(()) }
}

/// Refuses a strict client's authorization or token request at a path that nobody
/// listed: it may be one more endpoint, and nothing there is judged (RFC 6749 §3).
pub(crate) fn endpoint_is_listed(reading: &Reading<'_>) -> Result<(), Breach> {
    if reading.claims_a_door() { Err(Violation::EndpointUnlisted.into()) } else { Ok(()) }
}
