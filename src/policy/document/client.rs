//! Reads one client of the policy document.

use serde_json::value::RawValue;

use super::node::Node;
use crate::client::{AuthenticationMethod, Client, ClientKind, GrantType, is_strict_by_form};
use crate::redirect::{RedirectUris, RegisteredRedirectUri};

/// The members of an entry, by name.
#[derive(Default)]
struct Entry<'t> {
    members: Vec<(String, &'t RawValue)>,
}

impl<'t> Entry<'t> {
    fn get(&self, name: &str) -> Option<(&str, &'t RawValue)> {
        self.members.iter().find(|(known, _)| known == name).map(|(known, raw)| (known.as_str(), *raw))
    }

    fn with<T>(&self, node: &Node<'t, '_>, name: &str, read: impl FnOnce(Node<'t, '_>) -> T) -> Option<T> {
        let (name, raw) = self.get(name)?;
        Some(read(node.member(name, raw)))
    }
}

/// Reads an entry; `None` where it names no client.
pub(super) fn read(node: Node<'_, '_>) -> Option<Client> {
    let entry = Entry { members: node.members()? };
    // An imported client is known on the wire by the id that it brought along.
    let id_member = if entry.get("external_client_id").is_some() { "external_client_id" } else { "client_id" };
    let Some(id) = entry.with(&node, id_member, |id| id.string()) else {
        node.document_fault("`client_id` is missing");
        return None;
    };
    let id = id?;
    if id.is_empty() || !id.bytes().all(|byte| matches!(byte, 0x21..=0x7E)) {
        entry.with(&node, id_member, |id| id.entry_fault("can never match: a client id is printable ASCII without blanks"));
        return None;
    }
    let kind = kind(&node, &entry, &id);
    let is_strict = kind == ClientKind::Strict;
    let app_type = entry.with(&node, "app_type", |app_type| {
        let known = [
            ("native", AppType::Native),
            ("spa", AppType::Other),
            ("regular_web", AppType::Other),
            ("non_interactive", AppType::Other),
        ];
        app_type.word(&known)
    });
    let loopback_is_free = app_type.flatten() == Some(AppType::Native) || id.starts_with("https://");
    let localhost = entry.with(&node, "loopback_name_localhost", |localhost| localhost.boolean()).flatten();
    let mut redirect_uris = RedirectUris::new(loopback_is_free, loopback_is_free && localhost.unwrap_or(true));
    entry.with(&node, "callbacks", |callbacks| read_callbacks(callbacks, is_strict, &mut redirect_uris));
    // RFC 7591 §2: absent means authorization_code.
    let grant_types = entry
        .with(&node, "grant_types", |grant_types| read_grant_types(grant_types, is_strict))
        .unwrap_or_else(|| vec![GrantType::AuthorizationCode]);
    let method = entry.with(&node, "token_endpoint_auth_method", |method| {
        let known = [
            ("none", AuthenticationMethod::None),
            ("client_secret_basic", AuthenticationMethod::ClientSecret),
            ("client_secret_post", AuthenticationMethod::ClientSecret),
            ("private_key_jwt", AuthenticationMethod::PrivateKeyJwt),
        ];
        // How others authenticate is the identity provider's business.
        if is_strict { method.word(&known) } else { method.string().and(None) }
    });
    let redirection = entry.with(&node, "redirection_policy", |redirection| {
        let always = redirection.word(&[("open_redirect_protection", false), ("allow_always", true)]);
        if always == Some(true) {
            redirection.note_relaxed(&format!("redirection_policy: allow_always ({id})"));
        }
        always
    });
    read_others(&node, &entry);
    Some(Client {
        id,
        kind,
        redirect_uris,
        grant_types,
        authentication_method: method.flatten(),
        errors_are_redirected: redirection.flatten().unwrap_or(false),
    })
}

/// The first that fits: blocked, strict, permissive, first-party (design §1).
fn kind(node: &Node<'_, '_>, entry: &Entry<'_>, id: &str) -> ClientKind {
    let by_form = is_strict_by_form(id);
    let is_blocked = entry.with(node, "blocked", |blocked| blocked.boolean()).flatten().unwrap_or(false);
    let mode = entry.with(node, "third_party_security_mode", |mode| {
        let word = mode.word(&[("strict", ClientKind::Strict), ("permissive", ClientKind::Permissive)]);
        if by_form && word == Some(ClientKind::Permissive) {
            mode.entry_fault("the id is strict by its form; the client stays strict");
        }
        // An unreadable mode is strict.
        word.unwrap_or(ClientKind::Strict)
    });
    let is_first_party = entry.with(node, "is_first_party", |first_party| {
        let is_first_party = first_party.boolean();
        if by_form && is_first_party == Some(true) {
            first_party.entry_fault("the id is strict by its form; the client stays strict");
        }
        is_first_party.unwrap_or(false)
    });
    match (mode, is_first_party) {
        _ if is_blocked => ClientKind::Blocked,
        _ if by_form => ClientKind::Strict,
        (Some(kind), _) => kind,
        (None, Some(false)) => ClientKind::Strict,
        (None, Some(true) | None) => ClientKind::FirstParty,
    }
}

fn read_callbacks(node: Node<'_, '_>, is_strict: bool, redirect_uris: &mut RedirectUris) {
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let Some(text) = item.string() else { continue };
        match RegisteredRedirectUri::parse(&text) {
            Ok(uri) => redirect_uris.register(uri),
            // Callbacks of others are the identity provider's business.
            Err(message) if is_strict => item.entry_fault(format_args!("`{text}` {message}")),
            Err(_) => {}
        }
    }
}

fn read_grant_types(node: Node<'_, '_>, is_strict: bool) -> Vec<GrantType> {
    let mut grant_types = Vec::new();
    for (at, raw) in node.items().into_iter().enumerate() {
        let item = node.item(at, raw);
        let Some(text) = item.string() else { continue };
        match GrantType::parse(&text) {
            Some(grant_type) => grant_types.push(grant_type),
            None if is_strict => item.entry_fault(
                "a strict client cannot have this grant; expected `authorization_code`, `refresh_token` or `client_credentials`",
            ),
            None => {}
        }
    }
    grant_types
}

/// Members that are known and not honoured, or not known.
fn read_others(node: &Node<'_, '_>, entry: &Entry<'_>) {
    for (name, raw) in &entry.members {
        let member = node.member(name, raw);
        match name.as_str() {
            "upstream_client_id" | "enforcement" | "enforcement_until" => member.document_fault("not in this build"),
            "name" => {
                member.string();
            }
            "app_type"
            | "blocked"
            | "callbacks"
            | "client_id"
            | "external_client_id"
            | "grant_types"
            | "is_first_party"
            | "loopback_name_localhost"
            | "redirection_policy"
            | "third_party_security_mode"
            | "token_endpoint_auth_method" => {}
            _ => member.check_inside(),
        }
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum AppType {
    Native,
    Other,
}
