//! Clients that a body names, in whatever grammar.

use super::meaning::Meaning;
use super::multipart::heads;
use super::{JsonBody, Mentions};
use crate::head::{Content, Head};
use crate::json::{Json, Members};

impl Mentions {
    pub(super) fn read_body(&mut self, head: &Head, body: &[u8]) {
        let content = head.content();
        self.is_no_form = content != Content::Form;
        self.read_pairs(body);
        self.is_no_form = false;
        // UTF-16 and UTF-32 have one beside each character of ASCII; JSON readers find out by themselves.
        self.has_nul = body.contains(&0);
        // Ruby's reader and Newtonsoft's take comments before it, and the latter any blank.
        let begin = body.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default();
        let text = begin.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
        let text = body.get(begin.len().saturating_sub(text.len())..).unwrap_or_default();
        self.looks_like_json = matches!(text, [b'{' | b'[', ..] | [b'/', b'*' | b'/', ..]);
        if content == Content::Json || self.looks_like_json {
            self.read_json(text);
        }
        match content {
            Content::Multipart => {
                for (part, rest) in heads(body, head.boundary()) {
                    self.read_part(part, rest);
                }
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
        let mut hides = false;
        json.for_each_member(&mut |name, value| {
            if self.are_too_many() {
                return;
            }
            let Some(name) = self.folded(name.as_bytes()) else { return };
            self.note(name.as_bytes());
            if let Some(meaning) = Meaning::of(name.as_bytes()) {
                hides |= is_loose && meaning.is_about_the_client() && matches!(value, Json::Other);
                value.for_each_scalar(&mut |text| self.read_meaning(meaning, text.as_bytes()));
            }
        });
        if hides {
            self.json = Some(JsonBody::Unreadable);
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
