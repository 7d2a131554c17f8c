//! One gate in one VM: its configuration, its clock, its streams.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use tpc_gate_policy::counter::Counter;
use tpc_gate_policy::document::{self, Findings, Level, Loaded};
use tpc_gate_policy::reply;
use tpc_gate_policy::violation::Violation;

use crate::hold::Overdue;
use crate::host;
use crate::shared::Shared;
use crate::stream::Stream;

/// The root context.
pub(crate) struct Root {
    context_id: u32,
    shared: Rc<Shared>,
}

impl Root {
    pub(crate) fn new(context_id: u32) -> Self {
        Self { context_id, shared: Rc::new(Shared::new(None, Some(UNCONFIGURED), "")) }
    }
}

thread_local! {
    /// The valid configuration of each gate in this VM, by `root_id`.
    static IN_FORCE: RefCell<BTreeMap<String, Rc<Shared>>> = const { RefCell::new(BTreeMap::new()) };
}

const UNCONFIGURED: &str = "the configuration is not valid; see the log";

impl Context for Root {
    fn on_done(&mut self) -> bool {
        true
    }
}

impl RootContext for Root {
    /// Takes a configuration, in every VM and first in one that is thrown away.
    ///
    /// A broken update is refused, so that Envoy keeps the old one. A broken start
    /// is accepted and stays closed: refusing it would end Envoy, or make it answer
    /// 500 to everybody. Nothing in VM memory tells the two apart; the process-wide
    /// data does (design, decision 12).
    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        let name = host::root_id();
        let accepted = format!("accepted/{name}");
        let loaded = document::load(&host::configuration());
        report(&name, &loaded.findings);
        let is_valid = loaded.is_valid();
        host::tick_every(Duration::from_secs(1));
        if !is_valid && host::is_marked(&accepted) {
            log::error!("gate `{name}`: this configuration is refused; the one before it stays in force");
            // Envoy tries a configuration in a fresh VM only once: a text that was broken at start
            // comes straight into the VMs that serve when it comes again.
            let in_force = IN_FORCE.with_borrow(|gates| gates.get(&name).cloned());
            return in_force.is_some_and(|shared| {
                self.shared = shared;
                true
            });
        }
        if is_valid {
            host::mark(&accepted, true);
        } else {
            log::error!("gate `{name}`: closed until a valid configuration comes");
        }
        let Loaded { gate, .. } = loaded;
        self.shared = Rc::new(Shared::new(gate, (!is_valid).then_some(UNCONFIGURED), &name));
        self.shared.holds.begin();
        if is_valid {
            IN_FORCE.with_borrow_mut(|gates| gates.insert(name, Rc::clone(&self.shared)));
        }
        true
    }

    /// Gives up on streams whose body does not come.
    fn on_tick(&mut self) {
        let overdue = self.shared.holds.overdue();
        if !overdue.is_empty() && !self.shared.holds.is_proved() {
            log::error!(
                "the body of a held request did not come, and none ever has: the host does not hold requests; \
                 set `allow_on_headers_stop_iteration: true` in the plugin configuration (Envoy 1.35 or later)"
            );
        }
        for (stream_id, fate) in overdue {
            match fate {
                Overdue::Refuse => {
                    self.shared.counters.count(Counter::Refused(Violation::RequestNotHeld));
                    host::for_stream(stream_id, self.context_id, || host::reply(&reply::not_held()));
                }
                Overdue::Release => {
                    self.shared.counters.count(Counter::Observed(Violation::RequestNotHeld));
                    host::for_stream(stream_id, self.context_id, host::resume);
                }
            }
        }
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(context_id, Rc::clone(&self.shared))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Says what is wrong, so that one reading of the log is enough to mend it; a document that
/// is wrong all over is for `tpc-gate check`.
fn report(gate: &str, findings: &Findings) {
    const MOST: usize = 50;
    if let Some(more @ 1..) = findings.faults.len().checked_sub(MOST) {
        log::error!("gate `{gate}`: {more} faults more than are listed here; `tpc-gate check` lists all");
    }
    for fault in findings.faults.iter().take(MOST) {
        let (pointer, line, column, message) = (&fault.pointer, fault.line, fault.column, &fault.message);
        match fault.level {
            Level::Document => log::error!("gate `{gate}`: {pointer} (line {line}, column {column}): {message}"),
            Level::Entry => log::warn!("gate `{gate}`: {pointer} (line {line}, column {column}): {message}"),
        }
    }
    log::warn!("gate `{gate}`: the verifier is not checked by this build; the identity provider has to verify PKCE");
    for setting in &findings.danger {
        log::warn!("gate `{gate}`: danger: {setting}");
    }
    for setting in &findings.relaxed {
        log::info!("gate `{gate}`: relaxed: {setting}");
    }
}
