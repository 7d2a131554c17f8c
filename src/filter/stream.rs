//! One request and its answer.
//!
//! The end of a body may come with the headers, with a body call, with an empty
//! body call, or as trailers; each leads to the same `end_of_…`, in both
//! directions. Every callback is written out: the SDK's default lets pass.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};
use tpc_gate_policy::Body;
use tpc_gate_policy::counter::Counter;
use tpc_gate_policy::decision::Judgement;
use tpc_gate_policy::delivery::Change;
use tpc_gate_policy::effect::{Replacement, RequestEffect};
use tpc_gate_policy::endpoint::PATH_OVERRIDE_NAMES;
use tpc_gate_policy::exchange::Exchange;
use tpc_gate_policy::gate::Gate;
use tpc_gate_policy::head::Head;
use tpc_gate_policy::inspection::{Glance, Inspection, Pending};
use tpc_gate_policy::reply::{self, Reply};

use crate::hold::Overdue;
use crate::host;
use crate::shared::Shared;

/// One stream of the host.
pub(crate) struct Stream {
    id: u32,
    shared: Rc<Shared>,
    request: Request,
    answer: Answer,
    request_id: Option<String>,
}

/// Where the request is.
enum Request {
    /// Answered by us; nothing more of it counts.
    Answered,
    /// Nothing is to be done with it any more.
    GoesOn,
    /// Held until its body is there.
    Held { pending: Pending, head: Head, size: usize },
    /// Held although only the gate itself is asked: its body is the proof of holding.
    HeldForReadiness,
}

/// Where the answer is.
enum Answer {
    /// It is not judged.
    GoesOn,
    /// It will be judged.
    Expected(Exchange),
    /// Held until its body is there.
    Held { exchange: Exchange, head: Head, size: usize },
}

impl Stream {
    pub(crate) fn new(id: u32, shared: Rc<Shared>) -> Self {
        Self { id, shared, request: Request::GoesOn, answer: Answer::GoesOn, request_id: None }
    }

    fn hold(&mut self, request: Request) -> Action {
        self.request = request;
        self.shared.holds.hold(self.id, self.if_overdue());
        Action::Pause
    }

    fn answer(&mut self, answer: &Reply) -> Action {
        self.shared.holds.release(self.id);
        self.request = Request::Answered;
        host::reply(answer);
        Action::Pause
    }

    fn go_on(&mut self) -> Action {
        self.shared.holds.release(self.id);
        self.request = Request::GoesOn;
        Action::Continue
    }

    /// The body is there, with its first `size` octets held; or it is too long.
    fn end_of_request(&mut self, is_too_long: bool) -> Action {
        match std::mem::replace(&mut self.request, Request::GoesOn) {
            Request::Held { pending, head, size } => {
                let shared = Rc::clone(&self.shared);
                let Some(gate) = &shared.gate else { return self.answer(&reply::closed(&head)) };
                let octets = if is_too_long { Vec::new() } else { host::body(BufferType::HttpRequestBody, size) };
                let body = if is_too_long { Body::TooLong } else { Body::Whole(&octets) };
                let judgement = pending.complete(gate, &head, body);
                self.apply(&judgement, &head, size)
            }
            Request::HeldForReadiness => self.answer_readiness(),
            state @ Request::Answered => {
                self.request = state;
                Action::Pause
            }
            Request::GoesOn => Action::Continue,
        }
    }

    /// Notes that more of a held request came; what is to be done where the tick was faster.
    fn given_up(&mut self) -> Option<Action> {
        let is_held = matches!(self.request, Request::Held { .. } | Request::HeldForReadiness);
        if !is_held || self.shared.holds.body_came(self.id) {
            return None;
        }
        match self.if_overdue() {
            Overdue::Release => Some(self.go_on()),
            Overdue::Refuse => {
                self.request = Request::Answered;
                Some(Action::Pause)
            }
        }
    }

    /// What becomes of the request if its body does not come.
    fn if_overdue(&self) -> Overdue {
        let observes = self.shared.gate.as_ref().is_some_and(Gate::observes);
        if observes && matches!(self.request, Request::Held { .. }) { Overdue::Release } else { Overdue::Refuse }
    }

    fn answer_readiness(&mut self) -> Action {
        let reason = match self.shared.unready {
            Some(reason) => Some(reason),
            None if self.shared.holds.is_proved() => None,
            None => Some("no request body has come yet; POST one here to prove that the proxy holds requests"),
        };
        self.answer(&reply::readiness(reason))
    }

    /// Carries out what the core decided, in a fixed order.
    fn apply(&mut self, judgement: &Judgement, head: &Head, body_size: usize) -> Action {
        let shared = Rc::clone(&self.shared);
        let Some(gate) = &shared.gate else { return self.answer(&reply::closed(head)) };
        let effects = judgement.effects(gate, head);
        if let Some(record) = &effects.record {
            log::info!("{record}");
        }
        for counter in effects.counters {
            shared.counters.count(counter);
        }
        if let Some(path) = &effects.unclaimed {
            shared.counters.unclaimed(path);
        }
        if let Some(exchange) = effects.exchange {
            self.answer = Answer::Expected(exchange);
            self.request_id = head.request_id().map(str::to_owned);
        }
        match effects.request {
            RequestEffect::Continue => self.go_on(),
            RequestEffect::Replace(replacement) => {
                replace(&replacement, body_size);
                self.go_on()
            }
            RequestEffect::Reply(answer) => self.answer(&answer),
        }
    }

    /// The body of the answer is there; `None` where it is too long.
    fn end_of_answer(&mut self, body: Option<&[u8]>, size: usize) -> Action {
        let Answer::Held { exchange, head, .. } = std::mem::replace(&mut self.answer, Answer::GoesOn) else {
            return Action::Continue;
        };
        let shared = Rc::clone(&self.shared);
        let Some(gate) = &shared.gate else { return Action::Continue };
        let delivery = exchange.judge(gate, &head, body, self.request_id.as_deref());
        for counter in delivery.counters {
            self.shared.counters.count(counter);
        }
        match delivery.change {
            Change::AsIs => Action::Continue,
            Change::Replaced(answer) => {
                host::reply(&answer);
                Action::Pause
            }
            Change::Trimmed { set, removed, body } => {
                for name in removed {
                    host::remove_header(MapType::HttpResponseHeaders, name);
                }
                for (name, value) in &set {
                    host::set_header(MapType::HttpResponseHeaders, name, value);
                }
                if let Some(body) = body {
                    host::replace_body(BufferType::HttpResponseBody, size, &body);
                }
                Action::Continue
            }
        }
    }
}

/// Octets of a body at the readiness path: it is not read.
const READINESS_BODY: usize = 64 * 1024;

/// Rebuilds the request: headers, length and body together, or the next request
/// on the upstream's connection would begin inside this one.
fn replace(replacement: &Replacement, body_size: usize) {
    for name in &replacement.removed {
        host::remove_header(MapType::HttpRequestHeaders, name);
    }
    for (name, value) in &replacement.set {
        host::set_header(MapType::HttpRequestHeaders, name, value);
    }
    if let Some(body) = &replacement.body {
        host::replace_body(BufferType::HttpRequestBody, body_size, body);
    }
}

impl Context for Stream {
    fn on_done(&mut self) -> bool {
        self.shared.holds.release(self.id);
        true
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _num_headers: usize, end_of_stream: bool) -> Action {
        #[cfg(feature = "trap-for-tests")]
        trap();
        let shared = Rc::clone(&self.shared);
        let Some(gate) = &shared.gate else { return self.answer(&reply::closed(&host::request_head())) };
        let glance = || Glance {
            has_path_override: PATH_OVERRIDE_NAMES.iter().any(|name| host::request_header(name).is_some()),
            has_authorization: host::request_header("authorization").is_some(),
            has_body: !end_of_stream,
        };
        if host::request_header(":path").is_some_and(|target| gate.passes_at_a_glance(&target, glance)) {
            return Action::Continue;
        }
        let head = host::request_head();
        match gate.inspect(&head, end_of_stream) {
            Inspection::Pass => Action::Continue,
            Inspection::PassHost => {
                shared.counters.count(Counter::HostNotJudged);
                Action::Continue
            }
            Inspection::Await(pending) => self.hold(Request::Held { pending, head, size: 0 }),
            Inspection::Judged(judgement) => self.apply(&judgement, &head, 0),
            Inspection::Ready if end_of_stream => self.answer_readiness(),
            Inspection::Ready => self.hold(Request::HeldForReadiness),
        }
    }

    fn on_http_request_body(&mut self, body_size: usize, end_of_stream: bool) -> Action {
        if matches!(self.request, Request::GoesOn) {
            return Action::Continue;
        }
        if let Some(action) = self.given_up() {
            return action;
        }
        let mut limit = READINESS_BODY;
        if let Request::Held { size, pending, .. } = &mut self.request {
            *size = body_size;
            limit = self.shared.gate.as_ref().map_or(0, |gate| pending.limit(gate));
        }
        if body_size > limit {
            return self.end_of_request(true);
        }
        if end_of_stream { self.end_of_request(false) } else { Action::Pause }
    }

    fn on_http_request_trailers(&mut self, _num_trailers: usize) -> Action {
        if let Some(action) = self.given_up() {
            return action;
        }
        let was_held = matches!(self.request, Request::Held { .. });
        let action = self.end_of_request(false);
        // Some servers merge trailers into the headers; a rebuilt request has none.
        if was_held && matches!(self.answer, Answer::Expected(_)) {
            host::remove_request_trailers();
        }
        action
    }

    fn on_http_response_headers(&mut self, _num_headers: usize, end_of_stream: bool) -> Action {
        let exchange = match std::mem::replace(&mut self.answer, Answer::GoesOn) {
            Answer::Expected(exchange) => exchange,
            other => {
                self.answer = other;
                return Action::Continue;
            }
        };
        if !host::answer_is_the_upstreams() {
            return Action::Continue;
        }
        let ends_here = end_of_stream || !exchange.needs_body();
        self.answer = Answer::Held { exchange, head: host::response_head(), size: 0 };
        if ends_here { self.end_of_answer(Some(&[]), 0) } else { Action::Pause }
    }

    fn on_http_response_body(&mut self, body_size: usize, end_of_stream: bool) -> Action {
        let Answer::Held { size, .. } = &mut self.answer else { return Action::Continue };
        *size = body_size;
        if body_size > Exchange::BODY_LIMIT {
            return self.end_of_answer(None, body_size);
        }
        if !end_of_stream {
            return Action::Pause;
        }
        let body = host::body(BufferType::HttpResponseBody, body_size);
        self.end_of_answer(Some(&body), body_size)
    }

    fn on_http_response_trailers(&mut self, _num_trailers: usize) -> Action {
        let Answer::Held { size, .. } = self.answer else { return Action::Continue };
        let body = host::body(BufferType::HttpResponseBody, size);
        self.end_of_answer(Some(&body), size)
    }

    fn on_log(&mut self) {}
}

/// Traps where a test asks for it.
#[cfg(feature = "trap-for-tests")]
fn trap() {
    assert!(host::request_header("x-tpc-trap").is_none(), "trapped on purpose");
}
