//! The proxy-wasm adapter of tpc-gate: copies bytes in, carries effects out.
//!
//! It has no opinions: an `if` about OAuth belongs to the policy core. `host` is
//! the only file that names host calls, `root` is one gate in one VM, `stream` one
//! request and its answer.

mod hold;
mod host;
mod root;
mod shared;
mod start;
mod stream;
mod telemetry;
