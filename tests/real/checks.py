"""What must pass through the gate, what must not, and what must be the same octets with and without it."""

import base64
import hashlib
import json
import re
import secrets
import urllib.parse

import wire
from stage import ROOT

API, OTHER_API = "https://api.example.com", "https://other.example.com"
PARTNER = "https://partner.example.com/callback"
PUBLIC, CONFIDENTIAL, SECRET = "tpc_public01", "tpc_conf01", "s3cr3t"
JSON = ("Accept", "application/json")


def verifier_and_challenge():
    verifier = secrets.token_urlsafe(40)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).decode().rstrip("=")


def authorization_url(stage, client, redirect_uri, scope, **more):
    request = {"response_type": "code", "client_id": client, "redirect_uri": redirect_uri, "scope": scope, "state": "af0ifjsldkj"}
    request.update(more)
    return stage.facts["authorization"] + "?" + wire.query({name: value for name, value in request.items() if value is not None})


def asks_for(stage, api):
    """The parameter that names an API at this product; the gate takes `resource` where it has none."""
    parameter = stage.facts["audience_parameter"]
    return {"resource" if parameter in ("none", "both") else parameter: api}


def pkce(stage):
    """What makes an authorization request for the API complete."""
    _, challenge = verifier_and_challenge()
    return dict(code_challenge=challenge, code_challenge_method="S256", **asks_for(stage, API))


def strict_request(stage, client=PUBLIC, scope="read:items", **more):
    """The URL with which an honest strict client sends its user, and the verifier that it keeps."""
    verifier, challenge = verifier_and_challenge()
    asked = dict(code_challenge=challenge, code_challenge_method="S256", **more)
    return authorization_url(stage, client, PARTNER, scope, **asked), verifier


def answered(end):
    """What the redirect to a strict client brings."""
    assert isinstance(end, str), f"no redirect to the client, but {end.status}: {end.text()[:200]}"
    assert end.startswith(PARTNER), end
    return wire.parameters(end)


def redeem(browser, stage, client, secret, code, verifier):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": PARTNER, "code_verifier": verifier}
    return token_request(browser, stage, client, secret, form)


def posted(browser):
    """The paths to which a browser sent forms: login, or consent."""
    return [urllib.parse.urlsplit(raw.split(b" ")[1].decode()).path for raw, _ in browser.log if raw.startswith(b"POST")]


def credentials(client, secret):
    """Where a client says who it is: members of the form, or a header."""
    return ({}, [("Authorization", wire.basic(client, secret))]) if secret else ({"client_id": client}, [])


def token_request(browser, stage, client, secret, form):
    named, headers = credentials(client, secret)
    return browser.ask("POST", stage.facts["token"], {**form, **named}, [JSON, *headers])


def claims(token):
    """The claims of a JWT, unverified; none of an opaque token."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    return json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))


def preset_covers_metadata(stage):
    """Each endpoint that the product announces stands in its preset: judged, or closed."""
    listed = json.loads((ROOT / "envoy/idp" / f"{stage.idp}.json").read_text())["endpoints"]
    plain = [path.replace("{any}", "{}") for group in listed.values() for path in group]
    paths = {re.sub(r"\{\}", "[^/]+", re.escape(path).replace(r"\{\}", "{}")) for path in plain}
    announced = wire.Browser(stage.issuer).ask("GET", stage.facts["metadata"]).json()
    endpoints = {urllib.parse.urlsplit(url).path for name, url in announced.items() if name.endswith("_endpoint")}
    missing = [path for path in endpoints if not any(re.fullmatch(pattern, path) for pattern in paths)]
    assert endpoints and not missing, f"not in the preset: {missing}"
    return f"all {len(endpoints)} listed"


# What an honest strict client does.


def code_flow(stage, browser, client, secret):
    """Code and PKCE as an honest client does it that asks for more than it may have: the answer of the token endpoint."""
    scope = "openid profile read:items write:items offline_access"
    url, verifier = strict_request(stage, client, scope, nonce="n-0S6_WzA2Mj", **asks_for(stage, API))
    answer = answered(browser.visit(url))
    assert answer.get("code") and answer.get("state") == "af0ifjsldkj", answer
    return redeem(browser, stage, client, secret, answer["code"], verifier)


def strict_code(stage, client, secret, browser=None):
    """With scopes of OpenID Connect that the gate drops: a token for the API, what is granted of it, and no ID token."""
    is_scripted, browser = browser is None, browser or wire.Browser(stage.issuer)
    before = len(stage.recorder.exchanges)
    got = code_flow(stage, browser, client, secret)
    assert got.status == 200, f"{got.status} {got.text()[:300]}"
    if is_scripted:
        pages_are_untouched(stage, browser, before)
    token = got.json()
    assert token.get("access_token") and "id_token" not in token, token.keys()
    granted = set(token.get("scope", "read:items").split())
    assert granted <= {"read:items", "offline_access"}, granted
    if stage.facts.get("token_audience"):
        audience = claims(token["access_token"]).get("aud")
        assert audience in (API, [API]), f"aud is {audience}"
    asked = [raw.split(b" ")[1].decode() for raw, _ in stage.recorder.exchanges[before:]]
    arrived = [wire.parameters(target) for target in asked if target.startswith(stage.facts["authorization"] + "?")]
    assert arrived, "no authorization request arrived"
    assert all("openid" not in request.get("scope", "").split() for request in arrived), "scopes of OpenID Connect arrived"
    return browser, token


def pages_are_untouched(stage, browser, before):
    """What comes between authorization and token request, login and consent, is the same octets both ways."""
    log, recorded = browser.log, stage.recorder.exchanges[before:]
    assert len(log) == len(recorded), f"{len(log)} requests were sent, {len(recorded)} arrived"
    for (sent, received), (arrived, given) in zip(log, recorded):
        path = sent.split(b" ")[1].decode().partition("?")[0]
        if path not in (stage.facts["authorization"], stage.facts["token"]):
            difference = wire.request_differs(sent, arrived) or wire.answer_differs(given, received)
            assert not difference, f"{path}: {difference}"


def logged_in(stage):
    """Somebody who has been here before, without the gate."""
    browser = wire.Browser(stage.issuer, stage.plain)
    end = browser.visit(authorization_url(stage, CONFIDENTIAL, PARTNER, "read:items", **asks_for(stage, API)))
    assert isinstance(end, str) and "code" in wire.parameters(end), end if isinstance(end, str) else end.text()[:300]
    return browser


def strict_refresh(stage, client, secret):
    browser, token = strict_code(stage, client, secret)
    assert token.get("refresh_token"), "no refresh token came"
    got = token_request(browser, stage, client, secret, {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]})
    fresh = got.json()
    assert got.status == 200 and fresh.get("access_token") and "id_token" not in fresh, f"{got.status} {got.text()[:300]}"


def refreshes(stage, secret):
    """Whether a client gets refresh tokens here: some products give public ones none."""
    return "refresh" in stage.facts["strict"] and (bool(secret) or stage.facts.get("public_refresh", True))


def no_refresh(stage, client):
    _, token = strict_code(stage, client, None)
    assert "refresh_token" not in token, "a refresh token came"
    return "none: the product gives public clients no refresh token"


def strict_client_credentials(stage):
    form = {"grant_type": "client_credentials", "scope": "read:items", **asks_for(stage, API)}
    got = token_request(wire.Browser(stage.issuer), stage, CONFIDENTIAL, SECRET, form)
    assert got.status == 200 and got.json().get("access_token"), f"{got.status} {got.text()[:300]}"


def wrong_verifier(stage):
    """Who verifies PKCE: the gate sees to it that there is a verifier, the identity provider says whether it is the right one."""
    browser = wire.Browser(stage.issuer)
    url, _ = strict_request(stage)
    got = redeem(browser, stage, PUBLIC, None, answered(browser.visit(url))["code"], "x" * 43)
    verifies = stage.facts.get("verifies_pkce", True)
    assert (got.status >= 400) is verifies, f"{got.status} {got.text()[:200]}"
    return "refused by the product" if verifies else "taken: the product knows no PKCE"


def long_states(stage):
    """For products that keep the state in a cookie or a column: the step, and the function that goes it."""
    for length in (1024, 1800, 2048):

        def comes_back(state="s" * length):
            url, _ = strict_request(stage, state=state)
            assert answered(wire.Browser(stage.issuer).visit(url))["state"] == state

        yield f"a state of {length} octets comes back", comes_back


def without_the_gate(stage):
    """The same request of the same client through a plain Envoy: what it gets there."""
    got = code_flow(stage, wire.Browser(stage.issuer, stage.plain), PUBLIC, None)
    token = got.json()
    assert got.status == 200 and token.get("access_token"), f"{got.status} {got.text()[:300]}"
    # Some name them in any order.
    scope = " ".join(sorted(token["scope"].split())) if "scope" in token else "not said"
    return f"scope {scope}" + ("; an ID token" if "id_token" in token else "") + ("; a refresh token" if "refresh_token" in token else "")


def token_at_userinfo(stage):
    """A strict client's own token at the endpoint that is closed to it. An opaque token names nobody to the gate."""
    browser, token = strict_code(stage, PUBLIC, None)
    before = stage.recorder.received
    got = browser.ask("GET", stage.facts["userinfo"], None, [JSON, ("Authorization", f"Bearer {token['access_token']}")])
    said = got.json().get("violation")
    reached = stage.recorder.received - before
    expected = stage.facts["token_at_userinfo"]
    way = f"refused by {said}" if said else f"refused by the product: {got.status}" if got.status >= 400 else "passes"
    assert way.split(":")[0] == expected, f"{way}; {reached} octets arrived"
    return way


def preset_closes(stage):
    """Each path of the preset that is closed to strict clients, in every way in which one says who it is."""
    closed = json.loads((ROOT / "envoy/idp" / f"{stage.idp}.json").read_text())["endpoints"]["refused"]
    _, token = strict_code(stage, CONFIDENTIAL, SECRET)
    ways = [
        ("query", "GET", "?client_id=" + PUBLIC, None, []),
        ("form", "POST", "", {"client_id": PUBLIC, "scope": "openid"}, []),
        ("Basic", "POST", "", {"x": "y"}, [("Authorization", wire.basic(CONFIDENTIAL, SECRET))]),
    ]
    named = claims(token["access_token"])
    if CONFIDENTIAL in (named.get("client_id"), named.get("azp")):
        ways.append(("bearer token", "GET", "", None, [("Authorization", f"Bearer {token['access_token']}")]))
    before = stage.recorder.received
    for pattern in closed:
        path = pattern.replace("{any}", "x")
        for name in [*stage.facts.get("segments", []), *"x" * pattern.count("{}")]:
            path = path.replace("{}", name, 1)
        for name, method, query, form, headers in ways:
            answer = wire.Browser(stage.issuer).ask(method, path + query, form, [JSON, *headers])
            assert answer.json().get("violation") == "endpoint-not-allowed", f"{path}, {name}: {answer.status} {answer.text()[:200]}"
    assert stage.recorder.received == before, f"{stage.recorder.received - before} octets reached the identity provider"
    return f"all {len(closed)}: {', '.join(name for name, *_ in ways)}"


def honest(stage):
    """Flow, client and function of what this product has."""
    flows, public, confidential = stage.facts["strict"], "scripted, public", "scripted, confidential"
    for who, client, secret in ((public, PUBLIC, None), (confidential, CONFIDENTIAL, SECRET)):
        if "code" in flows:
            yield "code and PKCE", who, lambda client=client, secret=secret: strict_code(stage, client, secret) and "passed"
        if "refresh" in flows and not refreshes(stage, secret):
            yield "refresh", who, lambda client=client: no_refresh(stage, client)
        elif "refresh" in flows:
            yield "refresh", who, lambda client=client, secret=secret: strict_refresh(stage, client, secret)
    if "client_credentials" in flows:
        yield "client credentials", confidential, lambda: strict_client_credentials(stage)
    if "code" in flows:
        yield "code and PKCE, the same without the gate", public, lambda: without_the_gate(stage)
        yield "a code with a wrong verifier", public, lambda: wrong_verifier(stage)
    if "metadata" in stage.facts:
        yield "endpoints in the product's metadata", "the preset", lambda: preset_covers_metadata(stage)
    yield "paths that are closed to it", "the preset", lambda: preset_closes(stage)
    if "token_at_userinfo" in stage.facts:
        yield "its own token at userinfo", public, lambda: token_at_userinfo(stage)


# What a dishonest one tries.


def refusals(stage):
    """Name, request and the rule that refuses it."""
    asked = pkce(stage)

    def authorize(name, violation, redirect_uri=PARTNER, scope="read:items", **changes):
        return name, "GET", authorization_url(stage, PUBLIC, redirect_uri, scope, **{**asked, **changes}), None, [JSON], violation

    def token(name, violation, form, client=PUBLIC, secret=None):
        named, headers = credentials(client, secret)
        return name, "POST", stage.facts["token"], {**form, **named}, [JSON, *headers], violation

    yield authorize("implicit, token", "response-type-not-code", response_type="token")
    yield authorize("implicit, ID token", "response-type-not-code", scope="openid", response_type="id_token token", nonce="n")
    yield authorize("hybrid", "response-type-not-code", scope="openid", response_type="code id_token", nonce="n")
    yield authorize("no PKCE", "code-challenge-missing", code_challenge=None, code_challenge_method=None)
    yield authorize("PKCE, method plain", "code-challenge-method-not-s256", code_challenge_method="plain")
    yield authorize("PKCE, method left out", "code-challenge-method-not-s256", code_challenge_method=None)
    yield authorize("an API that is not granted", "audience-not-granted", **asks_for(stage, OTHER_API))
    yield authorize("a scope that is not granted", "scope-not-granted", scope="write:items")
    yield authorize("a redirect_uri of its own", "redirect-uri-not-registered", redirect_uri="https://evil.example.com/callback")
    yield authorize("a redirect_uri with a longer path", "redirect-uri-not-registered", redirect_uri=PARTNER + "/more")
    yield authorize("without asking the user", "prompt-none", prompt="none")
    yield authorize("a request object", "request-object-not-supported", request="e30.e30.")
    yield authorize("a pushed request", "request-uri-not-supported", request_uri="urn:ietf:params:oauth:request_uri:x")
    yield authorize("claims", "parameter-not-supported", claims='{"userinfo":{}}')
    yield authorize("response_mode=fragment", "response-mode-not-query", response_mode="fragment")
    yield authorize("response_mode=form_post", "response-mode-not-query", response_mode="form_post")
    yield authorize("an id that nobody listed", "client-unlisted", client_id="tpc_unknown")
    yield authorize("its id in capitals", "client-lookalike", client_id=PUBLIC.upper())
    honest_url = authorization_url(stage, PUBLIC, PARTNER, "read:items", **asked)
    yield "two client ids", "GET", honest_url + "&client_id=first_portal", None, [JSON], "client-ambiguous"
    yield "two scopes", "GET", honest_url + "&scope=write%3Aitems", None, [JSON], "parameter-repeated"
    password = {"grant_type": "password", "username": "alice", "password": "alice", "scope": "read:items"}
    yield token("password", "grant-type-not-allowed", password, CONFIDENTIAL, SECRET)
    yield token("password, public client", "grant-type-not-allowed", password)
    yield token("client credentials, public client", "grant-type-not-allowed", {"grant_type": "client_credentials", "scope": "read:items"})
    other = {"grant_type": "client_credentials", "scope": "read:items", **asks_for(stage, OTHER_API)}
    yield token("client credentials, an API that is not granted", "audience-not-granted", other, CONFIDENTIAL, SECRET)
    wider = {"grant_type": "client_credentials", "scope": "read:items write:items", **asks_for(stage, API)}
    yield token("client credentials, a scope that is not granted", "scope-not-granted", wider, CONFIDENTIAL, SECRET)
    yield token("a code without its verifier", "code-verifier-missing", {"grant_type": "authorization_code", "code": "abc", "redirect_uri": PARTNER})
    device = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "abc"}
    yield token("a device code", "grant-type-not-allowed", device)
    exchange = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": "abc"}
    yield token("token exchange", "grant-type-not-allowed", exchange, CONFIDENTIAL, SECRET)
    code = {"grant_type": "authorization_code", "code": "abc", "redirect_uri": PARTNER, "code_verifier": "x" * 43}
    yield token("a redirect_uri of its own, at token", "redirect-uri-not-registered", {**code, "redirect_uri": "https://evil.example.com/callback"})
    yield token("Basic of one, form of another", "client-ambiguous", {**code, "client_id": PUBLIC}, CONFIDENTIAL, SECRET)
    in_query = f"{stage.facts['token']}?{wire.query(password)}"
    yield "the grant in the query", "POST", in_query, {**code, "client_id": PUBLIC}, [JSON], "parameter-in-query"
    in_json = json.dumps({**password, "client_id": PUBLIC}).encode()
    yield "the grant in JSON", "POST", stage.facts["token"], in_json, [JSON, ("Content-Type", "application/json")], "media-type-not-form"
    for door in stage.facts["doors"]:
        yield from door_requests(door)


def door_requests(door):
    """A door, tried by both strict clients, each in the way that it has of naming itself."""
    violation = door.get("violation", "endpoint-not-allowed")
    method, form = door.get("method", "POST"), door.get("form", {})
    shown = door["path"].partition("?")[0]
    if "json" in door or violation == "registration-closed":
        body = json.dumps(door["json"]).encode() if "json" in door else None
        yield f"door: {door['name']} (`{method} {shown}`)", method, door["path"], body, [JSON, ("Content-Type", "application/json")], violation
        return
    for client, secret in ((PUBLIC, None), (CONFIDENTIAL, SECRET)):
        _, headers = credentials(client, secret)
        name = f"door: {door['name']} (`{method} {shown}`)"
        if method == "GET":
            yield name, method, door["path"] + "?" + wire.query({**form, "client_id": client}), None, [JSON], violation
        else:
            yield name, method, door["path"], {**form, "client_id": client}, [JSON, *headers], violation


def refused(stage, method, url, form, headers, violation):
    """Refused by this rule, with not one octet at the identity provider; and what it says when it is asked directly."""
    before = stage.recorder.received
    answer = wire.Browser(stage.issuer).ask(method, url, form, headers)
    reached = stage.recorder.received - before
    person = wire.Browser(stage.issuer, stage.plain)
    # In whatever spelling of the path.
    is_login = method == "GET" and urllib.parse.unquote(url).startswith(stage.facts["authorization"] + "?")
    directly = person.visit(url) if is_login else person.ask(method, url, form, headers)
    named = answer.json().get("violation")
    assert answer.status >= 400 and named == violation, f"{answer.status} {named or answer.text()[:200]}, expected {violation}"
    assert reached == 0, f"{reached} octets reached the identity provider"
    return what_it_said(stage, directly)


def consent_form(stage):
    """A client whom the product asks for consent in a form that is posted to the authorization endpoint: refused, and what the form yields directly."""
    ends, form = [], b"POST " + stage.facts["authorization"].encode()
    for way in (None, stage.plain):
        before, browser = len(stage.recorder.exchanges), wire.Browser(stage.issuer, way)
        ends.append(browser.visit(authorization_url(stage, stage.facts["consent_client"], PARTNER, "read:items", **pkce(stage))))
        assert any(raw.startswith(form) for raw, _ in browser.log), "the browser found no such form"
        arrived = any(raw.startswith(form) for raw, _ in stage.recorder.exchanges[before:])
        assert arrived is bool(way), "the form arrived" if arrived else "the form did not arrive"
    assert not isinstance(ends[0], str) and ends[0].status >= 400 and "method-not-allowed" in ends[0].text(), ends[0]
    return what_it_said(stage, ends[1])


def what_it_said(stage, answer):
    """An answer of the identity provider in a few words; a URL is where the browser was sent in the end."""
    if isinstance(answer, str):
        given = wire.parameters(answer)
        came = [name for name in ("code", "access_token", "id_token") if name in given]
        place = "" if answer.startswith(PARTNER + "?") or answer.startswith(PARTNER + "#") else ", to the other address"
        return f"refused: {given['error']}" if "error" in given else f"**passes: {', '.join(came) or 'the browser'}**{place}"
    if answer.status >= 400:
        return f"refused: {answer.status} {answer.json().get('error', '')}".strip()
    if answer.status != 201 and (location := answer.header("location")):
        return f"**passes: {answer.status} to {urllib.parse.urlsplit(location).path}**"
    return "**passes: access_token**" if "access_token" in answer.json() else f"**passes: {answer.status}**"
