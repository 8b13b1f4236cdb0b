//! Types: text in and out, comparison, casts.

pub mod compare;
