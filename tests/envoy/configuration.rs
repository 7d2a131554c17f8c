//! Configurations that are broken, at start and as an update (design, decision 12).

use crate::{EXCHANGE, FIRST_PARTY, PASSWORD, Rig, configuration, wire};

const READY: &str = "/.well-known/tpc-gate/ready";

#[test]
fn settings_that_do_not_load_leave_the_gate_closed_and_envoy_alive() {
    for broken in ["", "nonsense", "{}", r#"{"issuer": "https://login.example.com", "pkce": "edge", "policy": {"inline": {}}}"#] {
        let mut rig = Rig::with(broken, |_| {});
        for target in ["/oauth/token", "/other", READY] {
            let response = rig.post(target, FIRST_PARTY);
            assert_eq!(
                (response.status, response.violation().as_deref()),
                (503, Some("policy-unavailable")),
                "{broken} {target}"
            );
            assert!(response.header("retry-after").is_some());
        }
        assert_eq!(rig.upstream.take(), []);
        assert!(rig.envoy.runs());
        assert!(rig.envoy.log().contains("closed until a valid configuration comes"), "{}", rig.envoy.log());
    }
}

#[test]
fn a_struct_instead_of_a_string_is_said_to_be_one() {
    let rig = Rig::with("\n\u{10}\n\u{6}issuer\u{12}\u{6}\u{1a}\u{4}http", |_| {});
    assert_eq!(rig.post("/other", "").status, 503);
    assert!(rig.envoy.log().contains("StringValue"), "{}", rig.envoy.log());
}

#[test]
fn a_policy_that_does_not_load_closes_what_it_must_and_nothing_else() {
    let broken = configuration("default").replace("\"revision\": 42", "\"revision\": \"42\"");
    let rig = Rig::with(&broken, |_| {});
    for (target, body) in [("/oauth/token", EXCHANGE), ("/oauth/token", FIRST_PARTY), ("/oauth/authorize", "x=1")] {
        assert_eq!(rig.post(target, body).violation().as_deref(), Some("policy-unavailable"), "{target} {body}");
    }
    // Ids that are strict by their form are refused anywhere; the rest passes.
    assert_eq!(wire::get(rig.envoy.port, "/account?client_id=tpc_anything").status, 503);
    assert_eq!(wire::get(rig.envoy.port, "/account?client_id=TPC_anything").status, 503);
    assert_eq!(wire::get(rig.envoy.port, READY).status, 503);
    assert_eq!(rig.arrived(), []);
    assert_eq!(wire::get(rig.envoy.port, "/account?client_id=first_portal").status, 200);
    assert_eq!(rig.arrived().len(), 1);
    assert!(rig.envoy.log().contains("/policy/inline/revision"), "{}", rig.envoy.log());
}

#[test]
fn a_broken_update_is_refused_and_the_one_before_keeps_serving() {
    let good = configuration("default");
    let broken = good.replace("\"format\": 1", "\"format\": 2");
    let mut rig = Rig::with(&broken, |setup| setup.discovers = true);
    // Broken at start: closed.
    assert_eq!(rig.post("/oauth/token", EXCHANGE).status, 503);
    rig.envoy.publish(&good);
    rig.envoy
        .wait("the good configuration", |envoy| (wire::post(envoy.port, "/oauth/token", EXCHANGE).status == 200).then_some(()));
    // Envoy refuses a broken text that it tries. One that was accepted at start it does not try
    // again: it comes straight into the VMs that serve, and they keep what they have.
    for broken in [good.replace("\"format\": 1", "\"format\": 3"), broken, "nonsense".to_owned()] {
        let refusals = |envoy: &crate::envoy::Envoy| envoy.log().matches("the one before it stays in force").count();
        let before = refusals(&rig.envoy);
        rig.envoy.publish(&broken);
        rig.envoy.wait("the refusal", |envoy| (refusals(envoy) > before).then_some(()));
        for _ in 0..10 {
            assert_eq!(rig.post("/oauth/token", EXCHANGE).status, 200);
            assert_eq!(rig.post("/oauth/token", PASSWORD).violation().as_deref(), Some("grant-type-not-allowed"));
        }
    }
    assert_eq!(rig.envoy.stat("extension_config_discovery.*config_fail"), 2, "{}", rig.envoy.log());
    // And a good update after a broken one is taken.
    rig.envoy.publish(
        &good.replace("\"tpc_vbc2Y77hGZfbhkSi7y3gTh\", \"name\"", "\"tpc_vbc2Y77hGZfbhkSi7y3gTh\", \"blocked\": true, \"name\""),
    );
    rig.envoy.wait("the block", |envoy| (wire::post(envoy.port, "/oauth/token", EXCHANGE).status == 403).then_some(()));
    assert!(rig.envoy.runs());
}

#[test]
fn a_proof_does_not_outlive_its_configuration() {
    let good = configuration("default");
    let mut rig = Rig::with(&good, |setup| setup.discovers = true);
    assert_eq!(rig.post(READY, "x").status, 200);
    rig.envoy.publish(&good.replace("\"label\": \"corpus\"", "\"label\": \"next\""));
    rig.envoy.wait("the new configuration", |envoy| (wire::get(envoy.port, READY).status == 503).then_some(()));
    assert_eq!(rig.post(READY, "x").status, 200);
}

#[test]
fn only_named_hosts_are_judged() {
    let settings = configuration("default").replacen('{', "{\"hosts\": [\"login.example.com\"],", 1);
    let rig = Rig::with(&settings, |_| {});
    let ask = |host: &str| {
        let octets = format!("GET /oauth/authorize?client_id=tpc_nope HTTP/1.1\r\nhost: {host}\r\n\r\n");
        wire::exchange(rig.envoy.port, octets.as_bytes(), false).status
    };
    for host in ["login.example.com", "LOGIN.example.com:443", "login.example.com."] {
        assert_eq!(ask(host), 400, "{host}");
    }
    assert_eq!(ask("other.example.com"), 200);
    assert_eq!(rig.upstream.take().len(), 1);
    assert_eq!(rig.envoy.stat("host_not_judged"), 1);
}

#[test]
fn two_gates_in_one_vm_do_not_disturb_each_other() {
    let for_host = |host: &str, revision: &str| {
        let settings = configuration("default").replacen('{', &format!("{{\"hosts\": [\"{host}\"],"), 1);
        settings.replace("\"revision\": 42", revision).replace("/.well-known/tpc-gate/ready", &format!("/ready-{host}"))
    };
    // The second gate is broken: it stays closed, for its own requests only.
    let rig = Rig::with(&for_host("a.example", "\"revision\": 1"), |setup| {
        setup.second = Some(for_host("b.example", "\"revision\": \"x\""));
    });
    let ask = |host: &str, target: &str| {
        let octets = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        wire::exchange(rig.envoy.port, octets.as_bytes(), false)
    };
    assert_eq!(
        ask("a.example", "/oauth/authorize?client_id=tpc_native01").violation().as_deref(),
        Some("redirect-uri-not-registered")
    );
    assert_eq!(ask("a.example", "/oauth/authorize?client_id=first_portal").status, 200);
    assert_eq!(ask("b.example", "/oauth/authorize?client_id=first_portal").violation().as_deref(), Some("policy-unavailable"));
    assert_eq!(rig.post("/ready-a.example", "x").status, 200);
    assert_eq!(rig.post("/ready-b.example", "x").status, 503);
}
