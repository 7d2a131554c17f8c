//! Clients that are not strict, and the access policies that their owner set.
//!
//! A permissive client is bound by them, so what it asks must be readable in one way
//! only. For a first-party client they are an aid on readable requests, not a fence
//! (design §4).

use crate::access::SubjectType;
use crate::client::ClientKind;
use crate::endpoint::Endpoint;
use crate::reading::Reading;
use crate::violation::{Breach, Violation};

/// Refuses a permissive client whose request can be read in several ways, where an
/// access policy could apply: the server might read the one that is denied (RFC 8707 §2).
pub(crate) fn what_is_asked_is_readable(reading: &Reading<'_>) -> Result<(), Breach> {
    if reading.kind() != Some(ClientKind::Permissive) || !reading.policy.access.polices_others() {
        return Ok(());
    }
    let asked = &reading.mentions.asked;
    if asked.has_unreadable_object {
        return Err(Breach::of(Violation::AudienceUnreadable, "request"));
    }
    // Scopes matter beside an API; a consent page may repeat them.
    let names_an_api =
        !(asked.audiences.is_empty() && asked.resources.is_empty() && reading.policy.access.default_audience.is_none());
    let unclear = [("audience", &asked.audiences), ("scope", &asked.scopes)]
        .into_iter()
        .find(|(name, values)| values.len() > 1 && (*name == "audience" || names_an_api));
    match unclear {
        Some((name, _)) => Err(Breach::of(Violation::AudienceUnreadable, name)),
        None => Ok(()),
    }
}

/// Refuses a client that is not strict where the access policy of the API says so:
/// `deny_all`, or `require_client_grant` without a grant, or beyond its scopes.
pub(crate) fn access_policy_lets_in(reading: &Reading<'_>) -> Result<(), Breach> {
    let access = &reading.policy.access;
    let asked = &reading.mentions.asked;
    let Some(kind) = reading.kind() else { return Ok(()) };
    let is_clear = asked.audiences.len() <= 1 && asked.resources.len() <= 1 && asked.scopes.len() <= 1;
    if kind <= ClientKind::Strict || (kind == ClientKind::FirstParty && !is_clear) || !access.polices_others() {
        return Ok(());
    }
    let scopes: Vec<&str> = asked.scopes.iter().flat_map(|scope| listed(scope)).collect();
    let mut named: Vec<(&'static str, &str)> = asked.audiences.iter().map(|audience| ("audience", audience.as_str())).collect();
    named.extend(asked.resources.iter().map(|resource| ("resource", resource.as_str())));
    // The vendor takes the default audience for every application that names none; so may a permissive client's server.
    if named.is_empty() && kind == ClientKind::Permissive {
        named.extend(access.default_audience.iter().map(|audience| ("audience", audience.as_str())));
    }
    for (name, text) in named {
        for api in listed(text).chain([text]).filter_map(|audience| access.find_loosely(audience)) {
            let is_kept_out = |client, subject: &SubjectType| access.keeps_out(client, api, *subject, &scopes);
            let subjects = subjects(reading);
            let any_is = if reading.recognised.is_empty() {
                subjects.iter().any(|subject| is_kept_out(None, subject))
            } else {
                reading.recognised.iter().any(|who| subjects.iter().any(|subject| is_kept_out(who.client(), subject)))
            };
            if any_is {
                return Err(Breach::of(Violation::AccessPolicyDenies, name));
            }
        }
    }
    Ok(())
}

/// On whose behalf a token would be; both, where the grant can be read in two ways.
fn subjects(reading: &Reading<'_>) -> Vec<SubjectType> {
    let for_itself = reading.endpoint == Endpoint::Token && reading.mentions.asks_for_client_credentials;
    let for_a_user = !for_itself || reading.mentions.asks_for_another_grant;
    let each = [(for_itself, SubjectType::Client), (for_a_user, SubjectType::User)];
    each.into_iter().filter(|(is_meant, _)| *is_meant).map(|(_, subject)| subject).collect()
}

/// Values that some servers read out of one: lists by blanks or commas.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ',').filter(|item| !item.is_empty())
}
