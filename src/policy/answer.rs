//! The answer of the token endpoint, and its rules: what a strict client may get.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::head::{Field, Head};
use crate::json::MembersVisitor;
use crate::violation::{Breach, Violation};

/// An answer of the token endpoint, read.
#[derive(Debug)]
pub(crate) struct TokenAnswer<'a> {
    is_success: bool,
    cache_control: &'a [u8],
    object: Option<Object<'a>>,
}

impl<'a> TokenAnswer<'a> {
    pub(crate) fn new(head: &'a Head, body: Option<&'a [u8]>) -> Self {
        let readable = body.filter(|_| !head.has_content_coding());
        Self {
            is_success: head.get(Field::Status).is_some_and(|status| status.starts_with(b"2")),
            cache_control: head.get(Field::CacheControl).unwrap_or_default(),
            object: readable.and_then(|octets| serde_json::from_slice(octets).ok()),
        }
    }

    /// The body without a member; values of the others stay as they are written.
    pub(crate) fn print_without(&self, name: &str) -> Option<String> {
        self.object.as_ref().map(|object| object.print_without(name))
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
        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}
