//! What holds for the repository itself.

#![cfg(test)]
#![cfg(not(target_arch = "wasm32"))]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use tpc_gate_policy::case::Case;
use tpc_gate_policy::document;
use tpc_gate_policy::explanation::Outcome;
use tpc_gate_policy::rule::{self, RULES};

#[path = "support/corpus.rs"]
#[expect(dead_code, reason = "only the cases are looked at here")]
mod corpus;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn files_below(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(ending) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no {ending}");
    found
}

/// The core grows no dependency unseen: each needs a reason in the manifest and a line here.
#[test]
fn the_core_depends_on_these_and_nothing_else() {
    let manifest = read("src/policy/Cargo.toml");
    let section = manifest.split("[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names: Vec<&str> = section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["base64", "jsonwebtoken", "serde", "serde_json", "sha2"]);
    for line in section.lines().filter(|line| line.contains(" = ")) {
        let has_reason = line.contains('#') || line.starts_with("serde");
        assert!(has_reason, "no reason beside `{line}`");
    }
}

#[test]
fn only_host_names_host_calls() {
    for path in files_below("src", ".rs") {
        let text = fs::read_to_string(&path).unwrap();
        let is_host = path.ends_with("filter/host.rs");
        assert!(is_host || !text.contains("hostcalls"), "{} names host calls", path.display());
    }
}

#[test]
fn the_core_knows_no_host_clock_file_network_or_log() {
    for path in files_below("src/policy", ".rs") {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["proxy_wasm", "std::time", "std::fs", "std::net", "std::env", "log::", "cfg(target"] {
            assert!(!text.contains(word), "{} says `{word}`", path.display());
        }
    }
}

#[test]
fn filter_and_companion_never_meet() {
    for path in files_below("src/filter", ".rs") {
        assert!(!fs::read_to_string(&path).unwrap().contains("tpc_gate_control"), "{}", path.display());
    }
    for path in files_below("src/control", ".rs") {
        assert!(!fs::read_to_string(&path).unwrap().contains("proxy_wasm"), "{}", path.display());
    }
}

#[test]
fn the_rule_table_of_the_readme_is_current() {
    let readme = read("README.md");
    let block = readme.split("<!-- rules -->\n").nth(1).unwrap().split("<!-- /rules -->").next().unwrap();
    assert!(block.trim() == rule::table(RULES).trim(), "stale: run `scripts/generate`");
}

#[test]
fn the_page_of_rules_is_current() {
    assert!(read("docs/rules.md").trim() == rule::page(RULES).trim(), "stale: run `scripts/generate`");
}

/// The comparison of strict and permissive clients: each cell is a case of the corpus,
/// which every runner runs. With `TPC_GATE_GENERATE` set it is written, not compared.
#[test]
fn the_comparison_of_the_readme_is_what_the_corpus_shows() {
    let cases: Vec<Case> = corpus::folders().iter().flat_map(corpus::Folder::cases).collect();
    let cell = |name: &str, client: &str| {
        let mut found = cases.iter().filter(|case| {
            case.feature.as_ref().is_some_and(|feature| (feature.name.as_str(), feature.client.as_str()) == (name, client))
        });
        let (case, more) = (found.next().unwrap_or_else(|| panic!("no case for {name}, {client}")), found.next());
        assert!(more.is_none(), "two cases for {name}, {client}");
        shown(case)
    };
    let mut table = "| feature | strict client | permissive client |\n|---|---|---|\n".to_owned();
    let mut names: Vec<&str> = Vec::new();
    for name in cases.iter().filter_map(|case| case.feature.as_ref()).map(|feature| feature.name.as_str()) {
        if !names.contains(&name) {
            names.push(name);
            writeln!(table, "| {name} | {} | {} |", cell(name, "strict"), cell(name, "permissive")).unwrap();
        }
    }
    let readme = read("README.md");
    let (before, rest) = readme.split_once("<!-- comparison -->\n").unwrap();
    let (block, after) = rest.split_once("<!-- /comparison -->").unwrap();
    if std::env::var_os("TPC_GATE_GENERATE").is_some() {
        let text = format!("{before}<!-- comparison -->\n{table}<!-- /comparison -->{after}");
        fs::write(root().join("README.md"), text).unwrap();
        return;
    }
    assert!(block == table, "stale: run `scripts/generate`");
}

/// What becomes of a request and its answer, in a few words.
fn shown(case: &Case) -> String {
    let changed = match (&case.upstream, &case.delivered) {
        (Some(upstream), Some(delivered)) if delivered.status != upstream.status => "; the answer is kept here",
        (Some(upstream), Some(delivered)) if delivered.body.as_ref().is_some_and(|body| *body != upstream.body) => {
            "; the answer is trimmed"
        }
        _ => "",
    };
    match case.expect.outcome {
        Outcome::Pass => format!("untouched{changed}"),
        Outcome::Forward => {
            let shows = case.feature.as_ref().and_then(|feature| feature.shows.as_deref());
            let forwards = case.expect.forwards.as_ref().unwrap();
            let text = forwards.body.as_ref().or(forwards.target.as_ref()).unwrap();
            let value = shows.map(|name| {
                let mut pairs = text.split(['?', '&']).filter_map(|pair| pair.split_once('='));
                let (_, value) = pairs.find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{text} has no {name}"));
                format!(", with `{name}={}`", value.replace("%3A", ":").replace("%2F", "/").replace("%20", " "))
            });
            format!("judged and rebuilt{}{changed}", value.unwrap_or_default())
        }
        Outcome::Refuse => {
            let id = case.expect.violations.as_ref().and_then(|violations| violations.first()).unwrap();
            format!("refused: [`{id}`](docs/rules.md#{id})")
        }
    }
}

/// The settings in the bootstrap that everybody copies are read by the loader that the filter has.
#[test]
fn the_settings_in_the_bootstrap_are_valid() {
    let bootstrap = read("envoy/gate.yaml");
    let block = bootstrap.split("value: |\n").nth(1).unwrap();
    let indented = |line: &&str| line.starts_with("                    ");
    let settings: Vec<&str> = block.lines().take_while(indented).map(str::trim_start).collect();
    let loaded = document::load(settings.join("\n").as_bytes());
    assert!(loaded.is_valid() && loaded.findings.faults.is_empty(), "{:?}", loaded.findings);
}

#[test]
fn the_bootstrap_keeps_what_protection_needs() {
    let bootstrap = read("envoy/gate.yaml");
    for line in [
        "use_remote_address: true",
        "normalize_path: false",
        "merge_slashes: false",
        "path_with_escaped_slashes_action: KEEP_UNCHANGED",
        "failure_policy: FAIL_RELOAD",
        "allow_on_headers_stop_iteration: true",
        "%PATH(NQ)%",
    ] {
        assert_eq!(bootstrap.matches(line).count(), 1, "{line}");
    }
    assert!(!bootstrap.contains("%REQ(:PATH)%\\n"), "the access log must not carry queries");
}

#[test]
fn no_file_names_a_machine() {
    for folder in ["src", "tests", "envoy", "docs", "scripts"] {
        for path in files_below(folder, "") {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            // Split, so that this file does not name them.
            for word in [
                concat!("/wor", "k/"),
                concat!("/roo", "t/"),
                concat!("crates", ".io"),
                concat!("pypi", ".org"),
                concat!("npmjs", ".org"),
            ] {
                assert!(!text.contains(word), "{} names `{word}`", path.display());
            }
        }
    }
}
