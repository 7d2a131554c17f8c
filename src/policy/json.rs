//! JSON from a peer, with every member that stands in the text.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value that keeps members which stand twice, as parsers disagree about those.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Array(Vec<Json>),
    /// A number, as text.
    Number(String),
    Object(Vec<(String, Json)>),
    Other,
    String(String),
}

impl Json {
    /// The members of an object; none of anything else.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &Json)> {
        let members = match self {
            Self::Object(members) => members.as_slice(),
            Self::Array(_) | Self::Number(_) | Self::Other | Self::String(_) => &[],
        };
        members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The text that it is, or the texts that it lists.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let items = match self {
            Self::Array(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        items.iter().filter_map(|item| match item {
            Self::String(text) => Some(text.as_str()),
            Self::Array(_) | Self::Number(_) | Self::Object(_) | Self::Other => None,
        })
    }

    /// Calls `visit` with every text and number in it, however deep: some servers make
    /// one text of a list, or take an operator for a value.
    pub(crate) fn for_each_scalar(&self, visit: &mut impl FnMut(&str)) {
        match self {
            Self::Array(items) => items.iter().for_each(|item| item.for_each_scalar(visit)),
            Self::Object(members) => members.iter().for_each(|(_, value)| value.for_each_scalar(visit)),
            Self::Number(text) | Self::String(text) => visit(text),
            Self::Other => {}
        }
    }

    /// Whether some object in it has a member twice.
    pub(crate) fn repeats_a_member(&self) -> bool {
        match self {
            Self::Array(items) => items.iter().any(Self::repeats_a_member),
            Self::Object(members) => {
                let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                names.array_windows().any(|[a, b]| a == b) || members.iter().any(|(_, value)| value.repeats_a_member())
            }
            Self::Number(_) | Self::Other | Self::String(_) => false,
        }
    }

    /// Calls `visit` with each member of each object in it.
    pub(crate) fn for_each_member(&self, visit: &mut impl FnMut(&str, &Json)) {
        match self {
            Self::Array(items) => items.iter().for_each(|item| item.for_each_member(visit)),
            Self::Object(members) => {
                for (name, value) in members {
                    visit(name, value);
                    value.for_each_member(visit);
                }
            }
            Self::Number(_) | Self::Other | Self::String(_) => {}
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.to_string()))
    }

    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        reason = "what is not whole comes back unequal"
    )]
    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        // `3.0` is 3 to JavaScript and PHP. No id is a fraction; and to print one is a fiftieth of the module.
        let whole = number as u64;
        Ok(if whole as f64 == number { Json::Number(whole.to_string()) } else { Json::Other })
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(object))
    }
}

/// A JSON object of which each member is read on its own: one that no strict reader
/// takes (half of a surrogate pair, a number beyond all bounds) hides no other.
#[derive(Debug)]
pub(crate) struct Members(pub(crate) Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LooseVisitor).map(Self)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Vec<(String, Json)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = Vec::new();
        while let Some((name, raw)) = members.next_entry::<String, Box<RawValue>>()? {
            object.push((name, serde_json::from_str(raw.get()).unwrap_or(Json::Other)));
        }
        Ok(object)
    }
}

/// Reads the members of an object with their values as they are written.
pub(crate) struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(object)
    }
}
