//! `scripts/bench`: what the gate costs, side by side in one run on one machine.
//!
//! Envoy with no filter, with a wasm filter that does nothing, and with the gate,
//! in turn, slice by slice, so that a machine that drifts drifts for all. Ratios
//! are worth quoting; absolute figures are of this machine and this minute.
//!
//! `bench decide KIND COUNT` decides a request COUNT times and does nothing else:
//! run it under an instruction counter.

#![cfg(not(target_arch = "wasm32"))]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a measurement that cannot be made has failed; its figures are small"
)]
#![expect(clippy::disallowed_methods, reason = "what measures time reads a clock")]

#[path = "support/envoy.rs"]
#[expect(dead_code, reason = "the tests of the host do more with it than a measurement")]
mod envoy;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use envoy::{Envoy, Setup};
use tpc_gate_policy::Body;
use tpc_gate_policy::document;
use tpc_gate_policy::gate::Gate;
use tpc_gate_policy::head::Head;
use tpc_gate_policy::inspection::Inspection;

const CONNECTIONS: usize = 16;
const REQUESTS_PER_SLICE: usize = 4000;

const TOKEN: &str = "client_id=tpc_vbc2Y77hGZfbhkSi7y3gTh&code=k0de&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&\
    grant_type=authorization_code&redirect_uri=https%3A%2F%2Fpartner.example.com%2Fcallback";

const AUTHORIZE: &str = "/oauth/authorize?response_type=code&client_id=tpc_vbc2Y77hGZfbhkSi7y3gTh&\
    redirect_uri=https%3A%2F%2Fpartner.example.com%2Fcallback&scope=read%3Aitems&state=xyzxyzxyzxyz&\
    code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

/// One kind of request.
struct Kind {
    name: &'static str,
    octets: Vec<u8>,
}

fn kinds() -> Vec<Kind> {
    let headers = "host: login.example.com\r\nuser-agent: bench\r\naccept: application/json\r\naccept-language: en\r\ncookie: session=0123456789\r\n";
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\n{headers}\r\n").into_bytes();
    let post = |target: &str, body: &str| {
        format!("POST {target} HTTP/1.1\r\n{headers}content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            .into_bytes()
    };
    vec![
        Kind { name: "other path", octets: get("/account/profile?tab=security") },
        Kind {
            name: "first-party authorize",
            octets: get(
                "/oauth/authorize?response_type=code&client_id=first_portal&redirect_uri=https%3A%2F%2Fours.example%2Fcb&scope=openid&state=xyz",
            ),
        },
        Kind { name: "strict authorize", octets: get(AUTHORIZE) },
        Kind {
            name: "first-party token",
            octets: post("/oauth/token", "grant_type=refresh_token&refresh_token=0123456789abcdef&client_id=first_portal"),
        },
        Kind { name: "strict token", octets: post("/oauth/token", TOKEN) },
    ]
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [decide, kind, count] = arguments.as_slice()
        && decide == "decide"
    {
        self::decide(kind, count.parse().expect("a count"));
        return ExitCode::SUCCESS;
    }
    let rounds: usize = arguments.first().map_or(8, |rounds| rounds.parse().expect("a number of rounds"));
    measure(rounds, arguments.get(1).map_or("", String::as_str));
    ExitCode::SUCCESS
}

/// One Envoy, and what was measured on it.
struct Variant {
    name: &'static str,
    envoy: Envoy,
    /// By kind: requests per second, Envoy CPU microseconds per request, all latencies.
    slices: Vec<Vec<Slice>>,
}

#[derive(Clone, Default)]
struct Slice {
    per_second: f64,
    cpu: f64,
    latencies: Vec<Duration>,
}

/// Measures the kinds of request whose names contain a word.
fn measure(rounds: usize, only: &str) {
    let upstream = start_upstream();
    let mut kinds = kinds();
    kinds.retain(|kind| kind.name.contains(only));
    let noop = envoy::build(&["-p", "tpc-gate-noop"], &envoy::target(), "tpc_gate_noop.wasm");
    let variant = |name, change: &dyn Fn(&mut Setup)| {
        let mut setup = Setup::new(&configuration(), upstream);
        change(&mut setup);
        Variant { name, envoy: Envoy::start(setup), slices: vec![Vec::new(); kinds.len()] }
    };
    let mut variants = [
        variant("no filter", &|setup| setup.settings = None),
        variant("no-op wasm", &|setup| setup.module.clone_from(&noop)),
        variant("tpc-gate", &|_| {}),
    ];
    // Once unmeasured, so that every connection and cache is warm.
    for round in 0..=rounds {
        for (at, kind) in kinds.iter().enumerate() {
            for variant in &mut variants {
                let slice = run_slice(&variant.envoy, kind);
                if round > 0 {
                    variant.slices[at].push(slice);
                }
            }
        }
        eprint_progress(round, rounds);
    }
    println!("{rounds} rounds of {REQUESTS_PER_SLICE} requests on {CONNECTIONS} connections, one Envoy worker; medians");
    for (at, kind) in kinds.iter().enumerate() {
        println!(
            "\n{:<24} {:>9} {:>7} {:>8} {:>8} {:>10} {:>9}",
            kind.name, "req/s", "ratio", "p50 µs", "p99 µs", "CPU µs/req", "d CPU µs"
        );
        let base = variants[0].slices[at].clone();
        for variant in &variants {
            let slices = &variant.slices[at];
            let ratios = slices.iter().zip(&base).map(|(slice, base)| slice.per_second / base.per_second).collect();
            let added = slices.iter().zip(&base).map(|(slice, base)| slice.cpu - base.cpu).collect();
            let mut latencies: Vec<Duration> = slices.iter().flat_map(|slice| slice.latencies.iter().copied()).collect();
            latencies.sort_unstable();
            println!(
                "  {:<22} {:>9.0} {:>7.2} {:>8} {:>8} {:>10.1} {:>+9.1}",
                variant.name,
                median(slices.iter().map(|slice| slice.per_second).collect()),
                median(ratios),
                latencies[latencies.len() / 2].as_micros(),
                latencies[latencies.len() * 99 / 100].as_micros(),
                median(slices.iter().map(|slice| slice.cpu).collect()),
                median(added),
            );
        }
    }
}

#[expect(clippy::print_stderr, reason = "progress belongs on standard error")]
fn eprint_progress(round: usize, rounds: usize) {
    eprintln!("bench: round {round} of {rounds}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A closed loop: each connection sends its next request when it has the answer to the last.
fn run_slice(envoy: &Envoy, kind: &Kind) -> Slice {
    let (port, before, begin) = (envoy.port, envoy.cpu(), Instant::now());
    let latencies: Vec<Duration> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(move || {
                    let mut stream = connect(port);
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let mut latencies = Vec::with_capacity(REQUESTS_PER_SLICE / CONNECTIONS);
                    for _ in 0..REQUESTS_PER_SLICE / CONNECTIONS {
                        let begin = Instant::now();
                        stream.write_all(&kind.octets).unwrap();
                        let status = read_answer(&mut reader);
                        assert_eq!(status, "200", "{}", kind.name);
                        latencies.push(begin.elapsed());
                    }
                    latencies
                })
            })
            .collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    let count = latencies.len() as f64;
    Slice {
        per_second: count / begin.elapsed().as_secs_f64(),
        cpu: envoy.cpu().checked_sub(before).expect("CPU time that only grows").as_secs_f64() * 1e6 / count,
        latencies,
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Reads one answer with a content-length; gives back its status.
fn read_answer(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let length = read_length(reader);
    reader.read_exact(&mut vec![0; length]).unwrap();
    status
}

/// Reads the rest of a head; gives back its content-length.
fn read_length(reader: &mut BufReader<TcpStream>) -> usize {
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            return length;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
}

/// An upstream that does as little as it can.
fn start_upstream() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                stream.set_nodelay(true).unwrap();
                let mut writer = stream.try_clone().unwrap();
                let mut reader = BufReader::new(stream);
                let body =
                    "{\"access_token\":\"0123456789\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"scope\":\"read:items\"}";
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\n";
                let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                    line.clear();
                    let length = read_length(&mut reader);
                    if reader.read_exact(&mut vec![0; length]).is_err() || writer.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

fn configuration() -> String {
    let settings = include_str!("cases/default/settings.json").trim_end().strip_suffix('}').unwrap();
    format!("{settings}, \"policy\": {{\"inline\": {}}}}}", include_str!("cases/default/policy.json"))
}

/// Decides one kind of request many times, as the filter does.
fn decide(kind: &str, count: usize) {
    let loaded = document::load(configuration().as_bytes());
    let gate: Gate = loaded.gate.expect("a gate");
    let kinds = kinds();
    let octets = &kinds.iter().find(|known| known.name == kind).expect("a kind of request").octets;
    let text = std::str::from_utf8(octets).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap().split(' ');
    let mut headers = vec![(":method", words.next().unwrap()), (":path", words.next().unwrap()), (":scheme", "https")];
    headers.extend(lines.map(|line| line.split_once(": ").unwrap()));
    headers[3].0 = ":authority";
    let mut decided = 0;
    for _ in 0..count {
        let head = Head::new(headers.iter().copied());
        let judgement = match gate.inspect(&head, body.is_empty()) {
            Inspection::Await(pending) => pending.complete(&gate, &head, Body::Whole(body.as_bytes())),
            Inspection::Judged(judgement) => *judgement,
            _ => {
                decided += 1;
                continue;
            }
        };
        let effects = judgement.effects(&gate, &head);
        decided += usize::from(std::hint::black_box(effects.counters.len()) < 9);
    }
    assert_eq!(decided, count);
}
