//! A metadata document (RFC 8414 §2, `OpenID` Connect Discovery §3).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::issuer::Issuer;

/// A document that is about the issuer that was asked for.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// Where it was read.
    pub(crate) url: String,
    members: Members,
}

/// Why a document cannot be used.
#[derive(Debug, PartialEq)]
pub(crate) enum Unusable {
    /// It is no metadata.
    NotMetadata(String),
    /// It is about another issuer: "the data contained in the response MUST NOT
    /// be used" (RFC 8414 §3.3).
    OtherIssuer(String),
}

impl Metadata {
    /// Reads a document, if it is about this very issuer.
    pub(crate) fn parse(url: &str, octets: &[u8], issuer: &Issuer) -> Result<Self, Unusable> {
        let not_metadata = |message: &str| Unusable::NotMetadata(message.to_owned());
        let members: Members = serde_json::from_slice(octets).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => not_metadata("is JSON, but no object with each member once"),
            _ => not_metadata("is not JSON"),
        })?;
        match members.0.get("issuer") {
            Some(Value::String(said)) if said == issuer.as_str() => Ok(Self { url: url.to_owned(), members }),
            Some(Value::String(said)) => Err(Unusable::OtherIssuer(said.clone())),
            _ => Err(not_metadata("is JSON, but names no `issuer`")),
        }
    }

    /// A member that is there and not null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.members.0.get(name).filter(|value| !value.is_null())
    }
}

/// The member of the first document that has it.
pub(crate) fn first<'m>(documents: &'m [Metadata], name: &str) -> Option<&'m Value> {
    documents.iter().find_map(|document| document.get(name))
}

/// The words of a list member; `None` where no document has it.
pub(crate) fn words<'m>(documents: &'m [Metadata], name: &str) -> Option<Vec<&'m str>> {
    let items = first(documents, name)?.as_array()?;
    Some(items.iter().filter_map(Value::as_str).collect())
}

/// Text of a peer for a terminal: short, and without anything that a terminal obeys.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(MOST_SHOWN).flat_map(char::escape_default).collect();
    if text.chars().nth(MOST_SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A member's value for a terminal.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    }
}

const MOST_SHOWN: usize = 200;

/// The members of an object. One that stands twice could be read either way, so nothing is learnt from it.
#[derive(Debug)]
struct Members(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Members, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = entries.next_entry::<String, Value>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Metadata, Unusable> {
        Metadata::parse("https://a.example/x", text.as_bytes(), &Issuer::parse("https://a.example").unwrap())
    }

    #[test]
    fn a_document_is_used_only_if_it_names_the_very_issuer() {
        assert!(parse(r#"{"issuer":"https://a.example","x":{"y":[1]}}"#).is_ok());
        for other in ["https://a.example/", "https://A.example", "https://a.example:443", "https://b.example"] {
            let result = parse(&format!(r#"{{"issuer":"{other}"}}"#));
            assert_eq!(result.unwrap_err(), Unusable::OtherIssuer(other.to_owned()));
        }
    }

    #[test]
    fn what_is_no_metadata_says_what_it_is() {
        for (text, message) in [
            ("", "is not JSON"),
            ("<html>", "is not JSON"),
            (r#"{"issuer":"https://a.example"} x"#, "is not JSON"),
            ("[]", "is JSON, but no object with each member once"),
            (r#"{"issuer":"https://a.example","issuer":"https://a.example"}"#, "is JSON, but no object with each member once"),
            ("{}", "is JSON, but names no `issuer`"),
            (r#"{"issuer":["https://a.example"]}"#, "is JSON, but names no `issuer`"),
        ] {
            assert_eq!(parse(text).unwrap_err(), Unusable::NotMetadata(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_a_peer_wrote_moves_no_terminal() {
        assert_eq!(quoted("a\u{1b}[2J\n\u{202e}"), "`a\\u{1b}[2J\\n\\u{202e}`");
        assert_eq!(quoted(&"x".repeat(201)), format!("`{}…`", "x".repeat(200)));
    }
}
