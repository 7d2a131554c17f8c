"""Clients that nobody here wrote, each in a small program of its own that says which URL to open and what it got."""

import json
import os
import shutil
import subprocess
import threading

import wire
from checks import API, CONFIDENTIAL, PARTNER, PUBLIC, SECRET, claims, refreshes
from stage import HERE, ROOT

SCOPE = "openid profile read:items write:items offline_access"
FOLDER = ROOT / "target/real/clients"


class Client:
    def __init__(self, name, command, missing=None, flows=("code", "client_credentials"), needs=()):
        self.name, self.command, self.missing, self.flows, self.needs = name, command, missing, flows, needs


def install():
    """The clients, each with what it takes to run it; those whose language is not here say so."""
    node = install_node() if shutil.which("npm") else "npm is missing"
    install_python("venv", "requirements.txt")
    install_python("venv-mcp-1", "requirements-mcp-1.txt")
    go = install_go() if shutil.which("go") else "Go is missing"

    def script(name, *arguments):
        return ["node", FOLDER / name, *arguments]

    def python(venv, name, *arguments):
        return [FOLDER / venv / "bin/python", "-B", HERE / "clients" / name, *arguments]

    # Of the MCP SDKs only the newer generation asks for `offline_access` where the MCP server does not name it.
    older, newer, mcp, metadata = "read:items offline_access", "read:items", "@modelcontextprotocol", ("metadata",)
    mcp_1 = (f"{mcp}/sdk/client/auth.js", f"{mcp}/sdk/client/auth-extensions.js")
    return [
        # Both write `tpc_conf01` as `tpc%5Fconf01` in Basic (RFC 6749 §2.3.1).
        Client("openid-client 6.9", script("openid-client.mjs"), node),
        Client("oauth4webapi 3.8", script("oauth4webapi.mjs"), node),
        Client("oidc-client-ts 3.5", script("oidc-client-ts.mjs"), node, flows=("code",)),
        Client("Authlib 1.9, for requests", python("venv", "authlib-requests.py")),
        Client("golang.org/x/oauth2 0.38", [FOLDER / "golang-oauth2"], go),
        Client("MCP TypeScript SDK 1.32", script("mcp-sdk.mjs", older, *mcp_1), node, needs=metadata),
        Client("MCP TypeScript SDK 2.4", script("mcp-sdk.mjs", newer, f"{mcp}/client"), node, needs=metadata),
        Client("MCP Python SDK 1.30", python("venv-mcp-1", "mcp-sdk.py", older), needs=metadata),
        Client("MCP Python SDK 2.3", python("venv", "mcp-sdk.py", newer), needs=metadata),
    ]


def is_installed(lock):
    """Whether what a lock names is there; if not, the caller installs it, and keeps the lock."""
    kept = FOLDER / f"installed-{lock.name}"
    return kept.exists() and kept.read_bytes() == lock.read_bytes()


def keep(lock):
    shutil.copy(lock, FOLDER / f"installed-{lock.name}")


def install_node():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for script in (HERE / "clients").glob("*.mjs"):
        # Node looks for modules beside the file that imports them.
        shutil.copy(script, FOLDER)
    lock = HERE / "clients/package-lock.json"
    if not is_installed(lock):
        print("run: installing the clients of Node into target/real, once", flush=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "clients" / file, FOLDER)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)
        keep(lock)


def install_python(venv, requirements):
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock = HERE / "clients" / requirements
    if not is_installed(lock):
        print("run: installing clients of Python into target/real, once", flush=True)
        subprocess.run(["python3", "-m", "venv", FOLDER / venv], check=True)
        pip = [FOLDER / venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--requirement", lock], check=True)
        keep(lock)


def install_go():
    subprocess.run(["go", "build", "-mod=readonly", "-o", FOLDER / "golang-oauth2", "."], cwd=HERE / "clients/golang-oauth2", check=True)


def runs(stage, known):
    """Client, flow, and the function that runs it; or why it does not run."""
    facts = stage.facts
    for client in known:
        lacks = next((need for need in client.needs if not facts.get(need)), None)
        excuse = f"not run: {client.missing}" if client.missing else f"not run: {NEEDS[lacks]}" if lacks else None
        for client_id, secret in ((PUBLIC, ""), (CONFIDENTIAL, SECRET)):
            yield client.name, f"code, refresh ({client_id})", lambda c=client, i=client_id, s=secret: run(stage, c, i, s, "code"), excuse
        if "client_credentials" in client.flows and "client_credentials" in facts["strict"]:
            yield client.name, f"client credentials ({CONFIDENTIAL})", lambda c=client: run(stage, c, CONFIDENTIAL, SECRET, "client_credentials"), excuse
        for client_id, host in (("first_portal", "portal"), ("legacy_partner", "legacy")):
            yield client.name, f"everything it does ({client_id})", lambda c=client, i=client_id, h=host: run_untouched(stage, c, i, h), excuse


NEEDS = {"metadata": "it has no metadata"}


def settings_of(stage, client_id, secret, flow, redirect_uri, scope, api, prompt=""):
    """What a client has to know, in its environment."""
    facts = stage.facts
    parameter = {"none": "", "both": "resource"}.get(facts["audience_parameter"], facts["audience_parameter"])
    return {
        "ISSUER": stage.issuer + facts.get("issuer_path", ""),
        "METADATA": facts.get("metadata", ""),
        "AUTHORIZE": stage.issuer + facts["authorization"],
        "TOKEN": stage.issuer + facts["token"],
        "CLIENT_ID": client_id,
        "CLIENT_SECRET": secret,
        "REDIRECT_URI": redirect_uri,
        "SCOPE": scope,
        "RESOURCE_NAME": parameter if api else "",
        "RESOURCE": api or "",
        "PROMPT": prompt,
        "FLOW": flow,
        "MCP_SERVER": API,
    }


def run(stage, client, client_id, secret, flow):
    """A strict client: it gets what is granted of what it asks, for the API, and no ID token."""
    scope = SCOPE if flow == "code" else "read:items"
    got, trouble = converse(client, settings_of(stage, client_id, secret, flow, PARTNER, scope, API), stage.issuer)
    assert got, trouble
    assert got.get("access_token"), got
    assert not got.get("id_token"), "an ID token came"
    granted = set((got.get("scope") or "read:items").split())
    assert granted <= {"read:items", "offline_access"}, granted
    if stage.facts.get("token_audience"):
        assert claims(got["access_token"]).get("aud") in (API, [API]), claims(got["access_token"])
    if flow == "client_credentials":
        return "passed"
    assert got.get("refreshed") or not refreshes(stage, secret), "it did not refresh"
    return "passed, refreshed" if got.get("refreshed") else "passed"


def run_untouched(stage, client, client_id, host):
    """A first-party or permissive client: all that it sends arrives as it is, all that is answered comes back as it is."""
    fronts, backs = len(stage.front.exchanges), len(stage.recorder.exchanges)
    redirect_uri, outcomes = f"https://{host}.example.com/callback", []
    own = "openid profile offline_access" if stage.facts.get("oidc", True) else "read:items"
    for flow, scope, api in (("code", own, None), ("client_credentials", "read:items", API)):
        if flow in client.flows and flow in stage.facts["first_party"]:
            got, trouble = converse(client, settings_of(stage, client_id, SECRET, flow, redirect_uri, scope, api, "consent"), stage.issuer)
            # What the product makes of it is its own affair: some do not decode Basic credentials.
            assert got or "401" in trouble, trouble
            outcome = "refused by the product: 401" if not got else "passed, refreshed" if got.get("refreshed") else "passed"
            outcomes.append(outcome if flow == "code" else f"client credentials {outcome}")
    sent, arrived = stage.front.exchanges[fronts:], stage.recorder.exchanges[backs:]
    assert len(sent) == len(arrived) > 0, f"{len(sent)} requests were sent, {len(arrived)} arrived"
    for (request, received), (at_the_end, given) in zip(sent, arrived):
        difference = wire.request_differs(request, at_the_end) or wire.answer_differs(given, received)
        assert not difference, f"{request.splitlines()[0]!r}: {difference}"
    return f"{'; '.join(outcomes)}; the same octets, {len(sent)} requests"


def converse(client, environment, base):
    """Runs a client; opens what it wants opened, in a browser of its own."""
    command = [str(part) for part in client.command]
    child = subprocess.Popen(
        command, env={**os.environ, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    guard = threading.Timer(60, child.kill)
    guard.start()
    try:
        for line in child.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "open":
                end = wire.Browser(base).visit(rest)
                if not isinstance(end, str):
                    return None, f"the browser ended at {end.status}: {end.json().get('violation') or end.text()[:200]}"
                child.stdin.write(end + "\n")
                child.stdin.flush()
            elif word == "done":
                return json.loads(rest), None
        # The frames of a stack say less than what was thrown.
        return None, " ".join(line for line in child.stderr.read().split("\n") if not line.startswith("    at "))[-400:]
    finally:
        guard.cancel()
        if child.poll() is None:
            child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout, child.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass
