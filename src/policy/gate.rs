//! The gate: settings and policy, and the way of a request through them.

use std::rc::Rc;

use crate::authentication::BasicCredentials;
use crate::authorization::{self, AuthorizationRequest};
use crate::client::{Client, ClientKind, Clients};
use crate::decision::{Decision, Forwarding, Judgement, Redirect, Refusal};
use crate::endpoint::{Endpoint, Place};
use crate::grammar::canonical_scope;
use crate::head::{Field, Head};
use crate::mention::Mentions;
use crate::parameters::Parameters;
use crate::reading::{Body, Reading};
use crate::rule;
use crate::settings::Settings;
use crate::token::{self, TokenRequest};
use crate::violation::{Breach, Violation};

/// What the gate enforces.
#[derive(Debug, Default)]
pub struct Policy {
    /// The revision of the document; `None` before there is a valid one.
    pub revision: Option<u64>,
    /// The clients that it lists.
    pub clients: Clients,
}

/// Settings and policy of one gate.
#[derive(Debug)]
pub struct Gate {
    /// Where the gate stands.
    pub settings: Settings,
    /// What it enforces.
    pub policy: Policy,
}

/// What is known after the head of a request.
#[derive(Debug)]
pub enum Inspection {
    /// Nothing of ours: it goes on untouched.
    Pass,
    /// Its host is not one that the gate judges: it goes on untouched, and is counted.
    PassHost,
    /// The whole body is needed; until then not one byte goes on.
    Await(Pending),
    /// Decided.
    Judged(Box<Judgement>),
    /// The gate itself is asked whether it is ready.
    Ready,
}

/// A request whose body has to come first: where it goes, as its head says.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    place: Place,
    endpoint: Endpoint,
}

impl Pending {
    /// Judges the request, now that its body is there or known to be too long.
    #[must_use]
    pub fn complete(self, gate: &Gate, head: &Head, body: Body<'_>) -> Judgement {
        gate.judge(head, self.place, self.endpoint, body)
    }
}

impl Gate {
    /// Whether a request is nothing of ours, by its target and whether some header
    /// could replace it: most requests are, and need not be read any further.
    #[must_use]
    pub fn passes_at_a_glance(&self, target: &[u8], has_path_override: bool) -> bool {
        let path = target.split(|&byte| byte == b'?').next().unwrap_or_default();
        let is_ready_path = self.settings.ready_path.as_ref().is_some_and(|ready| ready.as_bytes() == path);
        // Requests for other hosts are counted, so their head is read.
        self.policy.revision.is_some()
            && self.settings.hosts.is_empty()
            && !is_ready_path
            && !has_path_override
            && self.settings.endpoints.place_of(path) == Place::Elsewhere
    }

    /// What is to be done after the head of a request.
    #[must_use]
    pub fn inspect(&self, head: &Head, ends_with_head: bool) -> Inspection {
        if self.settings.ready_path.as_ref().is_some_and(|path| path.as_bytes() == head.path()) {
            return Inspection::Ready;
        }
        if !self.settings.judges_host(head.host().as_deref()) {
            return Inspection::PassHost;
        }
        let place = self.settings.endpoints.place(head);
        let Some(endpoint) = place.endpoint() else {
            return self.inspect_elsewhere(head);
        };
        // What the head alone refuses is not held: its body may never come.
        let is_settled = self.policy.revision.is_none() || self.head_refuses(head, place);
        if ends_with_head || is_settled {
            return Inspection::Judged(Box::new(self.judge(head, place, endpoint, Body::Whole(&[]))));
        }
        Inspection::Await(Pending { place, endpoint })
    }

    /// Before there is a policy, ids that are strict by form are refused on every path.
    fn inspect_elsewhere(&self, head: &Head) -> Inspection {
        if self.policy.revision.is_some() {
            return Inspection::Pass;
        }
        let mentions = Mentions::read(head, &[]);
        let kinds = mentions.clients.iter().map(|client| self.policy.clients.recognise(client).kind());
        match kinds.min() {
            Some(kind) if kind <= ClientKind::Strict => {
                Inspection::Judged(Box::new(Judgement::refused(Violation::PolicyUnavailable.into(), None, Some(kind), None)))
            }
            Some(_) | None => Inspection::Pass,
        }
    }

    fn head_refuses(&self, head: &Head, place: Place) -> bool {
        let limits = &self.settings.limits;
        matches!(place, Place::Ambiguous(_))
            || head.get(Field::Upgrade).is_some()
            || head.method() == b"CONNECT"
            || head.path().len() > limits.path
            || head.query().is_some_and(|query| query.len() > limits.query)
    }

    fn judge(&self, head: &Head, place: Place, endpoint: Endpoint, body: Body<'_>) -> Judgement {
        if self.policy.revision.is_none() {
            return Judgement::refused(Violation::PolicyUnavailable.into(), Some(endpoint), None, None);
        }
        let reading = Reading::new(&self.settings, &self.policy.clients, head, place, endpoint, body);
        let breaches = rule::identify(&reading);
        let (kind, client) = (reading.kind(), reading.client().map(Rc::clone));
        if let Some(&breach) = breaches.first() {
            let decision = Decision::Refuse(Refusal { breach, endpoint: Some(endpoint), redirect: None });
            return Judgement { endpoint: Some(endpoint), kind, client, breaches, decision };
        }
        if !reading.is_strict() {
            return Judgement { endpoint: Some(endpoint), kind, client, breaches, decision: Decision::Pass };
        }
        let Some(strict) = &client else {
            // Identification has refused an unlisted one already; should it ever not, this is closed.
            return Judgement::refused(Violation::ClientUnlisted.into(), Some(endpoint), kind, None);
        };
        let basic = reading.basic();
        let parameters = reading.into_parameters();
        let (breaches, decision) = match endpoint {
            Endpoint::Authorization => judge_authorization(head, strict, parameters),
            Endpoint::Token => judge_token(head, strict, parameters, basic),
        };
        Judgement { endpoint: Some(endpoint), kind, client, breaches, decision }
    }
}

fn judge_authorization(head: &Head, client: &Client, mut parameters: Parameters) -> (Vec<Breach>, Decision) {
    let request = AuthorizationRequest::new(client, &parameters);
    let breaches = rule::judge_authorization(&request);
    let redirect_uri = request.redirect_uri;
    if let Some(&breach) = breaches.first() {
        let redirect = redirect_uri
            .filter(|_| client.errors_are_redirected)
            .map(|to| Redirect { to, state: parameters.get("state").map(str::to_owned) });
        return (breaches, Decision::Refuse(Refusal { breach, endpoint: Some(Endpoint::Authorization), redirect }));
    }
    if let Some(uri) = redirect_uri {
        parameters.set("redirect_uri", uri.as_str().to_owned());
    }
    spell_scope_once(&mut parameters);
    let dropped = parameters.keep(authorization::FORWARDED);
    let forwarding = Forwarding::new(Endpoint::Authorization, head, parameters, dropped, None);
    (breaches, Decision::Forward(Box::new(forwarding)))
}

fn judge_token(
    head: &Head,
    client: &Client,
    mut parameters: Parameters,
    basic: Option<BasicCredentials>,
) -> (Vec<Breach>, Decision) {
    let breaches = rule::judge_token(&TokenRequest { client, parameters: &parameters, basic: basic.as_ref() });
    if let Some(&breach) = breaches.first() {
        return (breaches, Decision::Refuse(Refusal { breach, endpoint: Some(Endpoint::Token), redirect: None }));
    }
    spell_scope_once(&mut parameters);
    let dropped = parameters.keep(token::FORWARDED);
    let authorization = basic.map(|credentials| credentials.print());
    let forwarding = Forwarding::new(Endpoint::Token, head, parameters, dropped, authorization);
    (breaches, Decision::Forward(Box::new(forwarding)))
}

fn spell_scope_once(parameters: &mut Parameters) {
    if let Some(scope) = parameters.get("scope").map(canonical_scope) {
        parameters.set("scope", scope);
    }
}

impl Judgement {
    /// A refusal for the state of the gate itself.
    #[must_use]
    pub fn refused(breach: Breach, endpoint: Option<Endpoint>, kind: Option<ClientKind>, client: Option<Rc<Client>>) -> Self {
        Self {
            endpoint,
            kind,
            client,
            breaches: vec![breach],
            decision: Decision::Refuse(Refusal { breach, endpoint, redirect: None }),
        }
    }
}
