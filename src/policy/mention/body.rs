//! Clients that a body names, in whatever grammar.

use super::meaning::Meaning;
use super::{JsonBody, LONGEST_NAME, Mentions};
use crate::head::Content;
use crate::json::{Json, Members};

impl Mentions {
    pub(super) fn read_body(&mut self, body: &[u8], content: Content) {
        self.is_no_form = content != Content::Form;
        self.read_pairs(body);
        self.is_no_form = false;
        // UTF-16 and UTF-32 have one beside each character of ASCII; JSON readers find out by themselves.
        self.has_nul = body.contains(&0);
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
        self.looks_like_json = matches!(text.first(), Some(b'{' | b'['));
        if content == Content::Json || self.looks_like_json {
            self.read_json(text);
        }
        match content {
            Content::Multipart => {
                self.read_multipart(body);
                self.read_anything(body);
            }
            Content::Absent | Content::Other => self.read_anything(body),
            Content::Form | Content::Json => {}
        }
    }

    fn read_json(&mut self, text: &[u8]) {
        // What no strict reader takes, such as half of a surrogate pair, others do.
        let strict = serde_json::from_slice::<Json>(text);
        let is_loose = strict.is_err();
        let Ok(json) = strict.or_else(|_| serde_json::from_slice(text).map(|Members(members)| Json::Object(members))) else {
            self.json = Some(JsonBody::Unreadable);
            self.read_anything(text);
            return;
        };
        let is_clear = matches!(json, Json::Object(_)) && !is_loose && !json.repeats_a_member();
        self.json = Some(if is_clear { JsonBody::Object } else { JsonBody::Unclear });
        json.for_each_member(&mut |name, value| {
            if self.are_too_many() {
                return;
            }
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
        self.has_coded_part = has(b"content-transfer-encoding") || has(b"name*") || has(b"name =") || has_odd_part(body);
        let mut rest = body;
        while let Some(at) = rest.windows(5).position(|part| part.eq_ignore_ascii_case(b"name=")) {
            rest = rest.get(at.saturating_add(5)..).unwrap_or_default();
            if self.are_too_many() {
                return;
            }
            // Folded lines, either quote, blanks and backslashes within: each is some server's habit.
            let quoted = rest.trim_ascii_start();
            let quoted = quoted.strip_prefix(b"\"").or_else(|| quoted.strip_prefix(b"'")).unwrap_or(quoted).trim_ascii_start();
            // Without an end in sight it is no name; the body is not copied for each of them.
            let quoted = quoted.get(..2 * LONGEST_NAME).unwrap_or(quoted);
            let name = quoted.split(|byte| matches!(byte, b'"' | b'\'' | b';' | b'\r' | b'\n')).next().unwrap_or_default();
            let name: Vec<u8> = name.iter().copied().filter(|byte| *byte != b'\\').collect();
            let Some(name) = self.folded(&name) else { continue };
            self.note(name.as_bytes());
            let Some(meaning) = Meaning::of(name.as_bytes()) else { continue };
            let blank = rest.windows(2).position(|pair| pair == b"\n\n" || pair == b"\n\r").unwrap_or(rest.len());
            self.gave_up |= !self.spend(blank / 16);
            let value = rest.get(blank.saturating_add(2)..).unwrap_or_default();
            let value = value.strip_prefix(b"\n").unwrap_or(value);
            let line = value.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
            self.has_coded_part |= line.contains(&0);
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

/// Whether a part says that it is written in a charset unlike ASCII.
fn has_odd_part(body: &[u8]) -> bool {
    const NAME: &[u8] = b"charset=";
    let is_odd = |at: usize| {
        let value = body.get(at.saturating_add(NAME.len())..).unwrap_or_default();
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        let plain: [&[u8]; 4] = [b"utf-8", b"us-ascii", b"iso-8859-", b"windows-125"];
        !plain.iter().any(|charset| value.get(..charset.len()).is_some_and(|known| known.eq_ignore_ascii_case(charset)))
    };
    body.windows(NAME.len()).enumerate().any(|(at, part)| part.eq_ignore_ascii_case(NAME) && is_odd(at))
}
