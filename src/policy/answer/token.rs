//! The answer of the token endpoint (RFC 6749 §5).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::access::ApiId;
use crate::ask::{OFFLINE_ACCESS, Purpose};
use crate::authentication::{claims_of_jwt, texts_under};
use crate::client::GrantType;
use crate::exchange::TokenExchange;
use crate::fold::fold_name;
use crate::gate::{Gate, Policy};
use crate::head::{Field, Head};
use crate::json::{Json, MembersVisitor};
use crate::violation::{Breach, Violation};

/// An answer of the token endpoint, read.
#[derive(Debug)]
pub(crate) struct TokenAnswer<'a> {
    exchange: &'a TokenExchange,
    policy: &'a Policy,
    status: &'a [u8],
    cache_control: &'a [u8],
    object: Option<Object<'a>>,
    /// The access token's claims, where it is a JWT that can be read.
    claims: Option<Json>,
    apis: Apis,
}

/// The APIs that the answer may be for.
#[derive(Debug)]
struct Apis {
    /// Those that were granted, the one that was asked or else all of the client, and
    /// among them those that the token is for; all of them where it does not say.
    meant: Vec<ApiId>,
    /// Whether the token is for one of them, and for no other listed one.
    fit: bool,
}

impl<'a> TokenAnswer<'a> {
    pub(crate) fn new(exchange: &'a TokenExchange, gate: &'a Gate, head: &'a Head, body: Option<&'a [u8]>) -> Self {
        let readable = body.filter(|_| !head.has_content_coding());
        let object: Option<Object<'a>> = readable.and_then(|octets| serde_json::from_slice(octets).ok());
        let token = object.as_ref().and_then(|object| object.text("access_token")).unwrap_or_default();
        let claims = claims_of_jwt(token.as_bytes()).filter(|_| looks_like_jwt(token));
        let mut apis = Apis::of(exchange, &gate.policy, claims.as_ref());
        // A JWT that we cannot read says something to somebody; one that is encrypted does not (RFC 7516 §3.1).
        apis.fit &= !looks_like_jwt(token) || claims.is_some() || token.split('.').count() == 5;
        Self {
            exchange,
            policy: &gate.policy,
            status: head.get(Field::Status).unwrap_or_default(),
            cache_control: head.get(Field::CacheControl).unwrap_or_default(),
            object,
            claims,
            apis,
        }
    }

    /// The body as a strict client gets it; values that stay are as they are written.
    pub(crate) fn print(&self) -> Option<String> {
        let object = self.object.as_ref()?;
        if !self.is_success() {
            let is_token =
                |name: &str| is_named(name, "id_token") || is_named(name, "access_token") || is_named(name, "refresh_token");
            return Some(object.print(|name, value| (!is_token(name)).then(|| value.to_owned())));
        }
        let scope = self.scope_to_report();
        let mut out = object.print(|name, value| match name {
            "scope" => None,
            _ if is_named(name, "id_token") || value == "null" => None,
            _ if is_named(name, "refresh_token") && !self.may_refresh() => None,
            "expires_in" => Some(seconds(value).unwrap_or(value).to_owned()),
            _ => Some(value.to_owned()),
        });
        if let Some(scope) = scope {
            out.pop();
            // A string always serialises.
            let scope = serde_json::to_string(&scope).unwrap_or_default();
            out.push_str(if out.len() > 1 { ",\"scope\":" } else { "\"scope\":" });
            out.push_str(&scope);
            out.push('}');
        }
        Some(out)
    }

    /// The status as a strict client gets it (RFC 6749 §5.1 has 200).
    pub(crate) fn corrected_status(&self) -> Option<&'static str> {
        (self.is_success() && self.status != b"200").then_some("200")
    }

    fn is_success(&self) -> bool {
        self.status.starts_with(b"2")
    }

    fn success(&self) -> Option<&Object<'a>> {
        self.object.as_ref().filter(|_| self.is_success())
    }

    fn may_refresh(&self) -> bool {
        let client = &self.exchange.client;
        let allows = |id: &ApiId| self.policy.access.api(*id).is_some_and(|api| api.may_refresh(client));
        self.exchange.grant != GrantType::ClientCredentials && self.apis.meant.iter().any(allows)
    }

    /// Every scope that the client may have here.
    fn ceiling(&self) -> impl Iterator<Item = &str> {
        let subject = Purpose::Token(self.exchange.grant).subject();
        let grants = self.apis.meant.iter().filter_map(move |id| self.policy.access.granted(&self.exchange.client, *id, subject));
        grants.flat_map(|grant| grant.scope.iter().map(String::as_str))
    }

    fn is_granted(&self, scope: &str) -> bool {
        (scope == OFFLINE_ACCESS && self.may_refresh()) || self.ceiling().any(|granted| granted == scope)
    }

    fn scope_in_answer(&self) -> Option<Vec<&str>> {
        self.object.as_ref()?.scope.as_ref().map(tokens)
    }

    /// Scopes in the token: a string, or a list (RFC 9068 §2.2.3; others say `scp`).
    fn scope_in_token(&self) -> Option<Vec<&str>> {
        let claims = self.claims.as_ref()?;
        let scope: Vec<&str> = texts_under(claims, &["scope", "scopes", "scp"]).flat_map(split).collect();
        let says = claims.members().any(|(name, _)| matches!(name, "scope" | "scopes" | "scp"));
        says.then_some(scope)
    }

    /// What is reported as granted: what the answer says, else what was sent, else what
    /// the token says, else what one API's grant is; each within the grant.
    fn scope_to_report(&self) -> Option<String> {
        let within = |scope: Vec<&str>| {
            let mut kept: Vec<&str> = Vec::new();
            for token in scope.into_iter().filter(|token| self.is_granted(token)) {
                if !kept.contains(&token) {
                    kept.push(token);
                }
            }
            kept.join(" ")
        };
        let sent = || self.exchange.granted.scope.as_ref().map(|scope| scope.iter().map(String::as_str).collect());
        let by_policy = || (self.apis.meant.len() == 1).then(|| self.ceiling().collect());
        self.scope_in_answer().or_else(sent).or_else(|| self.scope_in_token()).or_else(by_policy).map(within)
    }
}

impl Apis {
    fn of(exchange: &TokenExchange, policy: &Policy, claims: Option<&Json>) -> Self {
        let access = &policy.access;
        let granted: Vec<ApiId> = if let Some(audience) = &exchange.granted.audience {
            access.find(audience).into_iter().collect()
        } else {
            let all = access.all_granted(&exchange.client, Purpose::Token(exchange.grant).subject());
            all.into_iter().map(|(id, _)| id).collect()
        };
        let Some(claims) = claims else {
            return Self { meant: granted, fit: true };
        };
        let audiences: Vec<&[ApiId]> = texts_under(claims, &["aud"]).map(|audience| access.of_token_audience(audience)).collect();
        // What counts for the token is `aud` as the standard spells it; against it whatever looks like one.
        let own: Vec<&str> = claims.members().filter(|(name, _)| *name == "aud").flat_map(|(_, value)| value.texts()).collect();
        let owns_some = |id: &ApiId| own.iter().any(|audience| access.of_token_audience(audience).contains(id));
        let owns_all = |id: &ApiId| audiences.iter().all(|owners| owners.is_empty() || owners.contains(id));
        let meant: Vec<ApiId> = granted.iter().copied().filter(|id| owns_some(id) && owns_all(id)).collect();
        let fit = !meant.is_empty();
        Self { meant: if fit { meant } else { granted }, fit }
    }
}

/// Refuses to deliver what cannot be read: a success that is no plain JSON object
/// cannot be trimmed, and an error that is no OAuth error helps nobody (RFC 6749 §5.1, §5.2).
pub(crate) fn token_answer_is_readable(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    let is_readable = match &answer.object {
        None => false,
        Some(object) if answer.is_success() => !object.repeats_a_member,
        // A redirect is no answer of this endpoint, whatever it carries.
        Some(object) => object.text("error").is_some() && !object.repeats_a_member && !answer.status.starts_with(b"3"),
    };
    if is_readable { Ok(()) } else { Err(Violation::TokenResponseUnreadable.into()) }
}

/// Refuses to deliver a success without `access_token` or `token_type` (RFC 6749 §5.1).
pub(crate) fn token_answer_is_complete(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    let Some(object) = answer.success() else { return Ok(()) };
    match ["access_token", "token_type"].into_iter().find(|name| object.text(name).is_none()) {
        Some(name) => Err(Breach::of(Violation::TokenResponseIncomplete, name)),
        None => Ok(()),
    }
}

/// Refuses to deliver a JWT access token that is not for the granted API, or also for
/// another listed one (RFC 8707 §2.2; RFC 9068 §2.2; CVE-2025-69196).
pub(crate) fn token_is_for_the_granted_api(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    if answer.success().is_none() || answer.apis.fit { Ok(()) } else { Err(Violation::TokenAudienceNotGranted.into()) }
}

/// Refuses to deliver a token with a scope of a listed API beyond the grant, whether
/// the token or the answer says so: users can widen it on some consent pages
/// (RFC 6749 §3.3; design, decision 13).
pub(crate) fn token_scope_is_granted(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    if answer.success().is_none() {
        return Ok(());
    }
    let both = [answer.scope_in_answer(), answer.scope_in_token()];
    let is_beyond = |scope: &&str| !answer.is_granted(scope) && answer.policy.access.defines(scope);
    if both.iter().flatten().flatten().any(is_beyond) {
        return Err(Breach::of(Violation::TokenScopeNotGranted, "scope"));
    }
    Ok(())
}

/// Takes an ID token out: strict clients get no identity
/// (`OpenID` Connect Core §3.1.3.3; the vendor's strict mode).
pub(crate) fn no_id_token_is_issued(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    let is_issued = answer.object.as_ref().is_some_and(|object| object.has("id_token"));
    if is_issued { Err(Breach::of(Violation::IdTokenIssued, "id_token")) } else { Ok(()) }
}

/// Takes a refresh token out that client or API may not have, and always one of
/// `client_credentials` (RFC 6749 §4.4.3).
pub(crate) fn refresh_token_is_allowed(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    let is_issued = answer.object.as_ref().is_some_and(|object| object.has("refresh_token"));
    if is_issued && !(answer.is_success() && answer.may_refresh()) {
        return Err(Breach::of(Violation::RefreshTokenNotAllowed, "refresh_token"));
    }
    Ok(())
}

/// Puts members right that SDKs trip over: null ones, an `expires_in` that is text, and
/// another success than 200 (RFC 6749 §5.1).
pub(crate) fn members_have_their_types(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    let Some(object) = answer.success() else { return Ok(()) };
    let is_wrong = |name: &str, value: &str| value == "null" || (name == "expires_in" && seconds(value).is_some());
    let found = object.members.iter().any(|(name, value)| is_wrong(name, value.get()));
    if found || answer.corrected_status().is_some() { Err(Violation::TokenResponseMalformed.into()) } else { Ok(()) }
}

/// Writes what was granted into `scope`, without scopes of no listed API
/// (RFC 6749 §5.1: required where it differs from what was asked).
pub(crate) fn scope_is_reported(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    let Some(object) = answer.success() else { return Ok(()) };
    match answer.scope_to_report() {
        Some(scope) if object.text("scope") != Some(&scope) => Err(Breach::of(Violation::ScopeNotReported, "scope")),
        Some(_) | None => Ok(()),
    }
}

/// Marks the answer as not to be stored (RFC 6749 §5.1; draft-ietf-oauth-v2-1-15 §3.2.3).
pub(crate) fn token_answer_is_not_stored(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    if answer.cache_control.eq_ignore_ascii_case(b"no-store") { Ok(()) } else { Err(Violation::TokenResponseCacheable.into()) }
}

/// The tokens of a scope, as text or as a list of texts.
fn tokens(scope: &Json) -> Vec<&str> {
    scope.texts().flat_map(split).collect()
}

/// Splits a scope as the standard says, and where others do.
fn split(scope: &str) -> impl Iterator<Item = &str> {
    scope.split(|c: char| c.is_whitespace() || c == ',').filter(|token| !token.is_empty())
}

/// Whether a text begins like a JWT, a JSON object in base64 (RFC 7519 §3.1).
fn looks_like_jwt(token: &str) -> bool {
    token.starts_with("eyJ") && token.contains('.')
}

/// Whether a member is one of that name to some reader: many do not mind its case.
fn is_named(name: &str, known: &str) -> bool {
    name == known || fold_name(name.as_bytes()).replace('_', "") == known.replace('_', "")
}

/// The number in a text of digits.
fn seconds(value: &str) -> Option<&str> {
    let digits = value.strip_prefix('"')?.strip_suffix('"')?;
    let fits = (1..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| digits.trim_start_matches('0')).filter(|digits| !digits.is_empty())
}

/// A JSON object whose values stay as they are written.
#[derive(Debug)]
struct Object<'a> {
    members: Vec<(String, &'a RawValue)>,
    /// Members that are text, decoded.
    texts: Vec<(String, String)>,
    scope: Option<Json>,
    /// Whether a member that is delivered stands twice.
    repeats_a_member: bool,
}

impl Object<'_> {
    fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(known, _)| is_named(known, name))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    fn print(&self, keep: impl Fn(&str, &str) -> Option<String>) -> String {
        let mut out = String::from("{");
        for (name, value) in &self.members {
            let Some(value) = keep(name, value.get()) else { continue };
            if out.len() > 1 {
                out.push(',');
            }
            // A string always serialises.
            out.push_str(&serde_json::to_string(name).unwrap_or_default());
            out.push(':');
            out.push_str(&value);
        }
        out.push('}');
        out
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = deserializer.deserialize_map(MembersVisitor)?;
        let texts = members
            .iter()
            .filter(|(name, _)| matches!(name.as_str(), "access_token" | "error" | "scope" | "token_type"))
            .filter_map(|(name, value)| Some((name.clone(), serde_json::from_str(value.get()).ok()?)))
            .collect();
        let scope =
            members.iter().find(|(name, _)| name == "scope").and_then(|(_, value)| serde_json::from_str(value.get()).ok());
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "id_token").collect();
        names.sort_unstable();
        let repeats_a_member = names.array_windows().any(|[a, b]| a == b);
        Ok(Self { members, texts, scope, repeats_a_member })
    }
}
