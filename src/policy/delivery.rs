//! The way back: what becomes of the upstream's answer.

use crate::answer::TokenAnswer;
use crate::counter::Counter;
use crate::decision::{Decision, Judgement};
use crate::endpoint::Endpoint;
use crate::head::{Field, Head};
use crate::reply::{self, Reply};
use crate::rule;
use crate::violation::Violation;

/// What a request left behind for its answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Exchange(Endpoint);

impl Exchange {
    /// The longest answer that is judged; a longer one is not delivered.
    pub const BODY_LIMIT: usize = 256 * 1024;

    /// What a judged request leaves behind; nothing where its answer is not judged.
    #[must_use]
    pub fn after(judgement: &Judgement) -> Option<Self> {
        match (&judgement.decision, judgement.endpoint) {
            (Decision::Forward(_), Some(Endpoint::Token)) => Some(Self(Endpoint::Token)),
            _ => None,
        }
    }

    /// Judges the answer, now that its body is there or known to be too long.
    #[must_use]
    pub fn judge(self, head: &Head, body: Option<&[u8]>, request_id: Option<&str>) -> Delivery {
        let answer = TokenAnswer::new(head, body);
        let breaches = rule::judge_answer(&answer);
        let counters = breaches.iter().map(|breach| Counter::Answer(breach.violation)).collect();
        if let Some(breach) = breaches.iter().find(|breach| breach.violation == Violation::TokenResponseUnreadable) {
            return Delivery { change: Change::Replaced(reply::json(*breach, Some(self.0), request_id)), counters };
        }
        if breaches.is_empty() {
            return Delivery { change: Change::AsIs, counters };
        }
        let issues_id_token = breaches.iter().any(|breach| breach.violation == Violation::IdTokenIssued);
        let body = if issues_id_token { answer.print_without("id_token") } else { None };
        let mut set = vec![("cache-control", "no-store".to_owned()), ("pragma", "no-cache".to_owned())];
        let mut removed = Vec::new();
        if let Some(body) = &body {
            set.push(("content-length", body.len().to_string()));
            removed.extend(head.present(VALIDATORS));
        }
        Delivery { change: Change::Trimmed { set, removed, body }, counters }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn deliver(lines: &[(&str, &str)], body: &str) -> Delivery {
        let head = Head::new(lines.iter().map(|&(name, value)| (name, value)));
        Exchange(Endpoint::Token).judge(&head, Some(body.as_bytes()), None)
    }

    #[test]
    fn an_id_token_is_taken_out_however_its_name_is_spelled() {
        for body in [
            r#"{"access_token":"a","id_token":"b","expires_in":3.60e2}"#,
            r#"{"access_token":"a","id\u005ftoken":"b","id_token":null,"expires_in":3.60e2}"#,
        ] {
            let delivery = deliver(&[(":status", "200"), ("cache-control", "no-store")], body);
            match delivery.change {
                Change::Trimmed { body: Some(trimmed), .. } => assert_eq!(trimmed, r#"{"access_token":"a","expires_in":3.60e2}"#),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn an_answer_that_keeps_the_rules_is_delivered_as_it_is() {
        let delivery = deliver(&[(":status", "200"), ("cache-control", "no-store")], r#"{"access_token":"a"}"#);
        assert!(matches!(delivery.change, Change::AsIs), "{delivery:?}");
    }

    #[test]
    fn what_cannot_be_read_is_not_delivered_unless_it_is_an_error() {
        for (status, coding, body, replaced) in [
            ("200", "identity", "access_token=a", true),
            ("200", "gzip", "{}", true),
            ("200", "identity", "", true),
            ("200", "identity", "[]", true),
            ("400", "identity", "<html>", false),
            ("500", "identity", "", false),
        ] {
            let delivery = deliver(&[(":status", status), ("content-encoding", coding), ("cache-control", "no-store")], body);
            assert_eq!(matches!(delivery.change, Change::Replaced(_)), replaced, "{status} {coding} {body}");
        }
    }
}
