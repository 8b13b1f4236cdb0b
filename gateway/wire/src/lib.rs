//! The Postgres wire protocol, versions 3.0 and 3.2: start-up, TLS, SCRAM, simple and extended query, COPY out, cancel.
//! Frames, decodes, encodes and keeps the flow; what a statement means is the session's business. Knows no SQL, no
//! engine, no HTTP.

mod auth;
mod backend;
mod config;
mod connection;
mod decode;
mod encode;
mod error;
mod extended;
mod frontend;
mod portal;
mod rows;
mod serve;
mod startup;
#[cfg(test)]
mod tests;
mod tls;
mod transport;

pub use config::{RequireTls, WireConfig};
pub use error::WireError;
pub use serve::{Listeners, serve};
pub use tls::Tls;

/// The parsers of bytes from outside, for the fuzz targets.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::decode::fuzz_parameter;
    pub use crate::frontend::fuzz_frontend;
    pub use crate::startup::fuzz_startup;
}
