//! What the gate makes of one request, for people and for tests.
//!
//! One shape, four uses: `explain --format json` prints it, `tpc-gate test` and
//! the corpus compare it, the observe line logs it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the gate would do with a request, and why.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Explanation {
    /// What happens to the request, whether or not the gate only observes.
    pub outcome: Outcome,
    /// Which endpoint the path is: `authorization`, `token`, or none of them.
    pub endpoint: Option<String>,
    /// The client that the request names, where the policy lists it.
    pub client_id: Option<String>,
    /// What kind of client that is.
    pub client_kind: Option<String>,
    /// Every violation found, in the order of the rule table.
    pub violations: Vec<Finding>,
    /// The OAuth error code of the answer.
    pub error: Option<String>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// What was granted; nothing before client grants are judged.
    pub granted: Option<Granted>,
    /// Names of parameters that are not forwarded.
    pub dropped: Vec<String>,
    /// The request as the upstream gets it, where it is rebuilt.
    pub forwards: Option<Forwards>,
    /// The revision of the policy that judged.
    pub revision: Option<u64>,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Forwarded untouched.
    Pass,
    /// Rebuilt from parsed values and forwarded.
    Forward,
    /// Answered here; the upstream sees no byte.
    Refuse,
}

/// One violation, as shown.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// The id of the rule.
    pub id: String,
    /// RFC and section.
    pub citation: String,
    /// The parameter that it is about.
    pub parameter: Option<String>,
}

/// An audience and the scopes granted for it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Granted {
    /// The API.
    pub audience: String,
    /// The scopes.
    pub scope: Vec<String>,
}

/// The rebuilt request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Forwards {
    /// `:path` with its query.
    pub target: String,
    /// The body, if it is rebuilt.
    pub body: Option<String>,
    /// What changes in the headers.
    pub headers: HeaderChanges,
}

/// Changes to a header list.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct HeaderChanges {
    /// Headers that get exactly this value.
    pub set: BTreeMap<String, String>,
    /// Headers that the request had and that are taken out.
    pub removed: Vec<String>,
}

/// What a case expects of an [`Explanation`]: members that are absent are not compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// See [`Explanation::outcome`].
    pub outcome: Outcome,
    /// See [`Explanation::endpoint`]; `null` expects none.
    #[serde(default, deserialize_with = "given")]
    pub endpoint: Option<Option<String>>,
    /// See [`Explanation::client_id`]; `null` expects none.
    #[serde(default, deserialize_with = "given")]
    pub client_id: Option<Option<String>>,
    /// See [`Explanation::client_kind`]; `null` expects none.
    #[serde(default, deserialize_with = "given")]
    pub client_kind: Option<Option<String>>,
    /// The ids of [`Explanation::violations`], all of them, in order.
    #[serde(default)]
    pub violations: Option<Vec<String>>,
    /// See [`Explanation::error`]; `null` expects none.
    #[serde(default, deserialize_with = "given")]
    pub error: Option<Option<String>>,
    /// See [`Explanation::status`]; `null` expects none.
    #[serde(default, deserialize_with = "given")]
    pub status: Option<Option<u16>>,
    /// See [`Explanation::dropped`].
    #[serde(default)]
    pub dropped: Option<Vec<String>>,
    /// See [`Explanation::forwards`].
    #[serde(default)]
    pub forwards: Option<ExpectedForwards>,
}

/// What a case expects of [`Forwards`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedForwards {
    /// See [`Forwards::target`].
    pub target: Option<String>,
    /// See [`Forwards::body`].
    pub body: Option<String>,
    /// Headers that the upstream gets with exactly this value, or (null) does not get.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
}

/// Tells `null` (`Some(None)`) from absent (`None`).
fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
