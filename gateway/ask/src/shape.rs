//! A draft to an intent: chooses the table, looks deeds and things up in it, and decides what the answer looks like.

use crate::draft::{Actor, Concept, Draft, FieldTest, Grouping, Having, Name};
use crate::intent::{Expr, Filter, Intent, Key, Literal, Measure, Op, Output, Ranking, Test, Threshold, Unit};
use crate::lexicon::{Aggregate, Event, LEXICON, Outcome};
use crate::parse::outcome_filter;

pub(crate) const EVENTS_TABLE: &str = "events";

/// Why a draft has no one meaning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Unclear {
    /// Words that were read but fit nothing in the table.
    Unused(Vec<String>),
    /// Several tables know this; none was named.
    Tables(Vec<&'static str>),
    TwoSources(Vec<&'static str>),
    NoField(&'static str, String),
    Nothing,
}

pub(crate) fn unit_word(text: &str) -> Option<Unit> {
    Some(match text.to_lowercase().as_str() {
        "minute" | "minutes" => Unit::Minute,
        "hour" | "hours" => Unit::Hour,
        "day" | "days" | "date" => Unit::Day,
        "week" | "weeks" => Unit::Week,
        "month" | "months" => Unit::Month,
        _ => return None,
    })
}

/// Tables with people in them: "who" asks for their names. Elsewhere it asks for the events.
fn has_people(table: &str) -> bool {
    !matches!(table, "vpc_flow" | "dns" | "web" | "json" | "docker")
}

pub(crate) struct Resolved {
    pub table: String,
    pub filters: Vec<Filter>,
}

pub(crate) fn intent(draft: &Draft, previous: Option<&str>) -> Result<Intent, Unclear> {
    let resolved = resolve(draft, previous)?;
    let output = output(draft, &resolved)?;
    let mut filters = resolved.filters;
    strip_compared(draft, &output, &mut filters);
    let two_times = draft.versus && draft.times.len() == 2;
    let time = if two_times { hull(draft) } else { draft.times.last().cloned() };
    if draft.times.len() > 1 && !two_times {
        return Err(Unclear::Unused(draft.times.iter().map(|time| time.text.clone()).collect()));
    }
    if draft.gap.is_some() {
        return Err(Unclear::Unused(vec!["within".into()]));
    }
    Ok(Intent { table: resolved.table, filters, time, hours: draft.hours.clone(), output, relation: None })
}

/// The range that holds both of two compared ones.
fn hull(draft: &Draft) -> Option<crate::intent::TimeRange> {
    let earliest = draft.times.iter().find(|time| time.to.is_some())?;
    let mut whole = earliest.clone();
    whole.to = None;
    whole.text = draft.times.iter().map(|time| time.text.as_str()).collect::<Vec<_>>().join(" and ");
    Some(whole)
}

/// What a measure compares is no filter of the whole.
fn strip_compared(draft: &Draft, output: &Output, filters: &mut Vec<Filter>) {
    let Output::Groups { measures, .. } = output else { return };
    let compared: Vec<&Filter> = measures
        .iter()
        .flat_map(|measure| match measure {
            Measure::CountWhere(filters) | Measure::Percent(filters) => filters.as_slice(),
            _ => &[],
        })
        .collect();
    let by_outcome = draft.versus || draft.percent;
    filters.retain(|filter| !(by_outcome && compared.contains(&filter) && (draft.percent || filter.slot != "event")));
}

pub(crate) fn resolve(draft: &Draft, previous: Option<&str>) -> Result<Resolved, Unclear> {
    let (table, events) = choose(draft, previous)?;
    let mut filters = Vec::new();
    let by_event = !events.is_empty();
    for (source, condition) in &draft.sources {
        let whole = *condition == "service = drive" && by_event;
        if *source == table && !whole {
            filters.extend(crate::lexicon::parse_conditions(condition));
        }
    }
    let covers_login = events.iter().any(|event| event.needs.iter().flatten().any(|need| *need == "login"));
    filters.extend(event_filter(&events));
    login_filters(draft, &table, covers_login, &mut filters);
    if let Some(service) = draft.services.first().filter(|_| !by_event) {
        filters.push(Filter::text("service", service));
    }
    if draft.finding && table != "guardduty" {
        filters.push(Filter::text("category", "finding"));
    }
    if let Some(category) = draft.category {
        filters.push(Filter::text("category", category));
    }
    outcome_filters(draft, &table, by_event, &mut filters);
    let compared = draft.versus && draft.severities.len() > 1;
    for (op, level) in draft.severities.iter().filter(|_| !compared) {
        filters.push(Filter::column("severity", *op, vec![Literal::Number(f64::from(*level))]));
    }
    if draft.root {
        filters.push(actor_filter(&Actor { values: vec![Name::Root], negated: false, target: false }, &table));
    }
    filters.extend(condition_filters(draft, &table)?);
    for field in &draft.fields {
        filters.extend(field_filter(field, &table)?);
    }
    let aimed = draft.filters.iter().any(|filter| filter.slot == "dst_ip" || filter.slot == "dst_country");
    if aimed
        && !matches!(table.as_str(), "vpc_flow" | "events" | "guardduty" | "windows" | "crowdstrike" | "dns" | "json")
    {
        return Err(Unclear::NoField("destination", table));
    }
    filters.extend(draft.filters.iter().cloned());
    filters.extend(draft.actors.iter().map(|actor| actor_filter(actor, &table)));
    contradiction(&filters)?;
    Ok(Resolved { table, filters })
}

/// Two values for one thing would have to be alternatives, and nothing read them as such.
fn contradiction(filters: &[Filter]) -> Result<(), Unclear> {
    for (i, filter) in filters.iter().enumerate() {
        let Test::Compare { expr, op: Op::Is, values } = &filter.test else { continue };
        for other in &filters[i + 1..] {
            if let Test::Compare { expr: same, op: Op::Is, values: more } = &other.test
                && same == expr
                && more != values
            {
                return Err(Unclear::Unused(vec![format!("{} twice", slot_of(expr))]));
            }
        }
    }
    Ok(())
}

// ---- table and events ---------------------------------------------------------------------------------------------

fn choose(draft: &Draft, previous: Option<&str>) -> Result<(String, Vec<&'static Event>), Unclear> {
    let mut named: Vec<&'static str> = Vec::new();
    for (table, _) in &draft.sources {
        if !named.contains(table) {
            named.push(table);
        }
    }
    if named.len() > 1 {
        return Err(Unclear::TwoSources(named));
    }
    if let Some(table) = named.first() {
        if let Some(events) = events_for(draft, table, false) {
            return Ok(((*table).to_owned(), events));
        }
        if let Some(events) = events_for(draft, "cloudtrail", true)
            && matches!(*table, "vpc_flow" | "guardduty")
        {
            return Ok(("cloudtrail".to_owned(), events));
        }
        return Err(Unclear::Unused(unused(draft)));
    }
    if let Some(table) = previous {
        return match events_for(draft, table, false) {
            Some(events) => Ok((table.to_owned(), events)),
            None => Err(Unclear::Unused(unused(draft))),
        };
    }
    let narrowed = narrowed(draft);
    if let Some(table) = narrowed.first()
        && let Some(events) = events_for(draft, table, false)
    {
        return Ok(((*table).to_owned(), events));
    }
    if musts(draft, false).is_empty() && narrowed.is_empty() {
        return general(draft);
    }
    unnamed(draft)
}

/// Nothing names a table and nothing needs one: the view over all sources.
fn general(draft: &Draft) -> Result<(String, Vec<&'static Event>), Unclear> {
    let about = draft.login.is_some()
        || draft.finding
        || draft.category.is_some()
        || draft.everything
        || draft.rows
        || !draft.actors.is_empty()
        || !draft.filters.is_empty()
        || !draft.outcomes.is_empty();
    if about { Ok((EVENTS_TABLE.to_owned(), Vec::new())) } else { Err(Unclear::Nothing) }
}

/// Tables that the question points at without naming them.
fn narrowed(draft: &Draft) -> Vec<&'static str> {
    let mut tables: Vec<&'static str> = Vec::new();
    for (table, _) in &draft.conditions {
        if *table != "*" {
            tables.push(table);
        }
    }
    if draft.console || !draft.services.is_empty() {
        tables.push("cloudtrail");
    }
    for field in &draft.fields {
        let kept = LEXICON.tables_of(field.noun);
        if let [only] = kept.as_slice() {
            tables.push(only);
        }
    }
    for group in &draft.groups {
        if let Grouping::Noun(noun) = group
            && let [only] = LEXICON.tables_of(noun).as_slice()
        {
            tables.push(only);
        }
    }
    tables.extend(&draft.hints);
    for field in &draft.fields {
        tables.extend(LEXICON.tables_of(field.noun).first());
    }
    if draft.root {
        tables.push("cloudtrail");
    }
    let flows = draft.versus && draft.outcomes.contains(&Outcome::Denied) && draft.outcomes.contains(&Outcome::Allowed);
    if flows && draft.login.is_none() && draft.concepts.is_empty() {
        tables.push("vpc_flow");
    }
    tables
}

fn unnamed(draft: &Draft) -> Result<(String, Vec<&'static Event>), Unclear> {
    let mut found: Vec<(&'static str, Vec<&'static Event>)> = Vec::new();
    for event in &LEXICON.events {
        if found.iter().any(|(table, _)| *table == event.table) {
            continue;
        }
        // "create" alone is a verb of one cluster API, not a sign that it is meant.
        let telling = |events: &Vec<&'static Event>| {
            events.iter().any(|event| event.needs.len() > 1 || !matches!(event.needs[0][0], "create" | "delete"))
        };
        if let Some(events) = events_for(draft, event.table, false).filter(telling) {
            found.push((event.table, events));
        }
    }
    let names: Vec<&str> = draft.concepts.iter().map(|concept| concept.name).collect();
    let chosen = match found.len() {
        0 => {
            return if draft.concepts.iter().any(|c| !c.spent) {
                Err(Unclear::Unused(unused(draft)))
            } else {
                Err(Unclear::Nothing)
            };
        }
        1 => found.pop(),
        _ => {
            let default = LEXICON.default_table(&names);
            let at = found.iter().position(|(table, _)| Some(*table) == default);
            at.map(|at| found.swap_remove(at))
        }
    };
    match chosen {
        Some((table, events)) => Ok((table.to_owned(), events)),
        None => Err(Unclear::Tables(found.into_iter().map(|(table, _)| table).collect())),
    }
}

fn unused(draft: &Draft) -> Vec<String> {
    musts(draft, true).iter().map(|concept| concept.name.replace('_', " ")).collect()
}

/// Concepts that an event has to account for.
fn musts(draft: &Draft, heads: bool) -> Vec<&Concept> {
    let must = |concept: &&Concept| !concept.spent && !concept.subject && (concept.verb || heads || !concept.head);
    draft.concepts.iter().filter(must).collect()
}

/// The most specific events of a table that together account for what was said; `None` where they cannot.
fn events_for(draft: &Draft, table: &str, soft: bool) -> Option<Vec<&'static Event>> {
    matching(draft, table, soft, false).or_else(|| matching(draft, table, soft, true))
}

fn matching(draft: &Draft, table: &str, soft: bool, subjects: bool) -> Option<Vec<&'static Event>> {
    let usable = |concept: &&Concept| subjects || !concept.subject;
    let mut present: Vec<&str> = draft.concepts.iter().filter(usable).map(|concept| concept.name).collect();
    let countable =
        |name: &str| draft.concepts.iter().any(|c| c.name == name && (!c.spent || soft) && (!c.subject || subjects));
    if draft.login.is_some() {
        present.push("login");
    }
    let mut found: Vec<(&'static Event, Vec<&str>)> = Vec::new();
    for event in LEXICON.events.iter().filter(|event| event.table == table) {
        if !event.needs.iter().all(|need| need.iter().any(|concept| present.contains(concept))) {
            continue;
        }
        let covered: Vec<&str> =
            event.needs.iter().flatten().copied().filter(|concept| present.contains(concept)).collect();
        if covered.iter().any(|name| countable(name)) {
            found.push((event, covered));
        }
    }
    let wider = |a: &[&str], b: &[&str]| b.len() > a.len() && a.iter().all(|concept| b.contains(concept));
    let kept: Vec<(&'static Event, Vec<&str>)> =
        found.iter().filter(|(_, covered)| !found.iter().any(|(_, other)| wider(covered, other))).cloned().collect();
    let must = draft.concepts.iter().filter(|c| !c.spent && (c.verb || (!c.head && (!c.subject || subjects))));
    for concept in must {
        if !kept.iter().any(|(_, covered)| covered.contains(&concept.name)) {
            return None;
        }
    }
    Some(kept.into_iter().map(|(event, _)| event).collect())
}

fn event_filter(events: &[&'static Event]) -> Vec<Filter> {
    match events {
        [] => Vec::new(),
        [one] => {
            one.conditions.iter().map(|filter| Filter { slot: "event".into(), test: filter.test.clone() }).collect()
        }
        many => {
            let mut actions: Vec<Literal> = Vec::new();
            let plain = many.iter().all(|event| match event.conditions.as_slice() {
                [Filter { test: Test::Compare { expr: Expr::Column(column), op: Op::Is, values }, .. }]
                    if column == "action" =>
                {
                    actions.extend(values.iter().filter(|value| !actions.contains(value)).cloned().collect::<Vec<_>>());
                    true
                }
                _ => false,
            });
            let test = if plain {
                Test::Compare { expr: Expr::Column("action".into()), op: Op::Is, values: actions }
            } else {
                Test::Any(many.iter().map(|event| event.conditions.clone()).collect())
            };
            vec![Filter { slot: "event".into(), test }]
        }
    }
}

fn login_filters(draft: &Draft, table: &str, covered: bool, filters: &mut Vec<Filter>) {
    if draft.console && table == "cloudtrail" {
        filters.push(Filter { slot: "event".into(), test: Filter::text("action", "ConsoleLogin").test });
    } else if draft.login.is_some() && !covered {
        filters.push(Filter { slot: "event".into(), test: Filter::text("category", "authentication").test });
    }
}

fn outcome_filters(draft: &Draft, table: &str, by_event: bool, filters: &mut Vec<Filter>) {
    if draft
        .conditions
        .iter()
        .any(|(_, conditions)| conditions.iter().any(|f| f.slot == "outcome" || f.slot == "raw.errorCode"))
    {
        return;
    }
    if draft.versus && draft.outcomes.len() > 1 {
        return;
    }
    for outcome in &draft.outcomes {
        let filter = outcome_filter(*outcome, table);
        if !filters.contains(&filter) {
            filters.push(filter);
        }
    }
    if !draft.outcomes.is_empty() {
        return;
    }
    let reaches = draft.last && !draft.actors.is_empty();
    let login_done = draft.login == Some(true) || (draft.login.is_some() && (reaches || (draft.root && draft.last)));
    let mut verbs = draft.concepts.iter().filter(|concept| concept.verb).peekable();
    let done = by_event && verbs.peek().is_some() && verbs.all(|concept| concept.done);
    if login_done || (done && matches!(table, "cloudtrail" | "gcp_audit")) {
        filters.push(Filter::text("outcome", "success"));
    }
}

fn condition_filters(draft: &Draft, table: &str) -> Result<Vec<Filter>, Unclear> {
    let mut filters: Vec<Filter> = Vec::new();
    for (owner, conditions) in &draft.conditions {
        if *owner != "*" && *owner != table {
            return Err(Unclear::NoField(conditions_name(conditions), table.to_owned()));
        }
        for condition in conditions {
            // "bypass code or phone call": two values of one field are alternatives.
            let twin = filters.iter_mut().find(|filter| filter.slot == condition.slot);
            match (twin.map(|filter| &mut filter.test), &condition.test) {
                (Some(Test::Compare { op: Op::Is, values, .. }), Test::Compare { op: Op::Is, values: more, .. }) => {
                    values.extend(more.iter().cloned());
                }
                _ => filters.push(condition.clone()),
            }
        }
    }
    Ok(filters)
}

fn conditions_name(conditions: &[Filter]) -> &'static str {
    if conditions.iter().any(|filter| filter.slot == "mfa") { "mfa" } else { "this condition" }
}

fn field_filter(field: &FieldTest, table: &str) -> Result<Option<Filter>, Unclear> {
    let Some((expr, tail)) =
        LEXICON.field(field.noun, table).filter(|(expr, _)| table != EVENTS_TABLE || matches!(expr, Expr::Column(_)))
    else {
        return Err(Unclear::NoField(field.noun, table.to_owned()));
    };
    if field.op == Op::Present && matches!(field.noun, "bytes" | "packets") {
        return Ok(None);
    }
    let slot = slot_of(&expr);
    let values = fit(&field.values, &expr);
    if tail && matches!(field.op, Op::Is | Op::IsNot) {
        let exact = Filter::new(slot.clone(), expr.clone(), Op::Is, values.clone());
        let ends: Vec<Literal> = field
            .values
            .iter()
            .filter_map(|value| match value {
                Literal::Text(text) => Some(Literal::Text(format!("%/{}", crate::parse::escape_like(text)))),
                _ => None,
            })
            .collect();
        if field.op == Op::IsNot {
            return Ok(Some(Filter::new(slot, expr, Op::NotLike, ends)));
        }
        let test = Test::Any(vec![vec![exact], vec![Filter::new("end", expr, Op::Like, ends)]]);
        return Ok(Some(Filter { slot, test }));
    }
    Ok(Some(Filter::new(slot, expr, field.op, values)))
}

/// Numbers are numbers in columns of numbers, and text elsewhere.
fn fit(values: &[Literal], expr: &Expr) -> Vec<Literal> {
    const NUMERIC: &[&str] = &["status", "severity", "bytes", "packets", "dst_port", "src_port", "protocol", "src_asn"];
    let numeric = match expr {
        Expr::Column(name) => NUMERIC.contains(&name.as_str()),
        Expr::RawNumber(_) => true,
        _ => false,
    };
    values
        .iter()
        .map(|value| match value {
            Literal::Text(text) if numeric => text.parse().map_or_else(|_| value.clone(), Literal::Number),
            Literal::Number(number) if !numeric => Literal::Text(crate::print::number(*number)),
            other => other.clone(),
        })
        .collect()
}

pub(crate) fn slot_of(expr: &Expr) -> String {
    match expr {
        Expr::Column(name) => name.clone(),
        Expr::Raw(path) | Expr::RawNumber(path) => format!("raw.{}", path.join(".")),
        Expr::RawText => "text".into(),
    }
}

fn actor_filter(actor: &Actor, table: &str) -> Filter {
    let op = if actor.negated { Op::IsNot } else { Op::Is };
    if actor.target {
        let values = actor.values.iter().map(|name| Literal::Text(name_text(name))).collect();
        return Filter::column("target_name", op, values);
    }
    let same_kind = |kind: fn(&Name) -> bool| actor.values.iter().all(kind);
    let (column, values): (&str, Vec<Literal>) = if same_kind(|name| matches!(name, Name::Email(_))) {
        ("actor_email", actor.values.iter().map(|name| Literal::Text(name_text(name))).collect())
    } else if same_kind(|name| matches!(name, Name::Root)) && table == "cloudtrail" {
        ("actor_type", vec![Literal::Text("Root".into())])
    } else {
        ("actor_name", actor.values.iter().map(|name| Literal::Text(name_text(name))).collect())
    };
    let mut filter = Filter::column(column, op, values);
    filter.slot = "actor".into();
    filter
}

fn name_text(name: &Name) -> String {
    match name {
        Name::Root => "root".into(),
        Name::Text(text) | Name::Email(text) => text.clone(),
    }
}

// ---- shape --------------------------------------------------------------------------------------------------------

/// What a draft groups by, each once.
pub(crate) fn keys_of(draft: &Draft, table: &str) -> Result<Vec<Key>, Unclear> {
    let mut keys = Vec::new();
    for group in &draft.groups {
        let key = key_of(group, table)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

pub(crate) fn key_of(group: &Grouping, table: &str) -> Result<Key, Unclear> {
    match group {
        Grouping::Bucket(unit) => Ok(Key::Bucket(*unit)),
        Grouping::Noun(noun) => expr_for(noun, table).map(Key::Field),
    }
}

pub(crate) fn expr_for(noun: &'static str, table: &str) -> Result<Expr, Unclear> {
    // A source of traffic is an address.
    let noun = if noun == "source" && table == "vpc_flow" { "ip" } else { noun };
    LEXICON
        .field(noun, table)
        .map(|(expr, _)| expr)
        .filter(|expr| table != EVENTS_TABLE || matches!(expr, Expr::Column(_)))
        .ok_or_else(|| Unclear::NoField(noun, table.to_owned()))
}

fn output(draft: &Draft, resolved: &Resolved) -> Result<Output, Unclear> {
    let table = resolved.table.as_str();
    let mut keys = keys_of(draft, table)?;
    if draft.timeline && !keys.iter().any(|key| matches!(key, Key::Bucket(_))) {
        keys.push(Key::Bucket(Unit::Day));
    }
    let head = head(draft, table);
    let versus = versus_measures(draft, resolved)?;
    let seen = if draft.first && draft.newest.is_none() {
        Some(Measure::FirstSeen)
    } else if draft.last {
        Some(Measure::LastSeen)
    } else {
        None
    };
    if let Some(limit) = draft.newest
        && keys.is_empty()
    {
        return Ok(Output::Rows { limit: Some(limit), oldest: draft.first });
    }
    if let Some(measure) = seen {
        if keys.is_empty()
            && !draft.when
            && let Some(noun) = &head
        {
            keys.push(Key::Field(expr_for(noun, table)?));
        }
        return Ok(groups(keys, vec![measure], draft, None));
    }
    if !versus.is_empty() {
        return Ok(groups(keys, versus, draft, None));
    }
    if draft.percent {
        let outcome = draft.outcomes.first().map(|outcome| vec![outcome_filter(*outcome, table)]);
        let conditions = condition_filters(draft, table)?;
        let part = outcome
            .or_else(|| (!conditions.is_empty()).then_some(conditions))
            .ok_or(Unclear::Unused(vec!["percentage".into()]))?;
        return Ok(groups(keys, vec![Measure::Percent(part)], draft, None));
    }
    counted(draft, table, keys, head)
}

/// Counts, sums, rankings, lists and plain events.
fn counted(draft: &Draft, table: &str, mut keys: Vec<Key>, head: Option<&'static str>) -> Result<Output, Unclear> {
    let amount = amount(draft, table)?;
    let ranked = draft.ranking.is_some() || draft.top.is_some();
    let having = having(draft, table)?;
    let mut distinct_of = None;
    if let Some(noun) = head {
        let key = Key::Field(expr_for(noun, table)?);
        let counted = draft.count && !ranked && having.is_empty();
        let counts_things = counted && (draft.distinct || !has_event_object(draft, noun));
        if counts_things || (draft.distinct && !keys.is_empty() && !ranked) {
            distinct_of = Some(expr_for(noun, table)?);
        } else if (ranked || !having.is_empty() || draft.which || draft.distinct || !draft.count)
            && !keys.contains(&key)
            && (!keys.is_empty() || asks_list(draft, ranked, &having))
        {
            keys.insert(0, key);
        }
    }
    if draft.who && keys.is_empty() && distinct_of.is_none() && (ranked || !having.is_empty()) {
        keys.push(Key::Field(expr_for(if has_people(table) { "user" } else { "ip" }, table)?));
    }
    let measure = amount.or(distinct_of.clone().map(Measure::CountDistinct)).unwrap_or(Measure::Count);
    if ranked && !keys.is_empty() {
        let unlimited = draft.top.is_none() && keys.len() == 1 && draft.groups.len() == 1 && head.is_none();
        let limit =
            draft.top.or((!unlimited).then_some(if plural_list(draft) { 10 } else { 1 })).filter(|_| having.is_empty());
        let mut output = groups(keys, vec![measure], draft, limit);
        if let Output::Groups { having: tests, .. } = &mut output {
            *tests = having;
        }
        return Ok(output);
    }
    if !having.is_empty() {
        let shown = having[0].0.clone();
        let keys = if keys.is_empty() { return Err(Unclear::Unused(vec!["threshold".into()])) } else { keys };
        let mut output = groups(keys, vec![shown], draft, None);
        if let Output::Groups { having: tests, .. } = &mut output {
            *tests = having;
        }
        return Ok(output);
    }
    let sums = !matches!(measure, Measure::Count);
    let grouped = !draft.groups.is_empty() || draft.timeline;
    if grouped || draft.count || sums {
        return Ok(groups(keys, vec![measure], draft, None));
    }
    if !keys.is_empty() {
        return Ok(Output::Distinct(keys));
    }
    Ok(Output::Rows { limit: None, oldest: false })
}

/// Whether a head noun makes a list of its values ("which users") and not the events about it ("S3 buckets created").
fn asks_list(draft: &Draft, ranked: bool, having: &[(Measure, Threshold)]) -> bool {
    draft.which || draft.distinct || ranked || !having.is_empty()
}

fn plural_list(draft: &Draft) -> bool {
    draft.top.is_some()
}

/// Whether an event is about the noun: then "how many X" counts events, not different values.
fn has_event_object(draft: &Draft, noun: &str) -> bool {
    draft.concepts.iter().any(|concept| concept.name == noun && !concept.subject)
        && draft.concepts.iter().any(|concept| concept.verb)
        && !matches!(noun, "ip" | "country" | "user_agent" | "region" | "account")
        && LEXICON.events.iter().any(|event| {
            event.needs.iter().flatten().any(|need| *need == noun)
                && event.needs.iter().all(|need| need.iter().any(|n| draft.concepts.iter().any(|c| c.name == *n)))
        })
}

/// The noun that a question wants listed or counted.
fn head(draft: &Draft, table: &str) -> Option<&'static str> {
    let candidates =
        draft.concepts.iter().filter(|concept| (concept.head || concept.subject) && !concept.spent && !concept.verb);
    let kept = |noun: &str| expr_of_noun(noun, table);
    candidates.map(|concept| concept.name).find(|noun| kept(noun))
}

fn expr_of_noun(noun: &str, table: &str) -> bool {
    LEXICON.field(noun, table).is_some_and(|(expr, _)| table != EVENTS_TABLE || matches!(expr, Expr::Column(_)))
}

fn amount(draft: &Draft, table: &str) -> Result<Option<Measure>, Unclear> {
    let compared = draft.fields.iter().any(|field| field.noun == "bytes" && field.op != Op::Present);
    let Some(aggregate) = draft.aggregate.filter(|_| !compared) else { return Ok(None) };
    let noun = draft
        .fields
        .iter()
        .find(|field| field.op == Op::Present && matches!(field.noun, "bytes" | "packets"))
        .map_or("bytes", |field| field.noun);
    if draft.count && aggregate == Aggregate::Sum && !draft.fields.iter().any(|f| f.noun == noun) {
        return Ok(None);
    }
    let expr = expr_for(noun, table)?;
    Ok(Some(match aggregate {
        Aggregate::Sum => Measure::Sum(expr),
        Aggregate::Average => Measure::Average(expr),
        Aggregate::Largest => Measure::Largest(expr),
        Aggregate::Smallest => Measure::Smallest(expr),
    }))
}

fn having(draft: &Draft, table: &str) -> Result<Vec<(Measure, Threshold)>, Unclear> {
    draft
        .having
        .iter()
        .map(|Having { op, value, distinct }| {
            let counts_distinct = draft.distinct && distinct.is_none() && draft.count;
            let noun = if counts_distinct { draft.concepts.iter().find(|c| c.head).map(|c| c.name) } else { *distinct };
            let measure = match noun {
                Some(noun) => Measure::CountDistinct(expr_for(noun, table)?),
                None => Measure::Count,
            };
            Ok((measure, Threshold { op: *op, value: *value }))
        })
        .collect()
}

/// "failed vs successful", "this week vs last week", "started vs terminated".
fn versus_measures(draft: &Draft, resolved: &Resolved) -> Result<Vec<Measure>, Unclear> {
    if !draft.versus {
        return Ok(Vec::new());
    }
    if draft.times.len() == 2 {
        return Ok(draft.times.iter().map(|time| Measure::CountWithin(time.clone())).collect());
    }
    if draft.outcomes.len() == 2 {
        return Ok(draft
            .outcomes
            .iter()
            .map(|outcome| Measure::CountWhere(vec![outcome_filter(*outcome, &resolved.table)]))
            .collect());
    }
    if let [first, second] = draft.severities.as_slice() {
        let severity =
            |(op, level): &(Op, u8)| Filter::column("severity", *op, vec![Literal::Number(f64::from(*level))]);
        return Ok(vec![Measure::CountWhere(vec![severity(first)]), Measure::CountWhere(vec![severity(second)])]);
    }
    let verbs: Vec<&Concept> = draft.concepts.iter().filter(|concept| concept.verb).collect();
    if verbs.len() == 2 {
        let mut measures = Vec::new();
        for verb in &verbs {
            let mut alone = draft.clone();
            alone.concepts.retain(|concept| !concept.verb || concept.name == verb.name);
            alone.versus = false;
            let events = events_for(&alone, &resolved.table, false).filter(|events| !events.is_empty());
            measures.push(Measure::CountWhere(event_filter(&events.ok_or(Unclear::Unused(vec![verb.name.into()]))?)));
        }
        return Ok(measures);
    }
    Err(Unclear::Unused(vec!["versus".into()]))
}

fn groups(keys: Vec<Key>, measures: Vec<Measure>, draft: &Draft, limit: Option<u64>) -> Output {
    let ranking = draft.ranking.or(limit.map(|_| Ranking::Most));
    Output::Groups { keys, measures, having: Vec::new(), ranking, limit, keys_only: false }
}
