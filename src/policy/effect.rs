//! Effects: what the adapter is to do, as data.

use crate::counter::Counter;
use crate::decision::{Decision, Judgement, Note};
use crate::exchange::Exchange;
use crate::explanation::Explanation;
use crate::gate::Gate;
use crate::head::Head;
use crate::path;
use crate::reply::{self, Reply};

/// What to do with a judged request.
#[derive(Debug)]
pub struct Effects {
    /// What happens to the request.
    pub request: RequestEffect,
    /// One line of JSON for the log, at `info`.
    pub record: Option<String>,
    /// What is counted.
    pub counters: Vec<Counter>,
    /// A path that names a strict client, to be counted and logged once; empty where it cannot be shown.
    pub unclaimed: Option<String>,
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
    pub removed: Vec<String>,
    /// The body; `None` where there is none.
    pub body: Option<String>,
}

impl Judgement {
    /// Turns the decision into effects. Rules never know whether they are
    /// observed or enforced: here, and only here, the mode counts.
    #[must_use]
    pub fn effects(&self, gate: &Gate, head: &Head) -> Effects {
        let observes = gate.observes();
        let mut counters = Vec::new();
        if observes {
            counters.extend(self.breaches.iter().map(|breach| Counter::Observed(breach.violation)));
        }
        let unclaimed = match self.note {
            Some(Note::ReleasedUnread) => {
                counters.push(Counter::ReleasedUnread);
                None
            }
            Some(Note::Unclaimed) => Some(path::shown(head.path())),
            None => None,
        };
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
                RequestEffect::Reply(reply::refusal(refusal, head, &gate.settings))
            }
        };
        let exchange = if observes { None } else { Exchange::after(self, &gate.settings, head) };
        Effects { request, record: Explanation::record(self, gate, head), counters, unclaimed, exchange }
    }
}
