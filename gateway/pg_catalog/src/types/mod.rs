//! Types: text in and out, comparison, casts.

pub mod cast;
pub mod category;
pub mod compare;
pub mod datetime;
pub mod display;
pub mod input;
