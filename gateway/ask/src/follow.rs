//! Follow-ups: a turn keeps every filter, the grouping and the time of the turn before unless it replaces one of them.

use crate::draft::{Draft, Grouping};
use crate::intent::{Expr, Filter, Intent, Key, Literal, Measure, Op, Output, Ranking, Relation, Sequence, Test};
use crate::shape::{self, Unclear};

/// Filters that say what happened; a new one takes the place of the old.
fn replaces(new: &Filter, old: &Filter) -> bool {
    new.slot == old.slot
        || (new.slot == "actor_name" && old.slot == "actor")
        || (new.slot == "event" && old.slot == "action")
}

pub(crate) fn refine(previous: &Intent, draft: &Draft) -> Result<Intent, Unclear> {
    if let Some(noun) = draft.referred {
        return related(previous, draft, noun);
    }
    let mut wanted = draft.clone();
    // Sources may be said again; a different one is another question, which the caller has ruled out.
    wanted.sources.retain(|(table, condition)| *table == previous.table && !condition.is_empty());
    let resolved = shape::resolve(&wanted, Some(&previous.table))?;
    let mut intent = previous.clone();
    intent.relation = None;
    for filter in &resolved.filters {
        intent.filters.retain(|old| !replaces(filter, old));
        intent.filters.push(filter.clone());
    }
    if draft.others {
        others(&mut intent);
    }
    if draft.ever {
        intent.time = None;
    }
    if draft.times.len() > 1 {
        return Err(Unclear::Unused(vec!["two times".into()]));
    }
    if let Some(time) = draft.times.first() {
        intent.time = Some(time.clone());
    }
    if draft.hours.is_some() {
        intent.hours = draft.hours.clone();
    }
    intent.output = output(previous, draft, &mut intent.filters)?;
    Ok(intent)
}

/// "and everyone else": all but those of the turn before.
fn others(intent: &mut Intent) {
    for filter in intent.filters.iter_mut().filter(|filter| filter.slot == "actor") {
        if let Test::Compare { op, .. } = &mut filter.test {
            *op = if *op == Op::Is { Op::IsNot } else { *op };
        }
    }
}

fn output(previous: &Intent, draft: &Draft, filters: &mut Vec<Filter>) -> Result<Output, Unclear> {
    let table = previous.table.as_str();
    let mut keys = shape::keys_of(draft, table)?;
    let heads = draft.concepts.iter().filter(|concept| concept.head && !concept.verb && !concept.spent);
    let heads =
        heads.map(|concept| shape::expr_for(concept.name, table).map(Key::Field)).collect::<Result<Vec<_>, _>>()?;
    if draft.first || draft.last {
        let measure = if draft.first { Measure::FirstSeen } else { Measure::LastSeen };
        return Ok(table_of(keys, vec![measure], None, None));
    }
    let (old_keys, old_measures) = match &previous.output {
        Output::Groups { keys, measures, .. } => (keys.clone(), measures.clone()),
        Output::Distinct(keys) => (keys.clone(), vec![Measure::Count]),
        Output::Rows { .. } => (Vec::new(), vec![Measure::Count]),
    };
    if draft.percent {
        let failing: Vec<Filter> = filters.iter().filter(|filter| filter.slot == "outcome").cloned().collect();
        if failing.is_empty() {
            return Err(Unclear::Unused(vec!["percentage".into()]));
        }
        filters.retain(|filter| filter.slot != "outcome");
        let keys = if keys.is_empty() { old_keys } else { keys };
        return Ok(table_of(keys, vec![Measure::Percent(failing)], None, None));
    }
    if draft.ranking.is_some() || draft.top.is_some() {
        let led = !heads.is_empty();
        keys.extend(heads);
        let keys = if keys.is_empty() { old_keys } else { keys };
        if keys.is_empty() {
            return Err(Unclear::Unused(vec!["top".into()]));
        }
        let limit = draft.top.or(led.then_some(1));
        return Ok(table_of(keys, old_measures, draft.ranking.or(Some(Ranking::Most)), limit));
    }
    if !keys.is_empty() {
        return Ok(table_of(keys, old_measures, None, None));
    }
    if draft.count {
        return Ok(table_of(if heads.is_empty() { old_keys } else { heads }, vec![Measure::Count], None, None));
    }
    if !heads.is_empty() {
        return Ok(Output::Distinct(heads));
    }
    if draft.who && (draft.concepts.is_empty() || previous.output != (Output::Rows { limit: None, oldest: false })) {
        return Ok(Output::Distinct(vec![Key::Field(Expr::Column("actor_name".into()))]));
    }
    if draft.rows {
        return Ok(Output::Rows { limit: None, oldest: false });
    }
    Ok(previous.output.clone())
}

fn table_of(keys: Vec<Key>, measures: Vec<Measure>, ranking: Option<Ranking>, limit: Option<u64>) -> Output {
    Output::Groups { keys, measures, having: Vec::new(), ranking, limit, keys_only: false }
}

/// "did those users succeed later?": the events of those who were in the turn before.
fn related(previous: &Intent, draft: &Draft, noun: &'static str) -> Result<Intent, Unclear> {
    let Expr::Column(on) = shape::expr_for(noun, &previous.table)? else {
        return Err(Unclear::NoField(noun, previous.table.clone()));
    };
    let mut wanted = draft.clone();
    wanted.concepts.retain(|concept| concept.name != noun);
    let resolved = shape::resolve(&wanted, Some(&previous.table))?;
    if resolved.filters.is_empty() {
        return Err(Unclear::Nothing);
    }
    let mut filters: Vec<Filter> = previous
        .filters
        .iter()
        .filter(|filter| filter.slot != "outcome" && !filter.slot.starts_with("raw."))
        .cloned()
        .collect();
    for filter in resolved.filters {
        filters.retain(|old| !replaces(&filter, old));
        filters.push(filter);
    }
    let later = draft.later;
    Ok(Intent {
        table: previous.table.clone(),
        filters,
        time: draft.times.first().cloned().or_else(|| if later { None } else { previous.time.clone() }),
        hours: draft.hours.clone(),
        output: Output::Rows { limit: None, oldest: false },
        relation: Some(Relation {
            negated: false,
            other: Box::new(Intent { relation: None, ..previous.clone() }),
            on,
            order: later.then_some(Sequence { after: false, within: None }),
            differs: None,
        }),
    })
}

/// Whether a question that stands on its own still speaks of the one before.
pub(crate) fn continues(previous: &Intent, draft: &Draft) -> bool {
    let other_source = draft.sources.iter().any(|(table, _)| *table != previous.table);
    if other_source {
        return false;
    }
    if draft.referred.is_some() || draft.others || draft.sent_where {
        return true;
    }
    if draft.follow || (draft.percent && draft.outcomes.is_empty()) {
        return true;
    }
    !(says_what(draft) || draft.root)
}

/// Words of a follow-up ("only the ones", "and now") with nothing that says what of: it needs a turn before.
pub(crate) fn is_fragment(draft: &Draft) -> bool {
    draft.follow && !says_what(draft)
}

/// Whether a question names its subject: a source, a kind of event, something done.
fn says_what(draft: &Draft) -> bool {
    !draft.sources.is_empty()
        || !draft.hints.is_empty()
        || !draft.services.is_empty()
        || draft.login.is_some()
        || draft.console
        || draft.finding
        || draft.category.is_some()
        || draft.everything
        || draft.concepts.iter().any(|concept| concept.verb)
}

/// The names that a refinement may leave to the turn before.
pub(crate) fn inherit(previous: &Draft, draft: &mut Draft) {
    let has_noun = draft.concepts.iter().any(|concept| !concept.verb && !concept.head);
    let has_verb = draft.concepts.iter().any(|concept| concept.verb);
    if has_verb && !has_noun {
        draft.concepts.extend(previous.concepts.iter().filter(|concept| !concept.verb).cloned());
    }
    if draft.sent_where && !draft.groups.contains(&Grouping::Noun("dst")) {
        draft.groups.push(Grouping::Noun("dst"));
    }
}

/// A bare name in a refinement ("only db-01") is a value of what the turn before was grouped by.
pub(crate) fn adopt_names(previous: &Intent, draft: &mut Draft) {
    let key = match &previous.output {
        Output::Groups { keys, .. } | Output::Distinct(keys) => keys.iter().find_map(|key| match key {
            Key::Field(expr) => Some(expr.clone()),
            Key::Bucket(_) => None,
        }),
        Output::Rows { .. } => None,
    };
    let looks_like_name =
        |text: &String| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_.@:/".contains(c));
    if draft.follow
        && draft.unknown.len() == 1
        && draft.unknown.iter().all(looks_like_name)
        && !draft.unknown.iter().any(|word| crate::lexicon::LEXICON.knows(word))
        && let Some(expr) = key
    {
        let value = Literal::Text(draft.unknown.remove(0));
        draft.filters.push(Filter::new(shape::slot_of(&expr), expr, Op::Is, vec![value]));
    }
}
