//! The gate: its settings and its policy. What it does with a request is in `inspection`.

use crate::access::Access;
use crate::client::Clients;
use crate::connection::Connections;
use crate::settings::{Enforcement, Settings};

/// What the gate enforces.
#[derive(Debug, Default)]
pub struct Policy {
    /// The revision of the document; `None` before there is a valid one.
    pub revision: Option<u64>,
    /// The clients that it lists.
    pub clients: Clients,
    /// The APIs, and who may reach them.
    pub access: Access,
    /// The connections that it lists.
    pub connections: Connections,
    /// `tenant.rules_active`: strict clients cannot sign in, as at the vendor.
    pub rules_are_active: bool,
}

/// Settings and policy of one gate.
#[derive(Debug)]
pub struct Gate {
    /// Where the gate stands.
    pub settings: Settings,
    /// What it enforces.
    pub policy: Policy,
}

impl Gate {
    /// Whether it says what it would refuse, and lets it pass.
    #[must_use]
    pub fn observes(&self) -> bool {
        self.settings.enforcement == Enforcement::Observe
    }
}
