//! The way back: what a strict client may get of the token endpoint's answer.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::decision::{Decision, Judgement};
use crate::effect::{Counter, Reply};
use crate::endpoint::Endpoint;
use crate::head::{Field, Head};
use crate::reply;
use crate::rule;
use crate::violation::{Breach, Violation};

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
        let body = answer.object.filter(|_| issues_id_token).map(|object| object.print_without("id_token"));
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

/// An answer of the token endpoint, read.
#[derive(Debug)]
pub(crate) struct TokenAnswer<'a> {
    is_success: bool,
    cache_control: &'a [u8],
    object: Option<Object<'a>>,
}

impl<'a> TokenAnswer<'a> {
    fn new(head: &'a Head, body: Option<&'a [u8]>) -> Self {
        let readable = body.filter(|_| !head.has_content_coding());
        Self {
            is_success: head.get(Field::Status).is_some_and(|status| status.starts_with(b"2")),
            cache_control: head.get(Field::CacheControl).unwrap_or_default(),
            object: readable.and_then(|octets| serde_json::from_slice(octets).ok()),
        }
    }
}

/// Refuses to deliver a successful answer that is no plain JSON object: what
/// cannot be read cannot be trimmed (RFC 6749 §5.1).
pub(crate) fn token_answer_is_readable(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    if answer.is_success && answer.object.is_none() {
        return Err(Violation::TokenResponseUnreadable.into());
    }
    Ok(())
}

/// Takes an ID token out: strict clients get no identity
/// (`OpenID` Connect Core §3.1.3.3; the vendor's strict mode).
pub(crate) fn no_id_token_is_issued(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    let is_issued = answer.object.as_ref().is_some_and(|object| object.has("id_token"));
    if is_issued { Err(Breach::of(Violation::IdTokenIssued, "id_token")) } else { Ok(()) }
}

/// Marks the answer as not to be stored (RFC 6749 §5.1; draft-ietf-oauth-v2-1-15 §3.2.3).
pub(crate) fn token_answer_is_not_stored(answer: &TokenAnswer<'_>) -> Result<(), Breach> {
    if answer.cache_control.eq_ignore_ascii_case(b"no-store") { Ok(()) } else { Err(Violation::TokenResponseCacheable.into()) }
}

/// Headers that would speak of another body than the one that is delivered.
const VALIDATORS: &[Field] =
    &[Field::ContentDigest, Field::ContentMd5, Field::Digest, Field::Etag, Field::LastModified, Field::ReprDigest];

/// A JSON object whose values stay as they are written.
#[derive(Debug)]
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl Object<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    fn print_without(&self, name: &str) -> String {
        let mut out = String::from("{");
        for (known, value) in self.0.iter().filter(|(known, _)| known != name) {
            if out.len() > 1 {
                out.push(',');
            }
            // A string always serialises.
            out.push_str(&serde_json::to_string(known).unwrap_or_default());
            out.push(':');
            out.push_str(value.get());
        }
        out.push('}');
        out
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(crate::json::MembersVisitor).map(Self)
    }
}

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
