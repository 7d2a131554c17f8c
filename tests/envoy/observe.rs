//! See before you enforce: everything passes, and one line says what would have happened.

use serde_json::Value;

use crate::{EXCHANGE, Rig, configuration, request, wire};

fn records(log: &str) -> Vec<Value> {
    log.lines()
        .filter_map(|line| line.split_once(": {\"request_id\""))
        .filter_map(|(_, rest)| serde_json::from_str(&format!("{{\"request_id\"{rest}")).ok())
        .collect()
}

#[test]
fn observed_requests_pass_octet_for_octet_and_are_recorded() {
    let settings = configuration("default").replacen('{', "{\"enforcement\": \"observe\",", 1);
    let mut rig = Rig::with(&settings, |_| {});
    let strict = "/oauth/authorize?client_id=tpc_native01&response_type=token&state=S%54ATE&redirect_uri=x&redirect_uri=y";
    let answer = r#"{"access_token":"a","id_token":"b"}"#;
    rig.upstream.answers(crate::upstream::Answer { body: answer.into(), ..Default::default() });
    let odd_spelling = EXCHANGE.replace("%3A", "%3a");
    assert_eq!(wire::get(rig.envoy.port, strict).text(), answer);
    assert_eq!(rig.post("/oauth/token", &odd_spelling).text(), answer, "the answer passes, too");
    assert_eq!(rig.post("/oauth/token/", "x=1").status, 200);
    assert_eq!(wire::get(rig.envoy.port, "/oauth/authorize?client_id=first_portal").status, 200);
    rig.upstream.answers(crate::upstream::Answer::default());
    let arrived = rig.arrived();
    assert_eq!(arrived[0].target, strict);
    assert_eq!(arrived[1].body, odd_spelling);
    assert_eq!(arrived.len(), 4);

    rig.envoy.wait("the records", |envoy| (records(&envoy.log()).len() >= 3).then_some(()));
    let records = records(&rig.envoy.log());
    assert_eq!(records.len(), 3, "none for a first-party request: {records:?}");
    let ids = |record: &Value| -> Vec<String> {
        record["violations"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(records[0]["outcome"], "refuse");
    assert_eq!(records[0]["client_id"], "tpc_native01");
    assert_eq!(records[0]["revision"], 42);
    assert_eq!(ids(&records[0]), ["parameter-repeated"]);
    assert!(records[0]["request_id"].as_str().unwrap().len() >= 32);
    assert_eq!((records[1]["outcome"].as_str(), ids(&records[1]).len()), (Some("forward"), 0));
    assert_eq!(ids(&records[2]), ["path-ambiguous"]);
    for name in [
        "request_id",
        "outcome",
        "endpoint",
        "client_id",
        "client_kind",
        "violations",
        "error",
        "status",
        "granted",
        "dropped",
        "forwards",
        "revision",
    ] {
        assert!(records[0].get(name).is_some(), "{name}");
    }
    assert_eq!(rig.envoy.stat("observed.rule.parameter-repeated"), 1);
}

#[test]
fn enforced_requests_are_recorded_and_counted_the_same_way() {
    let mut rig = Rig::of("default");
    assert_eq!(wire::get(rig.envoy.port, "/oauth/authorize?client_id=tpc_native01&response_type=token").status, 400);
    assert_eq!(rig.post("/oauth/token", EXCHANGE).status, 200);
    assert_eq!(wire::get(rig.envoy.port, "/oauth/authorize?client_id=somebody").status, 200);
    rig.envoy.wait("the records", |envoy| (records(&envoy.log()).len() >= 2).then_some(()));
    let records = records(&rig.envoy.log());
    assert_eq!(records.len(), 2, "{records:?}");
    assert_eq!(rig.envoy.stat("refused.rule.redirect-uri-not-registered"), 1);
    assert_eq!(rig.envoy.stat("tpc_gate.gate.forwarded"), 1);
}

/// Nothing that a client sent stands in a log, whatever became of it (decision 22).
#[test]
fn logs_carry_no_values_of_the_peer() {
    const MARK: &str = "mArKeR";
    let mut rig = Rig::of("default");
    let query = format!("state={MARK}1&login_hint={MARK}2&nonce={MARK}3&{MARK}4={MARK}5&client_id=");
    let body = format!(
        "grant_type=authorization_code&code={MARK}6&client_secret={MARK}7&refresh_token={MARK}8&{MARK}9=1&code_verifier={MARK}10{}",
        "x".repeat(43)
    );
    for client in ["tpc_native01", "first_portal", "tpc_mArKeRunlisted", "TPC_mArKeR"] {
        let _refused = wire::get(rig.envoy.port, &format!("/oauth/authorize?{query}{client}"));
        let _refused = wire::get(rig.envoy.port, &format!("/other?{query}{client}"));
        let _refused = rig.post("/oauth/token", &format!("{body}&client_id={client}"));
        let _refused = rig.post(&format!("/oauth/token?{query}{client}"), &body);
        let mut with_basic = request("POST", "/oauth/token", Some(&body));
        with_basic.headers.push(("authorization".to_owned(), format!("Basic {MARK}")));
        let _refused = rig.send(&with_basic);
    }
    rig.envoy.wait("the access log", |envoy| {
        envoy.log().contains("/sentinel").then_some(()).or_else(|| {
            wire::get(envoy.port, "/sentinel");
            None
        })
    });
    let log = rig.envoy.log();
    assert!(log.contains("/oauth/authorize 400"), "the access log is there: {log}");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(MARK)).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}
