//! One GET, with everything that a stranger's answer could do to us bounded.

use std::io;
use std::time::Duration;

use ureq::http::header::LOCATION;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error};

use super::issuer::{Address, Origin};

/// Reads documents of one origin.
pub(crate) struct Fetcher {
    agent: Agent,
}

impl Fetcher {
    /// `ca`: certificates to trust instead of the public ones.
    pub(crate) fn new(origin: &Origin, ca: Option<&[Certificate<'static>]>) -> Self {
        let mut tls = TlsConfig::builder();
        if let Some(certificates) = ca {
            tls = tls.root_certs(RootCerts::new_with_certs(certificates));
        }
        let mut config = Agent::config_builder()
            .tls_config(tls.build())
            .https_only(origin.is_https)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("tpc-gate/", env!("CARGO_PKG_VERSION")))
            .accept("application/json");
        if origin.is_loopback() {
            // The environment's proxy has another loopback than we.
            config = config.proxy(None);
        }
        Self { agent: config.build().new_agent() }
    }

    /// The body of the answer 200, or what came instead.
    pub(crate) fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let mut url = url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let mut response = self.agent.get(&url).call().map_err(|error| said(&error))?;
            let status = response.status();
            if status.as_u16() == 200 {
                return response.body_mut().with_config().limit(MOST_OCTETS).read_to_vec().map_err(|error| said(&error));
            }
            let location = response.headers().get(LOCATION).filter(|_| status.is_redirection());
            let Some(location) = location.and_then(|location| location.to_str().ok()) else {
                return Err(format!("answered {}", status.as_u16()));
            };
            let redirected = |reason: &str| format!("answered {}, a redirect {reason}", status.as_u16());
            url = Address::parse(&url).and_then(|from| from.follow(location)).map_err(redirected)?;
        }
        Err(format!("redirected more than {MOST_REDIRECTS} times"))
    }
}

const MOST_OCTETS: u64 = 256 << 10;
const MOST_REDIRECTS: usize = 3;
const TIMEOUT: Duration = Duration::from_secs(10);

/// The certificates in PEM text; at least one.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, String> {
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(format!("not PEM: {error}")),
        }
    }
    if found.is_empty() { Err("has no certificate; expected PEM".to_owned()) } else { Ok(found) }
}

/// What went wrong, for somebody who knows HTTP and not our library.
fn said(error: &Error) -> String {
    match error {
        Error::BodyExceedsLimit(_) => format!("answered with more than {} KiB", MOST_OCTETS >> 10),
        Error::HostNotFound => "no such host name".to_owned(),
        Error::Timeout(_) => format!("no whole answer within {} seconds", TIMEOUT.as_secs()),
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        Error::Io(error) if error.to_string().contains("certificate") => {
            format!("its certificate is not trusted ({error}); `--ca FILE` names a private CA")
        }
        Error::Io(error) => format!("cannot be read: {error}"),
        error => format!("cannot be read: {error}"),
    }
}
