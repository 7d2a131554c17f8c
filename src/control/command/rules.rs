//! `tpc-gate rules`.

use tpc_gate_policy::rule::RULES;

use crate::output::{Exit, print};

/// Prints the rule table, as README and documentation have it.
pub(crate) fn run() -> Exit {
    print(tpc_gate_policy::rule::table(RULES).trim_end());
    Exit::Fine
}
