//! Policy over the syntax tree: what may be read, with what functions, how deep and how much. A pure function from a query
//! to [`Approved`], which nothing else makes.

mod approved;
mod check;
mod error;
mod limit;
mod reading;
mod system;

pub use approved::Approved;
pub use check::{Bounds, check};
pub use error::{Error, problem};
pub use system::check_system;
