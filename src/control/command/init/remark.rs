//! What metadata cannot tell, and what only the reader can decide.

use std::fmt;

use serde_json::Value;

use super::issuer::Issuer;
use super::list::List;
use super::metadata::{Metadata, first, quoted, shown, words};

/// Something that was not learnt, or that the reader decides.
#[derive(Debug)]
pub(crate) struct Remark {
    pub(crate) topic: &'static str,
    pub(crate) text: String,
}

impl Remark {
    fn new(topic: &'static str, text: impl fmt::Display) -> Self {
        Self { topic, text: text.to_string() }
    }

    pub(crate) fn not_learnt(text: impl fmt::Display) -> Self {
        Self::new("not learnt", text)
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.topic, self.text)
    }
}

/// What the issuer alone shows.
pub(crate) fn on_the_issuer(issuer: &Issuer) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if !issuer.address.origin.is_https {
        remarks
            .push(Remark::new("http", "`danger_allow_http` is set, since the issuer is http on loopback; never take it further"));
    }
    if issuer.has_path() {
        remarks.push(Remark::new(
            "other issuers",
            "an issuer with a path may share its host with more (realms, tenants), whose endpoints are not listed; \
             `{}` in place of a segment stands for any",
        ));
    }
    remarks
}

/// An endpoint that another listener serves.
pub(crate) fn on_another_host(issuer: &Issuer, member: &str, list: List, value: &Value) -> Remark {
    let (issuer, value) = (issuer.as_str(), shown(value));
    Remark::new(
        "another host",
        format_args!(
            "`{member}` is {value}, which a gate at {issuer} cannot see; put one there, too, with its path in `endpoints.{list}`"
        ),
    )
}

/// Documents that differ about a member: both may be true.
pub(crate) fn on_disagreement(documents: &[Metadata], member: &str, list: List) -> Vec<Remark> {
    let Some(taken) = first(documents, member) else { return Vec::new() };
    let differing = documents.iter().filter_map(|document| Some((document, document.get(member)?)));
    differing
        .filter(|(_, value)| *value != taken)
        .map(|(document, value)| {
            let (taken, value, url) = (shown(taken), shown(value), &document.url);
            Remark::new(
                "disagreement",
                format_args!(
                    "`{member}` is {taken}, and {value} at {url}; the first is taken: if both answer, add the other to `endpoints.{list}`"
                ),
            )
        })
        .collect()
}

/// Without the list of a judged endpoint the gate may guard the wrong paths.
pub(crate) fn on_a_list_left_out(list: List) -> Remark {
    Remark::not_learnt(format_args!(
        "no path for `endpoints.{list}`, so those of `generic` stand; if yours is none of them, nothing is judged there"
    ))
}

/// Endpoints that no document names.
pub(crate) fn on_doors(missing: &[&str]) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
        remarks.push(Remark::new(
            "doors",
            format_args!("not named: {}; where there is one all the same, add its path to `endpoints`", names.join(", ")),
        ));
    }
    remarks.push(Remark::new(
        "other paths",
        "each endpoint is named once; where an old version or an alias answers the same, add its path to `endpoints`, \
         whose lists replace those of `generic`",
    ));
    remarks
}

/// What the metadata claims, and nobody has seen.
pub(crate) fn on_claims(documents: &[Metadata]) -> Vec<Remark> {
    let challenge = match words(documents, "code_challenge_methods_supported").as_deref() {
        None | Some([]) => "no support is claimed, and a server without it ignores the challenge".to_owned(),
        Some(methods) if methods.contains(&"S256") => "S256 is claimed, which is no proof".to_owned(),
        Some(methods) => format!("S256, which strict clients must use, is not claimed, but {}", quoted(&methods.join(" "))),
    };
    let consent = match words(documents, "prompt_values_supported") {
        Some(values) if values.contains(&"consent") => "is claimed, which is no proof",
        _ => "is not claimed",
    };
    let mut remarks = vec![
        Remark::new("PKCE", format_args!("{challenge}; redeem a code with a wrong `code_verifier`, and see it refused")),
        Remark::new("consent", format_args!("`prompt=consent` {consent}; see whether a user who agreed before is asked again")),
    ];
    for (member, what) in [
        ("require_pushed_authorization_requests", "pushed authorization requests (RFC 9126)"),
        ("require_signed_request_object", "signed request objects (RFC 9101)"),
    ] {
        if first(documents, member) == Some(&Value::Bool(true)) {
            remarks.push(Remark::new(
                "strict clients",
                format_args!("the identity provider takes only {what}, and the gate lets strict clients send none"),
            ));
        }
    }
    remarks
}

/// What metadata has no word for.
pub(crate) fn on_decisions() -> [Remark; 3] {
    [
        Remark::new(
            "audience",
            "whether a token can be bound to one API, and by which parameter (`audience`, or `resource` of RFC 8707); \
             look at the `aud` of a token",
        ),
        Remark::new("APIs", "which there are, and who may ask for them: `resource_servers` and `client_grants` of the policy"),
        Remark::new(
            "clients",
            "which are third parties': list them with their `callbacks`; an id that is not listed passes as first-party, \
             unless it begins with `tpc_` or `https://`",
        ),
    ]
}
