//! JSON whose values know their place in the text.
//!
//! `serde_json` reads the grammar; a raw value is a slice of the text, so its
//! offset is known and becomes line and column only when a fault is reported.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::fault::{Fault, Findings, Level};
use crate::json::MembersVisitor;

/// A text that is being read, and what was found in it.
#[derive(Debug)]
pub(crate) struct Source<'t> {
    text: &'t str,
    faults: RefCell<Vec<Found>>,
    warnings: RefCell<Vec<Found>>,
    danger: RefCell<Vec<String>>,
    relaxed: RefCell<Vec<String>>,
}

/// Something found at an offset; line and column are told once, for all of them.
#[derive(Debug)]
struct Found {
    offset: usize,
    level: Level,
    pointer: String,
    message: String,
}

/// A value in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'t, 'p> {
    source: &'p Source<'t>,
    raw: &'t RawValue,
    pointer: Pointer<'p>,
}

/// A JSON Pointer, as a way back to the root.
#[derive(Clone, Copy, Debug)]
enum Pointer<'p> {
    Root,
    Member(&'p Pointer<'p>, &'p str),
    Item(&'p Pointer<'p>, usize),
}

/// Objects and arrays in each other; far more than any document has.
const DEPTH: usize = 32;

impl<'t> Source<'t> {
    /// Takes a text.
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            faults: RefCell::default(),
            warnings: RefCell::default(),
            danger: RefCell::default(),
            relaxed: RefCell::default(),
        }
    }

    /// The root, if the text is JSON.
    pub(crate) fn root(&self) -> Option<Node<'t, '_>> {
        if let Err(error) = serde_json::from_str::<IgnoredAny>(self.text) {
            let offset = self.offset_of(error.line(), error.column());
            let message = format!("not JSON: {}", syntax(&error));
            self.faults.borrow_mut().push(Found { offset, level: Level::Document, pointer: String::new(), message });
            return None;
        }
        let raw = serde_json::from_str(self.text).ok()?;
        Some(Node { source: self, raw, pointer: Pointer::Root })
    }

    /// What was found, in the order of the text.
    pub(crate) fn into_findings(self) -> Findings {
        Findings {
            faults: located(self.text, self.faults.into_inner()),
            warnings: located(self.text, self.warnings.into_inner()),
            danger: self.danger.into_inner(),
            relaxed: self.relaxed.into_inner(),
        }
    }

    /// The offset of a place that `serde_json` names; its columns are octets.
    fn offset_of(&self, line: usize, column: usize) -> usize {
        let before: usize = self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        before.saturating_add(column.saturating_sub(1)).min(self.text.len())
    }
}

/// Tells line and column of everything found, in one walk over the text: a document
/// may be one line of megabytes, with a fault in each entry.
fn located(text: &str, mut found: Vec<Found>) -> Vec<Fault> {
    found.sort_by_key(|found| found.offset);
    let (mut at, mut line, mut column) = (0_usize, 1_usize, 1_usize);
    let mut faults = Vec::with_capacity(found.len());
    for Found { offset, level, pointer, message } in found {
        for c in text.get(at..offset).unwrap_or_default().chars() {
            if c == '\n' {
                line = line.saturating_add(1);
                column = 1;
            } else {
                column = column.saturating_add(1);
            }
        }
        at = at.max(offset);
        faults.push(Fault { level, pointer, line, column, message });
    }
    faults
}

impl<'t, 'p> Node<'t, 'p> {
    /// A fault that refuses the whole document.
    pub(crate) fn document_fault(&self, message: impl Display) {
        let found = self.found(Level::Document, &message);
        self.source.faults.borrow_mut().push(found);
    }

    /// A fault that makes only this value dead.
    pub(crate) fn entry_fault(&self, message: impl Display) {
        let found = self.found(Level::Entry, &message);
        self.source.faults.borrow_mut().push(found);
    }

    /// Not wrong, but perhaps not meant.
    pub(crate) fn warn(&self, message: impl Display) {
        let found = self.found(Level::Entry, &message);
        self.source.warnings.borrow_mut().push(found);
    }

    /// A setting that lets pass what the default would refuse.
    pub(crate) fn note_danger(&self, setting: &str) {
        self.source.danger.borrow_mut().push(setting.to_owned());
    }

    /// A setting that is milder than the default.
    pub(crate) fn note_relaxed(&self, setting: &str) {
        self.source.relaxed.borrow_mut().push(setting.to_owned());
    }

    /// The members of an object, each name once; names that begin with `x_` are left out.
    pub(crate) fn members(&self) -> Option<Vec<(String, &'t RawValue)>> {
        let members = (self.raw.get().starts_with('{') && !self.is_too_deep()).then(|| {
            serde::Deserializer::deserialize_map(&mut serde_json::Deserializer::from_str(self.raw.get()), MembersVisitor)
        });
        let Some(Ok(members)) = members else {
            self.document_fault(if self.is_too_deep() { "nested too deeply" } else { "expected an object" });
            return None;
        };
        let mut kept: Vec<(String, &'t RawValue)> = Vec::with_capacity(members.len());
        let mut seen = BTreeSet::new();
        for (name, raw) in members {
            if name.starts_with("x_") {
                continue;
            }
            if seen.insert(name.clone()) {
                kept.push((name, raw));
            } else {
                self.member(&name, raw).document_fault("this member stands twice");
            }
        }
        Some(kept)
    }

    /// A member of this object, as [`members`](Self::members) gave it.
    pub(crate) fn member<'n>(&'n self, name: &'n str, raw: &'t RawValue) -> Node<'t, 'n>
    where
        'p: 'n,
    {
        Node { source: self.source, raw, pointer: Pointer::Member(&self.pointer, name) }
    }

    /// An item of this array, as [`items`](Self::items) gave it.
    pub(crate) fn item(&self, at: usize, raw: &'t RawValue) -> Node<'t, '_> {
        Node { source: self.source, raw, pointer: Pointer::Item(&self.pointer, at) }
    }

    /// The items of an array.
    pub(crate) fn items(&self) -> Vec<&'t RawValue> {
        let items = (self.raw.get().starts_with('[') && !self.is_too_deep()).then(|| serde_json::from_str(self.raw.get()));
        let Some(Ok(items)) = items else {
            self.document_fault(if self.is_too_deep() { "nested too deeply" } else { "expected a list" });
            return Vec::new();
        };
        items
    }

    /// A string.
    pub(crate) fn string(&self) -> Option<String> {
        self.scalar("expected a string")
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self) -> Option<bool> {
        self.scalar("expected true or false")
    }

    /// An integer from 0 to 2^53−1: what every JSON reader reads alike (RFC 8259 §6).
    pub(crate) fn integer(&self) -> Option<u64> {
        let message = "expected an integer from 0 to 9007199254740991";
        let integer: u64 = self.scalar(message)?;
        if integer >= 1 << 53 {
            self.document_fault(message);
            return None;
        }
        Some(integer)
    }

    /// One word of a list.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.string()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            self.entry_fault(format_args!("expected {}", one_of(words.iter().map(|(word, _)| *word))));
        }
        found
    }

    /// Looks for members that stand twice, wherever nobody else looks.
    pub(crate) fn check_inside(&self) {
        match self.raw.get().as_bytes().first() {
            Some(b'{') => {
                for (name, raw) in self.members().unwrap_or_default() {
                    self.member(&name, raw).check_inside();
                }
            }
            Some(b'[') => {
                for (at, raw) in self.items().into_iter().enumerate() {
                    self.item(at, raw).check_inside();
                }
            }
            _ => {}
        }
    }

    fn scalar<T: serde::de::DeserializeOwned>(&self, message: &str) -> Option<T> {
        let value = serde_json::from_str(self.raw.get()).ok();
        if value.is_none() {
            self.document_fault(message);
        }
        value
    }

    fn found(&self, level: Level, message: &dyn Display) -> Found {
        // A raw value is a slice of the text.
        let offset = self.raw.get().as_ptr().addr().saturating_sub(self.source.text.as_ptr().addr());
        Found { offset, level, pointer: self.pointer.to_string(), message: message.to_string() }
    }

    fn is_too_deep(&self) -> bool {
        self.pointer.depth() > DEPTH
    }
}

impl Pointer<'_> {
    fn depth(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Member(parent, _) | Self::Item(parent, _) => parent.depth().saturating_add(1),
        }
    }
}

impl Display for Pointer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, name) => write!(f, "{parent}/{}", name.replace('~', "~0").replace('/', "~1")),
            Self::Item(parent, at) => write!(f, "{parent}/{at}"),
        }
    }
}

/// "`a`, `b` or `c`".
pub(crate) fn one_of<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [head @ .., last] => format!("{} or {last}", head.join(", ")),
    }
}

/// What `serde_json` says, without the place that stands beside it.
fn syntax(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}
