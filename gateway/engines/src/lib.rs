//! What runs statements, a module for each product.
//!
//! An engine gets a [`mantissa_query::Rendered`] and gives rows; it knows nothing of users, sessions or policy.

pub mod datafusion;
mod error;

pub use error::Error;
