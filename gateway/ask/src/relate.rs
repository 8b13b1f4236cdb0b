//! Questions about two sets of events: "failed in okta and then logged in to aws within an hour", "people with github
//! activity but no okta login", "IPs never seen before this week".

use crate::draft::{Concept, Draft};
use crate::intent::{Expr, Filter, Intent, Key, Op, Output, Relation, Sequence, TimeRange};
use crate::lexicon::Word;
use crate::parse::parse;
use crate::scan::{Item, Piece};
use crate::shape::{self, EVENTS_TABLE, Unclear};
use crate::time::Period;

/// The intent of such a question; `None` where the question is not one.
pub(crate) fn intent(pieces: &[Piece]) -> Option<Result<Intent, Unclear>> {
    let inner = 1..pieces.len().saturating_sub(1);
    for at in inner {
        let then = pieces[at].is(Word::Then);
        if then || pieces[at].is(Word::ButNo) {
            return Some(two_sets(&pieces[..at], &pieces[at + 1..], then));
        }
    }
    let at = pieces.iter().position(|piece| piece.is(Word::NeverBefore))?;
    Some(never_before(pieces, at))
}

fn whole(draft: Draft) -> Result<Draft, Unclear> {
    if draft.unknown.is_empty() { Ok(draft) } else { Err(Unclear::Unused(draft.unknown)) }
}

fn two_sets(left: &[Piece], right: &[Piece], then: bool) -> Result<Intent, Unclear> {
    let mut first = whole(parse(left, None))?;
    let mut second = whole(parse(right, None))?;
    let noun = subject(&first.concepts).ok_or(Unclear::Unused(vec!["then".into()]))?;
    let gap = first.gap.take().or(second.gap.take());
    for draft in [&mut first, &mut second] {
        draft.concepts.retain(|concept| concept.name != noun || concept.verb);
        draft.which = false;
        draft.who = false;
        // "failed in okta": what fails there is a login.
        let bare = !draft.outcomes.is_empty() && draft.concepts.is_empty() && draft.hints.is_empty() && !draft.finding;
        if bare && draft.login.is_none() && draft.sources.iter().all(|(table, _)| *table != "vpc_flow") {
            draft.login = Some(false);
        }
        draft.console |= draft.login.is_some() && draft.sources.iter().any(|(table, _)| *table == "cloudtrail");
        draft.sources.retain(|(table, _)| *table != EVENTS_TABLE);
    }
    if !then && second.login == Some(false) && second.outcomes.is_empty() {
        second.login = Some(true);
    }
    let shared = second.times.first().cloned();
    if first.times.is_empty() && (!then || gap.is_some()) {
        first.times.extend(shared.clone());
    }
    if then {
        second.times.clear();
    } else if second.times.is_empty() {
        second.times = first.times.clone();
    }
    if then && gap.is_none() && shared.is_some() {
        first.times.extend(shared);
    }
    let base = shape::intent(&first, None)?;
    let other = shape::intent(&second, None)?;
    let on = if noun == "user" && base.table != other.table { "actor_email" } else { column(noun)? };
    let order = then.then_some(Sequence { after: true, within: gap });
    related(base, other, on, order, !then)
}

/// "never seen before this week": events since then of those that have none before.
fn never_before(pieces: &[Piece], at: usize) -> Result<Intent, Unclear> {
    let mut rest: Vec<Piece> = pieces.to_vec();
    rest.remove(at);
    // "before this week" after "never seen" is a range that ends where the new ones begin.
    let mut since: Option<TimeRange> = None;
    rest.retain(|piece| match &piece.item {
        Item::Period(Period::Range(range)) if since.is_none() => {
            since = Some(range.clone());
            false
        }
        _ => true,
    });
    let since = since.ok_or(Unclear::Unused(vec!["never before".into()]))?;
    let start = since.from.clone().or(since.to.clone()).ok_or(Unclear::Nothing)?;
    let mut draft = whole(parse(&rest, None))?;
    let noun = subject(&draft.concepts).ok_or(Unclear::Nothing)?;
    draft.concepts.retain(|concept| concept.name != noun && concept.name != "create");
    draft.everything = true;
    draft.rows = true;
    let mut base = shape::intent(&draft, None)?;
    let mut other = base.clone();
    base.time = Some(TimeRange {
        from: Some(start.clone()),
        to: since.from.and(since.to),
        text: format!("from there on: {}", since.text),
    });
    other.time = Some(TimeRange { from: None, to: Some(start), text: "before that".into() });
    related(base, other, column(noun)?, None, true)
}

fn related(base: Intent, other: Intent, on: &str, order: Option<Sequence>, negated: bool) -> Result<Intent, Unclear> {
    let rows = |intent: &Intent| matches!(intent.output, Output::Rows { .. });
    if !rows(&base) || !rows(&other) {
        return Err(Unclear::Unused(vec!["then".into()]));
    }
    let mut intent = base;
    let key = Expr::Column(on.to_owned());
    intent.filters.push(Filter::new("known", key.clone(), Op::Present, Vec::new()));
    intent.output = Output::Distinct(vec![Key::Field(key)]);
    intent.relation = Some(Relation { negated, other: Box::new(other), on: on.to_owned(), order, differs: None });
    Ok(intent)
}

fn subject(concepts: &[Concept]) -> Option<&'static str> {
    concepts
        .iter()
        .map(|concept| concept.name)
        .find(|name| matches!(*name, "user" | "ip" | "country" | "host" | "account"))
}

fn column(noun: &str) -> Result<&'static str, Unclear> {
    Ok(match noun {
        "user" => "actor_name",
        "ip" => "src_ip",
        "country" => "src_country",
        "account" => "account_id",
        _ => return Err(Unclear::Unused(vec![noun.to_owned()])),
    })
}
