//! What is forwarded for a strict client reads the same for the parsers that
//! servers have: Node's, `qs`, Python's.
//!
//! `scripts/test` installs `qs` below `target`, then `cargo test --test parsers`.

#![cfg(test)]
#![cfg(not(target_arch = "wasm32"))]

#[path = "parsers/requests.rs"]
mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use requests::{ASCII, EXTRAS, PRINTABLE, Random, Request, TOKEN, authorization, token};
use serde_json::{Value, json};
use tpc_gate_policy::Body;
use tpc_gate_policy::decision::Decision;
use tpc_gate_policy::document;
use tpc_gate_policy::gate::Gate;
use tpc_gate_policy::head::Head;
use tpc_gate_policy::inspection::Inspection;

#[test]
fn what_is_forwarded_reads_the_same_for_every_parser() {
    let gate = gate();
    let mut random = Random(0x7470_635f_6761_7465);
    let mut beyond_ascii = 0_usize;
    for request in [authorization, token] {
        let all: Vec<Forwarded> = (0..REQUESTS).filter_map(|_| forwarded(&gate, request(&mut random))).collect();
        // Where little is forwarded, or nothing but what is tame, little is proved.
        assert!(all.len() * 3 > REQUESTS, "{} of {REQUESTS} were forwarded", all.len());
        for piece in PRINTABLE.split("").chain(ASCII.iter().copied()) {
            let occurs = all.iter().any(|forwarded| forwarded.expect.values().any(|value| value.contains(piece)));
            assert!(occurs, "no forwarded value has `{piece}`");
        }
        let is_beyond = |forwarded: &&Forwarded| forwarded.expect.values().any(|value| !value.is_ascii());
        beyond_ascii = beyond_ascii.saturating_add(all.iter().filter(is_beyond).count());
        let raws: Vec<&str> = all.iter().map(|forwarded| forwarded.raw.as_str()).collect();
        let disagreements: Vec<String> = all
            .iter()
            .zip(readings(&raws))
            .filter_map(|(forwarded, readings)| disagreement(forwarded, &readings).err())
            .collect();
        let some = disagreements.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("\n");
        assert!(disagreements.is_empty(), "{} of {}, of which:\n{some}", disagreements.len(), all.len());
    }
    assert!(beyond_ascii > 100, "{beyond_ascii} had more than ASCII");
}

/// Each reader can dissent: were one of these forwarded, the test above would fail by it.
#[test]
fn a_parser_that_reads_otherwise_is_noticed() {
    let many = ["resource=x"; 21].join("&");
    let dissents = [
        ("state=x;scope=y", "qs", "qs delimiter"),
        ("state=x;scope=y", "parse_qsl", "parse_qsl semicolon"),
        ("state=x,y", "qs", "qs comma"),
        ("state=x&b.c=d", "qs", "qs allowDots"),
        ("state=x&b[c]=d", "querystring", "qs"),
        ("state=x&hasOwnProperty=y", "qs", "qs allowPrototypes"),
        ("state=x&__proto__=y", "querystring", "qs"),
        ("utf8=%26%2310003%3B&state=%26%23116%3B", "qs", "qs charsetSentinel"),
        ("state=%E9", "querystring", "qs"),
        ("state=x#y", "URLSearchParams", "URL"),
        ("?state=x", "URLSearchParams", "querystring"),
        ("state=x&scope=", "parse_qs", "parse_qs keep_blank_values"),
        ("state=x&scope", "parse_qsl", "parse_qs strict_parsing"),
        // More than 20 are no list for `qs`.
        (&many, "querystring", "qs"),
    ];
    let raws: Vec<&str> = dissents.iter().map(|(raw, ..)| *raw).collect();
    for ((raw, one, other), readings) in dissents.iter().zip(readings(&raws)) {
        assert_ne!(readings[*one], readings[*other], "{one} and {other} read {raw} alike");
        let forwarded = Forwarded { raw: (*raw).to_owned(), expect: BTreeMap::new() };
        assert!(disagreement(&forwarded, &readings).is_err(), "{raw}");
    }
    let dissenters: BTreeSet<&str> = dissents.iter().flat_map(|(_, one, other)| [*one, *other]).collect();
    assert!(readings(&["state=x"])[0].keys().eq(&dissenters), "each parser has its line: {dissenters:?}");
}

#[test]
fn a_value_that_changed_is_noticed() {
    let line = |raw: &str| {
        let expect = BTreeMap::from([("state", "a b".to_owned())]);
        disagreement(&Forwarded { raw: raw.to_owned(), expect }, &readings(&[raw])[0])
    };
    assert_eq!(line("scope=x&state=a%20b"), Ok(()));
    assert!(line("state=a%2Bb").is_err_and(|message| message.contains("`state`")));
    assert!(line("state=a b").is_err_and(|message| message.contains("ASCII")));
    assert!(line("scope=x").is_err_and(|message| message.contains("`state`")));
    assert!(line("state=a%20b&state=a%20b").is_err_and(|message| message.contains("`state`")));
    assert!(line("state=a%20b&length=0").is_err_and(|message| message.contains("`length`")));
}

/// What the gate let through.
struct Forwarded {
    raw: String,
    expect: BTreeMap<&'static str, String>,
}

/// The values of each name, as one parser reads them.
type Reading = BTreeMap<String, Value>;

fn gate() -> Gate {
    let settings = document::load_settings(include_bytes!("cases/default/settings.json")).0.unwrap();
    let policy = document::load_policy(include_bytes!("cases/default/policy.json"), &settings).0.unwrap();
    Gate { settings, policy }
}

fn forwarded(gate: &Gate, request: Request) -> Option<Forwarded> {
    let at_token = request.endpoint == TOKEN;
    let target =
        if at_token { request.endpoint.as_bytes().to_vec() } else { [request.endpoint.as_bytes(), b"?", &request.form].concat() };
    let lines: [(&str, &[u8]); 4] = [
        (":method", if at_token { b"POST" } else { b"GET" }),
        (":path", &target),
        (":scheme", b"https"),
        (":authority", b"login.example.com"),
    ];
    let headers = request.headers.iter().map(|&(name, value)| (name, value.as_bytes()));
    let head = Head::new(lines.into_iter().chain(headers));
    let decision = match gate.inspect(&head, !at_token) {
        Inspection::Judged(judgement) => judgement.decision,
        Inspection::Await(pending) => pending.complete(gate, &head, Body::Whole(&request.form)).decision,
        other => panic!("a strict client got by: {other:?}"),
    };
    let raw = match decision {
        Decision::Forward(forwarding) => match forwarding.body() {
            Some(body) => body,
            None => forwarding.target().split_once('?').unwrap().1.to_owned(),
        },
        Decision::Refuse(_) => return None,
        Decision::Pass => panic!("a strict client passed"),
    };
    Some(Forwarded { raw, expect: request.expect })
}

/// How every parser reads each line.
fn readings(raws: &[&str]) -> Vec<BTreeMap<String, Reading>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = root.join("target/tools/parsers");
    assert!(tools.join("node_modules/qs").is_dir(), "`qs` is not installed; `scripts/test` installs it");
    let input = raws.iter().map(|raw| json!({ "raw": raw }).to_string()).collect::<Vec<_>>().join("\n");
    let node = read(Command::new("node").arg(root.join("tests/parsers/read.mjs")).arg(tools), &input);
    let python = read(Command::new("python3").arg(root.join("tests/parsers/read.py")), &input);
    assert_eq!((node.len(), python.len()), (raws.len(), raws.len()));
    node.into_iter().zip(python).map(|(node, python)| node.into_iter().chain(python).collect()).collect()
}

/// The readers take all of their input before they answer, so no pipe is ever full on both sides.
fn read(command: &mut Command, input: &str) -> Vec<BTreeMap<String, Reading>> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node and Python are needed");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    std::str::from_utf8(&output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Holds the readings against each other, and against what was sent.
fn disagreement(forwarded: &Forwarded, readings: &BTreeMap<String, Reading>) -> Result<(), String> {
    let Forwarded { raw, expect } = forwarded;
    // Servers read the octets of a request as Latin-1, as UTF-8, or not at all.
    if !raw.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(format!("{raw}\n  is not plain ASCII"));
    }
    let (first, reading) = readings.first_key_value().unwrap();
    for (parser, other) in readings {
        if other != reading {
            return Err(format!("{raw}\n  {first}: {reading:?}\n  {parser}: {other:?}"));
        }
    }
    for (name, value) in expect {
        // Not every gate forwards it.
        let is_gone = *name == "correlation_id" && !reading.contains_key(*name);
        if !is_gone && reading.get(*name) != Some(&json!([value])) {
            return Err(format!("{raw}\n  `{name}` was {value:?} and is {:?}", reading.get(*name)));
        }
    }
    let strangers: BTreeSet<&str> = EXTRAS.iter().map(|(name, _)| *name).collect();
    match reading.keys().find(|name| strangers.contains(name.as_str())) {
        Some(name) => Err(format!("{raw}\n  `{name}` is not a parameter")),
        None => Ok(()),
    }
}

/// At each endpoint.
const REQUESTS: usize = 3000;
