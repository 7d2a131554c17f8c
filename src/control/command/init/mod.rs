//! `tpc-gate init`: first documents for an identity provider, from its metadata.
//!
//! [`issuer`] knows where metadata is, [`fetch`] brings it, [`metadata`] reads
//! it, [`draft`] makes settings out of it, and [`remark`] says the rest; only this
//! file and `fetch` do anything.

mod draft;
mod fetch;
pub(crate) mod issuer;
mod list;
mod metadata;
mod remark;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use tpc_gate_policy::document;
use ureq::tls::Certificate;

use crate::cli::InitArguments;
use crate::load;
use crate::output::{Exit, complain, print};
use draft::Draft;
use fetch::Fetcher;
use issuer::Issuer;
use metadata::{Metadata, Unusable, quoted};

/// Reads the metadata, and writes what it says.
pub(crate) fn run(arguments: &InitArguments) -> Exit {
    init(arguments).unwrap_or_else(|exit| exit)
}

fn init(arguments: &InitArguments) -> Result<Exit, Exit> {
    let (settings, policy) = (arguments.dir.join("settings.json"), arguments.dir.join("policy.json"));
    for path in [&settings, &policy] {
        if !arguments.force && path.symlink_metadata().is_ok() {
            return Err(is_there(path));
        }
    }
    let ca = arguments.ca.as_deref().map(trusted).transpose()?;
    let fetcher = Fetcher::new(&arguments.issuer.address.origin, ca.as_deref());
    let documents = read_metadata(&fetcher, &arguments.issuer)?;
    let mut draft = Draft::new(&arguments.issuer, &documents);
    draft.settings.keep_well_known_doors();
    let text = settings_text(&draft)?;

    std::fs::create_dir_all(&arguments.dir).map_err(|error| cannot_write(&arguments.dir, &error))?;
    write(&settings, &text, arguments.force)?;
    write(&policy, POLICY, arguments.force)?;
    print_result(&draft, &settings, &policy);
    Ok(Exit::Fine)
}

/// The first policy: it lists nobody and grants nothing; what can stand in it is shown where nothing reads it.
const POLICY: &str = include_str!("policy.json");

/// The certificates of a private CA.
fn trusted(path: &Path) -> Result<Vec<Certificate<'static>>, Exit> {
    fetch::certificates(&load::read(path)?).map_err(|message| {
        complain(format_args!("{}: {message}", path.display()));
        Exit::Unreadable
    })
}

/// Every document of the issuer, best first; at least one.
fn read_metadata(fetcher: &Fetcher, issuer: &Issuer) -> Result<Vec<Metadata>, Exit> {
    let (mut documents, mut others) = (Vec::new(), Vec::new());
    for url in issuer.well_known() {
        complain(format_args!("reading {url}"));
        let octets = match fetcher.get(&url) {
            Ok(octets) => octets,
            Err(message) => {
                complain(format_args!("  {message}"));
                continue;
            }
        };
        match Metadata::parse(&url, &octets, issuer) {
            Ok(document) => {
                complain("  metadata of this issuer");
                documents.push(document);
            }
            Err(Unusable::NotMetadata(message)) => complain(format_args!("  answered 200, and {message}")),
            Err(Unusable::OtherIssuer(other)) => {
                complain(format_args!("  is about the issuer {}: not used", quoted(&other)));
                others.push(other);
            }
        }
    }
    if documents.is_empty() {
        complain(nothing_found(issuer, others.first()));
        return Err(Exit::Fault);
    }
    Ok(documents)
}

/// What to do where there is no usable document.
fn nothing_found(issuer: &Issuer, other: Option<&String>) -> String {
    let asked = issuer.as_str();
    match other {
        Some(other) => format!(
            "nothing was written: the metadata must name exactly the issuer that was asked for, `{asked}`, and names {} (RFC 8414 §3.3); \
             if that is your identity provider, ask for that one: slashes and letter case count",
            quoted(other)
        ),
        None => format!(
            "nothing was written: no address above has metadata of `{asked}`; compare it with the `iss` of a token, \
             or write `issuer` and `endpoints` into the settings by hand"
        ),
    }
}

/// The settings as JSON that `check` accepts.
fn settings_text(draft: &Draft) -> Result<String, Exit> {
    let mut text = serde_json::to_string_pretty(&draft.settings).map_err(|error| {
        complain(error);
        Exit::Fault
    })?;
    text.push('\n');
    let (_, findings) = document::load_settings(text.as_bytes());
    for fault in &findings.faults {
        complain(format_args!("the settings that this metadata gives have a fault at {}: {}", fault.pointer, fault.message));
    }
    if findings.faults.is_empty() { Ok(text) } else { Err(Exit::Fault) }
}

/// Writes a new file; it is the file system that says whether it is new.
fn write(path: &Path, text: &str, force: bool) -> Result<(), Exit> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    match options.open(path).and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(is_there(path)),
        Err(error) => Err(cannot_write(path, &error)),
    }
}

fn is_there(path: &Path) -> Exit {
    complain(format_args!(
        "{} is there already, and is left as it is; name another folder with `--dir`, or replace both files with `--force`",
        path.display()
    ));
    Exit::Fault
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Exit {
    complain(format_args!("{}: {error}", path.display()));
    Exit::Unreadable
}

fn print_result(draft: &Draft, settings: &Path, policy: &Path) {
    let settings_name = settings.display();
    print(format_args!("wrote {settings_name}"));
    for (name, value) in draft.settings.lines() {
        print(format_args!("  {name:<18} {value}"));
    }
    let policy_name = policy.display();
    print(format_args!("wrote {policy_name}"));
    print("  no client, no API, no grant yet; its `x_example`, which nothing reads, shows each");
    print("");
    print("What metadata cannot tell, or you decide");
    for remark in &draft.remarks {
        print(format_args!("- {remark}"));
    }
    print("");
    print("Next");
    print(format_args!("  tpc-gate check --policy {policy_name} --settings {settings_name}"));
}
