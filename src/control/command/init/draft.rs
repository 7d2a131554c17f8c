//! What metadata says about the settings.

use std::collections::BTreeMap;
use std::ops::Not;

use serde::Serialize;
use serde_json::Value;
use tpc_gate_policy::document;
use tpc_gate_policy::endpoint::{Endpoint, EndpointPath};

use super::issuer::{Address, Issuer};
use super::list::List;
use super::metadata::{Metadata, first, shown};
use super::remark::{self, Remark};

/// Settings, and what is to be said about them.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) settings: Settings,
    pub(crate) remarks: Vec<Remark>,
}

/// The members of the gate settings (design §5) that metadata decides; all others keep their defaults.
#[derive(Debug, Serialize)]
pub(crate) struct Settings {
    issuer: String,
    idp: &'static str,
    endpoints: BTreeMap<List, Vec<String>>,
    #[serde(skip_serializing_if = "Not::not")]
    danger_allow_http: bool,
    /// How many paths of a list are only those that `generic` knows.
    #[serde(skip)]
    well_known: BTreeMap<List, usize>,
}

/// Members of RFC 8414 §2 and its relatives, and the list that has their paths.
const ENDPOINTS: &[(&str, List)] = &[
    ("authorization_endpoint", List::Authorization),
    ("token_endpoint", List::Token),
    ("registration_endpoint", List::Registration),
    ("device_authorization_endpoint", List::Refused),         // RFC 8628 §4
    ("pushed_authorization_request_endpoint", List::Refused), // RFC 9126 §5
    ("backchannel_authentication_endpoint", List::Refused),   // OpenID Connect CIBA §4
    ("introspection_endpoint", List::Refused),
    ("end_session_endpoint", List::Refused), // OpenID Connect RP-Initiated Logout §2.1
    ("userinfo_endpoint", List::Refused),    // OpenID Connect Discovery §3
];

/// Lists without which nothing works.
const JUDGED: [List; 2] = [List::Authorization, List::Token];

impl Draft {
    /// Reads documents about the issuer, best first.
    pub(crate) fn new(issuer: &Issuer, documents: &[Metadata]) -> Self {
        let settings = Settings {
            issuer: issuer.as_str().to_owned(),
            idp: "generic",
            endpoints: BTreeMap::new(),
            danger_allow_http: !issuer.address.origin.is_https,
            well_known: BTreeMap::new(),
        };
        let mut draft = Self { settings, remarks: remark::on_the_issuer(issuer) };
        let mut missing = Vec::new();
        for &(member, list) in ENDPOINTS {
            let Some(value) = first(documents, member) else {
                if !JUDGED.contains(&list) {
                    missing.push(member);
                }
                continue;
            };
            draft.add(issuer, member, list, value);
            draft.remarks.extend(remark::on_disagreement(documents, member, list));
            // The same endpoint once more, for clients with a certificate (RFC 8705 §5).
            if let Some(alias) = first(documents, "mtls_endpoint_aliases").and_then(|aliases| aliases.get(member))
                && alias != value
            {
                draft.add(issuer, member, list, alias);
            }
        }
        for list in JUDGED {
            if !draft.settings.endpoints.contains_key(&list) {
                draft.remarks.push(remark::on_a_list_left_out(list));
            }
        }
        draft.remarks.extend(remark::on_doors(&missing));
        draft.remarks.extend(remark::on_claims(documents));
        draft.remarks.extend(remark::on_decisions());
        draft
    }

    /// Adds the path of one endpoint, or says why not.
    fn add(&mut self, issuer: &Issuer, member: &'static str, list: List, value: &Value) {
        let endpoints = &mut self.settings.endpoints;
        match path_of(issuer, value) {
            Ok(path) => match endpoints.iter().find(|(_, paths)| paths.contains(&path)).map(|(taken, _)| *taken) {
                None => endpoints.entry(list).or_default().push(path),
                Some(taken) if taken == list => {}
                Some(taken) => self.remarks.push(Remark::not_learnt(format_args!(
                    "`{member}` is {}, which stands in `endpoints.{taken}` already",
                    shown(value)
                ))),
            },
            Err(NotLearnt::Elsewhere) => self.remarks.push(remark::on_another_host(issuer, member, list, value)),
            Err(NotLearnt::Odd(reason)) => {
                self.remarks.push(Remark::not_learnt(format_args!("`{member}` is {}: {reason}", shown(value))));
            }
        }
    }
}

impl Settings {
    /// A list takes the place of the one that `generic` has: what that one closes stays closed.
    pub(crate) fn keep_well_known_doors(&mut self) {
        let generic = document::generic(&self.issuer);
        for (list, endpoint) in [(List::Registration, Endpoint::Registration), (List::Refused, Endpoint::Refused)] {
            let is_taken = |path: &str| self.endpoints.values().flatten().any(|taken| taken == path);
            let more: Vec<String> = generic.endpoints.paths(endpoint).filter(|path| !is_taken(path)).map(str::to_owned).collect();
            if let Some(paths) = self.endpoints.get_mut(&list) {
                self.well_known.insert(list, more.len());
                paths.extend(more);
            }
        }
    }

    /// Each setting as name and value, for people.
    pub(crate) fn lines(&self) -> Vec<(String, String)> {
        let mut lines = vec![("issuer".to_owned(), self.issuer.clone())];
        lines.extend(self.endpoints.iter().map(|(list, paths)| {
            let more = self.well_known.get(list).copied().unwrap_or_default();
            let named = paths.iter().take(paths.len().saturating_sub(more)).map(String::as_str).collect::<Vec<_>>().join(" ");
            (list.to_string(), if more > 0 { format!("{named} (and {more} well-known paths)") } else { named })
        }));
        if self.danger_allow_http {
            lines.push(("danger_allow_http".to_owned(), "true".to_owned()));
        }
        lines
    }
}

/// Why an endpoint is not in the settings.
enum NotLearnt {
    /// It is at another origin than the issuer.
    Elsewhere,
    /// It is spelled as no setting can say it.
    Odd(&'static str),
}

/// The path of an endpoint at the issuer's origin. A query may follow it (RFC 6749 §3.1); requests are told apart by the path.
fn path_of(issuer: &Issuer, value: &Value) -> Result<String, NotLearnt> {
    let text = value.as_str().ok_or(NotLearnt::Odd("expected text"))?;
    let address = Address::parse(text).map_err(NotLearnt::Odd)?;
    if address.origin != issuer.address.origin {
        return Err(NotLearnt::Elsewhere);
    }
    if address.has_fragment {
        return Err(NotLearnt::Odd("an endpoint has no fragment (RFC 6749 §3.1)"));
    }
    // In the settings `{}` would stand for any segment; no server means that.
    if address.path.contains('{') {
        return Err(NotLearnt::Odd("expected a plain path"));
    }
    EndpointPath::parse(&address.path).map_err(NotLearnt::Odd)?;
    Ok(address.path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://login.example.com";

    fn draft(issuer: &str, documents: &[Value]) -> Draft {
        let issuer = Issuer::parse(issuer).unwrap();
        let documents: Vec<Metadata> = documents
            .iter()
            .map(|document| {
                let mut document = document.clone();
                document["issuer"] = issuer.as_str().into();
                Metadata::parse("https://login.example.com/x", document.to_string().as_bytes(), &issuer).unwrap()
            })
            .collect();
        Draft::new(&issuer, &documents)
    }

    fn endpoints(documents: &[Value]) -> Value {
        serde_json::to_value(draft(ISSUER, documents).settings.endpoints).unwrap()
    }

    fn remarks(documents: &[Value]) -> String {
        draft(ISSUER, documents).remarks.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_endpoint_goes_to_its_list() {
        let document = json!({
            "authorization_endpoint": "https://login.example.com/as/authorize",
            "token_endpoint": "https://LOGIN.example.com:443/as/token.oauth2",
            "registration_endpoint": "https://login.example.com/as/clients",
            "device_authorization_endpoint": "https://login.example.com/as/device",
            "pushed_authorization_request_endpoint": "https://login.example.com/as/par",
            "backchannel_authentication_endpoint": "https://login.example.com/as/ciba",
            "introspection_endpoint": "https://login.example.com/as/introspect",
            "end_session_endpoint": "https://login.example.com/as/logout",
            "userinfo_endpoint": "https://login.example.com/as/userinfo",
            "check_session_iframe": "https://login.example.com/as/frame",
            "jwks_uri": "https://login.example.com/as/keys",
        });
        let expected = r#"{"issuer":"https://login.example.com","idp":"generic","endpoints":{"authorization":["/as/authorize"],"token":["/as/token.oauth2"],"registration":["/as/clients"],"refused":["/as/device","/as/par","/as/ciba","/as/introspect","/as/logout","/as/userinfo"]}}"#;
        let draft = draft(ISSUER, &[document]);
        assert_eq!(serde_json::to_string(&draft.settings).unwrap(), expected);
        for topic in ["not learnt", "another host", "doors", "disagreement"] {
            assert!(draft.remarks.iter().all(|remark| remark.topic != topic), "{topic}");
        }
    }

    #[test]
    fn the_first_document_wins_for_a_member_and_the_others_fill_in() {
        let first = json!({"token_endpoint": "https://login.example.com/a/token", "userinfo_endpoint": null});
        let second = json!({
            "authorization_endpoint": "https://login.example.com/b/authorize",
            "token_endpoint": "https://login.example.com/b/token",
            "userinfo_endpoint": "https://login.example.com/b/userinfo",
        });
        let documents = [first, second];
        let expected = json!({"authorization": ["/b/authorize"], "token": ["/a/token"], "refused": ["/b/userinfo"]});
        assert_eq!(endpoints(&documents), expected);
        let said = remarks(&documents);
        assert!(said.contains("`https://login.example.com/b/token` at https://login.example.com/x"), "{said}");
        assert!(!said.contains("`userinfo_endpoint`"), "{said}");
    }

    #[test]
    fn what_is_at_another_origin_is_said_and_not_written() {
        for other in [
            "https://tokens.example.com/token",
            "https://login.example.com:8443/token",
            "http://login.example.com/token",
            "https://login.example.com.evil.example/token",
        ] {
            let documents = [json!({"token_endpoint": other})];
            assert_eq!(endpoints(&documents), json!({}), "{other}");
            let said = remarks(&documents);
            assert!(said.contains(&format!("another host: `token_endpoint` is `{other}`")), "{said}");
            assert!(said.contains("no path for `endpoints.token`"), "{said}");
        }
    }

    #[test]
    fn what_no_setting_can_say_is_not_learnt() {
        for odd in [
            json!("https://login.example.com"),
            json!("https://login.example.com/"),
            json!("https://login.example.com/token//"),
            json!("https://login.example.com/a//token"),
            json!("https://login.example.com/a/../token"),
            json!("https://login.example.com/t%6fken"),
            json!("https://login.example.com/{}/token"),
            json!("https://login.example.com/token;v=1"),
            json!("https://login.example.com/token#x"),
            json!("https://user@login.example.com/token"),
            json!("/token"),
            json!("https://login.example.com/to ken"),
            json!("https://login.example.com/to\u{1b}[2Jken"),
            json!(["https://login.example.com/token"]),
            json!(7),
        ] {
            let documents = [json!({"token_endpoint": odd})];
            assert_eq!(endpoints(&documents), json!({}), "{odd}");
            let said = remarks(&documents);
            assert!(said.contains("not learnt: `token_endpoint` is `") && !said.contains('\u{1b}'), "{said}");
        }
        for known in ["/token", "/o/token/"] {
            let url = format!("https://login.example.com{known}?p=x");
            assert_eq!(endpoints(&[json!({"token_endpoint": url})]), json!({"token": [known]}));
        }
    }

    #[test]
    fn a_path_stands_in_one_list_only() {
        let documents = [json!({
            "token_endpoint": "https://login.example.com/token",
            "introspection_endpoint": "https://login.example.com/token",
        })];
        assert_eq!(endpoints(&documents), json!({"token": ["/token"]}));
        assert!(remarks(&documents).contains("`introspection_endpoint` is `https://login.example.com/token`, which stands"));
    }

    #[test]
    fn aliases_for_clients_with_a_certificate_are_paths_of_the_same_endpoint() {
        let documents = [json!({
            "token_endpoint": "https://login.example.com/token",
            "introspection_endpoint": "https://login.example.com/introspect",
            "mtls_endpoint_aliases": {
                "token_endpoint": "https://login.example.com/mtls/token",
                "introspection_endpoint": "https://mtls.example.com/introspect",
            },
        })];
        assert_eq!(endpoints(&documents), json!({"token": ["/token", "/mtls/token"], "refused": ["/introspect"]}));
        assert!(remarks(&documents).contains("`introspection_endpoint` is `https://mtls.example.com/introspect`"));
    }

    #[test]
    fn http_is_allowed_for_loopback_alone_and_said() {
        let on_loopback = draft("http://127.0.0.1:8080", &[json!({"token_endpoint": "http://127.0.0.1:8080/token"})]);
        let settings = serde_json::to_value(&on_loopback.settings).unwrap();
        assert_eq!(settings["danger_allow_http"], true);
        assert_eq!(settings["endpoints"]["token"], json!(["/token"]));
        assert!(on_loopback.remarks.iter().any(|remark| remark.text.contains("danger_allow_http")));
        let over_https = serde_json::to_value(draft("https://127.0.0.1:8080", &[json!({})]).settings).unwrap();
        assert_eq!(over_https, json!({"issuer": "https://127.0.0.1:8080", "idp": "generic", "endpoints": {}}));
    }

    #[test]
    fn claims_are_never_taken_for_proofs() {
        for (document, said) in [
            (json!({}), "PKCE: no support is claimed"),
            (json!({"code_challenge_methods_supported": []}), "PKCE: no support is claimed"),
            (
                json!({"code_challenge_methods_supported": ["plain"]}),
                "PKCE: S256, which strict clients must use, is not claimed, but `plain`",
            ),
            (json!({"code_challenge_methods_supported": ["plain", "S256"]}), "PKCE: S256 is claimed, which is no proof"),
            (json!({}), "consent: `prompt=consent` is not claimed"),
            (json!({"prompt_values_supported": ["none", "consent"]}), "consent: `prompt=consent` is claimed"),
            (json!({"require_pushed_authorization_requests": true}), "takes only pushed authorization requests"),
            (json!({"require_signed_request_object": true}), "takes only signed request objects"),
            (json!({}), "audience: "),
            (json!({}), "APIs: "),
            (json!({}), "clients: "),
            (json!({}), "doors: not named: `registration_endpoint`, `device_authorization_endpoint`"),
        ] {
            let remarks = remarks(&[document]);
            assert!(remarks.contains(said), "{said}: {remarks}");
        }
        assert!(!remarks(&[json!({"require_pushed_authorization_requests": false})]).contains("takes only"));
    }

    #[test]
    fn a_tenant_is_told_of_its_neighbours() {
        let has = |issuer| draft(issuer, &[json!({})]).remarks.iter().any(|remark| remark.topic == "other issuers");
        assert!(has("https://login.example.com/realms/acme"));
        assert!(!has("https://login.example.com/"));
    }
}
