//! The command line: its exit codes, its words, its JSON.

#![cfg(test)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases");

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tpc-gate"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that ends before it reads is no failure of the test.
    let _gone = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(output: &[u8]) -> &str {
    std::str::from_utf8(output).unwrap()
}

fn policy() -> String {
    format!("{CASES}/default/policy.json")
}

/// Writes a file that lives as long as the test run's folder.
fn file(name: &str, content: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_valid_policy_is_fine() {
    let output = run(&["check", "--policy", &policy()], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("the verifier is not checked by this build"));
}

#[test]
fn all_faults_are_said_at_once_with_their_place() {
    let document = file(
        "faulty.json",
        r#"{"format": 1, "revision": 1.5, "oops": 1,
 "clients": [
  {"client_id": "tpc_a", "callbacks": ["http://app.example/cb", "https://ok.example/cb"], "blocked": "yes"},
  {"client_id": "tpc_a", "third_party_security_mode": "permissive", "upstream_client_id": "x", "x_note": [1]},
  {"client_id": "b", "client_id": "c"}],
 "client_grants": [{"client_id": "tpc_a", "audience": "https://nowhere.example", "scope": []}]}"#,
    );
    let output = run(&["check", "--policy", &document, "--format", "json"], "");
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let faults: Vec<(String, String, u64, u64)> = found["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            let word = |name: &str| fault[name].as_str().unwrap().to_owned();
            (word("level"), word("pointer"), fault["line"].as_u64().unwrap(), fault["column"].as_u64().unwrap())
        })
        .collect();
    let expected = [
        ("document", "/revision", 1, 27),
        ("document", "/oops", 1, 40),
        ("entry", "/clients/0/callbacks/0", 3, 40),
        ("document", "/clients/0/blocked", 3, 102),
        ("document", "/clients/1", 4, 3),
        ("entry", "/clients/1/third_party_security_mode", 4, 55),
        ("document", "/clients/1/upstream_client_id", 4, 91),
        ("document", "/clients/2/client_id", 5, 35),
        ("document", "/client_grants/0/audience", 6, 55),
    ];
    let expected: Vec<_> =
        expected.map(|(level, pointer, line, column)| (level.to_owned(), pointer.to_owned(), line, column)).into();
    assert_eq!(faults, expected);
    for member in ["warnings", "danger", "relaxed"] {
        assert!(found[member].is_array(), "{member}");
    }
}

#[test]
fn an_entry_fault_leaves_the_rest_in_force_and_is_still_a_fault() {
    let document =
        file("entry.json", r#"{"format":1,"revision":1,"clients":[{"client_id":"tpc_a","callbacks":["https://*.example/cb"]}]}"#);
    let output = run(&["check", "--policy", &document], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("wildcards never match"), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("take effect, without the faulty entries"));
}

#[test]
fn text_that_is_no_json_and_files_that_are_not_there_differ() {
    let broken = file("broken.json", "{\n \"format\": 1,,\n}");
    let output = run(&["check", "--policy", &broken], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains(":2:14: fault"), "{}", text(&output.stdout));
    let output = run(&["check", "--policy", "/nowhere/policy.json"], "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(run(&["check"], "").status.code(), Some(2));
    assert_eq!(run(&["--help"], "").status.code(), Some(0));
}

#[test]
fn settings_of_later_builds_are_faults_and_danger_is_said() {
    let settings = file(
        "later.json",
        r#"{"issuer":"https://login.example.com","pkce":"edge","danger_allow_http":true,"enforcement":"observe"}"#,
    );
    let output = run(&["check", "--policy", &policy(), "--settings", &settings, "-o", "json"], "");
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["faults"][0]["pointer"], "/pkce");
    assert_eq!(found["faults"][0]["message"], "not in this build");
    assert_eq!(found["danger"], json!(["danger_allow_http"]));
    assert_eq!(found["relaxed"], json!(["enforcement: observe", "redirection_policy: allow_always (tpc_redirects01)"]));
}

#[test]
fn a_comparison_shows_who_is_less_bound_than_before() {
    let before = file(
        "before.json",
        r#"{"format":1,"revision":2,"clients":[{"client_id":"a","blocked":true},{"client_id":"tpc_b"},{"client_id":"c","is_first_party":false}]}"#,
    );
    let after = file("after.json", r#"{"format":1,"revision":2,"clients":[{"client_id":"c","is_first_party":true}]}"#);
    let output = run(&["check", "--policy", &after, "--against", &before], "");
    assert_eq!(output.status.code(), Some(0), "warnings alone are fine");
    for expected in [
        "`a` was blocked and is gone",
        "`tpc_b` was strict and is gone",
        "`c` was strict and is first_party",
        "`revision` does not grow",
    ] {
        assert!(text(&output.stdout).contains(expected), "{expected}: {}", text(&output.stdout));
    }
}

#[test]
fn an_id_that_is_strict_only_by_its_entry_is_a_warning() {
    let output = run(&["check", "--policy", &policy(), "--format", "json"], "");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let warnings: Vec<&str> =
        found["warnings"].as_array().unwrap().iter().map(|warning| warning["message"].as_str().unwrap()).collect();
    assert!(
        matches!(warnings.as_slice(), [one] if one.contains("`partner-portal` is strict only by this entry")),
        "{warnings:?}"
    );
}

#[test]
fn a_request_is_explained_in_the_contracts_shape() {
    let request = "GET /oauth/authorize?client_id=tpc_native01&response_type=token HTTP/1.1\nhost: login.example.com\n\n";
    let output = run(&["explain", "--policy", &policy(), "--format", "json"], request);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let explanation: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({
        "outcome": "refuse", "endpoint": "authorization", "client_id": "tpc_native01", "client_kind": "strict",
        "violations": [
            {"id": "redirect-uri-not-registered", "citation": "RFC 9700 §4.1.3", "parameter": "redirect_uri"},
            {"id": "response-type-not-code", "citation": "RFC 9700 §2.1.2", "parameter": "response_type"},
            {"id": "code-challenge-missing", "citation": "RFC 7636 §4.4.1", "parameter": "code_challenge"},
            {"id": "code-challenge-method-not-s256", "citation": "RFC 9700 §2.1.1", "parameter": "code_challenge_method"}],
        "error": "invalid_request", "status": 400, "granted": null, "dropped": [], "forwards": null, "revision": 42
    });
    assert_eq!(explanation, expected);
}

#[test]
fn what_is_secret_is_redacted_unless_it_is_asked_for() {
    let body = "grant_type=authorization_code&code=k0de&client_id=tpc_native01&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let request = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: h\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}\r\n",
        body.len()
    );
    let explain = |more: &[&str]| {
        let mut arguments = vec!["explain", "--policy"];
        let policy = policy();
        arguments.push(&policy);
        arguments.extend_from_slice(more);
        let output = run(&arguments, &request);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    let shown = explain(&["--expect", "forward"]);
    assert!(shown.contains("code=[redacted]&code_verifier=[redacted]") && !shown.contains("k0de"), "{shown}");
    assert!(explain(&["--show-secrets"]).contains("code=k0de"));
}

#[test]
fn an_expectation_decides_the_exit_code() {
    let request = "GET https://login.example.com/oauth/authorize?client_id=stopped_app HTTP/1.1\n\n";
    for (expected, code) in [
        ("refuse", 0),
        ("refuse:client-blocked", 0),
        ("refuse:client-unlisted", 1),
        ("pass", 1),
        ("refuse:nonsense", 2),
        ("maybe", 2),
    ] {
        let output = run(&["explain", "--policy", &policy(), "--expect", expected], request);
        assert_eq!(output.status.code(), Some(code), "{expected}: {}", text(&output.stderr));
    }
    assert_eq!(run(&["explain", "--policy", &policy()], "nonsense").status.code(), Some(2));
    assert_eq!(run(&["explain", "--policy", &policy()], "GET / HTTP/1.1\nhost: h\n").status.code(), Some(2));
}

#[test]
fn the_corpus_passes_through_the_command_line() {
    for folder in std::fs::read_dir(CASES).unwrap().map(Result::unwrap) {
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let mut arguments =
            vec!["test".to_owned(), "--policy".to_owned(), path("policy.json"), "--settings".to_owned(), path("settings.json")];
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        arguments.extend(files.filter(|name| !matches!(name.as_str(), "policy.json" | "settings.json")).map(|name| path(&name)));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run(&arguments, "");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
        assert!(!text(&output.stdout).contains(" 0 passed"));
    }
}

#[test]
fn a_case_that_is_not_as_expected_fails_and_says_how() {
    let cases = file(
        "cases.json",
        r#"[{"name": "wrong", "request": {"method": "GET", "target": "/oauth/authorize?client_id=stopped_app"}, "expect": {"outcome": "pass"}}]"#,
    );
    let output = run(&["test", "--policy", &policy(), &cases], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("outcome: expected Pass, got Refuse"), "{}", text(&output.stdout));
    let empty = file("empty.json", "[]");
    assert_eq!(run(&["test", "--policy", &policy(), &empty], "").status.code(), Some(1), "no case is no proof");
}

/// The commands in the README print what the README says.
#[test]
fn the_readme_shows_what_the_command_prints() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    let block = readme.split("```console\n$ tpc-gate check").nth(1).unwrap().split("```").next().unwrap();
    let mut shown = 0;
    for example in format!(" check{}", block.strip_prefix(" check").unwrap_or(block)).replace("\n$ tpc-gate", "\n\0").split('\0')
    {
        let (command, rest) = example.trim_start().split_once('\n').unwrap();
        let (command, input, expected) = match command.split_once(" <<'END'") {
            Some((command, _)) => {
                let (input, expected) = rest.split_once("\nEND\n").unwrap();
                (command, format!("{input}\n"), expected)
            }
            None => (command, String::new(), rest),
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_tpc-gate"));
        child.args(command.split(' ')).current_dir(root).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = child.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stdout).trim(), expected.trim(), "{command}");
        shown += 1;
    }
    assert_eq!(shown, 3);
}

#[test]
fn the_policy_in_the_readme_is_valid() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let document = readme.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let output = run(&["check", "--policy", &file("readme.json", document)], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}
