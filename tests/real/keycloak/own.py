"""What only Keycloak has: consent as a switch of the client, ids that cannot change, and login pages whose URLs carry the client."""

import base64
import html
import json
import re
import urllib.parse

import wire
from checks import API, CONFIDENTIAL, JSON, PARTNER, PUBLIC, answered, claims, long_states, posted, redeem, strict_request, token_request

ACTIONS = "/realms/demo/login-actions"
ALIAS, UPSTREAM = "tpc_alias01", "old-partner"


def steps(stage):
    """Each step, and the function that goes it."""
    yield from long_states(stage)
    yield "a client with another id at Keycloak", lambda: alias(stage)
    yield "that id, from outside", lambda: alias_from_outside(stage)
    yield "prompt=consent, where consent is required", lambda: asked_again(stage)
    yield "prompt=consent, where it is not", lambda: never_asked(stage)
    yield "parameters that only Keycloak knows", lambda: own_parameters(stage)
    yield "links of the login page", lambda: links(stage)
    yield "a wrong password", lambda: wrong_password(stage)
    yield "a double click on login", lambda: double_click(stage)
    for what, status, forged in (
        ("another state", 302, {"ru": PARTNER, "rt": "code"}),
        ("the implicit flow", 302, {"ru": PARTNER, "rt": "token"}),
        ("another redirect URI", 302, {"ru": "https://partner.example.com/open", "rt": "code"}),
        ("a foreign redirect URI", 400, {"ru": "https://evil.example.com/callback", "rt": "code"}),
    ):
        yield f"forged client_data: {what}", lambda s=status, f=forged: forged_client_data(stage, s, f)
    yield "reset-credentials without a request", lambda: reset_without_request(stage)


def begin(stage, client=PUBLIC, address=None, **more):
    """A person, and the URL with which an honest client sends them."""
    url, _ = strict_request(stage, client, **more)
    return wire.Browser(stage.issuer, address), url


def pages(browser):
    """The forms that this person sent, by the end of their paths."""
    return [path.rpartition("/")[2] for path in posted(browser)]


def alias(stage):
    url, verifier = strict_request(stage, ALIAS)
    browser = wire.Browser(stage.issuer)
    before = len(stage.recorder.exchanges)
    token = redeem(browser, stage, ALIAS, None, answered(browser.visit(url))["code"], verifier).json()
    again = token_request(browser, stage, ALIAS, None, {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}).json()
    assert claims(again["access_token"])["azp"] == UPSTREAM
    arrived = [raw for raw, _ in stage.recorder.exchanges[before:]]
    assert UPSTREAM.encode() in arrived[0] and not any(b"tpc_" in raw for raw in arrived), "Keycloak saw the id of the policy"
    closed = browser.ask("GET", stage.facts["userinfo"], None, [JSON, ("Authorization", f"Bearer {token['access_token']}")])
    assert closed.json()["violation"] == "client-id-is-an-alias", closed.text()[:200]


def alias_from_outside(stage):
    """Nobody but the gate uses it: not at authorize, not at token, not at a door, not on a login page."""
    browser, url = begin(stage, UPSTREAM)
    password = {"client_id": UPSTREAM, "grant_type": "password", "username": "alice", "password": "alice"}
    reset = f"{ACTIONS}/reset-credentials?{wire.query({'client_id': UPSTREAM, 'redirect_uri': PARTNER})}"
    before = stage.recorder.received
    for method, target, form in (
        ("GET", url, None),
        ("GET", url.replace("response_type=code", "response_type=token"), None),
        ("POST", stage.facts["token"], password),
        ("POST", stage.facts["device"], {"client_id": UPSTREAM}),
        ("GET", reset, None),
    ):
        answer = browser.ask(method, target, form, [JSON])
        assert answer.json().get("violation") == "client-id-is-an-alias", f"{target}: {answer.status} {answer.text()[:200]}"
    assert stage.recorder.received == before


def asked_again(stage):
    browser, url = begin(stage)
    browser.visit(url)
    assert pages(browser) == ["authenticate", "consent"], pages(browser)
    browser.log.clear()
    browser.visit(url)
    assert pages(browser) == ["consent"], pages(browser)
    around, url = begin(stage, address=stage.plain)
    around.cookies = dict(browser.cookies)
    around.visit(url)
    assert pages(around) == [], pages(around)
    return "asked again; without the gate: not asked"


def never_asked(stage):
    browser, url = begin(stage, CONFIDENTIAL)
    browser.visit(url)
    assert pages(browser) == ["authenticate"], pages(browser)
    return "not asked"


def own_parameters(stage):
    before = len(stage.recorder.exchanges)
    browser, url = begin(stage, kc_action="UPDATE_PASSWORD", kc_idp_hint="corporate", audience=API)
    browser.ask("GET", url)
    asked = wire.parameters(stage.recorder.exchanges[before][0].split(b" ")[1].decode())
    expected = {"client_id", "response_type", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "prompt"}
    assert set(asked) == expected, sorted(asked)
    return "dropped, and audience"


def login_form(browser, url):
    page = browser.ask("GET", url)
    return page, wire.Forms(page.text()).forms[0]


def links(stage):
    browser, url = begin(stage)
    page, form = login_form(browser, url)
    data = wire.parameters(form["action"])["client_data"]
    assert set(json.loads(base64.urlsafe_b64decode(data + "=="))) == {"ru", "rt", "st"}
    found = sorted({html.unescape(link) for link in re.findall(r'href="([^"]*login-actions[^"]*)"', page.text())})
    for link in found:
        answer = browser.ask("GET", link)
        assert answer.status in (200, 302), f"{link}: {answer.status}"
    assert len(found) >= 2, found
    return f"{len(found)}: {', '.join(urllib.parse.urlsplit(link).path.rpartition('/')[2] for link in found)}"


def wrong_password(stage):
    browser, url = begin(stage)
    _, form = login_form(browser, url)
    answer = browser.ask("POST", form["action"], {"username": "alice", "password": "wrong"})
    assert answer.status == 200 and wire.Forms(answer.text()).forms, answer.status
    return "the form again"


def double_click(stage):
    """The first has gone through, the second comes with what is spent; the error that it gives has the true state."""
    browser, url = begin(stage, CONFIDENTIAL)
    _, form = login_form(browser, url)
    first, second = (wire.parameters(browser.ask("POST", form["action"], {"username": "alice", "password": "alice"}).header("location")) for _ in range(2))
    assert "code" in first and (second["error"], second["state"]) == ("temporarily_unavailable", "af0ifjsldkj"), second
    return second["error"]


def forged_client_data(stage, status, forged):
    """Not judged before transactions are sealed; what must never come of it is a code or a token."""
    browser, url = begin(stage)
    browser.visit(url)
    data = base64.urlsafe_b64encode(json.dumps({**forged, "st": "forged"}).encode()).rstrip(b"=").decode()
    asked = {"client_id": PUBLIC, "session_code": "x", "execution": "x", "tab_id": "x", "client_data": data}
    answer = browser.ask("GET", f"{ACTIONS}/authenticate?{wire.query(asked)}")
    told = wire.parameters(answer.header("location") or "")
    assert answer.status == status and not {"code", "access_token"} & set(told), f"{answer.status} {told}"
    return f"{answer.status} {told.get('error', '')}".strip()


def reset_without_request(stage):
    browser = wire.Browser(stage.issuer)
    answer = browser.ask("GET", f"{ACTIONS}/reset-credentials?client_id={PUBLIC}")
    back = re.search(r'href="([^"]*login-actions/authenticate[^"]*)"', answer.text())
    end = browser.visit(html.unescape(back[1])) if back else answer
    assert not isinstance(end, str) or "code" not in wire.parameters(end), end
    return "no code comes of it"
