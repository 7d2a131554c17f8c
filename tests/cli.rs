//! The command line: its exit codes, its words, its JSON.

#![cfg(test)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

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
    let message = found["faults"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("not in this build: ") && message.contains("sealed transactions"), "{message}");
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
    let strict_only: Vec<&str> =
        messages(&found, "warnings").into_iter().filter(|message| message.contains("strict only")).collect();
    assert!(
        matches!(strict_only.as_slice(), [one] if one.contains("`partner-portal` is strict only by this entry")),
        "{strict_only:?}"
    );
}

fn messages<'f>(found: &'f Value, kind: &str) -> Vec<&'f str> {
    found[kind].as_array().unwrap().iter().map(|finding| finding["message"].as_str().unwrap()).collect()
}

/// Where a policy does not do what its writer thinks.
#[test]
fn what_its_writer_may_not_mean_is_a_warning() {
    let document = file(
        "meant.json",
        r#"{"format": 1, "revision": 1,
 "resource_servers": [{"identifier": "https://api.example", "scopes": [{"value": "read"}]}],
 "clients": [
  {"client_id": "tpc_a", "callbacks": ["http://127.0.0.1/cb"]},
  {"client_id": "tpc_b", "grant_types": ["client_credentials"]},
  {"client_id": "tpc_c"},
  {"client_id": "tpc_d", "callbacks": ["https://d.example/LONG"], "upstream_client_id": "d", "token_endpoint_auth_method": "private_key_jwt"}],
 "client_grants": [
  {"default_for": "third_party_clients", "audience": "https://api.example", "scope": ["write"]},
  {"default_for": "third_party_clients", "audience": "https://api.example", "scope": ["read"], "subject_type": "user"},
  {"client_id": "tpc_nobody", "audience": "https://api.example", "scope": [], "subject_type": "client"}]}"#
            .replace("LONG", &"x".repeat(2100))
            .as_str(),
    );
    let output = run(&["check", "--policy", &document, "--format", "json"], "");
    assert_eq!(output.status.code(), Some(0), "warnings alone are fine: {}", text(&output.stdout));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let all = messages(&found, "warnings").join("\n");
    for expected in [
        "without `subject_type` a grant is for `client` and does nothing for logins",
        "the API does not define the scope `write`",
        "`tpc_nobody` is no client of the document",
        "the port of the callback `http://127.0.0.1/cb` is compared",
        "`tpc_b` is a public client: `client_credentials` is refused",
        "`tpc_c` has no callback that can match",
        "is longer than `limits.redirect_uri`: it can never match",
        "an assertion names the client itself",
        "no access policy for `user` and `client`",
        "lists no `connections`",
    ] {
        assert!(all.contains(expected), "{expected}:\n{all}");
    }
}

#[test]
fn audiences_are_not_only_reported_while_two_apis_share_a_scope() {
    let settings = file("report.json", r#"{"issuer":"https://login.example.com","token_audience":"report","pkce":"upstream"}"#);
    let document = |second: &str| {
        file(
            "shared.json",
            &format!(
                r#"{{"format":1,"revision":1,"resource_servers":[{{"identifier":"a","scopes":[{{"value":"read"}}]}},{{"identifier":"b","scopes":[{{"value":"{second}"}}]}}],"clients":[]}}"#
            ),
        )
    };
    let check = |document: &str| run(&["check", "--policy", document, "--settings", &settings, "--format", "json"], "");
    let shared = check(&document("read"));
    assert_eq!(shared.status.code(), Some(1));
    assert!(text(&shared.stdout).contains("more than one defines `read`"), "{}", text(&shared.stdout));
    let apart = check(&document("read:b"));
    assert_eq!(apart.status.code(), Some(0), "{}", text(&apart.stdout));
    let found: Value = serde_json::from_slice(&apart.stdout).unwrap();
    assert_eq!(found["relaxed"], json!(["token_audience: report", "pkce: upstream"]));
}

#[test]
fn an_alias_is_one_clients_own() {
    for (clients, pointer) in [
        (r#"[{"client_id":"tpc_a","upstream_client_id":"x"},{"client_id":"tpc_b","upstream_client_id":"x"}]"#, "/clients/1"),
        (r#"[{"client_id":"tpc_a","upstream_client_id":"portal"},{"client_id":"portal"}]"#, "/clients/0"),
        (r#"[{"client_id":"tpc_a","upstream_client_id":"tpc_a"}]"#, "/clients/0"),
        (r#"[{"client_id":"tpc_a","upstream_client_id":"a b"}]"#, "/clients/0/upstream_client_id"),
    ] {
        let document = file("alias.json", &format!(r#"{{"format":1,"revision":1,"clients":{clients}}}"#));
        let output = run(&["check", "--policy", &document, "--format", "json"], "");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{clients}");
        assert_eq!(
            (&found["faults"][0]["level"], &found["faults"][0]["pointer"]),
            (&json!("document"), &json!(pointer)),
            "{clients}"
        );
    }
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
        let own = folder.path().join("policy.json");
        let policy = if own.exists() { path("policy.json") } else { policy() };
        let mut arguments =
            vec!["test".to_owned(), "--policy".to_owned(), policy, "--settings".to_owned(), path("settings.json")];
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

/// A folder that is not there yet.
fn new_folder(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    (listener, authority)
}

/// Reads the head of a request; its path.
fn read_path(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        if stream.read(&mut octet).unwrap_or_default() == 0 {
            break;
        }
        head.extend_from_slice(&octet);
    }
    text(&head).split(' ').nth(1).unwrap_or_default().to_owned()
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn redirect(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Stands in for an identity provider: answers each path with the octets that it is given for it, and 404 elsewhere.
fn serve(listener: TcpListener, answers: Vec<(String, String)>) -> Arc<Mutex<Vec<String>>> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let record = asked.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            let path = read_path(&mut stream);
            let answer = answers.iter().find(|(at, _)| *at == path).map_or(NOT_FOUND, |(_, answer)| answer);
            record.lock().unwrap().push(path);
            // A client that has read enough goes away.
            let _gone = stream.write_all(answer.as_bytes());
        }
    });
    asked
}

/// The metadata of an identity provider with everything.
fn metadata(issuer: &str, at: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{at}/oauth/authorize"),
        "token_endpoint": format!("{at}/oauth/token"),
        "registration_endpoint": format!("{at}/oauth/register"),
        "device_authorization_endpoint": format!("{at}/oauth/device"),
        "pushed_authorization_request_endpoint": "https://par.example.com/par",
        "userinfo_endpoint": format!("{at}/userinfo"),
        "end_session_endpoint": format!("{at}/log%6fut"),
        "code_challenge_methods_supported": ["S256"],
    })
}

const RFC_8414: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// Runs `init` against an identity provider on loopback, whose answers may speak of its issuer.
fn init(name: &str, path: &str, answers: impl Fn(&str) -> Vec<(&'static str, String)>) -> (Output, String, Vec<String>, String) {
    let (listener, authority) = listener();
    let issuer = format!("http://{authority}{path}");
    let answers = answers(&issuer).into_iter().map(|(at, answer)| (at.to_owned(), answer)).collect();
    let asked = serve(listener, answers);
    let folder = new_folder(name);
    let output = run(&["init", "--issuer", &issuer, "-o", &folder], "");
    let asked = asked.lock().unwrap().clone();
    (output, folder, asked, issuer)
}

fn read_json(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn first_documents_are_drafted_from_metadata_and_pass_the_check() {
    let (output, folder, asked, issuer) =
        init("init-whole", "", |issuer| vec![(OPENID, ok(&metadata(issuer, issuer).to_string()))]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(asked, [RFC_8414, OPENID]);
    let (settings, policy) = (format!("{folder}/settings.json"), format!("{folder}/policy.json"));
    let mut written = read_json(&settings);
    // What is learnt comes first; what `generic` closes stays closed.
    for (list, well_known) in [("registration", "/connect/register"), ("refused", "/passwordless/{}")] {
        let paths = written["endpoints"][list].as_array_mut().unwrap();
        assert!(paths.contains(&json!(well_known)), "{list}: {paths:?}");
        paths.truncate(if list == "refused" { 2 } else { 1 });
    }
    let expected = json!({
        "issuer": issuer, "idp": "generic", "danger_allow_http": true,
        "endpoints": {"authorization": ["/oauth/authorize"], "token": ["/oauth/token"],
            "registration": ["/oauth/register"], "refused": ["/oauth/device", "/userinfo"]},
    });
    assert_eq!(written, expected);
    for said in [
        "wrote ",
        "PKCE: S256 is claimed, which is no proof",
        "another host: `pushed_authorization_request_endpoint` is `https://par.example.com/par`",
        "not learnt: `end_session_endpoint` is ",
        "danger_allow_http",
        "consent: ",
        "audience: ",
        "APIs: ",
        "clients: ",
    ] {
        assert!(text(&output.stdout).contains(said), "{said}: {}", text(&output.stdout));
    }
    let check = run(&["check", "--policy", &policy, "--settings", &settings, "--format", "json"], "");
    assert_eq!(check.status.code(), Some(0), "{}", text(&check.stdout));
    let found: Value = serde_json::from_slice(&check.stdout).unwrap();
    assert_eq!(found, json!({"faults": [], "warnings": [], "danger": ["danger_allow_http"], "relaxed": []}));
    for list in ["resource_servers", "clients", "client_grants", "connections"] {
        assert_eq!(read_json(&policy)[list], json!([]), "{list}");
    }
}

#[test]
fn the_example_in_the_first_policy_is_a_policy_once_it_is_copied() {
    let (_, folder, _, _) = init("init-example", "", |issuer| vec![(OPENID, ok(&json!({"issuer": issuer}).to_string()))]);
    let mut policy = read_json(&format!("{folder}/policy.json"));
    let example = policy.as_object_mut().unwrap().remove("x_example").unwrap();
    for (name, value) in example.as_object().unwrap() {
        policy[name] = value.clone();
    }
    let output = run(&["check", "--policy", &file("example.json", &policy.to_string())], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn the_metadata_of_an_issuer_with_a_path_is_found_in_all_its_places() {
    let places = [
        "/.well-known/oauth-authorization-server/realms/a",
        "/.well-known/openid-configuration/realms/a",
        "/realms/a/.well-known/openid-configuration",
    ];
    for (at, place) in places.into_iter().enumerate() {
        let (output, folder, asked, _) =
            init(&format!("init-path-{at}"), "/realms/a", |issuer| vec![(place, ok(&metadata(issuer, issuer).to_string()))]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(asked, places);
        assert_eq!(read_json(&format!("{folder}/settings.json"))["endpoints"]["token"], json!(["/realms/a/oauth/token"]));
        assert!(text(&output.stdout).contains("other issuers: "), "{}", text(&output.stdout));
    }
}

#[test]
fn both_documents_are_read_and_the_first_wins() {
    let (output, folder, _, _) = init("init-both", "", |issuer| {
        let first = json!({"issuer": issuer, "token_endpoint": format!("{issuer}/first/token")});
        vec![(RFC_8414, ok(&first.to_string())), (OPENID, ok(&metadata(issuer, issuer).to_string()))]
    });
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let endpoints = &read_json(&format!("{folder}/settings.json"))["endpoints"];
    assert_eq!(endpoints["token"], json!(["/first/token"]));
    assert_eq!(endpoints["authorization"], json!(["/oauth/authorize"]));
    assert!(text(&output.stdout).contains("disagreement: `token_endpoint`"), "{}", text(&output.stdout));
}

#[test]
fn metadata_of_another_issuer_is_never_used() {
    for other in ["/", "/x"] {
        let (output, folder, _, issuer) =
            init("init-other", "", |issuer| vec![(RFC_8414, ok(&metadata(&format!("{issuer}{other}"), issuer).to_string()))]);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.contains(&format!("`{issuer}`, and names `{issuer}{other}` (RFC 8414 §3.3)")), "{said}");
        assert!(!std::fs::exists(folder).unwrap());
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn an_answer_that_is_no_metadata_is_told_by_address() {
    let large = metadata(&"x".repeat(300 << 10), "").to_string();
    for (answer, said) in [
        (NOT_FOUND.to_owned(), "  answered 404\n"),
        (ok("<html>"), "  answered 200, and is not JSON\n"),
        (ok("{}"), "  answered 200, and is JSON, but names no `issuer`\n"),
        (ok(&large), "  answered with more than 256 KiB\n"),
        (
            redirect("https://login.example.com/x"),
            "  answered 302, a redirect elsewhere: only a redirect at the same host is followed\n",
        ),
        (redirect(RFC_8414), "  redirected more than 3 times\n"),
        ("nonsense".to_owned(), "  cannot be read: "),
        (String::new(), "  cannot be read: "),
    ] {
        let (output, folder, _, issuer) = init("init-nothing", "", |_| vec![(RFC_8414, answer.clone())]);
        assert_eq!(output.status.code(), Some(1));
        let words = text(&output.stderr);
        assert!(words.contains(&format!("reading {issuer}{RFC_8414}\n{said}")), "{said}: {words}");
        assert!(words.contains(&format!("reading {issuer}{OPENID}\n  answered 404\n")), "{words}");
        assert!(words.contains("compare it with the `iss` of a token"), "{words}");
        assert!(!std::fs::exists(folder).unwrap());
    }
    // A port that was just free: nobody listens there.
    let (listener, authority) = listener();
    drop(listener);
    let output = run(&["init", "--issuer", &format!("http://{authority}"), "-o", &new_folder("init-nobody")], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("nothing listens there"), "{}", text(&output.stderr));
}

#[test]
fn a_redirect_at_the_same_host_is_followed() {
    let (output, folder, asked, _) = init("init-redirect", "", |issuer| {
        vec![
            (OPENID, redirect("/moved")),
            ("/moved", redirect(&format!("{issuer}/again"))),
            ("/again", ok(&metadata(issuer, issuer).to_string())),
        ]
    });
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(asked, [RFC_8414, OPENID, "/moved", "/again"]);
    assert!(std::fs::exists(format!("{folder}/policy.json")).unwrap());
}

#[test]
fn a_file_that_is_there_is_never_overwritten_unless_it_is_said() {
    let (listener, authority) = listener();
    let issuer = format!("http://{authority}");
    let asked = serve(listener, vec![(RFC_8414.to_owned(), ok(&metadata(&issuer, &issuer).to_string()))]);
    for there in ["settings.json", "policy.json"] {
        let folder = new_folder("init-there");
        std::fs::create_dir_all(&folder).unwrap();
        let path = format!("{folder}/{there}");
        std::fs::write(&path, "mine").unwrap();
        let output = run(&["init", "--issuer", &issuer, "--dir", &folder], "");
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(&format!("{path} is there already")), "{}", text(&output.stderr));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "the other file is not written either");
        assert!(asked.lock().unwrap().is_empty(), "and nobody is asked");
        let output = run(&["init", "--issuer", &issuer, "--output", &folder, "--force"], "");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_ne!(std::fs::read_to_string(&path).unwrap(), "mine");
        asked.lock().unwrap().clear();
    }
}

#[test]
fn the_folder_is_the_one_where_it_runs_unless_another_is_named() {
    let (listener, authority) = listener();
    let issuer = format!("http://{authority}");
    serve(listener, vec![(RFC_8414.to_owned(), ok(&metadata(&issuer, &issuer).to_string()))]);
    let folder = new_folder("init-here");
    std::fs::create_dir_all(&folder).unwrap();
    let init = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tpc-gate"));
        command.args(["init", "--issuer", &issuer]).args(arguments).current_dir(&folder).output().unwrap()
    };
    assert_eq!(init(&[]).status.code(), Some(0));
    assert!(std::fs::exists(format!("{folder}/settings.json")).unwrap());
    // A file is no folder.
    assert_eq!(init(&["-o", "settings.json/x"]).status.code(), Some(2));
}

#[test]
fn wrong_usage_of_init_asks_nobody() {
    for arguments in [
        &["init"][..],
        &["init", "--issuer", "login.example.com"],
        &["init", "--issuer", "http://login.example.com"],
        &["init", "--issuer", "https://login.example.com?x=1"],
        &["init", "--issuer", "https://login.example.com", "--ca", "/nowhere/ca.pem", "-o", "/nowhere"],
        &[
            "init",
            "--issuer",
            "https://login.example.com",
            "--ca",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
            "-o",
            "/nowhere",
        ],
    ] {
        let output = run(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(!text(&output.stderr).contains("reading"), "{}", text(&output.stderr));
    }
}

/// An identity provider with a certificate of a private CA; the CA, as a file.
fn serve_tls(listener: TcpListener, name: &str, body: String) -> String {
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = rcgen::CertifiedIssuer::self_signed(ca, rcgen::KeyPair::generate().unwrap()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming().map(Result::unwrap) {
            let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(config.clone()).unwrap(), stream);
            let path = read_path(&mut stream);
            // A client that does not trust us never asks.
            if !path.is_empty() {
                let answer = if path == OPENID { ok(&body) } else { NOT_FOUND.to_owned() };
                stream.write_all(answer.as_bytes()).unwrap();
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
        }
    });
    file(&format!("ca-{name}.pem"), &ca.pem())
}

#[test]
fn certificates_are_verified_against_public_roots_or_the_named_ca() {
    let (first, authority) = listener();
    let issuer = format!("https://{authority}");
    let ca = serve_tls(first, "127.0.0.1", metadata(&issuer, &issuer).to_string());
    let (second, authority) = listener();
    let of_another_name = format!("https://{authority}");
    let its_ca = serve_tls(second, "login.example.com", metadata(&of_another_name, &of_another_name).to_string());
    for (issuer, more, code) in [
        (&issuer, &["--ca", &*ca][..], 0),
        (&issuer, &[], 1),
        (&issuer, &["--ca", &its_ca], 1),
        (&of_another_name, &["--ca", &its_ca], 1),
    ] {
        let folder = new_folder("init-tls");
        let output = run(&[&["init", "--issuer", issuer, "-o", &folder][..], more].concat(), "");
        assert_eq!(output.status.code(), Some(code), "{more:?}: {}", text(&output.stderr));
        if code == 0 {
            assert_eq!(read_json(&format!("{folder}/settings.json")).get("danger_allow_http"), None);
        } else {
            assert!(text(&output.stderr).contains("certificate is not trusted"), "{}", text(&output.stderr));
        }
    }
}
