//! The lists of paths in the settings.

use std::fmt;

use serde::Serialize;

/// A list in `endpoints`, in the order of the file.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum List {
    Authorization,
    Token,
    Registration,
    Refused,
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorization => "authorization",
            Self::Token => "token",
            Self::Registration => "registration",
            Self::Refused => "refused",
        })
    }
}
