"""Authlib's authorization server in a Flask application, as its documentation mounts it: PKCE optional, OpenID Connect, implicit and password on."""

import os
import secrets
import signal
import sys
import time
from urllib.parse import parse_qs, quote, urlsplit

# Behind a proxy that speaks http on loopback.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7591 import ClientRegistrationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant, DeviceCredentialDict
from authlib.oidc.core import AuthorizationCodeMixin, UserInfo, UserInfoEndpoint
from authlib.oidc.core.grants import OpenIDCode, OpenIDHybridGrant, OpenIDImplicitGrant
from authlib.oidc.rpinitiated import EndSessionEndpoint
from flask import Flask, jsonify, redirect, request, session
from joserfc.jwk import KeySet, RSAKey
from markupsafe import escape
from werkzeug.serving import WSGIRequestHandler, make_server


class Client(ClientMixin):
    def __init__(self, client_id, host, secret="s3cr3t"):
        self.client_id, self.secret = client_id, secret
        self.redirect_uri = f"https://{host}.example.com/callback"
        self.client_metadata = {"post_logout_redirect_uris": [f"https://{host}.example.com/bye"]}

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return self.redirect_uri

    def get_allowed_scope(self, scope):
        known = ("read:items", "write:items", "openid", "profile", "email", "offline_access")
        return " ".join(word for word in (scope or "").split() if word in known)

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret):
        return self.secret is not None and secrets.compare_digest(self.secret, client_secret)

    # Every client may do everything here: what a strict one may not is for the gate to say.
    def check_endpoint_auth_method(self, method, endpoint):
        return True

    def check_response_type(self, response_type):
        return True

    def check_grant_type(self, grant_type):
        return True


class Code(AuthorizationCodeMixin):
    def __init__(self, code, asked):
        self.code, self.client_id, self.user = code, asked.client.client_id, asked.user
        self.redirect_uri, self.scope = asked.payload.redirect_uri, asked.scope
        self.code_challenge = asked.payload.data.get("code_challenge")
        self.code_challenge_method = asked.payload.data.get("code_challenge_method")
        self.nonce, self.auth_time = asked.payload.data.get("nonce"), int(time.time())

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return self.auth_time


class Token(TokenMixin):
    def __init__(self, token, asked):
        self.client, self.user, self.issued, self.revoked = asked.client, asked.user, time.time(), False
        self.access_token, self.refresh_token = token["access_token"], token.get("refresh_token")
        self.scope, self.expires_in = token.get("scope", ""), token["expires_in"]

    def check_client(self, client):
        return self.client.client_id == client.client_id

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return self.expires_in

    def is_expired(self):
        return self.issued + self.expires_in < time.time()

    def is_revoked(self):
        return self.revoked

    def get_user(self):
        return self.user

    def get_client(self):
        return self.client


CLIENTS = {
    client.client_id: client
    for client in (
        Client("tpc_public01", "partner", None),
        Client("tpc_conf01", "partner"),
        Client("first_portal", "portal"),
        Client("legacy_partner", "legacy"),
    )
}
CODES, TOKENS, DEVICES, AGREED, DENIED = {}, [], {}, set(), set()
KEYS = KeySet([RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"}, auto_kid=True)])


def find_token(text, *kinds):
    return next((token for token in TOKENS for kind in kinds if getattr(token, kind) == text), None)


class Identity:
    """What every grant of OpenID Connect has to know."""

    def resolve_client_private_key(self, client):
        return KEYS

    def get_client_claims(self, client):
        return {"iss": os.environ["ISSUER"], "aud": [client.get_client_id()]}

    def generate_user_info(self, user, scope):
        return UserInfo(sub=user, name="Alice", email="alice@example.com").filter(scope)

    def exists_nonce(self, nonce, request):
        """Nonces of codes that were redeemed are forgotten, as in the documentation."""
        return any(code.nonce == nonce and code.client_id == request.payload.client_id for code in CODES.values())


class CodeIdentity(Identity, OpenIDCode):
    pass


class IdentityImplicitGrant(Identity, OpenIDImplicitGrant):
    pass


class IdentityHybridGrant(Identity, OpenIDHybridGrant):
    def save_authorization_code(self, code, request):
        CODES[code] = Code(code, request)


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    def save_authorization_code(self, code, request):
        CODES[code] = Code(code, request)

    def query_authorization_code(self, code, client):
        known = CODES.get(code)
        return known if known and known.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code):
        CODES.pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code):
        return authorization_code.user


class PasswordGrant(grants.ResourceOwnerPasswordCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    def authenticate_user(self, username, password):
        return username if username == password == "alice" else None


class RefreshGrant(grants.RefreshTokenGrant):
    INCLUDE_NEW_REFRESH_TOKEN = True
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    def authenticate_refresh_token(self, refresh_token):
        token = find_token(refresh_token, "refresh_token")
        return token if token and not token.revoked else None

    def authenticate_user(self, refresh_token):
        return refresh_token.user

    def revoke_old_credential(self, refresh_token):
        refresh_token.revoked = True


class DeviceGrant(DeviceCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    def query_device_credential(self, device_code):
        return next((known for known in DEVICES.values() if known["device_code"] == device_code), None)

    def query_user_grant(self, user_code):
        return ("alice", True) if DEVICES[user_code].get("agreed") else None

    def should_slow_down(self, credential):
        return False


class DeviceEndpoint(DeviceAuthorizationEndpoint):
    def get_verification_uri(self):
        return f"{os.environ['ISSUER']}/oauth/device"

    def save_device_credential(self, client_id, scope, data):
        lasts = {"expires_at": time.time() + data["expires_in"]}
        DEVICES[data["user_code"]] = DeviceCredentialDict(client_id=client_id, scope=scope, **lasts, **data)


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    def query_token(self, token_string, token_type_hint):
        return find_token(token_string, "access_token", "refresh_token")

    def revoke_token(self, token, request):
        token.revoked = True


class Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    def query_token(self, token_string, token_type_hint):
        return find_token(token_string, "access_token", "refresh_token")

    def introspect_token(self, token):
        return {"active": True, "client_id": token.client.client_id, "scope": token.scope}

    def check_permission(self, token, client, request):
        return True


class Bearer(BearerTokenValidator):
    def authenticate_token(self, token_string):
        return find_token(token_string, "access_token")


class Userinfo(Identity, UserInfoEndpoint):
    def get_issuer(self):
        return os.environ["ISSUER"]

    def resolve_private_key(self):
        return KEYS


class Logout(EndSessionEndpoint):
    def get_server_jwks(self):
        return KEYS

    def end_session(self, end_session_request):
        session.clear()


class Registration(ClientRegistrationEndpoint):
    def authenticate_token(self, request):
        return "anybody"

    def get_server_metadata(self):
        return {}

    def save_client(self, client_info, client_metadata, request):
        CLIENTS[client_info["client_id"]] = client = Client(client_info["client_id"], "registered", client_info["client_secret"])
        client.client_info = {**client_info, **client_metadata}
        return client

    def generate_client_registration_info(self, client, request):
        return None


app = Flask(__name__)
app.secret_key = "real-software"
app.config.update(OAUTH2_REFRESH_TOKEN_GENERATOR=True, SESSION_COOKIE_NAME="authlib")
server = AuthorizationServer(app, CLIENTS.get, lambda token, asked: TOKENS.append(Token(token, asked)))
server.register_grant(CodeGrant, [CodeIdentity(), CodeChallenge(required=False)])
for grant in (grants.ImplicitGrant, IdentityImplicitGrant, IdentityHybridGrant):
    server.register_grant(grant)
for grant in (grants.ClientCredentialsGrant, PasswordGrant, RefreshGrant, DeviceGrant):
    server.register_grant(grant)
protector = ResourceProtector()
protector.register_token_validator(Bearer())
for endpoint in (DeviceEndpoint, Revocation, Introspection, Registration, Logout, Userinfo(resource_protector=protector)):
    server.register_endpoint(endpoint)


STYLE = """body { margin: 3rem auto; max-width: 20rem; padding: 0 1rem; font: 1rem/1.5 sans-serif; background: #f3f4f8; color: #1c2541 }
label, button { display: block; width: 100%; margin: 0 0 1rem } input { display: block; width: 100%; box-sizing: border-box; padding: .5rem; font: inherit }
button { padding: .6rem; border: 0; border-radius: .3rem; background: #1c2541; color: #fff; font: inherit } button[name=deny] { background: #5a6175 }"""


@app.route("/style.css")
def style():
    return app.response_class(STYLE, mimetype="text/css")


def page(title, fields, action="", more=""):
    head = f'<!doctype html><html lang="en"><title>{title}</title><meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/style.css">'
    form = f'<form method="post" action="{action}">{fields}<button name="confirm" value="on">Go on</button>{more}</form>'
    return f"{head}<h1>{title}</h1>{form}"


def consent_page(back):
    asked = parse_qs(urlsplit(back).query)
    fields = f'<p>{escape(asked["client_id"][0])} asks for: {escape(asked.get("scope", ["nothing"])[0])}</p>' + hidden("back", back)
    return page("Give access", fields, "/consent", '<button name="deny" value="on">Cancel</button>')


def hidden(name, value):
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def local(back):
    return back if back.startswith("/oauth/") else "/"


def this_url():
    """As it came: Flask decodes."""
    return request.environ["RAW_URI"]


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "GET":
        fields = '<label>Name <input name="username" autofocus></label><label>Password <input type="password" name="password"></label>'
        return page("Sign in", hidden("back", request.args["back"]) + fields)
    if not request.form["username"] == request.form["password"] == "alice":
        return "no", 403
    session["user"] = "alice"
    return redirect(local(request.form["back"]), 303)


@app.route("/consent", methods=["POST"])
def consent():
    """Where the page at the authorization endpoint posts to; see also the posted form below."""
    (DENIED if "deny" in request.form else AGREED).add(request.form["back"])
    return redirect(local(request.form["back"]), 303)


@app.route("/oauth/authorize", methods=["GET", "POST"])
def authorize():
    if "user" not in session:
        return redirect(f"/login?back={quote(this_url(), safe='')}")
    if request.method == "GET" and this_url() not in AGREED | DENIED:
        return consent_page(this_url())
    agreed = this_url() not in DENIED
    AGREED.discard(this_url())
    DENIED.discard(this_url())
    try:
        grant = server.get_consent_grant(end_user=session["user"])
    except OAuth2Error as error:
        return server.handle_error_response(server.create_oauth2_request(None), error)
    return server.create_authorization_response(grant_user=session["user"] if agreed else None, grant=grant)


@app.route("/oauth/token", methods=["POST"])
def token():
    return server.create_token_response()


@app.route("/.well-known/openid-configuration")
@app.route("/.well-known/oauth-authorization-server")
def metadata():
    issuer = os.environ["ISSUER"]
    return jsonify(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/oauth/authorize",
        token_endpoint=f"{issuer}/oauth/token",
        device_authorization_endpoint=f"{issuer}/oauth/device_authorization",
        introspection_endpoint=f"{issuer}/oauth/introspect",
        registration_endpoint=f"{issuer}/oauth/register",
        revocation_endpoint=f"{issuer}/oauth/revoke",
        userinfo_endpoint=f"{issuer}/oauth/userinfo",
        end_session_endpoint=f"{issuer}/logout",
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        response_types_supported=["code", "token", "id_token", "id_token token", "code id_token", "code token", "code id_token token"],
        grant_types_supported=["authorization_code", "implicit", "refresh_token", "client_credentials", "password"],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=["RS256"],
        token_endpoint_auth_methods_supported=["none", "client_secret_basic", "client_secret_post"],
        code_challenge_methods_supported=["plain", "S256"],
        scopes_supported=["openid", "profile", "email", "read:items", "write:items", "offline_access"],
    )


@app.route("/.well-known/jwks.json")
def jwks():
    return jsonify(KEYS.as_dict(private=False))


@app.route("/oauth/device_authorization", methods=["POST"])
def device_authorization():
    return server.create_endpoint_response("device_authorization")


@app.route("/oauth/device", methods=["GET", "POST"])
def device():
    if "user" not in session:
        return redirect(f"/login?back={this_url()}")
    if request.method == "GET":
        return page("Your device", hidden("user_code", request.args.get("user_code", "")))
    DEVICES[request.form["user_code"]]["agreed"] = True
    return "done"


@app.route("/oauth/revoke", methods=["POST"])
def revoke():
    return server.create_endpoint_response("revocation")


@app.route("/oauth/introspect", methods=["POST"])
def introspect():
    return server.create_endpoint_response("introspection")


@app.route("/oauth/register", methods=["POST"])
def register():
    return server.create_endpoint_response("client_registration")


@app.route("/oauth/userinfo", methods=["GET", "POST"])
def userinfo():
    return server.create_endpoint_response("userinfo")


@app.route("/logout", methods=["GET", "POST"])
def logout():
    return server.create_endpoint_response("end_session") or "logged out"


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
serving = make_server("127.0.0.1", int(os.environ["PORT"]), app, threaded=True, request_handler=Handler)
print("ready", flush=True)
serving.serve_forever()
