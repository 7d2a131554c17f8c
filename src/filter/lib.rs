//! The proxy-wasm adapter: copies bytes in, carries effects out.
mod start;
