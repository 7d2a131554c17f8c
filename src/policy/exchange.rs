//! What a request leaves behind, so that its answer can be judged.

use std::rc::Rc;

use crate::ask::Granted;
use crate::client::{Client, GrantType};
use crate::decision::{Decision, Judgement};
use crate::endpoint::Endpoint;
use crate::head::Head;
use crate::settings::Settings;

/// What a request left behind for its answer.
#[derive(Clone, Debug)]
pub enum Exchange {
    /// An authorization request.
    Authorization(Box<AuthorizationExchange>),
    /// A token request.
    Token(Box<TokenExchange>),
}

/// What an authorization request left behind.
#[derive(Clone, Debug)]
pub struct AuthorizationExchange {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) errors_are_redirected: bool,
    /// The identity provider's own hosts.
    pub(crate) hosts: Vec<String>,
    pub(crate) is_page: bool,
}

/// What a token request left behind.
#[derive(Clone, Debug)]
pub struct TokenExchange {
    pub(crate) client: Rc<Client>,
    pub(crate) grant: GrantType,
    pub(crate) granted: Granted,
}

impl Exchange {
    /// The longest answer that is judged; a longer one is not delivered.
    pub const BODY_LIMIT: usize = 256 * 1024;

    /// What a judged request leaves behind; nothing where its answer is not judged.
    #[must_use]
    pub fn after(judgement: &Judgement, settings: &Settings, head: &Head) -> Option<Self> {
        let Decision::Forward(forwarding) = &judgement.decision else { return None };
        let client = judgement.client.as_ref()?;
        let parameters = &forwarding.parameters;
        if forwarding.endpoint == Endpoint::Token {
            let grant = GrantType::parse(parameters.get("grant_type")?)?;
            let granted = forwarding.granted.clone();
            return Some(Self::Token(Box::new(TokenExchange { client: Rc::clone(client), grant, granted })));
        }
        Some(Self::Authorization(Box::new(AuthorizationExchange {
            redirect_uri: parameters.get("redirect_uri").unwrap_or_default().to_owned(),
            state: parameters.get("state").map(str::to_owned),
            errors_are_redirected: client.errors_are_redirected,
            hosts: head.host().into_iter().chain(settings.issuer_host()).collect(),
            is_page: head.accepts_html(),
        })))
    }

    /// Whether the body of the answer is judged, too.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        matches!(self, Self::Token(_))
    }
}
