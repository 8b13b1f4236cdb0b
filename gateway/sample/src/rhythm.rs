//! When people work. Machines never stop.

use crate::org::{CITIES, City};

pub const HOURS_A_WEEK: usize = 168;

/// How likely somebody in `city` is at work in an hour of the UTC week (hour 0 is Monday 00:00), in percent.
pub fn presence(city: &City, hour: usize) -> u64 {
    let local = (hour as i64 + city.utc_offset).rem_euclid(HOURS_A_WEEK as i64);
    let (day, hour) = (local / 24, local % 24);
    match (day, hour) {
        (5 | 6, 9..20) => 5,
        (0..5, 9 | 16) => 90,
        (0..5, 12) => 70,
        (0..5, 10..16) => 100,
        (0..5, 8 | 17) => 50,
        (0..5, 7 | 18..22) => 14,
        _ => 1,
    }
}

/// The share of events that people cause, by hour of the week: a source's weight is its machines' constant rate plus
/// its people's, and both are needed to tell them apart again.
#[derive(Debug, Clone)]
pub struct Rhythm {
    people: [u64; HOURS_A_WEEK],
}

const MEAN: u64 = 1000;

impl Rhythm {
    pub fn new() -> Self {
        let raw = |hour| CITIES.iter().map(|city| city.people * presence(city, hour)).sum::<u64>();
        let total: u64 = (0..HOURS_A_WEEK).map(raw).sum();
        Self { people: std::array::from_fn(|hour| raw(hour) * MEAN * HOURS_A_WEEK as u64 / total) }
    }

    /// Events of a source in this hour relative to its other hours. `human` is the percentage of its events that
    /// people cause.
    pub fn weight(&self, hour: usize, human: u64) -> u64 {
        (100 - human) * MEAN + human * self.people[hour]
    }

    /// How many in ten thousand of a source's events in this hour are caused by people.
    pub fn human_chance(&self, hour: usize, human: u64) -> u64 {
        10_000 * human * self.people[hour] / self.weight(hour, human).max(1)
    }
}

/// Hour of the UTC week, 0 for Monday 00:00. The epoch was a Thursday.
pub fn hour_of_week(micros: i64) -> usize {
    (micros.div_euclid(3_600_000_000) + 3 * 24).rem_euclid(HOURS_A_WEEK as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_working_hour_has_more_people_than_a_night_or_a_sunday() {
        let rhythm = Rhythm::new();
        let wednesday_16 = 2 * 24 + 16;
        let sunday_16 = 6 * 24 + 16;
        assert!(rhythm.people[wednesday_16] > 10 * rhythm.people[sunday_16]);
        assert!(rhythm.people[wednesday_16] > 3 * rhythm.people[2 * 24 + 2]);
        assert_eq!(rhythm.weight(0, 0), rhythm.weight(100, 0));
        assert_eq!(hour_of_week(0), 3 * 24);
    }
}
