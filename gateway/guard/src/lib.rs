//! Policy over the syntax tree: what may be read, with what functions, how deep and how much. A pure function from a query
//! to [`Approved`], which nothing else makes.
//!
//! Denies by default: every kind of node is matched by name, and what no rule knows is refused.

mod approved;
mod calls;
mod check;
mod error;
mod expressions;
mod joins;
mod limit;
mod queries;
mod reading;
mod scope;
mod sizes;
mod system;
mod tables;

pub use approved::Approved;
pub use check::{Bounds, check};
pub use error::{Error, problem};
pub use system::check_system;
