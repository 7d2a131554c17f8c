//! OAuth parameters under one strict grammar.

use std::borrow::Cow;

use crate::fold::fold_name;
use crate::percent::{self, DecodeError};

/// The parameters of one query or form: known names once each, unknown names apart.
///
/// A parameter without a value is as good as omitted (RFC 6749 §3.1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Parameters {
    /// Sorted by name; a name stands more than once only for `resource`, in the order of the request.
    known: Vec<(&'static str, String)>,
    unknown: Vec<String>,
}

/// Why a query or form cannot be read in one way only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ParameterError {
    /// A name that some framework rewrites to a known one.
    Lookalike(&'static str),
    /// A `%` without two hex digits, or octets that are not UTF-8, somewhere.
    Malformed(Malformation),
    /// A known name more than once (RFC 6749 §3.1, §3.2).
    Repeated(&'static str),
    /// A known name behind a `;`, where some servers split.
    Semicolon(&'static str),
    /// More pairs than the limit.
    TooMany,
}

/// What is malformed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Malformation {
    /// A bad percent-escape.
    Percent,
    /// Octets that are not UTF-8.
    Utf8,
}

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` octets, of a query or a body.
    ///
    /// # Errors
    /// Where two parsers could read the octets differently, in the order: too
    /// many pairs, malformed, look-alike, repeated, semicolon.
    pub fn parse(raw: &[u8], limit: usize) -> Result<Self, ParameterError> {
        let mut parameters = Self::default();
        let (mut lookalike, mut repeated, mut semicolon, mut seen) = (None, None, None, Vec::new());
        for (count, (name, value)) in pairs(raw, |byte| byte == b'&').enumerate() {
            if count >= limit {
                return Err(ParameterError::TooMany);
            }
            semicolon = semicolon.or(known_at_semicolon(name, value));
            let (name, value) = (decode(name)?, decode(value)?);
            let Some(known) = known_name(&name) else {
                lookalike = lookalike.or_else(|| meant_name(&name));
                parameters.unknown.push(name.into_owned());
                continue;
            };
            if seen.contains(&known) && known != "resource" {
                repeated = repeated.or(Some(known));
            }
            seen.push(known);
            if !value.is_empty() {
                parameters.known.push((known, value.into_owned()));
            }
        }
        parameters.known.sort_by_key(|(name, _)| *name);
        match (lookalike, repeated, semicolon) {
            (Some(name), _, _) => Err(ParameterError::Lookalike(name)),
            (_, Some(name), _) => Err(ParameterError::Repeated(name)),
            (_, _, Some(name)) => Err(ParameterError::Semicolon(name)),
            (None, None, None) => Ok(parameters),
        }
    }

    /// The value of a parameter that cannot repeat.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values; only `resource` has more than one (RFC 8707 §2).
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.known.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Sets a known parameter to one value; an empty one omits it.
    pub fn set(&mut self, name: &'static str, value: String) {
        self.known.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            let at = self.known.partition_point(|(known, _)| *known < name);
            self.known.insert(at, (name, value));
        }
    }

    /// Every known parameter with a value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.known.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The first known parameter that has a value.
    #[must_use]
    pub fn first_known(&self) -> Option<&'static str> {
        self.known.first().map(|(name, _)| *name)
    }

    /// Keeps the names of a list; gives back the names of the others, unknown ones included.
    pub fn keep(&mut self, names: &[&str]) -> Vec<String> {
        let mut dropped: Vec<String> = std::mem::take(&mut self.unknown);
        self.known.retain(|(name, _)| {
            let stays = names.contains(name);
            if !stays {
                dropped.push((*name).to_owned());
            }
            stays
        });
        dropped.sort_unstable();
        dropped.dedup();
        dropped
    }

    /// Prints the known parameters in the canonical form: alphabetical, one spelling.
    #[must_use]
    pub fn print(&self) -> String {
        self.print_with(|_, value| Cow::Borrowed(value))
    }

    /// Prints as [`print`](Self::print), with values replaced for the eyes of people.
    pub(crate) fn print_with<'v>(&'v self, shown: impl Fn(&'static str, &'v str) -> Cow<'v, str>) -> String {
        let mut out = String::with_capacity(self.known.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum());
        for (name, value) in &self.known {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(name);
            out.push('=');
            percent::encode_into(&shown(name, value), &mut out);
        }
        out
    }

    /// Names that the gate does not know.
    #[must_use]
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }
}

/// The raw pairs of a query or form; empty segments are none.
pub(crate) fn pairs(raw: &[u8], separator: impl Fn(u8) -> bool) -> impl Iterator<Item = (&[u8], &[u8])> {
    raw.split(move |&byte| separator(byte)).filter(|segment| !segment.is_empty()).map(|segment| {
        let mut parts = segment.splitn(2, |&byte| byte == b'=');
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    })
}

/// How many pairs a query or form has.
pub(crate) fn count(raw: &[u8]) -> usize {
    pairs(raw, |byte| byte == b'&').count()
}

/// Whether a name is one that the gate knows.
pub(crate) fn is_known(name: &str) -> bool {
    known_name(name).is_some()
}

/// The known name that a decoded name is, octet for octet (names are case-sensitive).
fn known_name(name: &str) -> Option<&'static str> {
    KNOWN.binary_search(&name).ok().and_then(|at| KNOWN.get(at)).copied()
}

/// The known name that some framework would make of this one.
fn meant_name(name: &str) -> Option<&'static str> {
    let is_plain = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
    if is_plain { None } else { known_name(&fold_name(name.as_bytes())) }
}

/// A known name that only appears where a server splits at `;`.
fn known_at_semicolon(name: &[u8], value: &[u8]) -> Option<&'static str> {
    let is_semicolon = |byte: &u8| *byte == b';';
    // The part before the first `;` of a value belongs to the name that stands before it.
    let in_name = if name.contains(&b';') { name } else { &[] };
    let segments = in_name.split(is_semicolon).chain(value.split(is_semicolon).skip(1));
    segments.filter(|segment| !segment.is_empty()).find_map(|segment| {
        let name = segment.split(|&byte| byte == b'=').next().unwrap_or_default();
        let name = decode(name).ok()?;
        known_name(&name).or_else(|| meant_name(&name))
    })
}

fn decode(raw: &[u8]) -> Result<Cow<'_, str>, ParameterError> {
    percent::decode_form(raw).map_err(|error| {
        ParameterError::Malformed(match error {
            DecodeError::Percent => Malformation::Percent,
            DecodeError::Utf8 => Malformation::Utf8,
        })
    })
}

/// Parameters of OAuth and its extensions, sorted. A name here cannot repeat,
/// cannot be disguised, and is forwarded only where an endpoint lists it.
const KNOWN: &[&str] = &[
    "access_token",
    "acr_values",
    "actor_token",
    "actor_token_type",
    "assertion",
    "audience",
    "auth_req_id",
    "authorization_details",
    "claims",
    "claims_locales",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "connection",
    "correlation_id",
    "device_code",
    "display",
    "dpop_jkt",
    "grant_type",
    "id_token",
    "id_token_hint",
    "invitation",
    "login_hint",
    "login_ticket",
    "max_age",
    "nonce",
    "organization",
    "password",
    "prompt",
    "redirect_uri",
    "refresh_token",
    "registration",
    "request",
    "request_uri",
    "requested_token_type",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "screen_hint",
    "state",
    "subject_token",
    "subject_token_type",
    "token",
    "token_type_hint",
    "ui_locales",
    "username",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_sorted() {
        assert!(KNOWN.is_sorted());
    }

    #[test]
    fn an_empty_value_is_an_omitted_parameter_and_still_a_repeat() {
        let parameters = Parameters::parse(b"state=&scope=a", 64).unwrap();
        assert_eq!(parameters.get("state"), None);
        assert_eq!(Parameters::parse(b"state=&state=x", 64), Err(ParameterError::Repeated("state")));
    }

    #[test]
    fn a_semicolon_is_data_unless_a_known_name_hides_behind_it() {
        assert_eq!(Parameters::parse(b"state=a;b=c", 64).unwrap().get("state"), Some("a;b=c"));
        assert_eq!(Parameters::parse(b"a=1;client_id=x", 64), Err(ParameterError::Semicolon("client_id")));
        assert_eq!(Parameters::parse(b"a=1;Client.Id=x", 64), Err(ParameterError::Semicolon("client_id")));
        assert_eq!(Parameters::parse(b"a;client_id=x", 64), Err(ParameterError::Semicolon("client_id")));
        assert_eq!(Parameters::parse(b"client_id;a=x", 64), Err(ParameterError::Semicolon("client_id")));
    }

    #[test]
    fn what_is_printed_is_sorted_and_has_one_spelling() {
        let parameters = Parameters::parse(b"state=a+b&client_id=x%2fy&resource=2&resource=1&foo=1", 64).unwrap();
        assert_eq!(parameters.print(), "client_id=x%2Fy&resource=2&resource=1&state=a%20b");
    }
}
