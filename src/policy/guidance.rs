//! Why a refusal happens and what to do about it, in words for people; the page of the
//! rules is made of it.

use crate::violation::Violation;

/// What a person needs who meets a refusal: the developer of the application that was
/// refused, or the operator of the gate. Both texts are Markdown.
pub(crate) struct Guidance {
    /// Why it happens.
    pub(crate) cause: &'static str,
    /// What to do, and who has to do it.
    pub(crate) remedy: &'static str,
}

impl Violation {
    /// Why the violation happens, and what helps.
    #[expect(clippy::too_many_lines, reason = "one arm for each variant, so that none goes without words")]
    pub(crate) fn guidance(self) -> Guidance {
        let (cause, remedy) = match self {
            Self::AccessPolicyDenies => (
                "The API's `subject_type_authorization` closes it to this permissive or first-party client: \
                 `deny_all`, or `require_client_grant` without a grant that covers every scope asked for.",
                "The operator adds an entry to `client_grants` with the `client_id`, the API as `audience`, the \
                 scopes, and `\"subject_type\": \"user\"` for logins (without that member it is a grant for \
                 `client_credentials`). Where `deny_all` stands no grant helps: the operator changes the API's \
                 `policy`, or the developer asks another API.",
            ),
            Self::AudienceAmbiguous => (
                "The request names more than one API: several `resource` values, or an `audience` and a `resource` \
                 that differ. Servers pick one, each its own; only `https://h` and `https://h/` count as equal.",
                "The developer asks for one API in each request, by `audience` or by one `resource`. For a second API \
                 run a second authorization request, and keep both tokens.",
            ),
            Self::AudienceMalformed => (
                "`resource` has to be an absolute URI without a fragment (RFC 8707 §2), and this one is not.",
                "The developer sends the API's `identifier` as it stands in `resource_servers`, with its scheme and \
                 without `#`. An API whose `identifier` is no URI is asked for by `audience`.",
            ),
            Self::AudienceMissing => (
                "The request asks for no API, the document has no `default_audience` under `tenant`, and the client is \
                 not granted exactly one API: nothing says whom the token would be for.",
                "The developer sends `audience`, or `resource`, with the `identifier` of the API. Or the operator sets \
                 `default_audience`, or grants this client exactly one API in `client_grants`, with `\"subject_type\": \
                 \"user\"` for logins.",
            ),
            Self::AudienceNotGranted => (
                "No grant lets this client have this API: `client_grants` has none for it, its own or by default, of \
                 the subject type that the flow needs; or the API is not in `resource_servers`, is a system API, or \
                 has the policy `deny_all`, which beats every grant.",
                "The operator lists the API in `resource_servers` and adds an entry to `client_grants` with its \
                 `audience`, the scopes, and either this `client_id` or `\"default_for\": \"third_party_clients\"`. \
                 Remember `\"subject_type\": \"user\"` for logins: an entry without it only serves \
                 `client_credentials`. The developer compares what was sent with the `identifier`, also in case and at \
                 the end: a slash behind a path counts.",
            ),
            Self::AudienceUnreadable => (
                "A permissive client's `audience`, `resource` or `scope` can be read in more than one way, or hides in \
                 `request` or behind `request_uri`. An API with an access policy could be meant, and the policy would \
                 be judged on another reading than the identity provider's.",
                "The developer sends each of these parameters once, spelled exactly, and in plain sight instead of in \
                 a request object. If the app cannot change, the operator can only take the policies out of \
                 `subject_type_authorization`, which opens those APIs to other permissive and first-party apps, too.",
            ),
            Self::AuthorizationDetailsNotGranted => (
                "`authorization_details` (RFC 9396) has a `type` that the client's grant for this API does not list.",
                "The operator adds the `type` to `authorization_details_types` of the client's entry in \
                 `client_grants`; an entry of the client's own replaces the default one, so it has to list every type. \
                 The developer otherwise asks only for granted types, or leaves `authorization_details` out.",
            ),
            Self::AuthorizationErrorRedirected => (
                "The identity provider wanted to send the user back to the app with an error, and the client's \
                 `redirection_policy` is `open_redirect_protection`, the default: whoever can provoke an error could \
                 otherwise use the identity provider to send users anywhere. The user sees a page of the gate instead.",
                "The developer expects that a failed authorization never comes back, and lets the user start again. \
                 The operator finds the reason in the identity provider's own log. If the app needs its errors, the \
                 operator sets `\"redirection_policy\": \"allow_always\"` in the client's entry.",
            ),
            Self::AuthorizationResponseExposed => (
                "Others could have seen or repeated the answer of the authorization endpoint: it may be framed, read \
                 from another origin (CORS), stored, named in a `referer`, or redirects with 307, which sends the form \
                 with the password along. The headers are corrected and the answer is delivered.",
                "Nobody has to act. The developer opens the authorization endpoint in a window of its own, not in a \
                 frame and not by `fetch`. The operator may set the same at the identity provider: `cache-control: \
                 no-store`, `referrer-policy: no-referrer`, `frame-ancestors 'none'`, no `access-control-allow-*`, and \
                 303 for redirects.",
            ),
            Self::AuthorizationResponseMisdirected => (
                "The identity provider sent a code, a token or an error to another place than the redirect URI that \
                 was asked for, or a code with another `state` than the request had. It could be an attack, so nothing \
                 is delivered.",
                "The operator makes sure that the redirect URIs registered at the identity provider for this client \
                 are those in `callbacks`, that it returns `state` octet for octet, and that nothing behind the gate \
                 rewrites `location`. If all this is in order, it is an incident.",
            ),
            Self::AuthorizationResponseTokens => (
                "The identity provider put tokens into the redirect, although the request asked for \
                 `response_type=code`. In a URL they end up in histories, logs and other people's hands, so nothing is \
                 delivered.",
                "The operator switches the implicit and the hybrid flow off for this client at the identity provider. \
                 The developer gets tokens from the token endpoint only, by `grant_type=authorization_code`.",
            ),
            Self::BodyNotExpected => (
                "Some servers read parameters out of the body of a GET or HEAD, others ignore it: what is asked would \
                 depend on the reader.",
                "The developer puts the parameters of an authorization request into the query and sends no body. Some \
                 HTTP libraries add one to every request, such as `{}`: switch that off.",
            ),
            Self::ClientAmbiguous => (
                "The query, the body, the `authorization` header, an assertion or a request object name different \
                 clients, and at least one of them is strict or blocked. Each server would believe another one.",
                "The developer names one `client_id` everywhere: as the parameter, as the user name of `Basic`, as \
                 `iss` and `sub` of a `client_assertion`; a default `authorization` header of another app is the usual \
                 culprit. A client whose id changes when it is form-encoded, such as an `https://` id, sends its \
                 credentials in the body rather than by `Basic`.",
            ),
            Self::ClientAuthenticationMalformed => (
                "The `authorization` header of the token request is not exactly one `Basic` credential: it has another \
                 scheme such as `Bearer`, two credentials, broken base64, or a user name beyond printable ASCII.",
                "The developer sends `Authorization: Basic` with the base64 of `client_id:client_secret`, each \
                 form-encoded first, or leaves the header out and sends `client_secret` in the body. A client without \
                 a secret sends no such header.",
            ),
            Self::ClientAuthenticationNotRegistered => (
                "The client authenticates in another way than `token_endpoint_auth_method` of its entry says: with a \
                 secret where that is `none` or `private_key_jwt`, or without credentials where it is confidential.",
                "The developer authenticates as registered: with `none` only by `client_id`; with \
                 `client_secret_basic` or `client_secret_post` by the secret; with `private_key_jwt` by \
                 `client_assertion`. If it is the entry that is wrong, the operator changes \
                 `token_endpoint_auth_method` there, and at the identity provider too.",
            ),
            Self::ClientAuthenticationRepeated => (
                "The request authenticates by more than one of `Basic`, `client_secret` and `client_assertion`. \
                 Servers check one of them, and not the same one.",
                "The developer chooses one. Most OAuth libraries have a setting for it, called `client_secret_basic` \
                 or `client_secret_post`; do not add a header by hand beside it.",
            ),
            Self::ClientBlocked => (
                "The client's entry says `\"blocked\": true`. That stops it at every endpoint, refresh included.",
                "The developer asks the operator; nothing that the app sends changes it. The operator takes `blocked` \
                 out of the entry, or sets it to `false`, and publishes the document under a higher `revision`.",
            ),
            Self::ClientIdIsAnAlias => (
                "The request names a value of some entry's `upstream_client_id`: the identity provider's own name of a \
                 strict client. Whoever could use it would get around the rules, so nobody outside may.",
                "The developer sends the `client_id` of the entry, as the operator gave it out. The operator never \
                 gives out the other one; if a first-party app already uses that id, the strict client needs a \
                 registration of its own at the identity provider.",
            ),
            Self::ClientLookalike => (
                "The value is no strict or blocked client's id, but differs only in what some servers ignore: case, \
                 width, accents, blanks, invisible characters; or it begins with a variant of `tpc_` or `https://`.",
                "The developer copies `client_id` octet for octet, without blanks or a line break around it. Where two \
                 honest ids are so alike, such as `partner` beside a strict `Partner`, the operator renames one of \
                 them.",
            ),
            Self::ClientMissing => (
                "A code or a refresh token is presented, and no client is named. The server would find the client in \
                 the code, and it could be a strict one, so this binds first-party apps too.",
                "The developer adds `client_id` to the form, or authenticates with `Basic` or `client_assertion`, \
                 which name the client as well.",
            ),
            Self::ClientUnlisted => (
                "No entry of the document's `clients` has this id, and either it is strict by its form (`tpc_…` or \
                 `https://…`) or the setting `unlisted_clients` is `refuse`.",
                "The developer checks the id for a typing error, and whether it belongs to this environment. The \
                 operator adds an entry with this `client_id` to `clients`; for an imported client \
                 `external_client_id` has to be the id that it sends.",
            ),
            Self::ClientUnreadable => (
                "The body hides which client it names: it is compressed, in a charset such as UTF-16, or at the token \
                 endpoint neither a form nor one JSON object with each member once; or a client assertion cannot be \
                 decoded. A strict client could be in there, so this binds first-party apps too.",
                "The developer sends the token request as `application/x-www-form-urlencoded` in UTF-8, without \
                 `content-encoding`. A `client_assertion` has to be a signed JWT, not an encrypted one.",
            ),
            Self::CodeChallengeMalformed => (
                "S256 makes the base64url of 32 octets: 43 characters of `A-Z a-z 0-9 - _` without padding. This is \
                 something else: often the hash in hex, plain base64 with `+`, `/` or `=`, or the verifier itself.",
                "The developer computes `code_challenge` as `BASE64URL(SHA256(ASCII(code_verifier)))`, on the octets \
                 of the hash and without `=` at the end, or leaves it to the OAuth library.",
            ),
            Self::CodeChallengeMethodNotS256 => (
                "`code_challenge_method` is absent, which means `plain`, or is not `S256`. With `plain` the challenge \
                 is the verifier: whoever sees the request can spend the code.",
                "The developer sends `code_challenge_method=S256`, with a capital S, and a `code_challenge` made by \
                 it.",
            ),
            Self::CodeChallengeMissing => (
                "Strict clients use PKCE, confidential ones too. Without `code_challenge` a stolen code can be spent \
                 by whoever holds it.",
                "The developer switches PKCE with S256 on in the OAuth library. By hand: make a new random \
                 `code_verifier` for each request, send `code_challenge` and `code_challenge_method=S256` here, and \
                 keep the verifier for the token request.",
            ),
            Self::CodeMissing => (
                "`grant_type` is `authorization_code`, and `code` is absent or empty.",
                "The developer takes `code` from the query of the redirect and sends it once, in the body. If the \
                 redirect brought `error` instead, there is no code to exchange: show the error, and start again.",
            ),
            Self::CodeVerifierMalformed => (
                "A `code_verifier` has 43 to 128 characters of `A-Z a-z 0-9 - . _ ~`. Shorter ones can be guessed.",
                "The developer makes it of 32 random octets in base64url without padding, which gives 43 characters, \
                 and sends the very text of which `code_challenge` was made.",
            ),
            Self::CodeVerifierMissing => (
                "A code came without the `code_verifier` that proves who asked for it. A server that forgets to look \
                 would take it all the same.",
                "The developer sends the `code_verifier` that was made for this authorization request. If it is lost \
                 between redirect and token request, keep it with the `state` in the user's session, and take care \
                 that both requests meet the same session.",
            ),
            Self::ConnectionNotAllowed => (
                "`connection` names none of the document's `connections` that have `\"is_domain_connection\": true`. \
                 Third parties may send users only to those.",
                "The developer leaves `connection` out, or names one that the operator offers. The operator lists the \
                 connection under `connections` with its `name` and `\"is_domain_connection\": true`; a document \
                 without `connections` polices none.",
            ),
            Self::EndpointNotAllowed => (
                "Strict clients cannot use this endpoint: device authorization, pushed requests, CIBA, introspection, \
                 userinfo, logout and the legacy ones are closed to them.",
                "The developer uses the code flow with PKCE at the authorization and the token endpoint, and asks an \
                 API instead of userinfo. Where the path is no such endpoint, the operator corrects `refused` in the \
                 setting `endpoints`.",
            ),
            Self::EndpointUnlisted => (
                "A strict client sent OAuth parameters to a path that the gate does not know as an endpoint. If the \
                 identity provider answered there, no rule would have been asked.",
                "The developer compares the URL with the authorization and token endpoints in the identity provider's \
                 metadata. Where it is a real endpoint, the operator adds the path to `authorization` or `token` in \
                 the setting `endpoints`, or to `refused` where strict clients have no business.",
            ),
            Self::GrantTypeMissing => (
                "A token request without `grant_type`, or with an empty one, does not say what is asked.",
                "The developer sends `grant_type` in the body, as a form: `authorization_code`, `refresh_token` or \
                 `client_credentials`. If it is in the code already, look whether the library sends JSON, or puts it \
                 into the query.",
            ),
            Self::GrantTypeNotAllowed => (
                "`grant_types` of the client's entry does not have this grant (an entry without the member has only \
                 `authorization_code`), or no strict client can have it: `password`, device, token exchange and the \
                 like; and `client_credentials` is for confidential clients.",
                "The developer uses the code flow with PKCE. The operator adds `authorization_code`, which the \
                 authorization endpoint needs, `refresh_token` or `client_credentials` to `grant_types`; the last one \
                 also needs another `token_endpoint_auth_method` than `none`.",
            ),
            Self::GrantWithdrawn => (
                "No API is granted to this client, or none any more: its entries in `client_grants` are gone, or \
                 `deny_all` closed the API. Neither a code nor a refresh token may outlive the grant.",
                "If this was not meant, the operator puts the entry back into `client_grants`, with `\"subject_type\": \
                 \"user\"`. The developer drops the refresh token instead of trying it again, and sends the user \
                 through a new authorization once the grant is there.",
            ),
            Self::IdTokenIssued => (
                "The identity provider issued an ID token. Strict clients get access to APIs, not the identity of \
                 users, so it is taken out and the rest is delivered.",
                "The developer neither asks for `openid` nor waits for `id_token`, and reads what the app needs to \
                 know of a user from an API that it is granted. The operator need not act.",
            ),
            Self::LimitExceeded => (
                "The path, the query, the body, the number of parameters, `state` or `redirect_uri` is larger than the \
                 setting `limits` allows. Beyond such sizes servers cut, drop or fail, each in its own way.",
                "The developer keeps data on the app's own side and sends a short random key as `state`. If an honest \
                 request needs more, the operator raises that member of `limits`: `path`, `query`, `body`, \
                 `parameters`, `state` or `redirect_uri`; the log and `tpc-gate explain` say which.",
            ),
            Self::MediaTypeNotForm => (
                "The token request is no form in UTF-8: it is JSON, multipart, another charset, or has no \
                 `content-type`.",
                "The developer sends `content-type: application/x-www-form-urlencoded`, and the parameters in that \
                 form.",
            ),
            Self::MethodNotAllowed => (
                "The authorization endpoint takes GET, the token endpoint takes POST. With another method, HEAD \
                 included, servers do something else, or the same without saying so.",
                "The developer sends the user to the authorization endpoint by a link or a redirect (302 or 303, not \
                 307 or 308 after a form), and calls the token endpoint by POST.",
            ),
            Self::OidcScopeNotSupported => (
                "The setting `oidc_scopes` is `reject`, and the request asks for a scope of OpenID Connect: `openid`, \
                 `profile`, `email`, `address` or `phone`. Strict clients get access to APIs, not the identity of \
                 users.",
                "The developer takes these names out of `scope`; many libraries add `openid` by themselves, and can be \
                 told not to. Where apps cannot, the operator sets `oidc_scopes` to `drop`, the default, and they are \
                 left out silently.",
            ),
            Self::ParameterForeignToGrant => (
                "The request carries the credentials of another grant beside its own, such as a `refresh_token` with \
                 `grant_type=authorization_code`. A server that looks at those first would take them.",
                "The developer sends `code` and `code_verifier` only with `authorization_code`, `refresh_token` only \
                 with `refresh_token`, and neither with `client_credentials`.",
            ),
            Self::ParameterInQuery => (
                "The URL of the token request carries OAuth parameters. Some servers prefer them to the body, and \
                 secrets in URLs end up in logs.",
                "The developer moves every parameter into the body, as a form, and calls the bare URL of the token \
                 endpoint. The operator replaces a secret that was sent this way.",
            ),
            Self::ParameterLookalike => (
                "The name is not one that the gate knows, but some framework would make one of it: `Client_Id`, \
                 `client.id`, `scope[]`, or `client_id` behind a `;`.",
                "The developer spells names exactly as the standard does, in lower case and without brackets, and \
                 encodes a `;` inside a value as `%3B`. Several scopes go into one `scope`, separated by spaces.",
            ),
            Self::ParameterMalformed => (
                "Somewhere a `%` is not followed by two hex digits, or the octets are not UTF-8. Servers replace, keep \
                 or drop them.",
                "The developer lets the HTTP library encode names and values instead of joining strings; a literal `%` \
                 is `%25`.",
            ),
            Self::ParameterNotSupported => (
                "Strict clients cannot use this parameter. At the authorization endpoint that is `claims`, \
                 `id_token_hint`, `registration`, `invitation`, `screen_hint` and the like, and secrets, codes and \
                 tokens, which do not belong into a URL; at the token endpoint `username` and `password`.",
                "The developer takes the parameter out; the log and `tpc-gate explain` name it, so the operator can \
                 tell which one it is.",
            ),
            Self::ParameterRepeated => (
                "A parameter is there more than once, and a server takes the first, the last or both. An empty one \
                 counts, too.",
                "The developer sends each parameter once, and several scopes in one `scope` with spaces between them. \
                 Where the configured endpoint URL has parameters of its own, such as `client_id`, the library adds a \
                 second one: configure the bare URL.",
            ),
            Self::ParameterValueMalformed => (
                "A value is outside the grammar of its parameter. Control characters fit nowhere; `client_id`, \
                 `client_secret`, `code`, `refresh_token` and `state` are printable ASCII, `nonce` is that and at most \
                 256 characters, `max_age` is up to 9 digits, `dpop_jkt` 43 characters of base64url.",
                "The developer sends `state` and `nonce` as random text in base64url, not as raw octets or other text, \
                 and trims line breaks off values that were read from files. The log and `tpc-gate explain` name the \
                 parameter.",
            ),
            Self::PathAmbiguous => (
                "The path is no endpoint, but some servers would read it as one: a slash more or less, other case, an \
                 encoded letter, a suffix or `;`, or a header such as `x-original-url` that replaces it. Nobody can \
                 say which rules it would meet behind the gate, so this binds first-party apps too.",
                "The developer uses the path exactly as the identity provider's metadata has it, with a slash at \
                 the end or without, and without `//` from joining a base URL. The operator lists the real paths in the setting \
                 `endpoints`, and lets no proxy in front rewrite them or add such headers.",
            ),
            Self::PolicyUnavailable => (
                "The gate has no valid settings and document yet, and is closed until it has. A broken update does not \
                 lead here: it leaves the document before in force.",
                "The developer tries again after the seconds in `retry-after`, and keeps the registration and the \
                 tokens. The operator runs `tpc-gate check` with `--policy` and `--settings`, mends every document \
                 fault, and finds in Envoy's log what was wrong at start.",
            ),
            Self::PromptMalformed => (
                "`prompt` has `none` beside another value. That asks to show a page and to show none; servers obey \
                 either half.",
                "The developer sends one of them. Strict clients cannot use `none` at all, so take that out and keep \
                 `login`, `consent` or `select_account`.",
            ),
            Self::PromptNone => (
                "`prompt=none` would send users through the identity provider to a third party without their seeing \
                 it.",
                "The developer leaves `prompt` out, or sends `login` or `consent`, in a window that the user sees. To \
                 go on without the user, use a refresh token; the operator adds `refresh_token` to the client's \
                 `grant_types` for that.",
            ),
            Self::RedirectUriNotRegistered => (
                "`redirect_uri` is compared octet for octet with the `callbacks` of the client's entry: a slash at the \
                 end, another case, port or query make another URI. If it is left out, it is filled in only where \
                 exactly one callback is registered, and that one is not a loopback address.",
                "The operator adds the exact URI to `callbacks`, and runs `tpc-gate check`, which names callbacks that \
                 can never match, such as those with `*`. The developer sends it in that spelling. Only for \
                 `\"app_type\": \"native\"` and `https://` ids is the port of a loopback URI free.",
            ),
            Self::RefreshTokenMissing => (
                "`grant_type` is `refresh_token`, and the parameter `refresh_token` is absent or empty.",
                "The developer sends the newest refresh token that the app got for this client, as a form parameter in \
                 the body. If none came with the tokens, the grant does not allow any: send the user through a new \
                 authorization instead.",
            ),
            Self::RefreshTokenNotAllowed => (
                "The identity provider issued a refresh token that this client cannot have: its `grant_types` has no \
                 `refresh_token`, the API's `allow_offline_access` is not `true`, or the grant was \
                 `client_credentials`. It is taken out, and the rest is delivered.",
                "If the app shall refresh, the operator adds `refresh_token` to `grant_types` of the client's entry \
                 and `\"allow_offline_access\": true` to the API in `resource_servers`, and the developer asks for \
                 `offline_access`. With `client_credentials` just ask for a new token.",
            ),
            Self::RegistrationClosed => (
                "A client tried to register itself. This build cannot yet judge what such a client says of itself, so \
                 dynamic registration is closed to everyone.",
                "The developer asks the operator for a client. The operator registers it at the identity provider and \
                 adds its entry to `clients`. The setting `\"danger_pass_registration\": true` lets registrations pass \
                 unjudged; a client that registers that way still has to be listed if its id is strict by its form.",
            ),
            Self::RequestNotHeld => (
                "For five seconds nothing came of the body of a request that is being held: the proxy does not hold \
                 requests, or the client announced a body and did not send it.",
                "If this happens to every request with a body, the operator sets `allow_on_headers_stop_iteration: \
                 true` on the filter (Envoy 1.35 or later), and POSTs a body to `ready_path` to see whether it works. \
                 Otherwise the developer sends as much as `content-length` says, without a pause, and tries again.",
            ),
            Self::RequestObjectNotSupported => (
                "The members of a request object (`request`) would replace the parameters that were judged.",
                "The developer sends the same values as plain parameters in the query, and switches request objects \
                 (JAR) off in the library.",
            ),
            Self::RequestUriNotSupported => (
                "The identity provider would fetch the real request from `request_uri`, where the gate cannot judge \
                 it. Pushed requests (PAR) come by the same parameter.",
                "The developer sends plain parameters in the query, and switches `request_uri` and PAR off in the \
                 library, which may have switched them on because the identity provider's metadata offers them.",
            ),
            Self::ResponseModeNotQuery => (
                "Codes and errors come back in the query of the redirect URI. By `fragment`, `form_post`, \
                 `web_message` or a JWT they would go by ways that are not guarded here.",
                "The developer leaves `response_mode` out, or sends `query`, and reads `code` and `state` from the \
                 query at the callback.",
            ),
            Self::ResponseTypeMissing => (
                "An authorization request has to say by `response_type` what it wants.",
                "The developer sends `response_type=code`. If it was sent, look whether a redirect on the way lost the \
                 query.",
            ),
            Self::ResponseTypeNotCode => (
                "Strict clients use the code flow only. The implicit and hybrid flows (`token`, `id_token`, `code \
                 id_token` and the like) hand out tokens in URLs.",
                "The developer sends `response_type=code`, nothing else, with PKCE, and exchanges the code at the \
                 token endpoint.",
            ),
            Self::SchemeNotHttps => (
                "The request came by http, as the hop in front of the gate tells it in `x-forwarded-proto`. Codes and \
                 secrets would be readable on the way.",
                "The developer calls `https://`. Where another proxy ends TLS in front of Envoy, the operator lets \
                 Envoy trust it (`xff_num_trusted_hops`), so that its `x-forwarded-proto: https` arrives. For tests on \
                 loopback there is the setting `danger_allow_http`.",
            ),
            Self::ScopeMalformed => (
                "`scope` has a character that no scope can have: a tab, a line break, a double quote, a backslash, or \
                 anything beyond ASCII.",
                "The developer sends the names separated by single spaces, such as `read:items write:items`; not as a \
                 JSON list, and not in quotes.",
            ),
            Self::ScopeNotGranted => (
                "At a login, none of the API scopes asked for is within the client's grant; some would be enough, and \
                 the others are left out. With `client_credentials` each one has to be granted.",
                "The operator adds the scope to `scope` of the client's entry in `client_grants` for this API, with \
                 `\"subject_type\": \"user\"` for logins and `\"client\"` for `client_credentials`; an entry of the \
                 client's own replaces the default one, so it has to list all scopes. Or the developer asks for less, \
                 or leaves `scope` out and gets what is granted.",
            ),
            Self::ScopeNotReported => (
                "The answer does not say which scopes the token has, or names some that were not granted. The app \
                 would rely on what it asked for, so the gate writes `scope` and delivers the answer.",
                "Nobody has to act. The developer reads `scope` of the answer, which may be less than what was asked \
                 for, and not a list of its own.",
            ),
            Self::TenantHasActiveRules => (
                "The document says `\"rules_active\": true` under `tenant`. At the vendor, Rules do not run for strict \
                 clients, so a tenant that has some lets none of them sign in; the gate does the same.",
                "The developer cannot change it. The operator moves what the Rules do to Actions, or whatever the \
                 identity provider has instead, switches them off, and then takes `rules_active` out of `tenant` or \
                 sets it to `false`.",
            ),
            Self::TokenAudienceNotGranted => (
                "`aud` of the JWT access token has none of the granted API's `token_audiences` (by default its \
                 `identifier`), or also has one of another listed API: the token would open what was not granted.",
                "The operator makes the identity provider bind tokens to the API that was asked for (the setting \
                 `audience_parameter` says how the gate asks), or writes into `token_audiences` what it puts into \
                 `aud`. For one that cannot bind there is `\"token_audience\": \"report\"`, which delivers and counts; \
                 `tpc-gate check` refuses that while two APIs share the name of a scope.",
            ),
            Self::TokenResponseCacheable => (
                "The answer with a token lacks `cache-control: no-store`, so a cache on the way may keep it. The \
                 header is set, and the answer is delivered.",
                "Nobody has to act. The operator may make the identity provider send `cache-control: no-store`, and \
                 look for a proxy behind the gate that takes it out.",
            ),
            Self::TokenResponseIncomplete => (
                "The identity provider reported success, and its answer has no `access_token` or no `token_type`. No \
                 client could use it (RFC 6749 §5.1).",
                "The operator looks into the identity provider's log: mostly it is an error, or a maintenance page, \
                 that was sent with status 200. The developer treats it as a failure of the server, and tries again \
                 later.",
            ),
            Self::TokenResponseMalformed => (
                "Members of the answer are `null`, or `expires_in` is text instead of a number. Client libraries fail \
                 at that, so it is put right and delivered.",
                "Nobody has to act. The operator may report it to the maker of the identity provider: members without \
                 a value are left out, and `expires_in` is a number (RFC 6749 §5.1).",
            ),
            Self::TokenResponseUnreadable => (
                "A success at the token endpoint has to be one plain JSON object of at most 256 KiB, not compressed. \
                 What the gate cannot read it cannot trim, so it is not delivered.",
                "The operator looks at what the identity provider sends: a page in HTML, a form, `content-encoding: \
                 gzip` although nobody asked for it. The developer treats it as a failure of the server, and tries \
                 again later; a code is spent by now, so that takes a new authorization.",
            ),
            Self::TokenScopeNotGranted => (
                "The access token, or `scope` of the answer, has a scope of a listed API beyond the grant: the \
                 identity provider gives more than it was asked for, or the user ticked more on its consent page. The \
                 token would open what was not granted, so it is not delivered.",
                "The operator limits at the identity provider which scopes this client can get, takes default scopes \
                 out, and switches the choice of further scopes on the consent page off. If the client is meant to \
                 have the scope, the operator adds it to the entry in `client_grants`, and the developer starts a new \
                 authorization.",
            ),
            Self::UpgradeNotAllowed => (
                "CONNECT, or an `upgrade` header at an endpoint, would turn the connection into something that nobody \
                 judges; this binds first-party apps too.",
                "The developer sends a plain request without `upgrade`. Some HTTP clients ask for `h2c` by themselves \
                 when they speak http, such as Java's: call `https://`, or set the client to HTTP/1.1.",
            ),
        };
        Guidance { cause, remedy }
    }
}
