"""A browser without a screen: cookies, redirects, and Keycloak's login and consent forms, filled in for alice."""

import html
import re
import urllib.parse

import wire

FORM = ("Content-Type", "application/x-www-form-urlencoded")


class Browser:
    """Follows redirects, keeps cookies, fills in Keycloak's forms."""

    def __init__(self, port, gate=None, check=None):
        self.port, self.gate, self.check = port, gate or port, check
        self.cookies = {}
        self.pages = []

    def open(self, method, target, body=None):
        headers = [("Accept", "text/html,application/xhtml+xml"), ("User-Agent", "Mozilla/5.0")]
        if self.cookies:
            headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        if body is not None:
            headers.append(FORM)
        sent, answer = wire.send(self.port, method, target, headers, body)
        if self.check:
            self.check(sent, answer)
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                pair = value.split(";")[0]
                key, _, content = pair.partition("=")
                if content and "max-age=0" not in value.lower():
                    self.cookies[key] = content
                else:
                    self.cookies.pop(key, None)
        return answer

    def sign_in(self, target):
        """Walks from an authorization request to where Keycloak sends the browser; the last answer where it does not."""
        self.pages = []
        answer = self.open("GET", target)
        for _ in range(12):
            location = answer.header("location")
            if location and not location.startswith((f"http://127.0.0.1:{self.gate}/", "/")):
                return answer
            if location:
                answer = self.open("GET", path_of(location))
                continue
            form = form_of(answer.text())
            if answer.status != 200 or not form:
                return answer
            action, fields = form
            if "password" in fields and "password-confirm" not in fields:
                self.pages.append("login")
                fields = {"username": "alice", "password": "alice", "credentialId": ""}
            elif "accept" in fields:
                self.pages.append("consent")
                fields.pop("cancel", None)
            else:
                return answer
            answer = self.open("POST", path_of(action), encoded(fields).encode())
        return answer


def path_of(url):
    parts = urllib.parse.urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def form_of(page):
    action = re.search(r'<form[^>]*action="([^"]+)"', page)
    if not action:
        return None
    fields = {}
    for field in re.findall(r"<(?:input|button)[^>]*>", page):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', field))
        if "name" in attributes:
            fields[html.unescape(attributes["name"])] = html.unescape(attributes.get("value", ""))
    return html.unescape(action[1]), fields


def encoded(parameters):
    pairs = parameters.items() if isinstance(parameters, dict) else parameters
    return urllib.parse.urlencode([(name, value) for name, value in pairs if value is not None])


def answered(location):
    """The parameters of an authorization response, whether in its query or its fragment."""
    parts = urllib.parse.urlsplit(location or "")
    return dict(urllib.parse.parse_qsl(parts.query) + urllib.parse.parse_qsl(parts.fragment))


def short(location):
    if not location:
        return ""
    parts = urllib.parse.urlsplit(location)
    return f"{parts.netloc}{parts.path}" + "".join(f" {name}" for name in answered(location))
