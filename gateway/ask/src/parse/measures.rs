//! Counts, sums, rankings, thresholds, and the words of a question.

use super::Parser;
use crate::draft::{FieldTest, Grouping, Having};
use crate::intent::{Literal, Op, Ranking};
use crate::lexicon::Word;
use crate::scan::Item;

impl Parser<'_> {
    pub(super) fn compare(&mut self, at: usize) -> Option<usize> {
        if self.draft.versus
            && let [(op, level)] = self.draft.severities.as_slice()
            && matches!(self.text(at).to_lowercase().as_str(), "higher" | "above" | "lower" | "below" | "more")
        {
            let other = if *op == Op::AtMost { (Op::Above, *level) } else { (Op::Below, *level) };
            self.draft.severities.push(other);
            return Some(at + 1);
        }
        let op = self.get(at)?.find(|word| if let Word::Compare(op) = word { Some(op) } else { None })?;
        let next = self.skip(at + 1);
        let Some(Item::Number(value)) = self.get(next).map(|piece| piece.item.clone()) else {
            // "twice": a count in one word.
            let value = match self.text(next).as_str() {
                "once" => 1.0,
                "twice" => 2.0,
                "one" => 1.0,
                "ten" => 10.0,
                _ => return None,
            };
            return self.threshold(next + 1, op, value);
        };
        let unit = self.text(next + 1).to_lowercase();
        if let Some(factor) = size_factor(&unit) {
            self.compare_field("bytes", op, value * factor);
            return Some(next + 2);
        }
        if let Some(factor) = duration_millis(&unit) {
            self.compare_field("elapsed", op, value * factor);
            return Some(next + 2);
        }
        if let Some(noun) = at.checked_sub(1).and_then(|before| self.noun(before))
            && matches!(
                noun,
                "status"
                    | "severity"
                    | "raw_severity"
                    | "port"
                    | "src_port"
                    | "elapsed"
                    | "rows_produced"
                    | "packets"
                    | "bytes"
            )
        {
            self.unsay(noun);
            self.compare_field(noun, op, value);
            return Some(next + 1);
        }
        self.threshold(next, op, value).map(|_| ()).and_then(|()| {
            self.draft.having.pop();
            self.threshold(next + 1, op, value)
        })
    }

    /// Takes back a noun that turned out to be what is compared.
    pub(super) fn unsay(&mut self, noun: &str) {
        if self.draft.concepts.last().is_some_and(|concept| concept.name == noun) {
            self.draft.concepts.pop();
        }
        if self.draft.fields.last().is_some_and(|field| field.noun == noun && field.op == Op::Present) {
            self.draft.fields.pop();
            self.draft.aggregate = None;
        }
    }

    pub(super) fn compare_field(&mut self, noun: &'static str, op: Op, value: f64) {
        self.draft.fields.push(FieldTest { noun, op, values: vec![Literal::Number(value)] });
        if noun == "bytes" {
            self.draft.hints.push("vpc_flow");
        }
    }

    /// "more than 20 different ports", "at least 3 times", "3+".
    pub(super) fn threshold(&mut self, at: usize, op: Op, value: f64) -> Option<usize> {
        let mut next = at;
        let mut distinct = false;
        while self.is(next, Word::Distinct)
            || self.is(next, Word::Stop)
            || self.is(next, Word::Times)
            || self.is(next, Word::OrMore)
        {
            distinct |= self.is(next, Word::Distinct);
            next += 1;
        }
        let mut op = op;
        if self.is(at, Word::OrMore) {
            op = Op::AtLeast;
        }
        while self.get(next).is_some_and(|p| distinct && p.has(|w| matches!(w, Word::Source(..)))) {
            let source = self.get(next)?.find(|w| if let Word::Source(t, c) = w { Some((t, c)) } else { None })?;
            self.draft.sources.push(source);
            next += 1;
        }
        let noun = if distinct { self.noun(next) } else { None };
        self.draft.having.push(Having { op, value, distinct: noun });
        Some(if noun.is_some() { next + 1 } else { next })
    }

    pub(super) fn measure(&mut self, at: usize) -> Option<usize> {
        let piece = self.get(at)?.clone();
        let Item::Words(words) = &piece.item else { return None };
        for word in words {
            match *word {
                Word::Count => self.draft.count = true,
                Word::Distinct => self.draft.distinct = true,
                Word::Percent => self.draft.percent = true,
                Word::Timeline => self.draft.timeline = true,
                Word::Aggregate(aggregate) => {
                    self.draft.aggregate = Some(aggregate);
                    let low = piece.text.to_lowercase();
                    if low.contains("data") || low.contains("volume") {
                        self.draft.hints.push("vpc_flow");
                    }
                }
                Word::Bucket(unit) => self.draft.groups.push(Grouping::Bucket(unit)),
                Word::First | Word::Last => return self.first_or_last(at, *word == Word::First),
                Word::Most => self.draft.ranking = Some(Ranking::Most),
                Word::Least => self.draft.ranking = Some(Ranking::Least),
                Word::Top => return self.top(at),
                _ => continue,
            }
            return Some(at + 1);
        }
        None
    }

    pub(super) fn first_or_last(&mut self, at: usize, first: bool) -> Option<usize> {
        if let Some(Item::Number(value)) = self.get(at + 1).map(|piece| &piece.item) {
            self.draft.newest = Some(*value as u64);
            self.draft.first = first;
            return Some(at + 2);
        }
        if first {
            self.draft.first = true;
        } else {
            self.draft.last = true;
        }
        Some(at + 1)
    }

    pub(super) fn top(&mut self, at: usize) -> Option<usize> {
        let number = match self.get(at + 1).map(|piece| &piece.item) {
            Some(Item::Number(value)) => Some(*value as u64),
            _ => None,
        };
        self.draft.ranking = Some(Ranking::Most);
        self.draft.top = Some(number.unwrap_or(10).max(1));
        Some(if number.is_some() { at + 2 } else { at + 1 })
    }

    pub(super) fn question(&mut self, at: usize) -> Option<usize> {
        let piece = self.get(at)?.clone();
        let Item::Words(words) = &piece.item else { return None };
        for word in words {
            match *word {
                // "users who": a relative pronoun after a noun.
                Word::Who if at > 0 && self.noun(at - 1).is_some() => {}
                Word::Who => self.draft.who = true,
                Word::When => self.draft.when = true,
                Word::Where => self.draft.groups.push(Grouping::Noun("country")),
                Word::Which => self.draft.which = true,
                _ => continue,
            }
            return Some(at + 1);
        }
        None
    }
}

fn size_factor(unit: &str) -> Option<f64> {
    Some(match unit {
        "b" | "bytes" | "byte" => 1.0,
        "kb" | "kilobytes" => 1e3,
        "mb" | "megabytes" | "megabyte" => 1e6,
        "gb" | "gigabytes" | "gigabyte" => 1e9,
        "tb" | "terabytes" => 1e12,
        "kib" => 1024.0,
        "mib" => 1_048_576.0,
        "gib" => 1_073_741_824.0,
        _ => return None,
    })
}

fn duration_millis(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e3,
        "m" | "min" | "mins" | "minute" | "minutes" => 6e4,
        "h" | "hour" | "hours" => 3.6e6,
        _ => return None,
    })
}
