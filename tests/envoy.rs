//! The filter in a real Envoy: the corpus, first-party parity, and the safety of the host.
//!
//! `cargo test --test envoy`. Everything is on loopback, and each Envoy ends with
//! its test.

#![cfg(test)]
#![cfg(not(target_arch = "wasm32"))]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a test that overflows or cuts amiss fails, as it should; its texts are ours"
)]
#![expect(clippy::disallowed_methods, reason = "what waits for an Envoy reads a clock")]

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/envoy.rs"]
#[expect(dead_code, reason = "only a measurement asks for the CPU time")]
mod envoy;
#[path = "support/recorder.rs"]
mod recorder;
#[path = "support/upstream.rs"]
mod upstream;
#[path = "support/wire.rs"]
mod wire;

#[path = "envoy/artifact.rs"]
mod artifact;
#[path = "envoy/bodies.rs"]
mod bodies;
#[path = "envoy/cases.rs"]
mod cases;
#[path = "envoy/configuration.rs"]
mod configuration;
#[path = "envoy/doors.rs"]
mod doors;
#[path = "envoy/holding.rs"]
mod holding;
#[path = "envoy/observe.rs"]
mod observe;
#[path = "envoy/parity.rs"]
mod parity;
#[path = "envoy/trap.rs"]
mod trap;

use envoy::{Envoy, Setup};
use recorder::Recorder;
use tpc_gate_policy::case::{CaseRequest, CaseVersion};
use upstream::Recorded;
use wire::Response;

/// A gate in front of a recording upstream.
struct Rig {
    envoy: Envoy,
    upstream: Recorder,
}

impl Rig {
    /// With the settings and the policy of a folder of cases.
    fn of(folder: &str) -> Self {
        Self::with(&configuration(folder), |_| {})
    }

    fn with(settings: &str, change: impl FnOnce(&mut Setup)) -> Self {
        let upstream = Recorder::start();
        let mut setup = Setup::new(settings, upstream.port);
        change(&mut setup);
        Self { envoy: Envoy::start(setup), upstream }
    }

    fn send(&self, request: &CaseRequest) -> Response {
        wire::send(self.envoy.port, request)
    }

    fn post(&self, target: &str, body: &str) -> Response {
        wire::post(self.envoy.port, target, body)
    }

    /// What has arrived upstream since the last time. A request of our own goes
    /// first, so that whatever was on its way has arrived, too.
    fn arrived(&self) -> Vec<Recorded> {
        let answer = wire::get(self.envoy.port, "/sentinel");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut recorded = self.upstream.take();
        let sentinel = recorded.pop().expect("the sentinel");
        assert_eq!(sentinel.target, "/sentinel", "{recorded:?}");
        recorded
    }
}

fn configuration(folder: &str) -> String {
    corpus::folders().iter().find(|known| known.name == folder).expect("a folder of cases").configuration()
}

/// A request of a test, to be changed where it differs.
fn request(method: &str, target: &str, body: Option<&str>) -> CaseRequest {
    let headers = match body {
        Some(_) => vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
        None => Vec::new(),
    };
    CaseRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        scheme: "http".to_owned(),
        authority: "login.example.com".to_owned(),
        headers,
        body: body.map(str::to_owned),
        chunks: None,
        trailers: Vec::new(),
        version: CaseVersion::Http1,
    }
}

/// An honest code exchange, already in the canonical form.
const EXCHANGE: &str = "client_id=tpc_vbc2Y77hGZfbhkSi7y3gTh&code=k0de&\
    code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&grant_type=authorization_code&\
    redirect_uri=https%3A%2F%2Fpartner.example.com%2Fcallback";

/// A password grant of a strict client, which every build refuses.
const PASSWORD: &str = "grant_type=password&username=a&password=b&client_id=tpc_vbc2Y77hGZfbhkSi7y3gTh";

/// A first-party token request.
const FIRST_PARTY: &str = "grant_type=password&username=a&password=b&client_id=first_portal";
