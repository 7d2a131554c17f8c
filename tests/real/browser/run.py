#!/usr/bin/env python3
"""A person with a real Chromium in front of the gate.

usage: tests/real/browser/run.py [--write] [IDP…]

Logs in through the gate at real identity providers (node-oidc-provider, Authlib and Keycloak, if none is named), and looks at what a
refused request shows. The browser is $CHROMIUM, else one that is installed, else a headless build that an npm package brings
(Linux on x86-64), which is installed into target/tools once. Exits with 1 if anything is not as expected, or if a picture of
docs/screens was not taken; `--write` puts the new pictures there.
"""

import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.dont_write_bytecode = True

import checks
import wire
from stage import ROOT, Stage, arguments

INSTALLED = ROOT / "target/tools/browser"
# Those whose pages are kept as pictures; the first shows those of the gate.
IDPS = ["node-oidc-provider", "authlib", "keycloak"]
TAKEN, KEPT = ROOT / "target/real/browser", ROOT / "docs/screens"
# In every value of a refused request: none of it may be found in the page.
MARK = "zq7markup"
MARKUP = f'{MARK}"><img src=x onerror=alert(1)><script>alert(1)</script>'


def main():
    idps, options = arguments(__doc__, ("--write",), IDPS)
    environment = install()
    shutil.rmtree(TAKEN, ignore_errors=True)
    TAKEN.mkdir(parents=True)
    passed, failed = 0, []
    for idp in idps:
        began = time.monotonic()
        print(f"\n{idp}", flush=True)
        try:
            with Stage(idp) as stage, Chromium(environment) as chromium:
                print(f"  Chromium {chromium.version}")
                for name, function in Person(stage, chromium).steps():
                    try:
                        said, is_right = function(), True
                    except Exception as error:
                        said, is_right = " ".join(f"{type(error).__name__}: {error}".split())[:600], False
                        failed.append(f"{idp}: {name}: {said}")
                    passed += is_right
                    print(f"  {'ok ' if is_right else 'NOT'}  {name}: {said}", flush=True)
        except Exception as error:
            failed.append(f"{idp} does not start: {error}")
        print(f"  {time.monotonic() - began:.0f} s", flush=True)
    return conclude(passed, failed, "--write" in options, set(idps) >= set(IDPS))


def conclude(passed, failed, writes, is_whole):
    taken = {file.name for file in TAKEN.iterdir()}
    if writes and not failed:
        KEPT.mkdir(exist_ok=True)
        for name in taken:
            shutil.copy(TAKEN / name, KEPT)
    kept = {file.name for file in KEPT.glob("*.png")}
    failed += [f"{name} is not in docs/screens: look at it in target/real/browser, and run with --write" for name in sorted(taken - kept)]
    failed += [f"{name} in docs/screens is a picture of nothing" for name in sorted(kept - taken) if is_whole]
    print(f"\n  {passed} as expected, {len(failed)} not, {len(taken)} pictures in target/real/browser")
    for line in failed:
        print(f"  NOT  {line}")
    return 1 if failed else 0


def install():
    """Puts what drives the browser into target/tools, and a browser where there is none: the environment that finds both."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            sys.exit(f"browser: {tool} is missing: install Node.js 20 or later")
    named = os.environ.get("CHROMIUM")
    if named and not shutil.which(named):
        sys.exit(f"browser: $CHROMIUM is {named}, which cannot be run")
    found = named or next(filter(None, map(shutil.which, ("chromium", "google-chrome", "google-chrome-stable"))), None)
    if not found and (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.exit("browser: no Chromium is installed, and npm has none for this machine: install Chromium or Chrome, or name one by $CHROMIUM")
    lock = (HERE / "package-lock.json").read_bytes()
    kept = INSTALLED / "installed.json"
    if not (kept.exists() and kept.read_bytes() == lock and (found or (INSTALLED / "chromium").exists())):
        began = time.monotonic()
        print(f"browser: installing {'what drives Chromium' if found else 'a headless Chromium'} into target/tools/browser, once", flush=True)
        unfinished = INSTALLED.with_name(f"browser.{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        try:
            fill(unfinished, with_browser=not found)
            (unfinished / "installed.json").write_bytes(lock)
            shutil.rmtree(INSTALLED, ignore_errors=True)
            unfinished.rename(INSTALLED)
        except (subprocess.CalledProcessError, OSError, tarfile.TarError) as error:
            sys.exit(f"browser: it cannot be installed: {error}")
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        print(f"browser: installed in {time.monotonic() - began:.0f} s", flush=True)
    # Node looks for modules beside the file that imports them.
    shutil.copy(HERE / "walk.mjs", INSTALLED)
    environment = {"CHROMIUM": found or str(INSTALLED / "chromium")}
    if not found:
        environment |= {"LD_LIBRARY_PATH": str(INSTALLED / "lib"), "FONTCONFIG_FILE": str(INSTALLED / "fonts.conf")}
    return environment


def fill(folder, with_browser):
    """Exactly what the lock names, and no script of a package."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *([] if with_browser else ["--omit=dev"])]
    subprocess.run(npm, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    if not with_browser:
        return
    shutil.copy(HERE / "unpack.mjs", folder)
    subprocess.run(["node", "unpack.mjs"], cwd=folder, check=True)
    for name in ("al2023.tar", "fonts.tar"):
        with tarfile.open(folder / name) as archive:
            archive.extractall(folder)
        (folder / name).unlink()
    (folder / "chromium").chmod(0o755)
    shutil.rmtree(folder / "node_modules/@sparticuz")
    # A machine without fonts has those of the package.
    (folder / "fonts.conf").write_text(FONTS)


FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>ui-monospace</family><prefer><family>DejaVu Sans Mono</family><family>Liberation Mono</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family><family>Liberation Mono</family></prefer></alias>
</fontconfig>
"""


class Chromium:
    """A browser that does one task after the other, each in a window of its own."""

    def __init__(self, environment):
        self.environment = environment

    def __enter__(self):
        command = ["node", str(INSTALLED / "walk.mjs")]
        self.log = open(TAKEN.parent / "browser.log", "w")
        environment = {**os.environ, **self.environment}
        self.child = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        try:
            self.version = self.answer()["version"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        try:
            self.child.wait(15)
        except subprocess.TimeoutExpired:
            self.child.terminate()
            self.child.wait()
        self.child.stdout.close()
        self.log.close()

    def ask(self, task, **given):
        self.child.stdin.write(json.dumps({"task": task, **given}) + "\n")
        self.child.stdin.flush()
        answer = self.answer()
        assert "failed" not in answer, answer["failed"]
        return answer

    def answer(self):
        guard = threading.Timer(120, self.child.terminate)
        guard.start()
        line = self.child.stdout.readline()
        guard.cancel()
        assert line, f"the browser ended; its last words:\n{pathlib.Path(self.log.name).read_text()[-1500:]}"
        return json.loads(line)


class Visitor(wire.Browser):
    """Goes to the authorization endpoint in Chromium, and to the token endpoint as an application does, without it."""

    def __init__(self, person):
        super().__init__(person.stage.issuer)
        self.person = person

    def visit(self, url, form=None):
        self.walk = self.person.walk(url, pictures=self.person.pictures())
        return self.walk["arrived"] or wire.Answer(self.walk["status"], [], self.walk["text"].encode())


class Person:
    """What is checked at one identity provider."""

    def __init__(self, stage, chromium):
        self.stage, self.chromium = stage, chromium

    def steps(self):
        yield "a strict client: log in, agree, redeem the code", self.strict_login
        yield "a first-party client, with the gate and without", self.first_party_login
        yield "a strict client, and the user declines", self.declined
        for name, rule, status, url in self.refusals():
            yield f"refused, {name}", lambda rule=rule, status=status, url=url: self.refused(rule, status, url)
        yield "refused, the looks of the page", self.looks
        yield "refused, in a frame", self.framed
        yield "refused, and the application hears of it", self.returned

    # Walks.

    def walk(self, url, **given):
        return self.chromium.ask("walk", url=self.stage.issuer + url, **given)

    def without_the_gate(self, function):
        """The front leads to the plain Envoy meanwhile: the same address, so the same origin and cookies."""
        self.stage.front.upstream = self.stage.plain
        try:
            return function()
        finally:
            self.stage.front.upstream = self.stage.gate

    def pictures(self):
        return {kind: str(TAKEN / f"{self.stage.idp}-{kind}.png") for kind in ("login", "consent") if self.stage.idp in IDPS}

    def authorization(self, client=checks.PUBLIC, redirect_uri=checks.PARTNER, scope="read:items", **changes):
        return checks.authorization_url(self.stage, client, redirect_uri, scope, **{**checks.pkce(self.stage), **changes})

    def unreachable(self, walk):
        """Complaints about what is not on this machine, such as fonts of the product's pages, are no matter of the gate."""
        elsewhere = [url for url in walk["asked"] if not url.startswith((self.stage.issuer, "https://partner.", "https://portal."))]
        return [text for text in walk["errors"] if not (elsewhere and "net::ERR_NAME_NOT_RESOLVED" in text)]

    def strict_login(self):
        visitor, before = Visitor(self), len(self.stage.recorder.exchanges)
        _, token = checks.strict_code(self.stage, checks.PUBLIC, None, visitor)
        walk = visitor.walk
        assert [stop["kind"] for stop in walk["stops"]] == ["login", "consent"], walk["stops"]
        assert not self.unreachable(walk), walk["errors"]
        # Where the last answer comes from another path, it is not judged.
        told = walk["referrer"] if self.was_last_judged() else ""
        assert told == "", f"the application was told where the user came from: {told}"
        self.issuer_is_named(walk["arrived"])
        exchanges = self.stage.recorder.exchanges[before:]
        posts = [raw for raw, _ in exchanges if raw.startswith(b"POST ") and self.stage.facts["token"].encode() not in raw]
        origins = {dict(wire.parse_fields(raw.partition(b"\r\n\r\n")[0])).get("origin") for raw in posts}
        # Keycloak's own pages have their forms sent without an origin.
        is_hidden = any(answer.header("referrer-policy") == "no-referrer" for _, answer in exchanges)
        assert origins == ({"null"} if is_hidden else {self.stage.issuer}), f"forms came from {origins}"
        bare = self.without_the_gate(lambda: self.walk(self.authorization(scope="openid read:items", nonce="n", prompt="consent")))
        with_gate, without = ([(stop["kind"], stop["rules"]) for stop in way["stops"]] for way in (walk, bare))
        assert with_gate == without, f"rules of style: {with_gate}, without the gate {without}"
        return f"scope {token.get('scope', 'not said')}, {len(posts)} forms, {sum(rules for _, rules in with_gate)} rules of style in force, no complaint"

    def last_path(self):
        """Where the browser was last, before the application."""
        paths = (raw.split(b" ")[1].decode().partition("?")[0] for raw, _ in reversed(self.stage.recorder.exchanges))
        return next(path for path in paths if path != self.stage.facts["token"])

    def was_last_judged(self):
        return self.last_path() == self.stage.facts["authorization"]

    def issuer_is_named(self, arrived):
        """RFC 9207, where the product says that it does so."""
        metadata = self.stage.facts.get("metadata")
        known = wire.Browser(self.stage.issuer).ask("GET", metadata).json() if metadata else {}
        if known.get("authorization_response_iss_parameter_supported"):
            assert wire.parameters(arrived).get("iss") == known["issuer"], arrived

    def first_party_login(self):
        """The pages are the same, dot by dot."""
        scope = "openid profile" if self.stage.facts.get("oidc", True) else "read:items"

        def walk(nonce):
            asked = {"prompt": "consent", "nonce": nonce}
            return self.walk(checks.authorization_url(self.stage, "first_portal", "https://portal.example.com/callback", scope, **asked))

        with_gate, without = walk("one"), self.without_the_gate(lambda: walk("two"))
        for way in (with_gate, without):
            assert wire.parameters(way["arrived"] or "").get("code"), way["text"][:200]
        one, two = ([(stop["kind"], stop["title"], stop["rules"], stop["digest"]) for stop in way["stops"]] for way in (with_gate, without))
        assert one == two, f"{one} is not {two}"
        assert with_gate["errors"] == without["errors"], f"{with_gate['errors']} is not {without['errors']}"
        return f"{len(one)} pages, the same dot by dot"

    def declined(self):
        pictures = {"end": str(TAKEN / "declined-phone.png")} if self.stage.idp == "authlib" else {}
        walk = self.walk(self.authorization(), declines=True, pictures=pictures)
        if walk["isStuck"]:
            return "its pages have no way to say no"
        if not self.was_last_judged():
            assert wire.parameters(walk["arrived"] or "").get("error") == "access_denied", walk
            return f"the application hears `access_denied`: the answer at {self.last_path().rsplit('/', 1)[0]}/… is not judged"
        assert walk["arrived"] is None and "authorization-error-redirected" in walk["text"], walk["arrived"] or walk["text"]
        return "a page of the gate, and the application hears nothing"

    # Refusals.

    def refusals(self):
        """Name, rule, status and address; each value that is free carries markup."""
        marked = {"state": MARKUP, "login_hint": MARKUP, "ui_locales": MARKUP}
        yield "an unknown client", "client-unlisted", 400, self.authorization(f"tpc_{MARKUP}", **marked)
        yield "a blocked client", "client-blocked", 403, self.authorization("tpc_blocked01", **marked)
        yield "a redirect_uri of its own", "redirect-uri-not-registered", 400, self.authorization(redirect_uri=f"https://evil.example.com/{MARKUP}")
        none = {"code_challenge": None, "code_challenge_method": None}
        yield "no PKCE", "code-challenge-missing", 400, self.authorization(**none, login_hint=MARKUP)
        yield "PKCE, method plain", "code-challenge-method-not-s256", 400, self.authorization(code_challenge_method="plain", login_hint=MARKUP)
        yield "a scope that is not granted", "scope-not-granted", 400, self.authorization(scope="write:items", login_hint=MARKUP)
        for door in self.stage.facts["doors"]:
            if door.get("method") == "GET" and "violation" not in door:
                asked = wire.query({**door.get("form", {}), "client_id": checks.PUBLIC, "state": MARKUP})
                yield f"a closed endpoint, {door['name']}", "endpoint-not-allowed", 403, f"{door['path']}?{asked}"

    def look(self, url, **how):
        return self.chromium.ask("look", url=self.stage.issuer + url, **how)

    def refused(self, rule, status, url):
        """Says why, sends nobody anywhere, and has nothing of the request in it."""
        before = self.stage.recorder.received
        for size in ("phone", "desktop"):
            page = self.look(url, size=size)
            assert page["status"] == status and rule in page["text"] and "Nothing was sent to the application" in page["text"], page["text"]
            assert MARK not in page["html"], "the page echoes the request"
            # Chromium itself reports the status of the page as an error.
            assert not [text for text in page["errors"] if f"status of {status}" not in text], page["errors"]
            assert len(page["asked"]) == 1, f"it asked for {page['asked']}"
            assert page["arrived"] is None and not page["scripts"] and " on" not in re.sub(r">[^<]*<", "><", page["html"]), "it can run a script"
            self.is_sound(page)
        assert self.stage.recorder.received == before, "octets reached the identity provider"
        return f"{status} {rule}"

    def is_sound(self, page):
        assert not page["faults"], page["faults"]
        assert page["contrast"] >= 4.5, f"contrast {page['contrast']}"
        assert page["lang"] == "en" and page["title"] and page["headings"][0] == f"h1 {page['title']}", (page["lang"], page["title"], page["headings"])
        assert not page["tooWide"], f"too wide: {page['tooWide']}"
        assert page["focused"], "the link cannot be reached by keyboard"

    def looks(self):
        """Narrow, wide, dark, with large letters, without scripts."""
        url = self.authorization(code_challenge_method="plain")
        taken = (lambda name: str(TAKEN / f"refused-{name}.png")) if self.stage.idp == IDPS[0] else lambda _: None
        ways = {
            "phone": dict(size="phone", picture=taken("phone")),
            "phone, dark": dict(size="phone", scheme="dark", picture=taken("phone-dark")),
            "desktop": dict(size="desktop", picture=taken("desktop")),
            "desktop, dark": dict(size="desktop", scheme="dark"),
            "320 wide": dict(size="narrow"),
            "320 wide, letters of 200 %": dict(size="narrow", zoom=2),
            "phone, letters of 200 %": dict(size="phone", zoom=2),
        }
        pages = {name: self.look(url, **how) for name, how in ways.items()}
        for name, page in pages.items():
            try:
                self.is_sound(page)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from error
        assert pages["phone"]["background"] != pages["phone, dark"]["background"], "it is not dark"
        assert pages["phone"]["smallest"] >= 12, pages["phone"]["smallest"]
        assert pages["phone, letters of 200 %"]["smallest"] >= 2 * pages["phone"]["smallest"] - 0.1, "letters do not grow"
        # The id of the request is another one each time.
        bare = self.look(url, size="phone", script=False)
        without_id = [re.sub(r"[0-9a-f-]{36}", "", page["html"]) for page in (bare, pages["phone"])]
        assert without_id[0] == without_id[1], "without scripts it is another page"
        lowest = min(page["contrast"] for page in pages.values())
        return f"{len(pages) + 1} ways, contrast at least {lowest:.1f}, axe-core: {pages['phone']['examined']} rules hold"

    def framed(self):
        frame = self.chromium.ask("frame", url=self.stage.issuer + self.authorization(code_challenge_method="plain"))
        said = [text for text in frame["errors"] if "frame-ancestors" in text or "X-Frame-Options" in text]
        assert frame["shown"] is None and said, frame
        return "the browser does not show it there"

    def returned(self):
        """`redirection_policy: allow_always`: the error goes to the registered address, and the browser with it."""
        before = self.stage.recorder.received
        walk = self.walk(self.authorization("tpc_returns01", response_type="token", state=MARKUP))
        given = wire.parameters(walk["arrived"] or "")
        assert (walk["arrived"] or "").startswith(checks.PARTNER + "?") and urllib.parse.urlsplit(walk["arrived"]).fragment == "", walk
        assert given.get("error") == "unsupported_response_type" and given["state"] == MARKUP and "access_token" not in given, given
        assert given["iss"] == self.stage.issuer + self.stage.facts.get("issuer_path", ""), given
        assert walk["referrer"] == "" and not walk["errors"], walk
        assert self.stage.recorder.received == before, "octets reached the identity provider"
        return f"{given['error']}: {given['error_description']}"


if __name__ == "__main__":
    sys.exit(main())
