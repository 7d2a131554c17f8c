//! That the host holds requests is proved, not believed (design, decision 17).

use std::io::{BufReader, Write};
use std::time::{Duration, Instant};

use crate::{EXCHANGE, FIRST_PARTY, Rig, configuration, request, wire};

const READY: &str = "/.well-known/tpc-gate/ready";

#[test]
fn a_host_that_holds_is_proved_by_a_request_with_a_body() {
    let rig = Rig::of("default");
    let before = wire::get(rig.envoy.port, READY);
    assert_eq!((before.status, before.text().contains("POST one here")), (503, true), "{}", before.text());
    assert_eq!(rig.post(READY, "x").status, 200);
    assert_eq!(wire::get(rig.envoy.port, READY).status, 200);
    assert_eq!(rig.arrived(), [], "the gate itself answers");
}

#[test]
fn any_body_is_the_proof_and_every_worker_knows() {
    let rig = Rig::with(&configuration("default"), |setup| setup.workers = 2);
    assert_eq!(rig.post("/oauth/token", FIRST_PARTY).status, 200);
    for _ in 0..20 {
        assert_eq!(wire::get(rig.envoy.port, READY).status, 200);
    }
}

#[test]
fn without_the_flag_nothing_passes_and_the_gate_says_so() {
    let rig = Rig::with(&configuration("default"), |setup| setup.holds = false);
    let port = rig.envoy.port;
    std::thread::scope(|scope| {
        for (target, body) in [("/oauth/token", EXCHANGE), ("/oauth/token", FIRST_PARTY), (READY, "x")] {
            scope.spawn(move || {
                let begin = Instant::now();
                let response = wire::post(port, target, body);
                assert_eq!(response.status, 503, "{target}: {}", response.text());
                assert_eq!(response.violation().as_deref(), Some("request-not-held"), "{target}");
                assert!(begin.elapsed() < Duration::from_millis(6500), "{target}: {:?}", begin.elapsed());
            });
        }
    });
    assert_eq!(rig.arrived(), []);
    assert_eq!(wire::get(port, READY).status, 503);
    assert!(rig.envoy.log().contains("allow_on_headers_stop_iteration"), "{}", rig.envoy.log());
    // What needs no body is judged all the same.
    let refused = rig.send(&request("GET", "/oauth/authorize?client_id=tpc_native01", None));
    assert_eq!(refused.status, 400);
}

#[test]
fn a_client_that_never_sends_its_body_makes_nothing_unready() {
    let rig = Rig::of("default");
    assert_eq!(rig.post(READY, "x").status, 200);
    let mut stream = wire::connect(rig.envoy.port);
    stream.write_all(b"POST /oauth/token HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n").unwrap();
    let response = wire::read_response(&mut BufReader::new(stream), false);
    assert_eq!(response.violation().as_deref(), Some("request-not-held"));
    assert_eq!(rig.arrived(), []);
    assert_eq!(wire::get(rig.envoy.port, READY).status, 200, "still ready");
    assert_eq!(rig.post("/oauth/token", EXCHANGE).status, 200, "and still serving");
    assert!(!rig.envoy.log().contains("allow_on_headers_stop_iteration"));
}

#[test]
fn a_slow_client_is_waited_for() {
    let rig = Rig::of("default");
    let mut stream = wire::connect(rig.envoy.port);
    let (first, rest) = FIRST_PARTY.split_at(9);
    write!(stream, "POST /oauth/token HTTP/1.1\r\nhost: h\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{first}", FIRST_PARTY.len())
        .unwrap();
    std::thread::sleep(Duration::from_secs(7));
    stream.write_all(rest.as_bytes()).unwrap();
    assert_eq!(wire::read_response(&mut BufReader::new(stream), false).status, 200);
    assert_eq!(rig.arrived()[0].body, FIRST_PARTY);
}

#[test]
fn a_gate_that_observes_lets_go_what_the_host_does_not_hold() {
    let settings = configuration("default").replacen('{', "{\"enforcement\": \"observe\",", 1);
    let rig = Rig::with(&settings, |setup| setup.holds = false);
    let begin = Instant::now();
    assert_eq!(rig.post("/oauth/token", FIRST_PARTY).status, 200);
    assert!(begin.elapsed() < Duration::from_millis(6500), "{:?}", begin.elapsed());
    assert_eq!(rig.arrived()[0].body, FIRST_PARTY);
    assert_eq!(rig.envoy.stat("observed.rule.request-not-held"), 1);
    assert_eq!(rig.post(READY, "x").violation().as_deref(), Some("request-not-held"), "it is not ready for all that");
    assert!(rig.envoy.log().contains("allow_on_headers_stop_iteration"), "{}", rig.envoy.log());
}
