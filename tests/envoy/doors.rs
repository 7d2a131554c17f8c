//! Doors: every other way to the identity provider (design, decision 16).

use tpc_gate_policy::case::{CaseRequest, CaseVersion};

use crate::{FIRST_PARTY, Rig, configuration, request, wire};

const STRICT: &str = "grant_type=password&username=a&password=b&client_id=tpc_native01";

#[test]
fn a_form_on_an_unlisted_path_is_judged_however_it_ends() {
    let rig = Rig::of("default");
    let plain = request("POST", "/legacy/token", Some(STRICT));
    let trailers = vec![("x-trailer".to_owned(), "1".to_owned())];
    let framings = [
        plain.clone(),
        CaseRequest { chunks: Some(vec![7, 1]), ..plain.clone() },
        CaseRequest { version: CaseVersion::Http2, ..plain.clone() },
        CaseRequest { version: CaseVersion::Http2, trailers: trailers.clone(), ..plain.clone() },
        CaseRequest { chunks: Some(vec![9]), trailers, ..plain },
    ];
    for request in framings {
        let refused = rig.send(&request);
        assert_eq!(refused.violation().as_deref(), Some("endpoint-unlisted"), "{request:?}: {}", refused.text());
        assert_eq!(rig.arrived(), []);
        let passes = CaseRequest { body: Some(FIRST_PARTY.to_owned()), ..request };
        assert_eq!(rig.send(&passes).status, 200);
        let arrived = rig.arrived();
        assert_eq!((arrived[0].body.as_str(), &arrived[0].trailers), (FIRST_PARTY, &passes.trailers));
    }
}

#[test]
fn a_form_that_is_too_long_to_be_read_is_released_as_it_came() {
    const LIMIT: usize = 256 * 1024;
    let rig = Rig::of("default");
    for (size, is_read) in [(LIMIT, true), (LIMIT + 1, false), (3 * LIMIT, false)] {
        let body = format!("SAMLResponse={}&client_id=tpc_native01&scope=x", "a".repeat(size - 44));
        assert_eq!(body.len(), size);
        let plain = request("POST", "/saml/acs", Some(&body));
        let chunked = CaseRequest { chunks: Some(vec![1000, 60_000, 1]), ..plain.clone() };
        let http2 = CaseRequest { version: CaseVersion::Http2, ..chunked.clone() };
        for request in [plain, chunked, http2] {
            let response = rig.send(&request);
            let arrived = rig.arrived();
            if is_read {
                assert_eq!((response.status, arrived.len()), (403, 0), "{size}");
            } else {
                assert_eq!((response.status, arrived[0].body == body), (200, true), "{size}");
            }
        }
    }
    assert_eq!(rig.envoy.stat("released_unread"), 6);
    // However fast it comes: what is held must not fill the proxy's buffer.
    let huge = "a".repeat(12 * LIMIT);
    for _ in 0..5 {
        assert_eq!(rig.post("/saml/acs", &huge).status, 200);
        assert_eq!(rig.arrived()[0].body.len(), huge.len());
    }
    assert_eq!(rig.envoy.stat("released_unread"), 11);
    // At an endpoint that is closed, what cannot be read is refused.
    let long = format!("x={}", "a".repeat(LIMIT));
    assert_eq!(rig.post("/oauth/par", &long).status, 413);
    assert_eq!(rig.arrived(), []);
}

#[test]
fn a_path_that_names_a_strict_client_is_counted_and_logged_once() {
    let mut rig = Rig::of("default");
    for _ in 0..3 {
        assert_eq!(wire::get(rig.envoy.port, "/login/page?client_id=tpc_native01").status, 200);
        assert_eq!(wire::get(rig.envoy.port, "/%3Cscript%3E?client_id=tpc_native01").status, 200);
    }
    assert_eq!(wire::get(rig.envoy.port, "/login/page?client_id=first_portal").status, 200);
    assert_eq!(rig.arrived().len(), 7);
    assert_eq!(rig.envoy.stat("unclaimed.path.login_page"), 3);
    assert_eq!(rig.envoy.stat("unclaimed.path.other"), 3);
    rig.envoy.wait("the line", |envoy| envoy.log().contains("`/login/page` names a strict client").then_some(()));
    assert_eq!(rig.envoy.log().matches("names a strict client").count(), 1, "{}", rig.envoy.log());
    // A stranger makes up paths; they do not become counters without end.
    for number in 0..200 {
        assert_eq!(wire::get(rig.envoy.port, &format!("/p{number}?client_id=tpc_native01")).status, 200);
    }
    let stats = rig.envoy.admin("GET", "/stats?filter=unclaimed").unwrap();
    assert!(stats.matches("unclaimed.path.").count() <= 66, "{stats}");
}

#[test]
fn doors_are_observed_like_everything_else() {
    let rig = Rig::with(&configuration("default").replacen('{', "{\"enforcement\": \"observe\",", 1), |_| {});
    assert_eq!(rig.post("/legacy/token", STRICT).status, 200);
    assert_eq!(wire::get(rig.envoy.port, "/v2/logout?client_id=tpc_native01").status, 200);
    let mut registration = request("POST", "/register", Some("{}"));
    registration.headers[0].1 = "application/json".to_owned();
    assert_eq!(rig.send(&registration).status, 200);
    assert_eq!(rig.arrived().len(), 3);
    for rule in ["endpoint-unlisted", "endpoint-not-allowed", "registration-closed"] {
        assert_eq!(rig.envoy.stat(&format!("observed.rule.{rule}")), 1, "{rule}");
    }
}

#[test]
fn before_there_is_a_policy_others_pass_only_where_the_owner_says_so() {
    let broken = configuration("default").replace("\"revision\": 42", "\"revision\": \"42\"");
    let passes = broken.replacen('{', "{\"before_policy\": \"danger_pass_unknown\",", 1);
    for (settings, status) in [(&broken, 503), (&passes, 200)] {
        let rig = Rig::with(settings, |_| {});
        assert_eq!(rig.post("/oauth/token", FIRST_PARTY).status, status);
        assert_eq!(wire::get(rig.envoy.port, "/oauth/authorize?client_id=partner-portal&response_type=token").status, status);
        assert_eq!(rig.post("/account", FIRST_PARTY).status, 200, "what is no endpoint passes");
        assert_eq!(rig.arrived().len(), if status == 200 { 3 } else { 1 });
        // Strict by its form: refused anywhere, in whatever it is named.
        for target in ["/oauth/token", "/legacy/token", "/oauth/par", "/account"] {
            let refused = rig.post(target, STRICT);
            assert_eq!((refused.status, refused.violation().as_deref()), (503, Some("policy-unavailable")), "{target}");
            assert!(refused.header("retry-after").is_some());
        }
        assert_eq!(wire::get(rig.envoy.port, "/oauth/authorize?client_id=https://agent.example/c").status, 503);
        assert_eq!(rig.arrived(), []);
        assert_eq!(rig.envoy.log().contains("danger: before_policy: danger_pass_unknown"), status == 200);
    }
}

#[test]
fn the_start_says_that_the_verifier_is_not_checked() {
    let mut rig = Rig::of("default");
    rig.envoy.wait("the line", |envoy| envoy.log().contains("the verifier is not checked by this build").then_some(()));
}

#[test]
fn a_websocket_on_a_path_that_is_no_endpoint_is_opened() {
    let rig = Rig::with(&configuration("default"), |setup| setup.upgrades = true);
    for target in ["/live", "/userinfo"] {
        let request = CaseRequest {
            headers: vec![
                ("connection".to_owned(), "Upgrade".to_owned()),
                ("upgrade".to_owned(), "websocket".to_owned()),
                ("sec-websocket-version".to_owned(), "13".to_owned()),
                ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ],
            ..request("GET", target, None)
        };
        // The upstream is no WebSocket server; that it was asked, and answered at once, is what counts.
        assert_eq!(rig.send(&request).status, 200, "{target}");
        assert_eq!(rig.arrived().len(), 1, "{target}");
        assert_eq!(
            rig.send(&CaseRequest { target: "/oauth/token".to_owned(), ..request }).violation().as_deref(),
            Some("upgrade-not-allowed")
        );
        assert_eq!(rig.arrived(), []);
    }
}
