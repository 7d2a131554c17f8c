//! An upstream that answers what a test tells it.

use std::sync::{Arc, Mutex};

use crate::upstream::{Answer, Recorded, Upstream};

/// A recording upstream with one answer at a time.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) port: u16,
    upstream: Upstream,
    answer: Arc<Mutex<Answer>>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let answer = Arc::new(Mutex::new(Answer::default()));
        let shared = Arc::clone(&answer);
        let upstream = Upstream::start(move |_| shared.lock().unwrap().clone());
        Self { port: upstream.port, upstream, answer }
    }

    /// Sets what is answered from now on.
    pub(crate) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// Takes the requests that have arrived since the last time.
    pub(crate) fn take(&self) -> Vec<Recorded> {
        self.upstream.take()
    }
}
