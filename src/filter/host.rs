//! Host calls: the only file that names them, and the only place where the SDK
//! could panic on what the host answers.

use std::time::{Duration, SystemTime};

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};
use tpc_gate_policy::head::Head;
use tpc_gate_policy::reply::Reply;

/// The head of the request; names are lower case and ASCII by Envoy's codecs, values are bytes.
pub(crate) fn request_head() -> Head {
    Head::new(hostcalls::get_map_bytes(MapType::HttpRequestHeaders).unwrap_or_default())
}

/// One header of the request. Two or more cost more than [`request_head`]; an absent one is cheap.
pub(crate) fn request_header(name: &str) -> Option<Vec<u8>> {
    hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok().flatten()
}

/// The head of the answer.
pub(crate) fn response_head() -> Head {
    Head::new(hostcalls::get_map_bytes(MapType::HttpResponseHeaders).unwrap_or_default())
}

/// Whether the answer is the upstream's, not one of Envoy's or ours.
pub(crate) fn answer_is_the_upstreams() -> bool {
    let details = hostcalls::get_property(vec!["response", "code_details"]).ok().flatten();
    details.as_deref() == Some(b"via_upstream")
}

/// A body that is held, from its beginning.
pub(crate) fn body(buffer: BufferType, size: usize) -> Vec<u8> {
    hostcalls::get_buffer(buffer, 0, size).ok().flatten().unwrap_or_default()
}

/// Replaces a whole held body of `size` octets. `content-length` is the caller's.
pub(crate) fn replace_body(buffer: BufferType, size: usize, body: &str) {
    report("the body", hostcalls::set_buffer(buffer, 0, size, body.as_bytes()));
}

/// Sets a header to exactly one value.
pub(crate) fn set_header(map: MapType, name: &str, value: &str) {
    report(name, hostcalls::set_map_value_bytes(map, name, Some(value.as_bytes())));
}

/// Takes a header out.
pub(crate) fn remove_header(map: MapType, name: &str) {
    report(name, hostcalls::remove_map_value(map, name));
}

/// Takes all trailers of the request out.
pub(crate) fn remove_request_trailers() {
    report("the trailers", hostcalls::set_map_bytes(MapType::HttpRequestTrailers, Vec::new()));
}

/// Answers in the upstream's place.
pub(crate) fn reply(reply: &Reply) {
    let headers = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    report("the answer", hostcalls::send_http_response(u32::from(reply.status), headers, Some(reply.body.as_bytes())));
}

/// Lets a held request go on.
pub(crate) fn resume() {
    report("the request", hostcalls::resume_http_request());
}

/// Acts on a stream from outside its own callbacks.
pub(crate) fn for_stream(stream_id: u32, root_id: u32, act: impl FnOnce()) {
    if hostcalls::set_effective_context(stream_id).is_ok() {
        act();
    }
    report("the context", hostcalls::set_effective_context(root_id));
}

/// The host's wall clock.
pub(crate) fn now() -> SystemTime {
    hostcalls::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Asks for ticks.
pub(crate) fn tick_every(period: Duration) {
    report("the tick", hostcalls::set_tick_period(period));
}

/// The configuration of the filter.
pub(crate) fn configuration() -> Vec<u8> {
    hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX).ok().flatten().unwrap_or_default()
}

/// The `root_id` of the filter: the name of the gate.
pub(crate) fn root_id() -> String {
    let name = hostcalls::get_property(vec!["plugin_root_id"]).ok().flatten();
    name.and_then(|name| String::from_utf8(name).ok()).unwrap_or_default()
}

/// Whether a key of the process-wide data has a value.
pub(crate) fn is_marked(key: &str) -> bool {
    matches!(hostcalls::get_shared_data(key), Ok((Some(value), _)) if !value.is_empty())
}

/// Gives a key of the process-wide data a value, or takes it.
pub(crate) fn mark(key: &str, is_set: bool) {
    let value: &[u8] = if is_set { b"1" } else { b"" };
    report(key, hostcalls::set_shared_data(key, Some(value), None));
}

/// Counts up, defining the counter when it is new.
pub(crate) fn count(known: &mut Option<u32>, name: impl FnOnce() -> String) {
    if known.is_none() {
        *known = hostcalls::define_metric(proxy_wasm::types::MetricType::Counter, &name()).ok();
    }
    if let Some(id) = *known {
        report("a counter", hostcalls::increment_metric(id, 1));
    }
}

/// The host has no remedy for a call that fails, but an operator should know.
fn report<E: std::fmt::Debug>(what: &str, result: Result<(), E>) {
    if let Err(status) = result {
        log::error!("the host refused a call about {what}: {status:?}");
    }
}
