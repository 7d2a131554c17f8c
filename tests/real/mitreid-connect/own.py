"""What only MITREid Connect has: a consent form that names no client, tokens that open its management, and ids with a blank."""

import base64
import json

import wire
from checks import CONFIDENTIAL, JSON, PARTNER, PUBLIC, answered, long_states, posted, redeem, strict_request


def steps(stage):
    """Each step, and the function that goes it."""
    yield from long_states(stage)
    yield "the user ticks an API's scope that was not asked for", lambda: ticks_more_of_an_api(stage)
    yield "the user ticks scopes of OpenID Connect", lambda: ticks_identity(stage)
    yield "the user says no", lambda: denies(stage)
    yield "prompt=consent, where consent is remembered", lambda: asked_again(stage)
    yield "its own token at the management API", lambda: token_at_management(stage)
    yield "its id with a blank behind it", lambda: blank_behind_the_id(stage)
    yield "a request object that names it, beside a first-party id", lambda: named_in_an_object(stage)
    yield "a code after a wrong verifier", lambda: burnt(stage)
    yield "an administrator manages a strict client", lambda: managed(stage)


class Person(wire.Browser):
    """Sends the consent form with other fields than those that it came with."""

    changes = {}

    def ask(self, method, url, form=None, headers=()):
        if form and dict(form).get("user_oauth_approval"):
            form = {**dict(form), **self.changes}
        return super().ask(method, url, form, headers)


def begin(stage, client=PUBLIC, address=None, **more):
    """A person, the URL with which an honest client sends them, and its verifier."""
    return Person(stage.issuer, address), *strict_request(stage, client, **more)


def spend(stage, browser, url, verifier):
    """What the code is good for that this person brings back."""
    return redeem(browser, stage, PUBLIC, None, answered(browser.visit(url))["code"], verifier)


def ticks_more_of_an_api(stage):
    """The form passes, as it names no client; what comes of it is no token."""
    ticked = {"scope_write:items": "write:items"}
    around, url, verifier = begin(stage, address=stage.plain, prompt="consent")
    around.changes = ticked
    wider = spend(stage, around, url, verifier).json()
    assert "write:items" in wider["scope"].split(), wider["scope"]
    browser, url, verifier = begin(stage)
    browser.changes = ticked
    got = spend(stage, browser, url, verifier)
    assert got.status == 502 and got.json()["violation"] == "token-scope-not-granted" and "access_token" not in got.json(), got.text()[:200]
    return f"no token: {got.json()['violation']}; without the gate: scope {wider['scope']}"


def ticks_identity(stage):
    browser, url, verifier = begin(stage)
    browser.changes = {"scope_openid": "openid", "scope_profile": "profile"}
    got = spend(stage, browser, url, verifier).json()
    assert got["scope"] == "read:items" and "id_token" not in got, got.keys()
    return "no ID token, scope read:items"


def denies(stage):
    browser, url, _ = begin(stage)
    browser.changes = {"user_oauth_approval": "false"}
    told = answered(browser.visit(url))
    assert told["error"] == "access_denied" and told["state"] == "af0ifjsldkj", told
    return f"the client hears {told['error']}: not judged before transactions are sealed"


def asked_again(stage):
    browser, url, _ = begin(stage)
    for expected in (["/login", "/authorize"], ["/authorize"]):
        browser.log.clear()
        browser.visit(url)
        assert posted(browser) == expected, posted(browser)
    around, url, _ = begin(stage, address=stage.plain)
    around.cookies = dict(browser.cookies)
    around.visit(url)
    assert posted(around) == [], posted(around)
    return "asked again; without the gate: not asked"


def token_at_management(stage):
    """Without the gate it lists every token that the user has given to anybody."""
    browser, url, verifier = begin(stage)
    token = spend(stage, browser, url, verifier).json()["access_token"]
    bearer = [JSON, ("Authorization", f"Bearer {token}")]
    for path in ("/api/tokens/access", "/api/tokens/access.json", "/api/approved", "/api/clients"):
        directly = wire.Browser(stage.issuer, stage.plain).ask("GET", path, None, bearer)
        assert directly.status == 200 and directly.body.startswith(b"[{"), f"{path}: {directly.status} {directly.text()[:200]}"
        before = stage.recorder.received
        no_blank = [JSON, ("Authorization", f"Bearer{token}")]
        for asked, headers in ((path, bearer), (path, no_blank), (f"{path}?access_token={token}", [JSON])):
            answer = wire.Browser(stage.issuer).ask("GET", asked, None, headers)
            assert answer.json().get("violation") == "endpoint-not-allowed", f"{path}: {answer.status} {answer.text()[:200]}"
        assert stage.recorder.received == before
    return "refused by endpoint-not-allowed; without the gate: the tokens of the user"


def blank_behind_the_id(stage):
    around, url, _ = begin(stage, CONFIDENTIAL + " ", address=stage.plain)
    assert "code" in answered(around.visit(url))
    before = stage.recorder.received
    answer = wire.Browser(stage.issuer).ask("GET", url, None, [JSON])
    assert answer.json().get("violation") == "client-lookalike" and stage.recorder.received == before, answer.text()[:200]
    return "refused by client-lookalike; without the gate: a code"


def named_in_an_object(stage):
    """The product takes the client out of it where nothing else names one."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    inside = {"client_id": PUBLIC, "redirect_uri": PARTNER, "response_type": "token", "scope": "write:items"}
    asked = {"response_type": "token", "redirect_uri": "https://portal.example.com/callback", "request": f"{part({'alg': 'none'})}.{part(inside)}."}
    before, said = stage.recorder.received, []
    for outside in ({"client_id": "first_portal"}, {}):
        url = f"{stage.facts['authorization']}?{wire.query({**asked, **outside})}"
        said.append(wire.Browser(stage.issuer).ask("GET", url, None, [JSON]).json().get("violation"))
    assert said == ["client-ambiguous", "client-missing"] and stage.recorder.received == before, said
    return f"refused by {said[0]}; without that id by {said[1]}"


def burnt(stage):
    browser, url, verifier = begin(stage)
    code = answered(browser.visit(url))["code"]
    first, second = (redeem(browser, stage, PUBLIC, None, code, tried) for tried in ("x" * 43, verifier))
    assert first.status >= 400 and second.status >= 400, f"{first.status}, {second.status}"
    return f"spent: {second.status} {second.json().get('error', '')}"


def managed(stage):
    """Through the same host and the same closed paths, but with a session; what is sent is about the client, and not by it."""
    before = len(stage.recorder.exchanges)
    browser = wire.Browser(stage.issuer)
    form = next(form for form in wire.Forms(browser.ask("GET", "/login").text()).forms if any(kind == "password" for kind, *_ in form["fields"]))
    browser.ask("POST", "/login", {**dict(wire.fill(form)), "username": "admin", "password": "password"})
    client = next(one for one in json.loads(browser.ask("GET", "/api/clients").body) if one["clientId"] == PUBLIC)
    for method, path, value in (
        ("PUT", f"/api/clients/{client['id']}", client),
        ("POST", "/api/whitelist", {"clientId": PUBLIC, "allowedScopes": ["read:items"]}),
        ("GET", f"/api/stats/byclientid/{PUBLIC}", None),
        ("GET", f"/api/tokens/client/{PUBLIC}", None),
    ):
        body = json.dumps(value).encode() if value else None
        answer = browser.ask(method, path, body, [JSON, ("Content-Type", "application/json")])
        assert answer.status == 200 and "violation" not in answer.json(), f"{path}: {answer.status} {answer.text()[:200]}"
    log, recorded = browser.log, stage.recorder.exchanges[before:]
    for (sent, received), (arrived, given) in zip(log, recorded, strict=True):
        difference = wire.request_differs(sent, arrived) or wire.answer_differs(given, received)
        assert not difference, difference
    return f"the same octets, {len(log)} requests"
