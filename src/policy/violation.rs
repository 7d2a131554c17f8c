//! Breaches, and the words for them on the wire.

use crate::endpoint::Endpoint;
use crate::settings::ErrorDialect;

/// What a request (or an answer) breaks; one variant for each rule, of the same name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Violation {
    /// The access policy of an API denies the client.
    AccessPolicyDenies,
    /// Several APIs are asked for.
    AudienceAmbiguous,
    /// `resource` is no absolute URI.
    AudienceMalformed,
    /// No API is asked for, and none follows from the policy.
    AudienceMissing,
    /// The client has no grant for the API.
    AudienceNotGranted,
    /// What a permissive client asks for can be read in several ways.
    AudienceUnreadable,
    /// `authorization_details` of a type that is not granted.
    AuthorizationDetailsNotGranted,
    /// The identity provider sends an error to a client that gets none by redirect.
    AuthorizationErrorRedirected,
    /// The answer at the authorization endpoint could be framed, read, kept or repeated by others.
    AuthorizationResponseExposed,
    /// An authorization response goes where nobody asked for it.
    AuthorizationResponseMisdirected,
    /// An authorization response carries tokens.
    AuthorizationResponseTokens,
    /// A GET or HEAD request with a body.
    BodyNotExpected,
    /// Several clients are named, and one of them is strict or blocked.
    ClientAmbiguous,
    /// The client does not authenticate by one readable `Basic` credential.
    ClientAuthenticationMalformed,
    /// The client does not authenticate as it is registered to.
    ClientAuthenticationNotRegistered,
    /// The client authenticates in more than one way.
    ClientAuthenticationRepeated,
    /// The client is blocked.
    ClientBlocked,
    /// The name that only the identity provider uses for a strict client.
    ClientIdIsAnAlias,
    /// A value that some server would take for a strict client's id.
    ClientLookalike,
    /// No client is named where one must be.
    ClientMissing,
    /// The policy does not list the client.
    ClientUnlisted,
    /// The client cannot be read.
    ClientUnreadable,
    /// `code_challenge` is no S256 challenge.
    CodeChallengeMalformed,
    /// `code_challenge_method` is not `S256`.
    CodeChallengeMethodNotS256,
    /// `code_challenge` is missing.
    CodeChallengeMissing,
    /// `code` is missing.
    CodeMissing,
    /// `code_verifier` is malformed.
    CodeVerifierMalformed,
    /// `code_verifier` is missing.
    CodeVerifierMissing,
    /// `connection` names no domain connection.
    ConnectionNotAllowed,
    /// An endpoint that strict clients cannot use.
    EndpointNotAllowed,
    /// OAuth parameters of a strict client where no endpoint is listed.
    EndpointUnlisted,
    /// `grant_type` is missing.
    GrantTypeMissing,
    /// The client cannot use this grant.
    GrantTypeNotAllowed,
    /// No API is granted to the client any more.
    GrantWithdrawn,
    /// The answer carries an ID token.
    IdTokenIssued,
    /// Something is longer, or more, than the limit.
    LimitExceeded,
    /// The body is no form.
    MediaTypeNotForm,
    /// The method is not the endpoint's.
    MethodNotAllowed,
    /// An `OpenID` Connect scope where those are rejected.
    OidcScopeNotSupported,
    /// A parameter that belongs to another grant.
    ParameterForeignToGrant,
    /// A token request has OAuth parameters in its query.
    ParameterInQuery,
    /// A parameter that some framework would take for another one.
    ParameterLookalike,
    /// A parameter that is badly encoded.
    ParameterMalformed,
    /// A parameter that this client cannot use.
    ParameterNotSupported,
    /// A parameter that stands twice.
    ParameterRepeated,
    /// A value outside the grammar of its parameter.
    ParameterValueMalformed,
    /// A path that servers read differently.
    PathAmbiguous,
    /// There is no valid policy yet.
    PolicyUnavailable,
    /// `prompt` has `none` beside something else.
    PromptMalformed,
    /// `prompt` is `none`.
    PromptNone,
    /// The redirect URI is not registered.
    RedirectUriNotRegistered,
    /// `refresh_token` is missing.
    RefreshTokenMissing,
    /// The answer carries a refresh token that the client cannot have.
    RefreshTokenNotAllowed,
    /// A client registration.
    RegistrationClosed,
    /// The proxy does not hold the request, or its body does not come.
    RequestNotHeld,
    /// `request` is used.
    RequestObjectNotSupported,
    /// `request_uri` is used.
    RequestUriNotSupported,
    /// `response_mode` is not `query`.
    ResponseModeNotQuery,
    /// `response_type` is missing.
    ResponseTypeMissing,
    /// `response_type` is not `code`.
    ResponseTypeNotCode,
    /// The request did not come by https.
    SchemeNotHttps,
    /// `scope` is malformed.
    ScopeMalformed,
    /// No scope that is asked for, or not each that must be, is granted.
    ScopeNotGranted,
    /// The answer does not say what was granted.
    ScopeNotReported,
    /// The tenant has active Rules, under which strict clients cannot sign in.
    TenantHasActiveRules,
    /// The access token is for another API than the granted one.
    TokenAudienceNotGranted,
    /// The answer with a token may be cached.
    TokenResponseCacheable,
    /// A success without `access_token` or `token_type`.
    TokenResponseIncomplete,
    /// Members of the answer are null or of the wrong type.
    TokenResponseMalformed,
    /// The answer of the token endpoint cannot be read.
    TokenResponseUnreadable,
    /// The token, or the answer, has scopes beyond the grant.
    TokenScopeNotGranted,
    /// The request asks for another protocol.
    UpgradeNotAllowed,
}

/// A breach of a rule, and what it is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Breach {
    /// What is broken.
    pub violation: Violation,
    /// The parameter, or for [`Violation::LimitExceeded`] the limit, that it is about.
    pub parameter: Option<&'static str>,
}

impl Breach {
    /// A breach that is about one parameter.
    #[must_use]
    pub fn of(violation: Violation, parameter: &'static str) -> Self {
        Self { violation, parameter: Some(parameter) }
    }
}

impl From<Violation> for Breach {
    fn from(violation: Violation) -> Self {
        Self { violation, parameter: None }
    }
}

/// An `error` of OAuth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorCode {
    /// `access_denied` (RFC 6749 §4.1.2.1).
    AccessDenied,
    /// `consent_required` (`OpenID` Connect Core §3.1.2.6).
    ConsentRequired,
    /// `invalid_authorization_details` (RFC 9396 §5).
    InvalidAuthorizationDetails,
    /// `invalid_client` (RFC 6749 §5.2).
    InvalidClient,
    /// `invalid_grant` (RFC 6749 §5.2).
    InvalidGrant,
    /// `invalid_request` (RFC 6749 §4.1.2.1, §5.2).
    InvalidRequest,
    /// `invalid_scope` (RFC 6749 §4.1.2.1, §5.2).
    InvalidScope,
    /// `invalid_target` (RFC 8707 §2).
    InvalidTarget,
    /// `request_not_supported` (RFC 9101 §7).
    RequestNotSupported,
    /// `request_uri_not_supported` (RFC 9101 §7).
    RequestUriNotSupported,
    /// `server_error` (RFC 6749 §4.1.2.1).
    ServerError,
    /// `temporarily_unavailable` (RFC 6749 §4.1.2.1).
    TemporarilyUnavailable,
    /// `unauthorized_client` (RFC 6749 §4.1.2.1, §5.2); only in the vendor's dialect.
    UnauthorizedClient,
    /// `unsupported_grant_type` (RFC 6749 §5.2).
    UnsupportedGrantType,
    /// `unsupported_response_type` (RFC 6749 §4.1.2.1).
    UnsupportedResponseType,
}

impl ErrorCode {
    /// The word on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::ConsentRequired => "consent_required",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
        }
    }
}

impl Violation {
    /// The id: metric label, log word, settings key and anchor of its page.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::AccessPolicyDenies => "access-policy-denies",
            Self::AudienceAmbiguous => "audience-ambiguous",
            Self::AudienceMalformed => "audience-malformed",
            Self::AudienceMissing => "audience-missing",
            Self::AudienceNotGranted => "audience-not-granted",
            Self::AudienceUnreadable => "audience-unreadable",
            Self::AuthorizationDetailsNotGranted => "authorization-details-not-granted",
            Self::AuthorizationErrorRedirected => "authorization-error-redirected",
            Self::AuthorizationResponseExposed => "authorization-response-exposed",
            Self::AuthorizationResponseMisdirected => "authorization-response-misdirected",
            Self::AuthorizationResponseTokens => "authorization-response-tokens",
            Self::BodyNotExpected => "body-not-expected",
            Self::ClientAmbiguous => "client-ambiguous",
            Self::ClientAuthenticationMalformed => "client-authentication-malformed",
            Self::ClientAuthenticationNotRegistered => "client-authentication-not-registered",
            Self::ClientAuthenticationRepeated => "client-authentication-repeated",
            Self::ClientBlocked => "client-blocked",
            Self::ClientIdIsAnAlias => "client-id-is-an-alias",
            Self::ClientLookalike => "client-lookalike",
            Self::ClientMissing => "client-missing",
            Self::ClientUnlisted => "client-unlisted",
            Self::ClientUnreadable => "client-unreadable",
            Self::CodeChallengeMalformed => "code-challenge-malformed",
            Self::CodeChallengeMethodNotS256 => "code-challenge-method-not-s256",
            Self::CodeChallengeMissing => "code-challenge-missing",
            Self::CodeMissing => "code-missing",
            Self::CodeVerifierMalformed => "code-verifier-malformed",
            Self::CodeVerifierMissing => "code-verifier-missing",
            Self::ConnectionNotAllowed => "connection-not-allowed",
            Self::EndpointNotAllowed => "endpoint-not-allowed",
            Self::EndpointUnlisted => "endpoint-unlisted",
            Self::GrantTypeMissing => "grant-type-missing",
            Self::GrantTypeNotAllowed => "grant-type-not-allowed",
            Self::GrantWithdrawn => "grant-withdrawn",
            Self::IdTokenIssued => "id-token-issued",
            Self::LimitExceeded => "limit-exceeded",
            Self::MediaTypeNotForm => "media-type-not-form",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::OidcScopeNotSupported => "oidc-scope-not-supported",
            Self::ParameterForeignToGrant => "parameter-foreign-to-grant",
            Self::ParameterInQuery => "parameter-in-query",
            Self::ParameterLookalike => "parameter-lookalike",
            Self::ParameterMalformed => "parameter-malformed",
            Self::ParameterNotSupported => "parameter-not-supported",
            Self::ParameterRepeated => "parameter-repeated",
            Self::ParameterValueMalformed => "parameter-value-malformed",
            Self::PathAmbiguous => "path-ambiguous",
            Self::PolicyUnavailable => "policy-unavailable",
            Self::PromptMalformed => "prompt-malformed",
            Self::PromptNone => "prompt-none",
            Self::RedirectUriNotRegistered => "redirect-uri-not-registered",
            Self::RefreshTokenMissing => "refresh-token-missing",
            Self::RefreshTokenNotAllowed => "refresh-token-not-allowed",
            Self::RegistrationClosed => "registration-closed",
            Self::RequestNotHeld => "request-not-held",
            Self::RequestObjectNotSupported => "request-object-not-supported",
            Self::RequestUriNotSupported => "request-uri-not-supported",
            Self::ResponseModeNotQuery => "response-mode-not-query",
            Self::ResponseTypeMissing => "response-type-missing",
            Self::ResponseTypeNotCode => "response-type-not-code",
            Self::SchemeNotHttps => "scheme-not-https",
            Self::ScopeMalformed => "scope-malformed",
            Self::ScopeNotGranted => "scope-not-granted",
            Self::ScopeNotReported => "scope-not-reported",
            Self::TenantHasActiveRules => "tenant-has-active-rules",
            Self::TokenAudienceNotGranted => "token-audience-not-granted",
            Self::TokenResponseCacheable => "token-response-cacheable",
            Self::TokenResponseIncomplete => "token-response-incomplete",
            Self::TokenResponseMalformed => "token-response-malformed",
            Self::TokenResponseUnreadable => "token-response-unreadable",
            Self::TokenScopeNotGranted => "token-scope-not-granted",
            Self::UpgradeNotAllowed => "upgrade-not-allowed",
        }
    }

    /// The `error_description`: static, lower case, nothing of the request
    /// (`%x20-21 / %x23-5B / %x5D-7E`, RFC 6749 §5.2).
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::AccessPolicyDenies => "the access policy of this API does not let this client in",
            Self::AudienceAmbiguous => "audience and resource must name one API",
            Self::AudienceMalformed => "resource must be an absolute URI without fragment",
            Self::AudienceMissing => "audience or resource required",
            Self::AudienceNotGranted => "this client has no grant for this API",
            Self::AudienceUnreadable => "the API that is asked for must be readable in one way",
            Self::AuthorizationDetailsNotGranted => "authorization_details are not granted to this client",
            Self::AuthorizationErrorRedirected => "the identity provider did not authorize the application",
            Self::AuthorizationResponseExposed => "the answer could be framed, read, kept or repeated by others",
            Self::AuthorizationResponseMisdirected => "the authorization server answered to another place than was asked for",
            Self::AuthorizationResponseTokens => "the authorization server sent tokens through the browser",
            Self::BodyNotExpected => "a GET or HEAD request must have no body",
            Self::ClientAmbiguous => "the request names more than one client",
            Self::ClientAuthenticationMalformed => "the authorization header must be one Basic credential",
            Self::ClientAuthenticationNotRegistered => "this client must authenticate as it is registered to",
            Self::ClientAuthenticationRepeated => "only one way of client authentication can be used",
            Self::ClientBlocked => "this client is blocked",
            Self::ClientIdIsAnAlias => "this client_id is not for use here",
            Self::ClientLookalike => "the client_id is a variant of a protected one; send it exactly as it was issued",
            Self::ClientMissing => "the request names no client",
            Self::ClientUnlisted => "this client is not known here",
            Self::ClientUnreadable => "the request must be a plain form that names its client readably",
            Self::CodeChallengeMalformed => "code_challenge must be the 43 characters that S256 makes",
            Self::CodeChallengeMethodNotS256 => "code_challenge_method must be S256",
            Self::CodeChallengeMissing => "code challenge required",
            Self::CodeMissing => "code required",
            Self::CodeVerifierMalformed => "code_verifier must be 43 to 128 unreserved characters",
            Self::CodeVerifierMissing => "code_verifier required",
            Self::ConnectionNotAllowed => "this connection is not open to third-party clients",
            Self::EndpointNotAllowed => "this endpoint is not available to this client",
            Self::EndpointUnlisted => "this path is no endpoint for this client",
            Self::GrantTypeMissing => "grant_type required",
            Self::GrantTypeNotAllowed => "this client cannot use this grant",
            Self::GrantWithdrawn => "nothing is granted to this client any more",
            Self::IdTokenIssued => "an ID token is not for this client",
            Self::LimitExceeded => "the request is larger than allowed",
            Self::MediaTypeNotForm => "the body must be application/x-www-form-urlencoded in UTF-8",
            Self::MethodNotAllowed => "this method is not allowed here",
            Self::OidcScopeNotSupported => "OpenID Connect scopes are not supported for this client",
            Self::ParameterForeignToGrant => "a parameter belongs to another grant",
            Self::ParameterInQuery => "parameters of a token request belong into its body",
            Self::ParameterLookalike => "a parameter is a variant of a known one; spell it exactly",
            Self::ParameterMalformed => "a parameter is badly encoded",
            Self::ParameterNotSupported => "a parameter is not supported for this client",
            Self::ParameterRepeated => "a parameter is included more than once",
            Self::ParameterValueMalformed => "a value is outside the grammar of its parameter",
            Self::PathAmbiguous => "the path is a variant of an endpoint; use the exact path",
            Self::PolicyUnavailable => "no valid policy is loaded yet; try again later",
            Self::PromptMalformed => "prompt=none must stand alone",
            Self::PromptNone => "this client cannot sign users in silently",
            Self::RedirectUriNotRegistered => "redirect_uri is not registered for this client",
            Self::RefreshTokenMissing => "refresh_token required",
            Self::RefreshTokenNotAllowed => "a refresh token is not for this client",
            Self::RegistrationClosed => "client registration is closed",
            Self::RequestNotHeld => "the request could not be read in time",
            Self::RequestObjectNotSupported => "request objects are not supported for this client",
            Self::RequestUriNotSupported => "request_uri is not supported for this client",
            Self::ResponseModeNotQuery => "response_mode must be query",
            Self::ResponseTypeMissing => "response_type required",
            Self::ResponseTypeNotCode => "response_type must be code",
            Self::SchemeNotHttps => "https required",
            Self::ScopeMalformed => "scope is malformed",
            Self::ScopeNotGranted => "this scope is not granted to this client",
            Self::ScopeNotReported => "the authorization server does not say what was granted",
            Self::TenantHasActiveRules => "third-party clients cannot sign in while the tenant has active Rules",
            Self::TokenAudienceNotGranted => "the authorization server issued a token for another API",
            Self::TokenResponseCacheable => "the answer of the authorization server could be cached",
            Self::TokenResponseIncomplete => "the authorization server gave an answer without a token",
            Self::TokenResponseMalformed => "the answer of the authorization server has members of the wrong type",
            Self::TokenResponseUnreadable => "the authorization server gave an answer that cannot be passed on",
            Self::TokenScopeNotGranted => "the authorization server granted more than this client may have",
            Self::UpgradeNotAllowed => "no other protocol can be asked for here",
        }
    }

    /// The `error` on the wire, by endpoint; `None` stands for no endpoint at all.
    #[must_use]
    pub fn error(self, endpoint: Option<Endpoint>, dialect: ErrorDialect) -> ErrorCode {
        let at_token = endpoint == Some(Endpoint::Token);
        let is_auth0 = dialect == ErrorDialect::Auth0;
        match self {
            Self::AudienceNotGranted | Self::GrantTypeNotAllowed if is_auth0 => ErrorCode::UnauthorizedClient,
            Self::ScopeNotGranted if is_auth0 && at_token => ErrorCode::AccessDenied,
            Self::AccessPolicyDenies
            | Self::AuthorizationErrorRedirected
            | Self::ClientBlocked
            | Self::EndpointNotAllowed
            | Self::EndpointUnlisted
            | Self::RegistrationClosed
            | Self::TenantHasActiveRules => ErrorCode::AccessDenied,
            Self::AuthorizationDetailsNotGranted => ErrorCode::InvalidAuthorizationDetails,
            Self::ClientAuthenticationMalformed | Self::ClientAuthenticationNotRegistered => ErrorCode::InvalidClient,
            Self::ClientMissing | Self::ClientUnlisted if at_token => ErrorCode::InvalidClient,
            Self::GrantWithdrawn => ErrorCode::InvalidGrant,
            // A code is bound to the redirect URI that it was asked with (RFC 6749 §5.2).
            Self::RedirectUriNotRegistered if at_token => ErrorCode::InvalidGrant,
            Self::OidcScopeNotSupported | Self::ScopeMalformed | Self::ScopeNotGranted => ErrorCode::InvalidScope,
            Self::AudienceAmbiguous | Self::AudienceMalformed | Self::AudienceMissing | Self::AudienceNotGranted => {
                ErrorCode::InvalidTarget
            }
            Self::PromptNone => ErrorCode::ConsentRequired,
            Self::RequestObjectNotSupported => ErrorCode::RequestNotSupported,
            Self::RequestUriNotSupported => ErrorCode::RequestUriNotSupported,
            Self::GrantTypeNotAllowed if at_token => ErrorCode::UnsupportedGrantType,
            // `unauthorized_client` makes SDKs throw their registration away.
            Self::GrantTypeNotAllowed | Self::ResponseTypeNotCode => ErrorCode::UnsupportedResponseType,
            Self::PolicyUnavailable | Self::RequestNotHeld => ErrorCode::TemporarilyUnavailable,
            Self::AuthorizationResponseExposed
            | Self::AuthorizationResponseMisdirected
            | Self::AuthorizationResponseTokens
            | Self::IdTokenIssued
            | Self::RefreshTokenNotAllowed
            | Self::ScopeNotReported
            | Self::TokenAudienceNotGranted
            | Self::TokenResponseCacheable
            | Self::TokenResponseIncomplete
            | Self::TokenResponseMalformed
            | Self::TokenResponseUnreadable
            | Self::TokenScopeNotGranted => ErrorCode::ServerError,
            Self::AudienceUnreadable
            | Self::BodyNotExpected
            | Self::ClientAmbiguous
            | Self::ClientAuthenticationRepeated
            | Self::ClientIdIsAnAlias
            | Self::ClientLookalike
            | Self::ClientMissing
            | Self::ClientUnlisted
            | Self::ClientUnreadable
            | Self::CodeChallengeMalformed
            | Self::CodeChallengeMethodNotS256
            | Self::CodeChallengeMissing
            | Self::CodeMissing
            | Self::CodeVerifierMalformed
            | Self::CodeVerifierMissing
            | Self::ConnectionNotAllowed
            | Self::GrantTypeMissing
            | Self::LimitExceeded
            | Self::MediaTypeNotForm
            | Self::MethodNotAllowed
            | Self::ParameterForeignToGrant
            | Self::ParameterInQuery
            | Self::ParameterLookalike
            | Self::ParameterMalformed
            | Self::ParameterNotSupported
            | Self::ParameterRepeated
            | Self::ParameterValueMalformed
            | Self::PathAmbiguous
            | Self::PromptMalformed
            | Self::RedirectUriNotRegistered
            | Self::RefreshTokenMissing
            | Self::ResponseModeNotQuery
            | Self::ResponseTypeMissing
            | Self::SchemeNotHttps
            | Self::UpgradeNotAllowed => ErrorCode::InvalidRequest,
        }
    }
}

impl Breach {
    /// The status of the answer.
    #[must_use]
    pub fn status(self, endpoint: Option<Endpoint>, dialect: ErrorDialect) -> u16 {
        match (self.violation, self.parameter) {
            (Violation::MethodNotAllowed, _) => 405,
            (Violation::LimitExceeded, Some("body")) => 413,
            (Violation::LimitExceeded, Some("path" | "query")) => 414,
            (violation, _) => match violation.error(endpoint, dialect) {
                ErrorCode::AccessDenied | ErrorCode::ConsentRequired | ErrorCode::UnauthorizedClient => 403,
                ErrorCode::InvalidClient => 401,
                ErrorCode::InvalidAuthorizationDetails
                | ErrorCode::InvalidGrant
                | ErrorCode::InvalidRequest
                | ErrorCode::InvalidScope
                | ErrorCode::InvalidTarget
                | ErrorCode::RequestNotSupported
                | ErrorCode::RequestUriNotSupported
                | ErrorCode::UnsupportedGrantType
                | ErrorCode::UnsupportedResponseType => 400,
                ErrorCode::ServerError => 502,
                ErrorCode::TemporarilyUnavailable => 503,
            },
        }
    }
}
