//! What a name means.

/// What a name means for the questions who the client is, and what it asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meaning {
    /// A bearer token (RFC 6750 §2.2, §2.3).
    AccessToken,
    /// A JWT that authenticates the client (RFC 7521 §4.2).
    Assertion,
    Audience,
    ClientId,
    /// A JWT that is a grant (RFC 7523 §2.1).
    GrantAssertion,
    GrantType,
    /// A JWT that carries an authorization request (RFC 9101).
    RequestObject,
    RequestUri,
    Resource,
    Scope,
}

impl Meaning {
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"access_token" => Some(Self::AccessToken),
            b"assertion" => Some(Self::GrantAssertion),
            b"audience" => Some(Self::Audience),
            b"client_assertion" => Some(Self::Assertion),
            b"client_id" => Some(Self::ClientId),
            b"grant_type" => Some(Self::GrantType),
            b"request" => Some(Self::RequestObject),
            b"request_uri" => Some(Self::RequestUri),
            b"resource" => Some(Self::Resource),
            b"scope" => Some(Self::Scope),
            _ => None,
        }
    }

    /// Whether it says who the client is, rather than what it asks for.
    pub(super) fn is_about_the_client(self) -> bool {
        matches!(self, Self::Assertion | Self::ClientId | Self::RequestObject)
    }

    /// Whether nobody is told apart by it, so that one decoding is enough.
    pub(super) fn is_read_once(self) -> bool {
        matches!(
            self,
            Self::AccessToken | Self::Audience | Self::GrantAssertion | Self::RequestUri | Self::Resource | Self::Scope
        )
    }
}
