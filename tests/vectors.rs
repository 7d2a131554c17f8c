//! The parsers against the case tables of `vectors/`: natively, on wasip1, and in Node.
//!
//! These tables are about parsers, not requests; whom a result refuses is the
//! corpus's matter. Every row is a case with an id and a reason.

#![cfg(test)]

use serde::Deserialize;
use tpc_gate_policy::authentication::{BasicCredentials, BasicError};
use tpc_gate_policy::client::{Client, ClientKind, Clients, Recognition};
use tpc_gate_policy::endpoint::{Endpoint, EndpointPath, Endpoints, Place};
use tpc_gate_policy::parameters::{Malformation, ParameterError, Parameters};
use tpc_gate_policy::pkce::{CodeChallenge, CodeVerifier};
use tpc_gate_policy::redirect::{RedirectUris, RegisteredRedirectUri};
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn rows<'t, T: Deserialize<'t>>(table: &'t str) -> Vec<T> {
    let rows: Vec<T> = serde_json::from_str(table).unwrap();
    assert!(!rows.is_empty());
    rows
}

/// Fails with every row that differs, not with the first.
fn assert_none(differences: &[String]) {
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[derive(Deserialize)]
struct PathRow {
    id: String,
    path: String,
    expect: String,
    why: String,
}

#[test]
fn paths() {
    let mut endpoints = Endpoints::default();
    for (endpoint, path) in [
        (Endpoint::Authorization, "/oauth/authorize"),
        (Endpoint::Token, "/oauth/token"),
        (Endpoint::Authorization, "/realms/{}/protocol/openid-connect/auth"),
    ] {
        endpoints.add(endpoint, EndpointPath::parse(path).unwrap());
    }
    let mut differences = Vec::new();
    for row in rows::<PathRow>(include_str!("vectors/path.json")) {
        let raw = row.path.split('?').next().unwrap_or_default();
        let actual = match endpoints.place_of(raw.as_bytes()) {
            Place::Ambiguous(_) => "alias:reject",
            Place::Elsewhere => "other",
            Place::Endpoint(_) => "endpoint",
        };
        if actual != row.expect {
            differences.push(format!("{} {}: expected {}, got {actual} ({})", row.id, row.path, row.expect, row.why));
        }
    }
    assert_none(&differences);
}

#[derive(Deserialize)]
struct FormRow {
    id: String,
    raw_hex: String,
    expect: serde_json::Value,
    why: String,
}

#[test]
fn forms() {
    let mut differences = Vec::new();
    for row in rows::<FormRow>(include_str!("vectors/form.json")) {
        let raw: Vec<u8> = row
            .raw_hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let parsed = Parameters::parse(&raw, 64);
        let is_as_expected = match &row.expect {
            serde_json::Value::String(expected) => {
                let actual = match parsed {
                    Err(ParameterError::TooMany) => "reject:count",
                    Err(ParameterError::Malformed(Malformation::Percent)) => "reject:percent",
                    Err(ParameterError::Malformed(Malformation::Utf8)) => "reject:utf8",
                    Err(ParameterError::Lookalike(_)) => "reject:lookalike",
                    Err(ParameterError::Repeated(_)) => "reject:dup",
                    Err(ParameterError::Semicolon(_)) => "reject:semicolon",
                    Ok(_) => "accepted",
                };
                actual == expected
            }
            serde_json::Value::Object(expected) => parsed.as_ref().is_ok_and(|parameters| {
                let values_agree = expected.iter().all(|(name, value)| match value {
                    serde_json::Value::Array(values) => {
                        parameters.all(name).eq(values.iter().map(|value| value.as_str().unwrap()))
                    }
                    value => parameters.get(name) == value.as_str(),
                });
                // Nothing else is known either: what is printed has just these names.
                let printed = parameters.print();
                let names: std::collections::BTreeSet<&str> =
                    printed.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap()).collect();
                values_agree && names.iter().copied().eq(expected.keys().map(String::as_str))
            }),
            other => panic!("{}: {other}", row.id),
        };
        if !is_as_expected {
            differences.push(format!("{}: expected {}, got {parsed:?} ({})", row.id, row.expect, row.why));
        }
    }
    assert_none(&differences);
}

#[derive(Deserialize)]
struct BasicRow {
    id: String,
    authorization: String,
    expect: (String, String),
    why: String,
}

#[test]
fn basic_credentials() {
    // A user that is a third party in one spelling and not in the other is ambiguous.
    let clients = Clients::default();
    let is_strict = |id: &str| matches!(clients.recognise(id.as_bytes()), Recognition::StrictUnlisted | Recognition::Lookalike);
    let mut differences = Vec::new();
    for row in rows::<BasicRow>(include_str!("vectors/basic.json")) {
        let actual = match BasicCredentials::parse(row.authorization.as_bytes()) {
            Err(BasicError::Joined) => ("reject", "two credentials joined by a comma".to_owned()),
            Err(BasicError::Scheme) => ("reject", "scheme/token68".to_owned()),
            Err(BasicError::Utf8) => ("reject", "utf8".to_owned()),
            Err(BasicError::Vschar) => ("reject", "VSCHAR".to_owned()),
            Ok(credentials) => {
                let spellings = [&credentials.client_id, &credentials.raw_client_id];
                let is_lookalike = matches!(clients.recognise(credentials.client_id.as_bytes()), Recognition::Lookalike)
                    // `tpc_abc ` is a form of its own only until a collation trims it.
                    || (is_strict(&credentials.client_id) && credentials.client_id.trim() != credentials.client_id);
                let differs = credentials.client_id != credentials.raw_client_id;
                if is_lookalike || (differs && spellings.iter().any(|id| is_strict(id))) {
                    ("reject", "ambiguous third-party id".to_owned())
                } else {
                    ("ok", credentials.client_id)
                }
            }
        };
        if (row.expect.0.as_str(), &row.expect.1) != (actual.0, &actual.1) {
            differences.push(format!("{}: expected {:?}, got {actual:?} ({})", row.id, row.expect, row.why));
        }
    }
    assert_none(&differences);
}

#[derive(Deserialize)]
struct PkceRow {
    verifier: Option<String>,
    challenge: String,
    result: String,
    #[serde(default)]
    why: String,
}

#[test]
fn pkce() {
    let mut differences = Vec::new();
    for row in rows::<PkceRow>(include_str!("vectors/pkce.json")) {
        let challenge = CodeChallenge::parse(&row.challenge);
        let actual = match (row.verifier.as_deref().map(CodeVerifier::parse), challenge) {
            (None, Some(_)) => "ok",
            (Some(None), _) | (None | Some(Some(_)), None) => "invalid_request",
            (Some(Some(verifier)), Some(challenge)) if verifier.answers(&challenge) => "ok",
            (Some(Some(_)), Some(_)) => "invalid_grant",
        };
        if actual != row.result {
            differences
                .push(format!("{:?} {}: expected {}, got {actual} ({})", row.verifier, row.challenge, row.result, row.why));
        }
    }
    assert_none(&differences);
}

#[derive(Deserialize)]
struct RedirectRow {
    id: String,
    registered: Vec<String>,
    candidate: String,
    accept: bool,
    native: bool,
    allow_localhost: bool,
    why: String,
}

#[test]
fn redirect_uris() {
    let mut differences = Vec::new();
    for row in rows::<RedirectRow>(include_str!("vectors/redirect_uri.json")) {
        let mut registered = RedirectUris::new(row.native, row.allow_localhost);
        for uri in &row.registered {
            registered.register(RegisteredRedirectUri::parse(uri).unwrap());
        }
        let resolved = registered.resolve(Some(&row.candidate));
        if resolved.is_some() != row.accept {
            differences.push(format!("{} {:?}: expected {}, got {resolved:?} ({})", row.id, row.candidate, row.accept, row.why));
        }
        if let Some(uri) = resolved {
            assert_eq!(uri.as_str(), row.candidate, "{}: the answer goes where it was asked for", row.id);
        }
    }
    assert_none(&differences);
}

#[test]
fn a_listed_client_is_found_by_its_exact_id_only() {
    let mut clients = Clients::default();
    clients.add(Client { id: "tpc_a".to_owned(), kind: ClientKind::Strict, ..Client::default() });
    assert!(matches!(clients.recognise(b"tpc_a"), Recognition::Listed(_)));
    assert!(matches!(clients.recognise(b"tpc_a\0"), Recognition::Lookalike));
}
