//! What holds for every input: nothing panics, parse and print are inverse, and
//! what is forwarded reads the same for every parser.

#![cfg(test)]
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tpc_gate_policy::Body;
use tpc_gate_policy::decision::Decision;
use tpc_gate_policy::document;
use tpc_gate_policy::exchange::Exchange;
use tpc_gate_policy::explanation::{Explanation, Outcome};
use tpc_gate_policy::gate::Gate;
use tpc_gate_policy::head::Head;
use tpc_gate_policy::inspection::{Glance, Inspection};
use tpc_gate_policy::parameters::Parameters;

fn gate() -> Gate {
    let settings = document::load_settings(include_bytes!("cases/default/settings.json")).0.unwrap();
    let policy = document::load_policy(include_bytes!("cases/default/policy.json"), &settings).0.unwrap();
    Gate { settings, policy }
}

/// Octets that are more often interesting than random ones.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        prop::sample::select(vec![
            "client_id",
            "client%5Fid",
            "Client.Id",
            "client_id[]",
            "scope",
            "state",
            "code",
            "grant_type",
            "request",
            "=",
            "&",
            ";",
            "%",
            "%00",
            "%u0074",
            "%zz",
            "+",
            "tpc_native01",
            "TPC_native01",
            "first_portal",
            "stopped_app",
            "https://agent.example/client.json",
            "\u{feff}",
            "\u{ff54}",
            "{\"",
            "\":\"",
            "\"}",
            "[",
            "]",
            "name=\"client_id\"\r\n\r\n",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ0cGNfYSJ9.",
            "?",
            "/",
            "//",
            "..;",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

fn heads() -> impl Strategy<Value = Head> {
    let paths = prop::sample::select(vec!["/oauth/authorize", "/oauth/token", "/oauth/token/", "/other", ""]);
    let names = prop::sample::select(vec![
        "authorization",
        "content-type",
        "content-encoding",
        "accept",
        "x-original-url",
        "upgrade",
        "x-forwarded-proto",
        "x-request-id",
        "host",
        "oauth-client-attestation",
        "cookie",
    ]);
    let values = prop_oneof![
        octets(),
        octets().prop_map(|octets| [b"Basic ".as_slice(), &octets].concat()),
        prop::sample::select(vec!["application/x-www-form-urlencoded", "application/json", "text/html"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let methods = prop::sample::select(vec!["GET", "POST", "HEAD", "CONNECT", ""]);
    (methods, paths, octets(), prop::collection::vec((names, values), 0..6)).prop_map(|(method, path, query, headers)| {
        let target = [path.as_bytes(), b"?", &query].concat();
        let lines = [(":method", method.as_bytes().to_vec()), (":path", target), (":authority", b"login.example.com".to_vec())];
        Head::new(lines.into_iter().chain(headers))
    })
}

/// A strict client's parameters, honest enough to be forwarded now and then.
fn parameters() -> impl Strategy<Value = BTreeMap<&'static str, String>> {
    let values = "[ -~]{0,12}";
    (values, values, values, prop::option::of(values)).prop_map(|(state, scope, nonce, foo)| {
        let mut parameters = BTreeMap::from([
            ("client_id", "tpc_vbc2Y77hGZfbhkSi7y3gTh".to_owned()),
            ("response_type", "code".to_owned()),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned()),
            ("code_challenge_method", "S256".to_owned()),
            ("state", state),
            ("scope", scope),
            ("nonce", nonce),
        ]);
        if let Some(foo) = foo {
            parameters.insert("foo", foo);
        }
        parameters
    })
}

/// Parameters that break a rule each, at one endpoint or both.
fn breaches() -> Vec<(&'static str, &'static str)> {
    vec![
        ("response_type", "token"),
        ("code_challenge", "short"),
        ("code_challenge_method", "plain"),
        ("redirect_uri", "https://evil.example/cb"),
        ("audience", "https://closed.example.com"),
        ("resource", "relative"),
        ("scope", "delete:items"),
        ("prompt", "none login"),
        ("connection", "employees"),
        ("authorization_details", "[{\"type\":\"payment\"}]"),
        ("request", "a.b.c"),
        ("claims", "{}"),
        ("max_age", "-1"),
        ("grant_type", "password"),
        ("password", "x"),
        ("client_secret", "s"),
    ]
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| format!("{out}%{byte:02x}"))
}

fn forwarded(gate: &Gate, target: &str) -> Option<String> {
    let head = Head::new([(":method", "GET"), (":path", target), (":scheme", "https"), (":authority", "login.example.com")]);
    match gate.inspect(&head, true) {
        Inspection::Judged(judgement) => match judgement.decision {
            Decision::Forward(forwarding) => Some(forwarding.target()),
            Decision::Pass | Decision::Refuse(_) => None,
        },
        _ => None,
    }
}

/// Decodes as lax servers do.
fn decode(text: &str, plus_is_space: bool) -> String {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail.split_at_checked(2)) {
            (b'%', Some((digits, tail))) if digits.iter().all(u8::is_ascii_hexdigit) => {
                out.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
                rest = tail;
            }
            (b'+', _) if plus_is_space => out.push(b' '),
            _ => out.push(first),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The parser models of the standards' section 6.2, over one query.
fn models(query: &str) -> Vec<Vec<(String, String)>> {
    let split = |separators: &[char], plus: bool| -> Vec<(String, String)> {
        query
            .split(separators)
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name, plus), decode(value, plus)))
            .collect()
    };
    let fold = |pairs: Vec<(String, String)>, name: fn(&str) -> String, last: bool| -> Vec<(String, String)> {
        let mut map: Vec<(String, String)> = Vec::new();
        for (key, value) in pairs {
            let key = name(&key);
            match map.iter_mut().find(|(known, _)| *known == key) {
                Some((_, old)) if last => *old = value,
                Some(_) => {}
                None => map.push((key, value)),
            }
        }
        map
    };
    let join = |pairs: Vec<(String, String)>| -> Vec<(String, String)> {
        let mut map: Vec<(String, String)> = Vec::new();
        for (key, value) in pairs {
            match map.iter_mut().find(|(known, _)| *known == key) {
                Some((_, old)) => *old = format!("{old},{value}"),
                None => map.push((key, value)),
            }
        }
        map
    };
    // `name[]` and `name[0]` begin an array; Latin-1 reads one character from each octet.
    let array = |name: &str| name.split('[').next().unwrap_or_default().to_owned();
    let latin1: Vec<(String, String)> =
        split(&['&'], true).into_iter().map(|(name, value)| (name, value.bytes().map(char::from).collect())).collect();
    vec![
        latin1,
        join(split(&['&'], true)),
        fold(split(&['&'], true), array, true),
        // Query and body merged: the other one is empty.
        fold([split(&['&'], true), Vec::new()].concat(), str::to_owned, false),
        fold(split(&['&'], true), str::to_owned, false),
        fold(split(&['&'], true), str::to_owned, true),
        fold(split(&['&'], false), str::to_owned, false),
        fold(split(&['&', ';'], true), str::to_owned, true),
        fold(split(&['&'], true), str::to_lowercase, true),
        fold(split(&['&'], true), |name| name.replace(['.', ' ', '['], "_"), true),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_panics(head in heads(), body in octets(), ends in any::<bool>()) {
        let gate = gate();
        if let Inspection::Await(pending) = gate.inspect(&head, ends) {
            for body in [Body::Whole(&body), Body::TooLong] {
                let judgement = pending.complete(&gate, &head, body);
                let _effects = judgement.effects(&gate, &head);
            }
        }
        let _explanation = Explanation::of_request(&gate, &head, &body, false);
    }

    #[test]
    fn a_glance_lets_pass_only_what_a_full_reading_lets_pass(path in octets(), head in heads()) {
        let gate = gate();
        let target = [b"/".as_slice(), &path].concat();
        let full = Head::new([(":method", b"POST".to_vec()), (":path", target.clone())]);
        if gate.passes_at_a_glance(&target, Glance::default) {
            prop_assert!(matches!(gate.inspect(&full, true), Inspection::Pass));
        }
        for glance in [
            Glance { has_path_override: true, ..Glance::default() },
            Glance { has_authorization: true, ..Glance::default() },
            Glance { has_body: true, ..Glance::default() },
        ] {
            prop_assert!(!gate.passes_at_a_glance(head.target(), || glance));
        }
    }

    #[test]
    fn no_document_panics(text in octets()) {
        let _settings = document::load(&text);
        let nested = [br#"{"format":1,"revision":1,"clients":[{"client_id":""#.as_slice(), &text, br#""}]}"#].concat();
        let _policy = document::load_policy(&nested, &gate().settings);
    }

    #[test]
    fn no_answer_panics(body in octets(), cache in octets()) {
        let gate = gate();
        let form = "grant_type=refresh_token&refresh_token=r&client_id=tpc_native01";
        let head = Head::new([(":method", "POST"), (":path", "/oauth/token"), ("content-type", "application/x-www-form-urlencoded")]);
        let Inspection::Await(pending) = gate.inspect(&head, false) else { return Ok(()) };
        let judgement = pending.complete(&gate, &head, Body::Whole(form.as_bytes()));
        let exchange = Exchange::after(&judgement, &gate.settings, &head).unwrap();
        let answer = Head::new([(":status", b"200".to_vec()), ("cache-control", cache.clone())]);
        let _delivery = exchange.judge(&gate, &answer, Some(&body), None);
        let target = "/oauth/authorize?client_id=tpc_vbc2Y77hGZfbhkSi7y3gTh&response_type=code&code_challenge_method=S256\
            &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&state=x";
        let head = Head::new([(":method", "GET"), (":path", target)]);
        let Inspection::Judged(judgement) = gate.inspect(&head, true) else { return Ok(()) };
        let exchange = Exchange::after(&judgement, &gate.settings, &head).unwrap();
        let answer = Head::new([(":status", b"302".to_vec()), ("location", body), ("refresh", cache)]);
        let _delivery = exchange.judge(&gate, &answer, None, None);
    }

    #[test]
    fn parse_and_print_are_inverse(raw in octets()) {
        if let Ok(parameters) = Parameters::parse(&raw, 64) {
            let printed = parameters.print();
            let again = Parameters::parse(printed.as_bytes(), 64).unwrap();
            prop_assert_eq!(&again.print(), &printed);
            let mut known = parameters;
            let _unknown = known.keep(&again_names(&printed));
            prop_assert_eq!(known, again);
        }
    }

    #[test]
    fn what_is_forwarded_reads_the_same_for_every_parser(parameters in parameters()) {
        let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let target = format!("/oauth/authorize?{}", query.join("&"));
        if let Some(forwarded) = forwarded(&gate(), &target) {
            let (_, query) = forwarded.split_once('?').unwrap();
            let readings = models(query);
            for reading in &readings {
                prop_assert_eq!(reading, &readings[0]);
            }
            for (name, value) in &readings[0] {
                match name.as_str() {
                    "redirect_uri" => prop_assert_eq!(value, "https://partner.example.com/callback"),
                    "audience" => prop_assert_eq!(value, "https://api.example.com"),
                    "prompt" => prop_assert_eq!(value, "consent"),
                    // Within the grant, each token once.
                    "scope" => {
                        let sent: Vec<&str> = value.split(' ').collect();
                        prop_assert!(sent.iter().all(|token| matches!(*token, "read:items" | "write:items" | "offline_access")));
                        prop_assert!(sent.iter().all(|token| sent.iter().filter(|one| one == &token).count() == 1));
                    }
                    _ => prop_assert_eq!(Some(value), parameters.get(name.as_str())),
                }
            }
        }
    }

    #[test]
    fn no_order_of_violations_changes_the_verdict(mut pairs in Just(breaches()).prop_shuffle(), kept in 3..9_usize, token in any::<bool>()) {
        let gate = gate();
        pairs.truncate(kept);
        let explain = |pairs: &[(&str, &str)]| {
            let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
            let query = format!("client_id=tpc_vbc2Y77hGZfbhkSi7y3gTh&{}", query.join("&"));
            let (method, target, body) =
                if token { ("POST", "/oauth/token".to_owned(), query) } else { ("GET", format!("/oauth/authorize?{query}"), String::new()) };
            let form = ("content-type", "application/x-www-form-urlencoded".to_owned());
            let head = Head::new([(":method", method.to_owned()), (":path", target), (":scheme", "https".to_owned()), form]);
            Explanation::of_request(&gate, &head, body.as_bytes(), true)
        };
        let verdict = explain(&pairs);
        prop_assert_eq!(verdict.outcome, Outcome::Refuse);
        pairs.sort_unstable();
        prop_assert_eq!(&explain(&pairs), &verdict);
        pairs.reverse();
        prop_assert_eq!(explain(&pairs), verdict);
    }

    #[test]
    fn another_pair_never_turns_a_refusal_into_a_pass(parameters in parameters(), drop in 0..7_usize, extra in octets()) {
        let gate = gate();
        let names: Vec<&str> = parameters.keys().copied().collect();
        let query: Vec<String> = parameters
            .iter()
            .filter(|(name, _)| **name == "client_id" || names.get(drop) != Some(name))
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        let target = format!("/oauth/authorize?{}", query.join("&"));
        let longer = [target.as_bytes(), b"&zz=", &extra].concat();
        let outcome = |target: &[u8]| {
            let head = Head::new([(":method", b"GET".as_slice()), (":path", target), (":scheme", b"https")]);
            Explanation::of_request(&gate, &head, b"", false).outcome
        };
        // A strict client is named in both, so neither ever passes untouched.
        prop_assert_ne!(outcome(&longer), Outcome::Pass);
        if outcome(target.as_bytes()) == Outcome::Refuse {
            // Only a parameter that was missing could mend it, and `zz` begins none.
            prop_assert!(outcome(&longer) == Outcome::Refuse || extra.contains(&b'&'));
        }
    }
}

fn again_names(printed: &str) -> Vec<&str> {
    printed.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect()
}
