//! The Postgres wire protocol.

mod encode;
