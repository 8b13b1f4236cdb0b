//! What a day's ordinary work leaves in each vendor's log.

pub mod cloudtrail;
mod cloudtrail_calls;
pub mod github;
pub mod guardduty;
pub mod kubernetes;
pub mod okta;
pub mod syslog;
pub mod vpc_flow;

use crate::org::Org;
use crate::out::Out;
use crate::rhythm::{Rhythm, hour_of_week};
use crate::rng::Rng;

/// What every event may refer to.
pub struct Scene {
    pub org: Org,
    pub rhythm: Rhythm,
}

impl Scene {
    /// Whether a person, rather than a machine, causes the event at this time.
    pub fn by_a_person(&self, rng: &mut Rng, at: i64, human: u64) -> bool {
        rng.chance(self.rhythm.human_chance(hour_of_week(at), human))
    }
}

/// A vendor's log: the frame of its files and its background events.
pub struct Source {
    pub name: &'static str,
    pub extension: &'static str,
    /// Of the sum over all sources.
    pub share: u64,
    /// Percentage of events that people cause.
    pub human: u64,
    pub header: &'static str,
    pub separator: &'static str,
    pub footer: &'static str,
    pub write: fn(&Scene, &mut Rng, i64, &mut Out),
}

const fn lines(
    name: &'static str,
    extension: &'static str,
    share: u64,
    human: u64,
    write: fn(&Scene, &mut Rng, i64, &mut Out),
) -> Source {
    Source { name, extension, share, human, header: "", separator: "\n", footer: "\n", write }
}

pub const CLOUDTRAIL: usize = 0;
pub const VPC_FLOW: usize = 1;
pub const OKTA: usize = 2;
pub const GITHUB: usize = 3;
pub const KUBERNETES: usize = 4;
pub const GUARDDUTY: usize = 5;
pub const SYSLOG: usize = 6;

pub const SOURCES: &[Source] = &[
    Source {
        header: "{\"Records\":[",
        separator: ",",
        footer: "]}",
        ..lines("cloudtrail", "json", 400, cloudtrail::HUMAN, cloudtrail::write)
    },
    Source { header: vpc_flow::HEADER, ..lines("vpc_flow", "log", 300, vpc_flow::HUMAN, vpc_flow::write) },
    lines("okta", "ndjson", 100, okta::HUMAN, okta::write),
    lines("github", "ndjson", 30, github::HUMAN, github::write),
    lines("kubernetes", "ndjson", 100, kubernetes::HUMAN, kubernetes::write),
    lines("guardduty", "jsonl", 5, 0, guardduty::write),
    lines("syslog", "log", 65, syslog::HUMAN, syslog::write),
];
