//! `tpc-gate rules`.

use tpc_gate_policy::rule::{self, RULES};

use crate::cli::RulesArguments;
use crate::output::{Exit, print};

/// Prints the rules, as README and documentation have them.
pub(crate) fn run(arguments: &RulesArguments) -> Exit {
    let text = if arguments.page { rule::page(RULES) } else { rule::table(RULES) };
    print(text.trim_end());
    Exit::Fine
}
