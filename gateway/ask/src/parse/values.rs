//! Names, addresses, countries and numbers, in a rule or on their own.

use super::{Parser, escape_like, names_things, region_like};
use crate::draft::{Actor, FieldTest, Name};
use crate::intent::{Expr, Filter, Literal, Op};
use crate::lexicon::{Prep, Word};
use crate::scan::{Item, Piece};

impl Parser<'_> {
    /// A value that can stand as a name: quoted, unknown word, number, address.
    pub(super) fn value(&self, at: usize) -> Option<String> {
        let piece = self.get(at)?;
        match &piece.item {
            Item::Quoted | Item::Name | Item::Ip | Item::Cidr | Item::Email => Some(piece.text.clone()),
            Item::Number(_) => Some(piece.text.replace(',', "")),
            _ => None,
        }
    }

    /// "svc-ci", "user bob or carol", "root": who, and where it ends.
    pub(super) fn actors(&self, at: usize) -> Option<(Vec<Name>, usize)> {
        let mut at = self.skip(at);
        if self.noun(at) == Some("user") {
            at = self.skip(at + 1);
        }
        let mut names = Vec::new();
        while let Some(piece) = self.get(at) {
            let name = match &piece.item {
                Item::Email => Name::Email(piece.text.clone()),
                Item::Name | Item::Quoted => Name::Text(piece.text.clone()),
                Item::Place(_) if !names.is_empty() || self.get(at - 1).is_some_and(|p| p.is(Word::Prep(Prep::By))) => {
                    Name::Text(piece.text.clone())
                }
                _ if piece.is(Word::Root) => Name::Root,
                _ if self.noun(at) == Some("admin") && piece.text.eq_ignore_ascii_case("admin") => {
                    Name::Text(piece.text.clone())
                }
                _ => break,
            };
            names.push(name);
            at += 1;
            let joint = self.is(at, Word::Or) || self.is(at, Word::And);
            let next = self.skip(at + 1);
            let next = if self.noun(next) == Some("user") { next + 1 } else { next };
            let listed = self.get(next).is_some_and(|p| matches!(p.item, Item::Email | Item::Name | Item::Quoted));
            if !(joint && listed) {
                break;
            }
            at = next;
        }
        if names.is_empty() {
            return None;
        }
        let after = self.noun(at) == Some("user") && !self.get(at + 1).is_some_and(|p| p.is(Word::That));
        Some((names, if after { at + 1 } else { at }))
    }

    pub(super) fn push_actors(&mut self, values: Vec<Name>, negated: bool) {
        self.draft.actors.push(Actor { values, negated, target: false });
    }

    pub(super) fn address(&mut self, at: usize, column: &str, op: Op) -> Option<usize> {
        let mut values = Vec::new();
        let mut at = at;
        let mut prefix = false;
        loop {
            let piece = self.get(at)?;
            match piece.item {
                Item::Ip => values.push(Literal::Text(piece.text.clone())),
                Item::Cidr => {
                    prefix = true;
                    values.push(Literal::Text(cidr_pattern(&piece.text)?));
                }
                _ => return None,
            }
            at += 1;
            let joint = self.is(at, Word::Or) || self.is(at, Word::And);
            if !(joint && self.get(at + 1).is_some_and(|p| matches!(p.item, Item::Ip))) {
                break;
            }
            at += 1;
        }
        let op = match (op, prefix) {
            (Op::Is, true) => Op::Like,
            (_, true) => Op::NotLike,
            (op, false) => op,
        };
        self.draft.filters.push(Filter::column(column, op, values));
        Some(at)
    }

    /// "Russia or China", "the UK": countries, and where the list ends.
    pub(super) fn places(&self, at: usize) -> Option<(Vec<Literal>, usize)> {
        let mut at = self.skip(at);
        if self.is(at, Word::Or) && self.text(at) == "either" {
            at = self.skip(at + 1);
        }
        let mut codes = Vec::new();
        while let Some(Item::Place(code)) = self.get(at).map(|piece| &piece.item) {
            codes.push(Literal::Text((*code).to_owned()));
            at += 1;
            let mut next = at;
            while self.is(next, Word::Or) || self.is(next, Word::And) || self.is(next, Word::Prep(Prep::From)) {
                next = self.skip(next + 1);
            }
            if next == at || !matches!(self.get(next).map(|piece| &piece.item), Some(Item::Place(_))) {
                break;
            }
            at = next;
        }
        (!codes.is_empty()).then_some((codes, at))
    }

    pub(super) fn adjective_place(&mut self, at: usize, code: &str) -> Option<usize> {
        let next = self.get(self.skip(at + 1))?;
        let origin = next.has(|word| matches!(word, Word::Login { .. } | Word::Hint(_) | Word::Noun("ip")));
        origin.then(|| self.draft.filters.push(Filter::text("src_country", code)))?;
        Some(at + 1)
    }

    pub(super) fn loose_number(&mut self, at: usize, value: f64) -> Option<usize> {
        // "5 IPs with the most", "20 worst users", "3+ ..."
        if self.is(at + 1, Word::OrMore) {
            return self.threshold(at + 2, Op::AtLeast, value);
        }
        let next = self.skip(at + 1);
        let ranked = self.is(next, Word::Most) || self.is(next, Word::Least) || self.noun(next).is_some();
        if ranked && value >= 1.0 && value.fract() == 0.0 && self.draft.top.is_none() {
            let noun_at = if self.noun(next).is_some() { next } else { self.skip(next + 1) };
            let rest = (noun_at..self.pieces.len()).any(|i| self.is(i, Word::Most) || self.is(i, Word::Least))
                || next != noun_at;
            if rest {
                self.draft.top = Some(value as u64);
                return Some(at + 1);
            }
        }
        let text = self.text(at);
        if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
            self.draft.fields.push(FieldTest { noun: "account", op: Op::Is, values: vec![Literal::Text(text)] });
            return Some(at + 1);
        }
        if (100.0..600.0).contains(&value) && (self.names_table("web") || self.draft.hints.contains(&"web")) {
            let values = vec![Literal::Number(value)];
            self.draft.fields.push(FieldTest { noun: "status", op: Op::Is, values });
            return Some(at + 1);
        }
        None
    }

    /// A name outside any rule: it must stand beside something that says it is an actor, or be a literal by its form.
    pub(super) fn loose_name(&mut self, at: usize) -> Option<usize> {
        let piece = self.get(at)?.clone();
        if region_like(&piece.text) {
            return self.region(at, Op::Is);
        }
        let next = self.get(at + 1);
        let possessive = next.is_some_and(|piece| piece.item == Item::Possessive);
        if possessive {
            let (values, _) = self.actors(at)?;
            let target = self.draft.who;
            self.draft.actors.push(Actor { values, negated: false, target });
            return Some(at + 2);
        }
        // "prod namespace", "Engineer role": a name before what it names.
        if piece.item != Item::Email
            && let Some(noun) = self.noun(at + 1).filter(|noun| *noun != "user" && names_things(noun))
        {
            return self.field_value(noun, piece.text, at + 2);
        }
        let beside = |piece: &Piece| {
            piece.is(Word::Did)
                || piece.has(|word| matches!(word, Word::Verb(_, _) | Word::Login { .. }))
                || piece.is(Word::Last)
                || piece.is(Word::First)
        };
        let by_user = self.noun(at + 1) == Some("user");
        let before = at.checked_sub(1).and_then(|i| self.get(i));
        let acting = next.is_some_and(beside) || before.is_some_and(|piece| piece.is(Word::Did));
        if piece.item == Item::Email || by_user || acting {
            let (values, end) = self.actors(at)?;
            self.push_actors(values, false);
            return Some(end);
        }
        if next.is_some_and(|piece| matches!(piece.text.as_str(), "seen" | "seen in")) && piece.text.len() > 3 {
            let values = vec![Literal::Text(format!("%{}%", escape_like(&piece.text)))];
            self.draft.filters.push(Filter::new("text", Expr::RawText, Op::ILike, values));
            return Some(at + 2);
        }
        self.vendor_literal(at, &piece.text)
    }

    /// `CreateUser`, `user.session.start`, `curl`: a name that is an event's or a client's by its form.
    pub(super) fn vendor_literal(&mut self, at: usize, text: &str) -> Option<usize> {
        let camel = text.chars().next().is_some_and(|c| c.is_ascii_uppercase())
            && text.chars().skip(1).any(|c| c.is_ascii_uppercase())
            && text.chars().any(|c| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let dotted = text.contains('.') && !text.contains('/') && !self.named.is_empty();
        if self.names_table("dns") && text.contains('.') {
            return self.field_value("query", text.to_owned(), at + 1);
        }
        if text.starts_with('/') && text.len() > 1 {
            return self.field_value("path", text.to_owned(), at + 1);
        }
        if text.starts_with("eni-") || text.starts_with("sg-") || text.starts_with("key-") {
            let noun = if text.starts_with("eni-") {
                "interface"
            } else if text.starts_with("sg-") {
                "security_group"
            } else {
                "kms_key"
            };
            return self.field_value(noun, text.to_owned(), at + 1);
        }
        if !camel && !dotted {
            return None;
        }
        if camel && self.draft.concepts.iter().any(|concept| matches!(concept.name, "attach" | "detach")) {
            return self.field_value("policy", text.to_owned(), at + 1);
        }
        if self.named.is_empty() && camel {
            const AWS_VERBS: &[&str] = &[
                "Create",
                "Delete",
                "Get",
                "List",
                "Put",
                "Describe",
                "Update",
                "Attach",
                "Detach",
                "Assume",
                "Console",
                "Run",
                "Stop",
                "Start",
                "Terminate",
                "Modify",
                "Authorize",
                "Revoke",
                "Add",
                "Remove",
                "Send",
                "Decrypt",
                "Encrypt",
                "Generate",
                "Schedule",
                "Disable",
                "Enable",
                "Copy",
                "Register",
                "Deregister",
                "Lookup",
            ];
            AWS_VERBS.iter().find(|verb| text.starts_with(**verb))?;
            self.draft.hints.push("cloudtrail");
        }
        self.draft.filters.push(Filter::text("action", text));
        Some(at + 1)
    }

    pub(super) fn region(&mut self, at: usize, op: Op) -> Option<usize> {
        let text = self.text(at);
        let values = vec![Literal::Text(text)];
        self.draft.fields.push(FieldTest { noun: "region", op, values });
        self.draft.hints.push("cloudtrail");
        Some(at + 1)
    }

    pub(super) fn field_value(&mut self, noun: &'static str, value: String, end: usize) -> Option<usize> {
        self.field_values(noun, Op::Is, vec![value], end)
    }

    pub(super) fn field_values(
        &mut self,
        noun: &'static str,
        op: Op,
        values: Vec<String>,
        end: usize,
    ) -> Option<usize> {
        let values = values.into_iter().map(Literal::Text).collect();
        self.draft.fields.push(FieldTest { noun, op, values });
        let concept = self.draft.concept(noun, false, false);
        concept.spent = true;
        Some(end)
    }
}

/// Only whole octets can be told from text.
fn cidr_pattern(cidr: &str) -> Option<String> {
    let (address, bits) = cidr.split_once('/')?;
    let octets: Vec<&str> = address.split('.').collect();
    let keep = match bits {
        "8" => 1,
        "16" => 2,
        "24" => 3,
        _ => return None,
    };
    (octets.len() == 4).then(|| format!("{}.%", octets[..keep].join(".")))
}
