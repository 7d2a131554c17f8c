//! Counters, by what they count.

use std::cell::RefCell;
use std::collections::HashMap;

use tpc_gate_policy::counter::Counter;

use crate::host;

/// The counters of one gate in one VM; Envoy adds up those of all VMs.
#[derive(Debug)]
pub(crate) struct Counters {
    gate: String,
    ids: RefCell<HashMap<Counter, Option<u32>>>,
}

impl Counters {
    pub(crate) fn new(gate: &str) -> Self {
        let gate = gate.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte) } else { '_' }).collect();
        Self { gate, ids: RefCell::default() }
    }

    pub(crate) fn count(&self, counter: Counter) {
        if let Ok(mut ids) = self.ids.try_borrow_mut() {
            host::count(ids.entry(counter).or_default(), || counter.name(&self.gate));
        }
    }
}
