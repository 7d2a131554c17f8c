//! `scripts/demo`: an old identity provider, a real Envoy with the gate in front
//! of it, and real flows through both. Exits with 1 if anything is not as expected.

#![cfg(not(target_arch = "wasm32"))]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a demonstration that cannot do what it must has failed"
)]
#![expect(clippy::disallowed_methods, reason = "what waits for an Envoy reads a clock")]

#[path = "support/envoy.rs"]
#[expect(dead_code, reason = "the tests of the host do more with it than the demonstration")]
mod envoy;
#[path = "support/idp.rs"]
mod idp;
#[path = "support/upstream.rs"]
mod upstream;
#[path = "support/wire.rs"]
#[expect(dead_code, reason = "the tests of the host speak more HTTP than the demonstration")]
mod wire;

use std::io::IsTerminal;
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envoy::{Envoy, Setup};
use idp::encode;
use sha2::{Digest, Sha256};
use upstream::Upstream;
use wire::Response;

const CLIENT: &str = "tpc_vbc2Y77hGZfbhkSi7y3gTh";
const CALLBACK: &str = "https://partner.example.com/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const PORTAL: &str = "https://portal.example.com/cb";

fn main() -> ExitCode {
    let idp = idp::start();
    let envoy = Envoy::start(Setup::new(&shipped_settings(), idp.port));
    let ready = wire::post(envoy.port, "/.well-known/tpc-gate/ready", "x");
    assert_eq!(ready.status, 200, "the gate is not ready: {}", ready.text());
    let mut demo = Demo { port: envoy.port, idp, failures: 0, colours: std::io::stdout().is_terminal() };

    demo.honest_third_party();
    demo.dishonest_third_party();
    demo.first_party();

    println!();
    if demo.failures > 0 {
        println!("{} steps were not as expected", demo.failures);
        return ExitCode::FAILURE;
    }
    println!("All as expected: the identity provider was not changed, and saw only what the table says.");
    if std::env::args().any(|argument| argument == "--stay") {
        stay(envoy.port);
    }
    ExitCode::SUCCESS
}

/// The settings as `envoy/gate.yaml` has them.
fn shipped_settings() -> String {
    let text = std::fs::read_to_string(envoy::root().join("envoy/gate.yaml")).unwrap();
    let block = text.split("value: |\n").nth(1).expect("settings in envoy/gate.yaml");
    block.lines().take_while(|line| line.starts_with("                    ")).flat_map(|line| [&line[20..], "\n"]).collect()
}

/// Leaves everything running until it is stopped.
fn stay(port: u16) {
    println!();
    println!("Still running; stop with Ctrl-C. Try in a browser:");
    println!("  an honest login      http://127.0.0.1:{port}{}", honest_authorize("state-of-yours"));
    println!("  without PKCE         http://127.0.0.1:{port}/oauth/authorize?client_id={CLIENT}&response_type=code");
    println!(
        "  your own portal      http://127.0.0.1:{port}/oauth/authorize?client_id=legacy_portal&response_type=token&redirect_uri={PORTAL}"
    );
    println!("and the password grant:");
    println!("  curl -i http://127.0.0.1:{port}/oauth/token -d 'grant_type=password&username=a&password=b&client_id={CLIENT}'");
    loop {
        std::thread::park();
    }
}

struct Demo {
    port: u16,
    idp: Upstream,
    failures: usize,
    colours: bool,
}

/// What must become of a step.
#[derive(Clone, Copy)]
enum Expected<'a> {
    /// Refused, by this rule, and no octet reached the identity provider.
    Refused(&'a str),
    /// It reached the identity provider, as this request line.
    Reached(&'a str),
}

impl Demo {
    fn title(&self, text: &str) {
        println!();
        println!("{}", self.colour("1", text));
        println!("  {:<46} {:<40} what reached the identity provider", "what was sent", "what the gate did");
    }

    fn honest_third_party(&mut self) {
        self.title("An honest third-party client (code and PKCE)");
        let authorize = honest_request("a state");
        let login = wire::get(self.port, &authorize);
        let canonical = format!("GET {}", honest_authorize("a state"));
        self.step("GET authorize", &login, Expected::Reached(&canonical));
        let page = wire::get(self.port, path_of(location(&login)));
        self.step("GET login page", &page, Expected::Reached(&format!("GET {}", path_of(location(&login)))));
        let back = hidden_field(&page.text());
        let logged_in = wire::post(self.port, "/login", &format!("user=alice&password=x&back={}", encode(&back)));
        self.step("POST login form", &logged_in, Expected::Reached("POST /login"));
        let session = logged_in.header("set-cookie").and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned();
        let answer = with_cookie(self.port, path_of(location(&logged_in)), &session);
        self.step("GET authorize, logged in", &answer, Expected::Reached(&canonical));
        self.check("the state came back", location(&answer).ends_with("&state=a%20state"));
        let code =
            location(&answer).split_once("code=").map_or("", |(_, rest)| rest).split('&').next().unwrap_or_default().to_owned();
        let token = wire::post(
            self.port,
            "/oauth/token",
            &format!(
                "grant_type=authorization_code&client_id={CLIENT}&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}"
            ),
        );
        self.step("POST token, code and verifier", &token, Expected::Reached("POST /oauth/token"));
        self.check("the token came", token.text().contains("access_token"));
        self.check("the ID token was taken out", !token.text().contains("id_token"));
        self.check("what was granted is said", token.text().contains(r#""scope":"read:items""#));
        self.check("the answer must not be stored", token.header("cache-control") == Some("no-store"));
        let refreshed = wire::post(
            self.port,
            "/oauth/token",
            &format!("grant_type=refresh_token&client_id={CLIENT}&refresh_token=refresh-1"),
        );
        self.step("POST token, refresh", &refreshed, Expected::Reached("POST /oauth/token"));
        self.check("a fresh token came", refreshed.text().contains("access_token"));
    }

    fn dishonest_third_party(&mut self) {
        self.title("A dishonest one, and variations");
        let honest = honest_authorize("s");
        let authorize = [
            (
                "no PKCE",
                honest.split("&code_challenge=").next().unwrap().to_owned()
                    + "&redirect_uri="
                    + &encode(CALLBACK)
                    + "&response_type=code",
                "code-challenge-missing",
            ),
            ("PKCE method plain", honest.replace("S256", "plain"), "code-challenge-method-not-s256"),
            ("implicit flow", honest.replace("response_type=code", "response_type=token"), "response-type-not-code"),
            (
                "a redirect_uri of its own",
                honest.replace("partner.example.com", "evil.example.com"),
                "redirect-uri-not-registered",
            ),
            ("the id in capitals", honest.replace("tpc_", "TPC_"), "client-lookalike"),
            ("two client ids", format!("{honest}&client_id=legacy_portal"), "client-ambiguous"),
            ("two scopes", format!("{honest}&scope=b"), "parameter-repeated"),
            ("an API that is not granted", honest.replace("api.example.com", "payroll.example.com"), "audience-not-granted"),
            ("a scope that is not granted", honest.replace("read%3Aitems", "write%3Aitems"), "scope-not-granted"),
            ("without asking the user", honest.replace("prompt=consent", "prompt=none"), "prompt-none"),
            ("at a path that nobody listed", honest.replace("/oauth/authorize", "/auth"), "endpoint-unlisted"),
            ("an id that nobody registered", honest.replace(CLIENT, "tpc_unknown"), "client-unlisted"),
        ];
        for (name, target, rule) in authorize {
            let answer = wire::get(self.port, &target);
            self.step(&format!("GET authorize, {name}"), &answer, Expected::Refused(rule));
        }
        let password = format!("grant_type=password&username=a&password=b&client_id={CLIENT}");
        let no_verifier = format!("grant_type=authorization_code&code=x&client_id={CLIENT}");
        let token = [
            ("password grant", "/oauth/token", password.as_str(), "grant-type-not-allowed"),
            ("a code without its verifier", "/oauth/token", &no_verifier, "code-verifier-missing"),
            ("a code that nobody presents", "/oauth/token", "grant_type=authorization_code&code=x", "client-missing"),
            ("a trailing slash", "/oauth/token/", &password, "path-ambiguous"),
            ("a doubled slash", "//oauth/token", &password, "path-ambiguous"),
            ("an encoded letter", "/oauth/t%6Fken", &password, "path-ambiguous"),
            ("the grant in the query", "/oauth/token?grant_type=password", &no_verifier, "parameter-in-query"),
            (
                "a client that is blocked",
                "/oauth/token",
                "grant_type=refresh_token&refresh_token=refresh-1&client_id=stopped_app",
                "client-blocked",
            ),
        ];
        let device = ("a device code", "/oauth/device/code", &*format!("client_id={CLIENT}&scope=read"), "endpoint-not-allowed");
        for (name, target, body, rule) in token.into_iter().chain([device]) {
            let answer = wire::post(self.port, target, body);
            self.step(&format!("POST token, {name}"), &answer, Expected::Refused(rule));
        }
        let json = format!("{{\"grant_type\":\"password\",\"client_id\":\"{CLIENT}\"}}");
        let octets = format!(
            "POST /oauth/token HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{json}",
            json.len()
        );
        let answer = wire::exchange(self.port, octets.as_bytes(), false);
        self.step("POST token, the password grant in JSON", &answer, Expected::Refused("media-type-not-form"));
    }

    fn first_party(&mut self) {
        self.title("A first-party application, as ever");
        let implicit = format!("/oauth/authorize?response_type=token&client_id=legacy_portal&redirect_uri={PORTAL}&state=a+b");
        let answer = with_cookie(self.port, &implicit, "session=alice");
        self.step("GET authorize, implicit flow", &answer, Expected::Reached(&format!("GET {implicit}")));
        self.check("its tokens came", location(&answer).contains("#access_token="));
        let password = wire::post(self.port, "/oauth/token", "grant_type=password&username=a&password=b&client_id=legacy_portal");
        self.step("POST token, password grant", &password, Expected::Reached("POST /oauth/token"));
        self.check("its ID token came", password.text().contains("id_token"));
        let userinfo = wire::get(self.port, "/userinfo");
        self.step("GET userinfo", &userinfo, Expected::Reached("GET /userinfo"));
    }

    /// Prints a step, and compares what the identity provider recorded.
    fn step(&mut self, sent: &str, answer: &Response, expected: Expected<'_>) {
        let arrived = self.idp.take();
        let reached = match arrived.first() {
            None => "0 bytes".to_owned(),
            Some(request) => format!("{} {}", request.method, request.target),
        };
        let violation = answer.violation();
        let (did, is_as_expected) = match (&expected, &violation) {
            (Expected::Refused(rule), Some(violation)) => {
                (format!("refused  {violation}"), violation == rule && arrived.is_empty())
            }
            (Expected::Refused(_), None) => ("let through".to_owned(), false),
            (Expected::Reached(line), None) => ("passed on".to_owned(), arrived.len() == 1 && reached == *line),
            (Expected::Reached(_), Some(violation)) => (format!("refused  {violation}"), false),
        };
        let colour = if violation.is_some() { "33" } else { "32" };
        let short = if reached.len() > 60 { format!("{}…", &reached[..59]) } else { reached };
        println!("  {sent:<46} {} {short}", self.colour(colour, &format!("{did:<40}")));
        self.check(&format!("as expected: {sent}"), is_as_expected);
    }

    fn check(&mut self, what: &str, holds: bool) {
        if !holds {
            self.failures += 1;
            println!("  {}", self.colour("31", &format!("NOT AS EXPECTED: {what}")));
        }
    }

    fn colour(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// An honest authorization request, as clients of `OpenID` Connect send it.
fn honest_request(state: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    format!(
        "/oauth/authorize?response_type=code&client_id={CLIENT}&redirect_uri={}&scope=openid+profile+read:items&state={}&nonce=n\
         &code_challenge={challenge}&code_challenge_method=S256",
        encode(CALLBACK),
        encode(state)
    )
}

/// The same as the identity provider gets it: the API and the consent said, `OpenID` Connect dropped.
fn honest_authorize(state: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    format!(
        "/oauth/authorize?audience=https%3A%2F%2Fapi.example.com&client_id={CLIENT}&code_challenge={challenge}\
         &code_challenge_method=S256&prompt=consent&redirect_uri={}&response_type=code&scope=read%3Aitems&state={}",
        encode(CALLBACK),
        encode(state)
    )
}

fn with_cookie(port: u16, target: &str, cookie: &str) -> Response {
    wire::exchange(port, format!("GET {target} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: {cookie}\r\n\r\n").as_bytes(), false)
}

/// The path and query of an absolute URL.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    &rest[rest.find('/').unwrap_or(rest.len())..]
}

/// The value of the login page's hidden field, as a browser would send it.
fn hidden_field(page: &str) -> String {
    let value = page.split("name=\"back\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    value.replace("&quot;", "\"").replace("&lt;", "<").replace("&amp;", "&")
}

fn location(answer: &Response) -> &str {
    answer.header("location").unwrap_or_default()
}
