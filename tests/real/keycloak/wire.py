"""HTTP/1.1 by its octets: a client that sends what it is told, and a recorder that stands before a server."""

import dataclasses
import socket
import threading

HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
# What Envoy adds or writes itself, with the filter and without it.
OF_ENVOY = {"x-request-id", "server", "date"}


@dataclasses.dataclass
class Message:
    """A request or a response: its first line, its header lines, its body without chunks, and all its octets."""

    start: str
    headers: list
    body: bytes
    raw: bytes

    @property
    def status(self):
        return int(self.start.split()[1])

    @property
    def target(self):
        return self.start.split()[1]

    def header(self, name):
        return next((value for known, value in self.headers if known.lower() == name), None)

    def text(self):
        return self.body.decode("utf-8", "replace")

    def stable(self):
        """What must be the same on both sides of a proxy that changes nothing."""
        names = ((name.lower(), value) for name, value in self.headers)
        kept = [pair for pair in names if pair[0] not in HOP_BY_HOP | OF_ENVOY and not pair[0].startswith(("x-forwarded-", "x-envoy-"))]
        # A chunked answer may come with a length, and the other way round; its octets are the same.
        is_response = self.start.startswith("HTTP/")
        first = self.status if is_response else self.start
        # And Envoy says `content-length: 0` for POST and OPTIONS without a body.
        kept = [pair for pair in kept if pair[0] != "content-length" or not (is_response or pair[1] == "0")]
        # Lines of one name keep their order; names may change places.
        return first, sorted(kept, key=lambda pair: pair[0]), self.body


def read(stream, answers=None):
    """Reads a message; `answers`: the method of the request that it answers. None at the end of the stream."""
    raw = start = stream.readline()
    if not start.strip():
        return None
    headers = []
    while True:
        line = stream.readline()
        raw += line
        if line in (b"\r\n", b"\n", b""):
            break
        name, _, value = line.decode("latin-1").rstrip("\r\n").partition(":")
        headers.append((name, value.strip()))
    message = Message(start.decode("latin-1").strip(), headers, b"", raw)
    has_body = answers is None or not (answers == "HEAD" or message.status in (204, 304))
    if (message.header("transfer-encoding") or "").lower() == "chunked" and has_body:
        while True:
            line = stream.readline()
            size = int(line.split(b";")[0], 16)
            data = stream.read(size)
            end = stream.readline()
            message.raw += line + data + end
            message.body += data
            if size == 0:
                break
    elif message.header("content-length") and has_body:
        message.body = stream.read(int(message.header("content-length")))
        message.raw += message.body
    elif answers is not None and has_body:
        message.body = stream.read()
        message.raw += message.body
    return message


def send(port, method, target, headers=(), body=None):
    """Sends one request on a connection of its own; gives the request, as it was sent, and its answer."""
    lines = [("Host", f"127.0.0.1:{port}"), *headers]
    if body is not None:
        lines.append(("Content-Length", str(len(body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    raw = f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b"")
    sent = Message(f"{method} {target} HTTP/1.1", lines, body or b"", raw)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(raw)
        answer = read(connection.makefile("rb"), answers=method)
    if answer is None:
        raise OSError(f"no answer to {method} {target}")
    return sent, answer


class Recorder:
    """Hands each request on as it came, and keeps it with its answer."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.exchanges = []
        self.octets = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            while True:
                # An octet counts when it comes, whether or not a request becomes of it.
                if not stream.peek(1):
                    return
                self.octets += 1
                request = read(stream)
                if request is None:
                    return
                self.octets += len(request.raw) - 1
                with socket.create_connection(("127.0.0.1", self.upstream), timeout=60) as onward:
                    onward.sendall(request.raw)
                    answer = read(onward.makefile("rb"), answers=request.start.split()[0])
                if answer is None:
                    return
                self.exchanges.append((request, answer))
                connection.sendall(answer.raw)

    def close(self):
        self.listener.close()
