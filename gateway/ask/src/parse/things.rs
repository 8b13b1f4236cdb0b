//! Deeds and things, and the values that things are given.

use super::{Parser, escape_like, private};
use crate::draft::{FieldTest, Grouping};
use crate::intent::{Expr, Filter, Literal, Op};
use crate::lexicon::{Aggregate, Prep, Word, parse_conditions};
use crate::scan::{Item, Piece};

impl Parser<'_> {
    /// "region is us-east-1", "bucket prod-data", "status 500", "user agent containing curl".
    pub(super) fn noun_value(&mut self, at: usize, op: Op) -> Option<usize> {
        let noun = self.noun(at)?;
        let mut next = self.skip(at + 1);
        let mut op = op;
        while self.is(next, Word::Be)
            || self.is(next, Word::Compare(Op::Is))
            || self.is(next, Word::Stop)
            || self.is(next, Word::Not)
            || self.is(next, Word::Compare(Op::Differs))
        {
            if self.is(next, Word::Not) || self.is(next, Word::Compare(Op::Differs)) {
                op = Op::IsNot;
            }
            next += 1;
        }
        if self.is(next, Word::Missing) || self.is(next, Word::Present) {
            let op = if self.is(next, Word::Missing) { Op::Missing } else { Op::Present };
            self.draft.fields.push(FieldTest { noun, op, values: Vec::new() });
            self.draft.concept(noun, false, false).spent = true;
            return Some(next + 1);
        }
        for (word, pattern) in [(Word::Contains, "%{}%"), (Word::StartsWith, "{}%"), (Word::EndsWith, "%{}")] {
            if self.is(next, word) {
                let value = self.value(self.skip(next + 1))?;
                let value = pattern.replace("{}", &escape_like(&value));
                let op = if op == Op::IsNot { Op::NotILike } else { Op::ILike };
                let end = self.skip(next + 1) + 1;
                return self.field_values(noun, op, vec![value], end);
            }
        }
        if noun == "ip" || noun == "dst" || (noun == "source" && self.get(next).is_some_and(|p| p.item == Item::Ip)) {
            return self.address(next, if noun != "dst" { "src_ip" } else { "dst_ip" }, op);
        }
        if matches!(noun, "country" | "dst_country")
            && let Some((codes, end)) = self.places(next)
        {
            let column = if noun == "country" { "src_country" } else { "dst_country" };
            let op = if op == Op::IsNot { Op::Differs } else { op };
            self.draft.filters.push(Filter::column(column, op, codes));
            return Some(end);
        }
        if noun == "outcome" || noun == "severity" {
            // Read by its own rule.
            return self
                .get(next)?
                .has(|w| matches!(w, Word::Outcome(_) | Word::Severity(..)))
                .then_some(next)
                .filter(|_| op == Op::Is);
        }
        if noun == "port" || noun == "src_port" || noun == "status" {
            let value = self.get(next)?.item.clone();
            let Item::Number(_) = value else { return None };
            if noun == "port" {
                return self.ports(next);
            }
            let values = self.numbers(next);
            let end = next + values.len() * 2 - 1;
            self.draft.fields.push(FieldTest { noun, op, values });
            return Some(end);
        }
        if noun == "user" {
            let (values, end) = self.actors(next)?;
            self.push_actors(values, op == Op::IsNot);
            return Some(end);
        }
        if matches!(noun, "bytes" | "packets" | "elapsed" | "raw_severity" | "rows_produced") {
            return None;
        }
        let email = self.get(next).is_some_and(|piece| piece.item == Item::Email);
        if email && !matches!(noun, "target" | "email") {
            return None;
        }
        let value = self.value(next).or_else(|| self.word_as_value(noun, next))?;
        if let Some(Item::Number(_)) = self.get(next).map(|piece| &piece.item)
            && !matches!(
                noun,
                "account" | "event_code" | "exit_code" | "asn" | "protocol" | "logon_type" | "os_version"
            )
        {
            return None;
        }
        let mut values = vec![value];
        let mut end = next + 1;
        while (self.is(end, Word::Or) || self.is(end, Word::And))
            && self.value(end + 1).is_some()
            && !matches!(self.get(end + 1).map(|p| &p.item), Some(Item::Number(_)))
        {
            values.extend(self.value(end + 1));
            end += 2;
        }
        self.field_values(noun, op, values, end)
    }

    /// A known word right after a thing that is named by single words: "role Admin", "namespace kube-system".
    pub(super) fn word_as_value(&self, noun: &str, at: usize) -> Option<String> {
        let text = self.text(at);
        let capital = text.chars().next().is_some_and(char::is_uppercase) && !text.contains(' ');
        let named_by_words =
            matches!(noun, "role" | "namespace" | "bucket" | "host" | "vault" | "program" | "level" | "environment");
        (named_by_words && capital && at + 1 >= self.pieces.len().min(at + 1)).then_some(text)
    }

    pub(super) fn numbers(&self, mut at: usize) -> Vec<Literal> {
        let mut values = Vec::new();
        while let Some(Item::Number(value)) = self.get(at).map(|piece| &piece.item) {
            values.push(Literal::Number(*value));
            if !(self.is(at + 1, Word::Or) || self.is(at + 1, Word::And)) {
                break;
            }
            at += 2;
        }
        values
    }

    pub(super) fn noun_rule(&mut self, at: usize) -> Option<usize> {
        let noun = self.noun(at)?;
        let source = self.get(at)?.has(|w| matches!(w, Word::Source(..)));
        if source && !self.pieces.iter().any(|piece| piece.has(|w| matches!(w, Word::Verb(..)))) {
            return None;
        }
        if let Some(end) = self.condition(at, true) {
            return Some(end);
        }
        if let Some(end) = self.noun_value(at, Op::Is) {
            return Some(end);
        }
        if noun == "bytes" || noun == "packets" {
            return self.amount_noun(at, noun);
        }
        let head = self.stands_first(at);
        let subject = self.acts(at);
        let concept = self.draft.concept(noun, false, false);
        concept.head = head;
        concept.subject = subject;
        Some(at + 1)
    }

    /// Bytes and packets are summed unless they are compared.
    pub(super) fn amount_noun(&mut self, at: usize, noun: &'static str) -> Option<usize> {
        self.draft.aggregate = self.draft.aggregate.or(Some(Aggregate::Sum));
        self.draft.concept(noun, false, false).spent = true;
        self.draft.fields.push(FieldTest { noun, op: Op::Present, values: Vec::new() });
        let out = matches!(self.text(at + 1).as_str(), "out" | "sent" | "leaving" | "transferred");
        Some(if out && self.text(at + 1) == "out" { at + 2 } else { at + 1 })
    }

    /// After "which", "distinct", "top 5", "how many", or before "with", "that": this is what is wanted.
    pub(super) fn stands_first(&self, at: usize) -> bool {
        let mut i = at;
        while i > 0
            && (self.is_stop(i - 1)
                || self.is(i - 1, Word::Internal)
                || self
                    .get(i - 1)
                    .is_some_and(|p| p.has(|w| matches!(w, Word::Source(..) | Word::Outcome(_) | Word::Service(_)))))
        {
            i -= 1;
        }
        let before = i.checked_sub(1).and_then(|i| self.get(i));
        let begins = before.is_none() && matches!(self.noun(at), Some("user" | "ip" | "country" | "host" | "account"));
        let asked = begins
            || before.is_some_and(|piece| {
                matches!(piece.item, Item::Number(_))
                    || piece.has(|w| {
                        matches!(
                            w,
                            Word::Which
                                | Word::Distinct
                                | Word::Top
                                | Word::Count
                                | Word::Most
                                | Word::Least
                                | Word::Aggregate(_)
                                | Word::Last
                                | Word::First
                        )
                    })
            });
        let wanted = self.get(at + 1).is_some_and(|piece| piece.is(Word::That) || piece.is(Word::Prep(Prep::With)));
        asked || wanted
    }

    /// "users who deleted", "users downloading": this is who did it, where something follows that it was done to.
    pub(super) fn acts(&self, at: usize) -> bool {
        if !matches!(self.noun(at), Some("user" | "ip" | "host" | "account" | "country")) {
            return false;
        }
        let that = self.is(at + 1, Word::That);
        let verb_at = if that { at + 2 } else { at + 1 };
        let verb = self.get(verb_at).is_some_and(|piece| piece.has(|word| matches!(word, Word::Verb(..))));
        verb && (verb_at + 1..self.pieces.len()).any(|i| self.noun(i).is_some() || self.value(i).is_some())
    }

    pub(super) fn condition(&mut self, at: usize, only_named: bool) -> Option<usize> {
        let piece = self.get(at)?;
        let Item::Words(words) = &piece.item else { return None };
        let conditions: Vec<(&'static str, &'static str)> = words
            .iter()
            .filter_map(|word| if let Word::Condition(table, text) = word { Some((*table, *text)) } else { None })
            .collect();
        let named = conditions.iter().find(|(table, _)| *table == "*" || self.names_table(table));
        let (table, text) = if only_named { named } else { named.or(conditions.first()) }?;
        let (table, filters) = (*table, parse_conditions(text));
        self.draft.conditions.push((table, filters));
        Some(at + 1)
    }

    pub(super) fn subject_matter(&mut self, at: usize, piece: &Piece) -> Option<usize> {
        let Item::Words(words) = &piece.item else { return None };
        if let Some(end) = self.condition(at, false) {
            return Some(end);
        }
        for word in words {
            match *word {
                Word::Source(table, condition) => {
                    self.draft.sources.push((table, condition));
                    if let Some(noun) = soft_concept(table, &piece.text) {
                        self.draft.concept(noun, false, false).spent = true;
                    }
                }
                Word::Hint(table) => self.draft.hints.push(table),
                Word::Everything => {
                    self.draft.everything = true;
                    self.draft.rows = true;
                }
                Word::Service(service) => self.draft.services.push(service),
                Word::Login { done } => {
                    let done = done && !piece.text.ends_with("login") || self.draft.login == Some(true);
                    self.draft.login = Some(done);
                }
                Word::Console => self.draft.console = true,
                Word::Root => self.draft.root = true,
                Word::Verb("send", _) if self.draft.sent_where => {}
                Word::Verb(name, done) => {
                    self.draft.concept(name, true, done);
                }
                Word::Concept(name) => {
                    self.draft.concept(name, true, false);
                }
                Word::Outcome(outcome) => self.draft.outcomes.push(outcome),
                Word::Severity(op, level) => self.draft.severities.push((op, level)),
                Word::Finding => self.draft.finding = true,
                Word::Category(category) => self.draft.category = Some(category),
                Word::Internal => self.draft.filters.push(private("src_ip")),
                Word::External => {
                    let values = vec![Literal::Text("10.%".into())];
                    self.draft.filters.push(Filter::column("src_ip", Op::NotLike, values));
                }
                _ => continue,
            }
            return Some(at + 1);
        }
        None
    }

    pub(super) fn marker(&mut self, at: usize, piece: &Piece) -> Option<usize> {
        let Item::Words(words) = &piece.item else { return None };
        for word in words {
            match word {
                Word::And | Word::That | Word::Be | Word::Did | Word::Anyone => {}
                Word::Stop => {
                    let events = matches!(
                        piece.text.to_lowercase().as_str(),
                        "event" | "events" | "full events" | "full event" | "records" | "entries" | "in detail"
                    );
                    self.draft.rows |= events;
                }
                Word::Or => return self.joins_alike(at).then_some(at + 1),
                Word::Versus => self.draft.versus = true,
                Word::Same => self.draft.follow = true,
                Word::Else => {
                    self.draft.follow = true;
                    self.draft.others = true;
                }
                Word::Ever => self.draft.ever = true,
                Word::Later => self.draft.later = true,
                Word::Pronoun => {
                    self.draft.follow = true;
                    self.draft.pronoun = true;
                }
                Word::Referred(noun) => {
                    self.draft.follow = true;
                    self.draft.referred = Some(noun);
                }
                Word::WhereTo => {
                    let sends =
                        |piece: &Piece| piece.has(|w| matches!(w, Word::Verb("send", _) | Word::Hint("vpc_flow")));
                    if self.pieces[at..].iter().any(sends) {
                        self.draft.sent_where = true;
                    } else {
                        self.draft.groups.push(Grouping::Noun("country"));
                    }
                }
                Word::InsteadOf => return Some(self.skip(at + 1) + 1),
                Word::Then if at == 0 || self.get(at + 1).is_none() => {}
                Word::Contains => return self.contains(at),
                _ => continue,
            }
            return Some(at + 1);
        }
        None
    }

    /// "Or" between deeds, things or conditions of one kind unites them; between others it would need a union of filters.
    pub(super) fn joins_alike(&self, at: usize) -> bool {
        let deed = |piece: &Piece| piece.has(|w| matches!(w, Word::Verb(..) | Word::Noun(_) | Word::Concept(_)));
        let fixed = |piece: &Piece| piece.has(|w| matches!(w, Word::Condition(..)));
        let before = at.checked_sub(1).and_then(|i| self.get(i));
        let after = self.get(self.skip(at + 1));
        let both = |test: &dyn Fn(&Piece) -> bool| before.is_some_and(test) && after.is_some_and(test);
        let named = before.is_some_and(|piece| piece.has(|w| matches!(w, Word::Login { .. })) || deed(piece));
        both(&deed) || both(&fixed) || (named && after.is_some_and(deed))
    }

    /// "containing 'x' in user agent", "events mentioning x".
    pub(super) fn contains(&mut self, at: usize) -> Option<usize> {
        let next = self.skip(at + 1);
        let value = self.value(next)?;
        let pattern = format!("%{}%", escape_like(&value));
        let field_at = self.skip(next + 2);
        if self.is(next + 1, Word::Prep(Prep::In))
            && let Some(noun) = self.noun(field_at)
        {
            return self.field_values(noun, Op::ILike, vec![pattern], field_at + 1);
        }
        let filter = Filter::new("text", Expr::RawText, Op::ILike, vec![Literal::Text(pattern)]);
        self.draft.filters.push(filter);
        Some(next + 1)
    }
}

fn soft_concept(table: &str, text: &str) -> Option<&'static str> {
    match (table, text.to_lowercase().as_str()) {
        ("vpc_flow", text) if text.contains("flow log") => Some("flow_log"),
        ("guardduty", _) => Some("detector"),
        ("cloudtrail", text) if text.contains("trail") => Some("trail"),
        _ => None,
    }
}
