//! The way back: what becomes of the upstream's answer.

use std::rc::Rc;

use crate::answer::{AuthorizationAnswer, TokenAnswer};
use crate::ask::Granted;
use crate::client::{Client, GrantType};
use crate::counter::Counter;
use crate::decision::{Decision, Judgement};
use crate::endpoint::Endpoint;
use crate::gate::Gate;
use crate::head::{Field, Head};
use crate::reply::{self, Reply};
use crate::rule;
use crate::settings::{Settings, TokenAudience};
use crate::violation::{Breach, Violation};

/// What a request left behind for its answer.
#[derive(Clone, Debug)]
pub enum Exchange {
    /// An authorization request.
    Authorization(Box<AuthorizationExchange>),
    /// A token request.
    Token(Box<TokenExchange>),
}

/// What an authorization request left behind.
#[derive(Clone, Debug)]
pub struct AuthorizationExchange {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) errors_are_redirected: bool,
    /// The identity provider's own hosts.
    pub(crate) hosts: Vec<String>,
    is_page: bool,
}

/// What a token request left behind.
#[derive(Clone, Debug)]
pub struct TokenExchange {
    pub(crate) client: Rc<Client>,
    pub(crate) grant: GrantType,
    pub(crate) granted: Granted,
}

impl Exchange {
    /// The longest answer that is judged; a longer one is not delivered.
    pub const BODY_LIMIT: usize = 256 * 1024;

    /// What a judged request leaves behind; nothing where its answer is not judged.
    #[must_use]
    pub fn after(judgement: &Judgement, settings: &Settings, head: &Head) -> Option<Self> {
        let Decision::Forward(forwarding) = &judgement.decision else { return None };
        let client = judgement.client.as_ref()?;
        let parameters = &forwarding.parameters;
        if forwarding.endpoint == Endpoint::Token {
            let grant = GrantType::parse(parameters.get("grant_type")?)?;
            let granted = forwarding.granted.clone();
            return Some(Self::Token(Box::new(TokenExchange { client: Rc::clone(client), grant, granted })));
        }
        Some(Self::Authorization(Box::new(AuthorizationExchange {
            redirect_uri: parameters.get("redirect_uri").unwrap_or_default().to_owned(),
            state: parameters.get("state").map(str::to_owned),
            errors_are_redirected: client.errors_are_redirected,
            hosts: head.host().into_iter().chain(settings.issuer_host()).collect(),
            is_page: head.accepts_html(),
        })))
    }

    /// Whether the body of the answer is judged, too.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        matches!(self, Self::Token(_))
    }

    /// Judges the answer, now that its body is there or known to be too long.
    #[must_use]
    pub fn judge(&self, gate: &Gate, head: &Head, body: Option<&[u8]>, request_id: Option<&str>) -> Delivery {
        match self {
            Self::Authorization(exchange) => exchange.judge(gate, head, request_id),
            Self::Token(exchange) => exchange.judge(gate, head, body, request_id),
        }
    }
}

impl AuthorizationExchange {
    fn judge(&self, gate: &Gate, head: &Head, request_id: Option<&str>) -> Delivery {
        let answer = AuthorizationAnswer::new(self, head);
        let breaches = rule::judge_authorization_answer(&answer);
        let counters = count(&breaches);
        if let Some(breach) = breaches.iter().find(|breach| breach.violation != Violation::AuthorizationResponseExposed) {
            let error = (breach.violation == Violation::AuthorizationErrorRedirected).then(|| answer.error()).flatten();
            let dialect = gate.settings.error_dialect;
            let reply = reply::in_answer(*breach, Endpoint::Authorization, dialect, self.is_page, error, request_id);
            return Delivery { change: Change::Replaced(reply), counters };
        }
        if breaches.is_empty() {
            return Delivery { change: Change::AsIs, counters };
        }
        let (set, removed) = answer.corrections();
        Delivery { change: Change::Trimmed { set, removed, body: None }, counters }
    }
}

impl TokenExchange {
    fn judge(&self, gate: &Gate, head: &Head, body: Option<&[u8]>, request_id: Option<&str>) -> Delivery {
        let answer = TokenAnswer::new(self, gate, head, body);
        let breaches = rule::judge_answer(&answer);
        let counters = count(&breaches);
        let reports = gate.settings.token_audience == TokenAudience::Report;
        let is_kept_back = |violation: Violation| match violation {
            Violation::TokenAudienceNotGranted => !reports,
            Violation::TokenResponseIncomplete | Violation::TokenResponseUnreadable | Violation::TokenScopeNotGranted => true,
            _ => false,
        };
        if let Some(breach) = breaches.iter().find(|breach| is_kept_back(breach.violation)) {
            let dialect = gate.settings.error_dialect;
            let reply = reply::in_answer(*breach, Endpoint::Token, dialect, false, None, request_id);
            return Delivery { change: Change::Replaced(reply), counters };
        }
        if breaches.is_empty() {
            return Delivery { change: Change::AsIs, counters };
        }
        let is_about_headers =
            |breach: &Breach| matches!(breach.violation, Violation::TokenResponseCacheable | Violation::TokenAudienceNotGranted);
        let body = if breaches.iter().all(is_about_headers) { None } else { answer.print() };
        let mut set = vec![("cache-control", "no-store".to_owned()), ("pragma", "no-cache".to_owned())];
        let mut removed = Vec::new();
        if let Some(status) = answer.corrected_status() {
            set.push((":status", status.to_owned()));
        }
        if let Some(body) = &body {
            set.push(("content-length", body.len().to_string()));
            removed.extend(head.present(VALIDATORS));
        }
        Delivery { change: Change::Trimmed { set, removed, body }, counters }
    }
}

fn count(breaches: &[Breach]) -> Vec<Counter> {
    breaches.iter().map(|breach| Counter::Answer(breach.violation)).collect()
}

/// How an answer is delivered, and what is counted.
#[derive(Debug)]
pub struct Delivery {
    /// What changes.
    pub change: Change,
    /// What is counted.
    pub counters: Vec<Counter>,
}

/// What changes in an answer.
#[derive(Debug)]
pub enum Change {
    /// Nothing.
    AsIs,
    /// Another answer stands in its place.
    Replaced(Reply),
    /// Something is taken out.
    Trimmed {
        /// Headers that get exactly these values.
        set: Vec<(&'static str, String)>,
        /// Headers that are taken out.
        removed: Vec<&'static str>,
        /// The body, where it changes.
        body: Option<String>,
    },
}

/// Headers that would speak of another body than the one that is delivered.
const VALIDATORS: &[Field] =
    &[Field::ContentDigest, Field::ContentMd5, Field::Digest, Field::Etag, Field::LastModified, Field::ReprDigest];
