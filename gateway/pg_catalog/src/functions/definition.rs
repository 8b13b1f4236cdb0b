//! Definitions of catalog objects as SQL text: `pg_get_constraintdef` and its family.

use mantissa_core::PgType;

use super::names::{format_type, quote_ident, relation_name, schema_of};
use crate::context::{Context, Found};
use crate::datum::Datum;
use crate::error::{Error, Result};
use crate::plan::{Arguments, ScalarFn};

pub const FUNCTIONS: &[(&str, ScalarFn)] = &[
    ("pg_get_expr(pg_node_tree, oid) text", |_, a| Ok(a[0].clone())),
    ("pg_get_expr(pg_node_tree, oid, bool) text", |_, a| Ok(a[0].clone())),
    ("pg_get_expr(text, oid) text", |_, a| Ok(a[0].clone())),
    ("pg_get_expr(text, oid, bool) text", |_, a| Ok(a[0].clone())),
    ("pg_get_constraintdef(oid) text", |c, a| constraint(c, &a[0])),
    ("pg_get_constraintdef(oid, bool) text", |c, a| constraint(c, &a[0])),
    ("pg_get_indexdef(oid) text", |c, a| index(c, a)),
    ("pg_get_indexdef(oid, int4, bool) text", |c, a| index(c, a)),
    ("pg_get_viewdef(oid) text", |c, a| Ok(view(c, a[0].as_oid().unwrap_or(0)))),
    ("pg_get_viewdef(oid, bool) text", |c, a| Ok(view(c, a[0].as_oid().unwrap_or(0)))),
    ("pg_get_viewdef(oid, int4) text", |c, a| Ok(view(c, a[0].as_oid().unwrap_or(0)))),
    ("pg_get_viewdef(text) text", |c, a| view_by_name(c, &a[0])),
    ("pg_get_viewdef(text, bool) text", |c, a| view_by_name(c, &a[0])),
    ("pg_get_ruledef(oid) text", |c, a| rule(c, &a[0])),
    ("pg_get_ruledef(oid, bool) text", |c, a| rule(c, &a[0])),
    ("pg_get_triggerdef(oid) text", |_, _| Ok(Datum::Null)),
    ("pg_get_triggerdef(oid, bool) text", |_, _| Ok(Datum::Null)),
    ("pg_get_partkeydef(oid) text", |_, _| Ok(Datum::Null)),
    ("pg_get_partition_constraintdef(oid) text", |_, _| Ok(Datum::Null)),
    ("pg_get_statisticsobjdef(oid) text", |_, _| Ok(Datum::Null)),
    ("pg_get_statisticsobjdef_columns(oid) text", |_, _| Ok(Datum::Null)),
    ("pg_get_functiondef(oid) text", |c, a| function(c, &a[0])),
    ("pg_get_function_arguments(oid) text", |c, a| of_function(c, &a[0], |c, row| arguments(c, row, true))),
    ("pg_get_function_identity_arguments(oid) text", |c, a| of_function(c, &a[0], |c, row| arguments(c, row, false))),
    ("pg_get_function_result(oid) text", |c, a| match proc_row(c, &a[0])? {
        Some(row) if row.char("prokind") == 'p' => Ok(Datum::Null),
        Some(row) => function_result(c, &row).map(Datum::from),
        None => Ok(Datum::Null),
    }),
    ("pg_get_function_sqlbody(oid) text", |_, _| Ok(Datum::Null)),
    ("pg_get_function_arg_default(oid, int4) text", |c, a| match proc_row(c, &a[0])? {
        Some(row) => {
            let count = row.int("pronargs");
            let defaults = defaults(&row);
            let index = a[1].as_int().unwrap_or(0) - 1 - (count - defaults.len() as i64);
            Ok(usize::try_from(index).ok().and_then(|index| defaults.get(index).cloned()).into())
        }
        None => Ok(Datum::Null),
    }),
];

fn proc_row(context: &Context<'_>, oid: &Datum) -> Result<Option<Found>> {
    context.find("pg_proc", "oid", oid)
}

fn of_function(
    context: &Context<'_>,
    oid: &Datum,
    show: impl Fn(&Context<'_>, &Found) -> Result<String>,
) -> Result<Datum> {
    match proc_row(context, oid)? {
        Some(row) => show(context, &row).map(Datum::from),
        None => Ok(Datum::Null),
    }
}

fn list(row: &Found, column: &str) -> Vec<Datum> {
    row.get(column).as_array().map(|array| array.values.clone()).unwrap_or_default()
}

/// Default expressions, the last argument's last.
fn defaults(row: &Found) -> Vec<String> {
    let text = row.text("proargdefaults");
    let mut parts = Vec::new();
    let (mut depth, mut quoted, mut part) = (0, false, String::new());
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    if !part.trim().is_empty() {
        parts.push(part.trim().to_owned());
    }
    parts
}

fn arguments(context: &Context<'_>, row: &Found, with_defaults: bool) -> Result<String> {
    let mut types = list(row, "proallargtypes");
    if types.is_empty() {
        types = list(row, "proargtypes");
    }
    let (names, modes) = (list(row, "proargnames"), list(row, "proargmodes"));
    let mode = |index: usize| match modes.get(index) {
        Some(Datum::Char(mode)) => char::from(*mode),
        Some(Datum::Text(mode)) => mode.chars().next().unwrap_or('i'),
        _ => 'i',
    };
    let inputs = (0..types.len()).filter(|index| matches!(mode(*index), 'i' | 'b' | 'v')).count();
    let defaults = defaults(row);
    let is_table = row.bool("proretset");
    let mut shown = Vec::new();
    let mut input = 0;
    for (index, ty) in types.iter().enumerate() {
        let mode = mode(index);
        let is_input = matches!(mode, 'i' | 'b' | 'v');
        input += usize::from(is_input);
        if mode == 't' || (!with_defaults && mode == 'o' && is_table) {
            continue;
        }
        let mut text = match mode {
            'o' => "OUT ",
            'b' => "INOUT ",
            'v' => "VARIADIC ",
            _ => "",
        }
        .to_owned();
        if let Some(name) = names.get(index).and_then(Datum::as_str).filter(|name| !name.is_empty()) {
            text.push_str(&quote_ident(name));
            text.push(' ');
        }
        text.push_str(&format_type(context, PgType(ty.as_oid().unwrap_or(0)), None)?);
        if with_defaults && is_input && input + defaults.len() > inputs {
            text.push_str(&format!(" DEFAULT {}", defaults[input + defaults.len() - inputs - 1]));
        }
        shown.push(text);
    }
    Ok(shown.join(", "))
}

fn function_result(context: &Context<'_>, row: &Found) -> Result<String> {
    let (types, names, modes) = (list(row, "proallargtypes"), list(row, "proargnames"), list(row, "proargmodes"));
    let is_table = |mode: &Datum| matches!(mode, Datum::Char(b't')) || mode.as_str() == Some("t");
    if modes.iter().any(is_table) {
        let mut columns = Vec::new();
        for (index, _) in modes.iter().enumerate().filter(|(_, mode)| is_table(mode)) {
            let name = names.get(index).and_then(Datum::as_str).unwrap_or_default();
            let ty = types.get(index).and_then(Datum::as_oid).unwrap_or(0);
            columns.push(format!("{} {}", quote_ident(name), format_type(context, PgType(ty), None)?));
        }
        return Ok(format!("TABLE({})", columns.join(", ")));
    }
    let ty = format_type(context, PgType(row.oid("prorettype")), None)?;
    Ok(if row.bool("proretset") { format!("SETOF {ty}") } else { ty })
}

fn function(context: &Context<'_>, oid: &Datum) -> Result<Datum> {
    let Some(row) = proc_row(context, oid)? else { return Ok(Datum::Null) };
    if row.char("prokind") == 'a' {
        return Err(Error::WrongObject(format!("\"{}\" is an aggregate function", row.text("proname"))));
    }
    let is_procedure = row.char("prokind") == 'p';
    let kind = if is_procedure { "PROCEDURE" } else { "FUNCTION" };
    let schema = quote_ident(&schema_of(context, row.oid("pronamespace"))?);
    let name = quote_ident(&row.text("proname"));
    let mut text = format!("CREATE OR REPLACE {kind} {schema}.{name}({})\n", arguments(context, &row, true)?);
    if !is_procedure {
        text.push_str(&format!(" RETURNS {}\n", function_result(context, &row)?));
    }
    let language =
        context.by_oid("pg_language", row.oid("prolang"))?.map(|row| row.text("lanname")).unwrap_or_default();
    text.push_str(&format!(" LANGUAGE {}\n", quote_ident(&language)));
    let mut options = Vec::new();
    match row.char("provolatile") {
        'i' => options.push("IMMUTABLE"),
        's' => options.push("STABLE"),
        _ => {}
    }
    match row.char("proparallel") {
        's' => options.push("PARALLEL SAFE"),
        'r' => options.push("PARALLEL RESTRICTED"),
        _ => {}
    }
    if row.bool("proisstrict") {
        options.push("STRICT");
    }
    if row.bool("prosecdef") {
        options.push("SECURITY DEFINER");
    }
    if row.bool("proleakproof") {
        options.push("LEAKPROOF");
    }
    if !options.is_empty() {
        text.push_str(&format!(" {}\n", options.join(" ")));
    }
    let source = row.text("prosrc");
    if language == "internal" || language == "c" {
        let binary = row.text("probin");
        let library = if binary.is_empty() { String::new() } else { format!("'{binary}', ") };
        text.push_str(&format!("AS {library}$function${source}$function$\n"));
    } else {
        text.push_str(&format!("AS $function${source}$function$\n"));
    }
    Ok(Datum::from(text))
}

fn column_names(context: &Context<'_>, relation: u32, numbers: &[Datum]) -> Result<Vec<String>> {
    let attributes = context.find_all("pg_attribute", "attrelid", &Datum::Oid(relation))?;
    Ok(numbers
        .iter()
        .map(|number| {
            let found = attributes.iter().find(|row| Some(row.int("attnum")) == number.as_int());
            found.map(|row| quote_ident(&row.text("attname"))).unwrap_or_default()
        })
        .collect())
}

fn constraint(context: &Context<'_>, oid: &Datum) -> Result<Datum> {
    let Some(row) = context.find("pg_constraint", "oid", oid)? else { return Ok(Datum::Null) };
    let columns = || column_names(context, row.oid("conrelid"), &list(&row, "conkey")).map(|names| names.join(", "));
    let mut text = match row.char("contype") {
        'p' => format!("PRIMARY KEY ({})", columns()?),
        'u' => format!("UNIQUE ({})", columns()?),
        'c' => {
            let condition = row.text("conbin");
            let bracketed = condition.starts_with('(') && condition.ends_with(')');
            if bracketed { format!("CHECK ({condition})") } else { format!("CHECK (({condition}))") }
        }
        'f' => {
            let target = row.oid("confrelid");
            let table = relation_name(context, target)?.unwrap_or_default();
            let keys = column_names(context, target, &list(&row, "confkey"))?.join(", ");
            format!("FOREIGN KEY ({}) REFERENCES {table}({keys}){}", columns()?, actions(&row))
        }
        _ => return Ok(Datum::Null),
    };
    if row.bool("condeferrable") {
        text.push_str(" DEFERRABLE");
    }
    if row.bool("condeferred") {
        text.push_str(" INITIALLY DEFERRED");
    }
    if !row.bool("convalidated") && !row.get("convalidated").is_null() {
        text.push_str(" NOT VALID");
    }
    Ok(Datum::from(text))
}

fn actions(row: &Found) -> String {
    let mut text = String::new();
    match row.char("confmatchtype") {
        'f' => text.push_str(" MATCH FULL"),
        'p' => text.push_str(" MATCH PARTIAL"),
        _ => {}
    }
    for (column, event) in [("confupdtype", "UPDATE"), ("confdeltype", "DELETE")] {
        let action = match row.char(column) {
            'r' => "RESTRICT",
            'c' => "CASCADE",
            'n' => "SET NULL",
            'd' => "SET DEFAULT",
            _ => continue,
        };
        text.push_str(&format!(" ON {event} {action}"));
    }
    text
}

fn index(context: &Context<'_>, a: &Arguments<'_>) -> Result<Datum> {
    let Some(row) = context.find("pg_index", "indexrelid", &a[0])? else { return Ok(Datum::Null) };
    let Some(class) = context.find("pg_class", "oid", &a[0])? else { return Ok(Datum::Null) };
    let table = row.oid("indrelid");
    let columns = index_columns(context, &row, table)?;
    if let Some(number) = a.get(1).and_then(Datum::as_int).filter(|number| *number > 0) {
        let column = usize::try_from(number - 1).ok().and_then(|index| columns.get(index));
        return Ok(Datum::text(column.map(|column| column.0.as_str()).unwrap_or_default()));
    }
    let method = context.by_oid("pg_am", class.oid("relam"))?.map(|row| row.text("amname")).unwrap_or("btree".into());
    let key_count = row.int("indnkeyatts").max(0) as usize;
    let keys = columns.iter().take(key_count).map(|(name, order)| format!("{name}{order}")).collect::<Vec<_>>();
    let included = columns.iter().skip(key_count).map(|column| column.0.as_str()).collect::<Vec<_>>();
    let unique = if row.bool("indisunique") { "UNIQUE " } else { "" };
    let name = quote_ident(&class.text("relname"));
    // The pretty form leaves out the schema of a table that is on the search path.
    let pretty = a.get(2).and_then(Datum::as_bool) == Some(true);
    let on = if pretty { relation_name(context, table)?.unwrap_or_default() } else { full_name(context, table)? };
    let mut text = format!("CREATE {unique}INDEX {name} ON {on} USING {method} ({})", keys.join(", "));
    if !included.is_empty() {
        text.push_str(&format!(" INCLUDE ({})", included.join(", ")));
    }
    let predicate = row.text("indpred");
    if !predicate.is_empty() {
        text.push_str(&format!(" WHERE {predicate}"));
    }
    Ok(Datum::from(text))
}

/// Each column's name and its order, where that is not the usual one.
fn index_columns(context: &Context<'_>, row: &Found, table: u32) -> Result<Vec<(String, &'static str)>> {
    let names = column_names(context, table, &list(row, "indkey"))?;
    let options = list(row, "indoption");
    let order = |index: usize| match options.get(index).and_then(Datum::as_int).unwrap_or(0) & 3 {
        1 => " DESC NULLS LAST",
        2 => " NULLS FIRST",
        3 => " DESC",
        _ => "",
    };
    Ok(names.into_iter().enumerate().map(|(index, name)| (name, order(index))).collect())
}

fn full_name(context: &Context<'_>, relation: u32) -> Result<String> {
    let Some(row) = context.by_oid("pg_class", relation)? else { return Ok(String::new()) };
    let schema = schema_of(context, row.oid("relnamespace"))?;
    Ok(format!("{}.{}", quote_ident(&schema), quote_ident(&row.text("relname"))))
}

fn view(context: &Context<'_>, oid: u32) -> Datum {
    context.relations.view_definition(oid).into()
}

fn view_by_name(context: &Context<'_>, name: &Datum) -> Result<Datum> {
    let oid = super::names::reg_oid(context, name.as_str().unwrap_or_default(), PgType::REGCLASS)?;
    Ok(view(context, oid))
}

fn rule(context: &Context<'_>, oid: &Datum) -> Result<Datum> {
    let Some(row) = context.find("pg_rewrite", "oid", oid)? else { return Ok(Datum::Null) };
    let table = full_name(context, row.oid("ev_class"))?;
    let body = context.relations.view_definition(row.oid("ev_class")).unwrap_or_default();
    let name = quote_ident(&row.text("rulename"));
    Ok(Datum::from(format!("CREATE RULE {name} AS\n    ON SELECT TO {table} DO INSTEAD {body}")))
}
