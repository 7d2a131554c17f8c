//! Reads the gate settings.

use serde_json::value::RawValue;

use super::node::{Node, one_of};
use super::policy;
use super::preset;
use crate::endpoint::{Endpoint, EndpointPath, Endpoints};
use crate::gate::Policy;
use crate::settings::{
    AudienceParameter, BeforePolicy, Consent, Enforcement, ErrorDialect, OidcScopes, Pkce, Settings, TokenAudience,
    UnlistedClients,
};

/// Members of design §5 that a later build honours.
const NOT_IN_THIS_BUILD: &[&str] = &["judge_as_strict", "max_policy_age", "seal"];

/// Reads settings and the policy inside. `policy_elsewhere`: the policy comes
/// from another file, so that the settings need not have one.
pub(super) fn read(root: Node<'_, '_>, policy_elsewhere: bool) -> Option<(Settings, Option<Policy>)> {
    let members = root.members()?;
    let idp = members.iter().find(|(name, _)| name == "idp").and_then(|(name, raw)| preset::chosen(root.member(name, raw)));
    let mut settings = idp.unwrap_or_else(|| preset::generic(""));
    let (mut has_issuer, mut has_policy, mut policy) = (false, false, None);
    for (name, raw) in &members {
        let node = root.member(name, raw);
        match name.as_str() {
            "issuer" => {
                has_issuer = true;
                settings.issuer = issuer(node).unwrap_or_default();
            }
            "hosts" => settings.hosts = hosts(node),
            "idp" => {} // Before the members that replace what it says, wherever it stands.
            "unlisted_clients" => {
                settings.unlisted_clients = choice(node, &[("pass", UnlistedClients::Pass), ("refuse", UnlistedClients::Refuse)]);
            }
            "enforcement" => {
                settings.enforcement = choice(node, &[("enforce", Enforcement::Enforce), ("observe", Enforcement::Observe)]);
                if settings.enforcement == Enforcement::Observe {
                    node.note_relaxed("enforcement: observe");
                }
            }
            "before_policy" => {
                let words = [("refuse", BeforePolicy::Refuse), ("danger_pass_unknown", BeforePolicy::PassUnknown)];
                settings.before_policy = choice(node, &words);
                if settings.before_policy == BeforePolicy::PassUnknown {
                    node.note_danger("before_policy: danger_pass_unknown");
                }
            }
            "danger_pass_registration" => {
                settings.passes_registration = node.boolean().unwrap_or_default();
                if settings.passes_registration {
                    node.note_danger("danger_pass_registration");
                }
            }
            "danger_allow_http" => {
                settings.allow_http = node.boolean().unwrap_or_default();
                if settings.allow_http {
                    node.note_danger("danger_allow_http");
                }
            }
            "ready_path" => settings.ready_path = ready_path(node),
            "limits" => limits(node, &mut settings),
            "policy" => {
                has_policy = true;
                if !policy_elsewhere {
                    policy = inline_policy(node);
                }
            }
            known if apply(node, known, &mut settings) => {}
            known if NOT_IN_THIS_BUILD.contains(&known) => node.document_fault("not in this build"),
            _ => node.document_fault("unknown member"),
        }
    }
    if !has_issuer {
        root.document_fault("`issuer` is missing: the issuer of the identity provider, such as `https://login.example.com`");
    }
    if !has_policy && !policy_elsewhere {
        root.document_fault("`policy` is missing: put the policy document at `/policy/inline`");
    }
    if settings.ready_path.as_ref().is_some_and(|path| settings.endpoints.place_of(path.as_bytes()).endpoint().is_some()) {
        root.document_fault("`ready_path` must not be an endpoint");
    }
    Some((settings, policy))
}

/// Reads a member that a preset may have, too; false for any other.
pub(super) fn apply(node: Node<'_, '_>, name: &str, settings: &mut Settings) -> bool {
    match name {
        "endpoints" => endpoints(node, &mut settings.endpoints),
        "audience_parameter" => {
            settings.audience_parameter = choice(
                node,
                &[
                    ("audience", AudienceParameter::Audience),
                    ("resource", AudienceParameter::Resource),
                    ("both", AudienceParameter::Both),
                    ("none", AudienceParameter::None),
                ],
            );
        }
        "token_audience" => {
            settings.token_audience = choice(node, &[("check", TokenAudience::Check), ("report", TokenAudience::Report)]);
            if settings.token_audience == TokenAudience::Report {
                node.note_relaxed("token_audience: report");
            }
        }
        "pkce" => settings.pkce = pkce(node),
        "consent" => settings.consent = consent(node),
        "oidc_scopes" => settings.oidc_scopes = choice(node, &[("drop", OidcScopes::Drop), ("reject", OidcScopes::Reject)]),
        "error_dialect" => {
            settings.error_dialect = choice(node, &[("oauth", ErrorDialect::OAuth), ("auth0", ErrorDialect::Auth0)]);
        }
        _ => return false,
    }
    true
}

/// A setting with few values: unlike in the policy, an unknown one is a fault of the whole.
fn choice<T: Copy + Default>(node: Node<'_, '_>, words: &[(&str, T)]) -> T {
    let Some(text) = node.string() else { return T::default() };
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        node.document_fault(format_args!("expected {}", one_of(words.iter().map(|(word, _)| *word))));
    }
    found.unwrap_or_default()
}

/// Who verifies PKCE; edge verification needs sealed transactions.
fn pkce(node: Node<'_, '_>) -> Pkce {
    match node.string().as_deref() {
        Some("upstream") => node.note_relaxed("pkce: upstream"),
        Some("edge" | "both") => {
            node.document_fault(
                "not in this build: to verify PKCE here needs sealed transactions (`seal`); only `upstream` is accepted",
            );
        }
        Some(_) => node.document_fault("expected `upstream`"),
        None => {}
    }
    Pkce::Upstream
}

/// Who asks for consent; a page of the gate's own needs sealed transactions.
fn consent(node: Node<'_, '_>) -> Consent {
    match node.string().as_deref() {
        Some("always") | None => Consent::Always,
        Some("upstream") => {
            node.note_relaxed("consent: upstream");
            Consent::Upstream
        }
        Some("edge") => {
            node.document_fault(
                "not in this build: to ask for consent here needs sealed transactions (`seal`); expected `always` or `upstream`",
            );
            Consent::Always
        }
        Some(_) => {
            node.document_fault("expected `always` or `upstream`");
            Consent::Always
        }
    }
}

/// An issuer is a URL without query and fragment (RFC 8414 §2).
fn issuer(node: Node<'_, '_>) -> Option<String> {
    let text = node.string()?;
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits = rest.is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/[]@!$&'()*+,;=%".contains(&byte))
    });
    if !fits {
        node.document_fault("expected an https URL without query and fragment");
        return None;
    }
    Some(text)
}

fn hosts(node: Node<'_, '_>) -> Vec<String> {
    let mut hosts = Vec::new();
    let items = node.items();
    if items.is_empty() {
        node.document_fault("expected at least one host, or `*` for all");
    }
    for (at, raw) in items.into_iter().enumerate() {
        let item = node.item(at, raw);
        match item.string() {
            Some(host) if host == "*" => return Vec::new(),
            Some(host)
                if host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'[' | b']' | b':'))
                    && !host.is_empty() =>
            {
                hosts.push(host);
            }
            Some(_) => item.document_fault("expected a host name in lower case, without port"),
            None => {}
        }
    }
    hosts
}

/// Each list takes the place of the preset's.
fn endpoints(node: Node<'_, '_>, endpoints: &mut Endpoints) {
    for (name, raw) in node.members().unwrap_or_default() {
        let node = node.member(&name, raw);
        let judged_or_door = [Endpoint::Authorization, Endpoint::Token, Endpoint::Registration, Endpoint::Refused];
        match judged_or_door.into_iter().find(|endpoint| endpoint.name() == name) {
            Some(endpoint) => {
                endpoints.clear(endpoint);
                add_paths(node, endpoint, endpoints);
            }
            None if LATER.contains(&name.as_str()) => {
                node.document_fault("not in this build: strict clients can use it at no path; list its paths under `refused`");
            }
            None => node.document_fault("unknown endpoint"),
        }
    }
}

/// Endpoints of RFC 8414 and its relatives that a later build judges.
const LATER: &[&str] = &[
    "revocation",
    "introspection",
    "device_authorization",
    "pushed_authorization_request",
    "userinfo",
    "end_session",
    "backchannel_authentication",
];

fn add_paths(node: Node<'_, '_>, endpoint: Endpoint, endpoints: &mut Endpoints) {
    let items = node.items();
    if items.is_empty() && matches!(endpoint, Endpoint::Authorization | Endpoint::Token) {
        node.document_fault("expected at least one path");
    }
    for (at, raw) in items.into_iter().enumerate() {
        let item = node.item(at, raw);
        let Some(text) = item.string() else { continue };
        match EndpointPath::parse(&text) {
            Ok(path) => endpoints.add(endpoint, path),
            Err(message) => item.document_fault(message),
        }
    }
}

fn ready_path(node: Node<'_, '_>) -> Option<String> {
    let path = node.string()?;
    if let Err(message) = EndpointPath::parse(&path) {
        node.document_fault(message);
    }
    Some(path)
}

fn limits(node: Node<'_, '_>, settings: &mut Settings) {
    for (name, raw) in node.members().unwrap_or_default() {
        let node = node.member(&name, raw);
        let limits = &mut settings.limits;
        let (limit, most) = match name.as_str() {
            "path" => (&mut limits.path, 60 << 10),
            "query" => (&mut limits.query, 60 << 10),
            "body" => (&mut limits.body, 512 << 10),
            "parameters" => (&mut limits.parameters, 1000),
            "state" => (&mut limits.state, 16 << 10),
            "redirect_uri" => (&mut limits.redirect_uri, 16 << 10),
            "unlisted_body" => (&mut limits.unlisted_body, 512 << 10),
            _ => {
                node.document_fault("unknown limit");
                continue;
            }
        };
        let Some(value) = node.integer() else { continue };
        match usize::try_from(value) {
            Ok(value) if (1..=most).contains(&value) => *limit = value,
            _ => node.document_fault(format_args!("expected 1 to {most}")),
        }
    }
}

fn inline_policy(node: Node<'_, '_>) -> Option<Policy> {
    let members = node.members()?;
    let mut inline: Option<&RawValue> = None;
    for (name, raw) in &members {
        match name.as_str() {
            "inline" => inline = Some(raw),
            "source" => node.member(name, raw).document_fault("not in this build: only `inline` is"),
            _ => node.member(name, raw).document_fault("unknown member"),
        }
    }
    let Some(raw) = inline else {
        node.document_fault("`inline` is missing: the policy document");
        return None;
    };
    policy::read(node.member("inline", raw))
}
