//! Intent to canonical SQL. The only place that writes SQL: names come from the lexicon's tables, and whatever came from
//! the question is written as a quoted literal or a number.

use mantissa_core::Catalog;

use crate::intent::{
    Edge, Expr, Filter, Hours, Intent, Key, Literal, Measure, Op, Output, Ranking, Relation, Test, TimeRange, Unit,
};

/// Half of a name that stands before a column, where two tables are in play.
#[derive(Clone, Copy)]
struct Scope<'a>(&'a str);

pub(crate) fn sql(intent: &Intent) -> String {
    let scope = Scope(if intent.relation.is_some() { "a." } else { "" });
    let mut sql = format!("SELECT {} FROM {}.{}", select_list(&intent.output, scope), Catalog::LOGS, intent.table);
    if intent.relation.is_some() {
        sql.push_str(" AS a");
    }
    let mut conditions = conditions(intent, scope);
    conditions.extend(presence(&intent.output, scope));
    if let Some(relation) = &intent.relation {
        conditions.push(exists(relation));
    }
    if !conditions.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&conditions.join(" AND "));
    }
    sql.push_str(&tail(&intent.output, scope));
    sql
}

fn select_list(output: &Output, scope: Scope<'_>) -> String {
    match output {
        Output::Rows { .. } => format!("{}*", scope.0),
        Output::Distinct(keys) => format!("DISTINCT {}", list(keys.iter().map(|key| key_sql(key, scope)))),
        Output::Groups { keys, measures, keys_only, .. } => {
            let keys = keys.iter().map(|key| named_key(key, scope));
            let measures = measures.iter().filter(|_| !keys_only).map(|measure| named_measure(measure, scope));
            list(keys.chain(measures))
        }
    }
}

fn named_key(key: &Key, scope: Scope<'_>) -> String {
    let text = key_sql(key, scope);
    match key {
        Key::Field(Expr::Raw(path)) => match path.last().filter(|name| is_plain(name)) {
            Some(name) => format!("{text} AS {}", name.to_lowercase()),
            None => text,
        },
        Key::Bucket(unit) => format!("{text} AS {}", unit.name()),
        Key::Field(_) => text,
    }
}

fn is_plain(name: &str) -> bool {
    const RESERVED: &[&str] = &["user", "group", "order", "key", "name", "type", "role", "table", "select"];
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !RESERVED.contains(&name.to_lowercase().as_str())
}

fn named_measure(measure: &Measure, scope: Scope<'_>) -> String {
    let text = measure_sql(measure, scope);
    match measure {
        Measure::FirstSeen => format!("{text} AS first_seen"),
        Measure::LastSeen => format!("{text} AS last_seen"),
        Measure::Percent(_) => format!("{text} AS percent"),
        _ => text,
    }
}

fn conditions(intent: &Intent, scope: Scope<'_>) -> Vec<String> {
    let mut parts: Vec<String> = intent.filters.iter().map(|filter| filter_sql(filter, scope)).collect();
    if let Some(time) = &intent.time {
        parts.extend(time_sql(time, scope));
    }
    if let Some(hours) = &intent.hours {
        parts.push(hours_sql(hours, scope));
    }
    parts
}

/// A ranking leaves out events without the key.
fn presence(output: &Output, scope: Scope<'_>) -> Vec<String> {
    match output {
        Output::Groups { keys, limit: Some(_), .. } => keys
            .iter()
            .filter(|key| matches!(key, Key::Field(_)))
            .map(|key| format!("{} IS NOT NULL", key_sql(key, scope)))
            .collect(),
        _ => Vec::new(),
    }
}

fn tail(output: &Output, scope: Scope<'_>) -> String {
    match output {
        Output::Rows { limit, oldest } => {
            let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
            format!(" ORDER BY {}time{}{limit}", scope.0, if *oldest { "" } else { " DESC" })
        }
        Output::Distinct(keys) => format!(" ORDER BY {}", list((1..=keys.len()).map(|i| i.to_string()))),
        Output::Groups { keys, measures, having, ranking, limit, .. } => {
            groups_tail(keys, measures, having, *ranking, *limit, scope)
        }
    }
}

fn groups_tail(
    keys: &[Key],
    measures: &[Measure],
    having: &[(Measure, crate::intent::Threshold)],
    ranking: Option<Ranking>,
    limit: Option<u64>,
    scope: Scope<'_>,
) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let positions = list((1..=keys.len()).map(|i| i.to_string()));
    let mut tail = format!(" GROUP BY {positions}");
    if !having.is_empty() {
        let tests = having.iter().map(|(measure, threshold)| {
            format!("{} {} {}", measure_sql(measure, scope), operator(threshold.op), number(threshold.value))
        });
        tail.push_str(&format!(" HAVING {}", tests.collect::<Vec<_>>().join(" AND ")));
    }
    let in_time = keys.iter().any(|key| matches!(key, Key::Bucket(_)));
    match (ranking, measures.first()) {
        (Some(Ranking::Least), Some(measure)) => {
            tail.push_str(&format!(" ORDER BY {}, {positions}", measure_sql(measure, scope)));
        }
        (ranking, Some(measure)) if ranking.is_some() || !in_time => {
            tail.push_str(&format!(" ORDER BY {} DESC, {positions}", measure_sql(measure, scope)));
        }
        _ => tail.push_str(&format!(" ORDER BY {positions}")),
    }
    if let Some(limit) = limit {
        tail.push_str(&format!(" LIMIT {limit}"));
    }
    tail
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn key_sql(key: &Key, scope: Scope<'_>) -> String {
    match key {
        Key::Field(expr) => expr_sql(expr, scope),
        Key::Bucket(unit) => format!("date_trunc('{}', {}time)", unit.name(), scope.0),
    }
}

fn expr_sql(expr: &Expr, scope: Scope<'_>) -> String {
    match expr {
        Expr::Column(name) => format!("{}{name}", scope.0),
        Expr::Raw(path) => match path.as_slice() {
            [one] => format!("({}raw ->> {})", scope.0, quoted(one)),
            many => format!("({}raw #>> {})", scope.0, quoted(&format!("{{{}}}", many.join(",")))),
        },
        Expr::RawNumber(path) => format!("CAST({} AS numeric)", expr_sql(&Expr::Raw(path.clone()), scope)),
        Expr::RawText => format!("CAST({}raw AS text)", scope.0),
    }
}

fn measure_sql(measure: &Measure, scope: Scope<'_>) -> String {
    let within = |filters: &[Filter]| {
        let tests: Vec<String> = filters.iter().map(|filter| filter_sql(filter, scope)).collect();
        format!("count(*) FILTER (WHERE {})", tests.join(" AND "))
    };
    match measure {
        Measure::Count => "count(*)".into(),
        Measure::CountDistinct(expr) => format!("count(DISTINCT {})", expr_sql(expr, scope)),
        Measure::CountWhere(filters) => within(filters),
        Measure::CountWithin(time) => format!("count(*) FILTER (WHERE {})", time_sql(time, scope).join(" AND ")),
        Measure::Sum(expr) => format!("sum({})", expr_sql(expr, scope)),
        Measure::Average(expr) => format!("round(avg({}), 2)", expr_sql(expr, scope)),
        Measure::Largest(expr) => format!("max({})", expr_sql(expr, scope)),
        Measure::Smallest(expr) => format!("min({})", expr_sql(expr, scope)),
        Measure::FirstSeen => format!("min({}time)", scope.0),
        Measure::LastSeen => format!("max({}time)", scope.0),
        Measure::Percent(filters) => format!("round(100.0 * {} / count(*), 2)", within(filters)),
    }
}

fn operator(op: Op) -> &'static str {
    match op {
        Op::Above => ">",
        Op::AtLeast => ">=",
        Op::Below => "<",
        Op::AtMost => "<=",
        Op::IsNot | Op::Differs => "<>",
        _ => "=",
    }
}

fn filter_sql(filter: &Filter, scope: Scope<'_>) -> String {
    match &filter.test {
        Test::Any(alternatives) => {
            let alternatives = alternatives.iter().map(|all| {
                let tests: Vec<String> = all.iter().map(|filter| filter_sql(filter, scope)).collect();
                if tests.len() == 1 { tests.concat() } else { format!("({})", tests.join(" AND ")) }
            });
            format!("({})", alternatives.collect::<Vec<_>>().join(" OR "))
        }
        Test::Compare { expr, op, values } => compare_sql(&expr_sql(expr, scope), *op, values),
    }
}

fn compare_sql(expr: &str, op: Op, values: &[Literal]) -> String {
    let several = |word: &str, joint: &str| {
        let tests: Vec<String> = values.iter().map(|value| format!("{expr} {word} {}", literal(value))).collect();
        if tests.len() == 1 { tests.concat() } else { format!("({})", tests.join(joint)) }
    };
    match (op, values) {
        (Op::Missing, _) => format!("{expr} IS NULL"),
        (Op::Present, _) => format!("{expr} IS NOT NULL"),
        (Op::Is, [one]) => format!("{expr} = {}", literal(one)),
        (Op::Is, many) => format!("{expr} IN ({})", list(many.iter().map(literal))),
        (Op::Differs, [one]) => format!("{expr} <> {}", literal(one)),
        (Op::Differs, many) => format!("{expr} NOT IN ({})", list(many.iter().map(literal))),
        (Op::IsNot, _) => several("IS DISTINCT FROM", " AND "),
        (Op::Like, _) => several("LIKE", " OR "),
        (Op::ILike, _) => several("ILIKE", " OR "),
        (Op::NotLike, _) => format!("({expr} IS NULL OR {})", several("NOT LIKE", " AND ")),
        (Op::NotILike, _) => format!("({expr} IS NULL OR {})", several("NOT ILIKE", " AND ")),
        (Op::Above | Op::AtLeast | Op::Below | Op::AtMost, _) => several(operator(op), " AND "),
    }
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Text(text) => quoted(text),
        Literal::Number(value) => number(*value),
        Literal::Bool(value) => value.to_string(),
    }
}

/// A standard-conforming string literal. NUL cannot stand in Postgres text.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

pub(crate) fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 9e15 { format!("{}", value as i64) } else { format!("{value}") }
}

fn time_sql(time: &TimeRange, scope: Scope<'_>) -> Vec<String> {
    let from = time.from.as_ref().map(|edge| format!("{}time >= {}", scope.0, edge_sql(edge)));
    let to = time.to.as_ref().map(|edge| format!("{}time < {}", scope.0, edge_sql(edge)));
    from.into_iter().chain(to).collect()
}

fn edge_sql(edge: &Edge) -> String {
    match edge {
        Edge::Ago(count, unit) => format!("now() - interval '{}'", amount(i64::from(*count), *unit)),
        Edge::Date(date) => format!("timestamptz '{date} 00:00:00+00'"),
        Edge::Start { unit, shift, step, hours } => {
            let mut sql = format!("date_trunc('{}', now())", unit.name());
            for (count, unit) in [(i64::from(*shift), *step), (i64::from(*hours), Unit::Hour)] {
                if count != 0 {
                    sql.push_str(&format!(
                        " {} interval '{}'",
                        if count < 0 { "-" } else { "+" },
                        amount(count.abs(), unit)
                    ));
                }
            }
            sql
        }
    }
}

fn amount(count: i64, unit: Unit) -> String {
    let (count, unit) = if unit == Unit::Quarter { (count * 3, Unit::Month) } else { (count, unit) };
    format!("{count} {}{}", unit.name(), if count == 1 { "" } else { "s" })
}

fn hours_sql(hours: &Hours, scope: Scope<'_>) -> String {
    let hour = format!("extract(hour FROM {}time)", scope.0);
    let day = format!("extract(isodow FROM {}time)", scope.0);
    match hours {
        Hours::Between(from, to) if from < to => format!("{hour} >= {from} AND {hour} < {to}"),
        Hours::Between(from, to) => format!("({hour} >= {from} OR {hour} < {to})"),
        Hours::Business => format!("{day} <= 5 AND {hour} >= 9 AND {hour} < 17"),
        Hours::AfterHours => format!("({day} > 5 OR {hour} < 9 OR {hour} >= 17)"),
    }
}

fn exists(relation: &Relation) -> String {
    let scope = Scope("b.");
    let mut parts = vec![format!("b.{on} = a.{on}", on = relation.on)];
    if let Some(order) = &relation.order {
        let (later, earlier) = if order.after { ("b", "a") } else { ("a", "b") };
        let strict = if order.within.is_some() { ">=" } else { ">" };
        parts.push(format!("{later}.time {strict} {earlier}.time"));
        if let Some((count, unit)) = order.within {
            parts.push(format!("{later}.time <= {earlier}.time + interval '{}'", amount(i64::from(count), unit)));
        }
    }
    if let Some(column) = &relation.differs {
        parts.push(format!("b.{column} <> a.{column}"));
    }
    parts.extend(conditions(&relation.other, scope));
    let not = if relation.negated { "NOT " } else { "" };
    format!("{not}EXISTS (SELECT 1 FROM {}.{} AS b WHERE {})", Catalog::LOGS, relation.other.table, parts.join(" AND "))
}
