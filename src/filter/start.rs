//! Where the host comes in. Private, because `main!` writes items without documentation.

use log::LevelFilter;
use proxy_wasm::types::LogLevel;

use crate::root::Root;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    log::set_max_level(LevelFilter::Info);
    proxy_wasm::set_root_context(|context_id| Box::new(Root::new(context_id)));
}}
