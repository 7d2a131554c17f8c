"""What the products in Java share: Maven fetches them, java runs them, and all of that ends with their `start`."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>none</groupId><artifactId>none</artifactId><version>1</version>
</project>
"""


def say(text):
    print(f"start: {text}", file=sys.stderr, flush=True)


def fail(text):
    say(text)
    sys.exit(1)


def begin(is_installed):
    """Ends quietly on SIGTERM or Ctrl-C; says what is missing."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    for name in ("PORT", "ISSUER"):
        if not os.environ.get(name):
            fail(f"`{name}` is not set: PORT is where the product listens, ISSUER the address of the gate, such as http://127.0.0.1:10000")
    for tool, use in (("java", "a JDK of 17 or later runs it"), ("mvn", "Maven fetches it")):
        if not shutil.which(tool) and not (tool == "mvn" and is_installed):
            fail(f"`{tool}` is missing: {use}")


def fetch(artifact, folder):
    """Copies an artifact of Maven Central into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pom.xml").write_text(POM)
    command = ["mvn", "-q", "-B", "-f", folder / "pom.xml", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"]
    command += [f"-Dartifact={artifact}", f"-DoutputDirectory={folder}", "-Dmdep.useBaseVersion=true"]
    with Child(command) as child:
        if child.wait():
            fail(f"Maven could not fetch {artifact}; see above")
    (folder / "pom.xml").unlink()


def serve(command, metadata, issuer):
    """Runs a product until it or this ends; says `ready` when its metadata, at this path, names this issuer."""
    with Child(command) as child:
        deadline = time.monotonic() + 180
        while not answers(metadata, issuer):
            if child.poll() is not None:
                fail(f"{command[0]} ended with {child.returncode}; see above")
            if time.monotonic() > deadline:
                fail("it is not ready after 180 seconds")
            time.sleep(0.2)
        print("ready", flush=True)
        fail(f"{command[0]} ended with {child.wait()}")


def answers(metadata, issuer):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}{metadata}", timeout=10) as answer:
            # Another server may have taken the port.
            return json.load(answer).get("issuer") == issuer
    except (OSError, ValueError, AttributeError):
        return False


class Child:
    """A process that leads a group, since scripts and Maven have java as their child; all of it ends with this."""

    def __init__(self, command):
        self.command = [str(part) for part in command]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True)
        return self.process

    def __exit__(self, *_):
        handler = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + 15
            while self.sends(number) and time.monotonic() < deadline:
                time.sleep(0.1)
                number = 0
        signal.signal(signal.SIGTERM, handler)

    def sends(self, number):
        """Whether somebody of the group was there to get it."""
        self.process.poll()
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return False
        return True
