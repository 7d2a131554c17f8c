//! The pure core of tpc-gate: bytes in, decision out.
//!
//! There is no host, clock, randomness, file, network or log in here, so every
//! runner judges alike: the filter in Envoy, the command line, the tests.
//!
//! # The story of a request
//!
//! 1. The adapter copies the header list into a [`Head`](head::Head) and asks
//!    [`Gate::inspect`](gate::Gate::inspect). Most requests end here: they go to
//!    no endpoint, and pass.
//! 2. A request to an endpoint waits for its whole body, then
//!    [`Pending::complete`](inspection::Pending::complete) judges it in two stages.
//! 3. *Identified*: which endpoint (`endpoint`, `path`), which client by every
//!    reading (`mention`, `fold`, `client`), can it be read at all
//!    (`parameters`, `authentication`). Failures are answered directly.
//! 4. *Judged*, if the client is strict: `authorization`, `token`, `pkce`,
//!    `redirect`. Only now a redirect URI can be verified.
//! 5. The [`Judgement`](decision::Judgement) becomes
//!    [`Effects`](effect::Effects): go on untouched, go on rebuilt in one
//!    spelling, or an answer of ours (`reply`).
//! 6. What the request left behind, the [`Exchange`](exchange::Exchange), judges
//!    the answer (`answer`) on its way back.
//!
//! All rules stand in one table, [`RULES`](rule::RULES).

pub mod access;
mod answer;
pub mod ask;
pub mod authentication;
pub mod authorization;
pub mod case;
pub mod client;
pub mod connection;
pub mod counter;
pub mod decision;
pub mod delivery;
pub mod document;
mod door;
pub mod effect;
pub mod endpoint;
pub mod exchange;
pub mod explanation;
mod fold;
pub mod gate;
mod grammar;
mod guidance;
pub mod head;
mod identification;
pub mod inspection;
mod json;
mod mention;
mod others;
pub mod parameters;
mod path;
mod percent;
pub mod pkce;
mod reading;
pub mod redirect;
pub mod reply;
pub mod rule;
pub mod settings;
pub mod token;
pub mod violation;

pub use reading::Body;
