//! Counters, by what they count.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use tpc_gate_policy::counter::Counter;

use crate::host;

/// The counters of one gate in one VM; Envoy adds up those of all VMs.
#[derive(Debug)]
pub(crate) struct Counters {
    gate: String,
    ids: RefCell<HashMap<Counter, Option<u32>>>,
    /// Paths that name strict clients, as far as they are told apart.
    unclaimed: RefCell<BTreeMap<String, Option<u32>>>,
}

/// A stranger makes up paths: more than these are counted as one.
const MOST_PATHS: usize = 64;

impl Counters {
    pub(crate) fn new(gate: &str) -> Self {
        let gate = gate.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte) } else { '_' }).collect();
        Self { gate, ids: RefCell::default(), unclaimed: RefCell::default() }
    }

    pub(crate) fn count(&self, counter: Counter) {
        if let Ok(mut ids) = self.ids.try_borrow_mut() {
            host::count(ids.entry(counter).or_default(), || counter.name(&self.gate));
        }
    }

    /// Counts a path that is no listed endpoint and names a strict client; logs it once.
    pub(crate) fn unclaimed(&self, path: &str) {
        let Ok(mut paths) = self.unclaimed.try_borrow_mut() else { return };
        let is_known = paths.contains_key(path);
        let path = if is_known || paths.len() < MOST_PATHS { path } else { "" };
        if !is_known && !path.is_empty() {
            log::info!(
                "gate `{}`: `{path}` names a strict client and is no listed endpoint; if it is one, list it under `endpoints`",
                self.gate
            );
        }
        let label = if path.is_empty() { "other".to_owned() } else { path.trim_start_matches('/').replace('/', "_") };
        host::count(paths.entry(path.to_owned()).or_default(), || format!("tpc_gate.{}.unclaimed.path.{label}", self.gate));
    }
}
