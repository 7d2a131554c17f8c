//! The pure core of tpc-gate: bytes in, decision out.

pub mod case;
pub mod explanation;
