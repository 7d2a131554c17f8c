//! What a strict client's request asks of which API, resolved against the policy.
//!
//! An audience is explicit or follows from the policy, scopes narrow to the grant,
//! and what goes upstream is spelled out (design, decisions 3 to 5).

use crate::access::{ApiId, Grant, SubjectType};
use crate::client::{Client, GrantType};
use crate::gate::Policy;
use crate::grammar::scope_is_well_formed;
use crate::parameters::Parameters;
use crate::settings::{AudienceParameter, OidcScopes, Settings};
use crate::violation::{Breach, Violation};

/// What is asked, or why it cannot be had.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The API; `None` where the request names none and need not.
    pub(crate) api: Result<Option<(ApiId, &'a Grant)>, Breach>,
    /// The scopes to be sent; `None` where none are.
    pub(crate) scope: Result<Option<Vec<String>>, Breach>,
}

/// What was granted to a request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Granted {
    /// `identifier` of the API; `None` where the request names none and need not.
    pub audience: Option<String>,
    /// The scopes that are sent; `None` where none are.
    pub scope: Option<Vec<String>>,
}

/// For what a request asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    Authorization,
    Token(GrantType),
}

impl Purpose {
    pub(crate) fn subject(self) -> SubjectType {
        match self {
            Self::Token(GrantType::ClientCredentials) => SubjectType::Client,
            Self::Authorization | Self::Token(GrantType::AuthorizationCode | GrantType::RefreshToken) => SubjectType::User,
        }
    }

    /// Whether the request stands on its own. Code and refresh token stand on a grant
    /// that the identity provider knows and, until transactions are sealed, we do not.
    fn stands_alone(self) -> bool {
        matches!(self, Self::Authorization | Self::Token(GrantType::ClientCredentials))
    }
}

impl<'a> Ask<'a> {
    /// Resolves a request of a strict client.
    pub(crate) fn new(
        policy: &'a Policy,
        settings: &Settings,
        client: &Client,
        parameters: &Parameters,
        purpose: Purpose,
    ) -> Self {
        let asker = Asker { policy, client, parameters, purpose };
        let api = asker.api();
        let scope = asker.scope(settings, &api);
        Self { api, scope }
    }

    /// Refuses a `resource` that is no absolute URI, or has a fragment (RFC 8707 §2).
    pub(crate) fn audience_is_well_formed(&self) -> Result<(), Breach> {
        only(Violation::AudienceMalformed, &self.api)
    }

    /// Refuses to guess which of several APIs is meant: the server would take one, and
    /// perhaps not the one that was judged (RFC 8707 §2.1).
    pub(crate) fn audience_is_one(&self) -> Result<(), Breach> {
        only(Violation::AudienceAmbiguous, &self.api)
    }

    /// Refuses a request from which no API follows: a server without a target issues
    /// a token for all (RFC 8707 §2).
    pub(crate) fn audience_is_known(&self) -> Result<(), Breach> {
        only(Violation::AudienceMissing, &self.api)
    }

    /// Refuses an API for which the client has no grant, its own or the default one
    /// (RFC 8707 §2; the vendor's client grants).
    pub(crate) fn audience_is_granted(&self) -> Result<(), Breach> {
        only(Violation::AudienceNotGranted, &self.api)
    }

    /// Refuses a code or a refresh token of a client that may reach no API any more (RFC 6749 §5.2).
    pub(crate) fn something_is_granted(&self) -> Result<(), Breach> {
        only(Violation::GrantWithdrawn, &self.api)
    }

    /// Refuses scopes of `OpenID` Connect where they are not dropped (design, decision 3).
    pub(crate) fn no_oidc_scope_is_rejected(&self) -> Result<(), Breach> {
        only(Violation::OidcScopeNotSupported, &self.scope)
    }

    /// Refuses a request of which no scope is granted; and, where no user narrows it,
    /// one of which a single scope is not (RFC 6749 §3.3; design, decision 4).
    pub(crate) fn scope_is_granted(&self) -> Result<(), Breach> {
        only(Violation::ScopeNotGranted, &self.scope)
    }

    /// What a request without a breach was granted.
    pub(crate) fn granted(&self, policy: &Policy) -> Granted {
        let api = self.api.as_ref().ok().copied().flatten().and_then(|(id, _)| policy.access.api(id));
        Granted { audience: api.map(|api| api.identifier.clone()), scope: self.scope.as_ref().ok().cloned().flatten() }
    }
}

impl Granted {
    /// Says it in the identity provider's dialect (RFC 8707 §2).
    pub(crate) fn speak(&self, dialect: AudienceParameter, parameters: &mut Parameters) {
        let audience = self.audience.clone().unwrap_or_default();
        let (as_audience, as_resource) = match dialect {
            AudienceParameter::Audience => (audience, String::new()),
            AudienceParameter::Resource => (String::new(), audience),
            AudienceParameter::Both => (audience.clone(), audience),
            AudienceParameter::None => Default::default(),
        };
        parameters.set("audience", as_audience);
        parameters.set("resource", as_resource);
        parameters.set("scope", self.scope.as_ref().map(|scope| scope.join(" ")).unwrap_or_default());
    }
}

/// One breach out of what was resolved; others have a rule of their own.
fn only<T>(violation: Violation, resolved: &Result<T, Breach>) -> Result<(), Breach> {
    match resolved {
        Err(breach) if breach.violation == violation => Err(*breach),
        Ok(_) | Err(_) => Ok(()),
    }
}

struct Asker<'a, 'r> {
    policy: &'a Policy,
    client: &'r Client,
    parameters: &'r Parameters,
    purpose: Purpose,
}

type AskedApi<'a> = Result<Option<(ApiId, &'a Grant)>, Breach>;

impl<'a> Asker<'a, '_> {
    fn api(&self) -> AskedApi<'a> {
        let access = &self.policy.access;
        let mut named: Vec<(&'static str, &str)> =
            self.parameters.get("audience").map(|text| ("audience", text)).into_iter().collect();
        if access.resource_names_an_api {
            named.extend(self.parameters.all("resource").map(|text| ("resource", text)));
        }
        for (name, text) in &named {
            if *name == "resource" && !is_absolute_uri(text) {
                return Err(Breach::of(Violation::AudienceMalformed, name));
            }
        }
        let Some(&(name, first)) = named.first() else { return self.implied_api() };
        let same = |text: &str| text == first || (access.find(text).is_some() && access.find(text) == access.find(first));
        if let Some((name, _)) = named.iter().find(|(_, text)| !same(text)) {
            return Err(Breach::of(Violation::AudienceAmbiguous, name));
        }
        self.granted(first, name).map(Some)
    }

    /// The API that is meant where none is named.
    fn implied_api(&self) -> AskedApi<'a> {
        let access = &self.policy.access;
        if self.purpose.stands_alone()
            && let Some(audience) = &access.default_audience
        {
            return self.granted(audience, "audience").map(Some);
        }
        let all = access.all_granted(self.client, self.purpose.subject());
        match (all.as_slice(), self.purpose.stands_alone()) {
            ([], true) => Err(Breach::of(Violation::AudienceNotGranted, "audience")),
            ([], false) => Err(Violation::GrantWithdrawn.into()),
            ([only], true) => Ok(Some(*only)),
            (_, true) => Err(Breach::of(Violation::AudienceMissing, "audience")),
            (_, false) => Ok(None),
        }
    }

    fn granted(&self, audience: &str, name: &'static str) -> Result<(ApiId, &'a Grant), Breach> {
        let access = &self.policy.access;
        let id = access.find(audience);
        let granted = id.and_then(|id| Some((id, access.granted(self.client, id, self.purpose.subject())?)));
        granted.ok_or(Breach::of(Violation::AudienceNotGranted, name))
    }

    fn scope(&self, settings: &Settings, api: &AskedApi<'a>) -> Result<Option<Vec<String>>, Breach> {
        let text = self.parameters.get("scope").unwrap_or_default();
        let asked: Vec<&str> = text.split(' ').filter(|token| !token.is_empty()).collect();
        if !scope_is_well_formed(text) {
            // That is a breach of its own.
            return Ok(None);
        }
        if settings.oidc_scopes == OidcScopes::Reject && asked.iter().any(|token| is_oidc_scope(token)) {
            return Err(Breach::of(Violation::OidcScopeNotSupported, "scope"));
        }
        // Without an API there is no scope to judge; the API's own breach is enough.
        let Ok(api) = *api else { return Ok(None) };
        match self.purpose {
            // RFC 6749 §4.1.3 has no scope here.
            Purpose::Token(GrantType::AuthorizationCode) => Ok(None),
            Purpose::Token(GrantType::RefreshToken) => self.narrowed(&asked, api, false),
            Purpose::Token(GrantType::ClientCredentials) => {
                let ceiling = self.ceiling(api);
                let is_granted = |token: &&str| is_oidc_scope(token) || *token == OFFLINE_ACCESS || ceiling.contains(token);
                if asked.iter().all(is_granted) {
                    self.narrowed(&asked, api, true)
                } else {
                    Err(Breach::of(Violation::ScopeNotGranted, "scope"))
                }
            }
            Purpose::Authorization => self.narrowed(&asked, api, true),
        }
    }

    /// Requested ∩ grant; the whole grant where no API scope is asked and `fills` is
    /// set. At refresh nothing is filled in: that would widen (RFC 6749 §6).
    fn narrowed(&self, asked: &[&str], api: Option<(ApiId, &'a Grant)>, fills: bool) -> Result<Option<Vec<String>>, Breach> {
        let ceiling = self.ceiling(api);
        let may_refresh = self.purpose.subject() == SubjectType::User && self.may_refresh(api);
        let asks_api_scopes = asked.iter().any(|token| !is_oidc_scope(token) && *token != OFFLINE_ACCESS);
        let mut scope: Vec<String> = Vec::new();
        let wanted = |token: &str| match token {
            OFFLINE_ACCESS => may_refresh,
            _ => !is_oidc_scope(token) && ceiling.contains(&token),
        };
        for token in asked.iter().filter(|token| wanted(token)) {
            if !scope.iter().any(|known| known == token) {
                scope.push((*token).to_owned());
            }
        }
        if asks_api_scopes && scope.iter().all(|token| token == OFFLINE_ACCESS) {
            return Err(Breach::of(Violation::ScopeNotGranted, "scope"));
        }
        if !asks_api_scopes && fills {
            let rest = ceiling.into_iter().filter(|token| !is_oidc_scope(token) && *token != OFFLINE_ACCESS);
            scope = rest.map(str::to_owned).chain(scope).collect();
            // An identity provider that is asked for no scope may grant every one that it knows.
            if scope.is_empty() && api.and_then(|(id, _)| self.policy.access.api(id)).is_some_and(|api| !api.scopes.is_empty()) {
                return Err(Breach::of(Violation::ScopeNotGranted, "scope"));
            }
        }
        // What is left of a refresh that asks nothing of an API says nothing: its scope stays as it was.
        let says_something = fills || asks_api_scopes;
        Ok((says_something && !scope.is_empty()).then_some(scope))
    }

    /// Every scope that could be granted.
    fn ceiling(&self, api: Option<(ApiId, &'a Grant)>) -> Vec<&'a str> {
        let all = || self.policy.access.all_granted(self.client, self.purpose.subject());
        let grants = api.map_or_else(all, |api| vec![api]);
        grants.into_iter().flat_map(|(_, grant)| grant.scope.iter().map(String::as_str)).collect()
    }

    fn may_refresh(&self, api: Option<(ApiId, &'a Grant)>) -> bool {
        let access = &self.policy.access;
        let allows = |id: ApiId| access.api(id).is_some_and(|api| api.may_refresh(self.client));
        let all = || access.all_granted(self.client, SubjectType::User);
        api.map_or_else(all, |api| vec![api]).into_iter().any(|(id, _)| allows(id))
    }
}

/// The scopes of `OpenID` Connect Core §5.4, and `openid` itself.
pub(crate) fn is_oidc_scope(token: &str) -> bool {
    matches!(token, "address" | "email" | "openid" | "phone" | "profile")
}

/// Asks for a refresh token (`OpenID` Connect Core §11); no scope of identity.
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

/// `resource` is an absolute URI without a fragment (RFC 8707 §2, RFC 3986 §4.3).
fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    scheme_fits
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte))
}
