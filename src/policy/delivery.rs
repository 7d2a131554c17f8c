//! The way back: what becomes of the upstream's answer.

use crate::answer::{AuthorizationAnswer, TokenAnswer};
use crate::counter::Counter;
use crate::endpoint::Endpoint;
use crate::exchange::{AuthorizationExchange, Exchange, TokenExchange};
use crate::gate::Gate;
use crate::head::{Field, Head};
use crate::reply::{self, Reply};
use crate::rule;
use crate::settings::TokenAudience;
use crate::violation::{Breach, Violation};

impl Exchange {
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
