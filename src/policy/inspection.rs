//! The way of a request through the gate.

use std::rc::Rc;

use crate::authentication::BasicCredentials;
use crate::authorization::{self, AuthorizationRequest};
use crate::client::{Client, ClientKind, GrantType};
use crate::decision::{Decision, Forwarding, Judgement, Note, Redirect, Refusal};
use crate::endpoint::{Endpoint, Place};
use crate::gate::Gate;
use crate::head::{Field, Head};
use crate::mention::Mentions;
use crate::parameters::Parameters;
use crate::reading::{Body, Reading};
use crate::rule;
use crate::settings::{BeforePolicy, Consent};
use crate::token::{self, TokenRequest};
use crate::violation::{Breach, Violation};

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
    /// How much of the body is held; of a longer one nothing is read.
    #[must_use]
    pub fn limit(self, gate: &Gate) -> usize {
        let limits = &gate.settings.limits;
        if self.endpoint.is_judged() { limits.body } else { limits.unlisted_body }
    }

    /// Judges the request, now that its body is there or known to be too long.
    #[must_use]
    pub fn complete(self, gate: &Gate, head: &Head, body: Body<'_>) -> Judgement {
        gate.judge(head, self.place, self.endpoint, body)
    }
}

/// What a glance at a request shows, without reading its head.
#[derive(Clone, Copy, Debug, Default)]
pub struct Glance {
    /// Some header could replace the path (see [`PATH_OVERRIDE_NAMES`](crate::endpoint::PATH_OVERRIDE_NAMES)).
    pub has_path_override: bool,
    /// There are credentials, which may name a client.
    pub has_authorization: bool,
    /// There is a body, which may be a form.
    pub has_body: bool,
}

impl Gate {
    /// Whether a request is nothing of ours, by its target and a glance at the rest:
    /// most requests are, and need not be read any further.
    #[must_use]
    pub fn passes_at_a_glance(&self, target: &[u8], glance: impl FnOnce() -> Glance) -> bool {
        let mut parts = target.splitn(2, |&byte| byte == b'?');
        let path = parts.next().unwrap_or_default();
        let is_ready_path = self.settings.ready_path.as_ref().is_some_and(|ready| ready.as_bytes() == path);
        // Requests for other hosts are counted, so their head is read.
        self.policy.revision.is_some()
            && self.settings.hosts.is_empty()
            && !is_ready_path
            && !parts.next().is_some_and(Mentions::may_be_in)
            && self.settings.endpoints.place_of(path) == Place::Elsewhere
            && matches!(glance(), Glance { has_path_override: false, has_authorization: false, has_body: false })
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
        let endpoint = place.endpoint().unwrap_or(Endpoint::Unlisted);
        // What the head alone settles is not held: its body may never come.
        let needs_body = match endpoint {
            _ if ends_with_head => false,
            Endpoint::Unlisted | Endpoint::Refused if head.opens_a_websocket() => false,
            Endpoint::Unlisted => head.may_be_form(),
            Endpoint::Refused | Endpoint::Registration => true,
            Endpoint::Authorization | Endpoint::Token => !self.head_refuses(head, place) && !self.is_closed(),
        };
        let pending = Pending { place, endpoint };
        // Held in part, a long body that comes fast would be too much for the proxy's own buffer.
        if needs_body && endpoint == Endpoint::Unlisted && head.body_is_longer_than(pending.limit(self)) {
            return Inspection::Judged(Box::new(self.judge(head, place, endpoint, Body::TooLong)));
        }
        if needs_body && endpoint.is_judged() {
            return Inspection::Await(pending);
        }
        let judgement = self.judge(head, place, endpoint, Body::Whole(&[]));
        if needs_body && judgement.goes_on() {
            return Inspection::Await(pending);
        }
        if endpoint == Endpoint::Unlisted && judgement.goes_on() && judgement.note.is_none() {
            return Inspection::Pass;
        }
        Inspection::Judged(Box::new(judgement))
    }

    /// Whether judged endpoints refuse everybody: there is no policy yet.
    fn is_closed(&self) -> bool {
        self.policy.revision.is_none() && self.settings.before_policy == BeforePolicy::Refuse
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
        if endpoint.is_judged() { self.judge_request(head, place, endpoint, body) } else { self.judge_door(head, endpoint, body) }
    }

    /// Judges a request to an authorization or token endpoint.
    fn judge_request(&self, head: &Head, place: Place, endpoint: Endpoint, body: Body<'_>) -> Judgement {
        let reading = Reading::new(self, head, place, endpoint, body);
        if let Some(refused) = self.before_policy(&reading) {
            return refused;
        }
        let breaches = rule::identify(&reading);
        let (kind, client) = (reading.kind(), reading.client().map(Rc::clone));
        if let Some(&breach) = breaches.first() {
            let decision = Decision::Refuse(Refusal { breach, endpoint: Some(endpoint), redirect: None });
            return Judgement { endpoint: Some(endpoint), kind, client, breaches, decision, note: None };
        }
        if !reading.is_strict() {
            return Judgement { endpoint: Some(endpoint), kind, client, breaches, decision: Decision::Pass, note: None };
        }
        let Some(strict) = &client else {
            // Identification has refused an unlisted one already; should it ever not, this is closed.
            return Judgement::refused(Violation::ClientUnlisted.into(), Some(endpoint), kind, None);
        };
        let basic = reading.basic();
        let parameters = reading.into_parameters();
        let (breaches, decision) = if endpoint == Endpoint::Token {
            self.judge_token(head, strict, parameters, basic)
        } else {
            self.judge_authorization(head, strict, parameters)
        };
        Judgement { endpoint: Some(endpoint), kind, client, breaches, decision, note: None }
    }

    /// Judges a request to a door. On an unlisted path only what acts like a request
    /// to an endpoint is anybody's business.
    fn judge_door(&self, head: &Head, endpoint: Endpoint, body: Body<'_>) -> Judgement {
        let reading = Reading::of_door(self, head, endpoint, body);
        if let Some(refused) = self.before_policy(&reading) {
            return refused;
        }
        let names_protected = reading.names_a_protected_client();
        let is_of_interest = endpoint != Endpoint::Unlisted || reading.claims_a_door() || reading.gave_up();
        let breaches = if is_of_interest { rule::identify(&reading) } else { Vec::new() };
        let (kind, client) = (reading.kind(), reading.client().map(Rc::clone));
        if let Some(&breach) = breaches.first() {
            let decision = Decision::Refuse(Refusal { breach, endpoint: Some(endpoint), redirect: None });
            return Judgement { endpoint: Some(endpoint), kind, client, breaches, decision, note: None };
        }
        let note = match body {
            Body::TooLong => Some(Note::ReleasedUnread),
            Body::Whole(_) => (names_protected && endpoint == Endpoint::Unlisted).then_some(Note::Unclaimed),
        };
        Judgement { endpoint: Some(endpoint), kind: None, client: None, breaches, decision: Decision::Pass, note }
    }

    /// Before there is a policy, ids that are strict by form are refused on every path,
    /// and others at judged endpoints unless the settings let them pass (design, decision 12).
    fn before_policy(&self, reading: &Reading<'_>) -> Option<Judgement> {
        if self.policy.revision.is_some() {
            return None;
        }
        let refuses_others = reading.endpoint.is_judged() && self.is_closed();
        let is_refused = reading.names_a_protected_client() || reading.gave_up() || refuses_others;
        let kind = reading.kind().filter(|kind| *kind <= ClientKind::Strict);
        is_refused.then(|| Judgement::refused(Violation::PolicyUnavailable.into(), Some(reading.endpoint), kind, None))
    }

    fn judge_authorization(&self, head: &Head, client: &Client, mut parameters: Parameters) -> (Vec<Breach>, Decision) {
        let request = AuthorizationRequest::new(self, client, &parameters);
        let breaches = rule::judge_authorization(&request);
        let granted = request.ask.granted(&self.policy);
        let redirect_uri = request.redirect_uri;
        if let Some(&breach) = breaches.first() {
            let redirect = redirect_uri
                .filter(|_| client.errors_are_redirected && !authorization::is_credential(breach))
                .map(|to| Redirect { to, state: parameters.get("state").map(str::to_owned) });
            return (breaches, Decision::Refuse(Refusal { breach, endpoint: Some(Endpoint::Authorization), redirect }));
        }
        if let Some(uri) = redirect_uri {
            parameters.set("redirect_uri", uri.as_str().to_owned());
        }
        let adds_consent = self.settings.consent == Consent::Always;
        let prompt = authorization::canonical_prompt(parameters.get("prompt").unwrap_or_default(), adds_consent);
        parameters.set("prompt", prompt);
        let connection = parameters.get("connection").or_else(|| self.policy.connections.only()).map(str::to_owned);
        let dropped = parameters.keep(authorization::FORWARDED);
        if let (Some(name), Some(connection)) = (self.settings.connection_parameter, connection) {
            parameters.set("connection", String::new());
            parameters.set(name, connection);
        }
        granted.speak(self.settings.audience_parameter, &mut parameters);
        translate(client, &mut parameters);
        let forwarding = Forwarding::new(Endpoint::Authorization, head, parameters, dropped, None, granted);
        (breaches, Decision::Forward(Box::new(forwarding)))
    }

    fn judge_token(
        &self,
        head: &Head,
        client: &Client,
        mut parameters: Parameters,
        basic: Option<BasicCredentials>,
    ) -> (Vec<Breach>, Decision) {
        let has_attestation = head.get(Field::OauthClientAttestation).is_some();
        let request = TokenRequest::new(self, client, &parameters, basic.as_ref(), has_attestation);
        let breaches = rule::judge_token(&request);
        let granted = request.ask.as_ref().map(|ask| ask.granted(&self.policy)).unwrap_or_default();
        let refused = |breach| Decision::Refuse(Refusal { breach, endpoint: Some(Endpoint::Token), redirect: None });
        if let Some(&breach) = breaches.first() {
            return (breaches, refused(breach));
        }
        let Some(grant) = parameters.get("grant_type").and_then(GrantType::parse) else {
            // A rule has refused it already; should it ever not, this is closed.
            let breach = Violation::GrantTypeNotAllowed.into();
            return (vec![breach], refused(breach));
        };
        if grant == GrantType::AuthorizationCode
            && let Some(uri) = client.redirect_uris.resolve(parameters.get("redirect_uri"))
        {
            parameters.set("redirect_uri", uri.as_str().to_owned());
        }
        let dropped = parameters.keep(&token::forwarded(grant));
        granted.speak(self.settings.audience_parameter, &mut parameters);
        translate(client, &mut parameters);
        // Under its own name in one spelling: some servers decode `Basic`, and some do not.
        let basic = basic.map(|credentials| match &client.upstream_id {
            Some(alias) => credentials.for_client(alias),
            None if credentials.raw_client_id != credentials.client_id => credentials.for_client(&client.id),
            None => credentials,
        });
        let authorization = basic.map(|credentials| credentials.print());
        let forwarding = Forwarding::new(Endpoint::Token, head, parameters, dropped, authorization, granted);
        (breaches, Decision::Forward(Box::new(forwarding)))
    }
}

/// Names the client as the identity provider knows it.
fn translate(client: &Client, parameters: &mut Parameters) {
    if let Some(alias) = &client.upstream_id
        && parameters.get("client_id").is_some()
    {
        parameters.set("client_id", alias.clone());
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
            note: None,
        }
    }

    /// Whether the request goes on.
    pub(crate) fn goes_on(&self) -> bool {
        !matches!(self.decision, Decision::Refuse(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    #[test]
    fn the_one_domain_connection_is_asked_for_where_the_preset_has_a_parameter_for_it() {
        let policy = br#"{"format":1,"revision":1,
            "resource_servers":[{"identifier":"https://api.example"}],
            "clients":[{"client_id":"tpc_a","callbacks":["https://a.example/cb"]}],
            "client_grants":[{"default_for":"third_party_clients","audience":"https://api.example","scope":[],"subject_type":"user"}],
            "connections":[{"name":"google","is_domain_connection":true},{"name":"staff"}]}"#;
        let mut settings = document::generic("https://login.example");
        let policy = document::load_policy(policy, &settings).0.unwrap();
        settings.connection_parameter = Some("kc_idp_hint");
        let gate = Gate { settings, policy };
        let target = "/authorize?client_id=tpc_a&response_type=code&code_challenge_method=S256&\
            code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let forwarded = |query: &str| {
            let head = Head::new([(":method", "GET"), (":path", &format!("{target}{query}")), (":scheme", "https")]);
            match gate.inspect(&head, true) {
                Inspection::Judged(judgement) => match judgement.decision {
                    Decision::Forward(forwarding) => forwarding.target(),
                    other => format!("{other:?}"),
                },
                other => format!("{other:?}"),
            }
        };
        for query in ["", "&connection=google", "&kc_idp_hint=staff", "&connection=google&kc_idp_hint=staff"] {
            let forwarded = forwarded(query);
            assert!(forwarded.contains("&kc_idp_hint=google&"), "{query}: {forwarded}");
            assert!(!forwarded.contains("connection=") && !forwarded.contains("staff"), "{query}: {forwarded}");
        }
        assert!(forwarded("&connection=staff").contains("ConnectionNotAllowed"));
    }
}
