//! Reads the policy document, in the vocabulary of the Auth0 Management API.

use std::collections::BTreeMap;

use super::access;
use super::client;
use super::node::Node;
use crate::client::Clients;
use crate::connection::Connections;
use crate::gate::Policy;

/// Reads a document; `None` only where it is no object. Whether it is refused is
/// in the findings.
pub(super) fn read(root: Node<'_, '_>) -> Option<Policy> {
    let members = root.members()?;
    let mut policy = Policy::default();
    let (mut format, mut ids) = (None, BTreeMap::new());
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
            "clients" => (policy.clients, ids) = clients(node),
            "connections" => policy.connections = connections(node),
            "tenant" => tenant(node, &mut policy),
            "resource_servers" => access::resource_servers(node, &mut policy.access),
            "client_grants" => {} // After the APIs and clients that they name, wherever those stand.
            _ => node.document_fault("unknown member"),
        }
    }
    if let Some((name, raw)) = members.iter().find(|(name, _)| name == "client_grants") {
        access::client_grants(root.member(name, raw), &ids, &mut policy.access);
    }
    if format.is_none() && !members.iter().any(|(name, _)| name == "format") {
        root.document_fault("`format` is missing; this build reads format 1");
    }
    if !members.iter().any(|(name, _)| name == "revision") {
        root.document_fault("`revision` is missing: an integer that grows with each change");
    }
    Some(policy)
}

/// The clients; and for each id in the document, the one on the wire.
fn clients(node: Node<'_, '_>) -> (Clients, BTreeMap<String, String>) {
    let (mut clients, mut ids, mut aliases) = (Clients::default(), BTreeMap::new(), Vec::new());
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let Some(client::Entry { client, document_id }) = client::read(item) else { continue };
        if clients.lists(&client.id) {
            item.document_fault(format_args!("another client has the id `{}`", client.id));
            continue;
        }
        if let Some(alias) = &client.upstream_id {
            if clients.is_alias(alias) {
                item.document_fault(format_args!("another client has the `upstream_client_id` `{alias}`; each needs its own"));
            }
            aliases.push((item, alias.clone()));
        }
        ids.insert(document_id, client.id.clone());
        ids.insert(client.id.clone(), client.id.clone());
        clients.add(client);
    }
    for (item, alias) in aliases {
        if clients.lists(&alias) {
            item.document_fault(format_args!("the `upstream_client_id` `{alias}` is listed as a client, too"));
        }
    }
    (clients, ids)
}

fn tenant(node: Node<'_, '_>, policy: &mut Policy) {
    for (name, raw) in node.members().unwrap_or_default() {
        let member = node.member(&name, raw);
        match name.as_str() {
            "dynamic_client_registration_security_mode" => {
                member.word(&[("strict", ()), ("permissive", ())]);
            }
            "resource_parameter_profile" => {
                let names_an_api = member.word(&[("compatibility", true), ("audience", false)]);
                policy.access.resource_names_an_api = names_an_api.unwrap_or(true);
            }
            "default_audience" => policy.access.default_audience = member.string().filter(|audience| !audience.is_empty()),
            "rules_active" => policy.rules_are_active = member.boolean().unwrap_or(true),
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

fn connections(node: Node<'_, '_>) -> Connections {
    let mut domain = Vec::new();
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let members = item.members().unwrap_or_default();
        if !members.iter().any(|(name, _)| name == "name") {
            item.document_fault("`name` is missing: the name of the connection");
        }
        let (mut connection, mut is_domain) = (None, false);
        for (name, raw) in &members {
            let member = item.member(name, raw);
            match name.as_str() {
                "name" => connection = member.string(),
                "is_domain_connection" => is_domain = member.boolean().unwrap_or(false),
                _ => member.check_inside(),
            }
        }
        domain.extend(connection.filter(|_| is_domain));
    }
    Connections::listed(domain)
}
