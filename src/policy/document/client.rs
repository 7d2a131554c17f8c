//! Reads one client of the policy document.

use serde_json::value::RawValue;

use super::node::Node;
use crate::client::{AuthenticationMethod, Client, ClientKind, GrantType, is_strict_by_form};
use crate::redirect::{RedirectUris, RegisteredRedirectUri};

/// An entry, read.
pub(super) struct Entry {
    pub(super) client: Client,
    /// `client_id` as it stands in the document, where grants name it.
    pub(super) document_id: String,
}

/// The members of an entry, by name.
#[derive(Default)]
struct Members<'t> {
    members: Vec<(String, &'t RawValue)>,
}

impl<'t> Members<'t> {
    fn get(&self, name: &str) -> Option<(&str, &'t RawValue)> {
        self.members.iter().find(|(known, _)| known == name).map(|(known, raw)| (known.as_str(), *raw))
    }

    fn with<T>(&self, node: &Node<'t, '_>, name: &str, read: impl FnOnce(Node<'t, '_>) -> T) -> Option<T> {
        let (name, raw) = self.get(name)?;
        Some(read(node.member(name, raw)))
    }
}

/// Reads an entry; `None` where it names no client.
pub(super) fn read(node: Node<'_, '_>) -> Option<Entry> {
    let entry = Members { members: node.members()? };
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
    let is_dynamic = id.starts_with("https://") || entry.get("external_metadata_type").is_some();
    let grant_types = grant_types
        .into_iter()
        // Decision 8: a client that nobody vetted acts for users only.
        .filter(|grant| !(is_strict && is_dynamic && *grant == GrantType::ClientCredentials))
        .collect();
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
    let method = method.or_else(|| {
        let by_key = entry.with(&node, "client_authentication_methods", |methods| {
            methods.members().unwrap_or_default().iter().any(|(name, _)| name == "private_key_jwt")
        });
        (is_strict && by_key == Some(true)).then_some(Some(AuthenticationMethod::PrivateKeyJwt))
    });
    let redirection = entry.with(&node, "redirection_policy", |redirection| {
        let always = redirection.word(&[("open_redirect_protection", false), ("allow_always", true)]);
        if always == Some(true) {
            redirection.note_relaxed(&format!("redirection_policy: allow_always ({id})"));
        }
        always
    });
    let upstream_id = entry.with(&node, "upstream_client_id", |alias| read_alias(alias, kind, method.flatten()));
    read_others(&node, &entry);
    let document_id = entry.get("client_id").and_then(|(_, raw)| serde_json::from_str(raw.get()).ok());
    Some(Entry {
        document_id: document_id.unwrap_or_else(|| id.clone()),
        client: Client {
            id,
            kind,
            redirect_uris,
            grant_types,
            authentication_method: method.flatten(),
            errors_are_redirected: redirection.flatten().unwrap_or(false),
            upstream_id: upstream_id.flatten(),
        },
    })
}

/// The identity provider's own name for a strict client.
fn read_alias(node: Node<'_, '_>, kind: ClientKind, method: Option<AuthenticationMethod>) -> Option<String> {
    let alias = node.string()?;
    if kind > ClientKind::Strict {
        node.entry_fault("only a strict client has an alias; others are known upstream by their own id");
        return None;
    }
    if alias.is_empty() || !alias.bytes().all(|byte| matches!(byte, 0x21..=0x7E) && byte != b':') {
        node.document_fault("expected printable ASCII without blanks and colons");
        return None;
    }
    if method == Some(AuthenticationMethod::PrivateKeyJwt) {
        node.warn("an assertion names the client itself and cannot be translated: the identity provider will see two names");
    }
    Some(alias)
}

/// The first that fits: blocked, strict, permissive, first-party (design §1).
fn kind(node: &Node<'_, '_>, entry: &Members<'_>, id: &str) -> ClientKind {
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
fn read_others(node: &Node<'_, '_>, entry: &Members<'_>) {
    for (name, raw) in &entry.members {
        let member = node.member(name, raw);
        match name.as_str() {
            "enforcement" | "enforcement_until" => member.document_fault("not in this build"),
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
            | "token_endpoint_auth_method"
            | "upstream_client_id" => {}
            _ => member.check_inside(),
        }
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum AppType {
    Native,
    Other,
}
