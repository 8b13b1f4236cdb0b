//! DataFusion in this process, over the lake's Parquet files.

mod engine;
mod errors;
mod estimate;
mod explain;
mod fault;
mod footers;
mod functions;
mod names;
mod output;
mod pattern;
mod planning;
mod prune;
mod row_groups;
mod semantics;
mod session;
mod statement;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod types;
mod workers;

pub use engine::DataFusionEngine;
pub use session::Config;
pub use statement::OriginOf;
