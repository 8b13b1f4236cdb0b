//! Words of time, as the conventions have them: "last 7 days" rolls, "last week" is the calendar's, "since Monday" starts at
//! midnight UTC.

use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};

use crate::intent::{Edge, Hours, TimeRange, Unit};
use crate::token::{Kind, Token};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Period {
    Range(TimeRange),
    Hours(Hours),
    /// "within an hour": a distance between two events.
    Gap(u32, Unit),
}

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const NUMBERS: &[&str] =
    &["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// The words of time that start at `at`, and where they end.
pub(crate) fn period(tokens: &[Token], at: usize, now: DateTime<Utc>) -> Option<(Period, usize)> {
    let reader = Reader { tokens, today: now.date_naive() };
    let (found, end) = reader.hours(at).or_else(|| reader.range(at)).or_else(|| reader.gap(at))?;
    Some((found, reader.skip(end, &["utc", "gmt"])))
}

struct Reader<'a> {
    tokens: &'a [Token],
    today: NaiveDate,
}

fn range(from: Option<Edge>, to: Option<Edge>, text: impl Into<String>) -> Period {
    Period::Range(TimeRange { from, to, text: text.into() })
}

fn whole_days(from: NaiveDate, last: NaiveDate) -> Option<Period> {
    let to = last.succ_opt()?;
    let text = if from == last { format!("on {from}") } else { format!("from {from} to {last}") };
    Some(range(Some(Edge::Date(from)), Some(Edge::Date(to)), text))
}

fn calendar(unit: Unit, shift: i32) -> Period {
    let name = match (unit, shift) {
        (Unit::Day, 0) => "today".to_owned(),
        (Unit::Day, -1) => "yesterday".to_owned(),
        (_, 0) => format!("this {}", unit.name()),
        _ => format!("last {} (calendar)", unit.name()),
    };
    range(Some(Edge::start(unit, shift)), (shift < 0).then(|| Edge::start(unit, shift + 1)), name)
}

fn rolling(count: u32, unit: Unit) -> Period {
    let (amount, step) = match unit {
        Unit::Week => (count.saturating_mul(7), Unit::Day),
        Unit::Day if count == 1 => (24, Unit::Hour),
        Unit::Quarter => (count.saturating_mul(3), Unit::Month),
        Unit::Month if count == 1 => (30, Unit::Day),
        other => (count, other),
    };
    let plural = if count == 1 { "" } else { "s" };
    range(Some(Edge::Ago(amount, step)), None, format!("in the last {count} {}{plural}", unit.name()))
}

impl Reader<'_> {
    fn low(&self, at: usize) -> &str {
        self.tokens.get(at).filter(|token| token.kind != Kind::Quoted).map_or("", |token| token.low.as_str())
    }

    fn is(&self, at: usize, words: &[&str]) -> bool {
        words.contains(&self.low(at))
    }

    fn skip(&self, at: usize, words: &[&str]) -> usize {
        if self.is(at, words) { at + 1 } else { at }
    }

    fn phrase(&self, at: usize, phrases: &[&str]) -> Option<usize> {
        phrases.iter().find_map(|phrase| {
            let words: Vec<&str> = phrase.split(' ').collect();
            words.iter().enumerate().all(|(i, word)| self.low(at + i) == *word).then_some(at + words.len())
        })
    }

    fn unit(&self, at: usize) -> Option<Unit> {
        Some(match self.low(at) {
            "minute" | "minutes" | "min" | "mins" | "m" => Unit::Minute,
            "hour" | "hours" | "hr" | "hrs" | "h" => Unit::Hour,
            "day" | "days" | "d" => Unit::Day,
            "week" | "weeks" | "w" | "wk" | "wks" => Unit::Week,
            "month" | "months" | "mo" => Unit::Month,
            "quarter" | "quarters" => Unit::Quarter,
            "year" | "years" | "yr" | "yrs" => Unit::Year,
            _ => return None,
        })
    }

    fn count(&self, at: usize) -> Option<(u32, usize)> {
        if let Some(end) = self.phrase(at, &["couple of", "a couple of"]) {
            return Some((2, end));
        }
        if let Some(value) = self.tokens.get(at)?.number() {
            let whole = value.fract() == 0.0 && (1.0..=100_000.0).contains(&value);
            return whole.then_some((value as u32, at + 1));
        }
        let word = self.low(at);
        let value = NUMBERS.iter().position(|number| *number == word).filter(|value| *value > 0)?;
        Some((value as u32, at + 1))
    }

    fn month(&self, at: usize) -> Option<u32> {
        let word = self.low(at);
        let known = |name: &&str| *name == word || (word.len() >= 3 && word.len() <= 4 && name.starts_with(word));
        if word == "mar" || word.len() >= 3 { MONTHS.iter().position(known).map(|i| i as u32 + 1) } else { None }
    }

    fn year(&self, at: usize) -> Option<i32> {
        let value = self.tokens.get(at)?.number()?;
        ((1990.0..2100.0).contains(&value) && value.fract() == 0.0 && self.low(at).len() == 4).then_some(value as i32)
    }

    fn day_number(&self, at: usize) -> Option<u32> {
        let value = self.tokens.get(at)?.number()?;
        ((1.0..=31.0).contains(&value) && value.fract() == 0.0).then_some(value as u32)
    }

    /// "2026-11-01", "Nov 1", "1 November 2026", "march 3rd", "the 3rd of march".
    fn date(&self, at: usize) -> Option<(NaiveDate, usize)> {
        let at = self.skip(at, &["the"]);
        if let Kind::Date(date) = self.tokens.get(at)?.kind {
            return Some((date, at + 1));
        }
        let (month, day, end) = if let (Some(month), Some(day)) = (self.month(at), self.day_number(at + 1)) {
            (month, day, at + 2)
        } else {
            let day = self.day_number(at)?;
            let of = self.skip(at + 1, &["of"]);
            (self.month(of)?, day, of + 1)
        };
        let comma = self.skip(end, &[","]);
        if let Some(year) = self.year(comma) {
            return Some((NaiveDate::from_ymd_opt(year, month, day)?, comma + 1));
        }
        let this_year = NaiveDate::from_ymd_opt(self.today.year(), month, day);
        let date = this_year.filter(|date| *date <= self.today);
        Some((date.or_else(|| NaiveDate::from_ymd_opt(self.today.year() - 1, month, day))?, end))
    }

    fn weekday(&self, at: usize) -> Option<NaiveDate> {
        let word = self.low(at);
        let wanted = WEEKDAYS.iter().position(|name| *name == word || (word.len() == 3 && name.starts_with(word)))?;
        let back = (self.today.weekday().num_days_from_monday() + 7 - wanted as u32) % 7;
        self.today.checked_sub_signed(Duration::days(i64::from(back)))
    }

    /// A day or instant that a range may start or end at, and the unit it stands for.
    fn edge(&self, at: usize) -> Option<(Edge, Edge, String, usize)> {
        let at = self.skip(at, &["the"]);
        let start = self.phrase(at, &["start of", "beginning of"]).map(|end| self.skip(end, &["the", "this"]));
        if let Some(unit_at) = start
            && let Some(unit) = self.unit(unit_at)
        {
            return Some((
                Edge::start(unit, 0),
                Edge::start(unit, 1),
                format!("the start of this {}", unit.name()),
                unit_at + 1,
            ));
        }
        if self.is(at, &["today", "midnight"]) {
            return Some((Edge::start(Unit::Day, 0), Edge::start(Unit::Day, 1), "today".into(), at + 1));
        }
        if self.is(at, &["yesterday"]) {
            return Some((Edge::start(Unit::Day, -1), Edge::start(Unit::Day, 0), "yesterday".into(), at + 1));
        }
        if self.is(at, &["this", "last", "current", "previous"])
            && let Some(unit) = self.unit(at + 1)
        {
            let shift = if self.is(at, &["this", "current"]) { 0 } else { -1 };
            let text = format!("{} {}", if shift == 0 { "this" } else { "last" }, unit.name());
            return Some((Edge::start(unit, shift), Edge::start(unit, shift + 1), text, at + 2));
        }
        let named = self.skip(at, &["last"]);
        if let Some(day) = self.weekday(named) {
            let next = day.succ_opt()?;
            return Some((Edge::Date(day), Edge::Date(next), format!("{} {day}", self.low(named)), named + 1));
        }
        if let Some((date, end)) = self.date(at) {
            let next = date.succ_opt()?;
            return Some((Edge::Date(date), Edge::Date(next), date.to_string(), end));
        }
        let month = self.month(at)?;
        let (first, end) = self.month_start(month, at + 1)?;
        Some((
            Edge::Date(first),
            Edge::Date(next_month(first)?),
            format!("{} {}", MONTHS[month as usize - 1], first.year()),
            end,
        ))
    }

    fn month_start(&self, month: u32, at: usize) -> Option<(NaiveDate, usize)> {
        if let Some(year) = self.year(at) {
            return Some((NaiveDate::from_ymd_opt(year, month, 1)?, at + 1));
        }
        let first = NaiveDate::from_ymd_opt(self.today.year(), month, 1)?;
        let first = if first <= self.today { first } else { NaiveDate::from_ymd_opt(self.today.year() - 1, month, 1)? };
        Some((first, at))
    }

    fn range(&self, at: usize) -> Option<(Period, usize)> {
        self.between(at).or_else(|| self.open_range(at)).or_else(|| {
            let start = self.skip(at, &["in", "over", "within", "during", "for", "from", "on", "at", "of", "so", "as"]);
            let start = self.skip(start, &["far"]);
            let prefixed = start > at;
            self.relative(start).or_else(|| self.calendar_unit(start)).or_else(|| self.days(start, prefixed))
        })
    }

    fn between(&self, at: usize) -> Option<(Period, usize)> {
        let start = if self.is(at, &["between", "from"]) { at + 1 } else { at };
        let (from, _, from_text, middle) = self.edge(start)?;
        let joint: &[&str] =
            if self.is(at, &["between"]) { &["and"] } else { &["to", "until", "till", "through", "thru"] };
        if !self.is(middle, joint) {
            return None;
        }
        let (_, to, to_text, end) = self.edge(middle + 1)?;
        Some((range(Some(from), Some(to), format!("from {from_text} to {to_text}")), end))
    }

    /// Ranges with one end: since, after, before, until, from ... on, more than N days ago.
    fn open_range(&self, at: usize) -> Option<(Period, usize)> {
        if self.is(at, &["since"]) {
            if let Some((count, unit_at)) = self.count(self.skip(at + 1, &["the", "last"]))
                && let Some(unit) = self.unit(unit_at)
            {
                return Some((rolling(count, unit), self.skip(unit_at + 1, &["ago"])));
            }
            let (from, _, text, end) = self.edge(at + 1)?;
            return Some((range(Some(from), None, format!("since {text}")), end));
        }
        if let Some(rest) =
            self.phrase(at, &["after and including", "on or after", "starting from", "starting on", "starting"])
        {
            let (from, _, text, end) = self.edge(rest)?;
            return Some((range(Some(from), None, format!("since {text}")), end));
        }
        if self.is(at, &["after"]) {
            let (_, from, text, end) = self.edge(at + 1)?;
            return Some((range(Some(from), None, format!("after {text}")), end));
        }
        if self.is(at, &["before"]) || self.phrase(at, &["earlier than", "older than"]).is_some() {
            let start = self.phrase(at, &["earlier than", "older than"]).unwrap_or(at + 1);
            if let Some((count, unit_at)) = self.count(start)
                && let Some(unit) = self.unit(unit_at)
            {
                let (edge, text) = ago(count, unit);
                return Some((
                    range(None, Some(edge), format!("more than {text} ago")),
                    self.skip(unit_at + 1, &["ago"]),
                ));
            }
            let (to, _, text, end) = self.edge(start)?;
            return Some((range(None, Some(to), format!("before {text}")), end));
        }
        if self.is(at, &["until", "till"]) || self.phrase(at, &["up to", "through"]).is_some() {
            let start = self.phrase(at, &["up to", "through"]).unwrap_or(at + 1);
            let (_, to, text, end) = self.edge(start)?;
            return Some((range(None, Some(to), format!("until {text}, included")), end));
        }
        if let Some(start) = self.phrase(at, &["more than", "over"])
            && let Some((count, unit_at)) = self.count(start)
            && let Some(unit) = self.unit(unit_at)
            && self.is(unit_at + 1, &["ago"])
        {
            let (edge, text) = ago(count, unit);
            return Some((range(None, Some(edge), format!("more than {text} ago")), unit_at + 2));
        }
        if self.is(at, &["from"]) {
            let (from, _, text, end) = self.edge(at + 1)?;
            let onward = self
                .phrase(end, &["onwards", "onward", "on", "and later", "forward", "and on", "to now", "until now"])?;
            return Some((range(Some(from), None, format!("since {text}")), onward));
        }
        None
    }

    /// "last 7 days", "the past week", "last month", "previous quarter".
    fn relative(&self, at: usize) -> Option<(Period, usize)> {
        let the = self.is(at, &["the", "these"]);
        let word = if the { at + 1 } else { at };
        if !self.is(word, &["last", "past", "previous", "prior", "latest", "trailing", "preceding"]) {
            return None;
        }
        if let Some((count, unit_at)) = self.count(word + 1) {
            let unit = self.unit(unit_at)?;
            return Some((rolling(count, unit), unit_at + 1));
        }
        let next = word + 1;
        if self.is(next, &["night"]) {
            let edge = |hours| Edge::Start { unit: Unit::Day, shift: 0, step: Unit::Day, hours };
            return Some((range(Some(edge(-6)), Some(edge(6)), "last night, 18:00 to 06:00 UTC"), next + 1));
        }
        if self.is(next, &["weekend"]) {
            return Some((weekend(), next + 1));
        }
        if self.is(next, &["fortnight"]) {
            return Some((rolling(2, Unit::Week), next + 1));
        }
        if let Some(day) = self.weekday(next) {
            let day = if day == self.today { day.checked_sub_signed(Duration::days(7))? } else { day };
            return Some((whole_days(day, day)?, next + 1));
        }
        let unit = self.unit(next)?;
        let rolls =
            the || self.is(word, &["past", "trailing"]) || matches!(unit, Unit::Minute | Unit::Hour | Unit::Day);
        let previous = self.is(word, &["previous", "prior", "preceding"]);
        if rolls && !previous {
            return Some((rolling(1, unit), next + 1));
        }
        Some((calendar(unit, -1), next + 1))
    }

    fn calendar_unit(&self, at: usize) -> Option<(Period, usize)> {
        for joint in ["today and yesterday", "yesterday and today"] {
            if let Some(end) = self.phrase(at, &[joint]) {
                return Some((range(Some(Edge::start(Unit::Day, -1)), None, "since yesterday"), end));
            }
        }
        let the = self.skip(at, &["the"]);
        if self.is(at, &["today"]) {
            return Some((calendar(Unit::Day, 0), at + 1));
        }
        if self.is(at, &["yesterday"]) {
            return Some((calendar(Unit::Day, -1), at + 1));
        }
        if self.is(the, &["recently", "lately", "recent"]) {
            return Some((
                range(Some(Edge::Ago(24, Unit::Hour)), None, "recently, taken as the last 24 hours"),
                the + 1,
            ));
        }
        if self.is(the, &["weekend"]) && the > 0 {
            return Some((weekend(), the + 1));
        }
        if self.is(the, &["fortnight"]) && the > at {
            return Some((rolling(2, Unit::Week), the + 1));
        }
        if self.is(the, &["this", "current"]) {
            let unit = self.unit(the + 1)?;
            let end = self.phrase(the + 2, &["so far", "to date"]).unwrap_or(the + 2);
            return Some((calendar(unit, 0), end));
        }
        if let (Some(unit), Some(end)) = (self.unit(the), self.phrase(the + 1, &["to date", "so far"])) {
            return Some((calendar(unit, 0), end));
        }
        None
    }

    /// Whole days, months and years by name or number; "3 days ago".
    fn days(&self, at: usize, prefixed: bool) -> Option<(Period, usize)> {
        if let Some((count, unit_at)) = self.count(at)
            && self.is(unit_at, &["day", "days"])
            && self.is(unit_at + 1, &["ago"])
        {
            let from = Edge::start(Unit::Day, -(count as i32));
            let to = Edge::start(Unit::Day, 1 - count as i32);
            return Some((range(Some(from), Some(to), format!("{count} days ago")), unit_at + 2));
        }
        if let Some((date, end)) = self.date(at) {
            return Some((whole_days(date, date)?, end));
        }
        if let Some(day) = self.weekday(at).filter(|_| prefixed || self.low(at).len() > 3) {
            return Some((whole_days(day, day)?, at + 1));
        }
        if let Some(month) = self.month(at) {
            let (first, end) = self.month_start(month, at + 1)?;
            if prefixed || end > at + 1 {
                let text = format!("in {} {}", MONTHS[month as usize - 1], first.year());
                return Some((range(Some(Edge::Date(first)), Some(Edge::Date(next_month(first)?)), text), end));
            }
        }
        let year = self.year(at).filter(|_| prefixed)?;
        let first = NaiveDate::from_ymd_opt(year, 1, 1)?;
        let next = NaiveDate::from_ymd_opt(year + 1, 1, 1)?;
        Some((range(Some(Edge::Date(first)), Some(Edge::Date(next)), format!("in {year}")), at + 1))
    }

    fn hours(&self, at: usize) -> Option<(Period, usize)> {
        let hours = ["business hours", "office hours", "working hours", "work hours"];
        for prefix in ["outside", "outside of", "out of", "not in", "not during", "not within"] {
            for name in hours {
                if let Some(end) = self.phrase(at, &[format!("{prefix} {name}").as_str()]) {
                    return Some((Period::Hours(Hours::AfterHours), end));
                }
            }
        }
        let after =
            ["after hours", "off hours", "after-hours", "off-hours", "out of hours", "out-of-hours", "after work"];
        let start = self.skip(at, &["during", "in", "within"]);
        if let Some(end) = self.phrase(start, &after) {
            return Some((Period::Hours(Hours::AfterHours), end));
        }
        if let Some(end) = self.phrase(start, &hours) {
            return Some((Period::Hours(Hours::Business), end));
        }
        self.clock_span(at)
    }

    fn clock_span(&self, at: usize) -> Option<(Period, usize)> {
        let between = self.is(at, &["between"]);
        if !between && !self.is(at, &["from"]) {
            let (first, end) = self.clock(at + 1)?;
            let first = first?;
            return match self.low(at) {
                "after" | "since" => Some((Period::Hours(Hours::Between(first, 24)), end)),
                "before" => Some((Period::Hours(Hours::Between(0, first)), end)),
                "at" => Some((Period::Hours(Hours::Between(first, first + 1)), end)),
                _ => None,
            };
        }
        let (first, middle) = self.clock_or_number(at + 1)?;
        if !self.is(middle, if between { &["and"] } else { &["to", "until", "till"] }) {
            return None;
        }
        let (second, end) = self.clock_or_number(middle + 1)?;
        let oclock = self.phrase(end, &["o'clock", "hours", "h", "utc"]);
        // Plain numbers are hours only where something says so.
        let (first, second, end) = match (first, second, oclock) {
            ((hour, true), (other, true), _) => (hour, other, end),
            ((hour, false), (other, true), _) => {
                (hour + if other > 12 && hour < other - 12 { 12 } else { 0 }, other, end)
            }
            ((hour, _), (other, _), Some(end)) => (hour, other, end),
            _ => return None,
        };
        (first <= 24 && second <= 24 && first != second).then_some((Period::Hours(Hours::Between(first, second)), end))
    }

    /// The hour of a clock time; `None` inside where minutes are given, which no hour filter can hold.
    fn clock(&self, at: usize) -> Option<(Option<u32>, usize)> {
        match self.tokens.get(at)?.kind {
            Kind::Clock(hour, minute) => Some(((minute == 0).then_some(hour), at + 1)),
            Kind::Number(value) if self.is(at + 1, &["am", "pm"]) && (1.0..=12.0).contains(&value) => {
                let hour = value as u32 % 12 + if self.is(at + 1, &["pm"]) { 12 } else { 0 };
                Some((Some(hour), at + 2))
            }
            _ if self.is(at, &["midnight"]) => Some((Some(0), at + 1)),
            _ if self.is(at, &["noon"]) => Some((Some(12), at + 1)),
            _ => None,
        }
    }

    fn clock_or_number(&self, at: usize) -> Option<((u32, bool), usize)> {
        if let Some((hour, end)) = self.clock(at) {
            return Some(((hour?, true), end));
        }
        let value =
            self.tokens.get(at)?.number().filter(|value| value.fract() == 0.0 && (0.0..=24.0).contains(value))?;
        Some(((value as u32, false), at + 1))
    }

    fn gap(&self, at: usize) -> Option<(Period, usize)> {
        let within = self.is(at, &["within"]);
        let start = if within { self.skip(at + 1, &["a", "an", "one"]) } else { at };
        if within && start > at + 1 {
            return Some((Period::Gap(1, self.unit(start)?), start + 1));
        }
        let (count, unit_at) = self.count(start)?;
        let unit = self.unit(unit_at)?;
        let later = self.phrase(unit_at + 1, &["or less later", "later", "or less after", "of each other"]);
        (within || later.is_some()).then_some((Period::Gap(count, unit), later.unwrap_or(unit_at + 1)))
    }
}

fn ago(count: u32, unit: Unit) -> (Edge, String) {
    let text = format!("{count} {}{}", unit.name(), if count == 1 { "" } else { "s" });
    let edge = match unit {
        Unit::Week => Edge::Ago(count.saturating_mul(7), Unit::Day),
        Unit::Quarter => Edge::Ago(count.saturating_mul(3), Unit::Month),
        other => Edge::Ago(count, other),
    };
    (edge, text)
}

fn weekend() -> Period {
    let saturday = Edge::Start { unit: Unit::Week, shift: -2, step: Unit::Day, hours: 0 };
    range(Some(saturday), Some(Edge::start(Unit::Week, 0)), "over the weekend")
}

fn next_month(first: NaiveDate) -> Option<NaiveDate> {
    first.checked_add_months(chrono::Months::new(1))
}
