//! What the user typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tpc_gate_policy::explanation::Outcome;

use crate::command::init::issuer::Issuer;

/// Drafts, checks, explains and tests the documents of tpc-gate; only `init` uses the network.
///
/// Exit codes: 0 fine or as expected; 1 a fault found or not as expected; 2
/// unreadable file or wrong usage.
#[derive(Debug, Parser)]
#[command(name = "tpc-gate", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read the documents and say everything that is wrong with them at once.
    Check(CheckArguments),
    /// Say what the gate would make of one raw HTTP/1.1 request, and why.
    Explain(ExplainArguments),
    /// Read the metadata of an identity provider, and write first settings and a first policy.
    ///
    /// It asks at the well-known addresses of the issuer (RFC 8414, `OpenID`
    /// Connect Discovery), writes `settings.json` and `policy.json`, which `check`
    /// accepts, and says what metadata cannot tell. Nothing is granted: the policy
    /// lists no client, and the settings replace no default but the endpoints.
    /// It follows redirects at the same host only, and sends nothing but GETs.
    ///
    /// Exit codes: 0 written; 1 nothing written, since there is no metadata of
    /// this very issuer, or a file is there already; 2 a file cannot be read or
    /// written, or wrong usage.
    Init(InitArguments),
    /// Print the rule table in Markdown.
    Rules(RulesArguments),
    /// Run policy tests: files of cases, each a request and what must become of it.
    Test(TestArguments),
}

#[derive(Args, Debug)]
pub(crate) struct Documents {
    /// The policy document; it replaces the one in the settings.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// The gate settings; without them every default of `idp: generic`.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) documents: Documents,
    /// The policy document in force: also say what only a comparison shows.
    #[arg(long, value_name = "OLD")]
    pub(crate) against: Option<PathBuf>,
    /// How to print.
    #[arg(short = 'o', long, alias = "output", value_enum, default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    pub(crate) documents: Documents,
    /// How to print.
    #[arg(short = 'o', long, alias = "output", value_enum, default_value = "text")]
    pub(crate) format: Format,
    /// Exit with 1 unless this is the outcome: `pass`, `forward`, `refuse` or `refuse:RULE`.
    #[arg(long, value_name = "OUTCOME", value_parser = parse_expected)]
    pub(crate) expect: Option<Expected>,
    /// Leave codes, verifiers, tokens and secrets readable.
    #[arg(long)]
    pub(crate) show_secrets: bool,
    /// The request; without it, standard input.
    pub(crate) request: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct InitArguments {
    /// The issuer, exactly as the identity provider spells it: the `iss` of its tokens. https, or http on loopback.
    #[arg(long, value_name = "URL", value_parser = Issuer::parse)]
    pub(crate) issuer: Issuer,
    /// The folder of the two files; it is made where it is missing.
    #[arg(short = 'o', long, visible_alias = "output", value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Certificates (PEM) to trust instead of the public ones: of a private CA.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Replace both files where they are there already.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RulesArguments {
    /// Print the whole page, with a section for each rule.
    #[arg(long)]
    pub(crate) page: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TestArguments {
    #[command(flatten)]
    pub(crate) documents: Documents,
    /// Files of cases.
    #[arg(required = true, value_name = "CASES")]
    pub(crate) cases: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// An outcome that `explain` is to find.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) outcome: Outcome,
    pub(crate) violation: Option<String>,
}

fn parse_expected(text: &str) -> Result<Expected, String> {
    let (outcome, violation) = match text.split_once(':') {
        Some((outcome, violation)) => (outcome, Some(violation.to_owned())),
        None => (text, None),
    };
    let outcome = match (outcome, &violation) {
        ("pass", None) => Outcome::Pass,
        ("forward", None) => Outcome::Forward,
        ("refuse", None) => Outcome::Refuse,
        ("refuse", Some(id)) if tpc_gate_policy::rule::RULES.iter().any(|rule| rule.violation.id() == id) => Outcome::Refuse,
        ("refuse", Some(id)) => return Err(format!("there is no rule `{id}`; `tpc-gate rules` lists them")),
        _ => return Err("expected `pass`, `forward`, `refuse` or `refuse:RULE`".to_owned()),
    };
    Ok(Expected { outcome, violation })
}
