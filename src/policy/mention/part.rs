//! What the names in a query or a form say about it.

/// What the names in a query or a form say about it, wherever it is sent (design, decision 16).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    pub(super) names_a_client: bool,
    has_oauth_parameter: bool,
    has_typed_in: bool,
    has_named_a_client: bool,
    acts: bool,
}

impl Part {
    /// Whether it acts like a request to an authorization or a token endpoint.
    pub(crate) fn acts(self) -> bool {
        self.acts
    }

    /// Whether a client is named beside everything else, not only inside an object.
    pub(crate) fn named_a_client(self) -> bool {
        self.has_named_a_client
    }

    /// Notes a name.
    pub(super) fn note(&mut self, name: &[u8]) {
        self.names_a_client |= name == b"client_id";
        self.has_oauth_parameter |= is_one_of(OAUTH_PARAMETERS, name);
        self.has_typed_in |= is_one_of(TYPED_IN, name);
    }

    /// Ends a part: what people type into a login page counts only beside the client's name.
    pub(super) fn close(&mut self) {
        self.acts |= self.has_oauth_parameter || (self.names_a_client && self.has_typed_in);
        self.has_named_a_client |= self.names_a_client;
        self.has_typed_in = false;
        self.names_a_client = false;
    }
}

/// Parameters by which a request asks an authorization or a token endpoint for something.
const OAUTH_PARAMETERS: &[&str] = &[
    "response_type",
    "response_mode",
    "redirect_uri",
    "scope",
    "request",
    "request_uri",
    "code_challenge",
    "audience",
    "resource",
    "authorization_details",
    "grant_type",
    "refresh_token",
    "token",
    "assertion",
];

/// Others like them that are also fields of login pages, which carry the client's id in their URL.
const TYPED_IN: &[&str] = &["code", "password"];

/// Members of a client registration that no form for people has (RFC 7591 §2).
const REGISTRATION_MEMBERS: &[&str] = &[
    // Not a member: it makes a registration's deletion of a form.
    "_method",
    "application_type",
    "client_name",
    "client_uri",
    "grant_types",
    "jwks",
    "jwks_uri",
    "redirect_uris",
    "response_types",
    "software_id",
    "software_statement",
    "token_endpoint_auth_method",
];

/// Whether a name is one of a client registration.
pub(super) fn registers(name: &[u8]) -> bool {
    is_one_of(REGISTRATION_MEMBERS, name)
}

fn is_one_of(names: &[&str], name: &[u8]) -> bool {
    names.iter().any(|known| known.as_bytes() == name)
}
