//! Gate settings: where the gate stands (design §5).

use crate::endpoint::Endpoints;

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
    /// How the identity provider is told which API is meant.
    pub audience_parameter: AudienceParameter,
    /// What becomes of a token that is not for the granted API.
    pub token_audience: TokenAudience,
    /// Who verifies PKCE.
    pub pkce: Pkce,
    /// Who asks the user for consent.
    pub consent: Consent,
    /// What becomes of the scopes of `OpenID` Connect.
    pub oidc_scopes: OidcScopes,
    /// Whose error codes are given.
    pub error_dialect: ErrorDialect,
    /// What becomes of others at an endpoint before there is a valid policy.
    pub before_policy: BeforePolicy,
    /// Let client registrations pass unjudged.
    pub passes_registration: bool,
    /// The parameter by which the identity provider takes a connection, where its profile knows one.
    pub connection_parameter: Option<&'static str>,
}

/// How the identity provider is told which API is meant (RFC 8707 §2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AudienceParameter {
    /// By `audience`.
    #[default]
    Audience,
    /// By `resource`.
    Resource,
    /// By both.
    Both,
    /// Not at all.
    None,
}

/// What becomes of a JWT access token that is not for the granted API.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TokenAudience {
    /// It is not delivered.
    #[default]
    Check,
    /// It is delivered and counted: for identity providers that cannot bind audiences.
    Report,
}

/// Who verifies the PKCE verifier (RFC 7636 §4.6). The others of design §5 need
/// sealed transactions, which this build does not have.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Pkce {
    /// The identity provider; the gate enforces that there is a challenge and a verifier.
    #[default]
    Upstream,
}

/// Who asks the user for consent, and when.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Consent {
    /// The identity provider, each time: `prompt=consent` is added.
    #[default]
    Always,
    /// The identity provider, as it remembers.
    Upstream,
}

/// What becomes of the scopes of `OpenID` Connect that a strict client asks for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OidcScopes {
    /// They are dropped.
    #[default]
    Drop,
    /// The request is refused.
    Reject,
}

/// Whose error codes are given.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ErrorDialect {
    /// Those of the RFCs, chosen so that no SDK throws its registration away.
    #[default]
    OAuth,
    /// The vendor's.
    Auth0,
}

/// What becomes of clients that are not strict by their form, at a listed endpoint,
/// before there is a valid policy.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum BeforePolicy {
    /// They are refused for the time being.
    #[default]
    Refuse,
    /// They pass: nobody knows yet who is strict by an entry.
    PassUnknown,
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
    /// The body of a form on any other path; a longer one is released as it came.
    pub unlisted_body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            path: 16 * 1024,
            query: 16 * 1024,
            body: 64 * 1024,
            parameters: 64,
            state: 2048,
            redirect_uri: 2048,
            unlisted_body: 256 * 1024,
        }
    }
}

impl Settings {
    /// Settings with every default, for an issuer, without endpoints.
    pub(crate) fn bare(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            hosts: Vec::new(),
            endpoints: Endpoints::default(),
            unlisted_clients: UnlistedClients::default(),
            enforcement: Enforcement::default(),
            allow_http: false,
            ready_path: None,
            limits: Limits::default(),
            audience_parameter: AudienceParameter::default(),
            token_audience: TokenAudience::default(),
            pkce: Pkce::default(),
            consent: Consent::default(),
            oidc_scopes: OidcScopes::default(),
            error_dialect: ErrorDialect::default(),
            before_policy: BeforePolicy::default(),
            passes_registration: false,
            connection_parameter: None,
        }
    }

    /// The host of the issuer, in lower case without port.
    #[must_use]
    pub fn issuer_host(&self) -> Option<String> {
        let (_, rest) = self.issuer.split_once("://")?;
        let authority = rest.split('/').next()?;
        let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        Some(host.map_or(authority, |(host, _)| host).to_ascii_lowercase())
    }

    /// The issuer, if it answers at this path. There may be more than the one of the settings, such as Keycloak's realms,
    /// and a wrong `iss` is worse than none: where the issuer has a path, it has to begin the request's.
    #[must_use]
    pub fn issuer_at(&self, path: &[u8]) -> Option<&str> {
        let (_, rest) = self.issuer.split_once("://")?;
        let own = rest.split_once('/').map_or("", |(_, own)| own.trim_end_matches('/'));
        let below = path.strip_prefix(b"/")?.strip_prefix(own.as_bytes())?;
        (own.is_empty() || below.starts_with(b"/")).then_some(&self.issuer)
    }

    /// Whether requests for a host are judged; one that is absent or unreadable is.
    #[must_use]
    pub fn judges_host(&self, host: Option<&str>) -> bool {
        self.hosts.is_empty() || host.is_none_or(|host| self.hosts.iter().any(|judged| judged == host))
    }
}
