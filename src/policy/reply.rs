//! Answers of the gate's own: a page for a browser, JSON for anything else.

use serde::Serialize;

use crate::decision::{Redirect, Refusal};
use crate::endpoint::Endpoint;
use crate::head::Head;
use crate::percent;
use crate::settings::{ErrorDialect, Settings};
use crate::violation::{Breach, Violation};

/// An answer of the gate's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Header lines.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// Where the pages of the rules are; each id is an anchor.
///
/// Whoever hosts the documentation sets `TPC_GATE_RULES` when building.
pub const RULES_PAGE: &str = match option_env!("TPC_GATE_RULES") {
    Some(page) => page,
    None => "https://tpc-gate.example/docs/rules.md",
};

/// The answer to a refused request (design, decision 1; standards 0.3).
#[must_use]
pub fn refusal(refusal: &Refusal, head: &Head, settings: &Settings) -> Reply {
    if let Some(redirect) = &refusal.redirect {
        return redirected(refusal, redirect, settings.error_dialect, settings.issuer_at(head.path()));
    }
    refused(refusal, head, &settings.issuer, settings.error_dialect)
}

/// The same as an answer to whoever sent it.
fn refused(refusal: &Refusal, head: &Head, issuer: &str, dialect: ErrorDialect) -> Reply {
    let (breach, endpoint) = (refusal.breach, refusal.endpoint);
    let is_page = endpoint != Some(Endpoint::Token) && head.accepts_html();
    let words = Words::of(breach, endpoint, dialect);
    let mut reply = if is_page { page(&words, head.request_id()) } else { json(&words, head.request_id()) };
    match reply.status {
        // RFC 6749 §5.2: an answer to `authorization` must name the scheme.
        401 => reply.headers.push(("www-authenticate", format!("Basic realm=\"{issuer}\""))),
        405 => reply.headers.push(("allow", if endpoint == Some(Endpoint::Token) { "POST" } else { "GET" }.to_owned())),
        503 => reply.headers.push(("retry-after", "5".to_owned())),
        _ => {}
    }
    reply
}

/// The answer while the settings do not load: nothing can be told apart, so
/// everything is refused (design, decision 12).
#[must_use]
pub fn closed(head: &Head) -> Reply {
    let breach = Violation::PolicyUnavailable.into();
    refused(&Refusal { breach, endpoint: None, redirect: None }, head, "", ErrorDialect::default())
}

/// The answer in the place of one that is not delivered; `error` is the upstream's own, where it has one.
#[must_use]
pub(crate) fn in_answer(
    breach: Breach,
    endpoint: Endpoint,
    dialect: ErrorDialect,
    is_page: bool,
    error: Option<&'static str>,
    request_id: Option<&str>,
) -> Reply {
    let mut words = Words::of(breach, Some(endpoint), dialect);
    words.error = error.unwrap_or(words.error);
    if is_page { page(&words, request_id) } else { json(&words, request_id) }
}

/// What an answer says: static, nothing of the request.
struct Words {
    violation: Violation,
    error: &'static str,
    status: u16,
}

impl Words {
    fn of(breach: Breach, endpoint: Option<Endpoint>, dialect: ErrorDialect) -> Self {
        let violation = breach.violation;
        Self { violation, error: violation.error(endpoint, dialect).name(), status: breach.status(endpoint, dialect) }
    }

    /// What happened, as a heading and a sentence for somebody who knows nothing of OAuth.
    fn story(&self) -> (&'static str, &'static str) {
        match (self.violation, self.status) {
            (Violation::AuthorizationErrorRedirected, _) => {
                ("You are not signed in to the application", "You, or the service that signs you in, did not give it access.")
            }
            (_, 500..) => (
                "You cannot be signed in right now",
                "The service that signs you in could not answer safely, so it did not answer at all. Try again in a minute.",
            ),
            _ => (
                "This request was refused",
                "The application that sent you here asked in a way that is not allowed. You did nothing wrong.",
            ),
        }
    }
}

/// The answer for a request whose body does not come (design, decision 17).
#[must_use]
pub fn not_held() -> Reply {
    let mut reply = json(&Words::of(Violation::RequestNotHeld.into(), None, ErrorDialect::default()), None);
    reply.headers.push(("retry-after", "5".to_owned()));
    reply
}

/// The answer at `ready_path`; `reason` says why the gate is not ready.
#[must_use]
pub fn readiness(reason: Option<&'static str>) -> Reply {
    let (status, body) = match reason {
        None => (200, "{\"ready\":true}\n".to_owned()),
        Some(reason) => (503, format!("{{\"ready\":false,\"reason\":\"{reason}\"}}\n")),
    };
    let headers = vec![("content-type", "application/json".to_owned()), ("cache-control", "no-store".to_owned())];
    Reply { status, headers, body }
}

/// An error as JSON (RFC 6749 §5.2); no member is ever null.
fn json(words: &Words, request_id: Option<&str>) -> Reply {
    #[derive(Serialize)]
    struct Body<'a> {
        error: &'a str,
        error_description: &'a str,
        error_uri: String,
        violation: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<&'a str>,
    }
    let violation = words.violation;
    let body = Body {
        error: words.error,
        error_description: violation.description(),
        error_uri: error_uri(violation),
        violation: violation.id(),
        request_id,
    };
    // Strings always serialise.
    let body = serde_json::to_string(&body).unwrap_or_default();
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("pragma", "no-cache".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ];
    Reply { status: words.status, headers, body }
}

/// A small page for a person, with nothing of the request but Envoy's id of it.
fn page(words: &Words, request_id: Option<&str>) -> Reply {
    let violation = words.violation;
    let (error, id, description) = (words.error, violation.id(), violation.description());
    let (heading, story) = words.story();
    let uri = error_uri(violation);
    let request = request_id.map(|id| format!("<dt>Request</dt><dd><code>{id}</code></dd>")).unwrap_or_default();
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{heading}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{heading}</h1>\n\
         <p>{story}</p>\n\
         <p>Nothing was sent to the application. You can close this window.</p>\n\
         <section>\n<h2>For the developers of the application</h2>\n\
         <dl><dt>Reason</dt><dd>{description}</dd><dt>Error</dt><dd><code>{error}</code></dd>\
         <dt>Rule</dt><dd><a href=\"{uri}\" rel=\"noreferrer\"><code>{id}</code></a></dd>{request}</dl>\n\
         </section>\n</main>\n</body>\n</html>\n"
    );
    let headers = vec![
        ("content-type", "text/html; charset=utf-8".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("pragma", "no-cache".to_owned()),
        ("referrer-policy", "no-referrer".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-frame-options", "DENY".to_owned()),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'".to_owned(),
        ),
    ];
    Reply { status: words.status, headers, body }
}

/// The page's whole look; system fonts, light and dark, narrow and wide.
const STYLE: &str = "body{margin:0;font:1rem/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}\
main{max-width:36rem;margin:auto;padding:8vh 1.5rem 2rem}h1{font-size:1.6rem;line-height:1.25}\
section{margin-top:2.5rem;border-top:1px solid GrayText;font-size:.9rem}h2{font-size:inherit}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}\
dt{opacity:.8}dd{margin:0;overflow-wrap:anywhere}code{font-family:ui-monospace,monospace}:root{color-scheme:light dark}";

/// An error that goes back to the client (RFC 6749 §4.1.2.1; never 307 or 308: RFC 9700 §4.12), and says whose it is (RFC 9207 §2).
fn redirected(refusal: &Refusal, redirect: &Redirect, dialect: ErrorDialect, issuer: Option<&str>) -> Reply {
    let violation = refusal.breach.violation;
    let mut location = redirect.to.as_str().to_owned();
    location.push(if location.contains('?') { '&' } else { '?' });
    location.push_str("error=");
    location.push_str(violation.error(refusal.endpoint, dialect).name());
    location.push_str("&error_description=");
    percent::encode_into(violation.description(), &mut location);
    if let Some(state) = &redirect.state {
        location.push_str("&state=");
        percent::encode_into(state, &mut location);
    }
    if let Some(issuer) = issuer {
        location.push_str("&iss=");
        percent::encode_into(issuer, &mut location);
    }
    let headers = vec![
        ("location", location),
        ("cache-control", "no-store".to_owned()),
        ("pragma", "no-cache".to_owned()),
        ("referrer-policy", "no-referrer".to_owned()),
    ];
    Reply { status: 303, headers, body: String::new() }
}

fn error_uri(violation: Violation) -> String {
    format!("{RULES_PAGE}#{}", violation.id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_whose_doing_it_is() {
        for (violation, heading) in [
            (Violation::CodeChallengeMissing, "This request was refused"),
            (Violation::AuthorizationErrorRedirected, "You are not signed in to the application"),
            (Violation::AuthorizationResponseTokens, "You cannot be signed in right now"),
            (Violation::PolicyUnavailable, "You cannot be signed in right now"),
        ] {
            let words = Words::of(violation.into(), Some(Endpoint::Authorization), ErrorDialect::default());
            let body = page(&words, None).body;
            assert!(
                body.contains(&format!("<title>{heading}</title>")) && body.contains(&format!("<h1>{heading}</h1>")),
                "{body}"
            );
        }
    }
}
