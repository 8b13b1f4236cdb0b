//! Pieces to a draft: one rule per joint of grammar, left to right. A piece that no rule takes is reported as not
//! understood; nothing is skipped but the words that the lexicon lists as without meaning.

use crate::draft::{Actor, Draft, FieldTest, Grouping, Having, Name};
use crate::intent::{Expr, Filter, Literal, Op, Ranking, Test};
use crate::lexicon::{Aggregate, LEXICON, Outcome, Prep, Word, parse_conditions};
use crate::scan::{Item, Piece};
use crate::time::Period;

pub(crate) fn parse(pieces: &[Piece], table: Option<&str>) -> Draft {
    let mut named: Vec<String> = pieces
        .iter()
        .filter_map(|piece| piece.find(|word| matches!(word, Word::Source(..)).then_some(word)))
        .filter_map(|word| if let Word::Source(table, _) = word { Some(table.to_owned()) } else { None })
        .collect();
    if named.is_empty() {
        named.extend(table.map(str::to_owned));
    }
    let mut parser = Parser { pieces, named, draft: Draft::default() };
    let mut at = 0;
    while at < pieces.len() {
        at = parser.step(at).filter(|end| *end > at).unwrap_or_else(|| {
            parser.draft.unknown.push(pieces[at].text.clone());
            at + 1
        });
    }
    parser.draft
}

pub(crate) struct Parser<'a> {
    pub(crate) pieces: &'a [Piece],
    pub(crate) named: Vec<String>,
    pub(crate) draft: Draft,
}

pub(crate) fn region_like(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts.as_slice(), [a, .., n] if parts.len() >= 3 && a.len() == 2 && n.len() == 1 && n.parse::<u8>().is_ok())
}

impl Parser<'_> {
    pub(crate) fn get(&self, at: usize) -> Option<&Piece> {
        self.pieces.get(at)
    }

    pub(crate) fn is(&self, at: usize, word: Word) -> bool {
        self.get(at).is_some_and(|piece| piece.is(word))
    }

    fn is_stop(&self, at: usize) -> bool {
        self.get(at).is_some_and(|piece| piece.is(Word::Stop) || piece.is(Word::Be))
    }

    /// The first piece at or after `at` that is no filler.
    pub(crate) fn skip(&self, mut at: usize) -> usize {
        while self.is(at, Word::Stop) {
            at += 1;
        }
        at
    }

    pub(crate) fn noun(&self, at: usize) -> Option<&'static str> {
        let piece = self.get(at)?;
        let Item::Words(words) = &piece.item else { return None };
        let nouns: Vec<&'static str> =
            words.iter().filter_map(|word| if let Word::Noun(noun) = word { Some(*noun) } else { None }).collect();
        let fits =
            |noun: &&&'static str| self.named.iter().any(|table| LEXICON.tables_of(noun).contains(&table.as_str()));
        nouns.iter().find(fits).or_else(|| nouns.first()).copied()
    }

    pub(crate) fn text(&self, at: usize) -> String {
        self.get(at).map(|piece| piece.text.clone()).unwrap_or_default()
    }

    fn names_table(&self, table: &str) -> bool {
        self.named.iter().any(|name| name == table)
    }

    fn step(&mut self, at: usize) -> Option<usize> {
        let piece = self.get(at)?.clone();
        match &piece.item {
            Item::Period(period) => Some(self.period(period, at)),
            Item::Ip | Item::Cidr => self.address(at, "src_ip", Op::Is),
            Item::Email | Item::Name | Item::Quoted => self.loose_name(at),
            Item::Number(value) => self.loose_number(at, *value),
            Item::Place(code) => self.adjective_place(at, code),
            Item::Possessive | Item::Symbol => None,
            Item::Words(_) => self.words(at, &piece),
        }
    }

    fn period(&mut self, period: &Period, at: usize) -> usize {
        match period {
            Period::Range(range) => self.draft.times.push(range.clone()),
            Period::Hours(hours) => self.draft.hours = Some(hours.clone()),
            Period::Gap(count, unit) => self.draft.gap = Some((*count, *unit)),
        }
        at + 1
    }

    fn words(&mut self, at: usize, piece: &Piece) -> Option<usize> {
        if let Some(prep) = piece.find(|word| if let Word::Prep(prep) = word { Some(prep) } else { None })
            && let Some(end) = self.prep(at, prep)
        {
            return Some(end);
        }
        self.negation(at)
            .or_else(|| self.compare(at))
            .or_else(|| self.measure(at))
            .or_else(|| self.question(at))
            .or_else(|| self.noun_rule(at))
            .or_else(|| self.subject_matter(at, piece))
            .or_else(|| self.marker(at, piece))
    }

    // ---- values -------------------------------------------------------------------------------------------------

    /// A value that can stand as a name: quoted, unknown word, number, address.
    pub(crate) fn value(&self, at: usize) -> Option<String> {
        let piece = self.get(at)?;
        match &piece.item {
            Item::Quoted | Item::Name | Item::Ip | Item::Cidr | Item::Email => Some(piece.text.clone()),
            Item::Number(_) => Some(piece.text.replace(',', "")),
            _ => None,
        }
    }

    /// "svc-ci", "user bob or carol", "root": who, and where it ends.
    pub(crate) fn actors(&self, at: usize) -> Option<(Vec<Name>, usize)> {
        let mut at = self.skip(at);
        if self.noun(at) == Some("user") {
            at = self.skip(at + 1);
        }
        let mut names = Vec::new();
        loop {
            let Some(piece) = self.get(at) else { break };
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

    pub(crate) fn push_actors(&mut self, values: Vec<Name>, negated: bool) {
        self.draft.actors.push(Actor { values, negated, target: false });
    }

    pub(crate) fn address(&mut self, at: usize, column: &str, op: Op) -> Option<usize> {
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
    pub(crate) fn places(&self, at: usize) -> Option<(Vec<Literal>, usize)> {
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

    fn adjective_place(&mut self, at: usize, code: &str) -> Option<usize> {
        let next = self.get(self.skip(at + 1))?;
        let origin = next.has(|word| matches!(word, Word::Login { .. } | Word::Hint(_) | Word::Noun("ip")));
        origin.then(|| self.draft.filters.push(Filter::text("src_country", code)))?;
        Some(at + 1)
    }

    fn loose_number(&mut self, at: usize, value: f64) -> Option<usize> {
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
    fn loose_name(&mut self, at: usize) -> Option<usize> {
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
    fn vendor_literal(&mut self, at: usize, text: &str) -> Option<usize> {
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

    pub(crate) fn region(&mut self, at: usize, op: Op) -> Option<usize> {
        let text = self.text(at);
        let values = vec![Literal::Text(text)];
        self.draft.fields.push(FieldTest { noun: "region", op, values });
        self.draft.hints.push("cloudtrail");
        Some(at + 1)
    }

    pub(crate) fn field_value(&mut self, noun: &'static str, value: String, end: usize) -> Option<usize> {
        self.field_values(noun, Op::Is, vec![value], end)
    }

    pub(crate) fn field_values(
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

    // ---- joints -------------------------------------------------------------------------------------------------

    fn prep(&mut self, at: usize, prep: Prep) -> Option<usize> {
        let next = self.skip(at + 1);
        match prep {
            Prep::By => self.by(at, next),
            Prep::Per => self.group_list(next).or_else(|| self.per_event(next)),
            Prep::From => self.from(next),
            Prep::Leaving => self.leaving(next),
            Prep::Outside => self.outside(next),
            Prep::To => self.to(at, next),
            Prep::In | Prep::On => self.place_or_thing(at, next),
            Prep::Of => self.of(next),
            Prep::Using => self.using(next),
            Prep::With => self.with(at, next),
            Prep::As => self.as_role(next),
            Prep::Between => self.two_ends(next),
        }
    }

    fn by(&mut self, at: usize, next: usize) -> Option<usize> {
        let except = self.is(next, Word::Except) || (self.is(next, Word::Anyone) && self.is(next + 1, Word::Except));
        if except {
            let start = if self.is(next, Word::Anyone) { next + 2 } else { next + 1 };
            let (values, end) = self.actors(start)?;
            self.push_actors(values, true);
            return Some(end);
        }
        if self.is(next, Word::Who) || self.is(next, Word::Which) && self.noun(self.skip(next + 1)) == Some("user") {
            self.draft.groups.push(Grouping::Noun("user"));
            let noun_at = self.skip(next + 1);
            return Some(if self.noun(noun_at) == Some("user") { self.more_groups(noun_at + 1) } else { next + 1 });
        }
        if self.get(next).is_some_and(|p| matches!(p.item, Item::Ip)) {
            return self.address(next, "src_ip", Op::Is);
        }
        if self.get(next).is_some_and(|p| p.has(|w| matches!(w, Word::Source(..)))) {
            return Some(next);
        }
        if crate::shape::unit_word(&self.text(next)).is_none()
            && let Some((values, end)) = self.actors(next)
        {
            self.push_actors(values, false);
            return Some(end);
        }
        if self.draft.top.is_some() || self.draft.ranking.is_some() {
            // "top 5 users by bytes": what follows says the measure.
            if let Some(measured) = self.ranking_measure(next) {
                return Some(measured);
            }
            if !self.draft.concepts.is_empty() || !self.draft.groups.is_empty() {
                return self.group_list(next).filter(|_| self.draft.groups.is_empty()).or(Some(at + 1));
            }
        }
        self.group_list(next)
    }

    fn ranking_measure(&mut self, at: usize) -> Option<usize> {
        let noun = self.noun(at)?;
        if !matches!(noun, "bytes" | "packets") {
            return None;
        }
        self.draft.aggregate = Some(Aggregate::Sum);
        self.draft.concept(noun, false, false).spent = true;
        self.draft.fields.push(FieldTest { noun, op: Op::Present, values: Vec::new() });
        Some(at + 1)
    }

    /// "region", "user and account", "namespace and resource".
    pub(crate) fn group_list(&mut self, at: usize) -> Option<usize> {
        let mut at = self.skip(at);
        if self.is(at, Word::Internal) && self.grouping(at + 1).is_some() {
            self.draft.filters.push(private("src_ip"));
            at += 1;
        }
        let first = self.grouping(at)?;
        self.draft.groups.push(first);
        Some(self.more_groups(at + 1))
    }

    fn grouping(&self, at: usize) -> Option<Grouping> {
        if let Some(unit) = crate::shape::unit_word(&self.text(at)) {
            return Some(Grouping::Bucket(unit));
        }
        let noun = self.noun(at)?;
        Some(Grouping::Noun(if noun == "kms_key" && self.names_table("kubernetes") { "resource" } else { noun }))
    }

    fn more_groups(&mut self, mut at: usize) -> usize {
        loop {
            if !(self.is(at, Word::And) || self.is(at, Word::Prep(Prep::Per)) || self.is(at, Word::Prep(Prep::By))) {
                return at;
            }
            let mut next = at;
            while self.is(next, Word::And)
                || self.is(next, Word::Prep(Prep::By))
                || self.is(next, Word::Prep(Prep::Per))
                || self.is(next, Word::Prep(Prep::In))
                || self.is(next, Word::Which)
                || self.is(next, Word::Stop)
            {
                next += 1;
            }
            let Some(group) = self.grouping(next).filter(|_| self.value(next + 1).is_none()) else { return at };
            self.draft.groups.push(group);
            at = next + 1;
        }
    }

    fn per_event(&mut self, at: usize) -> Option<usize> {
        // "each root login": the noun phrase itself is read by the other rules.
        self.get(at)?.has(|word| matches!(word, Word::Root | Word::Login { .. } | Word::Hint(_))).then_some(at)
    }

    fn from(&mut self, next: usize) -> Option<usize> {
        if let Some((codes, end)) = self.places(next) {
            self.draft.filters.push(Filter::column("src_country", Op::Is, codes));
            return Some(end);
        }
        if matches!(self.noun(next), Some("ip" | "src_port" | "country" | "host"))
            && self.value(self.skip(next + 1)).is_some()
        {
            return self.noun_value(next, Op::Is);
        }
        let mut next = next;
        if self.noun(next) == Some("ip") {
            next = self.skip(next + 1);
        }
        if let Some(end) = self.address(next, "src_ip", Op::Is) {
            return Some(end);
        }
        if self.noun(next) == Some("user") || self.get(next).is_some_and(|p| p.item == Item::Email) {
            let (values, end) = self.actors(next)?;
            self.push_actors(values, false);
            return Some(end);
        }
        if region_like(&self.text(next)) {
            return self.region(next, Op::Is);
        }
        if let Some(tool) = self.tool(next) {
            return Some(tool);
        }
        if let Some(noun) = self.noun(next).filter(|_| self.is(next - 1, Word::Which)) {
            self.draft.groups.push(Grouping::Noun(noun));
            return Some(next + 1);
        }
        // "from any tool", "from ec2", "removed from the org", "from outside": the next rule reads what follows.
        let known = self.get(next)?.has(|word| {
            matches!(
                word,
                Word::Source(..)
                    | Word::Service(_)
                    | Word::Noun(_)
                    | Word::Internal
                    | Word::External
                    | Word::Concept(_)
                    | Word::Referred(_)
            )
        });
        known.then_some(next)
    }

    /// "leaving 10.0.0.1", "leaving our network".
    fn leaving(&mut self, next: usize) -> Option<usize> {
        let end = if self.get(next).is_some_and(|p| p.is(Word::Internal)) || self.text(next) == "network" {
            self.draft.filters.push(private("src_ip"));
            next + 1
        } else {
            self.address(next, "src_ip", Op::Is)?
        };
        self.draft.hints.push("vpc_flow");
        Some(end)
    }

    fn outside(&mut self, next: usize) -> Option<usize> {
        if let Some((codes, end)) = self.places(next) {
            self.draft.filters.push(Filter::column("src_country", Op::Differs, codes));
            return Some(end);
        }
        if let Some(end) = self.address(next, "src_ip", Op::IsNot) {
            return Some(end);
        }
        let noun = self.noun(next).filter(|_| self.value(next + 1).is_some());
        noun.and_then(|_| self.noun_value(next, Op::IsNot))
            .or_else(|| region_like(&self.text(next)).then(|| self.region(next, Op::IsNot)).flatten())
    }

    fn to(&mut self, at: usize, next: usize) -> Option<usize> {
        if let Some((codes, end)) = self.places(next) {
            self.draft.filters.push(Filter::column("dst_country", Op::Is, codes));
            self.draft.hints.push("vpc_flow");
            return Some(end);
        }
        let ip = if self.noun(next) == Some("ip") { self.skip(next + 1) } else { next };
        if let Some(end) = self.address(ip, "dst_ip", Op::Is) {
            self.draft.hints.push("vpc_flow");
            return Some(end);
        }
        if matches!(self.noun(next), Some("port" | "path" | "dst_country" | "query")) {
            return self.noun_value(next, Op::Is).or(Some(next));
        }
        if self.text(next).starts_with('/') {
            return self.field_value("path", self.text(next), next + 1);
        }
        let piece = self.get(next)?;
        if matches!(piece.item, Item::Number(_)) || piece.has(|w| matches!(w, Word::Compare(_))) {
            return Some(next);
        }
        let follows = self.noun(next).is_some()
            || piece.has(|word| {
                matches!(
                    word,
                    Word::Source(..) | Word::Concept(_) | Word::Internal | Word::External | Word::Prep(Prep::Using)
                )
            });
        if follows && (self.noun(next) != Some("user") || !self.draft.concepts.is_empty()) {
            return Some(at + 1);
        }
        (self.noun(next) == Some("user")).then_some(at + 1)
    }

    /// "in eu-west-1", "in okta", "on 3389 or 445", "in the last hour" (read as time already).
    fn place_or_thing(&mut self, at: usize, next: usize) -> Option<usize> {
        if let Some((codes, end)) = self.places(next) {
            self.draft.filters.push(Filter::column("src_country", Op::Is, codes));
            return Some(end);
        }
        if region_like(&self.text(next)) {
            return self.region(next, Op::Is);
        }
        if let Some(Item::Number(_)) = self.get(next).map(|piece| &piece.item)
            && self.is(at, Word::Prep(Prep::On))
            && self.text(next).len() < 6
        {
            return self.ports(next);
        }
        if let Some(noun) = self.noun(next).filter(|_| self.is(next - 1, Word::Which)) {
            self.draft.groups.push(Grouping::Noun(noun));
            return Some(next + 1);
        }
        if let Some(noun) = self.noun(next)
            && self.value(self.skip(next + 1)).is_some()
            && names_things(noun)
        {
            return self.noun_value(next, Op::Is);
        }
        if let Some(value) = self.value(next) {
            // "on SRV-DB1", "in prod", "on key-1": a thing of the table that is being asked.
            let piece = self.get(next)?.item.clone();
            if let Some(noun) = self.noun(next + 1).filter(|noun| names_things(noun)) {
                return self.field_value(noun, value, next + 2);
            }
            if matches!(piece, Item::Name | Item::Quoted) {
                if let Some(end) = self.vendor_literal(next, &value) {
                    return Some(end);
                }
                let noun = if self.names_table("json") {
                    "environment"
                } else if self.names_table("kubernetes") {
                    "namespace"
                } else if self.is(at, Word::Prep(Prep::On)) {
                    "host"
                } else {
                    return None;
                };
                return self.field_value(noun, value, next + 1);
            }
            return None;
        }
        self.get(next)?.has(|word| !matches!(word, Word::Not | Word::Except | Word::Versus)).then_some(next)
    }

    pub(crate) fn ports(&mut self, at: usize) -> Option<usize> {
        let mut values = Vec::new();
        let mut at = at;
        while let Some(Item::Number(value)) = self.get(at).map(|piece| &piece.item) {
            values.push(Literal::Number(*value));
            at += 1;
            if !((self.is(at, Word::Or) || self.is(at, Word::And))
                && self.get(at + 1).is_some_and(|p| matches!(p.item, Item::Number(_))))
            {
                break;
            }
            at += 1;
        }
        self.draft.fields.push(FieldTest { noun: "port", op: Op::Is, values });
        self.draft.hints.push("vpc_flow");
        Some(at)
    }

    /// "of bob", "for user carol", "of evil.example": an actor, or an object that the next rule reads.
    fn of(&mut self, next: usize) -> Option<usize> {
        let piece = self.get(next)?;
        if matches!(piece.item, Item::Name) && self.names_table("dns") && piece.text.contains('.') {
            return self.field_value("query", piece.text.clone(), next + 1);
        }
        if matches!(piece.item, Item::Ip | Item::Cidr | Item::Period(_) | Item::Place(_)) {
            return Some(next);
        }
        if matches!(piece.item, Item::Name | Item::Email | Item::Quoted) {
            if self.noun(next + 1).is_some_and(|noun| noun != "user" && names_things(noun))
                || self.vendor_literal_like(next)
            {
                return Some(next);
            }
            let (values, end) = self.actors(next)?;
            let target = self.draft.concepts.iter().any(|concept| concept.verb)
                && self.draft.login.is_none()
                && !self.draft.concepts.iter().any(|c| matches!(c.name, "download" | "read" | "clone"));
            self.draft.actors.push(Actor { values, negated: false, target });
            return Some(end);
        }
        if self.noun(next) == Some("user")
            && let Some((values, end)) = self.actors(next)
        {
            self.push_actors(values, false);
            return Some(end);
        }
        piece.has(|word| !matches!(word, Word::Not | Word::Except)).then_some(next)
    }

    fn vendor_literal_like(&self, at: usize) -> bool {
        let text = self.text(at);
        text.starts_with("eni-") || text.starts_with("sg-")
    }

    /// "using curl", "use boto3", "with python-requests": a client by its user agent.
    fn using(&mut self, next: usize) -> Option<usize> {
        if let Some(end) = self.tool(next) {
            return Some(end);
        }
        if self.noun(next).is_some()
            || self.get(next)?.has(|word| matches!(word, Word::Condition(..) | Word::Source(..) | Word::Concept(_)))
        {
            return Some(next);
        }
        let value = match self.get(next)?.item {
            Item::Name | Item::Quoted => self.text(next),
            _ => return None,
        };
        self.push_agent(value);
        Some(next + 1)
    }

    fn push_agent(&mut self, value: String) {
        let values = vec![Literal::Text(format!("%{}%", escape_like(&value)))];
        self.draft.filters.push(Filter::column("user_agent", Op::ILike, values));
    }

    fn tool(&mut self, at: usize) -> Option<usize> {
        const TOOLS: &[&str] = &[
            "curl",
            "wget",
            "boto3",
            "botocore",
            "aws-cli",
            "python",
            "python-requests",
            "postman",
            "terraform",
            "kali",
            "powershell",
            "okhttp",
            "firefox",
            "chrome",
            "safari",
            "edge",
            "go-http-client",
            "nmap",
            "sqlmap",
            "hydra",
            "tor",
            "cloudshell",
            "pacu",
            "kubectl",
            "ansible",
            "pulumi",
            "cyberduck",
            "rclone",
        ];
        let text = self.text(at);
        let name = text.to_lowercase();
        if !TOOLS.contains(&name.as_str())
            || self.get(at)?.has(|word| matches!(word, Word::Source(..)))
            || self.noun(at + 1) == Some("user")
        {
            return None;
        }
        if matches!(name.as_str(), "boto3" | "botocore" | "aws-cli" | "terraform" | "curl") {
            self.draft.hints.push("cloudtrail");
        }
        self.push_agent(text);
        Some(at + 1)
    }

    fn with(&mut self, at: usize, next: usize) -> Option<usize> {
        if let Some(end) = self.tool(next) {
            return Some(end);
        }
        if let Some(noun) = self.noun(next) {
            return self.noun_value(next, Op::Is).or_else(|| (noun != "mfa").then_some(next));
        }
        let number = matches!(self.get(next)?.item, Item::Number(_));
        (number || self.get(next)?.has(|word| !matches!(word, Word::Not | Word::Except | Word::Or))).then_some(at + 1)
    }

    fn as_role(&mut self, next: usize) -> Option<usize> {
        if self.noun(next) == Some("role") {
            return self.noun_value(next, Op::Is);
        }
        if self.get(next)?.is(Word::Percent) {
            return Some(next);
        }
        let value = match self.get(next)?.item {
            Item::Name | Item::Quoted => self.text(next),
            _ => return None,
        };
        self.field_value("role", value, next + 1)
    }

    /// "between 10.0.0.1 and 10.0.0.2": either way.
    fn two_ends(&mut self, next: usize) -> Option<usize> {
        let (first, second) = (self.text(next), self.text(next + 2));
        let is_ip = |at: usize| self.get(at).is_some_and(|piece| piece.item == Item::Ip);
        if !(is_ip(next) && self.is(next + 1, Word::And) && is_ip(next + 2)) {
            return None;
        }
        let way = |src: &str, dst: &str| vec![Filter::text("src_ip", src), Filter::text("dst_ip", dst)];
        let test = Test::Any(vec![way(&first, &second), way(&second, &first)]);
        self.draft.filters.push(Filter { slot: "src_ip".into(), test });
        self.draft.hints.push("vpc_flow");
        Some(next + 3)
    }

    // ---- negation -----------------------------------------------------------------------------------------------

    fn negation(&mut self, at: usize) -> Option<usize> {
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

    fn negated_words(&mut self, at: usize) -> Option<usize> {
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

/// Nouns that can be followed by the name of one of their kind.
pub(crate) fn names_things(noun: &str) -> bool {
    LEXICON.field(noun, "cloudtrail").is_some() || !LEXICON.tables_of(noun).is_empty()
}

pub(crate) fn private(column: &str) -> Filter {
    Filter::column(column, Op::Like, vec![Literal::Text("10.%".into())])
}

pub(crate) fn negate(filter: &Filter) -> Option<Filter> {
    let Test::Compare { expr, op, values } = &filter.test else { return None };
    let op = match op {
        Op::Is => Op::IsNot,
        Op::IsNot => Op::Is,
        Op::Like => Op::NotLike,
        Op::ILike => Op::NotILike,
        Op::Missing => Op::Present,
        Op::Present => Op::Missing,
        _ => return None,
    };
    Some(Filter::new(filter.slot.clone(), expr.clone(), op, values.clone()))
}

pub(crate) fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
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

impl Parser<'_> {
    // ---- things and deeds ---------------------------------------------------------------------------------------

    /// "region is us-east-1", "bucket prod-data", "status 500", "user agent containing curl".
    pub(crate) fn noun_value(&mut self, at: usize, op: Op) -> Option<usize> {
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
    fn word_as_value(&self, noun: &str, at: usize) -> Option<String> {
        let text = self.text(at);
        let capital = text.chars().next().is_some_and(char::is_uppercase) && !text.contains(' ');
        let named_by_words =
            matches!(noun, "role" | "namespace" | "bucket" | "host" | "vault" | "program" | "level" | "environment");
        (named_by_words && capital && at + 1 >= self.pieces.len().min(at + 1)).then_some(text)
    }

    fn numbers(&self, mut at: usize) -> Vec<Literal> {
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

    fn noun_rule(&mut self, at: usize) -> Option<usize> {
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
    fn amount_noun(&mut self, at: usize, noun: &'static str) -> Option<usize> {
        self.draft.aggregate = self.draft.aggregate.or(Some(Aggregate::Sum));
        self.draft.concept(noun, false, false).spent = true;
        self.draft.fields.push(FieldTest { noun, op: Op::Present, values: Vec::new() });
        let out = matches!(self.text(at + 1).as_str(), "out" | "sent" | "leaving" | "transferred");
        Some(if out && self.text(at + 1) == "out" { at + 2 } else { at + 1 })
    }

    /// After "which", "distinct", "top 5", "how many", or before "with", "that": this is what is wanted.
    fn stands_first(&self, at: usize) -> bool {
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
    fn acts(&self, at: usize) -> bool {
        if !matches!(self.noun(at), Some("user" | "ip" | "host" | "account" | "country")) {
            return false;
        }
        let that = self.is(at + 1, Word::That);
        let verb_at = if that { at + 2 } else { at + 1 };
        let verb = self.get(verb_at).is_some_and(|piece| piece.has(|word| matches!(word, Word::Verb(..))));
        verb && (verb_at + 1..self.pieces.len()).any(|i| self.noun(i).is_some() || self.value(i).is_some())
    }

    fn condition(&mut self, at: usize, only_named: bool) -> Option<usize> {
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

    fn subject_matter(&mut self, at: usize, piece: &Piece) -> Option<usize> {
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

    fn marker(&mut self, at: usize, piece: &Piece) -> Option<usize> {
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
    fn joins_alike(&self, at: usize) -> bool {
        let deed = |piece: &Piece| piece.has(|w| matches!(w, Word::Verb(..) | Word::Noun(_) | Word::Concept(_)));
        let fixed = |piece: &Piece| piece.has(|w| matches!(w, Word::Condition(..)));
        let before = at.checked_sub(1).and_then(|i| self.get(i));
        let after = self.get(self.skip(at + 1));
        let both = |test: &dyn Fn(&Piece) -> bool| before.is_some_and(test) && after.is_some_and(test);
        let named = before.is_some_and(|piece| piece.has(|w| matches!(w, Word::Login { .. })) || deed(piece));
        both(&deed) || both(&fixed) || (named && after.is_some_and(deed))
    }

    /// "containing 'x' in user agent", "events mentioning x".
    fn contains(&mut self, at: usize) -> Option<usize> {
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

    // ---- measures -----------------------------------------------------------------------------------------------

    fn compare(&mut self, at: usize) -> Option<usize> {
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
    fn unsay(&mut self, noun: &str) {
        if self.draft.concepts.last().is_some_and(|concept| concept.name == noun) {
            self.draft.concepts.pop();
        }
        if self.draft.fields.last().is_some_and(|field| field.noun == noun && field.op == Op::Present) {
            self.draft.fields.pop();
            self.draft.aggregate = None;
        }
    }

    fn compare_field(&mut self, noun: &'static str, op: Op, value: f64) {
        self.draft.fields.push(FieldTest { noun, op, values: vec![Literal::Number(value)] });
        if noun == "bytes" {
            self.draft.hints.push("vpc_flow");
        }
    }

    /// "more than 20 different ports", "at least 3 times", "3+".
    fn threshold(&mut self, at: usize, op: Op, value: f64) -> Option<usize> {
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

    fn measure(&mut self, at: usize) -> Option<usize> {
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

    fn first_or_last(&mut self, at: usize, first: bool) -> Option<usize> {
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

    fn top(&mut self, at: usize) -> Option<usize> {
        let number = match self.get(at + 1).map(|piece| &piece.item) {
            Some(Item::Number(value)) => Some(*value as u64),
            _ => None,
        };
        self.draft.ranking = Some(Ranking::Most);
        self.draft.top = Some(number.unwrap_or(10).max(1));
        Some(if number.is_some() { at + 2 } else { at + 1 })
    }

    fn question(&mut self, at: usize) -> Option<usize> {
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

fn soft_concept(table: &str, text: &str) -> Option<&'static str> {
    match (table, text.to_lowercase().as_str()) {
        ("vpc_flow", text) if text.contains("flow log") => Some("flow_log"),
        ("guardduty", _) => Some("detector"),
        ("cloudtrail", text) if text.contains("trail") => Some("trail"),
        _ => None,
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

/// What a word of outcome means in a table.
pub(crate) fn outcome_filter(outcome: Outcome, table: &str) -> Filter {
    let flow = table == "vpc_flow";
    match outcome {
        Outcome::Denied | Outcome::Failure if flow => Filter::text("action", "REJECT"),
        Outcome::Allowed | Outcome::Success if flow => Filter::text("action", "ACCEPT"),
        Outcome::Denied | Outcome::Failure => Filter::text("outcome", "failure"),
        Outcome::Allowed | Outcome::Success => Filter::text("outcome", "success"),
    }
}
