//! Effects: what the adapter is to do, as data.

use crate::answer::Exchange;
use crate::decision::{Decision, Judgement};
use crate::explanation::Explanation;
use crate::gate::Gate;
use crate::head::Head;
use crate::reply;
use crate::settings::Enforcement;
use crate::violation::Violation;

/// What to do with a judged request.
#[derive(Debug)]
pub struct Effects {
    /// What happens to the request.
    pub request: RequestEffect,
    /// One line of JSON for the log, at `info`.
    pub record: Option<String>,
    /// What is counted.
    pub counters: Vec<Counter>,
    /// What the answer is judged by.
    pub exchange: Option<Exchange>,
}

/// What happens to the request.
#[derive(Debug)]
pub enum RequestEffect {
    /// It goes on as it came.
    Continue,
    /// It goes on rebuilt.
    Replace(Replacement),
    /// It is answered here.
    Reply(Reply),
}

/// The rebuilt parts of a request.
#[derive(Debug)]
pub struct Replacement {
    /// Headers, `:path` among them, that get exactly these values.
    pub set: Vec<(&'static str, String)>,
    /// Headers that are taken out.
    pub removed: Vec<&'static str>,
    /// The body; `None` where there is none.
    pub body: Option<String>,
}

/// An answer of the gate's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Header lines.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// Something that is counted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Counter {
    /// A breach in the answer to a strict client.
    Answer(Violation),
    /// A request that was rebuilt and forwarded.
    Forwarded,
    /// A request for a host that the gate does not judge.
    HostNotJudged,
    /// A breach that would have been refused, had the gate not only observed.
    Observed(Violation),
    /// A refused request, by its first breach.
    Refused(Violation),
}

impl Counter {
    /// The name of the counter, of the gate `gate`.
    #[must_use]
    pub fn name(self, gate: &str) -> String {
        match self {
            Self::Answer(violation) => format!("tpc_gate.{gate}.answer.rule.{}", violation.id()),
            Self::Forwarded => format!("tpc_gate.{gate}.forwarded"),
            Self::HostNotJudged => format!("tpc_gate.{gate}.host_not_judged"),
            Self::Observed(violation) => format!("tpc_gate.{gate}.observed.rule.{}", violation.id()),
            Self::Refused(violation) => format!("tpc_gate.{gate}.refused.rule.{}", violation.id()),
        }
    }
}

impl Judgement {
    /// Turns the decision into effects. Rules never know whether they are
    /// observed or enforced: here, and only here, the mode counts.
    #[must_use]
    pub fn effects(&self, gate: &Gate, head: &Head) -> Effects {
        let observes = gate.settings.enforcement == Enforcement::Observe;
        let mut counters = Vec::new();
        if observes {
            counters.extend(self.breaches.iter().map(|breach| Counter::Observed(breach.violation)));
        }
        let request = match &self.decision {
            _ if observes => RequestEffect::Continue,
            Decision::Pass => RequestEffect::Continue,
            Decision::Forward(forwarding) => {
                counters.push(Counter::Forwarded);
                let body = forwarding.body();
                let mut set = forwarding.headers(body.as_deref());
                set.push((":path", forwarding.target()));
                RequestEffect::Replace(Replacement { set, removed: forwarding.removed().to_vec(), body })
            }
            Decision::Refuse(refusal) => {
                counters.push(Counter::Refused(refusal.breach.violation));
                RequestEffect::Reply(reply::refusal(refusal, head, &gate.settings.issuer))
            }
        };
        let exchange = if observes { None } else { Exchange::after(self) };
        Effects { request, record: Explanation::record(self, gate, head), counters, exchange }
    }
}
