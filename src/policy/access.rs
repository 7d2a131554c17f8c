//! APIs, and who may reach them: client grants and access policies (design §4).

use std::collections::{HashMap, HashSet};

use crate::client::{Client, ClientKind, GrantType};
use crate::fold::{fold, texts};
use crate::percent::decode_lenient;

/// An API that tokens are for: a resource server of the policy document.
#[derive(Debug, Default)]
pub struct Api {
    /// `identifier`: the audience, as the identity provider knows it.
    pub identifier: String,
    /// The scopes that it defines.
    pub scopes: Vec<String>,
    /// `allow_offline_access`: refresh tokens may be issued for it.
    pub allows_offline_access: bool,
    /// `is_system`: an API of the identity provider itself; never granted.
    pub is_system: bool,
    /// What `aud` is in tokens for it.
    pub token_audiences: Vec<String>,
    /// Who may reach it on behalf of a user; `None` where the document does not say.
    pub user_policy: Option<AccessPolicy>,
    /// Who may reach it as itself.
    pub client_policy: Option<AccessPolicy>,
}

/// Who may reach an API without a grant, and who with one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AccessPolicy {
    /// Everyone but strict clients, which always need a grant.
    AllowAll,
    /// Nobody, whatever is granted.
    DenyAll,
    /// Who has a client grant.
    RequireClientGrant,
}

/// On whose behalf a token is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SubjectType {
    /// The client itself: `client_credentials`.
    Client,
    /// A user: every other grant.
    User,
}

/// What a client may ask of an API.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// The scopes.
    pub scope: Vec<String>,
    /// The types of `authorization_details` (RFC 9396 §2).
    pub authorization_details_types: Vec<String>,
}

/// Who holds a grant.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Holder {
    /// One client.
    Client(String),
    /// Every third party that has no grant of its own: `default_for: third_party_clients`.
    ThirdParties,
}

/// An API of the document, by its place.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ApiId(usize);

/// The APIs of a policy document, and the grants to them.
#[derive(Debug)]
pub struct Access {
    apis: Vec<Api>,
    by_identifier: HashMap<String, ApiId>,
    by_token_audience: HashMap<String, Vec<ApiId>>,
    scopes: HashSet<String>,
    own_grants: HashMap<String, Vec<(ApiId, SubjectType, Grant)>>,
    default_grants: Vec<(ApiId, SubjectType, Grant)>,
    /// `tenant.default_audience`: the API that is meant where none is named.
    pub default_audience: Option<String>,
    /// `tenant.resource_parameter_profile` is not `audience`: `resource` names an API, too.
    pub resource_names_an_api: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            apis: Vec::new(),
            by_identifier: HashMap::new(),
            by_token_audience: HashMap::new(),
            scopes: HashSet::new(),
            own_grants: HashMap::new(),
            default_grants: Vec::new(),
            default_audience: None,
            resource_names_an_api: true,
        }
    }
}

impl Access {
    /// Adds an API; false where another one has its identifier.
    pub fn add(&mut self, api: Api) -> bool {
        let id = ApiId(self.apis.len());
        if self.by_identifier.contains_key(same_audience(&api.identifier)) {
            return false;
        }
        self.by_identifier.insert(same_audience(&api.identifier).to_owned(), id);
        for audience in &api.token_audiences {
            self.by_token_audience.entry(same_audience(audience).to_owned()).or_default().push(id);
        }
        self.scopes.extend(api.scopes.iter().cloned());
        self.apis.push(api);
        true
    }

    /// Adds a grant.
    pub fn grant(&mut self, holder: Holder, api: ApiId, subject: SubjectType, grant: Grant) {
        match holder {
            Holder::Client(id) => self.own_grants.entry(id).or_default().push((api, subject, grant)),
            Holder::ThirdParties => self.default_grants.push((api, subject, grant)),
        }
    }

    /// The API that an `audience` or `resource` names.
    #[must_use]
    pub fn find(&self, audience: &str) -> Option<ApiId> {
        self.by_identifier.get(same_audience(audience)).copied()
    }

    /// The API that some server could take an `audience` of another client for: by case,
    /// escapes, blanks, the default port, a slash or a dot at the end.
    #[must_use]
    pub fn find_loosely(&self, audience: &str) -> Option<ApiId> {
        let loose = loose_audience(audience);
        self.find(audience).or_else(|| self.apis.iter().position(|api| loose_audience(&api.identifier) == loose).map(ApiId))
    }

    /// An API.
    #[must_use]
    pub fn api(&self, id: ApiId) -> Option<&Api> {
        self.apis.get(id.0)
    }

    /// All APIs, in the order of the document.
    pub fn apis(&self) -> impl Iterator<Item = &Api> {
        self.apis.iter()
    }

    /// The APIs for which a token with this `aud` is.
    #[must_use]
    pub fn of_token_audience(&self, audience: &str) -> &[ApiId] {
        self.by_token_audience.get(same_audience(audience)).map_or(&[], Vec::as_slice)
    }

    /// Whether some API defines a scope.
    #[must_use]
    pub fn defines(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }

    /// What a strict client may ask of an API. Its own grant replaces the default
    /// one, `deny_all` beats every grant, system APIs are never granted.
    #[must_use]
    pub fn granted(&self, client: &Client, id: ApiId, subject: SubjectType) -> Option<&Grant> {
        let api = self.api(id)?;
        if api.is_system || api.policy(subject) == Some(AccessPolicy::DenyAll) {
            return None;
        }
        self.grant_of(client, id, subject)
    }

    /// Everything that a strict client may ask, in the order of the document's APIs.
    #[must_use]
    pub fn all_granted(&self, client: &Client, subject: SubjectType) -> Vec<(ApiId, &Grant)> {
        let own = self.own_grants.get(&client.id).map_or(&[][..], Vec::as_slice);
        let mut ids: Vec<ApiId> =
            own.iter().chain(&self.default_grants).filter(|(_, of, _)| *of == subject).map(|(id, ..)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().filter_map(|id| Some((id, self.granted(client, id, subject)?))).collect()
    }

    /// Whether the access policy of an API keeps out a client that is not strict,
    /// or a scope of this API that it asks for. Where the document says nothing, nobody is.
    #[must_use]
    pub fn keeps_out(&self, client: Option<&Client>, id: ApiId, subject: SubjectType, scopes: &[&str]) -> bool {
        let Some(api) = self.api(id) else { return false };
        match api.policy(subject) {
            None | Some(AccessPolicy::AllowAll) => false,
            Some(AccessPolicy::DenyAll) => true,
            Some(AccessPolicy::RequireClientGrant) => {
                let grant = client.and_then(|client| self.grant_of(client, id, subject));
                let is_granted = |scope: &str| grant.is_some_and(|grant| grant.scope.iter().any(|granted| granted == scope));
                grant.is_none()
                    || scopes.iter().any(|scope| api.scopes.iter().any(|defined| defined == scope) && !is_granted(scope))
            }
        }
    }

    /// Whether some API has an access policy that could keep out a client that is not strict.
    #[must_use]
    pub fn polices_others(&self) -> bool {
        let polices = |policy| !matches!(policy, None | Some(AccessPolicy::AllowAll));
        self.apis.iter().any(|api| polices(api.user_policy) || polices(api.client_policy))
    }

    /// Scopes that more than one API defines.
    #[must_use]
    pub fn shared_scopes(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        let mut shared: Vec<&str> = Vec::new();
        for api in &self.apis {
            let distinct: HashSet<&str> = api.scopes.iter().map(String::as_str).collect();
            shared.extend(distinct.into_iter().filter(|scope| !seen.insert(*scope)));
        }
        shared.sort_unstable();
        shared.dedup();
        shared
    }

    fn grant_of(&self, client: &Client, id: ApiId, subject: SubjectType) -> Option<&Grant> {
        let find =
            |grants: &'_ [(ApiId, SubjectType, Grant)]| grants.iter().position(|(api, of, _)| *api == id && *of == subject);
        let own = self.own_grants.get(&client.id).map_or(&[][..], Vec::as_slice);
        let is_third_party = matches!(client.kind, ClientKind::Strict | ClientKind::Permissive);
        let defaults = if is_third_party { self.default_grants.as_slice() } else { &[] };
        let grants = if find(own).is_some() { own } else { defaults };
        grants.get(find(grants)?).map(|(_, _, grant)| grant)
    }
}

impl Api {
    /// The access policy for a subject type.
    #[must_use]
    pub fn policy(&self, subject: SubjectType) -> Option<AccessPolicy> {
        match subject {
            SubjectType::Client => self.client_policy,
            SubjectType::User => self.user_policy,
        }
    }

    /// Whether a client may have refresh tokens for it: both must allow it.
    #[must_use]
    pub fn may_refresh(&self, client: &Client) -> bool {
        self.allows_offline_access && client.grant_types.contains(&GrantType::RefreshToken)
    }
}

impl SubjectType {
    /// The name in the policy document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::User => "user",
        }
    }
}

/// What is compared of an audience: `https://h` and `https://h/` are the same, and
/// nothing else is (design, decision 5; RFC 3986 §6.2.3).
fn same_audience(audience: &str) -> &str {
    match audience.strip_prefix("https://").and_then(|rest| rest.strip_suffix('/')) {
        Some(host) if !host.is_empty() && !host.contains('/') => audience.strip_suffix('/').unwrap_or(audience),
        Some(_) | None => audience,
    }
}

/// What the most forgiving comparison keeps of an audience.
fn loose_audience(audience: &str) -> String {
    let mut text = audience.as_bytes().to_vec();
    for _ in 0..3 {
        text = decode_lenient(&text, false).into_owned();
    }
    let [text, _] = texts(&text);
    let text = fold(&text);
    let (origin, path) = match text.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
            let port = if scheme == "https" { ":443" } else { ":80" };
            (format!("{scheme}://{}", authority.strip_suffix(port).unwrap_or(authority).trim_end_matches('.')), path)
        }
        None => (String::new(), text.as_str()),
    };
    format!("{origin}{}", path.trim_end_matches(['/', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redirect::RedirectUris;

    fn client(id: &str, kind: ClientKind) -> Client {
        Client { id: id.to_owned(), kind, redirect_uris: RedirectUris::default(), ..Client::default() }
    }

    fn api(identifier: &str, user_policy: Option<AccessPolicy>) -> Api {
        Api {
            identifier: identifier.to_owned(),
            scopes: vec!["read".to_owned(), "write".to_owned()],
            token_audiences: vec![identifier.to_owned()],
            user_policy,
            ..Api::default()
        }
    }

    fn grant(scope: &[&str]) -> Grant {
        Grant { scope: scope.iter().map(|&scope| scope.to_owned()).collect(), ..Grant::default() }
    }

    fn access() -> Access {
        let mut access = Access::default();
        for (identifier, policy) in [
            ("https://a.example", Some(AccessPolicy::RequireClientGrant)),
            ("https://denied.example", Some(AccessPolicy::DenyAll)),
            ("https://open.example", Some(AccessPolicy::AllowAll)),
            ("https://silent.example", None),
        ] {
            assert!(access.add(api(identifier, policy)));
        }
        access.add(Api { is_system: true, ..api("https://system.example", None) });
        for id in (0..5).map(ApiId) {
            access.grant(Holder::ThirdParties, id, SubjectType::User, grant(&["read"]));
            access.grant(Holder::Client("tpc_own".to_owned()), id, SubjectType::User, grant(&["write"]));
        }
        access
    }

    #[test]
    fn an_own_grant_replaces_the_default_one() {
        let access = access();
        let scope = |id: &str, kind| {
            let api = access.find("https://a.example/").unwrap();
            access.granted(&client(id, kind), api, SubjectType::User).map(|grant| grant.scope.clone())
        };
        assert_eq!(scope("tpc_other", ClientKind::Strict), Some(vec!["read".to_owned()]));
        assert_eq!(scope("tpc_own", ClientKind::Strict), Some(vec!["write".to_owned()]));
        assert_eq!(scope("ours", ClientKind::FirstParty), None, "a default grant is for third parties");
    }

    #[test]
    fn deny_all_and_system_apis_beat_every_grant() {
        let access = access();
        let own = client("tpc_own", ClientKind::Strict);
        let granted: Vec<&str> = access
            .all_granted(&own, SubjectType::User)
            .into_iter()
            .map(|(id, _)| access.api(id).unwrap().identifier.as_str())
            .collect();
        assert_eq!(granted, ["https://a.example", "https://open.example", "https://silent.example"]);
        assert_eq!(access.all_granted(&own, SubjectType::Client).len(), 0);
    }

    #[test]
    fn others_are_kept_out_only_by_a_policy() {
        let access = access();
        let keeps_out = |who: Option<&Client>, identifier: &str, scopes: &[&str]| {
            access.keeps_out(who, access.find(identifier).unwrap(), SubjectType::User, scopes)
        };
        let (ours, permissive) = (client("ours", ClientKind::FirstParty), client("legacy", ClientKind::Permissive));
        for who in [None, Some(&ours), Some(&permissive)] {
            assert!(!keeps_out(who, "https://silent.example", &["read", "write"]));
            assert!(!keeps_out(who, "https://open.example", &["read", "write"]));
            assert!(keeps_out(who, "https://denied.example", &[]));
        }
        assert!(keeps_out(None, "https://a.example", &[]));
        assert!(keeps_out(Some(&ours), "https://a.example", &[]));
        assert!(!keeps_out(Some(&permissive), "https://a.example", &["read", "openid"]));
        assert!(keeps_out(Some(&permissive), "https://a.example", &["write"]));
    }

    #[test]
    fn others_may_spell_an_api_in_many_ways() {
        let access = access();
        for text in [
            "https://denied.example",
            "https://DENIED.example:443/",
            "https%3A%2F%2Fdenied.example",
            " https://denied.example/. ",
            "https://denied.example.",
        ] {
            assert_eq!(access.find_loosely(text), access.find("https://denied.example"), "{text}");
        }
        assert_eq!(access.find_loosely("https://denied.example/x"), None);
    }

    #[test]
    fn one_slash_is_the_one_equivalence() {
        for (a, b, same) in [
            ("https://h", "https://h/", true),
            ("https://h/x", "https://h/x/", false),
            ("https://h", "https://h//", false),
            ("https://h", "https://H", false),
            ("http://h", "http://h/", false),
            ("api", "api/", false),
        ] {
            assert_eq!(same_audience(a) == same_audience(b), same, "{a} {b}");
        }
    }
}
