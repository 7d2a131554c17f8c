//! Reads files, and the documents in them.

use std::path::Path;

use tpc_gate_policy::document::{self, Findings};
use tpc_gate_policy::gate::{Gate, Policy};
use tpc_gate_policy::settings::Settings;

use crate::cli::Documents;
use crate::output::{Exit, complain};

/// What came of reading the documents.
pub(crate) struct Loaded {
    /// The findings of each file, in order.
    pub(crate) files: Vec<(String, Findings)>,
    /// The gate, where both documents can be used.
    pub(crate) gate: Option<Gate>,
}

/// Reads the octets of a file, or says why not.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Exit> {
    std::fs::read(path).map_err(|error| {
        complain(format_args!("{}: {error}", path.display()));
        Exit::Unreadable
    })
}

/// Reads settings and policy; both are read even where one of them is faulty.
pub(crate) fn documents(documents: &Documents) -> Result<Loaded, Exit> {
    let policy_text = read(&documents.policy)?;
    let mut files = Vec::new();
    let settings = match &documents.settings {
        Some(path) => {
            let (settings, findings) = document::load_settings(&read(path)?);
            files.push((path.display().to_string(), findings));
            settings
        }
        None => Some(document::generic("https://login.example.com")),
    };
    let under = settings.clone().unwrap_or_else(|| document::generic("https://login.example.com"));
    let (policy, findings) = document::load_policy(&policy_text, &under);
    files.push((documents.policy.display().to_string(), findings));
    let gate = settings.zip(policy).map(|(settings, policy): (Settings, Policy)| Gate { settings, policy });
    Ok(Loaded { files, gate })
}

/// Reads the documents for a command that needs a working gate.
pub(crate) fn gate(arguments: &Documents) -> Result<Gate, Exit> {
    let Loaded { files, gate } = documents(arguments)?;
    for (file, findings) in &files {
        for fault in &findings.faults {
            complain(format_args!("{file}:{}:{}: {}: {}", fault.line, fault.column, fault.pointer, fault.message));
        }
    }
    gate.ok_or(Exit::Fault)
}
