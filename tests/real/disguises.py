"""Requests in disguise: spellings in which one may hide from whoever judges it, and still be what the product takes it for."""

import base64
import http.client
import json
import urllib.parse

import checks
import wire

# What may stand between two segments, after one, or before one.
BETWEEN = ["", ".", "%2e", ";a", "%2F", ".;x", "x/..", "x/%2e%2e", "x/..;a", "..;", "%20", "%00", "%09", "\\", "%5C"]
AFTER = [";", ";a=b", "%3Ba=b", ".", "%2e", "%20", "+", "%00", "%09", "%0a", ".json", "%E2%80%8B", "/", "//", "%2F", "%5C", "?x=", "#", "%23", "%3F", ",", "~", "$", "!", "%C0%AF", "%u002f"]
BEFORE = [";a", "./", "%2e/", "%20", "%09", ".", ";a/", "%2e%2e/"]


def paths(path):
    """A path in some hundred spellings; some servers take each for the path."""
    segments = path.strip("/").split("/")
    found = {"//host.example" + path, "/\\host.example" + path, "http://host.example" + path, "*" + path}
    for at in range(len(segments) + 1):
        found.update("/" + "/".join([*segments[:at], other, *segments[at:]]) for other in BETWEEN)
    for at, segment in enumerate(segments):
        once = "".join(f"%{ord(letter):02x}" for letter in segment)
        others = [segment + after for after in AFTER] + [before + segment for before in BEFORE]
        others += [once, once.replace("%", "%25"), f"%{ord(segment[0]):02X}{segment[1:]}", segment.upper(), segment.capitalize()]
        found.update("/" + "/".join([*segments[:at], other, *segments[at + 1 :]]) for other in others)
    return sorted(found - {path})


# Python's name of a character set, and Java's: some decode escapes in the one that the media type says.
CHARACTER_SETS = [("cp037", "IBM037"), ("cp500", "IBM500"), ("cp1140", "IBM01140")]
CHARACTER_SETS += [(name, name) for name in ("utf-16", "utf-16le", "utf-16be", "utf-32", "utf-7", "cp1252", "iso-8859-1", "shift_jis")]
FORM = "application/x-www-form-urlencoded"


def forms(client, rest):
    """Media types and bodies, in which a server may find the client's id where others find none."""
    found = []
    for python, java in CHARACTER_SETS:

        def escaped(text, by=python):
            return "".join(f"%{octet:02X}" for octet in text.encode(by))

        for kind in (f"{FORM}; charset={java}", f'{FORM};charset="{java}"', f"{FORM}; CHARSET={java}", f"{FORM}; x=y; charset={java}", f"{FORM}, x; charset={java}"):
            found.append((kind, f"client_id={escaped(client)}&{rest}"))
            found.append((kind, f"client_id=first_portal&client_id={escaped(client)}&{rest}"))
            found.append((kind, f"{escaped('client_id')}={escaped(client)}&{rest}"))
            found.append((kind, f"x=y&client_id={escaped(client)}&{rest}"))
            found.append((kind, f"client_id={client}&{rest}".encode(python).decode("latin-1")))
    plain = f"client_id={client}&{rest}"
    found += [(kind, plain) for kind in ("text/plain", "*/*", "application/*", f"{FORM}\t", FORM.upper(), f"{FORM};", "application/json", "")]
    bodies = [
        plain.replace("&", ";"),
        f"client_id=first_portal&{plain}",
        f"{plain}&client_id=first_portal",
        f"\r\n{plain}",
        plain.replace("client_id", "%63lient_id"),
        plain.replace("client_id", "client_id%00"),
        plain.replace("tpc_", "%74pc_"),
        plain.replace("tpc_", "tpc%5F"),
        plain.replace("=tpc_", "==tpc_"),
        plain.replace("=tpc_", "=+tpc_"),
    ]
    return found + [(FORM, body) for body in bodies]


def credentials(client, secret):
    """Values of `Authorization` that some server takes for Basic of this client."""
    plain = f"{client}:{secret}"
    token = base64.b64encode(plain.encode()).decode()
    bare = token.rstrip("=")
    found = [f"{scheme}{between}{token}" for scheme in ("Basic", "basic", "BASIC", "bAsIc") for between in (" ", "  ", "\t", "A", "=", ":", "", ", ", " =", ' "')]
    spelled = [bare, token + "=", token + "==", bare + "=A", bare + "A", bare + " y", bare + "!", token.replace("=", "%3D"), token + ",", token + ";charset=UTF-8"]
    for junk in ("-", "_", "=", ".", "!", "%", ",", " ", "\t", "\xa0"):
        spelled += [bare[:at] + junk + bare[at:] for at in (0, 1, 4, 7, len(bare))] + [junk.join(bare)]
    texts = [plain.replace("_", "%5F"), plain.replace("t", "%74", 1), f" {plain}", f"{plain}\0", f"\ufeff{plain}", plain.upper(), plain.replace(":", "%3A"), f"{client} :{secret}"]
    spelled += [base64.b64encode(text.encode(code)).decode() for text in texts for code in ("utf-8", "utf-16", "utf-16le")]
    spelled += [base64.urlsafe_b64encode(plain.encode()).decode(), base64.b64encode(token.encode()).decode(), plain]
    found += [f"Basic {text}" for text in spelled]
    found += [f"Bearer x, Basic {token}", f"Basic x, Basic {token}", f"Basic {token}, Basic x", f"Basic realm=x, Basic {token}", f"Basic {token}, Bearer x"]
    return list(dict.fromkeys(found))


def steps(stage):
    """What is disguised, and the function that sends it: of what the product takes for a strict client's request, nothing reaches it."""
    facts, secret = stage.facts, wire.query({"client_id": checks.CONFIDENTIAL, "client_secret": checks.SECRET})
    yield "authorization, no PKCE, the path", lambda: authorization(stage)
    wanted = {"grant_type": "password", "username": "alice", "password": "alice", "scope": "read:items"}
    if "password" not in facts["first_party"]:
        wanted = {"grant_type": "client_credentials", "scope": "write:items", **checks.asks_for(stage, checks.API)}
    request = {"response_type": "code", "redirect_uri": checks.PARTNER, "scope": "read:items"}
    for name, form in {"token": wanted, "device": {"scope": "read:items"}, "par": request, "introspection": {"token": "some"}}.items():
        if path := facts.get(name):
            rest = wire.query(form)
            yield f"{name}, the path", lambda p=path, r=rest: none_gets_through(stage, by_path("POST", p, FORM, f"{secret}&{r}"))
            bodies = [("POST", path, kind, body, ()) for kind, body in forms(checks.CONFIDENTIAL, f"client_secret={checks.SECRET}&{rest}")]
            yield f"{name}, the body", lambda b=bodies: none_gets_through(stage, b)
            if name in ("device", "par"):
                # Some want the client's id in these beside its credentials.
                continue
            basics = [("POST", path, FORM, rest, [("Authorization", value)]) for value in credentials(checks.CONFIDENTIAL, checks.SECRET)]
            yield f"{name}, the credentials", lambda b=basics: none_gets_through(stage, b)
    for door in facts["doors"]:
        if door["name"] == "registration" and door.get("open", True):
            registrations = by_path("POST", door["path"], "application/json", json.dumps(door["json"]))
            yield "registration, the path", lambda r=registrations: none_gets_through(stage, r)


def authorization(stage):
    """Who is taken for a client that begins: the answer is like that to the plain request, and unlike that to no request at all."""
    path, query = checks.authorization_url(stage, checks.CONFIDENTIAL, checks.PARTNER, "read:items").split("?")
    for person in (wire.Browser(stage.issuer), checks.logged_in(stage)):
        cookies = "; ".join(f"{name}={value}" for (name, _), value in person.cookies.items())
        headers = [("Cookie", cookies)] if cookies else []
        plain, other = (answer_to(stage, stage.product, "GET", f"{target}?{query}", None, None, headers) for target in (path, path + "-not"))
        if kind_of(plain) != kind_of(other):
            requests = by_path("GET", path, None, None, query, headers)
            return none_gets_through(stage, requests, lambda answer: answer and kind_of(answer) == kind_of(plain))
    raise AssertionError("its authorization endpoint answers as any other path does")


def kind_of(answer):
    """What tells a question to the user from another answer: where it leads, but for an id at the end, or whether it is a form."""
    location = answer.header("location")
    return answer.status, location and urllib.parse.urlsplit(location).path.rpartition("/")[0], bool(wire.Forms(answer.text()).forms)


def by_path(method, path, kind, body, query="", headers=()):
    """The request itself first, and then in each spelling of its path."""
    targets = [path, *paths(path)]
    return [(method, f"{target}{'&' if '?' in target else '?'}{query}" if query else target, kind, body, headers) for target in targets]


def gives_something(answer):
    """A token, a device code, a client …"""
    got = {"access_token", "device_code", "request_uri", "client_secret", "registration_client_uri", "active"}
    return answer and answer.status < 300 and bool(got & set(answer.json()))


def none_gets_through(stage, requests, is_taken=gives_something):
    """Each goes to the product directly first: where that takes it, not an octet of it may come through the gate."""
    taken, through = 0, []
    for request in requests:
        if not is_taken(answer_to(stage, stage.product, *request)):
            continue
        taken += 1
        before = stage.recorder.received
        answer = answer_to(stage, stage.gate, *request)
        if stage.recorder.received != before or is_taken(answer):
            through.append(" ".join(str(part)[:80] for part in request if part))
    assert taken, "not one is taken by the product: this proves nothing"
    assert not through, f"{len(through)} through the gate: {'; '.join(through)}"
    return f"{len(requests)} tried, {taken} taken by the product, none through the gate"


def answer_to(stage, address, method, target, kind, body, headers):
    """None where the connection is closed without one."""
    fields = [("Host", stage.issuer.removeprefix("http://")), *headers]
    octets = b""
    if body is not None:
        octets = body.encode("latin-1")
        fields += [("Content-Type", kind), ("Content-Length", str(len(octets)))]
    try:
        return wire.send(address, wire.Request(method, target, fields, octets).raw())
    except (OSError, http.client.HTTPException):
        return None
