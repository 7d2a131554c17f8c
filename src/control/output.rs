//! What the user sees, and the exit code.

use std::fmt::Display;
use std::io::Write;

/// How a command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// Fine, or as expected.
    Fine,
    /// A fault was found, or something was not as expected.
    Fault,
    /// A file cannot be read, or the usage is wrong.
    Unreadable,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Fault => 1,
            Self::Unreadable => 2,
        }
    }
}

/// A line on standard output. A reader that went away (`| head`) is no fault.
pub(crate) fn print(line: impl Display) {
    let _gone = writeln!(std::io::stdout(), "{line}");
}

/// A line on standard error.
pub(crate) fn complain(line: impl Display) {
    let _gone = writeln!(std::io::stderr(), "{line}");
}

/// JSON on standard output.
pub(crate) fn print_json(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(text),
        Err(error) => complain(error),
    }
}
