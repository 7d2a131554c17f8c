//! The loader of both documents, for the filter and for the command line.
//!
//! It reads everything and reports everything at once. A *document fault* refuses
//! the whole; an *entry fault* makes only that value dead.

mod access;
mod advice;
mod client;
mod fault;
mod node;
mod policy;
mod preset;
mod settings;

pub use fault::{Fault, Findings, Level};
pub use preset::{generic, preset, preset_names};

use crate::gate::{Gate, Policy};
use crate::settings::Settings;
use node::{Node, Source};

/// What came of reading the gate settings.
#[derive(Debug)]
pub struct Loaded {
    /// The gate; `None` where even the settings cannot be used. Where only the
    /// policy cannot, the gate has none and refuses (design, decision 12).
    pub gate: Option<Gate>,
    /// Everything there is to say.
    pub findings: Findings,
}

impl Loaded {
    /// Whether settings and policy take effect as written, entry faults aside.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.gate.is_some() && !self.findings.refuse_the_document()
    }
}

/// Reads the gate settings, with the policy document inside.
#[must_use]
pub fn load(settings: &[u8]) -> Loaded {
    let (read, findings) = with_root(settings, |root| settings::read(root, false));
    let Some(Some((settings, policy))) = read else { return Loaded { gate: None, findings } };
    let breaks_settings =
        findings.faults.iter().any(|fault| fault.level == Level::Document && !fault.pointer.starts_with("/policy/inline"));
    if breaks_settings {
        return Loaded { gate: None, findings };
    }
    let policy = if findings.refuse_the_document() { Policy::default() } else { policy.unwrap_or_default() };
    Loaded { gate: Some(Gate { settings, policy }), findings }
}

/// Reads settings whose policy is another document; `None` in for every default.
#[must_use]
pub fn load_settings(settings: &[u8]) -> (Option<Settings>, Findings) {
    let (read, findings) = with_root(settings, |root| settings::read(root, true));
    let settings = read.flatten().map(|(settings, _)| settings);
    (settings.filter(|_| !findings.refuse_the_document()), findings)
}

/// Reads a policy document on its own, as it will act under `settings`.
#[must_use]
pub fn load_policy(document: &[u8], settings: &Settings) -> (Option<Policy>, Findings) {
    let (policy, findings) = with_root(document, |root| {
        let policy = policy::read(root)?;
        advice::give(root, &policy, settings);
        Some(policy)
    });
    let policy = policy.flatten().filter(|_| !findings.refuse_the_document());
    (policy, findings)
}

fn with_root<T>(octets: &[u8], read: impl FnOnce(Node<'_, '_>) -> T) -> (Option<T>, Findings) {
    let text = match std::str::from_utf8(octets) {
        Ok(text) if text.trim_start().starts_with('{') => text,
        Ok(_) => {
            return (None, whole("expected a JSON object; in Envoy it goes into a google.protobuf.StringValue, not a Struct"));
        }
        Err(_) => return (None, whole("not UTF-8; in Envoy the settings go into a google.protobuf.StringValue, not a Struct")),
    };
    let source = Source::new(text);
    let value = source.root().map(read);
    (value, source.into_findings())
}

fn whole(message: &str) -> Findings {
    let fault = Fault { level: Level::Document, pointer: String::new(), line: 1, column: 1, message: message.to_owned() };
    Findings { faults: vec![fault], ..Findings::default() }
}
