//! First-party traffic is untouched: the same octets with the filter and without it.

use tpc_gate_policy::case::{CaseRequest, CaseVersion};

use crate::envoy::{Envoy, Setup};
use crate::recorder::Recorder;
use crate::upstream::{Answer, Recorded};
use crate::wire::{self, Response};
use crate::{configuration, request};

/// Odd, but legal.
fn requests() -> Vec<CaseRequest> {
    let with = |method: &str, target: &str, body: Option<&str>, headers: &[(&str, &str)]| {
        let mut request = request(method, target, None);
        request.body = body.map(str::to_owned);
        request.headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        request
    };
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let json = ("content-type", "application/json; charset=utf-8");
    let upload = "binary \u{0}\u{ff}\u{1}".repeat(90_000);
    let mut requests = vec![
        with("GET", "/", None, &[]),
        with("GET", "/?", None, &[]),
        with("GET", "//a///b/./c/../d;e=f/%7E%2f%2F?x=%zz&&y=+&z", None, &[]),
        with(
            "GET",
            "/oauth/authorize?response_type=token+id_token&client_id=first_portal&state=a%2Bb+c&x=%7e&scope=a&scope=b",
            None,
            &[],
        ),
        with(
            "GET",
            "/oauth/authorize?client_id=first_portal&x=%zz;y=1&Scope[]=2",
            None,
            &[("Cookie", "a=b"), ("Cookie", "c=d"), ("X-Foo", "1"), ("x-foo", "2")],
        ),
        with("HEAD", "/oauth/authorize?client_id=first_portal", None, &[]),
        with("OPTIONS", "/oauth/token", None, &[("origin", "https://spa.example"), ("access-control-request-method", "POST")]),
        with("GET", "/oauth/token?client_id=first_portal&grant_type=password", None, &[]),
        with(
            "POST",
            "/oauth/token",
            Some("grant_type=password&username=a+b&password=%21%7e&client_id=first_portal"),
            &[form, ("Authorization", "bAsIc  Zmlyc3RfcG9ydGFsOnM=")],
        ),
        with("POST", "/oauth/token", Some("{ \"client_id\" : \"first_portal\",\n\"grant_type\":\"password\"}"), &[json]),
        with("POST", "/oauth/token?x=1&y", Some("client_id=first_portal&scope=a&scope=b&&=&x=%zz"), &[form]),
        with("POST", "/oauth/token", Some(""), &[form]),
        with("POST", "/oauth/authorize", Some("user_oauth_approval=true&scope_read%3Aitems=true&_csrf=x"), &[form]),
        with(
            "POST",
            "/oauth/authorize?client_id=first_portal",
            Some("--b\r\ncontent-disposition: form-data; name=\"f\"\r\n\r\n\u{0}\u{ff}\r\n--b--"),
            &[("content-type", "multipart/form-data; boundary=b")],
        ),
        with("POST", "/upload", Some(&upload), &[("content-type", "application/octet-stream")]),
        with("POST", "/saml", Some("SAMLResponse=x"), &[form, ("content-encoding", "gzip"), ("x-original-url", "/elsewhere")]),
        with("POST", "/saml/acs", Some(&format!("SAMLResponse={}&RelayState=tpc_x", "b%2B".repeat(100_000))), &[form]),
        with("POST", "/login?client_id=first_portal&scope=openid", Some("username=a&password=b+c&code=1"), &[form]),
        with("POST", "/legacy/token", Some("grant_type=password&client_id=first_portal&x=%zz;y"), &[form]),
        with("POST", "/no-type", Some("client_id=first_portal&token=x"), &[]),
        with("POST", "/dbconnections/signup", Some("{\"client_id\":\"first_portal\", \"email\":\"a\"}"), &[json]),
        with("GET", "/userinfo", None, &[("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJhenAiOiJmaXJzdF9wb3J0YWwifQ.x")]),
        with("POST", "/oauth/introspect", Some("token=x%2By"), &[form, ("authorization", "Basic Zmlyc3RfcG9ydGFsOnM=")]),
        with("GET", "/v2/logout/?client_id=first_portal&returnTo=https://ours.example", None, &[]),
        with("POST", "/register", Some("email=a%40b.c&password=x"), &[form]),
        with("GET", "/oidc/register/abc", None, &[("authorization", "Bearer x")]),
        with("GET", "/oauth/authorize?client_id=legacy_partner&response_type=id_token&scope=openid&nonce=%7e", None, &[]),
        with("PUT", "/account/1", Some("{}"), &[json, ("if-match", "\"1\"")]),
        with("PATCH", "/account/1", Some("{}"), &[json]),
        with("DELETE", "/account/1", None, &[("x-odd", "\u{e9}\u{ff}")]),
    ];
    // Each with a body also in chunks, with trailers, and over HTTP/2.
    for plain in requests.clone() {
        requests.push(CaseRequest { version: CaseVersion::Http2, ..plain.clone() });
        if plain.body.is_some() {
            let trailers = vec![("x-trailer".to_owned(), "1".to_owned())];
            requests.push(CaseRequest { chunks: Some(vec![3, 4]), ..plain.clone() });
            requests.push(CaseRequest { chunks: Some(vec![5]), trailers: trailers.clone(), ..plain.clone() });
            requests.push(CaseRequest { version: CaseVersion::Http2, trailers, ..plain });
        }
    }
    requests
}

fn answers() -> Vec<Answer> {
    let headers =
        |lines: &[(&str, &str)]| lines.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>();
    let plain = Answer::default();
    vec![
        plain.clone(),
        Answer {
            status: 302,
            headers: headers(&[
                ("location", "https://ours.example/cb#access_token=a&id_token=b"),
                ("set-cookie", "a=b; Path=/"),
                ("set-cookie", "c=d"),
            ]),
            body: Vec::new(),
            ..plain.clone()
        },
        Answer {
            status: 200,
            headers: headers(&[("content-type", "application/json"), ("cache-control", "public, max-age=60"), ("etag", "\"1\"")]),
            body: b"{\"id_token\":\"a\", \"id_token\":\"b\"}".to_vec(),
            ..plain.clone()
        },
        Answer {
            status: 200,
            headers: headers(&[("content-type", "application/json"), ("content-encoding", "gzip")]),
            body: vec![0x1f, 0x8b, 8, 0, 255],
            trailers: vec![("x-checksum".to_owned(), "1".to_owned())],
        },
        Answer { status: 204, headers: headers(&[("x-nothing", "1")]), body: Vec::new(), ..plain.clone() },
        Answer {
            status: 500,
            headers: headers(&[("content-type", "text/html")]),
            body: b"<h1>oops</h1>".repeat(40_000),
            ..plain
        },
    ]
}

/// What differs from one run to the next by itself.
fn lines(headers: &[(String, String)]) -> Vec<(String, String)> {
    let is_stable = |name: &str| !matches!(name, "x-request-id" | "date" | "x-envoy-upstream-service-time");
    headers.iter().filter(|(name, _)| is_stable(name)).cloned().collect()
}

fn stable_request(mut request: Recorded) -> Recorded {
    // Held and released, a chunked body arrives in other chunks, or as HTTP/2 with a length; its octets are the same.
    request.headers = lines(&request.headers);
    request
}

fn stable_answer(mut response: Response) -> Response {
    response.headers = lines(&response.headers);
    response
}

#[test]
fn first_party_traffic_is_the_same_with_and_without_the_filter() {
    let (with_upstream, without_upstream) = (Recorder::start(), Recorder::start());
    let with = Envoy::start(Setup::new(&configuration("default"), with_upstream.port));
    let mut setup = Setup::new("", without_upstream.port);
    setup.settings = None;
    let without = Envoy::start(setup);
    let (requests, answers) = (requests(), answers());
    assert!(requests.len() > 60);
    for (at, request) in requests.iter().enumerate() {
        // Each request meets two answers, so that all pairs of kinds come up without a run of minutes.
        for answer in [&answers[at % answers.len()], &answers[(at / 3 + 2) % answers.len()]] {
            with_upstream.answers(answer.clone());
            without_upstream.answers(answer.clone());
            let passed = stable_answer(wire::send(with.port, request));
            let plain = stable_answer(wire::send(without.port, request));
            let what = format!("{} {} {:?}", request.method, request.target, request.version);
            assert_eq!(passed, plain, "{what}: the answer differs");
            let passed: Vec<Recorded> = with_upstream.take().into_iter().map(stable_request).collect();
            let plain: Vec<Recorded> = without_upstream.take().into_iter().map(stable_request).collect();
            assert_eq!(passed.len(), 1, "{what}");
            assert_eq!(passed, plain, "{what}: the request differs");
        }
    }
}
