//! Where a policy may not do what its writer thinks.

use std::collections::HashSet;

use super::node::Node;
use crate::access::SubjectType;
use crate::client::{Client, ClientKind, GrantType};
use crate::gate::Policy;
use crate::settings::{Settings, TokenAudience, UnlistedClients};

/// Warns; and refuses what is only wrong under these settings.
pub(super) fn give(root: Node<'_, '_>, policy: &Policy, settings: &Settings) {
    let Some(members) = root.members() else { return };
    for (name, raw) in &members {
        let node = root.member(name, raw);
        match name.as_str() {
            "clients" => clients(node, policy, settings),
            "resource_servers" => resource_servers(node, policy, settings),
            _ => {}
        }
    }
    if !policy.connections.are_listed() {
        root.warn("the document lists no `connections`: strict clients may ask for any");
    }
}

fn clients(node: Node<'_, '_>, policy: &Policy, settings: &Settings) {
    let mut seen = HashSet::new();
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let Ok(entry) = serde_json::from_str::<serde_json::Value>(raw.get()) else { continue };
        let id = entry.get("external_client_id").or_else(|| entry.get("client_id")).and_then(serde_json::Value::as_str);
        if let Some(id) = id.filter(|id| policy.clients.is_mistaken(id)) {
            item.warn(format_args!("`{id}` is refused or unsafe: some servers take it for another strict id, or for an alias"));
        }
        let Some(client) = id.and_then(|id| policy.clients.get(id)).filter(|client| client.kind == ClientKind::Strict) else {
            continue;
        };
        if !seen.insert(&client.id) {
            continue;
        }
        let id = &client.id;
        if policy.clients.is_strict_only_by_its_entry(id) && settings.unlisted_clients == UnlistedClients::Pass {
            item.warn(format_args!(
                "`{id}` is strict only by this entry: without it the id would pass while `unlisted_clients` is `pass`"
            ));
        }
        reach(item, client, policy);
        callbacks(item, &entry, client, settings);
    }
}

/// Whether a strict client can get anywhere at all.
fn reach(item: Node<'_, '_>, client: &Client, policy: &Policy) {
    let id = &client.id;
    let has = |grant| client.grant_types.contains(&grant);
    let reaches = |subject| !policy.access.all_granted(client, subject).is_empty();
    if has(GrantType::AuthorizationCode) && client.redirect_uris.are_none() {
        item.warn(format_args!("`{id}` has no callback that can match: its users can never sign in"));
    }
    if has(GrantType::AuthorizationCode) && !reaches(SubjectType::User) {
        item.warn(format_args!("no API is granted to `{id}` for users: every login is refused"));
    }
    if has(GrantType::ClientCredentials) && !reaches(SubjectType::Client) {
        item.warn(format_args!("no API is granted to `{id}` for itself: `client_credentials` is refused"));
    }
    if has(GrantType::ClientCredentials) && client.is_public() {
        item.warn(format_args!("`{id}` is a public client: `client_credentials` is refused"));
    }
}

fn callbacks(item: Node<'_, '_>, entry: &serde_json::Value, client: &Client, settings: &Settings) {
    let callbacks = entry.get("callbacks").and_then(serde_json::Value::as_array).into_iter().flatten();
    for callback in callbacks.filter_map(serde_json::Value::as_str) {
        if callback.len() > settings.limits.redirect_uri {
            item.warn(format_args!("the callback `{callback}` is longer than `limits.redirect_uri`: it can never match"));
        }
        if callback.starts_with("http://") && !client.redirect_uris.loopback_port_is_free() {
            item.warn(format_args!(
                "the port of the callback `{callback}` is compared: a tool that listens on any free port never matches; say `\"app_type\": \"native\"`"
            ));
        }
    }
}

fn resource_servers(node: Node<'_, '_>, policy: &Policy, settings: &Settings) {
    for ((at, raw), api) in node.items().into_iter().enumerate().zip(policy.access.apis()) {
        if !api.is_system && (api.user_policy.is_none() || api.client_policy.is_none()) {
            let subjects: Vec<&str> = [SubjectType::User, SubjectType::Client]
                .into_iter()
                .filter(|subject| api.policy(*subject).is_none())
                .map(SubjectType::name)
                .collect();
            node.item(at, raw).warn(format_args!(
                "no access policy for `{}`: permissive and first-party clients are not policed here",
                subjects.join("` and `")
            ));
        }
    }
    let shared = policy.access.shared_scopes();
    if settings.token_audience == TokenAudience::Report && !shared.is_empty() {
        node.document_fault(format_args!(
            "`token_audience: report` tells APIs apart by their scopes, and more than one defines `{}`",
            shared.join("`, `")
        ));
    }
}
