"""Requests as octets, a recorder in front of an identity provider, and a browser that fills in forms."""

import base64
import dataclasses
import html.parser
import http.client
import io
import json
import random
import re
import socket
import threading
import urllib.parse

# What Envoy adds for itself or rewrites, on the way there and back (RFC 9110 §7.6.1).
ADDED = {"x-request-id", "x-forwarded-for", "x-forwarded-proto", "x-envoy-expected-rq-timeout-ms", "x-envoy-external-address", "x-envoy-internal"}
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "server", "x-envoy-upstream-service-time"}
# What Envoy adds to an answer that has none of its own.
ADDED_TO_ANSWERS = {"date"}


@dataclasses.dataclass
class Request:
    method: str
    target: str
    headers: list
    body: bytes = b""

    def raw(self):
        lines = [f"{self.method} {self.target} HTTP/1.1"] + [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


@dataclasses.dataclass
class Answer:
    status: int
    headers: list
    body: bytes

    def header(self, name):
        return next((value for known, value in self.headers if known.lower() == name), None)

    def json(self):
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def text(self):
        return self.body.decode("utf-8", "replace")


def send(address, raw, timeout=30):
    """One request on a connection of its own, as the octets that are given."""
    with socket.create_connection(address, timeout=timeout) as connection:
        connection.sendall(raw)
        response = http.client.HTTPResponse(connection, method=raw.split(b" ", 1)[0].decode())
        response.begin()
        return Answer(response.status, response.getheaders(), response.read())


def basic(client, secret):
    """RFC 6749 §2.3.1, for ids and secrets that form encoding leaves alone."""
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


def query(pairs):
    return urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote)


def listen():
    """A listener below the ports that systems give away, so that no stranger still talks to this one, or takes it meanwhile."""
    for _ in range(100):
        try:
            return socket.create_server(("127.0.0.1", random.randrange(20000, 32000)))
        except OSError:
            continue
    raise OSError("no free port between 20000 and 31999")


def free_port():
    with listen() as listener:
        return listener.getsockname()[1]


class Recorder:
    """Stands between proxy and identity provider, and keeps every request and answer."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.canned = False
        self.received = 0
        self.exchanges = []
        self.lock = threading.Lock()
        self.listener = listen()
        self.address = self.listener.getsockname()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                pending = connection.makefile("rb")
                while raw := self.read_request(pending):
                    with self.lock:
                        exchange = [raw, None]
                        self.exchanges.append(exchange)
                    answer = CANNED if self.canned else self.forward(raw)
                    exchange[1] = parse_answer(answer, raw)
                    connection.sendall(answer)
            except OSError:
                pass

    def read_request(self, pending):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = pending.readline()
            if not line:
                return b""
            with self.lock:
                self.received += len(line)
            head += line
        headers = dict(parse_fields(head))
        body = pending.read(int(headers.get("content-length", 0)))
        if "chunked" in headers.get("transfer-encoding", ""):
            while True:
                line = pending.readline()
                size = int(line.split(b";")[0], 16)
                body += line + pending.read(size + 2)
                if not size:
                    break
        with self.lock:
            self.received += len(body)
        return head + body

    def forward(self, raw):
        """The answer as octets, with a length, so that the connection to the proxy can stay."""
        answer = send(self.upstream, raw)
        kept = [(name, value) for name, value in answer.headers if name.lower() not in ("transfer-encoding", "connection", "keep-alive")]
        if not answer.header("content-length") and answer.status not in (204, 304):
            kept.append(("content-length", str(len(answer.body))))
        lines = [f"HTTP/1.1 {answer.status} -"] + [f"{name}: {value}" for name, value in kept]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + answer.body

    def close(self):
        self.listener.close()


CANNED = b"HTTP/1.1 204 No Content\r\nx-canned: 1\r\n\r\n"


def parse_fields(head):
    for line in head.decode("latin-1").split("\r\n")[1:]:
        if line:
            name, _, value = line.partition(":")
            yield name.lower(), value.strip()


def parse_answer(raw, request):
    class Octets:
        def makefile(self, *_):
            return io.BytesIO(raw)

    response = http.client.HTTPResponse(Octets(), method=request.split(b" ", 1)[0].decode())
    response.begin()
    return Answer(response.status, response.getheaders(), response.read())


def request_differs(sent, arrived):
    """What is different in a request, but for what any Envoy adds; nothing if it is the same."""
    (one, one_body), (two, two_body) = (raw.split(b"\r\n\r\n", 1) for raw in (sent, arrived))
    if one.split(b"\r\n")[0] != two.split(b"\r\n")[0]:
        return f"request line {two.splitlines()[0]!r}"
    # Envoy says `content-length: 0` where nothing is said of a body that is not there.
    of_one, of_two = (
        sorted(field for field in parse_fields(head) if field[0] not in ADDED | HOP_BY_HOP and field != ("content-length", "0")) for head in (one, two)
    )
    if of_one != of_two:
        return f"headers {sorted(set(of_one) ^ set(of_two))}"
    return "body" if one_body != two_body else None


def answer_differs(given, received):
    """What is different in an answer, but for what any Envoy adds."""
    if given.status != received.status:
        return f"status {received.status}, was {given.status}"
    without = HOP_BY_HOP | {name for name in ADDED_TO_ANSWERS if given.header(name) is None}
    one, two = (sorted((name.lower(), value) for name, value in answer.headers if name.lower() not in without) for answer in (given, received))
    if one != two:
        return f"answer headers {sorted(set(one) ^ set(two))}"
    return "answer body" if given.body != received.body else None


class Forms(html.parser.HTMLParser):
    """The forms of a page, in order, with what a person would find in them."""

    def __init__(self, text):
        super().__init__()
        self.forms = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.forms.append({"action": attributes.get("action", ""), "method": attributes.get("method", "get").lower(), "fields": []})
        elif tag in ("input", "button") and self.forms and "disabled" not in attributes:
            kind = attributes.get("type", "text" if tag == "input" else "submit").lower()
            field = (kind, attributes.get("name", ""), attributes.get("value", "on" if kind in ("checkbox", "radio") else ""))
            self.forms[-1]["fields"].append(field)


class Browser:
    """A person with a browser: keeps cookies, follows redirects, logs in and agrees."""

    def __init__(self, base, address=None, log=None):
        self.base = base
        parts = urllib.parse.urlsplit(base)
        self.host = parts.netloc
        self.address = address or (parts.hostname, parts.port)
        self.cookies = {}
        self.log = [] if log is None else log

    def ask(self, method, url, form=None, headers=()):
        """One request; follows nothing."""
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(self.base, url))
        # A path goes out as it is written, with whatever is odd about it.
        target = url if url.startswith("/") else (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # No JSON in `Accept`, as from a browser: Spring remembers where to go after the login for pages only.
        fields = [("Host", self.host), ("User-Agent", "real-software"), ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]
        given = {name.lower() for name, _ in headers}
        fields = [field for field in fields if field[0].lower() not in given] + list(headers)
        cookies = [f"{name}={value}" for (name, path), value in self.cookies.items() if parts.path.startswith(path)]
        if cookies:
            fields.append(("Cookie", "; ".join(cookies)))
        body = b""
        if form is not None:
            body = form if isinstance(form, bytes) else query(form).encode()
            if "content-type" not in given:
                fields.append(("Content-Type", "application/x-www-form-urlencoded"))
            fields.append(("Content-Length", str(len(body))))
        raw = Request(method, target, fields, body).raw()
        answer = send(self.address, raw)
        self.log.append((raw, answer))
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                self.keep(value)
        return answer

    def keep(self, text):
        pair, *attributes = text.split(";")
        name, _, value = pair.strip().partition("=")
        attributes = {known.lower(): given for known, _, given in (part.strip().partition("=") for part in attributes)}
        key = (name, attributes.get("path") or "/")
        if not value or "expires=thu, 01 jan 1970" in text.lower() or attributes.get("max-age") == "0":
            self.cookies.pop(key, None)
        else:
            self.cookies[key] = value

    def visit(self, url, form=None):
        """Goes on until another host is reached, whose URL is returned, or nothing is left to click: the answer."""
        method = "GET" if form is None else "POST"
        for _ in range(15):
            answer = self.ask(method, url, form)
            location = answer.header("location")
            if location:
                url = urllib.parse.urljoin(urllib.parse.urljoin(self.base, url), location)
                if urllib.parse.urlsplit(url).netloc != self.host:
                    return url
                method, form = "GET", None
                continue
            if answer.status >= 400:
                return answer
            forms = [form for form in Forms(answer.text()).forms if form["fields"]]
            for form in forms:
                form["action"] = urllib.parse.urljoin(urllib.parse.urljoin(self.base, url), form["action"] or url)
                form["leaves"] = urllib.parse.urlsplit(form["action"]).netloc != self.host
            # A page has other forms than the one to fill in: those that show nothing, such as the one that logs out.
            forms = [form for form in forms if form["leaves"] or any(kind != "hidden" for kind, *_ in form["fields"])]
            if not forms:
                return answer
            filled, action = fill(forms[0]), forms[0]["action"]
            if forms[0]["leaves"]:
                return action + "#" + query(filled)
            url, method, form = action, "POST", filled
            if forms[0]["method"] == "get":
                url, method, form = action.split("?")[0] + "?" + query(filled), "GET", None
        raise AssertionError(f"the browser goes round in circles, last at {url}")


def fill(form):
    """Types in name and password, ticks every box, takes the first of several choices, and presses the first button that agrees."""
    filled, pressed = [], False
    for kind, name, value in form["fields"]:
        if kind in ("submit", "image"):
            refuses = re.search(r"\b(cancel|deny|reject|abort|no|false)\b", f"{name} {value}".lower())
            if pressed or refuses:
                continue
            pressed = True
        if not name or kind in ("button", "reset") or kind == "radio" and name in dict(filled):
            continue
        is_name = kind in ("text", "email") and any(word in name.lower() for word in ("login", "user", "email", "name"))
        filled.append((name, "alice" if kind == "password" or is_name and not value else value))
    return filled


def parameters(url):
    """What a redirect brings, in query and fragment."""
    parts = urllib.parse.urlsplit(url)
    return dict(urllib.parse.parse_qsl(parts.query) + urllib.parse.parse_qsl(parts.fragment))
