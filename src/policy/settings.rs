//! Gate settings: where the gate stands (design §5).

use crate::endpoint::{Endpoint, EndpointPath, Endpoints};

/// The settings of one gate.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer of the identity provider (RFC 8414 §2).
    pub issuer: String,
    /// Hosts whose requests are judged; empty stands for all.
    pub hosts: Vec<String>,
    /// The endpoints of the identity provider.
    pub endpoints: Endpoints,
    /// What becomes of ids that the policy does not list.
    pub unlisted_clients: UnlistedClients,
    /// Whether breaches are refused, or only recorded.
    pub enforcement: Enforcement,
    /// Accept http: for tests and loopback.
    pub allow_http: bool,
    /// Where the gate says whether it can judge.
    pub ready_path: Option<String>,
    /// What is too large.
    pub limits: Limits,
}

/// What becomes of ids that are neither listed nor strict by their form.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum UnlistedClients {
    /// They pass as first-party.
    #[default]
    Pass,
    /// They are refused.
    Refuse,
}

/// Whether breaches are refused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Enforcement {
    /// They are.
    #[default]
    Enforce,
    /// Everything passes; what would have been refused is recorded.
    Observe,
}

/// Sizes in octets, and a count; more is refused, never passed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The path.
    pub path: usize,
    /// The query.
    pub query: usize,
    /// The body of a request to a listed endpoint.
    pub body: usize,
    /// Pairs in a query or form.
    pub parameters: usize,
    /// `state` of a strict client.
    pub state: usize,
    /// `redirect_uri` of a strict client.
    pub redirect_uri: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { path: 16 * 1024, query: 16 * 1024, body: 64 * 1024, parameters: 64, state: 2048, redirect_uri: 2048 }
    }
}

impl Settings {
    /// Settings with every default, for an issuer.
    #[must_use]
    pub fn generic(issuer: &str) -> Self {
        let mut endpoints = Endpoints::default();
        for (endpoint, paths) in GENERIC {
            for path in paths.iter().filter_map(|path| EndpointPath::parse(path).ok()) {
                endpoints.add(*endpoint, path);
            }
        }
        Self {
            issuer: issuer.to_owned(),
            hosts: Vec::new(),
            endpoints,
            unlisted_clients: UnlistedClients::default(),
            enforcement: Enforcement::default(),
            allow_http: false,
            ready_path: None,
            limits: Limits::default(),
        }
    }

    /// Whether requests for a host are judged; one that is absent or unreadable is.
    #[must_use]
    pub fn judges_host(&self, host: Option<&str>) -> bool {
        self.hosts.is_empty() || host.is_none_or(|host| self.hosts.iter().any(|judged| judged == host))
    }
}

/// The endpoints of `idp: generic`.
pub(crate) const GENERIC: &[(Endpoint, &[&str])] = &[
    (Endpoint::Authorization, &["/authorize", "/oauth/authorize", "/oauth2/authorize"]),
    (Endpoint::Token, &["/token", "/oauth/token", "/oauth2/token"]),
];
