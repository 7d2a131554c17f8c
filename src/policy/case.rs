//! The corpus: one format of cases for every runner.
//!
//! A case is one request, what the gate must make of it, and optionally what the
//! identity provider answers and what the client must get. The same file runs
//! natively, as wasm32, through `tpc-gate test`, and through a real Envoy. A
//! runner *projects* away what it cannot see (the wire shows no violation list);
//! it never skips silently: a case that cannot go somewhere says where and why.
//!
//! Strings that stand for bytes are Latin-1: one character is one byte.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::explanation::{Expectation, Explanation, Outcome};
use crate::gate::Gate;
use crate::head::Head;

/// One case of the corpus, or of a user's own policy tests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A sentence, unique in its folder.
    pub name: String,
    /// The id of the rule that the case is about.
    #[serde(default)]
    pub rule: Option<String>,
    /// Where the expectation is written: RFC and section.
    #[serde(default)]
    pub spec: Option<String>,
    /// The cell of the comparison in the README that it makes.
    #[serde(default)]
    pub feature: Option<Feature>,
    /// What the client sends.
    pub request: CaseRequest,
    /// What the gate makes of it; members that are absent are not compared.
    pub expect: Expectation,
    /// What the identity provider answers; absent where the answer is no matter.
    #[serde(default)]
    pub upstream: Option<CaseAnswer>,
    /// What the client must get when the upstream answered.
    #[serde(default)]
    pub delivered: Option<Delivered>,
    /// Runners that cannot run the case, each with its reason.
    #[serde(default)]
    pub not: BTreeMap<Runner, String>,
}

/// A cell of a comparison: a feature, and for which kind of client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The row.
    pub name: String,
    /// The column: `strict` or `permissive`.
    pub client: String,
    /// The parameter whose forwarded value tells what the gate did.
    #[serde(default)]
    pub shows: Option<String>,
}

/// Who runs a case.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub enum Runner {
    /// The core on its own, natively and as wasm32 in Node.
    Core,
    /// `tpc-gate test`.
    Command,
    /// A real Envoy with a recording upstream.
    Envoy,
}

/// A request as a structure, since raw text in JSON cannot say bytes, HTTP/2 or timing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRequest {
    /// `:method`.
    pub method: String,
    /// `:path`: path and query, as on the wire.
    pub target: String,
    /// `:scheme`; also what `x-forwarded-proto` says where a proxy wrote it.
    #[serde(default = "https")]
    pub scheme: String,
    /// `:authority`.
    #[serde(default = "authority")]
    pub authority: String,
    /// Further header lines, in order. `content-length` is the runner's, except where given.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The whole body; absent means that the request ends with its head.
    #[serde(default)]
    pub body: Option<String>,
    /// Where the body is cut into chunks (HTTP/1.1) or DATA frames (HTTP/2); absent means whole, with a content-length.
    #[serde(default)]
    pub chunks: Option<Vec<usize>>,
    /// Trailers after the body.
    #[serde(default)]
    pub trailers: Vec<(String, String)>,
    /// The protocol to the gate.
    #[serde(default)]
    pub version: CaseVersion,
}

/// The protocol between client and gate.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
pub enum CaseVersion {
    /// HTTP/1.1.
    #[default]
    #[serde(rename = "HTTP/1.1")]
    Http1,
    /// HTTP/2 by prior knowledge.
    #[serde(rename = "HTTP/2")]
    Http2,
}

/// What the identity provider answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseAnswer {
    /// The status code.
    pub status: u16,
    /// Header lines, in order.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// Trailers after the body; then the answer is chunked.
    #[serde(default)]
    pub trailers: Vec<(String, String)>,
}

/// What the client must get.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    /// The status code.
    pub status: u16,
    /// Headers that must have exactly this value, or (null) must be absent.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// The body, byte for byte; absent means that it is not compared.
    #[serde(default)]
    pub body: Option<String>,
}

fn https() -> String {
    "https".to_owned()
}

fn authority() -> String {
    "login.example.com".to_owned()
}

impl CaseRequest {
    /// The head as the filter sees it.
    #[must_use]
    pub fn head(&self) -> Head {
        let pseudo = [
            (":method", self.method.as_str()),
            (":path", &self.target),
            (":scheme", &self.scheme),
            (":authority", &self.authority),
        ];
        let lines = pseudo.into_iter().chain(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Head::new(lines.map(|(name, value)| (name, octets(value))))
    }

    /// The body as the filter sees it, once it is whole.
    #[must_use]
    pub fn octets(&self) -> Vec<u8> {
        octets(self.body.as_deref().unwrap_or_default())
    }
}

impl Case {
    /// What is wrong with the case itself: one that compares nothing proves nothing.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if self.not.values().any(String::is_empty) {
            return Some("`not` needs a reason");
        }
        match self.expect.outcome {
            Outcome::Refuse if self.expect.violations.is_none() => Some("a refusal must say its `violations`"),
            Outcome::Forward if self.expect.forwards.is_none() => Some("a forwarded request must say what it `forwards`"),
            Outcome::Refuse | Outcome::Forward | Outcome::Pass => None,
        }
    }

    /// Runs the case against a gate; one sentence for each difference.
    #[must_use]
    pub fn run(&self, gate: &Gate) -> Vec<String> {
        if let Some(fault) = self.fault() {
            return vec![fault.to_owned()];
        }
        let explanation = Explanation::of_request(gate, &self.request.head(), &self.request.octets(), true);
        self.expect.differences(&explanation)
    }
}

/// Latin-1: one character is one octet; what is beyond is written as UTF-8.
#[must_use]
pub fn octets(text: &str) -> Vec<u8> {
    let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    latin1.unwrap_or_else(|| text.as_bytes().to_vec())
}
