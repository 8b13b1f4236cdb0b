//! By, per, from, to, in, of, with: what follows says what is meant.

use super::{Parser, escape_like, names_things, private, region_like};
use crate::draft::{Actor, FieldTest, Grouping};
use crate::intent::{Filter, Literal, Op, Test};
use crate::lexicon::{Aggregate, Prep, Word};
use crate::scan::Item;

impl Parser<'_> {
    pub(super) fn prep(&mut self, at: usize, prep: Prep) -> Option<usize> {
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

    pub(super) fn by(&mut self, at: usize, next: usize) -> Option<usize> {
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

    pub(super) fn ranking_measure(&mut self, at: usize) -> Option<usize> {
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
    pub(super) fn group_list(&mut self, at: usize) -> Option<usize> {
        let mut at = self.skip(at);
        if self.is(at, Word::Internal) && self.grouping(at + 1).is_some() {
            self.draft.filters.push(private("src_ip"));
            at += 1;
        }
        let first = self.grouping(at)?;
        self.draft.groups.push(first);
        Some(self.more_groups(at + 1))
    }

    pub(super) fn grouping(&self, at: usize) -> Option<Grouping> {
        if let Some(unit) = crate::shape::unit_word(&self.text(at)) {
            return Some(Grouping::Bucket(unit));
        }
        let noun = self.noun(at)?;
        Some(Grouping::Noun(if noun == "kms_key" && self.names_table("kubernetes") { "resource" } else { noun }))
    }

    pub(super) fn more_groups(&mut self, mut at: usize) -> usize {
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

    pub(super) fn per_event(&mut self, at: usize) -> Option<usize> {
        // "each root login": the noun phrase itself is read by the other rules.
        self.get(at)?.has(|word| matches!(word, Word::Root | Word::Login { .. } | Word::Hint(_))).then_some(at)
    }

    pub(super) fn from(&mut self, next: usize) -> Option<usize> {
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
    pub(super) fn leaving(&mut self, next: usize) -> Option<usize> {
        let end = if self.get(next).is_some_and(|p| p.is(Word::Internal)) || self.text(next) == "network" {
            self.draft.filters.push(private("src_ip"));
            next + 1
        } else {
            self.address(next, "src_ip", Op::Is)?
        };
        self.draft.hints.push("vpc_flow");
        Some(end)
    }

    pub(super) fn outside(&mut self, next: usize) -> Option<usize> {
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

    pub(super) fn to(&mut self, at: usize, next: usize) -> Option<usize> {
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
    pub(super) fn place_or_thing(&mut self, at: usize, next: usize) -> Option<usize> {
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

    pub(super) fn ports(&mut self, at: usize) -> Option<usize> {
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
    pub(super) fn of(&mut self, next: usize) -> Option<usize> {
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

    pub(super) fn vendor_literal_like(&self, at: usize) -> bool {
        let text = self.text(at);
        text.starts_with("eni-") || text.starts_with("sg-")
    }

    /// "using curl", "use boto3", "with python-requests": a client by its user agent.
    pub(super) fn using(&mut self, next: usize) -> Option<usize> {
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

    pub(super) fn push_agent(&mut self, value: String) {
        let values = vec![Literal::Text(format!("%{}%", escape_like(&value)))];
        self.draft.filters.push(Filter::column("user_agent", Op::ILike, values));
    }

    pub(super) fn tool(&mut self, at: usize) -> Option<usize> {
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

    pub(super) fn with(&mut self, at: usize, next: usize) -> Option<usize> {
        if let Some(end) = self.tool(next) {
            return Some(end);
        }
        if let Some(noun) = self.noun(next) {
            return self.noun_value(next, Op::Is).or_else(|| (noun != "mfa").then_some(next));
        }
        let number = matches!(self.get(next)?.item, Item::Number(_));
        (number || self.get(next)?.has(|word| !matches!(word, Word::Not | Word::Except | Word::Or))).then_some(at + 1)
    }

    pub(super) fn as_role(&mut self, next: usize) -> Option<usize> {
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
    pub(super) fn two_ends(&mut self, next: usize) -> Option<usize> {
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
}
