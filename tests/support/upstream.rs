//! The recording upstream: an HTTP/1.1 server that keeps every octet that arrives.
//!
//! It stands where the identity provider is, and proves that nothing came.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request as it arrived.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Header lines in order, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body without its framing, Latin-1.
    pub(crate) body: String,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Recorded {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What the upstream answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// With trailers the answer is chunked.
    pub(crate) trailers: Vec<(String, String)>,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            status: 200,
            headers: vec![("x-upstream".to_owned(), "1".to_owned())],
            body: br#"{"access_token":"a","token_type":"Bearer","scope":"read:items write:items"}"#.to_vec(),
            trailers: Vec::new(),
        }
    }
}

/// A running upstream; its threads end with the process.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    requests: Vec<Recorded>,
    /// Octets that arrived and are no whole request (yet).
    loose: usize,
}

type Handler = dyn Fn(&Recorded) -> Answer + Send + Sync;

impl Upstream {
    /// Starts one that answers by a function.
    pub(crate) fn start(answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let upstream = Self { port: listener.local_addr().unwrap().port(), state: Arc::default() };
        let (state, answer): (_, Arc<Handler>) = (Arc::clone(&upstream.state), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (state, answer) = (Arc::clone(&state), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &state, &*answer));
            }
        });
        upstream
    }

    /// Takes the requests that have arrived since the last time.
    pub(crate) fn take(&self) -> Vec<Recorded> {
        let mut state = self.state.lock().unwrap();
        assert_eq!(state.loose, 0, "a part of a request has arrived");
        std::mem::take(&mut state.requests)
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>, answer: &Handler) {
    let Ok(mut writer) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader, state) {
        let is_head = request.method == "HEAD";
        let answer = answer(&request);
        {
            let mut state = state.lock().unwrap();
            state.requests.push(request);
            state.loose = 0;
        }
        if write_answer(&mut writer, &answer, is_head).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>, state: &Mutex<State>) -> Option<Recorded> {
    let line = read_line(reader, state)?;
    let mut words = line.splitn(3, ' ');
    let mut request = Recorded { method: words.next()?.to_owned(), target: words.next()?.to_owned(), ..Recorded::default() };
    request.headers = read_fields(reader, state)?;
    if request.header("transfer-encoding").is_some() {
        loop {
            let size = usize::from_str_radix(read_line(reader, state)?.trim(), 16).ok()?;
            if size == 0 {
                break;
            }
            request.body.push_str(&read_octets(reader, state, size)?);
            read_line(reader, state)?;
        }
        request.trailers = read_fields(reader, state)?;
    } else if let Some(length) = request.header("content-length") {
        let length = length.parse().ok()?;
        request.body = read_octets(reader, state, length)?;
    }
    Some(request)
}

fn read_fields(reader: &mut BufReader<TcpStream>, state: &Mutex<State>) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = read_line(reader, state)?;
        let Some((name, value)) = line.split_once(':') else { return Some(fields) };
        fields.push((name.to_ascii_lowercase(), value.trim_start_matches(' ').to_owned()));
    }
}

/// A line without its end, Latin-1.
fn read_line(reader: &mut BufReader<TcpStream>, state: &Mutex<State>) -> Option<String> {
    let mut line = Vec::new();
    let read = reader.read_until(b'\n', &mut line).ok()?;
    state.lock().unwrap().loose += read;
    let line = line.strip_suffix(b"\r\n")?;
    Some(line.iter().copied().map(char::from).collect())
}

fn read_octets(reader: &mut BufReader<TcpStream>, state: &Mutex<State>, size: usize) -> Option<String> {
    let mut octets = vec![0; size];
    reader.read_exact(&mut octets).ok()?;
    state.lock().unwrap().loose += size;
    Some(octets.into_iter().map(char::from).collect())
}

fn write_answer(writer: &mut TcpStream, answer: &Answer, is_head: bool) -> std::io::Result<()> {
    let mut out = format!("HTTP/1.1 {} Answer\r\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        out.extend(format!("{name}: {value}\r\n").chars().map(|c| c as u8));
    }
    let has_body = !matches!(answer.status, 204 | 304);
    if !answer.trailers.is_empty() {
        out.extend(b"transfer-encoding: chunked\r\n\r\n");
        // Two chunks, so that the body ends in a call of its own.
        for part in [&answer.body[..answer.body.len() / 2], &answer.body[answer.body.len() / 2..]] {
            if !part.is_empty() {
                out.extend(format!("{:x}\r\n", part.len()).into_bytes());
                out.extend(part);
                out.extend(b"\r\n");
            }
        }
        out.extend(b"0\r\n");
        for (name, value) in &answer.trailers {
            out.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        out.extend(b"\r\n");
    } else if has_body {
        out.extend(format!("content-length: {}\r\n\r\n", answer.body.len()).into_bytes());
        if !is_head {
            out.extend(&answer.body);
        }
    } else {
        out.extend(b"\r\n");
    }
    writer.write_all(&out)
}
