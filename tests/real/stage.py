"""One identity provider behind the recorder, with the gate and with a plain Envoy in front of it."""

import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time

import wire

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests/real"


def arguments(usage, options, all_of_them=()):
    """The products that are named, or else all of them, and the options that are given; ends if that is wrong."""
    given = sys.argv[1:]
    if "--help" in given or "-h" in given:
        print(usage)
        sys.exit(0)
    # Whatever was started ends with this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    tools = {path.parent.name: json.loads(path.read_text()).get("needs", []) for path in sorted(HERE.glob("*/facts.json"))}
    chosen = [argument for argument in given if argument not in options] or list(all_of_them or tools)
    trouble = None
    if unknown := [name for name in chosen if name not in tools]:
        trouble = f"no such identity provider: {', '.join(unknown)}; there are: {', '.join(tools)}"
    elif lacking := sorted({tool for name in chosen for tool in tools[name] if not shutil.which(tool)}):
        trouble = f"{', '.join(lacking)}: missing; without: {', '.join(name for name in tools if not tools[name])}"
    if trouble:
        print(f"run: {trouble}", file=sys.stderr)
        sys.exit(2)
    return chosen, {option for option in options if option in given}


class Stage:
    """Starts everything, and ends by id what it started."""

    def __init__(self, idp):
        self.idp = idp
        self.children = []
        self.front = self.recorder = None
        self.folder = ROOT / "target/real" / idp
        self.folder.mkdir(parents=True, exist_ok=True)
        self.facts = json.loads((HERE / idp / "facts.json").read_text())

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            if child.poll() is None:
                child.terminate()
        for child in reversed(self.children):
            try:
                child.wait(40)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for recorder in (self.front, self.recorder):
            if recorder:
                recorder.close()

    def start(self):
        port, gate_port = wire.free_port(), wire.free_port()
        self.product = ("127.0.0.1", port)
        self.gate = ("127.0.0.1", gate_port)
        # Clients see this one: it keeps what they sent, before any Envoy.
        self.front = wire.Recorder(self.gate)
        self.issuer = f"http://127.0.0.1:{self.front.address[1]}"
        settings = self.folder / "settings.json"
        given = json.loads((HERE / self.idp / "settings.json").read_text())
        settings.write_text(json.dumps({"issuer": self.issuer + self.facts.get("issuer_path", ""), **given}))
        environment = {"PORT": str(port), "ISSUER": self.issuer}
        self.child("idp", [HERE / self.idp / "start"], 600, environment)
        self.recorder = wire.Recorder(self.product)
        upstream = f"http://127.0.0.1:{self.recorder.address[1]}"
        command = [ROOT / "scripts/serve", "--upstream", upstream, "--listen", f"127.0.0.1:{gate_port}"]
        command += ["--settings", settings, "--policy", HERE / self.facts.get("policy", "policy.json")]
        self.child("gate", command, 600)
        self.plain = ("127.0.0.1", wire.free_port())
        self.start_plain_envoy()

    def child(self, name, command, timeout, environment=None):
        """A child process that has said `ready`."""
        log = self.folder / f"{name}.log"
        with open(log, "w") as sink:
            child = subprocess.Popen(
                [str(part) for part in command], env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sink
            )
        self.children.append(child)
        wait_for_ready(child, timeout, name, log)

    def start_plain_envoy(self):
        """The bootstrap that we ship, without the filter."""
        text = (ROOT / "envoy/gate.yaml").read_text()
        text = re.sub(r" {10}- name: tpc-gate\n.*?(?= {10}- name: envoy\.filters\.http\.router\n)", "", text, flags=re.S)
        assert "wasm" not in text.split("http_filters:")[1], "the filter is still in there"
        for known, port in ((9901, wire.free_port()), (10000, self.plain[1]), (9000, self.recorder.address[1])):
            assert text.count(f"port_value: {known}") == 1
            text = text.replace(f"port_value: {known}", f"port_value: {port}")
        file = self.folder / "plain.yaml"
        file.write_text(text)
        envoy = subprocess.run([ROOT / "scripts/fetch-envoy"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        with open(self.folder / "plain.log", "w") as sink:
            command = [envoy, "-c", str(file), "--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"]
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        self.children.append(child)
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(self.plain, 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or child.poll() is not None:
                    raise RuntimeError(f"the plain Envoy does not listen; see {self.folder.name}/plain.log")
                time.sleep(0.1)


def wait_for_ready(child, timeout, name, log):
    deadline, text = time.monotonic() + timeout, b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if selector.select(1):
                piece = os.read(child.stdout.fileno(), 4096)
                text += piece
                if re.search(rb"^ready", text, re.M):
                    return
                if not piece:
                    break
    last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise RuntimeError(f"{name} did not say `ready`; its last words:\n{last}")
