//! What is counted.

use crate::violation::Violation;

/// Something that is counted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Counter {
    /// A breach in the answer to a strict client.
    Answer(Violation),
    /// A request that was rebuilt and forwarded.
    Forwarded,
    /// A request for a host that the gate does not judge.
    HostNotJudged,
    /// A breach that would have been refused, had the gate not only observed.
    Observed(Violation),
    /// A refused request, by its first breach.
    Refused(Violation),
    /// A form on an unlisted path that is longer than what is read: it was released as it came.
    ReleasedUnread,
}

impl Counter {
    /// The name of the counter, of the gate `gate`.
    #[must_use]
    pub fn name(self, gate: &str) -> String {
        match self {
            Self::Answer(violation) => format!("tpc_gate.{gate}.answer.rule.{}", violation.id()),
            Self::Forwarded => format!("tpc_gate.{gate}.forwarded"),
            Self::HostNotJudged => format!("tpc_gate.{gate}.host_not_judged"),
            Self::Observed(violation) => format!("tpc_gate.{gate}.observed.rule.{}", violation.id()),
            Self::ReleasedUnread => format!("tpc_gate.{gate}.released_unread"),
            Self::Refused(violation) => format!("tpc_gate.{gate}.refused.rule.{}", violation.id()),
        }
    }
}
