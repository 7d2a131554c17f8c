//! What the streams of one gate share.

use tpc_gate_policy::gate::Gate;

use crate::hold::Holds;
use crate::telemetry::Counters;

/// What the streams of one gate share; each stream keeps what it began with, so
/// that a reload in between cannot mix two policies.
#[derive(Debug)]
pub(crate) struct Shared {
    /// `None` while the settings do not load: everything is refused.
    pub(crate) gate: Option<Gate>,
    /// Why the gate is not ready, as far as its configuration goes.
    pub(crate) unready: Option<&'static str>,
    pub(crate) holds: Holds,
    pub(crate) counters: Counters,
}

impl Shared {
    /// A gate of this name, or none where the settings do not load.
    pub(crate) fn new(gate: Option<Gate>, unready: Option<&'static str>, name: &str) -> Self {
        Self { gate, unready, holds: Holds::new(name), counters: Counters::new(name) }
    }
}
