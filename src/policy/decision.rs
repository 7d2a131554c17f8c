//! What becomes of a request.

use std::rc::Rc;

use crate::ask::Granted;
use crate::client::{Client, ClientKind};
use crate::endpoint::Endpoint;
use crate::head::{Field, Head};
use crate::parameters::Parameters;
use crate::redirect::VerifiedRedirectUri;
use crate::violation::Breach;

/// A judged request.
#[derive(Debug)]
pub struct Judgement {
    /// The endpoint that the path is, or may be read as.
    pub endpoint: Option<Endpoint>,
    /// The kind of the client, where one is named.
    pub kind: Option<ClientKind>,
    /// The client, where the policy lists it.
    pub client: Option<Rc<Client>>,
    /// All breaches, in table order.
    pub breaches: Vec<Breach>,
    /// What happens.
    pub decision: Decision,
    /// What is counted beside the decision.
    pub note: Option<Note>,
}

/// Something about a request that passed where no endpoint is listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Note {
    /// Its form is longer than the limit: it was released unread.
    ReleasedUnread,
    /// It names a strict client: should an endpoint be there, nobody listed it.
    Unclaimed,
}

/// What happens to a request.
#[derive(Debug)]
pub enum Decision {
    /// It goes on, untouched.
    Pass,
    /// It goes on, rebuilt.
    Forward(Box<Forwarding>),
    /// It is answered here; the upstream sees no byte.
    Refuse(Refusal),
}

/// A request in its canonical form.
#[derive(Debug)]
pub struct Forwarding {
    pub(crate) endpoint: Endpoint,
    pub(crate) path: String,
    pub(crate) parameters: Parameters,
    /// The one spelling of `Basic` credentials.
    pub(crate) authorization: Option<String>,
    /// Headers that the request had and the upstream must not see.
    pub(crate) removed: Vec<String>,
    /// Names of parameters that are not forwarded.
    pub(crate) dropped: Vec<String>,
    /// What was granted.
    pub(crate) granted: Granted,
}

impl Forwarding {
    /// Rebuilds a request from what was parsed.
    pub(crate) fn new(
        endpoint: Endpoint,
        head: &Head,
        parameters: Parameters,
        dropped: Vec<String>,
        authorization: Option<String>,
        granted: Granted,
    ) -> Self {
        let also_removed: &[Field] = match endpoint {
            // No client authenticates at the authorization endpoint.
            Endpoint::Authorization => &[Field::Authorization],
            // The answer has to be readable.
            _ => &[Field::AcceptEncoding],
        };
        let known = head.present(REMOVED).chain(head.present(also_removed)).map(str::to_owned);
        let removed = known.chain(head.odd_names().iter().cloned()).collect();
        // An endpoint's path is ASCII: anything else would not have matched.
        let path = String::from_utf8_lossy(head.path()).into_owned();
        Self { endpoint, path, parameters, authorization, removed, dropped, granted }
    }

    /// `:path` as the upstream gets it.
    #[must_use]
    pub fn target(&self) -> String {
        self.target_of(&self.parameters.print())
    }

    pub(crate) fn target_of(&self, printed: &str) -> String {
        match self.endpoint {
            Endpoint::Authorization if !printed.is_empty() => format!("{}?{printed}", self.path),
            _ => self.path.clone(),
        }
    }

    /// The body as the upstream gets it; `None` where there is none.
    #[must_use]
    pub fn body(&self) -> Option<String> {
        (self.endpoint == Endpoint::Token).then(|| self.parameters.print())
    }

    /// Headers that get exactly these values.
    #[must_use]
    pub fn headers(&self, body: Option<&str>) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if let Some(authorization) = &self.authorization {
            headers.push(("authorization", authorization.clone()));
        }
        if let Some(body) = body {
            headers.push(("content-length", body.len().to_string()));
            headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        }
        headers
    }

    /// Headers that are taken out.
    #[must_use]
    pub fn removed(&self) -> &[String] {
        &self.removed
    }
}

/// Headers by which a client could have another request served than the one that
/// was judged: another path, another method (standards 2.4).
const REMOVED: &[Field] = &[
    Field::XEnvoyOriginalPath,
    Field::XForwardedPath,
    Field::XForwardedPrefix,
    Field::XForwardedUri,
    Field::XHttpMethod,
    Field::XHttpMethodOverride,
    Field::XMethodOverride,
    Field::XOriginalUri,
    Field::XOriginalUrl,
    Field::XRequestUri,
    Field::XRewriteUrl,
];

/// A refusal: why, and where the answer goes.
#[derive(Debug)]
pub struct Refusal {
    /// The first breach.
    pub breach: Breach,
    /// The endpoint, where there is one.
    pub endpoint: Option<Endpoint>,
    /// Where the client asked to be told; only a verified redirect URI can stand here.
    pub redirect: Option<Redirect>,
}

/// An error that goes back to the client by a redirect (RFC 6749 §4.1.2.1).
#[derive(Debug)]
pub struct Redirect {
    /// Where to.
    pub to: VerifiedRedirectUri,
    /// The request's `state`, returned as it came.
    pub state: Option<String>,
}
