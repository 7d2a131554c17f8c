//! Clients that are not strict, and the access policies that their owner set.
//!
//! A permissive client is bound by them, so what it asks must be readable in one way
//! only. For a first-party client they are an aid on readable requests, not a fence
//! (design §4).

use crate::access::SubjectType;
use crate::client::ClientKind;
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
    let unclear = [("audience", &asked.audiences), ("scope", &asked.scopes)].into_iter().find(|(_, values)| values.len() > 1);
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
    let subject = if reading.mentions.asks_for_client_credentials { SubjectType::Client } else { SubjectType::User };
    let scopes: Vec<&str> = asked.scopes.iter().flat_map(|scope| scope.split(' ')).filter(|token| !token.is_empty()).collect();
    let client = reading.client().map(AsRef::as_ref);
    for (name, audiences) in [("audience", &asked.audiences), ("resource", &asked.resources)] {
        let apis = audiences.iter().filter_map(|audience| access.find(audience));
        if apis.into_iter().any(|api| access.keeps_out(client, api, subject, &scopes)) {
            return Err(Breach::of(Violation::AccessPolicyDenies, name));
        }
    }
    Ok(())
}
