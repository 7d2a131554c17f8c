//! Presets: what the settings of a known identity provider have where they do not say otherwise.

use super::node::{Node, one_of};
use super::settings::apply;
use super::with_root;
use crate::settings::Settings;

include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// The names of all presets.
pub fn preset_names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// Settings with every default of a preset, for an issuer; `None` for a name that is none.
#[must_use]
pub fn preset(name: &str, issuer: &str) -> Option<Settings> {
    let (_, text) = PRESETS.iter().find(|(known, _)| *known == name)?;
    let (settings, findings) = with_root(text.as_bytes(), |root| read(root, issuer));
    settings.flatten().filter(|_| findings.faults.is_empty())
}

/// Settings with every default of `idp: generic`, for an issuer.
#[must_use]
pub fn generic(issuer: &str) -> Settings {
    // It is in the folder: a test holds that. Without endpoints nothing would be judged.
    preset("generic", issuer).unwrap_or_else(|| Settings::bare(issuer))
}

/// Reads the member `idp`.
pub(super) fn chosen(node: Node<'_, '_>) -> Option<Settings> {
    let name = node.string()?;
    let preset = preset(&name, "");
    if preset.is_none() {
        node.document_fault(format_args!("expected {}", one_of(preset_names())));
    }
    preset
}

fn read(root: Node<'_, '_>, issuer: &str) -> Option<Settings> {
    let mut settings = Settings::bare(issuer);
    for (name, raw) in &root.members()? {
        let node = root.member(name, raw);
        match name.as_str() {
            "connection_parameter" => {
                let words = [
                    ("connection", "connection"),
                    ("kc_idp_hint", "kc_idp_hint"),
                    ("idp", "idp"),
                    ("domain_hint", "domain_hint"),
                ];
                settings.connection_parameter = node.word(&words);
            }
            known => {
                if !apply(node, known, &mut settings) {
                    node.document_fault("a preset cannot say this");
                }
            }
        }
    }
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body;
    use crate::document;
    use crate::endpoint::Endpoint;
    use crate::gate::Gate;
    use crate::head::Head;
    use crate::inspection::Inspection;

    #[test]
    fn every_preset_can_be_read_and_has_its_endpoints() {
        assert!(preset_names().any(|name| name == "generic"));
        for name in preset_names() {
            let settings = preset(name, "https://login.example").unwrap_or_else(|| panic!("{name} has a fault"));
            for endpoint in [Endpoint::Authorization, Endpoint::Token] {
                assert!(settings.endpoints.paths(endpoint).next().is_some(), "{name} has no {}", endpoint.name());
            }
        }
    }
    /// What is closed is closed however the client is named; others do not notice.
    #[test]
    fn every_door_of_every_preset_is_closed_to_strict_clients() {
        let policy = br#"{"format":1,"revision":1,"resource_servers":[],"clients":[],"client_grants":[]}"#;
        // Basic `tpc_a:s`; `{"azp":"tpc_a"}`; the same of `first`.
        let strict = ["tpc_a", "Basic dHBjX2E6cw==", "Bearer e30.eyJhenAiOiJ0cGNfYSJ9.x"];
        let first_party = ["first", "Basic Zmlyc3Q6cw==", "Bearer e30.eyJhenAiOiJmaXJzdCJ9.x"];
        for name in preset_names() {
            let settings = preset(name, "https://login.example").unwrap();
            let policy = document::load_policy(policy, &settings).0.unwrap();
            let gate = Gate { settings, policy };
            let passes = |method: &str, target: &str, header: (&str, &str), body: &str| {
                let head = Head::new([(":method", method), (":path", target), (":scheme", "https"), header]);
                match gate.inspect(&head, body.is_empty()) {
                    Inspection::Await(pending) => pending.complete(&gate, &head, Body::Whole(body.as_bytes())).goes_on(),
                    Inspection::Judged(judgement) => judgement.goes_on(),
                    _ => true,
                }
            };
            let form = ("content-type", "application/x-www-form-urlencoded");
            let filled = |path: &str| path.replace("{}", "x").replace("{any}", "x");
            let doors: Vec<String> = gate.settings.endpoints.paths(Endpoint::Refused).map(filled).collect();
            for ([id, basic, bearer], expected) in [(strict, false), (first_party, true)] {
                for path in &doors {
                    let query = format!("{path}?client_id={id}");
                    assert_eq!(passes("GET", &query, ("accept", "*/*"), ""), expected, "{name} {query}");
                    assert_eq!(passes("POST", path, form, &format!("client_id={id}")), expected, "{name} {path}");
                    for credentials in [basic, bearer] {
                        assert_eq!(
                            passes("POST", path, ("authorization", credentials), "x"),
                            expected,
                            "{name} {path} {credentials}"
                        );
                    }
                }
            }
            for path in gate.settings.endpoints.paths(Endpoint::Registration).map(filled) {
                let json = ("content-type", "application/json");
                assert!(!passes("POST", &path, json, r#"{"redirect_uris":[]}"#), "{name} {path}");
            }
        }
    }
}
