//! Intent to one English sentence that lists everything that was understood.

use crate::intent::{Expr, Filter, Hours, Intent, Key, Literal, Measure, Op, Output, Relation, Test};
use crate::print::number;

pub(crate) fn explain(intent: &Intent) -> String {
    let mut sentence = format!("{} from {}", subject(&intent.output), intent.table);
    let conditions = conditions(intent);
    if !conditions.is_empty() {
        sentence.push_str(" where ");
        sentence.push_str(&conditions.join(" and "));
    }
    if let Some(relation) = &intent.relation {
        sentence.push_str(&related(relation));
    }
    if intent.time.is_none() {
        sentence.push_str(", at any time");
    }
    sentence.push('.');
    sentence
}

fn conditions(intent: &Intent) -> Vec<String> {
    let mut parts: Vec<String> = intent.filters.iter().map(filter_text).collect();
    if let Some(time) = &intent.time {
        parts.push(format!("time is {}", time.text));
    }
    match &intent.hours {
        Some(Hours::Between(from, to)) => parts.push(format!("the hour (UTC) is from {from}:00 to {to}:00")),
        Some(Hours::Business) => parts.push("the time is Monday to Friday, 09:00 to 17:00 UTC".into()),
        Some(Hours::AfterHours) => parts.push("the time is outside Monday to Friday, 09:00 to 17:00 UTC".into()),
        None => {}
    }
    parts
}

fn related(relation: &Relation) -> String {
    let has = if relation.negated { "without" } else { "with" };
    let when = match &relation.order {
        Some(order) => {
            let side = if order.after { "later" } else { "earlier" };
            let within = order.within.map(|(count, unit)| format!(" by at most {count} {}(s)", unit.name()));
            format!("{side}{} ", within.unwrap_or_default())
        }
        None => String::new(),
    };
    let differs = relation.differs.as_ref().map(|column| format!(" and another {column}")).unwrap_or_default();
    let tests = conditions(&relation.other);
    let tests = if tests.is_empty() { String::new() } else { format!(" where {}", tests.join(" and ")) };
    format!(", {has} {when}events of the same {}{differs} in {}{tests}", relation.on, relation.other.table)
}

fn subject(output: &Output) -> String {
    match output {
        Output::Rows { limit: Some(limit), oldest } => {
            format!("The {limit} {} events", if *oldest { "oldest" } else { "newest" })
        }
        Output::Rows { limit: None, .. } => "All events".into(),
        Output::Distinct(keys) => format!("Each different {}", names(keys)),
        Output::Groups { keys, measures, having, limit, ranking, .. } => {
            let measures: Vec<String> = measures.iter().map(measure_text).collect();
            let mut text = capital(&measures.join(" and "));
            if !keys.is_empty() {
                text.push_str(&format!(" per {}", names(keys)));
            }
            for (measure, threshold) in having {
                text.push_str(&format!(
                    ", only where {} is {} {}",
                    measure_text(measure),
                    relation_text(threshold.op),
                    number(threshold.value)
                ));
            }
            if let Some(limit) = limit {
                let end = if *ranking == Some(crate::intent::Ranking::Least) { "lowest" } else { "highest" };
                text.push_str(&format!(", the {limit} {end},"));
            }
            text
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn names(keys: &[Key]) -> String {
    let names: Vec<String> = keys
        .iter()
        .map(|key| match key {
            Key::Field(expr) => expr_text(expr),
            Key::Bucket(unit) => unit.name().to_owned(),
        })
        .collect();
    names.join(" and ")
}

fn measure_text(measure: &Measure) -> String {
    let all = |filters: &[Filter]| filters.iter().map(filter_text).collect::<Vec<_>>().join(" and ");
    match measure {
        Measure::Count => "number of events".into(),
        Measure::CountDistinct(expr) => format!("number of different {}", expr_text(expr)),
        Measure::CountWhere(filters) => format!("number of events where {}", all(filters)),
        Measure::CountWithin(time) => format!("number of events {}", time.text),
        Measure::Sum(expr) => format!("sum of {}", expr_text(expr)),
        Measure::Average(expr) => format!("average of {}", expr_text(expr)),
        Measure::Largest(expr) => format!("largest {}", expr_text(expr)),
        Measure::Smallest(expr) => format!("smallest {}", expr_text(expr)),
        Measure::FirstSeen => "first time".into(),
        Measure::LastSeen => "last time".into(),
        Measure::Percent(filters) => format!("percentage of events where {}", all(filters)),
    }
}

fn expr_text(expr: &Expr) -> String {
    match expr {
        Expr::Column(name) => name.clone(),
        Expr::Raw(path) | Expr::RawNumber(path) => format!("raw {}", path.join(".")),
        Expr::RawText => "the raw event".into(),
    }
}

fn relation_text(op: Op) -> &'static str {
    match op {
        Op::Is => "is",
        Op::IsNot => "is not",
        Op::Differs => "is known and not",
        Op::Like | Op::ILike => "matches",
        Op::NotLike | Op::NotILike => "does not match",
        Op::Above => "above",
        Op::AtLeast => "at least",
        Op::Below => "below",
        Op::AtMost => "at most",
        Op::Missing => "is missing",
        Op::Present => "is present",
    }
}

fn filter_text(filter: &Filter) -> String {
    match &filter.test {
        Test::Any(alternatives) => {
            let texts: Vec<String> =
                alternatives.iter().map(|all| all.iter().map(filter_text).collect::<Vec<_>>().join(" and ")).collect();
            format!("({})", texts.join(" or "))
        }
        Test::Compare { expr, op, values } => {
            let values: Vec<String> = values.iter().map(value_text).collect();
            let is = if matches!(op, Op::Above | Op::AtLeast | Op::Below | Op::AtMost) { "is " } else { "" };
            format!("{} {is}{} {}", expr_text(expr), relation_text(*op), values.join(" or ")).trim_end().to_owned()
        }
    }
}

fn value_text(value: &Literal) -> String {
    match value {
        Literal::Text(text) => format!("\"{text}\""),
        Literal::Number(value) => number(*value),
        Literal::Bool(value) => value.to_string(),
    }
}
