//! Framing: where bodies end, how long they may be, and what may stand in a head.

use std::io::{BufReader, Write};

use tpc_gate_policy::case::{CaseRequest, CaseVersion};

use crate::envoy::{Envoy, Setup};
use crate::upstream::Answer;
use crate::{EXCHANGE, FIRST_PARTY, PASSWORD, Rig, configuration, request, wire};

/// One request in every framing that the protocols have.
fn framings(body: &str) -> Vec<(String, CaseRequest)> {
    let plain = request("POST", "/oauth/token", Some(body));
    let mut framings = vec![("HTTP/1.1 with a length".to_owned(), plain.clone())];
    for (name, chunks) in [("in one chunk", vec![]), ("in two chunks", vec![7]), ("octet by octet", vec![1; body.len()])] {
        framings.push((format!("HTTP/1.1 {name}"), CaseRequest { chunks: Some(chunks.clone()), ..plain.clone() }));
        framings
            .push((format!("HTTP/2 {name}"), CaseRequest { chunks: Some(chunks), version: CaseVersion::Http2, ..plain.clone() }));
    }
    let trailers = vec![("x-client-id".to_owned(), "first_portal".to_owned())];
    framings.push((
        "HTTP/1.1 with trailers".to_owned(),
        CaseRequest { trailers: trailers.clone(), chunks: Some(vec![9]), ..plain.clone() },
    ));
    framings.push(("HTTP/2 with trailers".to_owned(), CaseRequest { trailers, version: CaseVersion::Http2, ..plain }));
    framings
}

#[test]
fn a_body_is_judged_however_it_ends() {
    let rig = Rig::of("default");
    for (framing, request) in framings(PASSWORD) {
        let response = rig.send(&request);
        assert_eq!(response.violation().as_deref(), Some("grant-type-not-allowed"), "{framing}: {}", response.text());
        assert_eq!(rig.arrived(), [], "{framing}");
    }
    for (framing, request) in framings(EXCHANGE) {
        let response = rig.send(&request);
        assert_eq!(response.status, 200, "{framing}: {}", response.text());
        let arrived = rig.arrived();
        assert_eq!(arrived[0].body, EXCHANGE, "{framing}");
        assert_eq!(arrived[0].header("content-length"), Some(EXCHANGE.len().to_string().as_str()), "{framing}");
        assert_eq!(arrived[0].trailers, [], "{framing}: a rebuilt request has no trailers");
    }
    for (framing, request) in framings(FIRST_PARTY) {
        assert_eq!(rig.send(&request).status, 200, "{framing}");
        let arrived = rig.arrived();
        assert_eq!(arrived[0].body, FIRST_PARTY, "{framing}");
        assert_eq!(arrived[0].trailers, request.trailers, "{framing}");
    }
}

#[test]
fn a_request_that_ends_with_its_head_is_judged_there() {
    let rig = Rig::of("default");
    for version in [CaseVersion::Http1, CaseVersion::Http2] {
        let strict = CaseRequest { version, ..request("POST", "/oauth/token?client_id=tpc_native01", None) };
        assert_eq!(rig.send(&strict).violation().as_deref(), Some("media-type-not-form"));
        let empty = CaseRequest { version, ..request("POST", "/oauth/token?client_id=tpc_native01", Some("")) };
        assert_eq!(rig.send(&empty).violation().as_deref(), Some("parameter-in-query"));
        assert_eq!(rig.arrived(), []);
        let first_party = CaseRequest { version, ..request("POST", "/oauth/token", Some("")) };
        assert_eq!(rig.send(&first_party).status, 200);
        let get = CaseRequest { version, ..request("GET", "/oauth/authorize?client_id=first_portal", None) };
        assert_eq!(rig.send(&get).status, 200);
        assert_eq!(rig.arrived().len(), 2);
    }
}

#[test]
fn a_rebuilt_request_leaves_nothing_behind_on_the_connection() {
    let rig = Rig::of("default");
    // Longer and shorter than its canonical form: both would smuggle if the length were wrong.
    for body in [format!("{EXCHANGE}&foo={}", "x".repeat(500)), EXCHANGE.replace("%3A", ":").replace("%2F", "/")] {
        for _ in 0..3 {
            assert_eq!(rig.post("/oauth/token", &body).status, 200);
            let arrived = rig.arrived();
            assert_eq!(arrived.len(), 1, "{arrived:?}");
            assert_eq!(arrived[0].body, EXCHANGE);
        }
    }
}

#[test]
fn a_body_over_the_limit_never_passes_in_any_framing() {
    const LIMIT: usize = 64 * 1024;
    let rig = Rig::of("default");
    let body = |size: usize| format!("{FIRST_PARTY}&x={}", "a".repeat(size - FIRST_PARTY.len() - 3));
    for (size, passes) in [(LIMIT - 1, true), (LIMIT, true), (LIMIT + 1, false), (10 * LIMIT, false)] {
        let plain = request("POST", "/oauth/token", Some(&body(size)));
        let chunked = CaseRequest { chunks: Some(vec![1000, 1, 60_000]), ..plain.clone() };
        let http2 = CaseRequest { version: CaseVersion::Http2, ..chunked.clone() };
        for (framing, request) in [("length", plain), ("chunked", chunked), ("HTTP/2", http2)] {
            let response = rig.send(&request);
            let arrived = rig.arrived();
            if passes {
                assert_eq!((response.status, arrived.len()), (200, 1), "{size} {framing}");
                assert_eq!(arrived[0].body.len(), size);
            } else {
                assert_eq!(response.status, 413, "{size} {framing}: {}", response.text());
                assert_eq!(response.violation().as_deref(), Some("limit-exceeded"), "{size} {framing}");
                assert_eq!(arrived, [], "{size} {framing}");
            }
        }
    }
}

#[test]
fn odd_heads_do_not_trap() {
    let mut rig = Rig::of("default");
    let odd: Vec<(String, String)> =
        ["user-agent", "cookie", "authorization", "content-type", "accept", "x-request-id", "origin"]
            .iter()
            .map(|name| ((*name).to_owned(), "\u{c0}\u{a7}\u{ff}".to_owned()))
            .collect();
    let many: Vec<(String, String)> = (0..90).map(|number| (format!("x-header-{number}"), "v".repeat(100))).collect();
    for version in [CaseVersion::Http1, CaseVersion::Http2] {
        for headers in [odd.clone(), many.clone()] {
            for target in ["/oauth/authorize?client_id=first_portal", "/other"] {
                let request = CaseRequest { headers: headers.clone(), version, ..request("GET", target, None) };
                assert_eq!(rig.send(&request).status, 200, "{version:?} {target}");
            }
            let strict = CaseRequest {
                headers: headers.clone(),
                version,
                ..request("GET", "/oauth/authorize?client_id=tpc_native01", None)
            };
            assert_eq!(rig.send(&strict).status, 400, "{version:?}");
        }
    }
    // A name that is not ASCII never reaches a filter: its getter would trap.
    let raw = wire::exchange(rig.envoy.port, b"GET /other HTTP/1.1\r\nhost: h\r\nx-\xff: 1\r\n\r\n", false);
    assert!(matches!(raw.status, 0 | 400), "{raw:?}");
    assert_eq!(wire::get(rig.envoy.port, "/other").status, 200);
    assert!(rig.envoy.runs() && !rig.envoy.log().contains("[critical]"), "{}", rig.envoy.log());
}

#[test]
fn an_id_token_is_taken_out_of_every_framing_of_an_answer() {
    let body = r#"{"access_token":"a","id_token":"eyJ","token_type":"Bearer","scope":"read:items"}"#;
    let trimmed = r#"{"access_token":"a","token_type":"Bearer","scope":"read:items"}"#;
    let rig = Rig::of("default");
    for trailers in [vec![], vec![("x-checksum".to_owned(), "1".to_owned())]] {
        rig.upstream.answers(Answer { body: body.into(), trailers, ..Answer::default() });
        for version in [CaseVersion::Http1, CaseVersion::Http2] {
            let response = rig.send(&CaseRequest { version, ..request("POST", "/oauth/token", Some(EXCHANGE)) });
            assert_eq!((response.status, response.text().as_str()), (200, trimmed), "{version:?}");
            assert_eq!(response.header("cache-control"), Some("no-store"));
            let framings = ["content-length", "transfer-encoding"].map(|name| response.header(name));
            assert!(version == CaseVersion::Http2 || framings.iter().flatten().count() == 1, "{framings:?}");
        }
    }
    let mut setup = Setup::new(&configuration("default"), wire::http2_upstream(body));
    setup.upstream_is_http2 = true;
    let envoy = Envoy::start(setup);
    for version in [CaseVersion::Http1, CaseVersion::Http2] {
        let response = wire::send(envoy.port, &CaseRequest { version, ..request("POST", "/oauth/token", Some(EXCHANGE)) });
        assert_eq!((response.status, response.text().as_str()), (200, trimmed), "{version:?} from HTTP/2");
        let response = wire::send(envoy.port, &CaseRequest { version, ..request("POST", "/oauth/token", Some(FIRST_PARTY)) });
        assert_eq!(response.text(), body, "a first-party client keeps its ID token");
    }
}

#[test]
fn an_answer_that_is_too_long_is_not_delivered() {
    let rig = Rig::of("default");
    let body = |size: usize| format!(r#"{{"token_type":"Bearer","access_token":"{}"}}"#, "a".repeat(size - 41)).into_bytes();
    for (size, status) in [(256 * 1024, 200), (256 * 1024 + 1, 502), (900 * 1024, 502)] {
        rig.upstream.answers(Answer { body: body(size), ..Answer::default() });
        assert_eq!(rig.post("/oauth/token", EXCHANGE).status, status, "{size}");
        assert_eq!(rig.post("/oauth/token", FIRST_PARTY).body.len(), size, "a first-party answer may be long");
    }
}

#[test]
fn a_client_that_goes_away_leaves_nothing_held() {
    let mut rig = Rig::of("default");
    for _ in 0..20 {
        let mut stream = wire::connect(rig.envoy.port);
        stream.write_all(b"POST /oauth/token HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nclient_id=").unwrap();
        drop(stream);
    }
    // A second request on a connection whose first one was refused before its body came.
    let mut stream = wire::connect(rig.envoy.port);
    stream.write_all(b"POST /oauth/token/ HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\n").unwrap();
    let refused = wire::read_response(&mut BufReader::new(stream), false);
    assert_eq!(refused.violation().as_deref(), Some("path-ambiguous"));
    assert_eq!(rig.arrived(), []);
    assert!(rig.envoy.runs());
}
