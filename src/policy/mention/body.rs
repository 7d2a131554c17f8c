//! Clients that a body names, in whatever grammar.

use super::meaning::Meaning;
use super::{JsonBody, LONGEST_NAME, Mentions};
use crate::head::Content;
use crate::json::Json;

impl Mentions {
    pub(super) fn read_body(&mut self, body: &[u8], content: Content) {
        self.read_pairs(body);
        // UTF-16 and UTF-32 have one beside each character of ASCII; JSON readers find out by themselves.
        self.has_nul = body.contains(&0);
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
        self.looks_like_json = matches!(text.first(), Some(b'{' | b'['));
        if content == Content::Json || self.looks_like_json {
            self.read_json(text);
        }
        match content {
            Content::Multipart => self.read_multipart(body),
            Content::Absent | Content::Other => self.read_anything(body),
            Content::Form | Content::Json => {}
        }
    }

    fn read_json(&mut self, text: &[u8]) {
        let Ok(json) = serde_json::from_slice::<Json>(text) else {
            self.json = Some(JsonBody::Unclear);
            self.read_anything(text);
            return;
        };
        let is_clear = matches!(json, Json::Object(_)) && !json.repeats_a_member();
        self.json = Some(if is_clear { JsonBody::Object } else { JsonBody::Unclear });
        json.for_each_member(&mut |name, value| {
            let Some(name) = self.folded(name.as_bytes()) else { return };
            self.note(name.as_bytes());
            if let Some(meaning) = Meaning::of(name.as_bytes()) {
                value.for_each_scalar(&mut |text| self.read_meaning(meaning, text.as_bytes()));
            }
        });
    }

    /// `multipart/form-data` without trusting its boundary: what follows the blank
    /// line behind a `name="client_id"`, up to the end of that line.
    fn read_multipart(&mut self, body: &[u8]) {
        let has = |word: &[u8]| body.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
        self.has_coded_part = has(b"content-transfer-encoding") || has(b"name*") || has(b"name =");
        let mut rest = body;
        while let Some(at) = rest.windows(5).position(|part| part.eq_ignore_ascii_case(b"name=")) {
            rest = rest.get(at.saturating_add(5)..).unwrap_or_default();
            self.readings = self.readings.saturating_add(1);
            if self.are_too_many() {
                return;
            }
            let quoted = rest.strip_prefix(b"\"").unwrap_or(rest);
            // Without an end in sight it is no name; the body is not copied for each of them.
            let quoted = quoted.get(..LONGEST_NAME).unwrap_or(quoted);
            let name = quoted.split(|byte| matches!(byte, b'"' | b';' | b'\r' | b'\n')).next().unwrap_or_default();
            let Some(name) = self.folded(name) else { continue };
            self.note(name.as_bytes());
            let Some(meaning) = Meaning::of(name.as_bytes()) else { continue };
            let blank = rest.windows(2).position(|pair| pair == b"\n\n" || pair == b"\n\r").unwrap_or(rest.len());
            let value = rest.get(blank.saturating_add(2)..).unwrap_or_default();
            let value = value.strip_prefix(b"\n").unwrap_or(value);
            let line = value.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
            self.read_meaning(meaning, line);
        }
    }

    /// Anything in a text of unknown grammar that begins like a strict id.
    fn read_anything(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while let Some(at) = rest.windows(4).position(|part| part.eq_ignore_ascii_case(b"tpc_")) {
            rest = rest.get(at..).unwrap_or_default();
            let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'));
            let (id, tail) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or_default();
            self.read_meaning(Meaning::ClientId, id);
            rest = tail;
        }
    }
}
