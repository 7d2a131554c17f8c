//! `tpc-gate explain`.

use std::io::Read;

use tpc_gate_policy::explanation::{Explanation, Outcome};
use tpc_gate_policy::head::Head;

use crate::cli::{Expected, ExplainArguments, Format};
use crate::load;
use crate::output::{Exit, complain, print, print_json};

/// Says what becomes of one request, and why.
pub(crate) fn run(arguments: &ExplainArguments) -> Exit {
    explain(arguments).unwrap_or_else(|exit| exit)
}

fn explain(arguments: &ExplainArguments) -> Result<Exit, Exit> {
    let gate = load::gate(&arguments.documents)?;
    let octets = if let Some(path) = &arguments.request {
        load::read(path)?
    } else {
        let mut octets = Vec::new();
        std::io::stdin().lock().read_to_end(&mut octets).map_err(|error| {
            complain(format_args!("standard input: {error}"));
            Exit::Unreadable
        })?;
        octets
    };
    let (head, body) = parse(&octets).map_err(|message| {
        complain(message);
        Exit::Unreadable
    })?;
    let explanation = Explanation::of_request(&gate, &head, &body, arguments.show_secrets);
    match arguments.format {
        Format::Json => print_json(&explanation),
        Format::Text => print_text(&explanation),
    }
    let is_expected = arguments.expect.as_ref().is_none_or(|expected| is_as_expected(&explanation, expected));
    if !is_expected {
        complain("not as expected");
    }
    Ok(if is_expected { Exit::Fine } else { Exit::Fault })
}

fn is_as_expected(explanation: &Explanation, expected: &Expected) -> bool {
    let violation_is = |id: &String| explanation.violations.iter().any(|finding| finding.id == *id);
    explanation.outcome == expected.outcome && expected.violation.as_ref().is_none_or(violation_is)
}

/// Reads one raw HTTP/1.1 request: lines end in LF or CRLF, the scheme is https
/// unless the target or `x-forwarded-proto` says otherwise, and without a
/// `content-length` the body is the rest.
fn parse(octets: &[u8]) -> Result<(Head, Vec<u8>), String> {
    let mut lines = vec![httparse::EMPTY_HEADER; 256];
    let mut request = httparse::Request::new(&mut lines);
    let config = {
        let mut config = httparse::ParserConfig::default();
        config.allow_multiple_spaces_in_request_line_delimiters(false);
        config
    };
    let head_length = match config.parse_request(&mut request, octets) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => {
            return Err("the request ends before its head does: an empty line must follow the headers".to_owned());
        }
        Err(error) => {
            return Err(format!("not an HTTP/1.1 request: {error}; expected a line such as `GET /authorize?… HTTP/1.1`"));
        }
    };
    let target = request.path.unwrap_or_default();
    let (scheme, authority, path) = split_target(target);
    let mut head: Vec<(String, Vec<u8>)> = vec![
        (":method".to_owned(), request.method.unwrap_or_default().into()),
        (":path".to_owned(), path.into()),
        (":scheme".to_owned(), scheme.into()),
    ];
    if let Some(authority) = authority {
        head.push((":authority".to_owned(), authority.into()));
    }
    let mut length = None;
    for header in request.headers.iter() {
        match header.name.to_ascii_lowercase().as_str() {
            // Envoy turns the host into `:authority`, and lets an absolute target win.
            "host" if authority.is_some() => {}
            "host" => head.push((":authority".to_owned(), header.value.to_vec())),
            "content-length" => {
                length = std::str::from_utf8(header.value).ok().and_then(|value| value.parse().ok());
                head.push(("content-length".to_owned(), header.value.to_vec()));
            }
            name => head.push((name.to_owned(), header.value.to_vec())),
        }
    }
    let rest = octets.get(head_length..).unwrap_or_default();
    let body = match length {
        Some(length) => rest.get(..length).ok_or_else(|| format!("the body is shorter than its content-length of {length}"))?,
        None => rest,
    };
    Ok((Head::new(head), body.to_vec()))
}

/// Splits an absolute-form target as Envoy does.
fn split_target(target: &str) -> (&str, Option<&str>, &str) {
    let Some((scheme, rest)) = target.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https")) else {
        return ("https", None, target);
    };
    let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(path_at).unwrap_or((rest, ""));
    (scheme, Some(authority), if path.is_empty() { "/" } else { path })
}

fn print_text(explanation: &Explanation) {
    let outcome = match explanation.outcome {
        Outcome::Pass => "pass: goes to the identity provider untouched",
        Outcome::Forward => "forward: goes to the identity provider rebuilt",
        Outcome::Refuse => "refuse: the identity provider sees no byte of it",
    };
    print(outcome);
    let or_none = |value: Option<&str>| value.unwrap_or("none").to_owned();
    print(format_args!("endpoint     {}", or_none(explanation.endpoint.as_deref())));
    print(format_args!(
        "client       {} ({})",
        or_none(explanation.client_id.as_deref()),
        or_none(explanation.client_kind.as_deref())
    ));
    for finding in &explanation.violations {
        let about = finding.parameter.as_ref().map(|parameter| format!(" (`{parameter}`)")).unwrap_or_default();
        print(format_args!("violation    {}{about}, {}", finding.id, finding.citation));
    }
    if let (Some(status), Some(error)) = (explanation.status, &explanation.error) {
        print(format_args!("answer       {status} {error}"));
    }
    if let Some(granted) = &explanation.granted {
        let scope = if granted.scope.is_empty() { "as it was granted".to_owned() } else { granted.scope.join(" ") };
        print(format_args!("granted      {}: {scope}", granted.audience));
    }
    if let Some(forwards) = &explanation.forwards {
        print(format_args!("target       {}", forwards.target));
        for (name, value) in &forwards.headers.set {
            print(format_args!("header       {name}: {value}"));
        }
        for name in &forwards.headers.removed {
            print(format_args!("header       {name} removed"));
        }
        if let Some(body) = &forwards.body {
            print(format_args!("body         {body}"));
        }
    }
    if !explanation.dropped.is_empty() {
        print(format_args!("dropped      {}", explanation.dropped.join(", ")));
    }
    if let Some(revision) = explanation.revision {
        print(format_args!("revision     {revision}"));
    }
}
