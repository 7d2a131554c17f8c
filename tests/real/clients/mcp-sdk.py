"""The OAuth client of the MCP Python SDK, as its documentation uses it: discovery, code and PKCE, refresh; client credentials.

The argument: the scopes that the MCP server names. Both generations are used in the same way, but for the two names below.
"""

import asyncio
import json
import os
import sys
import urllib.parse

from mcp.client import auth
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

try:
    import httpx2 as httpx

    came_back = auth.AuthorizationCodeResult
except ImportError:
    import httpx

    # Before version 2 nobody asks for `iss`.
    def came_back(code, state, iss):
        return code, state


given = os.environ
SERVER, SCOPES = given["MCP_SERVER"], sys.argv[1].split()
about = {
    "client_name": "agent",
    "redirect_uris": [given["REDIRECT_URI"]],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "client_secret_basic" if given["CLIENT_SECRET"] else "none",
}


class Storage(auth.TokenStorage):
    tokens = None
    client = OAuthClientInformationFull(client_id=given["CLIENT_ID"], client_secret=given["CLIENT_SECRET"] or None, **about)

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


def mcp_server(request):
    """The MCP server is no machine of ours: its metadata (RFC 9728), and whether a token came."""
    if "/.well-known/" in request.url.path:
        return httpx.Response(200, json={"resource": SERVER, "authorization_servers": [given["ISSUER"]], "scopes_supported": SCOPES})
    return httpx.Response(200 if "authorization" in request.headers else 401)


async def open_url(url):
    print("open", url, flush=True)


async def come_back():
    line = await asyncio.to_thread(sys.stdin.readline)
    answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(line.strip()).query))
    return came_back(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))


async def main():
    storage = Storage()
    if given["FLOW"] == "client_credentials":
        credentials = {"client_id": given["CLIENT_ID"], "client_secret": given["CLIENT_SECRET"]}
        provider = ClientCredentialsOAuthProvider(SERVER, storage, **credentials, issuer=given["ISSUER"])
    else:
        provider = auth.OAuthClientProvider(SERVER, OAuthClientMetadata(**about), storage, open_url, come_back)
    async with httpx.AsyncClient(auth=provider, mounts={SERVER: httpx.MockTransport(mcp_server)}) as client:
        got = await client.get(SERVER + "/mcp")
        first, refreshed = storage.tokens, None
        if first and first.refresh_token:
            # As if its time had passed: the next request refreshes.
            provider.context.token_expiry_time = 1
            got = await client.get(SERVER + "/mcp")
            refreshed = storage.tokens.access_token
    assert got.status_code == 200, got
    said = {"access_token": first.access_token, "scope": first.scope, "refreshed": refreshed if refreshed != first.access_token else None}
    print("done", json.dumps(said), flush=True)


asyncio.run(main())
