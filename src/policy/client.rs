//! Clients, and whom a value names.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::fold::{fold, texts};
use crate::redirect::RedirectUris;

/// A client of the policy document.
#[derive(Debug, Default)]
pub struct Client {
    /// `client_id`, as it is on the wire.
    pub id: String,
    /// Which rules bind it.
    pub kind: ClientKind,
    /// Where its users may be sent back to.
    pub redirect_uris: RedirectUris,
    /// `grant_types`, as far as a strict client can have them.
    pub grant_types: Vec<GrantType>,
    /// `token_endpoint_auth_method` (RFC 7591 §2); `None` where the entry has none.
    pub authentication_method: Option<AuthenticationMethod>,
    /// `redirection_policy: allow_always`: errors that may be redirected are.
    pub errors_are_redirected: bool,
    /// `upstream_client_id`: the identity provider's own name for the client, its alias.
    pub upstream_id: Option<String>,
}

/// How a client authenticates at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuthenticationMethod {
    /// `none`: a public client.
    None,
    /// `client_secret_basic` or `client_secret_post`.
    ClientSecret,
    /// `private_key_jwt` (RFC 7523).
    PrivateKeyJwt,
}

impl Client {
    /// Whether it is a public client (RFC 6749 §2.1); one whose entry does not say is.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.authentication_method, None | Some(AuthenticationMethod::None))
    }
}

/// The kinds of client, from the one with the least freedom; the first that fits applies.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum ClientKind {
    /// Refused everywhere, whatever it was.
    Blocked,
    /// Bound by every rule.
    Strict,
    /// A third party that passes as it does today.
    Permissive,
    /// The owner's own.
    #[default]
    FirstParty,
}

impl ClientKind {
    /// The name in records and explanations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Strict => "strict",
            Self::Permissive => "permissive",
            Self::FirstParty => "first_party",
        }
    }
}

/// A grant type that a strict client can have (RFC 6749 §1.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GrantType {
    /// `authorization_code` (RFC 6749 §4.1).
    AuthorizationCode,
    /// `client_credentials` (RFC 6749 §4.4).
    ClientCredentials,
    /// `refresh_token` (RFC 6749 §6).
    RefreshToken,
}

impl GrantType {
    /// Reads a `grant_type`; `None` for one that strict clients cannot have.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "authorization_code" => Some(Self::AuthorizationCode),
            "client_credentials" => Some(Self::ClientCredentials),
            "refresh_token" => Some(Self::RefreshToken),
            _ => None,
        }
    }
}

/// Whether an id is strict by its form, listed or not: `tpc_…`, or an https URL
/// (Client ID Metadata Document).
#[must_use]
pub fn is_strict_by_form(id: &str) -> bool {
    id.starts_with("tpc_") || id.starts_with("https://")
}

/// What a typed column of a database makes of a folded value.
struct ColumnValue {
    value: String,
    /// Whether the value says just that, so that it may be an id of such a column.
    is_whole: bool,
}

/// The UUID or the integer that a column of that type reads out of a value: `{…}`,
/// `urn:uuid:…` and no hyphens; leading zeros, a sign, and a tail that is dropped.
fn column_value(folded: &str) -> Option<ColumnValue> {
    let bare = folded.strip_prefix("urn:uuid:").unwrap_or(folded);
    let hex: String = bare.chars().filter(|c| !matches!(c, '-' | '{' | '}' | '(' | ')')).collect();
    if hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(ColumnValue { value: format!("uuid {hex}"), is_whole: true });
    }
    let digits = folded.trim_start_matches(['+', ' ']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (number, _) = digits.split_at_checked(end).filter(|(number, _)| !number.is_empty())?;
    let number = number.trim_start_matches('0');
    Some(ColumnValue { value: format!("integer {number}"), is_whole: end == folded.len() })
}

/// The clients of a policy document, by id and by what servers fold onto their ids.
#[derive(Debug, Default)]
pub struct Clients {
    by_id: HashMap<String, Rc<Client>>,
    /// What servers fold onto ids and aliases of strict and blocked clients, and how many of those.
    protected: HashMap<String, usize>,
    aliases: HashSet<String>,
}

/// Whom a value names.
#[derive(Clone, Debug)]
pub enum Recognition {
    /// The identity provider's own name for a strict client, which nobody outside may use.
    Alias,
    /// A client that the document lists.
    Listed(Rc<Client>),
    /// A value that some server would take for a strict or blocked client's id, and is not one.
    Lookalike,
    /// A strict id that the document does not list.
    StrictUnlisted,
    /// Any other id that the document does not list.
    Unlisted,
}

impl Clients {
    /// Adds a client; its id must be new.
    pub fn add(&mut self, client: Client) {
        if client.kind <= ClientKind::Strict {
            self.protect(&client.id);
        }
        if let Some(alias) = &client.upstream_id {
            self.protect(alias);
            self.aliases.insert(alias.clone());
        }
        self.by_id.insert(client.id.clone(), Rc::new(client));
    }

    fn protect(&mut self, id: &str) {
        let folded = fold(id);
        let column = column_value(&folded);
        let column = column.filter(|column| column.is_whole).map(|column| column.value);
        for name in column.into_iter().chain([folded]) {
            let count = self.protected.entry(name).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Whether some server takes a folded value for a protected id.
    fn protects(&self, folded: &str) -> bool {
        self.protected.contains_key(folded)
            || column_value(folded).is_some_and(|column| self.protected.contains_key(&column.value))
    }

    /// A client by its id, octet for octet.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Client> {
        self.by_id.get(id).map(Rc::as_ref)
    }

    /// All clients, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.by_id.values().map(Rc::as_ref)
    }

    /// Whether the document lists an id.
    #[must_use]
    pub fn lists(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Whether a value is an alias.
    #[must_use]
    pub fn is_alias(&self, value: &str) -> bool {
        self.aliases.contains(value)
    }

    /// Whether some server takes a listed id for a protected one that is another's.
    #[must_use]
    pub fn is_mistaken(&self, id: &str) -> bool {
        let folded = fold(id);
        match self.by_id.get(id) {
            Some(client) if client.kind > ClientKind::Strict => self.protects(&folded),
            Some(_) => self.protected.get(&folded).is_some_and(|count| *count > 1),
            None => false,
        }
    }

    /// Whether an id is strict for no other reason than that the document says so.
    #[must_use]
    pub fn is_strict_only_by_its_entry(&self, id: &str) -> bool {
        !is_strict_by_form(id) && self.by_id.get(id).is_some_and(|client| client.kind == ClientKind::Strict)
    }

    /// Whether a value is, octet for octet, a strict or blocked client of the document.
    #[must_use]
    pub fn is_protected(&self, value: &[u8]) -> bool {
        let listed = std::str::from_utf8(value).ok().and_then(|id| self.by_id.get(id));
        listed.is_some_and(|client| client.kind <= ClientKind::Strict)
    }

    /// Whom a value names, octet for octet or by some server's folding.
    #[must_use]
    pub fn recognise(&self, value: &[u8]) -> Recognition {
        let exact = std::str::from_utf8(value).ok();
        let listed = exact.and_then(|id| self.by_id.get(id));
        if let Some(client) = listed
            && client.kind <= ClientKind::Strict
        {
            return Recognition::Listed(Rc::clone(client));
        }
        if exact.is_some_and(|value| self.aliases.contains(value)) {
            return Recognition::Alias;
        }
        let folded = texts(value).map(|text| fold(&text));
        if folded.iter().any(|text| self.protects(text)) {
            return Recognition::Lookalike;
        }
        if exact.is_some_and(is_strict_by_form) {
            return Recognition::StrictUnlisted;
        }
        // Whatever follows `https:`, URL parsers make `https://` of it (WHATWG URL §4.4).
        if folded.iter().any(|text| is_strict_by_form(text) || text.starts_with("https:")) {
            return Recognition::Lookalike;
        }
        listed.map_or(Recognition::Unlisted, |client| Recognition::Listed(Rc::clone(client)))
    }
}

impl Recognition {
    /// The client, where the document lists it.
    #[must_use]
    pub fn client(&self) -> Option<&Client> {
        match self {
            Self::Listed(client) => Some(client),
            Self::Alias | Self::Lookalike | Self::StrictUnlisted | Self::Unlisted => None,
        }
    }

    /// The kind of client, where one is named.
    #[must_use]
    pub fn kind(&self) -> ClientKind {
        match self {
            Self::Listed(client) => client.kind,
            Self::Alias | Self::Lookalike | Self::StrictUnlisted => ClientKind::Strict,
            Self::Unlisted => ClientKind::FirstParty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str, kind: ClientKind) -> Client {
        let upstream_id = match id {
            "tpc_a" => Some("Legacy-1"),
            "tpc_c" => Some("3"),
            "tpc_d" => Some("0f8fad5b-d9cb-469f-a165-70867728950e"),
            _ => None,
        };
        let upstream_id = upstream_id.map(str::to_owned);
        Client { id: id.to_owned(), kind, upstream_id, ..Client::default() }
    }

    fn recognised(value: &[u8]) -> String {
        let mut clients = Clients::default();
        clients.add(client("tpc_a", ClientKind::Strict));
        clients.add(client("tpc_c", ClientKind::Strict));
        clients.add(client("tpc_d", ClientKind::Strict));
        clients.add(client("Partner", ClientKind::Strict));
        clients.add(client("stopped", ClientKind::Blocked));
        clients.add(client("portal", ClientKind::FirstParty));
        match clients.recognise(value) {
            Recognition::Listed(client) => client.id.clone(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn an_id_is_compared_octet_for_octet_and_its_variants_are_noticed() {
        for (value, expected) in [
            (&b"tpc_a"[..], "tpc_a"),
            (b"tpc_A", "Lookalike"),
            (b"tpc_a ", "Lookalike"),
            (b"tpc_b", "StrictUnlisted"),
            (b"TPC_b", "Lookalike"),
            (b"tpc", "Unlisted"),
            (b"Partner", "Partner"),
            (b"partner", "Lookalike"),
            (b"p\xc3\xa1rtner", "Lookalike"),
            (b"partner\xff", "Lookalike"),
            (b"Stopped", "Lookalike"),
            (b"stopped", "stopped"),
            (b"portal", "portal"),
            (b"Portal", "Unlisted"),
            (b"https://agent.example/id", "StrictUnlisted"),
            (b"HTTPS://agent.example/id", "Lookalike"),
            (b"http://agent.example/id", "Unlisted"),
            (b"Legacy-1", "Alias"),
            (b"legacy-1", "Lookalike"),
            (b"legacy-11", "Unlisted"),
            (b"https:/agent.example/id", "Lookalike"),
            (b"https:agent.example", "Lookalike"),
            (b"ht\ttps://agent.example", "Lookalike"),
            (b"3", "Alias"),
            (b"03", "Lookalike"),
            (b"+3.0", "Lookalike"),
            (b"3abc", "Lookalike"),
            (b"33", "Unlisted"),
            (b"0f8fad5bd9cb469fa16570867728950e", "Lookalike"),
            (b"{0F8FAD5B-D9CB-469F-A165-70867728950E}", "Lookalike"),
        ] {
            assert_eq!(recognised(value), expected, "{}", String::from_utf8_lossy(value));
        }
    }
}
