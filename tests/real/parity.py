"""First-party and permissive traffic: the same octets with the gate and without it."""

import json

import wire
from checks import API, JSON, SECRET, asks_for, authorization_url, claims, token_request, verifier_and_challenge


class Session:
    """One client's whole day, through the gate, on record."""

    def __init__(self, stage, client, host):
        self.stage, self.client, self.facts = stage, client, stage.facts
        self.redirect_uri = f"https://{host}.example.com/callback"
        self.host = host
        self.browser = wire.Browser(stage.issuer)
        self.headers = [JSON, ("Authorization", wire.basic(client, SECRET))]

    def token(self, **form):
        got = token_request(self.browser, self.stage, self.client, SECRET, form)
        assert got.status == 200 and got.json().get("access_token"), f"{form['grant_type']}: {got.status} {got.text()[:300]}"
        return got.json()

    def post(self, path, form):
        return self.browser.ask("POST", path, form, self.headers)

    def log_in(self, **more):
        """The code flow as such a client has always done it: OpenID Connect, no PKCE, a state that is not plain."""
        scope = "openid profile offline_access" if self.facts.get("oidc", True) else "read:items"
        asked = {"state": "a/b+c=%7E", "nonce": "n", "prompt": "consent", "x_unknown": "kept?", **more}
        end = self.browser.visit(authorization_url(self.stage, self.client, self.redirect_uri, scope, **asked))
        assert isinstance(end, str) and wire.parameters(end).get("code"), f"no code: {end if isinstance(end, str) else end.text()[:300]}"
        tokens = self.token(grant_type="authorization_code", code=wire.parameters(end)["code"], redirect_uri=self.redirect_uri)
        if self.facts.get("oidc", True):
            assert claims(tokens.get("id_token", "")).get("nonce") == asked["nonce"], f"the ID token is {tokens.get('id_token')}"
        return tokens

    def run(self):
        has = set(self.facts["first_party"])
        tokens = self.log_in() if "code" in has else {}
        for flow in self.facts["first_party"]:
            if flow != "code":
                tokens = getattr(self, flow)(tokens) or tokens
        return has

    def refresh(self, tokens):
        return {**tokens, **self.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])}

    def userinfo(self, tokens):
        bearer = [("Authorization", f"Bearer {tokens['access_token']}"), JSON]
        for method in self.facts.get("userinfo_methods", ["GET", "POST"]):
            form = {} if method == "POST" else None
            got = self.browser.ask(method, self.facts["userinfo"], form, bearer)
            assert got.status == 200 and got.json().get("sub"), f"userinfo: {got.status} {got.text()[:200]}"

    def authorized(self, kind, scope):
        """What an authorization of another response type brings."""
        end = self.browser.visit(authorization_url(self.stage, self.client, self.redirect_uri, scope, response_type=kind, nonce=f"n-{kind}"))
        assert isinstance(end, str), end.text()[:300]
        got = wire.parameters(end)
        assert all({"token": "access_token"}.get(name, name) in got for name in kind.split()), end
        return got

    def implicit(self, _):
        scope = "openid profile" if self.facts.get("oidc", True) else "read:items"
        self.authorized(self.facts.get("implicit", "id_token token"), scope)

    def implicit_token(self, _):
        self.authorized("token", "read:items")

    def hybrid(self, _):
        """The code comes with an ID token, and is good for another one."""
        code = self.authorized("code id_token", "openid profile")["code"]
        assert self.token(grant_type="authorization_code", code=code, redirect_uri=self.redirect_uri).get("id_token"), "no ID token came"

    def password(self, _):
        self.token(grant_type="password", username="alice", password="alice", scope="read:items")

    def client_credentials(self, _):
        self.token(grant_type="client_credentials", scope="read:items", **asks_for(self.stage, API))

    def par(self, _):
        verifier, challenge = verifier_and_challenge()
        request = {"client_id": self.client, "response_type": "code", "redirect_uri": self.redirect_uri, "scope": "openid", "state": "pushed"}
        pushed = self.post(self.facts["par"], {**request, "code_challenge": challenge, "code_challenge_method": "S256"})
        assert pushed.status == 201, f"{pushed.status} {pushed.text()[:200]}"
        asked = wire.query({"client_id": self.client, "request_uri": pushed.json()["request_uri"]})
        end = self.browser.visit(f"{self.facts['authorization']}?{asked}")
        code = wire.parameters(end)["code"]
        self.token(grant_type="authorization_code", code=code, redirect_uri=self.redirect_uri, code_verifier=verifier)

    def device(self, _):
        scope = self.facts.get("device_scope") or ("openid" if self.facts.get("oidc", True) else "read:items")
        early, started = (self.post(self.facts["device"], {"scope": scope, "client_id": self.client}) for _ in range(2))
        assert started.status == 200, f"{started.status} {started.text()[:200]}"
        # Who asks twice within some seconds is told to slow down: so one device asks too early, and another in time.
        grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}
        pending = token_request(self.browser, self.stage, self.client, SECRET, {**grant, "device_code": early.json()["device_code"]})
        assert pending.json().get("error") == "authorization_pending", pending.text()[:200]
        end = self.browser.visit(started.json()["verification_uri_complete"])
        assert not isinstance(end, str) and end.status == 200, end
        self.token(**grant, device_code=started.json()["device_code"])

    def ciba(self, _):
        started = self.post(self.facts["ciba"], {"scope": "openid", "login_hint": "alice"})
        assert started.status == 200 and started.json().get("auth_req_id"), f"{started.status} {started.text()[:200]}"

    def posted_consent(self, _):
        """Logged in already, consent is a form that is posted to the authorization endpoint: beside the request in the query, with it, or as the page has it."""
        asked = {"response_type": "code", "client_id": self.client, "redirect_uri": self.redirect_uri, "scope": "read:items", "state": "posted"}
        form, url, before = self.facts.get("posted_consent"), self.facts["authorization"], len(self.browser.log)
        if form:
            end = self.browser.visit(f"{url}?{wire.query(asked)}", None if form is True else form)
        else:
            end = self.browser.visit(url, asked)
        assert any(raw.startswith(f"POST {url}".encode()) for raw, _ in self.browser.log[before:]), "nothing was posted"
        assert isinstance(end, str), end.text()[:300]
        self.token(grant_type="authorization_code", code=wire.parameters(end)["code"], redirect_uri=self.redirect_uri)

    def token_exchange(self, tokens):
        kind = "urn:ietf:params:oauth:token-type:access_token"
        self.token(grant_type="urn:ietf:params:oauth:grant-type:token-exchange", subject_token=tokens["access_token"], subject_token_type=kind)

    def introspection(self, tokens):
        got = self.post(self.facts["introspection"], {"token": tokens["access_token"]})
        assert got.status == 200 and got.json().get("active") is True, f"{got.status} {got.text()[:200]}"

    def revocation(self, tokens):
        got = self.post(self.facts["revocation"], {"token": tokens["access_token"]})
        assert got.status == 200, f"{got.status} {got.text()[:200]}"

    def json(self, _):
        """Whatever the product says to JSON, it is the product that says it."""
        body = json.dumps({"grant_type": "client_credentials", "client_id": self.client, "client_secret": SECRET}).encode()
        self.browser.ask("POST", self.facts["token"], body, [JSON, ("Content-Type", "application/json")])

    def others(self, tokens):
        """Whatever else the product has: it may say what it likes, as long as it is asked."""
        for request in self.facts["other_requests"]:
            headers, body = [JSON], request.get("form")
            if "json" in request:
                body = json.dumps(request["json"]).encode()
                headers.append(("Content-Type", "application/json"))
            by = {"bearer": f"Bearer {tokens['access_token']}", "basic": wire.basic(self.client, SECRET)}.get(request.get("by"))
            headers += [("Authorization", by)] if by else []
            headers += request.get("headers", {}).items()
            self.browser.ask(request.get("method", "POST"), request["path"].replace("CLIENT", self.client), body, headers)

    def logout(self, tokens):
        asked = {"client_id": self.client, "post_logout_redirect_uri": f"https://{self.host}.example.com/bye"}
        hint = {"id_token_hint": tokens["id_token"]} if "id_token" in tokens else {}
        end = self.browser.visit(self.facts["logout"] + "?" + wire.query({**asked, **hint}))
        assert isinstance(end, str) and end.startswith(asked["post_logout_redirect_uri"]), end if isinstance(end, str) else end.text()[:300]


def same_octets(stage, client, host):
    """Compares what was sent with what arrived and what was answered with what came back; then sends it all again through the gate
    and through an Envoy without it, and compares the octets that arrive."""
    before = len(stage.recorder.exchanges)
    session = Session(stage, client, host)
    session.run()
    log, recorded = session.browser.log, stage.recorder.exchanges[before:]
    assert len(log) == len(recorded), f"{len(log)} requests were sent, {len(recorded)} arrived"
    for (sent, received), (arrived, given) in zip(log, recorded):
        line = sent.split(b"\r\n")[0].decode()
        difference = wire.request_differs(sent, arrived) or wire.answer_differs(given, received)
        assert not difference, f"{line}: {difference}"
    replay(stage, [sent for sent, _ in log])
    return f"the same octets, {len(log)} requests"


def replay(stage, requests):
    """The identity provider is left out here, so that both ways the very same is sent."""
    arrived = {}
    stage.recorder.canned = True
    try:
        for way in (stage.gate, stage.plain):
            before = len(stage.recorder.exchanges)
            for raw in requests:
                answer = wire.send(way, raw)
                assert answer.header("x-canned"), f"{raw.splitlines()[0]!r} was answered {answer.status} on the way"
            arrived[way] = [without_request_id(raw) for raw, _ in stage.recorder.exchanges[before:]]
    finally:
        stage.recorder.canned = False
    for with_gate, without in zip(arrived[stage.gate], arrived[stage.plain], strict=True):
        assert with_gate == without, f"{with_gate!r} is not {without!r}"


def without_request_id(raw):
    """Envoy makes a new one for every request; all else is compared in its order and spelling."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"x-request-id:")) + b"\r\n\r\n" + body
