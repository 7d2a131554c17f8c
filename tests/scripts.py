"""The scripts, as a person calls them. `python3 tests/scripts.py [Demo] [Serve] [FuncE]`"""

import http.client
import http.server
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASES = ROOT / "tests/cases/default"
CLIENT = "tpc_vbc2Y77hGZfbhkSi7y3gTh"
PASSWORD = f"grant_type=password&username=a&password=b&client_id={CLIENT}"
DEADLINE = 300


class Upstream:
    """A small identity provider that records what arrives; with `tls`, over https."""

    def __init__(self, tls=None):
        arrived = self.arrived = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                arrived.append((self.command, self.path, self.headers.get("host"), body))
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.scheme = "http"
        if tls:
            self.scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}"


class Gate:
    """A running `scripts/serve`; leaving the block ends it."""

    def __init__(self, upstream, *arguments, policy=CASES / "policy.json", env=None, host="127.0.0.1"):
        command = [ROOT / "scripts/serve", "--upstream", upstream.url(host), "--policy", policy, "--listen", "127.0.0.1:0", *arguments]
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, env={**os.environ, **(env or {})})

    def __enter__(self):
        timer = threading.Timer(DEADLINE, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line.startswith("ready http://127.0.0.1:"):
            self.process.wait()
            raise AssertionError(f"not ready: {line!r}\n{self.words()}")
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def words(self):
        self.log.seek(0)
        return self.log.read()

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = headers or ({"content-type": "application/x-www-form-urlencoded"} if body else {})
        connection.request(method, path, body, headers)
        with connection.getresponse() as response:
            answer = response.status, response.read()
        connection.close()
        return answer

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(30)
        self.process.stdout.close()
        return code

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()
        self.process.stdout.close()
        self.log.close()


def processes_that_name(text):
    """Command lines of this machine's processes that contain a text."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found


def run(*arguments):
    return subprocess.run([ROOT / "scripts/serve", *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE)


class Serve(unittest.TestCase):
    def test_it_judges_in_front_of_a_running_identity_provider(self):
        upstream = Upstream()
        with Gate(upstream) as gate:
            status, body = gate.ask("POST", "/oauth/token", PASSWORD)
            self.assertEqual((status, json.loads(body)["violation"]), (400, "grant-type-not-allowed"))
            self.assertEqual(upstream.arrived, [])
            host = {"host": "login.example.com"}
            self.assertEqual(gate.ask("GET", "/oauth/authorize?client_id=first_portal&x=%7e", headers=host), (200, b"ok"))
            self.assertEqual(upstream.arrived, [("GET", "/oauth/authorize?client_id=first_portal&x=%7e", "login.example.com", b"")])
            for words in ("danger: danger_allow_http", "no issuer is given", "verifier is not checked"):
                self.assertIn(words, gate.words())

    def test_two_run_at_once_and_each_ends_whole(self):
        upstream = Upstream()
        # A folder of their own: somebody else's may run on this machine.
        with tempfile.TemporaryDirectory() as folder:
            env = {"TMPDIR": folder}
            with Gate(upstream, env=env) as one, Gate(upstream, "--workers", "2", env=env) as other:
                self.assertNotEqual(one.port, other.port)
                self.assertEqual(len(processes_that_name(f"{folder}/tpc-gate-")), 4)
                self.assertEqual(one.ask("GET", "/"), (200, b"ok"))
                self.assertEqual(one.end(signal.SIGINT), 0)
                self.assertEqual(other.ask("GET", "/"), (200, b"ok"))
                self.assertEqual(other.end(), 0)
            self.assertEqual(processes_that_name(f"{folder}/tpc-gate-"), [])
            self.assertEqual(os.listdir(folder), [])

    def test_settings_are_taken_and_the_host_can_be_replaced(self):
        upstream = Upstream()
        with tempfile.NamedTemporaryFile("w", suffix=".json") as settings:
            json.dump({"issuer": "https://login.example.com", "endpoints": {"token": ["/connect/token"]}, "ready_path": "/ready"}, settings)
            settings.flush()
            with Gate(upstream, "--settings", settings.name, "--host", "idp.example") as gate:
                self.assertEqual(gate.ask("POST", "/connect/token", PASSWORD)[0], 400)
                # The endpoints of the preset are replaced: what was one of them is any path.
                self.assertEqual(json.loads(gate.ask("POST", "/oauth/token", PASSWORD)[1])["violation"], "endpoint-unlisted")
                self.assertEqual(gate.ask("POST", "/oauth/token", b"x=1")[0], 200)
                self.assertEqual(upstream.arrived[0][2], "idp.example")
                self.assertEqual(gate.ask("GET", "/ready")[0], 200)

    def test_an_https_upstream_is_verified(self):
        with tempfile.TemporaryDirectory() as folder:
            certificates = make_certificates(folder)
            upstream = Upstream(tls=certificates["server"])
            with Gate(upstream, "--upstream-ca", certificates["ca"], host="localhost") as gate:
                self.assertEqual(gate.ask("GET", "/"), (200, b"ok"))
            upstream.arrived.clear()
            for arguments in (["--upstream-ca", certificates["other"]], ["--upstream-ca", certificates["ca"], "--host", "other.example"]):
                with Gate(upstream, *arguments, host="localhost") as gate:
                    self.assertEqual(gate.ask("GET", "/")[0], 503, arguments)
            self.assertEqual(upstream.arrived, [])

    def test_faulty_documents_end_it_with_1_and_say_why(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as policy:
            policy.write('{"format": 1,\n "revision": "x"}')
            policy.flush()
            ended = run("--upstream", "http://127.0.0.1:9", "--policy", policy.name)
            self.assertEqual(ended.returncode, 1)
            self.assertIn("/revision (line 2, column 14)", ended.stderr)
            self.assertEqual(ended.stdout, "")

    def test_wrong_usage_and_missing_files_end_it_with_2(self):
        policy = CASES / "policy.json"
        for arguments in (
            ["--policy", policy],
            ["--upstream", "http://127.0.0.1:9", "--policy", "/nowhere.json"],
            ["--upstream", "ftp://127.0.0.1", "--policy", policy],
            ["--upstream", "http://127.0.0.1:9", "--policy", "https://policy.example/p.json"],
            ["--upstream", "http://127.0.0.1:9", "--policy", policy, "--listen", "nowhere"],
        ):
            ended = run(*arguments)
            self.assertEqual(ended.returncode, 2, (arguments, ended.stderr))
        self.assertEqual(run("--help").returncode, 0)

    def test_a_port_that_is_taken_is_said_to_be(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            ended = run("--upstream", "http://127.0.0.1:9", "--policy", CASES / "policy.json", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("choose another port", ended.stderr)

    def test_http2_by_prior_knowledge_is_on_the_same_port(self):
        with Gate(Upstream()) as gate, socket.create_connection(("127.0.0.1", gate.port), timeout=10) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
            # The first frame of an HTTP/2 server is SETTINGS (RFC 9113 §3.4).
            self.assertEqual(connection.recv(9)[3], 4)


class Demo(unittest.TestCase):
    def test_it_prints_what_the_readme_shows(self):
        ended = subprocess.run([ROOT / "scripts/demo"], capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        shown = (ROOT / "README.md").read_text().split("$ scripts/demo\n")[1].split("```")[0]
        self.assertEqual(ended.stdout.strip(), shown.strip())

    def test_it_can_stay_and_leaves_nothing_behind(self):
        process = subprocess.Popen(
            [ROOT / "scripts/demo", "--stay"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
        )
        timer = threading.Timer(DEADLINE, lambda: os.killpg(process.pid, signal.SIGKILL))
        timer.start()
        port = None
        for line in process.stdout:
            if "an honest login" in line:
                port = int(line.split("http://127.0.0.1:")[1].split("/")[0])
            if "curl" in line:
                break
        timer.cancel()
        self.assertIsNotNone(port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", f"/oauth/authorize?client_id={CLIENT}&response_type=token", headers={"accept": "text/html"})
        page = connection.getresponse().read().decode()
        self.assertIn("response-type-not-code", page)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
        process.stdout.close()
        for _ in range(100):
            left = processes_that_name(f"{ROOT}/target/tmp/envoy-")
            if not left:
                break
            threading.Event().wait(0.1)
        self.assertEqual(left, [])


class FuncE(unittest.TestCase):
    """The gate under the real func-e, with an Envoy put where func-e looks for it."""

    def test_it_runs_under_func_e(self):
        tool = ROOT / "target/tools/bin/func-e"
        envoy = subprocess.run([ROOT / "scripts/fetch-envoy"], capture_output=True, text=True, check=True).stdout.strip()
        version = subprocess.run([envoy, "--version"], capture_output=True, text=True, check=True).stdout.split("version: ")[1].split("/")[1]
        with tempfile.TemporaryDirectory() as home:
            place = pathlib.Path(home) / "envoy-versions" / version / "bin"
            place.mkdir(parents=True)
            (place / "envoy").symlink_to(envoy)
            env = {"FUNC_E": str(tool), "FUNC_E_DATA_HOME": home, "ENVOY_VERSION": version, "TMPDIR": home}
            env |= {name: str(pathlib.Path(home) / name.lower()) for name in ("FUNC_E_STATE_HOME", "FUNC_E_RUNTIME_DIR", "FUNC_E_CONFIG_HOME")}
            upstream = Upstream()
            with Gate(upstream, env=env) as gate:
                status, body = gate.ask("POST", "/oauth/token", PASSWORD)
                self.assertEqual((status, json.loads(body)["violation"]), (400, "grant-type-not-allowed"))
                self.assertEqual(upstream.arrived, [])
                self.assertEqual(gate.ask("GET", "/"), (200, b"ok"))
                self.assertEqual(gate.end(), 0)
            self.assertEqual(processes_that_name(f"{home}/tpc-gate-"), [])


def make_certificates(folder):
    """A CA, a certificate of it for `localhost`, and a CA that signed nothing."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    pathlib.Path(folder, "server.ext").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "server.ext", "-out", "server.pem")
    path = lambda name: str(pathlib.Path(folder, name))
    return {"ca": path("ca.pem"), "other": path("other.pem"), "server": (path("server.pem"), path("server.key"))}


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
