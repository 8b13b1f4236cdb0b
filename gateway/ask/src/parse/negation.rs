//! Not, except, leave out.

use super::{Parser, negate, region_like};
use crate::intent::{Expr, Filter, Literal, Op};
use crate::lexicon::{LEXICON, Prep, Word, parse_conditions};
use crate::scan::Item;

impl Parser<'_> {
    pub(super) fn negation(&mut self, at: usize) -> Option<usize> {
        let except = self.is(at, Word::Except);
        if !except && !self.is(at, Word::Not) {
            return None;
        }
        let mut next = self.skip(at + 1);
        let joined = [Prep::By, Prep::Of, Prep::With, Prep::Using];
        if joined.iter().any(|prep| self.is(next, Word::Prep(*prep))) {
            next = self.skip(next + 1);
        }
        if self.is(next, Word::Prep(Prep::From)) || self.is(next, Word::Prep(Prep::In)) {
            return self.outside(self.skip(next + 1));
        }
        if self.is(next, Word::Prep(Prep::To)) {
            return self.address(self.skip(next + 1), "dst_ip", Op::IsNot);
        }
        if let Some(end) = self.address(next, "src_ip", Op::IsNot) {
            return Some(end);
        }
        if let Some((codes, end)) = self.places(next) {
            self.draft.filters.push(Filter::column("src_country", Op::Differs, codes));
            return Some(end);
        }
        if region_like(&self.text(next)) {
            return self.region(next, Op::IsNot);
        }
        if let Some(end) = self.negated_words(next) {
            return Some(end);
        }
        if self.names_table("dns") && self.text(next).contains('.') {
            return self.field_values("query", Op::IsNot, vec![self.text(next)], next + 1);
        }
        let camel = self.text(next).chars().skip(1).any(|c| c.is_ascii_uppercase()) || self.text(next).contains('.');
        if matches!(self.get(next)?.item, Item::Name) && camel && !self.named.is_empty() {
            let values = vec![Literal::Text(self.text(next))];
            self.draft.filters.push(Filter::new("not action", Expr::Column("action".into()), Op::IsNot, values));
            return Some(next + 1);
        }
        if let Some((values, end)) = self.actors(next) {
            self.push_actors(values, true);
            return Some(end);
        }
        self.noun_value(next, Op::IsNot)
    }

    pub(super) fn negated_words(&mut self, at: usize) -> Option<usize> {
        let piece = self.get(at)?.clone();
        if let Some((table, text)) =
            piece.find(|word| if let Word::Condition(t, c) = word { Some((t, c)) } else { None })
        {
            let filters = parse_conditions(text).iter().map(negate).collect::<Option<Vec<_>>>()?;
            if filters.len() != 1 {
                return None;
            }
            self.draft.conditions.push((table, filters));
            return Some(at + 1);
        }
        if let Some(concept) = piece.find(|word| if let Word::Concept(name) = word { Some(name) } else { None }) {
            let event =
                LEXICON.events.iter().find(|event| event.needs == [vec![concept]] && event.conditions.len() == 1)?;
            let mut filter = negate(&event.conditions[0])?;
            filter.slot = format!("not {concept}");
            self.draft.conditions.push((event.table, vec![filter]));
            return Some(at + 1);
        }
        None
    }
}
