//! What the gate makes of one request, for people and for tests.
//!
//! One shape, four uses: `explain --format json` prints it, `tpc-gate test` and
//! the corpus compare it, the observe line logs it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ask;
use crate::client::ClientKind;
use crate::decision::{Decision, Forwarding, Judgement};
use crate::endpoint::Endpoint;
use crate::gate::Gate;
use crate::head::Head;
use crate::inspection::Inspection;
use crate::reading::Body;
use crate::rule::Rule;

/// What the gate would do with a request, and why.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Explanation {
    /// What happens to the request, whether or not the gate only observes.
    pub outcome: Outcome,
    /// Which endpoint the path is: `authorization`, `token`, or none of them.
    pub endpoint: Option<Cow<'static, str>>,
    /// The client that the request names, where the policy lists it.
    pub client_id: Option<String>,
    /// What kind of client that is.
    pub client_kind: Option<Cow<'static, str>>,
    /// Every violation found, in the order of the rule table.
    pub violations: Vec<Finding>,
    /// The OAuth error code of the answer.
    pub error: Option<Cow<'static, str>>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// What was granted to a request that is forwarded and names an API, or means one.
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
    pub id: Cow<'static, str>,
    /// RFC and section.
    pub citation: Cow<'static, str>,
    /// The parameter that it is about.
    pub parameter: Option<Cow<'static, str>>,
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
    /// See [`Explanation::granted`]; `null` expects nothing.
    #[serde(default, deserialize_with = "given")]
    pub granted: Option<Option<Granted>>,
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
#[expect(clippy::option_option, reason = "a case may expect null, or not look at the member at all")]
fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

impl Explanation {
    /// What becomes of a whole request: the same steps as in the proxy, without one.
    #[must_use]
    pub fn of_request(gate: &Gate, head: &Head, body: &[u8], shows_secrets: bool) -> Self {
        let judgement = match gate.inspect(head, body.is_empty()) {
            Inspection::Pass | Inspection::PassHost | Inspection::Ready => return Self::of_other(gate),
            Inspection::Judged(judgement) => *judgement,
            Inspection::Await(pending) => {
                let is_too_long = body.len() > pending.limit(gate);
                pending.complete(gate, head, if is_too_long { Body::TooLong } else { Body::Whole(body) })
            }
        };
        Self::shown(&judgement, gate, shows_secrets)
    }

    /// Explains a judged request; `shows_secrets` leaves codes, verifiers, tokens and secrets readable.
    fn shown(judgement: &Judgement, gate: &Gate, shows_secrets: bool) -> Self {
        let mut explanation = Self::of(judgement, gate);
        if let Decision::Forward(forwarding) = &judgement.decision {
            explanation.forwards = Some(Forwards::of(forwarding, shows_secrets));
        }
        explanation
    }

    /// Explains a judged request, but for what of it is forwarded.
    fn of(judgement: &Judgement, gate: &Gate) -> Self {
        let findings = judgement.breaches.iter().map(|breach| Finding {
            id: breach.violation.id().into(),
            citation: Rule::of(breach.violation).map(|rule| rule.citation).unwrap_or_default().into(),
            parameter: breach.parameter.map(Cow::Borrowed),
        });
        let mut explanation = Self {
            outcome: Outcome::Pass,
            endpoint: judgement.endpoint.and_then(name_of).map(Cow::Borrowed),
            client_id: judgement.client.as_ref().map(|client| client.id.clone()),
            client_kind: judgement.kind.map(|kind| kind.name().into()),
            violations: findings.collect(),
            error: None,
            status: None,
            granted: None,
            dropped: Vec::new(),
            forwards: None,
            revision: gate.policy.revision,
        };
        match &judgement.decision {
            Decision::Pass => {}
            Decision::Forward(forwarding) => {
                explanation.outcome = Outcome::Forward;
                explanation.dropped.clone_from(&forwarding.dropped);
                let ask::Granted { audience, scope } = forwarding.granted.clone();
                explanation.granted = audience.map(|audience| Granted { audience, scope: scope.unwrap_or_default() });
            }
            Decision::Refuse(refusal) => {
                let dialect = gate.settings.error_dialect;
                explanation.outcome = Outcome::Refuse;
                explanation.error = Some(refusal.breach.violation.error(refusal.endpoint, dialect).name().into());
                let status = if refusal.redirect.is_some() { 303 } else { refusal.breach.status(refusal.endpoint, dialect) };
                explanation.status = Some(status);
            }
        }
        explanation
    }

    /// What the gate makes of a request that is no endpoint's.
    fn of_other(gate: &Gate) -> Self {
        let judgement =
            Judgement { endpoint: None, kind: None, client: None, breaches: Vec::new(), decision: Decision::Pass, note: None };
        Self::of(&judgement, gate)
    }

    /// The log line: one for every refusal, and for every request that is not first-party.
    ///
    /// It carries ids, never values of the peer: no forwarded request, and of the
    /// dropped parameters only names that the gate knows.
    pub(crate) fn record(judgement: &Judgement, gate: &Gate, head: &Head) -> Option<String> {
        #[derive(Serialize)]
        struct Line<'a> {
            request_id: Option<&'a str>,
            #[serde(flatten)]
            explanation: &'a Explanation,
        }
        let is_first_party = matches!(judgement.kind, None | Some(ClientKind::FirstParty));
        if is_first_party && !matches!(judgement.decision, Decision::Refuse(_)) {
            return None;
        }
        let mut explanation = Self::of(judgement, gate);
        explanation.dropped.retain(|name| crate::parameters::is_known(name));
        serde_json::to_string(&Line { request_id: head.request_id(), explanation: &explanation }).ok()
    }
}

/// What the endpoint of a request is called: doors that are closed are one, and a
/// path that nobody listed is none.
fn name_of(endpoint: Endpoint) -> Option<&'static str> {
    match endpoint {
        Endpoint::Authorization | Endpoint::Refused | Endpoint::Token => Some(endpoint.name()),
        Endpoint::Registration => Some(Endpoint::Refused.name()),
        Endpoint::Unlisted => None,
    }
}

impl Forwards {
    fn of(forwarding: &Forwarding, shows_secrets: bool) -> Self {
        let printed = forwarding.parameters.print_with(|name, value| {
            let is_secret = SECRETS.contains(&name) && !shows_secrets;
            if is_secret { Cow::Borrowed("[redacted]") } else { Cow::Borrowed(value) }
        });
        let printed = printed.replace("%5Bredacted%5D", "[redacted]");
        let body = forwarding.body();
        let mut set: BTreeMap<String, String> =
            forwarding.headers(body.as_deref()).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if !shows_secrets && let Some(authorization) = set.get_mut("authorization") {
            "Basic [redacted]".clone_into(authorization);
        }
        let removed = forwarding.removed().to_vec();
        Self { target: forwarding.target_of(&printed), body: body.map(|_| printed), headers: HeaderChanges { set, removed } }
    }
}

/// Parameters whose values are nobody's to read.
const SECRETS: &[&str] = &["client_assertion", "client_secret", "code", "code_verifier", "refresh_token"];

impl Expectation {
    /// Compares with what is; gives back one sentence for each difference.
    #[must_use]
    pub fn differences(&self, actual: &Explanation) -> Vec<String> {
        let mut differences = Vec::new();
        let mut differ = |member: &str, expected: String, actual: String| {
            if expected != actual {
                differences.push(format!("{member}: expected {expected}, got {actual}"));
            }
        };
        let shown = |value: Option<&str>| value.unwrap_or("null").to_owned();
        differ("outcome", format!("{:?}", self.outcome), format!("{:?}", actual.outcome));
        for (member, expected, actual) in [
            ("endpoint", &self.endpoint, actual.endpoint.as_deref()),
            ("client_id", &self.client_id, actual.client_id.as_deref()),
            ("client_kind", &self.client_kind, actual.client_kind.as_deref()),
            ("error", &self.error, actual.error.as_deref()),
        ] {
            if let Some(expected) = expected {
                differ(member, shown(expected.as_deref()), shown(actual));
            }
        }
        if let Some(expected) = &self.status {
            differ("status", format!("{expected:?}"), format!("{:?}", actual.status));
        }
        if let Some(expected) = &self.violations {
            let found: Vec<&str> = actual.violations.iter().map(|finding| &*finding.id).collect();
            differ("violations", format!("{expected:?}"), format!("{found:?}"));
        }
        if let Some(expected) = &self.granted {
            differ("granted", format!("{expected:?}"), format!("{:?}", actual.granted));
        }
        if let Some(expected) = &self.dropped {
            differ("dropped", format!("{expected:?}"), format!("{:?}", actual.dropped));
        }
        if let Some(expected) = &self.forwards {
            let Some(actual) = &actual.forwards else {
                differ("forwards", "a request".to_owned(), "none".to_owned());
                return differences;
            };
            if let Some(target) = &expected.target {
                differ("forwards.target", target.clone(), actual.target.clone());
            }
            if let Some(body) = &expected.body {
                differ("forwards.body", body.clone(), shown(actual.body.as_deref()));
            }
            for (name, expected) in &expected.headers {
                let set = actual.headers.set.get(name).cloned();
                let is_removed = actual.headers.removed.contains(name);
                match expected {
                    Some(expected) => differ(&format!("forwards.headers.{name}"), expected.clone(), shown(set.as_deref())),
                    None if is_removed => {}
                    None => differ(&format!("forwards.headers.{name}"), "removed".to_owned(), shown(set.as_deref())),
                }
            }
        }
        differences
    }
}
