//! A request as it was read: what it says strictly, and whom it may name.

use std::rc::Rc;

use crate::authentication::BasicCredentials;
use crate::client::{Client, ClientKind, Recognition};
use crate::endpoint::{Endpoint, Place};
use crate::gate::{Gate, Policy};
use crate::head::{Content, Head};
use crate::mention::Mentions;
use crate::parameters::{self, ParameterError, Parameters};
use crate::percent::decode_lenient;
use crate::settings::Settings;

/// The body of a request, as far as it came.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// More than the limit; what it says is not known.
    TooLong,
}

impl<'a> Body<'a> {
    /// The octets, where all of them came.
    pub(crate) fn octets(self) -> &'a [u8] {
        match self {
            Self::Whole(octets) => octets,
            Self::TooLong => &[],
        }
    }
}

/// A request to an endpoint, read in every way that matters.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) head: &'a Head,
    pub(crate) settings: &'a Settings,
    pub(crate) policy: &'a Policy,
    pub(crate) endpoint: Endpoint,
    pub(crate) place: Place,
    pub(crate) body: Body<'a>,
    pub(crate) mentions: Mentions,
    /// Whom each distinct mention names.
    pub(crate) recognised: Vec<Recognition>,
    /// The query under the strict grammar; only looked at for strict clients.
    pub(crate) query: Result<Parameters, ParameterError>,
    /// The body under the strict grammar, likewise; empty where it is no form.
    pub(crate) form: Result<Parameters, ParameterError>,
}

impl<'a> Reading<'a> {
    /// Reads a request to a judged endpoint.
    pub(crate) fn new(gate: &'a Gate, head: &'a Head, place: Place, endpoint: Endpoint, body: Body<'a>) -> Self {
        let octets = body.octets();
        let limit = gate.settings.limits.parameters;
        let form = if head.content() == Content::Form { octets } else { &[] };
        let has_too_many = [head.query().unwrap_or_default(), form].into_iter().any(|raw| parameters::count(raw) > limit);
        let mut mentions = if has_too_many { Mentions::unread() } else { Mentions::read(head, octets) };
        name_by_lines(&gate.policy, &mut mentions, head, octets);
        let mut elsewhere = gate.settings.endpoints.placeholders(head.path());
        if endpoint == Endpoint::Token {
            // Some grants find the client in a token; in an assertion only where nothing else names it.
            elsewhere.append(&mut mentions.parties);
            if !mentions.name_a_client() {
                elsewhere.append(&mut mentions.issuers);
            }
        }
        name_protected(&gate.policy, &mut mentions, &elsewhere);
        let mut reading = Self::of(gate, head, place, endpoint, body, mentions);
        if reading.recognised.iter().any(|who| who.kind() == ClientKind::Strict) {
            reading.query = Parameters::parse(head.query().unwrap_or_default(), limit);
            reading.form = Parameters::parse(if head.is_plain_form() { octets } else { &[] }, limit);
        }
        reading
    }

    /// Reads a request to a door.
    pub(crate) fn of_door(gate: &'a Gate, head: &'a Head, endpoint: Endpoint, body: Body<'a>) -> Self {
        let place = Place::Endpoint(endpoint);
        if endpoint == Endpoint::Unlisted {
            let form = if head.may_be_form() { body.octets() } else { &[] };
            return Self::of(gate, head, place, endpoint, body, Mentions::read_unlisted(head, form));
        }
        let mut mentions = Mentions::read(head, body.octets());
        name_by_lines(&gate.policy, &mut mentions, head, body.octets());
        let mut elsewhere = gate.settings.endpoints.placeholders(head.path());
        elsewhere.append(&mut mentions.parties);
        name_protected(&gate.policy, &mut mentions, &elsewhere);
        Self::of(gate, head, place, endpoint, body, mentions)
    }

    fn of(gate: &'a Gate, head: &'a Head, place: Place, endpoint: Endpoint, body: Body<'a>, mut mentions: Mentions) -> Self {
        let recognise = |client: &[u8]| gate.policy.clients.recognise(client);
        for spelled in std::mem::take(&mut mentions.escaped) {
            // A listed client goes on in the plain spelling; whoever the other is, nobody registered it.
            let is_listed = matches!(recognise(&decode_lenient(&spelled, true)), Recognition::Listed(_));
            if !(is_listed && matches!(recognise(&spelled), Recognition::Unlisted)) {
                mentions.name(&spelled);
            }
        }
        let recognised = mentions.clients.iter().map(|client| recognise(client)).collect();
        let (query, form) = (Ok(Parameters::default()), Ok(Parameters::default()));
        Self { head, settings: &gate.settings, policy: &gate.policy, endpoint, place, body, mentions, recognised, query, form }
    }

    /// The kind of the client; of several the one with the least freedom.
    pub(crate) fn kind(&self) -> Option<ClientKind> {
        self.recognised.iter().map(Recognition::kind).min()
    }

    /// The listed client with the least freedom.
    pub(crate) fn client(&self) -> Option<&Rc<Client>> {
        let listed = self.recognised.iter().filter_map(|recognition| match recognition {
            Recognition::Listed(client) => Some(client),
            Recognition::Alias | Recognition::Lookalike | Recognition::StrictUnlisted | Recognition::Unlisted => None,
        });
        listed.min_by_key(|client| client.kind)
    }

    /// Whether rules of reach `strict` bind the request.
    pub(crate) fn is_strict(&self) -> bool {
        self.kind() == Some(ClientKind::Strict)
    }

    /// The octets of the body, where all of it came.
    pub(crate) fn octets(&self) -> &'a [u8] {
        self.body.octets()
    }

    /// Whether reading was given up, where that matters: on a path that is no endpoint
    /// only a request that acts like one to an endpoint could hide something.
    pub(crate) fn gave_up(&self) -> bool {
        self.mentions.are_too_many() && (self.endpoint != Endpoint::Unlisted || self.mentions.part.acts())
    }

    /// Whether a protected client's request acts like one to an endpoint, on a path
    /// that is none.
    pub(crate) fn claims_a_door(&self) -> bool {
        self.names_a_protected_client() && self.mentions.part.acts()
    }

    /// Whether some reading names a strict or blocked client, or what servers take for one.
    pub(crate) fn names_a_protected_client(&self) -> bool {
        self.kind().is_some_and(|kind| kind <= ClientKind::Strict)
    }

    /// Takes the request's parameters out, once they are judged to be readable.
    pub(crate) fn into_parameters(self) -> Parameters {
        let read = if self.endpoint == Endpoint::Token { self.form } else { self.query };
        read.unwrap_or_default()
    }

    /// What the strict grammar says the request's parameters are.
    pub(crate) fn parameters(&self) -> Result<&Parameters, ParameterError> {
        let read = if self.endpoint == Endpoint::Token { &self.form } else { &self.query };
        read.as_ref().map_err(|error| *error)
    }

    /// `Basic` credentials, where the header is exactly that.
    pub(crate) fn basic(&self) -> Option<BasicCredentials> {
        self.head.authorization().and_then(|value| BasicCredentials::parse(value).ok())
    }
}

/// Adds names that stand where a client may be named but seldom is: only those that
/// are protected count, as a realm or a token of the owner's own is no client here.
fn name_protected(policy: &Policy, mentions: &mut Mentions, names: &[Vec<u8>]) {
    for name in names {
        if policy.clients.recognise(name).kind() <= ClientKind::Strict {
            mentions.name(name);
        }
    }
}

/// Adds protected clients that stand on a line of their own in a body that is no form and
/// no JSON: however its parts are written, some server finds the value there.
fn name_by_lines(policy: &Policy, mentions: &mut Mentions, head: &Head, body: &[u8]) {
    if matches!(head.content(), Content::Form | Content::Json) {
        return;
    }
    for line in body.split(|byte| matches!(byte, b'\r' | b'\n')).map(<[u8]>::trim_ascii) {
        if policy.clients.is_protected(line) {
            mentions.name(line);
        }
    }
}
