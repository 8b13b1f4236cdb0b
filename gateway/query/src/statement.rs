//! One statement of a client, sorted by what it asks of the session.

use dialects::ast;
use mantissa_core::{ErrorKind, PgType, Problem};

use crate::copy;
use crate::outcome::{CopyFormat, Result};
use crate::words::{Word, Words};

#[derive(Debug, Clone)]
pub(crate) enum Statement {
    Select(Box<ast::Query>),
    Explain(Box<Explain>),
    Ask(String),
    Show(String),
    ShowAll,
    Set {
        name: String,
        value: SetValue,
        local: bool,
    },
    Reset(String),
    ResetAll,
    Discard(Discard),
    /// SET TRANSACTION and SET SESSION CHARACTERISTICS: settings to apply.
    Characteristics {
        settings: Vec<(&'static str, String)>,
        session: bool,
    },
    Begin {
        settings: Vec<(&'static str, String)>,
        tag: &'static str,
    },
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    Declare(Box<Declare>),
    Fetch(Fetch),
    Close(Option<String>),
    Prepare {
        name: String,
        types: Vec<PgType>,
        query: Box<ast::Query>,
        text: String,
    },
    Execute {
        name: String,
        arguments: Vec<ast::Expr>,
    },
    Deallocate(Option<String>),
    Copy {
        query: Box<ast::Query>,
        format: CopyFormat,
    },
    /// LISTEN, UNLISTEN, LOCK, ...: accepted, with nothing to do on a server that only reads.
    Accepted(&'static str),
    /// A statement that would write; refused in the words that Postgres uses in a read-only transaction.
    Refused(String),
}

#[derive(Debug, Clone)]
pub(crate) struct Explain {
    pub target: ExplainTarget,
    pub analyze: bool,
    /// EXPLAIN (DIALECT x).
    pub dialect: Option<String>,
    pub format: ExplainFormat,
}

#[derive(Debug, Clone)]
pub(crate) enum ExplainTarget {
    Query(Box<ast::Query>),
    Ask(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExplainFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SetValue {
    Default,
    Value(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discard {
    All,
    Plans,
    Sequences,
    Temp,
}

#[derive(Debug, Clone)]
pub(crate) struct Declare {
    pub name: String,
    pub query: ast::Query,
    pub text: String,
    pub binary: bool,
    pub hold: bool,
    /// SCROLL or NO SCROLL, where said.
    pub scroll: Option<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fetch {
    pub cursor: String,
    pub direction: Direction,
    /// MOVE: no rows come back.
    pub only_move: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward(i64),
    ForwardAll,
    Backward(i64),
    BackwardAll,
    Absolute(i64),
    Relative(i64),
}

impl Statement {
    /// Parses one statement. Positions in errors count from the start of `text`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut words = Words::new(text);
        let first = words.peek_name(0).unwrap_or_default().to_owned();
        match first.as_str() {
            "ask" if matches!(words.peek_ahead(1), Some(Word::Text(_))) => {
                words.take();
                let question = words.text()?;
                words.expect_end()?;
                Ok(Self::Ask(question))
            }
            "explain" => explain(words),
            "show" => show(words),
            "set" => set(words),
            "reset" => reset(words),
            "discard" => discard(words),
            "begin" | "start" => begin(words),
            "commit" | "end" => Ok(Self::Commit { chain: transaction_end(words)? }),
            "abort" => Ok(Self::Rollback { chain: transaction_end(words)? }),
            "rollback" => rollback(words),
            "savepoint" | "release" => savepoint(words),
            "declare" => declare(words),
            "fetch" | "move" => fetch(words),
            "close" | "deallocate" => close(words),
            "prepare" => prepare(words),
            "execute" => execute(words),
            "copy" => copy_out(words),
            "listen" => Ok(Self::Accepted("LISTEN")),
            "unlisten" => Ok(Self::Accepted("UNLISTEN")),
            "lock" => Ok(Self::Accepted("LOCK TABLE")),
            _ => select(text, &first),
        }
    }

    /// Whether it may run in a failed transaction.
    pub fn ends_transaction(&self) -> bool {
        matches!(self, Self::Commit { .. } | Self::Rollback { .. } | Self::RollbackTo(_))
    }
}

/// Commands that change something: refused by name.
const WRITES: &[(&str, &str)] = &[
    ("alter", "ALTER"),
    ("analyze", "ANALYZE"),
    ("call", "CALL"),
    ("checkpoint", "CHECKPOINT"),
    ("cluster", "CLUSTER"),
    ("comment", "COMMENT"),
    ("create", "CREATE"),
    ("delete", "DELETE"),
    ("do", "DO"),
    ("drop", "DROP"),
    ("grant", "GRANT"),
    ("import", "IMPORT FOREIGN SCHEMA"),
    ("insert", "INSERT"),
    ("load", "LOAD"),
    ("merge", "MERGE"),
    ("notify", "NOTIFY"),
    ("reassign", "REASSIGN OWNED"),
    ("refresh", "REFRESH MATERIALIZED VIEW"),
    ("reindex", "REINDEX"),
    ("revoke", "REVOKE"),
    ("security", "SECURITY LABEL"),
    ("truncate", "TRUNCATE TABLE"),
    ("update", "UPDATE"),
    ("vacuum", "VACUUM"),
];

/// CREATE, ALTER and DROP name their object in the error, as Postgres does: `CREATE TABLE`.
const OBJECTS: &[&str] = &[
    "table",
    "view",
    "index",
    "schema",
    "function",
    "database",
    "role",
    "user",
    "sequence",
    "type",
    "extension",
    "trigger",
    "materialized",
    "procedure",
    "domain",
    "aggregate",
    "policy",
    "rule",
    "server",
    "publication",
];

fn select(text: &str, first: &str) -> Result<Statement> {
    if let Some((_, command)) = WRITES.iter().find(|(word, _)| *word == first) {
        let mut words = Words::new(text);
        words.take();
        let mut object = None;
        for _ in 0..4 {
            match words.take() {
                Some(Word::Name(name)) if OBJECTS.contains(&name.as_str()) => {
                    object = Some(name.to_uppercase());
                    break;
                }
                Some(Word::Name(_)) => {}
                _ => break,
            }
        }
        let command = match object {
            Some(object) if matches!(first, "create" | "alter" | "drop") => format!("{command} {object}"),
            _ => (*command).to_owned(),
        };
        return Ok(Statement::Refused(command));
    }
    query(text, 0).map(|query| Statement::Select(Box::new(query)))
}

/// Parses a query that starts `offset` characters into the statement.
fn query(text: &str, offset: u32) -> Result<ast::Query> {
    dialects::parse_query(text).map_err(|error| {
        let mut problem = mantissa_guard::problem(error);
        problem.position = problem.position.map(|position| position + offset);
        problem
    })
}

fn rest_query(words: &Words<'_>) -> Result<ast::Query> {
    let (text, offset) = words.rest();
    query(text, offset)
}

fn explain(mut words: Words<'_>) -> Result<Statement> {
    words.expect("explain")?;
    let mut explain = Explain {
        target: ExplainTarget::Ask(String::new()),
        analyze: false,
        dialect: None,
        format: ExplainFormat::Text,
    };
    if words.peek() == Some(&Word::Symbol('(')) && is_option_list(&words) {
        explain_options(&mut words, &mut explain)?;
    } else {
        explain.analyze = words.accept("analyze") || words.accept("analyse");
        words.accept("verbose");
    }
    if words.peek_name(0) == Some("ask") && matches!(words.peek_ahead(1), Some(Word::Text(_))) {
        words.take();
        explain.target = ExplainTarget::Ask(words.text()?);
        words.expect_end()?;
    } else {
        explain.target = ExplainTarget::Query(Box::new(rest_query(&words)?));
    }
    Ok(Statement::Explain(Box::new(explain)))
}

/// `EXPLAIN (SELECT 1)` has a query in its parenthesis, `EXPLAIN (ANALYZE) ...` options.
fn is_option_list(words: &Words<'_>) -> bool {
    !matches!(words.peek_name(1), None | Some("select" | "with" | "values" | "table"))
}

fn explain_options(words: &mut Words<'_>, explain: &mut Explain) -> Result<()> {
    words.expect_symbol('(')?;
    loop {
        let option = words.identifier()?;
        let value = match words.peek() {
            Some(Word::Symbol(',' | ')')) => None,
            _ => words.take(),
        };
        let word = match &value {
            Some(Word::Name(name) | Word::Quoted(name) | Word::Text(name) | Word::Number(name)) => {
                Some(name.to_lowercase())
            }
            _ => None,
        };
        let on = !matches!(word.as_deref(), Some("off" | "false" | "0"));
        match option.as_str() {
            "analyze" | "analyse" => explain.analyze = on,
            "dialect" => explain.dialect = word,
            "format" => match word.as_deref() {
                Some("json") => explain.format = ExplainFormat::Json,
                Some("text") => explain.format = ExplainFormat::Text,
                other => {
                    let message = format!("EXPLAIN format \"{}\" is not supported", other.unwrap_or_default());
                    return Err(Problem::new(ErrorKind::FeatureNotSupported, message).hint("Use FORMAT TEXT or JSON."));
                }
            },
            "verbose" | "costs" | "buffers" | "timing" | "summary" | "settings" | "wal" | "generic_plan" => {}
            other => {
                let message = format!("unrecognized EXPLAIN option \"{other}\"");
                return Err(Problem::new(ErrorKind::SyntaxError, message));
            }
        }
        if !words.accept_symbol(',') {
            return words.expect_symbol(')');
        }
    }
}

fn show(mut words: Words<'_>) -> Result<Statement> {
    words.expect("show")?;
    let statement = if words.accept("all") {
        Statement::ShowAll
    } else if words.accept_all(&["time", "zone"]) {
        Statement::Show("TimeZone".into())
    } else if words.accept_all(&["transaction", "isolation", "level"]) {
        Statement::Show("transaction_isolation".into())
    } else if words.accept_all(&["session", "authorization"]) {
        Statement::Show("session_authorization".into())
    } else {
        Statement::Show(words.dotted_name()?)
    };
    words.expect_end()?;
    Ok(statement)
}

fn set(mut words: Words<'_>) -> Result<Statement> {
    words.expect("set")?;
    if words.accept_all(&["session", "characteristics", "as", "transaction"]) {
        return Ok(Statement::Characteristics { settings: transaction_modes(&mut words)?, session: true });
    }
    if words.peek_name(0) == Some("session") && words.peek_name(1) == Some("authorization") {
        words.take();
        words.take();
        return Ok(Statement::Set {
            name: "session_authorization".into(),
            value: set_value(&mut words)?,
            local: false,
        });
    }
    let local = words.accept("local");
    if !local {
        words.accept("session");
    }
    if words.accept("transaction") {
        return Ok(Statement::Characteristics { settings: transaction_modes(&mut words)?, session: false });
    }
    if words.accept_all(&["time", "zone"]) {
        return Ok(Statement::Set { name: "timezone".into(), value: time_zone(&mut words)?, local });
    }
    for (word, name) in [("names", "client_encoding"), ("role", "role"), ("schema", "search_path")] {
        if words.peek_name(0) == Some(word)
            && !matches!(words.peek_ahead(1), Some(Word::Symbol('=')))
            && words.peek_name(1) != Some("to")
        {
            words.take();
            return Ok(Statement::Set { name: name.into(), value: set_value(&mut words)?, local });
        }
    }
    let name = words.dotted_name()?;
    if !words.accept_symbol('=') {
        words.expect("to")?;
    }
    Ok(Statement::Set { name, value: set_value(&mut words)?, local })
}

fn time_zone(words: &mut Words<'_>) -> Result<SetValue> {
    if words.accept("local") {
        words.expect_end()?;
        return Ok(SetValue::Default);
    }
    if words.accept("interval") {
        let text = words.text()?;
        return Ok(SetValue::Value(text.trim_end_matches(" hours").to_owned()));
    }
    set_value(words)
}

/// The right side of SET: DEFAULT, or a list of words joined by commas.
fn set_value(words: &mut Words<'_>) -> Result<SetValue> {
    if words.accept("default") {
        words.expect_end()?;
        return Ok(SetValue::Default);
    }
    let mut items = Vec::new();
    loop {
        if let Some(number) = words.integer() {
            items.push(number.to_string());
        } else {
            match words.take() {
                Some(Word::Name(name)) => items.push(name),
                Some(Word::Quoted(name)) => items.push(quote_if_needed(&name)),
                Some(Word::Text(text)) => items.push(text),
                Some(Word::Number(number)) => items.push(number),
                Some(Word::Symbol('-')) => match words.take() {
                    Some(Word::Number(number)) => items.push(format!("-{number}")),
                    _ => return Err(words.syntax_error()),
                },
                _ => return Err(words.syntax_error()),
            }
        }
        if !words.accept_symbol(',') {
            words.expect_end()?;
            return Ok(SetValue::Value(items.join(", ")));
        }
    }
}

/// Keeps the quotes of an identifier that would otherwise be folded or split.
fn quote_if_needed(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn reset(mut words: Words<'_>) -> Result<Statement> {
    words.expect("reset")?;
    let statement = if words.accept("all") {
        Statement::ResetAll
    } else if words.accept_all(&["time", "zone"]) {
        Statement::Reset("timezone".into())
    } else if words.accept_all(&["session", "authorization"]) {
        Statement::Reset("session_authorization".into())
    } else {
        Statement::Reset(words.dotted_name()?)
    };
    words.expect_end()?;
    Ok(statement)
}

fn discard(mut words: Words<'_>) -> Result<Statement> {
    words.expect("discard")?;
    let what = match words.identifier()?.as_str() {
        "all" => Discard::All,
        "plans" => Discard::Plans,
        "sequences" => Discard::Sequences,
        "temp" | "temporary" => Discard::Temp,
        _ => return Err(words.syntax_error()),
    };
    words.expect_end()?;
    Ok(Statement::Discard(what))
}

fn begin(mut words: Words<'_>) -> Result<Statement> {
    let tag = if words.accept("start") {
        words.expect("transaction")?;
        "START TRANSACTION"
    } else {
        words.expect("begin")?;
        if !words.accept("transaction") {
            words.accept("work");
        }
        "BEGIN"
    };
    Ok(Statement::Begin { settings: transaction_modes(&mut words)?, tag })
}

/// ISOLATION LEVEL, READ ONLY, DEFERRABLE: as settings.
fn transaction_modes(words: &mut Words<'_>) -> Result<Vec<(&'static str, String)>> {
    let mut settings = Vec::new();
    while !words.at_end() {
        if words.accept_all(&["isolation", "level"]) {
            let level = if words.accept_all(&["read", "committed"]) {
                "read committed"
            } else if words.accept_all(&["read", "uncommitted"]) {
                "read uncommitted"
            } else if words.accept_all(&["repeatable", "read"]) {
                "repeatable read"
            } else if words.accept("serializable") {
                "serializable"
            } else {
                return Err(words.syntax_error());
            };
            settings.push(("transaction_isolation", level.to_owned()));
        } else if words.accept_all(&["read", "only"]) {
            settings.push(("transaction_read_only", "on".to_owned()));
        } else if words.accept_all(&["read", "write"]) {
            // Clients ask for it by default; writes are refused one by one.
        } else if words.accept_all(&["not", "deferrable"]) {
            settings.push(("transaction_deferrable", "off".to_owned()));
        } else if words.accept("deferrable") {
            settings.push(("transaction_deferrable", "on".to_owned()));
        } else {
            return Err(words.syntax_error());
        }
        words.accept_symbol(',');
    }
    Ok(settings)
}

/// The end of COMMIT and ROLLBACK; says whether AND CHAIN stands there.
fn transaction_end(mut words: Words<'_>) -> Result<bool> {
    words.take();
    if !words.accept("work") {
        words.accept("transaction");
    }
    let chain = words.accept_all(&["and", "chain"]);
    if !chain {
        words.accept_all(&["and", "no", "chain"]);
    }
    words.expect_end()?;
    Ok(chain)
}

fn rollback(mut words: Words<'_>) -> Result<Statement> {
    let simple = Words::new(words.rest().0);
    words.expect("rollback")?;
    if !words.accept("work") {
        words.accept("transaction");
    }
    if words.accept("to") {
        words.accept("savepoint");
        let name = words.identifier()?;
        words.expect_end()?;
        return Ok(Statement::RollbackTo(name));
    }
    Ok(Statement::Rollback { chain: transaction_end(simple)? })
}

fn savepoint(mut words: Words<'_>) -> Result<Statement> {
    let release = words.accept("release");
    words.accept("savepoint");
    let name = words.identifier()?;
    words.expect_end()?;
    Ok(if release { Statement::Release(name) } else { Statement::Savepoint(name) })
}

fn declare(mut words: Words<'_>) -> Result<Statement> {
    words.expect("declare")?;
    let name = words.identifier()?;
    let (mut binary, mut scroll) = (false, None);
    loop {
        if words.accept("binary") {
            binary = true;
        } else if words.accept("insensitive") || words.accept("asensitive") {
        } else if words.accept_all(&["no", "scroll"]) {
            scroll = Some(false);
        } else if words.accept("scroll") {
            scroll = Some(true);
        } else {
            break;
        }
    }
    words.expect("cursor")?;
    let hold = words.accept_all(&["with", "hold"]);
    if !hold {
        words.accept_all(&["without", "hold"]);
    }
    words.expect("for")?;
    let query = rest_query(&words)?;
    let text = words.rest().0.to_owned();
    Ok(Statement::Declare(Box::new(Declare { name, query, text, binary, hold, scroll })))
}

fn fetch(mut words: Words<'_>) -> Result<Statement> {
    let only_move = words.accept("move");
    if !only_move {
        words.expect("fetch")?;
    }
    let direction = direction(&mut words);
    if !words.accept("from") {
        words.accept("in");
    }
    let cursor = words.identifier()?;
    words.expect_end()?;
    Ok(Statement::Fetch(Fetch { cursor, direction, only_move }))
}

fn direction(words: &mut Words<'_>) -> Direction {
    // A cursor may be called "next": a direction word counts only where something follows it.
    let last = words.peek_ahead(1).is_none();
    if last {
        return Direction::Forward(1);
    }
    if words.accept("next") {
        Direction::Forward(1)
    } else if words.accept("prior") {
        Direction::Backward(1)
    } else if words.accept("first") {
        Direction::Absolute(1)
    } else if words.accept("last") {
        Direction::Absolute(-1)
    } else if words.accept("absolute") {
        Direction::Absolute(words.integer().unwrap_or(0))
    } else if words.accept("relative") {
        Direction::Relative(words.integer().unwrap_or(0))
    } else if words.accept("all") {
        Direction::ForwardAll
    } else if words.accept("forward") {
        if words.accept("all") { Direction::ForwardAll } else { Direction::Forward(words.integer().unwrap_or(1)) }
    } else if words.accept("backward") {
        if words.accept("all") { Direction::BackwardAll } else { Direction::Backward(words.integer().unwrap_or(1)) }
    } else {
        match words.integer() {
            Some(count) if count < 0 => Direction::Backward(-count),
            Some(count) => Direction::Forward(count),
            None => Direction::Forward(1),
        }
    }
}

fn close(mut words: Words<'_>) -> Result<Statement> {
    let deallocate = words.accept("deallocate");
    if deallocate {
        words.accept("prepare");
    } else {
        words.expect("close")?;
    }
    let name = if words.accept("all") { None } else { Some(words.identifier()?) };
    words.expect_end()?;
    Ok(if deallocate { Statement::Deallocate(name) } else { Statement::Close(name) })
}

fn prepare(mut words: Words<'_>) -> Result<Statement> {
    words.expect("prepare")?;
    let name = words.identifier()?;
    let mut types = Vec::new();
    if words.peek() == Some(&Word::Symbol('(')) {
        let (list, _) = words.parenthesised()?;
        for ty in list.split(',').map(|ty| ty.trim().to_lowercase()) {
            let unknown = || Problem::new(ErrorKind::UndefinedObject, format!("type \"{ty}\" does not exist"));
            types.push(PgType::by_name(&ty).ok_or_else(unknown)?);
        }
    }
    words.expect("as")?;
    let query = Box::new(rest_query(&words)?);
    Ok(Statement::Prepare { name, types, query, text: words.rest().0.to_owned() })
}

fn execute(mut words: Words<'_>) -> Result<Statement> {
    words.expect("execute")?;
    let name = words.identifier()?;
    let mut arguments = Vec::new();
    if words.peek() == Some(&Word::Symbol('(')) {
        let (list, offset) = words.parenthesised()?;
        let row = query(&format!("select {list}"), offset.saturating_sub(7))?;
        if let ast::SetExpr::Select(select) = *row.body {
            for item in select.projection {
                match item {
                    ast::SelectItem::UnnamedExpr(expr) => arguments.push(expr),
                    _ => return Err(words.syntax_error()),
                }
            }
        }
    }
    words.expect_end()?;
    Ok(Statement::Execute { name, arguments })
}

fn copy_out(mut words: Words<'_>) -> Result<Statement> {
    words.expect("copy")?;
    let query = if words.peek() == Some(&Word::Symbol('(')) {
        let (text, offset) = words.parenthesised()?;
        query(text, offset)?
    } else {
        let table = words.dotted_name()?;
        let columns = if words.peek() == Some(&Word::Symbol('(')) { words.parenthesised()?.0 } else { "*" };
        query(&format!("select {columns} from {}", quote_dotted(&table)), 0)?
    };
    if words.accept("from") {
        return Ok(Statement::Refused("COPY FROM".into()));
    }
    words.expect("to")?;
    if !words.accept("stdout") {
        return Err(Problem::new(ErrorKind::InsufficientPrivilege, "permission denied to COPY to a file or program")
            .hint("Use COPY ... TO STDOUT, or psql's \\copy."));
    }
    let format = copy::options(&mut words)?;
    words.expect_end()?;
    Ok(Statement::Copy { query: Box::new(query), format })
}

fn quote_dotted(name: &str) -> String {
    name.split('.').map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetched(text: &str) -> Fetch {
        match Statement::parse(text).unwrap() {
            Statement::Fetch(fetch) => fetch,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn every_form_of_fetch_is_read() {
        for (text, direction) in [
            ("FETCH c", Direction::Forward(1)),
            ("FETCH NEXT FROM c", Direction::Forward(1)),
            ("fetch 10 in c", Direction::Forward(10)),
            ("FETCH -2 c", Direction::Backward(2)),
            ("FETCH FORWARD 5 FROM c", Direction::Forward(5)),
            ("FETCH FORWARD ALL FROM c", Direction::ForwardAll),
            ("FETCH ALL c", Direction::ForwardAll),
            ("FETCH BACKWARD c", Direction::Backward(1)),
            ("FETCH ABSOLUTE -1 FROM c", Direction::Absolute(-1)),
            ("MOVE RELATIVE 3 IN c", Direction::Relative(3)),
            ("FETCH LAST FROM c", Direction::Absolute(-1)),
        ] {
            let fetch = fetched(text);
            assert_eq!((fetch.cursor.as_str(), fetch.direction), ("c", direction), "{text}");
        }
        assert_eq!(fetched("FETCH next").cursor, "next");
    }

    #[test]
    fn set_takes_every_spelling() {
        for (text, name, value) in [
            ("SET x.y = 'a b'", "x.y", "a b"),
            ("set search_path = \"s\", public", "search_path", "s, public"),
            ("SET search_path TO \"My S\"", "search_path", "\"My S\""),
            ("SET extra_float_digits = 3", "extra_float_digits", "3"),
            ("SET TIME ZONE 'UTC'", "timezone", "UTC"),
            ("SET TIME ZONE -3", "timezone", "-3"),
            ("SET NAMES 'UTF8'", "client_encoding", "UTF8"),
            ("SET SESSION statement_timeout TO '5s'", "statement_timeout", "5s"),
        ] {
            match Statement::parse(text).unwrap() {
                Statement::Set { name: read, value: SetValue::Value(given), .. } => {
                    assert_eq!((read.as_str(), given.as_str()), (name, value), "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn writes_are_named_as_postgres_names_them() {
        for (text, command) in [
            ("INSERT INTO t VALUES (1)", "INSERT"),
            ("create local temporary table \"#T\" (a int)", "CREATE TABLE"),
            ("DROP TABLE t", "DROP TABLE"),
            ("CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE VIEW"),
            ("COPY t FROM STDIN", "COPY FROM"),
        ] {
            match Statement::parse(text).unwrap() {
                Statement::Refused(name) => assert_eq!(name, command, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn positions_count_from_the_start_of_the_statement() {
        let problem = Statement::parse("DECLARE c CURSOR FOR SELECT 1 WHERE )").unwrap_err();
        assert_eq!(problem.kind, ErrorKind::SyntaxError);
        assert!(problem.position.is_some_and(|position| position > 21), "{problem:?}");
    }

    #[test]
    fn ask_and_explain_ask_carry_the_question() {
        assert!(matches!(Statement::parse("ASK 'who''s root?'").unwrap(), Statement::Ask(q) if q == "who's root?"));
        match Statement::parse("EXPLAIN ASK 'x'").unwrap() {
            Statement::Explain(explain) => assert!(matches!(explain.target, ExplainTarget::Ask(_))),
            other => panic!("{other:?}"),
        }
        match Statement::parse("EXPLAIN (DIALECT bigquery, ANALYZE off) SELECT 1").unwrap() {
            Statement::Explain(explain) => assert_eq!(explain.dialect.as_deref(), Some("bigquery")),
            other => panic!("{other:?}"),
        }
    }
}
