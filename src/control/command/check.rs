//! `tpc-gate check`.

use tpc_gate_policy::client::{Client, ClientKind};
use tpc_gate_policy::document::{self, Fault, Findings, Level};
use tpc_gate_policy::gate::Policy;

use crate::cli::{CheckArguments, Format};
use crate::load::{self, Loaded};
use crate::output::{Exit, print, print_json};

/// Says everything that there is to say about the documents.
pub(crate) fn run(arguments: &CheckArguments) -> Exit {
    check(arguments).unwrap_or_else(|exit| exit)
}

fn check(arguments: &CheckArguments) -> Result<Exit, Exit> {
    let Loaded { mut files, gate } = load::documents(&arguments.documents)?;
    if let Some(old) = &arguments.against {
        let (old_policy, findings) = document::load_policy(&load::read(old)?, &document::generic("https://login.example.com"));
        match (old_policy, &gate) {
            (Some(old), Some(gate)) => {
                files.push((arguments.documents.policy.display().to_string(), compare(&old, &gate.policy)));
            }
            (None, _) => files.push((old.display().to_string(), findings)),
            (Some(_), None) => {}
        }
    }
    let has_faults = files.iter().any(|(_, findings)| !findings.faults.is_empty());
    match arguments.format {
        Format::Json => print_json(&merged(files)),
        Format::Text => print_text(&files, gate.is_some()),
    }
    Ok(if has_faults { Exit::Fault } else { Exit::Fine })
}

/// What only a comparison can show: a client that is less bound than before.
fn compare(old: &Policy, new: &Policy) -> Findings {
    let mut findings = Findings::default();
    let mut warn = |message: String| {
        findings.warnings.push(Fault { level: Level::Entry, pointer: "/clients".to_owned(), line: 1, column: 1, message });
    };
    if new.revision <= old.revision {
        warn("`revision` does not grow".to_owned());
    }
    let mut before: Vec<&Client> = old.clients.iter().collect();
    before.sort_by(|a, b| a.id.cmp(&b.id));
    for client in before {
        let was = client.kind;
        match new.clients.get(&client.id).map(|client| client.kind) {
            None if was == ClientKind::Blocked => {
                warn(format!("`{}` was blocked and is gone: deleting an entry does not block a client", client.id));
            }
            None if was == ClientKind::Strict => warn(format!("`{}` was strict and is gone", client.id)),
            Some(is) if is != was => warn(format!("`{}` was {} and is {}", client.id, was.name(), is.name())),
            None | Some(_) => {}
        }
    }
    findings
}

/// The findings of all files as one, as the JSON output has them.
fn merged(files: Vec<(String, Findings)>) -> Findings {
    let mut all = Findings::default();
    for (_, findings) in files {
        all.faults.extend(findings.faults);
        all.warnings.extend(findings.warnings);
        all.danger.extend(findings.danger);
        all.relaxed.extend(findings.relaxed);
    }
    all
}

fn print_text(files: &[(String, Findings)], takes_effect: bool) {
    for (file, findings) in files {
        for fault in &findings.faults {
            let level = match fault.level {
                Level::Document => "fault",
                Level::Entry => "entry fault",
            };
            print_place(file, fault, level);
        }
        for warning in &findings.warnings {
            print_place(file, warning, "warning");
        }
        for setting in &findings.danger {
            print(format_args!("{file}: danger: {setting}"));
        }
        for setting in &findings.relaxed {
            print(format_args!("{file}: relaxed: {setting}"));
        }
    }
    let (faults, warnings) = files.iter().fold((0_usize, 0_usize), |(faults, warnings), (_, findings)| {
        (faults.saturating_add(findings.faults.len()), warnings.saturating_add(findings.warnings.len()))
    });
    let effect = match (takes_effect, faults) {
        (true, 0) => "the documents take effect",
        (true, _) => "the documents take effect, without the faulty entries",
        (false, _) => "the documents are refused",
    };
    print(format_args!("{effect}: {}, {}", counted(faults, "fault"), counted(warnings, "warning")));
    if takes_effect {
        print("note: the verifier is not checked by this build; the identity provider has to verify PKCE");
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn print_place(file: &str, fault: &Fault, level: &str) {
    let pointer = if fault.pointer.is_empty() { "/" } else { &fault.pointer };
    print(format_args!("{file}:{}:{}: {level}: {pointer}: {}", fault.line, fault.column, fault.message));
}
