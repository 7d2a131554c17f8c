//! The corpus through a real Envoy.

use tpc_gate_policy::case::{Case, Runner, octets};
use tpc_gate_policy::explanation::Outcome;

use crate::Rig;
use crate::corpus::{self, Folder};
use crate::upstream::{Answer, Recorded};
use crate::wire::{self, Response};

#[test]
fn the_wire_shows_what_each_case_says() {
    let failures: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = corpus::folders().iter().map(|folder| scope.spawn(|| run(folder))).collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

fn run(folder: &Folder) -> Vec<String> {
    let rig = Rig::of(folder.name);
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in folder.cases() {
        if let Some(reason) = case.not.get(&Runner::Envoy) {
            assert!(!reason.is_empty(), "{}: a reason is missing", case.name);
            continue;
        }
        ran += 1;
        rig.upstream.answers(case.upstream.as_ref().map_or_else(Answer::default, |answer| Answer {
            status: answer.status,
            headers: answer.headers.clone(),
            body: octets(&answer.body),
            trailers: answer.trailers.clone(),
        }));
        let response = rig.send(&case.request);
        rig.upstream.answers(Answer::default());
        let arrived = rig.arrived();
        let mut differ = |what: String| failures.push(format!("{}: {}: {what}", folder.name, case.name));
        match case.expect.outcome {
            Outcome::Refuse => refused(&case, &response, &arrived, &mut differ),
            Outcome::Pass => passed(&case, &arrived, &mut differ),
            Outcome::Forward => forwarded(&case, &arrived, &mut differ),
        }
        delivered(&case, &response, &mut differ);
    }
    assert!(ran > 0, "{} has no case for Envoy", folder.name);
    // Decision 22, over all that the corpus sent: no code, verifier, challenge, state or secret.
    let log = rig.envoy.log();
    for secret in ["k0de", "dBjftJeZ4CVP", "E9Melhoa2Owv", "state=", "grant_type=", "dHBjX2NvbmZpZGVudGlhbDAx", "eyJhbGci"] {
        if let Some(line) = log.lines().find(|line| line.contains(secret)) {
            failures.push(format!("{}: the log carries `{secret}`: {line}", folder.name));
        }
    }
    failures
}

/// Answered by the gate, and the upstream saw no octet.
fn refused(case: &Case, response: &Response, arrived: &[Recorded], differ: &mut impl FnMut(String)) {
    if !arrived.is_empty() {
        differ(format!("the upstream got {arrived:?}"));
    }
    if let Some(Some(status)) = case.expect.status
        && response.status != status
    {
        differ(format!("status: expected {status}, got {}: {}", response.status, response.text()));
    }
    let first = case.expect.violations.as_ref().and_then(|violations| violations.first()).cloned().unwrap_or_default();
    let is_page = response.header("content-type") == Some("text/html; charset=utf-8");
    if is_page {
        if !response.text().contains(&format!("<code>{first}</code>")) {
            differ(format!("the page does not name `{first}`"));
        }
    } else if response.status != 303 && case.request.method != "HEAD" && response.violation().as_deref() != Some(first.as_str()) {
        differ(format!("violation: expected {first}, got {}", response.text()));
    }
    // Nothing of the request comes back, whatever it was.
    if response.text().contains("<script>") || response.text().contains("evil.example") {
        differ("the answer echoes the request".to_owned());
    }
}

/// Arrived as it was sent.
fn passed(case: &Case, arrived: &[Recorded], differ: &mut impl FnMut(String)) {
    let [request] = arrived else { return differ(format!("one request expected upstream, got {arrived:?}")) };
    let sent = &case.request;
    if (&request.method, &request.target) != (&sent.method, &sent.target) {
        differ(format!("the upstream got {} {}", request.method, request.target));
    }
    if octets(&request.body) != sent.octets() {
        differ(format!("the upstream got the body {:?}", request.body));
    }
    for (name, value) in &sent.headers {
        let is_hop_by_hop = matches!(name.as_str(), "connection");
        let arrived_as_sent = request
            .headers
            .iter()
            .any(|(known, arrived)| known == name && (arrived == value || arrived.split(',').any(|one| one == value)));
        if !is_hop_by_hop && !arrived_as_sent {
            differ(format!("the upstream did not get `{name}: {value}`: {:?}", request.headers));
        }
    }
}

/// Arrived in the canonical form, with a length that is right.
fn forwarded(case: &Case, arrived: &[Recorded], differ: &mut impl FnMut(String)) {
    let [request] = arrived else { return differ(format!("one request expected upstream, got {arrived:?}")) };
    let Some(expected) = &case.expect.forwards else { return differ("the case says no `forwards`".to_owned()) };
    if expected.target.as_ref().is_some_and(|target| *target != request.target) {
        differ(format!("the upstream got the target {}", request.target));
    }
    let body = expected.body.clone().unwrap_or_default();
    if body != request.body {
        differ(format!("the upstream got the body {:?}", request.body));
    }
    if let Some(length) = request.header("content-length")
        && length != body.len().to_string()
    {
        differ(format!("content-length {length} for {} octets", body.len()));
    }
    for (name, value) in &expected.headers {
        if request.header(name) != value.as_deref() {
            differ(format!("the upstream got {name}: {:?}", request.header(name)));
        }
    }
}

/// What the client gets back.
fn delivered(case: &Case, response: &wire::Response, differ: &mut impl FnMut(String)) {
    let Some(expected) = &case.delivered else { return };
    if response.status != expected.status {
        differ(format!("delivered status: expected {}, got {}", expected.status, response.status));
    }
    if let Some(body) = &expected.body
        && octets(body) != response.body
    {
        differ(format!("delivered body: expected {body}, got {}", response.text()));
    }
    for (name, value) in &expected.headers {
        // A chunked answer has no length.
        let is_chunked = name == "content-length" && response.header("transfer-encoding").is_some();
        if !is_chunked && response.header(name) != value.as_deref() {
            differ(format!("delivered {name}: expected {value:?}, got {:?}", response.header(name)));
        }
    }
}
