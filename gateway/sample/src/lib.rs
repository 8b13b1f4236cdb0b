//! An invented organisation's raw logs, as its vendors would deliver them, with attacks hidden in them.
//!
//! The same [`SampleSpec`] gives the same bytes on every machine. `docs/demo.md` lists the attacks. Nothing here is real:
//! the organisation uses the reserved domain `larkspur.example`, attackers use the address blocks that RFC 5737 reserves
//! for documentation, and networks belong to invented companies with AS numbers for private use (RFC 6996).

mod attacks;
mod geo;
mod org;
mod out;
mod plan;
mod rhythm;
mod rng;
mod sources;

use chrono::{DateTime, Utc};

pub use attacks::{ATTACKS, Attack};
pub use geo::{GeoRange, geo_ranges};
pub use plan::Chunks;

/// What to generate: `events` in the `days` before `end`. With fewer than some thousands, bursts are shorter; with
/// fewer than the attacks need, the last attacks are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleSpec {
    pub events: u64,
    pub days: u32,
    pub seed: u64,
    pub end: DateTime<Utc>,
}

impl SampleSpec {
    pub const EVENTS: u64 = 500_000;
    pub const DAYS: u32 = 30;
    pub const SEED: u64 = 1;

    /// The default sample, up to `end`.
    pub fn until(end: DateTime<Utc>) -> Self {
        Self { events: Self::EVENTS, days: Self::DAYS, seed: Self::SEED, end }
    }
}

/// One file of one source: at most [`Chunk::MAX_EVENTS`] events of one UTC day, in order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The table that the file is for.
    pub source: &'static str,
    /// Unique within the sample; says source, day and part.
    pub name: String,
    pub events: u64,
    pub bytes: Vec<u8>,
}

impl Chunk {
    pub const MAX_EVENTS: u64 = 10_000;
}

/// The sample as files, source by source and day by day. Holds one file at a time.
pub fn generate(spec: &SampleSpec) -> Chunks {
    Chunks::new(spec)
}
