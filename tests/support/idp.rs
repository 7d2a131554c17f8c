//! An identity provider as one finds them: old, and not to be touched.
//!
//! It has a login page and no consent page, one audience for every token, absolute
//! redirects to its own host, the implicit and the password grant, ID tokens for
//! everybody, and has never heard of PKCE.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::upstream::{Answer, Recorded, Upstream};

/// Starts one.
pub(crate) fn start() -> Upstream {
    let codes = Mutex::new(BTreeMap::new());
    Upstream::start(move |request| answer(request, &codes))
}

/// Codes that were issued, with the client that they are for.
type Codes = Mutex<BTreeMap<String, String>>;

fn answer(request: &Recorded, codes: &Codes) -> Answer {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    match (request.method.as_str(), path) {
        ("GET", "/oauth/authorize") => authorize(request, &form(query), codes),
        ("GET", "/login") => page(200, &login_page(form(query).get("back").map_or("/", String::as_str))),
        ("POST", "/login") => logged_in(request, &form(&request.body)),
        ("POST", "/oauth/token") => token(&form(&request.body), codes),
        ("GET", "/userinfo") => json(200, r#"{"sub":"alice","email":"alice@example.com"}"#),
        _ => page(200, "<h1>Old identity provider</h1>"),
    }
}

fn authorize(request: &Recorded, query: &BTreeMap<String, String>, codes: &Codes) -> Answer {
    let has_session = request.header("cookie").is_some_and(|cookies| cookies.contains("session=alice"));
    if !has_session {
        return redirect(request, &format!("/login?back={}", encode(&request.target)), &[]);
    }
    let get = |name: &str| query.get(name).cloned().unwrap_or_default();
    let state = encode(&get("state"));
    let separator = if get("redirect_uri").contains('?') { '&' } else { '?' };
    let location = match get("response_type").as_str() {
        "code" => {
            let mut codes = codes.lock().unwrap();
            let code = format!("code-{}", codes.len());
            codes.insert(code.clone(), get("client_id"));
            format!("{}{separator}code={code}&state={state}", get("redirect_uri"))
        }
        _ => format!(
            "{}#access_token={}&id_token={}&token_type=Bearer&state={state}",
            get("redirect_uri"),
            jwt("access"),
            jwt("id")
        ),
    };
    Answer { status: 302, headers: vec![("location".to_owned(), location)], body: Vec::new(), trailers: Vec::new() }
}

fn logged_in(request: &Recorded, form: &BTreeMap<String, String>) -> Answer {
    let back = form.get("back").cloned().unwrap_or_default();
    redirect(request, &back, &[("set-cookie", "session=alice; Path=/; HttpOnly")])
}

fn token(form: &BTreeMap<String, String>, codes: &Codes) -> Answer {
    let get = |name: &str| form.get(name).map_or("", String::as_str);
    let is_granted = match get("grant_type") {
        "authorization_code" => codes.lock().unwrap().remove(get("code")).is_some(),
        "refresh_token" => get("refresh_token").starts_with("refresh-"),
        "password" => true,
        _ => false,
    };
    if !is_granted {
        return json(400, r#"{"error":"invalid_grant"}"#);
    }
    let (access, id) = (jwt("access"), jwt("id"));
    json(
        200,
        &format!(
            r#"{{"access_token":"{access}","id_token":"{id}","refresh_token":"refresh-1","token_type":"Bearer","expires_in":3600}}"#
        ),
    )
}

/// One audience for every token, whoever asks.
fn jwt(kind: &str) -> String {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    format!(
        "{}.{}.c2lnbmF0dXJl",
        part(r#"{"alg":"HS256"}"#),
        part(&format!(r#"{{"sub":"alice","aud":"everything","use":"{kind}"}}"#))
    )
}

/// An absolute redirect to its own host, as old servers send them.
fn redirect(request: &Recorded, target: &str, headers: &[(&str, &str)]) -> Answer {
    let host = request.header("host").unwrap_or("localhost");
    let mut lines = vec![("location".to_owned(), format!("http://{host}{target}"))];
    lines.extend(headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
    Answer { status: 302, headers: lines, body: Vec::new(), trailers: Vec::new() }
}

fn json(status: u16, body: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("cache-control", "public, max-age=60")];
    Answer {
        status,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: body.into(),
        trailers: Vec::new(),
    }
}

fn page(status: u16, body: &str) -> Answer {
    let headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
    let body =
        format!("<!doctype html><title>Old identity provider</title><body style=\"font-family:sans-serif;margin:3em\">{body}");
    Answer { status, headers, body: body.into(), trailers: Vec::new() }
}

fn login_page(back: &str) -> String {
    let back = back.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    format!(
        "<h1>Old identity provider</h1><form method=\"post\" action=\"/login\"><input type=\"hidden\" name=\"back\" value=\"{back}\">\
         <p><label>User <input name=\"user\" value=\"alice\"></label><p><label>Password <input type=\"password\" name=\"password\"></label>\
         <p><button>Log in</button></form>"
    )
}

/// Reads a form as old servers do: leniently, the last one wins.
fn form(raw: &str) -> BTreeMap<String, String> {
    raw.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (decode(name), decode(value))).collect()
}

fn decode(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| tail.get(..2)).flatten().and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(octet) = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            octets.push(octet);
            rest = &tail[2..];
        } else {
            octets.push(if first == b'+' { b' ' } else { first });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

pub(crate) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
