//! Streams that are held until their body is there, and the proof that the host
//! can hold them at all (design, decision 17).
//!
//! Without `allow_on_headers_stop_iteration` the host takes "pause" for "stop
//! everything": the body never comes. A client that never sends its body looks
//! the same. Both are answered 503 from the tick; only a body callback proves. A
//! stream that had one is held for certain: how slow its client may be is the
//! proxy's to say (`stream_idle_timeout`, `request_timeout`).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::host;

/// How long a held stream may go without any body callback.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a VM repeats what it has proved: others clear the mark when they
/// configure themselves for the same load, shortly after.
const REPEAT: Duration = Duration::from_secs(10);

/// The held streams of one gate in one VM.
#[derive(Debug)]
pub(crate) struct Holds {
    waiting: RefCell<BTreeMap<u32, Wait>>,
    proved: Cell<bool>,
    proof_key: String,
    configured_at: Cell<SystemTime>,
}

/// A held stream.
#[derive(Clone, Copy, Debug)]
struct Wait {
    /// Since when, as long as nothing of its body has come.
    since: Option<SystemTime>,
    if_overdue: Overdue,
}

/// What becomes of a stream whose body does not come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Overdue {
    Refuse,
    /// The gate only observes.
    Release,
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
    pub(crate) fn hold(&self, stream_id: u32, if_overdue: Overdue) {
        if let Ok(mut waiting) = self.waiting.try_borrow_mut() {
            waiting.insert(stream_id, Wait { since: Some(host::now()), if_overdue });
        }
    }

    /// A body callback came: the host holds. False where the stream was given up meanwhile.
    pub(crate) fn body_came(&self, stream_id: u32) -> bool {
        if !self.proved.replace(true) {
            host::mark(&self.proof_key, true);
        }
        match self.waiting.try_borrow_mut() {
            Ok(mut waiting) => waiting.get_mut(&stream_id).map(|wait| wait.since = None).is_some(),
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
    pub(crate) fn overdue(&self) -> Vec<(u32, Overdue)> {
        let now = host::now();
        let age = |then: SystemTime| now.duration_since(then).unwrap_or_default();
        if self.proved.get() && age(self.configured_at.get()) < REPEAT {
            host::mark(&self.proof_key, true);
        }
        let Ok(mut waiting) = self.waiting.try_borrow_mut() else { return Vec::new() };
        let is_overdue = |wait: &Wait| wait.since.is_some_and(|since| age(since) >= PATIENCE);
        let overdue: Vec<_> =
            waiting.iter().filter(|(_, wait)| is_overdue(wait)).map(|(id, wait)| (*id, wait.if_overdue)).collect();
        for (id, _) in &overdue {
            waiting.remove(id);
        }
        overdue
    }
}
