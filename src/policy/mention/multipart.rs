//! Clients that a part of `multipart/form-data` names, however servers take it apart.

use super::meaning::Meaning;
use super::{LONGEST_NAME, Mentions};

impl Mentions {
    /// A part of `multipart/form-data`, by its head and all that follows where that begins: behind
    /// a `name="client_id"` and a blank line, the next line.
    pub(super) fn read_part(&mut self, head: &[u8], rest: &[u8]) {
        let is_odd = |charset: Option<&[u8]>| !charset.is_some_and(is_plain_charset);
        let is_coded = |coding: Option<&[u8]>| !coding.is_some_and(|coding| begins(coding, &[b"7bit", b"8bit", b"binary"]));
        self.has_coded_part |= has(head, b"=?")
            || assigned(head, rest, b"charset").any(is_odd)
            || assigned(head, rest, b"content-transfer-encoding").any(is_coded);
        // Where each kind of blank line comes next: of those within a head the server has one.
        let mut blanks: [(&[u8], Option<usize>); 4] =
            [(b"\n\n", Some(0)), (b"\n\r", Some(0)), (b"\r\r", Some(0)), (b"\r\n\r\n", Some(0))];
        for value in assigned(head, rest, b"name") {
            self.gave_up |= !self.spend(EFFORT_OF_A_PART);
            if self.are_too_many() {
                return;
            }
            let Some(value) = value else {
                self.has_coded_part = true;
                continue;
            };
            // Folded lines, either quote, blanks and backslashes within: each is some server's habit.
            let sign = behind(value, u8::is_ascii_graphic);
            let quoted = sign.strip_prefix(b"\"").or_else(|| sign.strip_prefix(b"'"));
            let name = behind(quoted.unwrap_or(value), |byte| *byte > b' ' && !matches!(byte, b'[' | b']'));
            // Without an end in sight it is no name; the body is not copied for each of them.
            let near = name.get(..2 * LONGEST_NAME).unwrap_or(name);
            let is_end = |byte: &u8| {
                matches!(byte, b'"' | b'\'' | b';' | b'\r' | b'\n') || (quoted.is_none() && byte.is_ascii_whitespace())
            };
            let Some(end) = near.iter().position(is_end) else { continue };
            let text: Vec<u8> = near.iter().take(end).copied().filter(|byte| *byte != b'\\').collect();
            let Some(folded) = self.folded(&text) else { continue };
            self.note(folded.as_bytes());
            let meaning = Meaning::of(folded.as_bytes());
            // Jetty reads every part in the charset that this one names.
            let names_charset = folded == "_charset_";
            if meaning.is_none() && !names_charset {
                continue;
            }
            let here = rest.len().saturating_sub(name.len());
            let mut values: Vec<usize> = Vec::new();
            for (blank, next) in &mut blanks {
                if next.is_some_and(|at| at < here) {
                    let after = head.get(here..).unwrap_or_default();
                    *next = after.windows(blank.len()).position(|part| part == *blank).map(|at| here.saturating_add(at));
                }
                values.extend(next.map(|at| at.saturating_add(blank.len())));
            }
            if !meaning.is_some_and(Meaning::is_about_the_client) {
                values = values.into_iter().min().into_iter().collect();
            }
            // Without a value it counts, too.
            values.resize(values.len().max(1), rest.len());
            for at in values {
                let value = rest.get(at..).unwrap_or_default();
                let text = value.trim_ascii_start();
                self.gave_up |= !self.spend(value.len().saturating_sub(text.len()));
                let Some(meaning) = meaning else {
                    self.has_coded_part |= !is_plain_charset(text);
                    continue;
                };
                let line = text.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
                self.has_coded_part |= line.contains(&0);
                self.read_meaning(meaning, if line.starts_with(b"--") { b"" } else { line });
            }
        }
    }
}

/// The heads of parts, each with all that follows its beginning: from a boundary to the next blank line.
/// Without a clear boundary all of it may be one.
pub(super) fn heads<'b>(body: &'b [u8], boundary: Option<&[u8]>) -> Vec<(&'b [u8], &'b [u8])> {
    let Some(boundary) = boundary else { return vec![(body, body)] };
    // What stands before the first boundary may be one to a server that reads no boundary out of the header.
    let (mut heads, mut head, mut is_new) = (Vec::new(), Some(body), true);
    let (mut rest, mut is_whole_line) = (body, false);
    while !rest.is_empty() {
        let end = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |at| at.saturating_add(1));
        let (line, tail) = rest.split_at_checked(end).unwrap_or_default();
        if line.windows(boundary.len()).any(|part| part == boundary) {
            head = head.or(Some(rest));
            is_new = true;
        } else if line == b"\r\n" && is_whole_line && !is_new {
            // Some servers look for the head behind blank lines, too, and some for this end only.
            heads.extend(head.take().map(|head| (head.get(..head.len().saturating_sub(tail.len())).unwrap_or(head), head)));
        } else {
            is_new &= line.trim_ascii().is_empty();
        }
        is_whole_line = line.ends_with(b"\r\n");
        rest = tail;
    }
    heads.extend(head.map(|head| (head, head)));
    // A part that has parts has a boundary of its own.
    if heads.iter().any(|(head, _)| has(head, b"multipart")) { vec![(body, body)] } else { heads }
}

fn has(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// What is assigned wherever the name of a parameter or a header stands in a head, whatever blanks are around;
/// `None` where it is spelled in pieces or in a charset (RFC 2231).
fn assigned<'b>(head: &[u8], rest: &'b [u8], name: &'static [u8]) -> impl Iterator<Item = Option<&'b [u8]>> {
    let places = rest.get(..head.len()).unwrap_or(rest).windows(name.len()).enumerate();
    places.filter(|(_, part)| part.eq_ignore_ascii_case(name)).filter_map(move |(at, _)| {
        let after = rest.get(at.saturating_add(name.len())..).unwrap_or_default();
        match behind(after, u8::is_ascii_graphic).split_first()? {
            (b'=' | b':', value) => Some(Some(value)),
            // Some clients write `filename*` (RFC 6266 §4.3); no server takes that for a name.
            (b'*', _) if rest.get(at.saturating_sub(4)..at).is_some_and(|before| before.eq_ignore_ascii_case(b"file")) => None,
            (b'*', _) => Some(None),
            _ => None,
        }
    })
}

/// What follows those octets at the beginning that do not count.
fn behind(text: &[u8], counts: impl Fn(&u8) -> bool) -> &[u8] {
    text.iter().position(counts).and_then(|at| text.get(at..)).unwrap_or_default()
}

/// Whether a charset has ASCII where ASCII is.
pub(super) fn is_plain_charset(value: &[u8]) -> bool {
    begins(value, &[b"utf-8", b"us-ascii", b"iso-8859-", b"windows-125"])
}

/// Whether a value, with or without a quote before it, begins with one of some words.
fn begins(value: &[u8], words: &[&[u8]]) -> bool {
    let value = behind(value, u8::is_ascii_graphic);
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    words.iter().any(|word| value.get(..word.len()).is_some_and(|known| known.eq_ignore_ascii_case(word)))
}

/// What the head of a part costs for each name in it; an honest body has few.
const EFFORT_OF_A_PART: usize = 32;
