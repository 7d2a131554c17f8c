"""Authlib's client for requests, as its documentation writes one."""

import json
import os
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

given = os.environ
resource = {given["RESOURCE_NAME"]: given["RESOURCE"]} if given["RESOURCE_NAME"] else {}
secret = given["CLIENT_SECRET"]
session = OAuth2Session(
    given["CLIENT_ID"],
    secret or None,
    scope=given["SCOPE"],
    redirect_uri=given["REDIRECT_URI"],
    code_challenge_method="S256",
    token_endpoint_auth_method="client_secret_basic" if secret else "none",
)
refreshed = None
if given["FLOW"] == "client_credentials":
    token = session.fetch_token(given["TOKEN"], grant_type="client_credentials", **resource)
else:
    verifier = generate_token(48)
    prompt = {"prompt": given["PROMPT"]} if given["PROMPT"] else {}
    url, state = session.create_authorization_url(given["AUTHORIZE"], code_verifier=verifier, **prompt, **resource)
    print("open", url, flush=True)
    back = sys.stdin.readline().strip()
    token = session.fetch_token(given["TOKEN"], authorization_response=back, state=state, code_verifier=verifier)
    if "refresh_token" in token:
        refreshed = session.refresh_token(given["TOKEN"], refresh_token=token["refresh_token"])
said = {name: token.get(name) for name in ("access_token", "scope", "id_token")}
print("done", json.dumps({**said, "refreshed": refreshed and refreshed["access_token"]}), flush=True)
