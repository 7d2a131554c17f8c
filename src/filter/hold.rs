//! Streams that are held until their body is there, and the proof that the host
//! can hold them at all (design, decision 17).
//!
//! Without `allow_on_headers_stop_iteration` the host takes "pause" for "stop
//! everything": the body never comes. A client that never sends its body looks
//! the same. Both are answered 503 from the tick; only a body callback proves.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::host;

/// How long a held stream may go without a body callback.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a VM repeats what it has proved: others clear the mark when they
/// configure themselves for the same load, shortly after.
const REPEAT: Duration = Duration::from_secs(10);

/// The held streams of one gate in one VM.
#[derive(Debug)]
pub(crate) struct Holds {
    waiting: RefCell<BTreeMap<u32, SystemTime>>,
    proved: Cell<bool>,
    proof_key: String,
    configured_at: Cell<SystemTime>,
}

impl Holds {
    pub(crate) fn new(gate: &str) -> Self {
        Self {
            waiting: RefCell::default(),
            proved: Cell::new(false),
            proof_key: format!("holds/{gate}"),
            configured_at: Cell::new(SystemTime::UNIX_EPOCH),
        }
    }

    /// Forgets the proof: a configuration was loaded, the host may be another.
    pub(crate) fn begin(&self) {
        self.proved.set(false);
        self.configured_at.set(host::now());
        host::mark(&self.proof_key, false);
    }

    /// A stream waits for its body from now on.
    pub(crate) fn hold(&self, stream_id: u32) {
        if let Ok(mut waiting) = self.waiting.try_borrow_mut() {
            waiting.insert(stream_id, host::now());
        }
    }

    /// A body callback came: the host holds. False where the stream was given up meanwhile.
    pub(crate) fn body_came(&self, stream_id: u32) -> bool {
        if !self.proved.replace(true) {
            host::mark(&self.proof_key, true);
        }
        match self.waiting.try_borrow_mut() {
            Ok(mut waiting) => waiting.get_mut(&stream_id).map(|since| *since = host::now()).is_some(),
            Err(_) => false,
        }
    }

    /// A stream waits no longer.
    pub(crate) fn release(&self, stream_id: u32) {
        if let Ok(mut waiting) = self.waiting.try_borrow_mut() {
            waiting.remove(&stream_id);
        }
    }

    /// Whether a body callback has come, to any VM, since this configuration was loaded.
    pub(crate) fn is_proved(&self) -> bool {
        self.proved.get() || host::is_marked(&self.proof_key)
    }

    /// Takes out the streams that have waited too long.
    pub(crate) fn overdue(&self) -> Vec<u32> {
        let now = host::now();
        let since = |then: SystemTime| now.duration_since(then).unwrap_or_default();
        if self.proved.get() && since(self.configured_at.get()) < REPEAT {
            host::mark(&self.proof_key, true);
        }
        let Ok(mut waiting) = self.waiting.try_borrow_mut() else { return Vec::new() };
        let overdue: Vec<u32> = waiting.iter().filter(|(_, then)| since(**then) >= PATIENCE).map(|(id, _)| *id).collect();
        for id in &overdue {
            waiting.remove(id);
        }
        overdue
    }
}
