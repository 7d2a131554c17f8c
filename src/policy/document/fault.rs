//! What is wrong with a document, and where.

use serde::Serialize;

/// Something that is wrong, or not what its writer may think.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Fault {
    /// How far it reaches.
    pub level: Level,
    /// The place as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// One sentence: what was expected.
    pub message: String,
}

/// How far a fault reaches.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The whole document is refused.
    Document,
    /// Only this value is dead: it is never a match and never a grant.
    Entry,
}

/// Everything there is to say about a document, in the order of its text.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Findings {
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// What may not be what its writer thinks.
    pub warnings: Vec<Fault>,
    /// Settings that let pass what the default would refuse.
    pub danger: Vec<String>,
    /// Settings that are milder than the default.
    pub relaxed: Vec<String>,
}

impl Findings {
    /// Whether the document is refused as a whole.
    #[must_use]
    pub fn refuse_the_document(&self) -> bool {
        self.faults.iter().any(|fault| fault.level == Level::Document)
    }
}
