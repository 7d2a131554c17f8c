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

    #[test]
    fn every_preset_can_be_read_and_has_its_endpoints() {
        assert!(preset_names().any(|name| name == "generic"));
        for name in preset_names() {
            let settings = preset(name, "https://login.example").unwrap_or_else(|| panic!("{name} has a fault"));
            for endpoint in [crate::endpoint::Endpoint::Authorization, crate::endpoint::Endpoint::Token] {
                assert!(settings.endpoints.paths(endpoint).next().is_some(), "{name} has no {}", endpoint.name());
            }
        }
    }
}
