//! A request as it was read: what it says strictly, and whom it may name.

use std::rc::Rc;

use crate::authentication::BasicCredentials;
use crate::client::{Client, ClientKind, Clients, Recognition};
use crate::endpoint::{Endpoint, Place};
use crate::head::{Head, MediaType};
use crate::mention::Mentions;
use crate::parameters::{ParameterError, Parameters};
use crate::settings::Settings;

/// The body of a request, as far as it came.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// More than the limit; what it says is not known.
    TooLong,
}

/// A request to an endpoint, read in every way that matters.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) head: &'a Head,
    pub(crate) settings: &'a Settings,
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
    pub(crate) fn new(
        settings: &'a Settings,
        clients: &Clients,
        head: &'a Head,
        place: Place,
        endpoint: Endpoint,
        body: Body<'a>,
    ) -> Self {
        let octets = match body {
            Body::Whole(octets) => octets,
            Body::TooLong => &[],
        };
        let limit = settings.limits.parameters;
        let mentions = Mentions::read(head, octets);
        let recognised: Vec<Recognition> = mentions.clients.iter().map(|client| clients.recognise(client)).collect();
        let is_strict = recognised.iter().any(|who| who.kind() == ClientKind::Strict);
        let parse = |raw: &[u8]| if is_strict { Parameters::parse(raw, limit) } else { Ok(Parameters::default()) };
        let query = parse(head.query().unwrap_or_default());
        let form = parse(if head.media_type() == MediaType::Form { octets } else { &[] });
        Self { head, settings, endpoint, place, body, mentions, recognised, query, form }
    }

    /// The kind of the client; of several the one with the least freedom.
    pub(crate) fn kind(&self) -> Option<ClientKind> {
        self.recognised.iter().map(Recognition::kind).min()
    }

    /// The listed client with the least freedom.
    pub(crate) fn client(&self) -> Option<&Rc<Client>> {
        let listed = self.recognised.iter().filter_map(|recognition| match recognition {
            Recognition::Listed(client) => Some(client),
            Recognition::Lookalike | Recognition::StrictUnlisted | Recognition::Unlisted => None,
        });
        listed.min_by_key(|client| client.kind)
    }

    /// Whether rules of reach `strict` bind the request.
    pub(crate) fn is_strict(&self) -> bool {
        self.kind() == Some(ClientKind::Strict)
    }

    /// The octets of the body, where all of it came.
    pub(crate) fn octets(&self) -> &'a [u8] {
        match self.body {
            Body::Whole(octets) => octets,
            Body::TooLong => &[],
        }
    }

    /// Takes the request's parameters out, once they are judged to be readable.
    pub(crate) fn into_parameters(self) -> Parameters {
        let read = match self.endpoint {
            Endpoint::Authorization => self.query,
            Endpoint::Token => self.form,
        };
        read.unwrap_or_default()
    }

    /// What the strict grammar says the request's parameters are.
    pub(crate) fn parameters(&self) -> Result<&Parameters, ParameterError> {
        match self.endpoint {
            Endpoint::Authorization => self.query.as_ref(),
            Endpoint::Token => self.form.as_ref(),
        }
        .map_err(|error| *error)
    }

    /// `Basic` credentials, where the header is exactly that.
    pub(crate) fn basic(&self) -> Option<BasicCredentials> {
        self.head.authorization().and_then(|value| BasicCredentials::parse(value).ok())
    }
}
