//! `tpc-gate`: the policy core of the filter, on the command line.

mod cli;
mod command;
mod load;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let exit = match cli::Cli::parse().command {
        cli::Command::Check(arguments) => command::check::run(&arguments),
        cli::Command::Explain(arguments) => command::explain::run(&arguments),
        cli::Command::Init(arguments) => command::init::run(&arguments),
        cli::Command::Rules(arguments) => command::rules::run(&arguments),
        cli::Command::Test(arguments) => command::test::run(&arguments),
    };
    ExitCode::from(exit.code())
}
