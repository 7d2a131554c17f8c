//! A client that sends exactly what it is told, over HTTP/1.1 or HTTP/2.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use tpc_gate_policy::case::{CaseRequest, CaseVersion, octets};

/// An answer as it arrived.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Header lines in order, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The rule that the answer names.
    pub(crate) fn violation(&self) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        Some(body.get("violation")?.as_str()?.to_owned())
    }
}

/// Sends a request and reads the answer.
pub(crate) fn send(port: u16, request: &CaseRequest) -> Response {
    match request.version {
        CaseVersion::Http1 => exchange(port, &serialize(request), request.method == "HEAD"),
        CaseVersion::Http2 => http2(port, request),
    }
}

/// A GET.
pub(crate) fn get(port: u16, target: &str) -> Response {
    exchange(port, format!("GET {target} HTTP/1.1\r\nhost: login.example.com\r\n\r\n").as_bytes(), false)
}

/// A POST of a form.
pub(crate) fn post(port: u16, target: &str, body: &str) -> Response {
    let head = format!(
        "POST {target} HTTP/1.1\r\nhost: login.example.com\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    exchange(port, format!("{head}{body}").as_bytes(), false)
}

/// Sends octets on a connection of their own and reads one answer.
pub(crate) fn exchange(port: u16, octets: &[u8], is_head: bool) -> Response {
    let mut stream = connect(port);
    // Envoy may answer and close before it has read everything.
    let _closed = stream.write_all(octets);
    read_response(&mut BufReader::new(stream), is_head)
}

/// A connection with a deadline for each read.
pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// The request as HTTP/1.1 octets: with a content-length, or chunked where the case says where to cut.
pub(crate) fn serialize(request: &CaseRequest) -> Vec<u8> {
    let mut out = octets(&format!("{} {} HTTP/1.1\r\nhost: {}\r\n", request.method, request.target, request.authority));
    for (name, value) in &request.headers {
        out.extend(octets(&format!("{name}: {value}\r\n")));
    }
    let body = request.octets();
    let Some(chunks) = request.chunks.clone().or_else(|| (!request.trailers.is_empty()).then(Vec::new)) else {
        if request.body.is_some() && !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            out.extend(format!("content-length: {}\r\n", body.len()).into_bytes());
        }
        out.extend(b"\r\n");
        out.extend(body);
        return out;
    };
    out.extend(b"transfer-encoding: chunked\r\n\r\n");
    for part in cut(&body, &chunks) {
        out.extend(format!("{:x}\r\n", part.len()).into_bytes());
        out.extend(part);
        out.extend(b"\r\n");
    }
    out.extend(b"0\r\n");
    for (name, value) in &request.trailers {
        out.extend(octets(&format!("{name}: {value}\r\n")));
    }
    out.extend(b"\r\n");
    out
}

/// Cuts a body behind each of these sizes; what remains is the last part.
fn cut<'b>(body: &'b [u8], sizes: &[usize]) -> Vec<&'b [u8]> {
    let (mut parts, mut rest) = (Vec::new(), body);
    for size in sizes {
        let (part, tail) = rest.split_at((*size).min(rest.len()));
        parts.push(part);
        rest = tail;
    }
    parts.push(rest);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Reads one HTTP/1.1 answer; status 0 where the connection closed without one.
pub(crate) fn read_response(reader: &mut BufReader<TcpStream>, is_head: bool) -> Response {
    let mut response = Response::default();
    loop {
        let line = read_line(reader);
        let Some(status) = line.split(' ').nth(1).and_then(|status| status.parse().ok()) else { return response };
        response.status = status;
        response.headers = read_fields(reader);
        // Interim answers are not the answer.
        if status >= 200 {
            break;
        }
    }
    if is_head || matches!(response.status, 204 | 304) {
        return response;
    }
    if response.header("transfer-encoding").is_some() {
        while let Ok(size @ 1..) = usize::from_str_radix(read_line(reader).trim(), 16) {
            let mut chunk = vec![0; size];
            if reader.read_exact(&mut chunk).is_err() {
                return response;
            }
            response.body.extend(chunk);
            read_line(reader);
        }
        response.trailers = read_fields(reader);
    } else if let Some(length) = response.header("content-length") {
        response.body = vec![0; length.parse().unwrap()];
        reader.read_exact(&mut response.body).unwrap();
    }
    response
}

fn read_fields(reader: &mut BufReader<TcpStream>) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    loop {
        let line = read_line(reader);
        let Some((name, value)) = line.split_once(':') else { return fields };
        fields.push((name.to_ascii_lowercase(), value.trim_start_matches(' ').to_owned()));
    }
}

fn read_line(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = Vec::new();
    let _closed = reader.read_until(b'\n', &mut line);
    let line = line.strip_suffix(b"\r\n").unwrap_or(&line);
    line.iter().copied().map(char::from).collect()
}

/// Sends a request over HTTP/2 by prior knowledge: DATA frames as cut, `END_STREAM`
/// in an empty frame of its own, trailers where there are any.
fn http2(port: u16, request: &CaseRequest) -> Response {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let mut head = http::Request::builder()
            .method(request.method.as_str())
            .uri(format!("http://{}{}", request.authority, request.target));
        for (name, value) in &request.headers {
            head = head.header(name, http::HeaderValue::from_bytes(&octets(value)).unwrap());
        }
        let body = request.octets();
        let ends_with_head = request.body.is_none() && request.trailers.is_empty();
        let sent = client.send_request(head.body(()).unwrap(), ends_with_head);
        let Ok((answer, mut sink)) = sent else { return Response::default() };
        if !ends_with_head {
            for part in cut(&body, request.chunks.as_deref().unwrap_or_default()) {
                for piece in part.chunks(16 * 1024) {
                    sink.reserve_capacity(piece.len());
                    // A stream that was answered early takes no more.
                    if sink.send_data(Bytes::copy_from_slice(piece), false).is_err() {
                        break;
                    }
                }
            }
            let _answered = if request.trailers.is_empty() {
                sink.send_data(Bytes::new(), true)
            } else {
                let mut trailers = http::HeaderMap::new();
                for (name, value) in &request.trailers {
                    trailers.append(
                        http::HeaderName::try_from(name).unwrap(),
                        http::HeaderValue::from_bytes(&octets(value)).unwrap(),
                    );
                }
                sink.send_trailers(trailers)
            };
        }
        let answer = tokio::time::timeout(Duration::from_secs(20), answer).await.expect("an answer in time");
        let Ok(answer) = answer else { return Response::default() };
        let mut response = Response { status: answer.status().as_u16(), headers: lines(answer.headers()), ..Response::default() };
        let mut stream = answer.into_body();
        while let Some(Ok(data)) = stream.data().await {
            let _window = stream.flow_control().release_capacity(data.len());
            response.body.extend_from_slice(&data);
        }
        if let Ok(Some(trailers)) = stream.trailers().await {
            response.trailers = lines(&trailers);
        }
        response
    })
}

fn lines(headers: &http::HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().iter().copied().map(char::from).collect())).collect()
}

/// An HTTP/2 upstream that answers each request with the same JSON and trailers.
pub(crate) fn http2_upstream(body: &'static str) -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((_, mut respond))) = connection.accept().await {
                        let head = http::Response::builder().header("content-type", "application/json").body(()).unwrap();
                        let mut sink = respond.send_response(head, false).unwrap();
                        sink.send_data(Bytes::from_static(body.as_bytes()), false).unwrap();
                        let mut trailers = http::HeaderMap::new();
                        trailers.insert("x-checksum", http::HeaderValue::from_static("1"));
                        sink.send_trailers(trailers).unwrap();
                    }
                });
            }
        });
    });
    port
}
