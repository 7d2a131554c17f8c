//! Reads the policy document, in the vocabulary of the Auth0 Management API.

use std::collections::{BTreeMap, BTreeSet};

use super::client;
use super::node::Node;
use crate::client::Clients;
use crate::gate::Policy;

/// Reads a document; `None` only where it is no object. Whether it is refused is
/// in the findings.
pub(super) fn read(root: Node<'_, '_>) -> Option<Policy> {
    let members = root.members()?;
    let mut policy = Policy::default();
    let (mut format, mut apis) = (None, BTreeSet::new());
    for (name, raw) in &members {
        let node = root.member(name, raw);
        match name.as_str() {
            "format" => {
                format = node.integer();
                if format.is_some_and(|format| format != 1) {
                    node.document_fault("this build reads format 1");
                }
            }
            "revision" => policy.revision = node.integer(),
            "label" => {
                node.string();
            }
            "tenant" => tenant(node),
            "resource_servers" => apis = resource_servers(node),
            "clients" => policy.clients = clients(node),
            "client_grants" => {} // After the APIs that they name, wherever those stand.
            "connections" => connections(node),
            _ => node.document_fault("unknown member"),
        }
    }
    if let Some((name, raw)) = members.iter().find(|(name, _)| name == "client_grants") {
        client_grants(root.member(name, raw), &apis);
    }
    if format.is_none() && !members.iter().any(|(name, _)| name == "format") {
        root.document_fault("`format` is missing; this build reads format 1");
    }
    if !members.iter().any(|(name, _)| name == "revision") {
        root.document_fault("`revision` is missing: an integer that grows with each change");
    }
    Some(policy)
}

fn clients(node: Node<'_, '_>) -> Clients {
    let mut clients = Clients::default();
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let Some(client) = client::read(item) else { continue };
        if clients.lists(&client.id) {
            item.document_fault(format_args!("another client has the id `{}`", client.id));
        } else {
            clients.add(client);
        }
    }
    clients
}

fn tenant(node: Node<'_, '_>) {
    for (name, raw) in node.members().unwrap_or_default() {
        let member = node.member(&name, raw);
        match name.as_str() {
            "dynamic_client_registration_security_mode" => {
                member.word(&[("strict", ()), ("permissive", ())]);
            }
            "resource_parameter_profile" => {
                member.word(&[("compatibility", ()), ("audience", ())]);
            }
            "default_audience" => {
                member.string();
            }
            "rules_active" => {
                member.boolean();
            }
            "flags" => {
                for (name, raw) in member.members().unwrap_or_default() {
                    if name == "enable_dynamic_client_registration" {
                        member.member(&name, raw).boolean();
                    }
                }
            }
            _ => member.check_inside(),
        }
    }
}

/// The identifiers of the APIs.
fn resource_servers(node: Node<'_, '_>) -> BTreeSet<String> {
    let mut identifiers = BTreeSet::new();
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let members = item.members().unwrap_or_default();
        let Some((name, raw)) = members.iter().find(|(name, _)| name == "identifier") else {
            item.document_fault("`identifier` is missing: the audience of the API");
            continue;
        };
        let identifier = item.member(name, raw);
        if let Some(text) = identifier.string()
            && !identifiers.insert(text.clone())
        {
            identifier.document_fault(format_args!("another API has the identifier `{text}`"));
        }
        for (name, raw) in &members {
            let member = item.member(name, raw);
            match name.as_str() {
                "identifier" => {}
                "scopes" => scopes(member),
                "allow_offline_access" | "is_system" => {
                    member.boolean();
                }
                "token_audiences" => {
                    for (at, raw) in member.items().into_iter().enumerate() {
                        member.item(at, raw).string();
                    }
                }
                "subject_type_authorization" => access_policies(member),
                _ => member.check_inside(),
            }
        }
    }
    identifiers
}

fn scopes(node: Node<'_, '_>) {
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let members = item.members().unwrap_or_default();
        match members.iter().find(|(name, _)| name == "value") {
            Some((name, raw)) => {
                item.member(name, raw).string();
            }
            None => item.document_fault("`value` is missing: the name of the scope"),
        }
    }
}

fn access_policies(node: Node<'_, '_>) {
    for (name, raw) in node.members().unwrap_or_default() {
        let subject = node.member(&name, raw);
        if !matches!(name.as_str(), "user" | "client") {
            subject.entry_fault("expected the subject type `user` or `client`");
            continue;
        }
        for (name, raw) in subject.members().unwrap_or_default() {
            if name == "policy" {
                subject.member(&name, raw).word(&[("allow_all", ()), ("deny_all", ()), ("require_client_grant", ())]);
            }
        }
    }
}

/// A grant names a listed API, and each API once for the same client and subject type.
fn client_grants(node: Node<'_, '_>, apis: &BTreeSet<String>) {
    let mut seen: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let (mut audience, mut holder, mut subject) = (None, None, "client".to_owned());
        for (name, raw) in item.members().unwrap_or_default() {
            let member = item.member(&name, raw);
            match name.as_str() {
                "audience" => {
                    audience = member.string();
                    if audience.as_ref().is_some_and(|audience| !apis.contains(audience)) {
                        member.document_fault("no API of `resource_servers` has this identifier");
                    }
                }
                "client_id" => holder = member.string(),
                "default_for" => {
                    member.word(&[("third_party_clients", ())]);
                    holder = Some(String::new());
                }
                "scope" => {
                    for (at, raw) in member.items().into_iter().enumerate() {
                        member.item(at, raw).string();
                    }
                }
                "subject_type" => {
                    member.word(&[("user", ()), ("client", ())]);
                    subject = member.string().unwrap_or(subject);
                }
                _ => member.check_inside(),
            }
        }
        let Some(audience) = audience else {
            item.document_fault("`audience` is missing: the API that is granted");
            continue;
        };
        let Some(holder) = holder else {
            item.document_fault("`client_id` or `default_for` is missing: who is granted");
            continue;
        };
        if let Some(earlier) = seen.insert((holder, audience, subject), at) {
            item.document_fault(format_args!("the grant at index {earlier} is for the same client, API and subject type"));
        }
    }
}

fn connections(node: Node<'_, '_>) {
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let members = item.members().unwrap_or_default();
        if !members.iter().any(|(name, _)| name == "name") {
            item.document_fault("`name` is missing: the name of the connection");
        }
        for (name, raw) in &members {
            let member = item.member(name, raw);
            match name.as_str() {
                "name" => {
                    member.string();
                }
                "is_domain_connection" => {
                    member.boolean();
                }
                _ => member.check_inside(),
            }
        }
    }
}
