//! The corpus, natively, on wasip1 and in Node: one loop over every case.
//!
//! And what the corpus itself must be: each rule has a case that it refuses, one
//! that passes it, and, if its reach is `strict`, a first-party one that passes.

#![cfg(test)]

use std::collections::BTreeMap;

use tpc_gate_policy::Body;
use tpc_gate_policy::case::{Case, Runner, octets};
use tpc_gate_policy::delivery::Change;
use tpc_gate_policy::document;
use tpc_gate_policy::exchange::Exchange;
use tpc_gate_policy::explanation::Outcome;
use tpc_gate_policy::gate::Gate;
use tpc_gate_policy::head::Head;
use tpc_gate_policy::inspection::Inspection;
use tpc_gate_policy::rule::{RULES, Reach};
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[path = "support/corpus.rs"]
mod corpus;

use corpus::Folder;

/// The gate under which the cases of a folder run: its documents as the filter gets them.
fn gate(folder: &Folder) -> Gate {
    let loaded = document::load(folder.configuration().as_bytes());
    assert!(loaded.is_valid(), "{}: {:?}", folder.name, loaded.findings);
    loaded.gate.unwrap()
}

#[test]
fn every_case_is_judged_as_it_says() {
    let mut differences = Vec::new();
    for folder in corpus::folders() {
        let gate = gate(folder);
        let mut ran = 0;
        for case in folder.cases() {
            if case.not.contains_key(&Runner::Core) {
                continue;
            }
            ran += 1;
            differences
                .extend(case.run(&gate).into_iter().map(|difference| format!("{}: {}: {difference}", folder.name, case.name)));
        }
        assert!(ran > 0, "{} has no case", folder.name);
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_answer_is_delivered_as_its_case_says() {
    let mut differences = Vec::new();
    for folder in corpus::folders() {
        let gate = gate(folder);
        for case in folder.cases() {
            let (Some(upstream), Some(delivered)) = (&case.upstream, &case.delivered) else { continue };
            let request = case.request.head();
            let octets_of_request = case.request.octets();
            let judgement = match gate.inspect(&request, octets_of_request.is_empty()) {
                Inspection::Await(pending) => pending.complete(&gate, &request, Body::Whole(&octets_of_request)),
                Inspection::Judged(judgement) => *judgement,
                other => panic!("{}: {other:?}", case.name),
            };
            let mut headers: Vec<(String, Vec<u8>)> = vec![(":status".to_owned(), upstream.status.to_string().into())];
            headers.extend(upstream.headers.iter().map(|(name, value)| (name.clone(), octets(value))));
            let body = octets(&upstream.body);
            let exchange = Exchange::after(&judgement, &gate.settings, &request);
            let change = exchange.map(|exchange| exchange.judge(&gate, &Head::new(headers.clone()), Some(&body), None).change);
            let (status, answered) = match change {
                None | Some(Change::AsIs) => (upstream.status, body),
                Some(Change::Trimmed { body: trimmed, set, removed }) => {
                    headers.retain(|(name, _)| !removed.contains(&name.as_str()) && !set.iter().any(|(known, _)| known == name));
                    let status = set.iter().find(|(name, _)| *name == ":status").and_then(|(_, value)| value.parse().ok());
                    headers.extend(set.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
                    (status.unwrap_or(upstream.status), trimmed.map_or(body, String::into_bytes))
                }
                Some(Change::Replaced(reply)) => {
                    headers = reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
                    (reply.status, reply.body.into_bytes())
                }
            };
            if status != delivered.status {
                differences.push(format!("{}: status: expected {}, got {status}", case.name, delivered.status));
            }
            if let Some(expected) = &delivered.body
                && octets(expected) != answered
            {
                differences.push(format!("{}: body: expected {expected}, got {}", case.name, String::from_utf8_lossy(&answered)));
            }
            for (name, expected) in &delivered.headers {
                let actual = headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
                // Where the body stays as it is, so does the length that the upstream gave it.
                if name != "content-length" && actual != expected.as_deref().map(octets) {
                    differences.push(format!("{}: {name}: expected {expected:?}, got {actual:?}", case.name));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_rule_has_a_case_on_both_sides() {
    let mut by_rule: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for folder in corpus::folders() {
        for case in folder.cases() {
            if let Some(rule) = &case.rule {
                by_rule.entry(rule.clone()).or_default().push(case);
            }
        }
    }
    let mut missing = Vec::new();
    for rule in RULES.iter().filter(|rule| !rule.is_about_the_gate()) {
        let id = rule.violation.id();
        let cases = by_rule.remove(id).unwrap_or_default();
        let breaks = |case: &&Case| case.expect.violations.as_ref().is_some_and(|found| found.iter().any(|found| found == id));
        let is_first_party = |case: &&Case| case.expect.outcome == Outcome::Pass;
        // An answer is not refused but kept back or trimmed: its case says what is delivered.
        let (refused, passed) = if rule.is_about_answers() {
            let changes = |case: &&Case| {
                let (Some(upstream), Some(delivered)) = (&case.upstream, &case.delivered) else { return false };
                let marks = |name: &str| {
                    delivered.headers.contains_key(name) && !upstream.headers.contains(&(name.to_owned(), "no-store".to_owned()))
                };
                upstream.status != delivered.status
                    || delivered.body.as_ref().is_some_and(|body| *body != upstream.body)
                    || marks("cache-control")
            };
            let strict: Vec<&Case> = cases.iter().filter(|case| !is_first_party(case)).collect();
            (strict.iter().any(changes), strict.iter().any(|case| !changes(case)))
        } else {
            (cases.iter().any(|case| breaks(&case)), cases.iter().any(|case| !breaks(&case)))
        };
        if !refused {
            missing.push(format!("{id} has no case that it refuses"));
        }
        if !passed {
            missing.push(format!("{id} has no case that passes it"));
        }
        if rule.reach == Reach::Strict && !cases.iter().any(|case| is_first_party(&case)) {
            missing.push(format!("{id} has no first-party case"));
        }
    }
    missing.extend(by_rule.keys().map(|unknown| format!("{unknown} is no rule of the corpus")));
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn names_of_cases_are_unique_in_their_folder() {
    for folder in corpus::folders() {
        let mut names: Vec<String> = folder.cases().into_iter().map(|case| case.name).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{}", folder.name);
    }
}
