//! `tpc-gate test`.

use tpc_gate_policy::case::{Case, Runner};

use crate::cli::TestArguments;
use crate::load;
use crate::output::{Exit, complain, print};

/// Runs each case of each file; all differences are printed.
pub(crate) fn run(arguments: &TestArguments) -> Exit {
    test(arguments).unwrap_or_else(|exit| exit)
}

fn test(arguments: &TestArguments) -> Result<Exit, Exit> {
    let gate = load::gate(&arguments.documents)?;
    let (mut passed, mut failed, mut skipped) = (0_usize, 0_usize, 0_usize);
    for file in &arguments.cases {
        let octets = load::read(file)?;
        let cases: Vec<Case> = serde_json::from_slice(&octets).map_err(|error| {
            complain(format_args!("{}: {error}", file.display()));
            Exit::Fault
        })?;
        for case in &cases {
            if let Some(reason) = case.not.get(&Runner::Command) {
                print(format_args!("skipped {}: {reason}", case.name));
                skipped = skipped.saturating_add(1);
                continue;
            }
            let differences = case.run(&gate);
            if differences.is_empty() {
                passed = passed.saturating_add(1);
                continue;
            }
            failed = failed.saturating_add(1);
            print(format_args!("FAILED  {}", case.name));
            for difference in differences {
                print(format_args!("        {difference}"));
            }
        }
    }
    print(format_args!("{passed} passed, {failed} failed, {skipped} skipped"));
    if passed == 0 && failed == 0 {
        complain("no case ran");
        return Ok(Exit::Fault);
    }
    Ok(if failed == 0 { Exit::Fine } else { Exit::Fault })
}
