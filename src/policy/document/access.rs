//! Reads APIs and client grants of the policy document.

use std::collections::BTreeMap;

use super::node::Node;
use crate::access::{Access, AccessPolicy, Api, Grant, Holder, SubjectType};
use crate::grammar::scope_is_well_formed;

/// Reads the APIs.
pub(super) fn resource_servers(node: Node<'_, '_>, access: &mut Access) {
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let members = item.members().unwrap_or_default();
        let Some((name, raw)) = members.iter().find(|(name, _)| name == "identifier") else {
            item.document_fault("`identifier` is missing: the audience of the API");
            continue;
        };
        let identifier_node = item.member(name, raw);
        let Some(identifier) = identifier_node.string() else { continue };
        if identifier.is_empty() {
            identifier_node.document_fault("expected the audience of the API");
        }
        let mut api = Api { token_audiences: vec![identifier.clone()], identifier, ..Api::default() };
        for (name, raw) in &members {
            let member = item.member(name, raw);
            match name.as_str() {
                "identifier" => {}
                "scopes" => api.scopes = scopes(member),
                "allow_offline_access" => api.allows_offline_access = member.boolean().unwrap_or(false),
                // What cannot be read is never granted.
                "is_system" => api.is_system = member.boolean().unwrap_or(true),
                "token_audiences" => api.token_audiences = strings(member),
                "subject_type_authorization" => access_policies(member, &mut api),
                _ => member.check_inside(),
            }
        }
        let identifier = api.identifier.clone();
        if !access.add(api) {
            identifier_node.document_fault(format_args!("another API has the identifier `{identifier}`"));
        }
    }
}

fn scopes(node: Node<'_, '_>) -> Vec<String> {
    let mut scopes = Vec::new();
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let members = item.members().unwrap_or_default();
        match members.iter().find(|(name, _)| name == "value") {
            Some((name, raw)) => scopes.extend(scope(item.member(name, raw))),
            None => item.document_fault("`value` is missing: the name of the scope"),
        }
    }
    scopes
}

/// A scope token (RFC 6749 §3.3); another text can never be one.
fn scope(node: Node<'_, '_>) -> Option<String> {
    let text = node.string()?;
    let fits = !text.is_empty() && !text.contains(' ') && scope_is_well_formed(&text);
    if !fits {
        node.entry_fault("can never match: a scope is printable ASCII without blanks, quotes and backslashes");
    }
    fits.then_some(text)
}

fn strings(node: Node<'_, '_>) -> Vec<String> {
    node.items().into_iter().enumerate().filter_map(|(at, raw)| node.item(at, raw).string()).collect()
}

fn access_policies(node: Node<'_, '_>, api: &mut Api) {
    let words = [
        ("allow_all", AccessPolicy::AllowAll),
        ("deny_all", AccessPolicy::DenyAll),
        ("require_client_grant", AccessPolicy::RequireClientGrant),
    ];
    for (name, raw) in node.members().unwrap_or_default() {
        let subject = node.member(&name, raw);
        let slot = match name.as_str() {
            "user" => &mut api.user_policy,
            "client" => &mut api.client_policy,
            _ => {
                subject.entry_fault("expected the subject type `user` or `client`");
                continue;
            }
        };
        for (name, raw) in subject.members().unwrap_or_default() {
            if name == "policy" {
                // Its writer meant to police; a word that cannot be read does not open the API.
                *slot = Some(subject.member(&name, raw).word(&words).unwrap_or(AccessPolicy::RequireClientGrant));
            }
        }
    }
}

/// Reads the grants: each names a listed API, and each API once for the same
/// client and subject type. `ids`: the id on the wire for each id of the document.
pub(super) fn client_grants(node: Node<'_, '_>, ids: &BTreeMap<String, String>, access: &mut Access) {
    let mut seen: BTreeMap<(Holder, String, SubjectType), usize> = BTreeMap::new();
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let Some(read) = client_grant(item, ids, access) else { continue };
        let key = (read.holder.clone(), read.audience.clone(), read.subject.unwrap_or(SubjectType::Client));
        if let Some(earlier) = seen.insert(key, at) {
            item.document_fault(format_args!("the grant at index {earlier} is for the same client, API and subject type"));
        }
        let (Some(id), Some(subject)) = (access.find(&read.audience), read.subject) else { continue };
        let mut grant = read.grant;
        let defined = access.api(id).map(|api| api.scopes.as_slice()).unwrap_or_default();
        if read.has_all_scopes {
            grant.scope = defined.to_vec();
        }
        if let Some(undefined) = grant.scope.iter().find(|scope| !defined.contains(scope)) {
            item.warn(format_args!("the API does not define the scope `{undefined}`"));
        }
        access.grant(read.holder, id, subject, grant);
    }
}

struct ReadGrant {
    holder: Holder,
    audience: String,
    /// `None` where the word cannot be read: then it grants nothing.
    subject: Option<SubjectType>,
    has_all_scopes: bool,
    grant: Grant,
}

fn client_grant(item: Node<'_, '_>, ids: &BTreeMap<String, String>, access: &Access) -> Option<ReadGrant> {
    let (mut audience, mut client, mut is_default, mut subject) = (None, None, None, None);
    let (mut grant, mut has_all_scopes) = (Grant::default(), false);
    for (name, raw) in item.members().unwrap_or_default() {
        let member = item.member(&name, raw);
        match name.as_str() {
            "audience" => {
                audience = member.string();
                if audience.as_ref().is_some_and(|audience| access.find(audience).is_none()) {
                    member.document_fault("no API of `resource_servers` has this identifier");
                }
            }
            "client_id" => {
                client = member.string();
                if let Some(id) = client.as_ref().filter(|id| !ids.contains_key(*id)) {
                    member.warn(format_args!("`{id}` is no client of the document: the grant does nothing"));
                }
            }
            "default_for" => is_default = Some(member.word(&[("third_party_clients", ())]).is_some()),
            "scope" => {
                let items = member.items().into_iter().enumerate();
                grant.scope = items.filter_map(|(at, raw)| scope(member.item(at, raw))).collect();
            }
            "allow_all_scopes" => has_all_scopes = member.boolean().unwrap_or(false),
            "authorization_details_types" => grant.authorization_details_types = strings(member),
            "subject_type" => subject = Some(member.word(&[("user", SubjectType::User), ("client", SubjectType::Client)])),
            _ => member.check_inside(),
        }
    }
    let Some(audience) = audience else {
        item.document_fault("`audience` is missing: the API that is granted");
        return None;
    };
    let holder = match (client, is_default) {
        (Some(id), None) => Holder::Client(ids.get(&id).cloned().unwrap_or(id)),
        (None, Some(true)) => Holder::ThirdParties,
        (None, Some(false)) => return None,
        (Some(_), Some(_)) => {
            item.document_fault("`client_id` and `default_for` exclude each other");
            return None;
        }
        (None, None) => {
            item.document_fault("`client_id` or `default_for` is missing: who is granted");
            return None;
        }
    };
    if subject == Some(Some(SubjectType::Client)) && holder == Holder::ThirdParties {
        item.warn("a default grant for `client` does nothing for logins; one with `\"subject_type\": \"user\"` does");
    }
    if subject.is_none() {
        item.warn("without `subject_type` a grant is for `client` and does nothing for logins; say `\"subject_type\": \"user\"`");
    }
    // As the vendor's API has it.
    let subject = subject.unwrap_or(Some(SubjectType::Client));
    Some(ReadGrant { holder, audience, subject, has_all_scopes, grant })
}
