#!/usr/bin/env python3
"""Keycloak, unmodified, behind the gate in a real Envoy: what passes, what is refused, what nobody touches.

Exits with 1 if anything is not as expected. What was seen goes to target/real/keycloak/report.json, too."""

import base64
import hashlib
import html
import json
import os
import pathlib
import queue
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True

import disguises  # noqa: E402
import wire  # noqa: E402
from browser import FORM, Browser, answered, encoded, form_of, path_of, short  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
OIDC = "/realms/demo/protocol/openid-connect"
ACTIONS = "/realms/demo/login-actions"
AUTHORIZE, TOKEN = f"{OIDC}/auth", f"{OIDC}/token"
API = "https://api.example.com"
CALLBACK = "https://partner.example.com/cb"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
JSON = ("Content-Type", "application/json")
PUBLIC, CONFIDENTIAL = {"client_id": "tpc_public01"}, {"client_id": "tpc_conf01", "client_secret": "s3cr3t"}


def main():
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    began = time.monotonic()
    keycloak_port, gate_port, admin_port = free_ports(3)
    processes = []
    try:
        environment = {**os.environ, "PORT": str(keycloak_port), "ISSUER": f"http://127.0.0.1:{gate_port}"}
        processes.append(start([HERE / "start"], environment))
        recorder = wire.Recorder(keycloak_port)
        command = [ROOT / "scripts/serve", "--upstream", f"http://127.0.0.1:{recorder.port}"]
        command += ["--settings", HERE / "settings.json", "--policy", HERE / "policy.json"]
        command += ["--listen", f"127.0.0.1:{gate_port}", "--admin", f"127.0.0.1:{admin_port}"]
        ready(processes[0])
        print(f"Keycloak is ready after {time.monotonic() - began:.0f} s", flush=True)
        processes.append(start(command, os.environ))
        ready(processes[1])
        run = Run(gate_port, keycloak_port, admin_port, recorder)
        run.all()
        print(f"\n{len(run.steps)} steps, {run.failures} not as expected, {time.monotonic() - began:.0f} s")
        report = ROOT / "target/real/keycloak/report.json"
        report.write_text(json.dumps({"product": "Keycloak 26.4.0", "steps": run.steps}, indent=1))
        sys.exit(1 if run.failures else 0)
    finally:
        for process in reversed(processes):
            end(process)


def free_ports(count):
    """Ports below those that systems give away, so that nobody takes one while Keycloak starts."""
    ports = []
    while len(ports) < count:
        port = random.randrange(20000, 32000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        if port not in ports:
            ports.append(port)
    return ports


def start(command, environment):
    log = ROOT / f"target/real/keycloak/{pathlib.Path(command[0]).name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)
    process.log = log
    return process


def ready(process):
    """Waits for the line `ready`."""
    lines = queue.Queue()
    threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=900)
    except queue.Empty:
        line = ""
    if not line.startswith("ready"):
        sys.exit(f"{process.args[0]} is not ready; its last words:\n" + "\n".join(process.log.read_text().splitlines()[-12:]))


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def basic(name, secret):
    return ("Authorization", "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode())


def json_of(answer):
    try:
        found = json.loads(answer.body)
        return found if isinstance(found, dict) else {}
    except ValueError:
        return {}


def honest(client="tpc_public01", **changes):
    parameters = {
        "client_id": client,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid read:items write:items",
        "state": "a state/of+ours=",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "audience": API,
    }
    return f"{AUTHORIZE}?{encoded({**parameters, **changes})}"


class Run:
    def __init__(self, gate, keycloak, admin, recorder):
        self.gate, self.keycloak, self.admin, self.recorder = gate, keycloak, admin, recorder
        self.steps = []
        self.failures = 0
        self.section = ""

    def all(self):
        self.strict_public()
        self.strict_confidential()
        self.strict_under_an_alias()
        self.consent()
        self.authorization_refused()
        self.token_refused()
        self.doors_refused()
        self.registration_closed()
        self.disguised()
        self.login_pages()
        self.untouched({"client_id": "first_portal"}, "https://portal.example.com/cb", "first-party")
        self.untouched({"client_id": "legacy_partner", "client_secret": "legacy-s3cr3t"}, "https://legacy.example.com/cb", "permissive")
        self.unclaimed()

    def title(self, text):
        self.section = text
        print(f"\n{text}", flush=True)

    def step(self, what, is_as_expected, seen, without=None):
        self.steps.append({"section": self.section, "step": what, "ok": bool(is_as_expected), "seen": seen, "without": without})
        self.failures += not is_as_expected
        mark = "  " if is_as_expected else "!!"
        print(f"{mark} {what:<58} {seen}" + (f"   (without the gate: {without})" if without else ""), flush=True)

    def post(self, target, parameters, headers=(), port=None):
        return wire.send(port or self.gate, "POST", target, [FORM, *headers], encoded(parameters).encode())[1]

    def last(self):
        """The last request that reached Keycloak."""
        return self.recorder.exchanges[-1][0]

    # What passes.

    def strict_public(self):
        self.title("A strict public client: code and PKCE")
        changed = []

        def check(sent, answer):
            if sent.target.startswith(ACTIONS):
                request, given = self.recorder.exchanges[-1]
                if (request.stable(), given.stable()) != (sent.stable(), answer.stable()):
                    changed.append(sent.start)

        browser = Browser(self.gate, check=check)
        before = len(self.recorder.exchanges)
        answer = browser.sign_in(honest())
        response = answered(answer.header("location"))
        arrived = [request for request, _ in self.recorder.exchanges[before:]]
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(arrived[0].target).query))
        expected = {
            "client_id": "tpc_public01",
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "read:items",
            "state": "a state/of+ours=",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "prompt": "consent",
        }
        self.step("authorize is rebuilt, narrowed, without `audience`", asked == expected, " ".join(sorted(asked)))
        comes_back = sum(urllib.parse.urlsplit(request.target).path == AUTHORIZE for request in arrived)
        self.step("Keycloak does not come back to authorize", comes_back == 1, f"{comes_back} request to it of {len(arrived)}")
        self.step("pages that were shown", browser.pages == ["login", "consent"], ", ".join(browser.pages))
        self.step("login and consent pass octet for octet", not changed, ", ".join(changed) or f"{len(arrived) - 1} requests")
        is_delivered = "code" in response and response.get("state") == "a state/of+ours=" and answer.header("location").count("iss=") == 1
        self.step("code and state are delivered", is_delivered, " ".join(sorted(response)))
        grant = {**PUBLIC, "grant_type": "authorization_code", "code": response.get("code"), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        tokens = self.tokens("token", self.post(TOKEN, grant))
        again = self.post(TOKEN, {**PUBLIC, "grant_type": "refresh_token", "refresh_token": tokens.get("refresh_token")})
        self.strict_tokens = self.tokens("refresh", again)
        for length in (1024, 1800, 2048):
            state = "s" * length
            back = answered(Browser(self.gate).sign_in(honest(state=state)).header("location"))
            self.step(f"a state of {length} octets comes back", back.get("state") == state, " ".join(sorted(back)))
        wrong = Browser(self.gate)
        code = answered(wrong.sign_in(honest()).header("location")).get("code")
        answer = self.post(TOKEN, {**grant, "code": code, "code_verifier": "x" * 43})
        refused_by_keycloak = answer.status == 400 and json_of(answer).get("error") == "invalid_grant"
        self.step("a wrong verifier is refused by Keycloak", refused_by_keycloak, f"{answer.status} {json_of(answer).get('error')}")

    def tokens(self, what, answer, has_refresh_token=True):
        found = json_of(answer)
        told = found.get("scope")
        is_whole = answer.status == 200 and "access_token" in found and ("refresh_token" in found) == has_refresh_token
        seen = f"{answer.status} {found.get('error', '')}"
        if "access_token" in found:
            inside = claims(found["access_token"])
            seen = f"reported `{told}`; in the token `{inside.get('scope')}`, aud {json.dumps(inside.get('aud'))}"
            audience = inside.get("aud")
            is_whole &= API in (audience if isinstance(audience, list) else [audience]) and "write:items" not in inside["scope"]
        is_narrow = told == "read:items" and "id_token" not in found
        self.step(f"{what}: only what was granted is reported", is_whole and is_narrow, seen)
        return found

    def strict_confidential(self):
        self.title("A strict confidential client: code and PKCE, client credentials")
        browser = Browser(self.gate)
        response = answered(browser.sign_in(honest("tpc_conf01")).header("location"))
        self.step("pages that were shown (no consent: see below)", browser.pages == ["login"], ", ".join(browser.pages))
        grant = {**CONFIDENTIAL, "grant_type": "authorization_code", "code": response.get("code"), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        tokens = self.tokens("token", self.post(TOKEN, grant))
        again = {**CONFIDENTIAL, "grant_type": "refresh_token", "refresh_token": tokens.get("refresh_token"), "scope": "read:items"}
        self.server_tokens = self.tokens("refresh with `scope`", self.post(TOKEN, again))
        credentials = {**CONFIDENTIAL, "grant_type": "client_credentials"}
        self.tokens("client credentials", self.post(TOKEN, {**credentials, "scope": "read:items"}), has_refresh_token=False)
        self.tokens("client credentials, without `scope`", self.post(TOKEN, {**credentials, "audience": API}), has_refresh_token=False)
        self.step("`audience` does not reach Keycloak", b"audience" not in self.last().body, self.last().text().replace("s3cr3t", "…"))

    def strict_under_an_alias(self):
        self.title("A strict client that has another id at Keycloak (`upstream_client_id`)")
        browser = Browser(self.gate)
        before = len(self.recorder.exchanges)
        response = answered(browser.sign_in(honest("tpc_alias01")).header("location"))
        asked = self.recorder.exchanges[before][0].target
        self.step("Keycloak sees its own id", "client_id=old-partner&" in asked and "tpc_" not in asked, ", ".join(browser.pages))
        grant = {"client_id": "tpc_alias01", "grant_type": "authorization_code", "code": response.get("code"), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        tokens = self.tokens("token", self.post(TOKEN, grant))
        again = {"client_id": "tpc_alias01", "grant_type": "refresh_token", "refresh_token": tokens.get("refresh_token")}
        tokens = self.tokens("refresh", self.post(TOKEN, again))
        self.refused("that id from outside: authorization", "client-id-is-an-alias", "GET", honest("old-partner"))
        self.refused("that id from outside: implicit", "client-id-is-an-alias", "GET", honest("old-partner", response_type="token"))
        password = {"client_id": "old-partner", "grant_type": "password", "username": "alice", "password": "alice"}
        self.refused("that id from outside: password", "client-id-is-an-alias", "POST", TOKEN, [FORM], encoded(password).encode())
        self.refused("that id from outside: device", "client-id-is-an-alias", "POST", f"{OIDC}/auth/device", [FORM], b"client_id=old-partner")
        action = f"{ACTIONS}/reset-credentials?{encoded({'client_id': 'old-partner', 'redirect_uri': CALLBACK})}"
        self.refused("that id from outside: reset-credentials with a redirect URI", "client-id-is-an-alias", "GET", action)
        self.refused("userinfo, by the token alone", "client-id-is-an-alias", "GET", f"{OIDC}/userinfo", [self.bearer(tokens)])

    def consent(self):
        self.title("Consent: does Keycloak obey `prompt=consent`?")
        browser = Browser(self.gate)
        browser.sign_in(honest())
        browser.sign_in(honest())
        self.step("`consentRequired`, agreed before: asked again", browser.pages == ["consent"], ", ".join(browser.pages))
        around = Browser(self.keycloak, self.gate)
        around.cookies = browser.cookies
        around.sign_in(honest(audience=None, scope="read:items"))
        self.step("the same without `prompt`, around the gate: not asked", around.pages == [], ", ".join(around.pages) or "no page")
        browser = Browser(self.gate)
        browser.sign_in(honest("tpc_conf01"))
        self.step("not `consentRequired`: never asked, whatever `prompt` says", browser.pages == ["login"], ", ".join(browser.pages))

    # What does not.

    def refused(self, what, violation, method, target, headers=(), body=None):
        """Refused by this rule, without an octet at Keycloak; and what Keycloak does when it is asked without the gate."""
        before = self.recorder.octets
        headers = [("Accept", "application/json"), *headers]
        answer = wire.send(self.gate, method, target, headers, body)[1]
        got = json_of(answer).get("violation")
        octets = self.recorder.octets - before
        without = wire.send(self.keycloak, method, target, headers, body)[1]
        seen = f"{answer.status} {got or 'passed'}, {octets} bytes"
        self.step(what, got == violation and octets == 0, seen, told(without))

    def authorization_refused(self):
        self.title("Authorization requests that are refused")
        many = [
            ("no PKCE", "code-challenge-missing", honest(code_challenge=None, code_challenge_method=None)),
            ("PKCE, plain", "code-challenge-method-not-s256", honest(code_challenge=VERIFIER, code_challenge_method="plain")),
            ("PKCE, the method left out", "code-challenge-method-not-s256", honest(code_challenge_method=None)),
            ("implicit", "response-type-not-code", honest(response_type="token")),
            ("implicit, id_token", "response-type-not-code", honest(response_type="id_token token", nonce="n")),
            ("hybrid", "response-type-not-code", honest(response_type="code id_token", nonce="n")),
            ("response_mode=fragment", "response-mode-not-query", honest(response_mode="fragment")),
            ("response_mode=form_post", "response-mode-not-query", honest(response_mode="form_post")),
            ("response_mode=query.jwt", "response-mode-not-query", honest(response_mode="query.jwt")),
            ("a redirect URI that only Keycloak's wildcard allows", "redirect-uri-not-registered", honest(redirect_uri="https://partner.example.com/open")),
            ("a foreign redirect URI", "redirect-uri-not-registered", honest(redirect_uri="https://evil.example/cb")),
            ("an API that is not granted", "audience-not-granted", honest(audience="https://other-api.example.com", scope="read:others")),
            ("an API that is not granted, by `resource`", "audience-not-granted", honest(audience=None, resource="https://other-api.example.com")),
            ("only a scope that is not granted", "scope-not-granted", honest(scope="write:items")),
            ("prompt=none", "prompt-none", honest(prompt="none")),
            ("a request object", "request-object-not-supported", honest(request="eyJhbGciOiJub25lIn0.e30.")),
            ("request_uri of PAR", "request-uri-not-supported", honest(request_uri="urn:ietf:params:oauth:request_uri:x")),
            ("claims", "parameter-not-supported", honest(claims='{"userinfo":{}}')),
            ("a connection that is not open", "connection-not-allowed", honest(connection="corporate")),
            ("the id in capitals", "client-lookalike", honest("TPC_PUBLIC01")),
            ("an id that nobody listed", "client-unlisted", honest("tpc_unknown")),
            ("two client ids", "client-ambiguous", honest() + "&client_id=first_portal"),
            ("two scopes", "parameter-repeated", honest() + "&scope=write%3Aitems"),
        ]
        for what, violation, target in many:
            self.refused(what, violation, "GET", target)
        query = honest().split("?")[1]
        for path in (
            f"{AUTHORIZE}/",
            AUTHORIZE.replace("/auth", "/%61uth"),
            AUTHORIZE.replace("/realms", "//realms"),
            AUTHORIZE.replace("/auth", "/./auth"),
            f"{AUTHORIZE};a=b",
            AUTHORIZE.replace("/demo", "/%64emo"),
            AUTHORIZE.replace("/demo", "/demo;x=y"),
            f"/auth{AUTHORIZE}/",
        ):
            self.refused(path, "path-ambiguous", "GET", f"{path}?{query}")
        before = len(self.recorder.exchanges)
        Browser(self.gate).open("GET", honest(kc_action="UPDATE_PASSWORD", kc_idp_hint="corporate"))
        arrived = self.recorder.exchanges[before][0].target
        self.step("kc_action and kc_idp_hint do not reach Keycloak", "kc_" not in arrived, "dropped" if "kc_" not in arrived else arrived)

    def token_refused(self):
        self.title("Token requests that are refused")
        tokens = self.strict_tokens
        code = {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        of = "urn:ietf:params:oauth:grant-type:"
        many = [
            ("password", "grant-type-not-allowed", {**PUBLIC, "grant_type": "password", "username": "alice", "password": "alice"}),
            ("password of a confidential client", "grant-type-not-allowed", {**CONFIDENTIAL, "grant_type": "password", "username": "alice", "password": "alice"}),
            ("client credentials of a public client", "grant-type-not-allowed", {**PUBLIC, "grant_type": "client_credentials"}),
            ("token exchange", "grant-type-not-allowed", {**CONFIDENTIAL, "grant_type": f"{of}token-exchange", "subject_token": tokens.get("access_token")}),
            ("device code", "grant-type-not-allowed", {**PUBLIC, "grant_type": f"{of}device_code", "device_code": "x"}),
            ("CIBA", "grant-type-not-allowed", {**CONFIDENTIAL, "grant_type": "urn:openid:params:grant-type:ciba", "auth_req_id": "x"}),
            ("UMA ticket", "grant-type-not-allowed", {**CONFIDENTIAL, "grant_type": f"{of}uma-ticket", "audience": API}),
            ("JWT bearer", "grant-type-not-allowed", {**CONFIDENTIAL, "grant_type": f"{of}jwt-bearer", "assertion": "a.b.c"}),
            ("pre-authorized code (OID4VCI)", "grant-type-not-allowed", {**CONFIDENTIAL, "grant_type": f"{of}pre-authorized_code", "pre-authorized_code": "x"}),
            ("a code without a verifier", "code-verifier-missing", {**PUBLIC, **code, "code_verifier": None}),
            ("a redirect URI that is not registered", "redirect-uri-not-registered", {**PUBLIC, **code, "redirect_uri": "https://partner.example.com/open"}),
            ("client credentials for another API", "audience-not-granted", {**CONFIDENTIAL, "grant_type": "client_credentials", "audience": "https://other-api.example.com"}),
            ("client credentials for more", "scope-not-granted", {**CONFIDENTIAL, "grant_type": "client_credentials", "scope": "write:items"}),
        ]
        for what, violation, parameters in many:
            self.refused(what, violation, "POST", TOKEN, [FORM], encoded(parameters).encode())
        body = encoded({**PUBLIC, **code}).encode()
        self.refused("Basic of one, body of another", "client-ambiguous", "POST", TOKEN, [FORM, basic("tpc_conf01", "wrong")], body)
        self.refused("the grant in the query", "parameter-in-query", "POST", f"{TOKEN}?grant_type=password", [FORM], body)
        self.refused("the grant in JSON", "media-type-not-form", "POST", TOKEN, [JSON], json.dumps({**PUBLIC, "grant_type": "password"}).encode())
        for path in (f"{TOKEN}/", TOKEN.replace("/token", "/tok%65n"), TOKEN.replace("/realms", "//realms"), f"{TOKEN};a=b"):
            self.refused(path, "path-ambiguous", "POST", path, [FORM], body)

    def doors_refused(self):
        self.title("Other doors of Keycloak, in the name of a strict client")
        # Those that Keycloak itself names; whatever a later version adds is seen here.
        metadata = json_of(wire.send(self.keycloak, "GET", "/realms/demo/.well-known/openid-configuration")[1])
        named = {**metadata, **metadata.get("mtls_endpoint_aliases", {})}
        named = {name: path_of(url) for name, url in named.items() if name.endswith(("_endpoint", "_iframe"))}
        for name, path in named.items():
            if name not in ("authorization_endpoint", "token_endpoint", "registration_endpoint"):
                violation = "endpoint-unlisted" if name == "revocation_endpoint" else "endpoint-not-allowed"
                self.refused(f"metadata: {name}", violation, "POST", path, [FORM], encoded({**CONFIDENTIAL, "token": "x", "scope": "openid"}).encode())
        self.refused("userinfo, by the token alone", "endpoint-not-allowed", "GET", f"{OIDC}/userinfo", [self.bearer()])
        self.refused("account API, by the token alone", "endpoint-not-allowed", "GET", "/realms/demo/account/", [self.bearer(self.server_tokens)])
        self.refused("logout", "endpoint-not-allowed", "GET", f"{OIDC}/logout?client_id=tpc_public01")
        self.refused("sign-up as an authorization request", "endpoint-not-allowed", "GET", honest(code_challenge=None).replace("/auth?", "/registrations?"))
        self.refused("reset-credentials with a redirect URI", "endpoint-unlisted", "GET", f"{ACTIONS}/reset-credentials?{encoded({**PUBLIC, 'redirect_uri': CALLBACK})}")
        preset = json.loads((ROOT / "envoy/idp/keycloak.json").read_text())
        readings = [
            ("query", lambda path: ("GET", f"{path}?client_id=tpc_public01", [], None)),
            ("form", lambda path: ("POST", path, [FORM], b"client_id=tpc_public01&scope=openid")),
            ("Basic", lambda path: ("POST", path, [FORM, basic("tpc_conf01", "s3cr3t")], b"x=y")),
            ("bearer", lambda path: ("GET", path, [self.bearer()], None)),
        ]
        for pattern in preset["endpoints"]["refused"]:
            path = pattern.replace("{}", "demo", 1).replace("{}", "x")
            before, got = self.recorder.octets, []
            for _, reading in readings:
                method, target, headers, body = reading(path)
                answer = wire.send(self.gate, method, target, [("Accept", "application/json"), *headers], body)[1]
                got.append(json_of(answer).get("violation"))
            octets = self.recorder.octets - before
            is_closed = set(got) == {"endpoint-not-allowed"} and octets == 0
            self.step(pattern, is_closed, f"{', '.join(name for name, _ in readings)}: {got[0] if is_closed else got}, {octets} bytes")

    def bearer(self, tokens=None):
        return ("Authorization", f"Bearer {(tokens or self.strict_tokens).get('access_token')}")

    def registration_closed(self):
        self.title("Client registration, whoever sends it")
        body = json.dumps({"redirect_uris": ["https://evil.example/cb"], "client_name": "New"}).encode()
        for path in ("openid-connect", "default", "openid-connect/", "saml2-entity-descriptor"):
            self.refused(path, "registration-closed", "POST", f"/realms/demo/clients-registrations/{path}", [JSON], body)
        self.refused("update of a client", "registration-closed", "PUT", "/realms/demo/clients-registrations/openid-connect/first_portal", [JSON, ("Authorization", "Bearer x")], body)

    def disguised(self):
        self.title("Requests in disguise: of those that Keycloak itself takes for a strict client's, none reaches it")
        secret = encoded(CONFIDENTIAL)
        password = f"{secret}&grant_type=password&username=alice&password=alice"
        no_pkce = urllib.parse.urlsplit(honest(code_challenge=None, code_challenge_method=None)).query
        metadata = json.dumps({"redirect_uris": ["https://evil.example/cb"]})
        spelled = [
            ("authorization, no PKCE", "GET", AUTHORIZE, no_pkce, None, None),
            ("token, password", "POST", TOKEN, "", disguises.FORM, password),
            ("device authorization", "POST", f"{OIDC}/auth/device", "", disguises.FORM, secret),
            ("PAR", "POST", f"{OIDC}/ext/par/request", "", disguises.FORM, f"{secret}&response_type=code&redirect_uri={CALLBACK}"),
            ("introspection", "POST", f"{TOKEN}/introspect", "", disguises.FORM, f"{secret}&token=x"),
            ("registration", "POST", "/realms/demo/clients-registrations/openid-connect", "", "application/json", metadata),
        ]
        for what, method, path, query, kind, body in spelled:
            requests = []
            for other in disguises.paths(path):
                target = other + (("&" if "?" in other else "?") + query if query else "")
                requests.append((method, target, kind, body))
            self.none_gets_through(f"{what}: spellings of the path", requests)
        rest = password.partition("&")[2]
        forms = [("POST", TOKEN, kind, body) for kind, body in disguises.forms("tpc_conf01", rest)]
        self.none_gets_through("token, password: spellings of the body", forms)
        forms = [("POST", f"{OIDC}/auth/device", kind, body) for kind, body in disguises.forms("tpc_conf01", "client_secret=s3cr3t")]
        self.none_gets_through("device authorization: spellings of the body", forms)

    def none_gets_through(self, what, requests):
        """Each is sent to Keycloak without the gate first: where that takes it, the gate must not let an octet through."""
        taken, through = 0, []
        for method, target, kind, body in requests:
            headers = [("Content-Type", kind)] if kind else []
            octets = None if body is None else body.encode("latin-1")
            if not is_taken(self.ask(self.keycloak, method, target, headers, octets)):
                continue
            taken += 1
            before = self.recorder.octets
            answer = self.ask(self.gate, method, target, headers, octets)
            if self.recorder.octets != before or is_taken(answer):
                through.append(f"{target} {kind} {(body or '')[:60]}")
        self.step(what, taken > 0 and not through, f"{len(requests)} tried, {taken} taken by Keycloak, {len(through)} through the gate" + "".join(f"\n     {line}" for line in through))

    def ask(self, port, *request):
        try:
            return wire.send(port, *request)[1]
        except OSError:
            return None

    # What Keycloak's pages carry.

    def login_pages(self):
        self.title("Login pages, which carry the strict client's id")
        browser = Browser(self.gate)
        page = browser.open("GET", honest())
        action, _ = form_of(page.text())
        named = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(action).query))
        data = json.loads(base64.urlsafe_b64decode(named["client_data"] + "=="))
        self.step("client_data of the login form", set(data) == {"ru", "rt", "st"}, json.dumps(data))
        links = {html.unescape(link) for link in re.findall(r'href="([^"]*login-actions[^"]*)"', page.text())}
        for link in sorted(links):
            status = browser.open("GET", path_of(link)).status
            self.step(f"the page's link {urllib.parse.urlsplit(link).path}", status in (200, 302), str(status))
        browser = Browser(self.gate)
        action, _ = form_of(browser.open("GET", honest()).text())
        answer = browser.open("POST", path_of(action), encoded({"username": "alice", "password": "wrong"}).encode())
        again = form_of(answer.text())
        self.step("a wrong password shows the form again", answer.status == 200 and again is not None, str(answer.status))
        # A double click: the first has gone through, the second comes with what is spent.
        browser = Browser(self.gate)
        action, _ = form_of(browser.open("GET", honest("tpc_conf01")).text())
        fields = encoded({"username": "alice", "password": "alice"}).encode()
        first, second = (browser.open("POST", path_of(action), fields).header("location") for _ in range(2))
        tells = answered(second)
        is_delivered = "code" in answered(first) and (tells.get("error"), tells.get("state")) == ("temporarily_unavailable", "a state/of+ours=")
        self.step("a double click on login: the error has the true state", is_delivered, f"{short(first)}, then {tells.get('error')}")
        done = Browser(self.gate)
        done.sign_in(honest())
        for what, expected, forged in (
            ("another state", 302, {"ru": CALLBACK, "rt": "code", "st": "forged"}),
            ("the implicit flow", 302, {"ru": CALLBACK, "rt": "token", "st": "forged"}),
            ("another redirect URI", 302, {"ru": "https://partner.example.com/open", "rt": "code", "st": "forged"}),
            ("a foreign redirect URI", 400, {"ru": "https://evil.example/cb", "rt": "code", "st": "forged"}),
        ):
            value = base64.urlsafe_b64encode(json.dumps(forged).encode()).rstrip(b"=").decode()
            target = f"{ACTIONS}/authenticate?{encoded({**PUBLIC, 'session_code': 'x', 'execution': 'x', 'tab_id': 'x', 'client_data': value})}"
            answer = done.open("GET", target)
            location = answer.header("location") or ""
            tells = answered(location)
            # Not judged before transactions are sealed; what must never come of it is a code or a token.
            is_as_seen = answer.status == expected and not {"code", "access_token"} & set(tells)
            self.step(f"forged client_data: {what}", is_as_seen, f"{answer.status} {location[:110]}")
        fresh = Browser(self.gate)
        answer = fresh.open("GET", f"{ACTIONS}/reset-credentials?client_id=tpc_public01")
        back = re.search(r'href="([^"]*login-actions/authenticate[^"]*)"', answer.text())
        ended = fresh.sign_in(path_of(html.unescape(back[1]))) if back else answer
        is_harmless = "code" not in answered(ended.header("location"))
        self.step("reset-credentials without a request: no code comes of it", is_harmless, f"{answer.status}, then {ended.status} {short(ended.header('location'))}")

    # What nobody touches.

    def same(self, what, before, sent, answer):
        """One request has come, octet for octet, and its answer has gone back so."""
        arrived = self.recorder.exchanges[before:]
        is_one = len(arrived) == 1
        came = is_one and arrived[0][0].stable() == sent.stable()
        went = is_one and arrived[0][1].stable() == answer.stable()
        seen = f"{answer.status}, {len(sent.raw)} bytes there, {len(answer.body)} back"
        if not (came and went):
            seen += f" — request {'same' if came else 'CHANGED'}, answer {'same' if went else 'CHANGED'}"
            if is_one and not came:
                seen += f"\n   sent    {sent.stable()}\n   arrived {arrived[0][0].stable()}"
            elif is_one:
                seen += f"\n   given     {arrived[0][1].stable()[:2]}\n   delivered {answer.stable()[:2]}"
        self.step(what, came and went, seen)
        return answer

    def untouched(self, client, callback, kind):
        self.title(f"{client['client_id']}, {kind}: the same octets both ways")
        name, secret = client["client_id"], client.get("client_secret")

        def go(what, method, target, headers=(), parameters=None, body=None):
            before = len(self.recorder.exchanges)
            if parameters is not None:
                headers, body = [*headers, FORM], encoded(parameters).encode()
            sent, answer = wire.send(self.gate, method, target, headers, body)
            return self.same(what, before, sent, answer)

        def browse(what, target, cookies=None):
            at = [len(self.recorder.exchanges)]

            def check(sent, answer):
                self.same(f"{what}: {sent.start.split()[0]} {urllib.parse.urlsplit(sent.target).path.removeprefix('/realms/demo')}", at[0], sent, answer)
                at[0] = len(self.recorder.exchanges)

            browser = Browser(self.gate, check=check)
            browser.cookies = dict(cookies or {})
            return browser, browser.sign_in(target)

        ask = {"client_id": name, "redirect_uri": callback, "scope": "openid profile", "state": "a b/+~", "nonce": "n"}
        browser, answer = browse("code", f"{AUTHORIZE}?response_type=code&{encoded(ask)}&x_unknown=%7e+kept%3F")
        code = answered(answer.header("location")).get("code")
        self.step("a code comes", code, short(answer.header("location")))
        tokens = json_of(go("token, without PKCE", "POST", TOKEN, (), {**client, "grant_type": "authorization_code", "code": code, "redirect_uri": callback}))
        self.step("with an ID token", "id_token" in tokens, " ".join(sorted(tokens)))
        tokens = json_of(go("refresh", "POST", TOKEN, (), {**client, "grant_type": "refresh_token", "refresh_token": tokens.get("refresh_token")})) or tokens
        bearer = ("Authorization", f"Bearer {tokens.get('access_token')}")
        user = go("userinfo", "GET", f"{OIDC}/userinfo", [bearer])
        self.step("the user is told", json_of(user).get("preferred_username") == "alice", f"{user.status}")
        profile = {"firstName": "Alice", "lastName": "Example", "email": "alice@example.com", "username": "alice"}
        go("account API, JSON", "POST", "/realms/demo/account/", [bearer, JSON, ("Accept", "application/json")], body=json.dumps(profile).encode())
        go("account API, JSON by PUT", "PUT", f"/realms/demo/account/applications/{name}/consent", [bearer, JSON], body=b'{ "grantedScopes" : [] }')
        go("account console", "GET", "/realms/demo/account/?referrer=x")
        go("UMA resource, JSON", "POST", "/realms/demo/authz/protection/resource_set", [bearer, JSON], body=b'{"name":"photo","resource_scopes":["view"],"type":"a b"}')
        go("SAML request", "POST", "/realms/demo/protocol/saml", (), {"SAMLRequest": "PHg+" * 4000, "RelayState": "a b"})
        go("SAML answer to a broker", "POST", "/realms/demo/broker/corporate/endpoint", (), {"SAMLResponse": "PHg+" * 4000, "RelayState": "x"})
        go("admin API, JSON", "PUT", "/admin/realms/demo", [bearer, JSON], body=json.dumps({"displayName": "x" * 400000}).encode())
        go("token request in JSON (Keycloak takes none)", "POST", TOKEN, [JSON], body=json.dumps({"grant_type": "password", **client}).encode())
        _, answer = browse("implicit", f"{AUTHORIZE}?response_type=id_token+token&{encoded(ask)}", browser.cookies)
        self.step("an access token in the fragment", "access_token" in answered(answer.header("location")), " ".join(sorted(answered(answer.header("location")))))
        go("password", "POST", TOKEN, (), {**client, "grant_type": "password", "username": "alice", "password": "alice", "scope": "openid"})
        if secret:
            go("client credentials, Basic", "POST", TOKEN, [basic(name, secret)], {"grant_type": "client_credentials"})
            go("introspection", "POST", f"{TOKEN}/introspect", [basic(name, secret)], {"token": tokens.get("access_token")})
            go("CIBA", "POST", f"{OIDC}/ext/ciba/auth", (), {**client, "scope": "openid", "login_hint": "alice"})
        early = json_of(go("device authorization, another", "POST", f"{OIDC}/auth/device", (), {**client, "scope": "openid"}))
        device = json_of(go("device authorization", "POST", f"{OIDC}/auth/device", (), {**client, "scope": "openid"}))
        poll = {**client, "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device.get("device_code")}
        go("device, before anybody agreed", "POST", TOKEN, (), {**poll, "device_code": early.get("device_code")})
        browse("device page", f"/realms/demo/device?user_code={device.get('user_code')}", browser.cookies)
        answer = go("device, token", "POST", TOKEN, (), poll)
        self.step("the device has its token", "access_token" in json_of(answer), f"{answer.status} {json_of(answer).get('error', '')}")
        pushed = json_of(go("PAR", "POST", f"{OIDC}/ext/par/request", (), {**client, "response_type": "code", **{key: value for key, value in ask.items() if key != "client_id"}}))
        _, answer = browse("PAR", f"{AUTHORIZE}?{encoded({'client_id': name, 'request_uri': pushed.get('request_uri')})}", browser.cookies)
        self.step("a code comes of it", "code" in answered(answer.header("location")), short(answer.header("location")))
        go("revocation", "POST", f"{OIDC}/revoke", (), {**client, "token": tokens.get("refresh_token")})
        browse("sign-up page", f"{OIDC}/registrations?response_type=code&{encoded(ask)}")
        go("session iframe", "GET", f"{OIDC}/login-status-iframe.html/init?{encoded({'client_id': name, 'origin': callback[:-3]})}")
        go("keys", "GET", f"{OIDC}/certs", [("Accept", "*/*"), ("If-None-Match", '"x"')])
        go("preflight", "OPTIONS", TOKEN, [("Origin", callback[:-3]), ("Access-Control-Request-Method", "POST")])
        query = encoded({"id_token_hint": tokens.get("id_token"), "post_logout_redirect_uri": callback, "state": "bye"})
        _, answer = browse("logout", f"{OIDC}/logout?{query}", browser.cookies)
        self.step("logged out", (answer.header("location") or "").startswith(callback), short(answer.header("location")))

    def unclaimed(self):
        self.title("What the gate counted")
        stats = wire.send(self.admin, "GET", "/stats?filter=tpc_gate")[1].text()
        for line in sorted(stats.splitlines()):
            if "unclaimed" in line:
                self.step(line.split("tpc_gate.")[1].rsplit(":", 1)[0], True, line.rsplit(":", 1)[1].strip())
        self.step("login forms are counted as unclaimed", "unclaimed" in stats and "login-actions" in stats, "yes" if "login-actions" in stats else stats[:400])


def is_taken(answer):
    """Whether Keycloak did what a strict client must not get: a token, a login page, a device code, a client …"""
    if answer is None:
        return False
    got = {"access_token", "device_code", "request_uri", "registration_client_uri", "active"} & set(json_of(answer))
    return answer.status < 300 and (bool(got) or 'id="kc-form-login"' in answer.text())


def told(answer):
    """What Keycloak itself makes of a request, in a few words."""
    location = answer.header("location")
    if location:
        error = answered(location).get("error")
        return f"{answer.status}" + (f" to the client, {error}" if error else f" {urllib.parse.urlsplit(location).path}")
    found = json_of(answer)
    page = "login page" if 'id="kc-form-login"' in answer.text() else ""
    return " ".join(filter(None, (str(answer.status), found.get("error"), "a token" if "access_token" in found else "", page)))


if __name__ == "__main__":
    main()
