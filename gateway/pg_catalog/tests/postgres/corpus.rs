//! Statements that real clients sent, from the corpus `clients`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// One statement of one client.
#[derive(Debug, Clone)]
pub struct Captured {
    pub client: String,
    /// `pgjdbc/09_getPrimaryKeys.sql#2`: file and number of the statement in it.
    pub place: String,
    pub sql: String,
    /// Text forms of `$1`, `$2`, ...
    pub parameters: Vec<Option<String>>,
}

/// The folder of the corpus. `None` where it is not there, having said so; with CI=true that is a failure.
pub fn folder(test: &str) -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let corpora = env::var_os("MANTISSA_CORPORA").map_or_else(|| repository.join("../shared"), PathBuf::from);
    let folder = if corpora.is_absolute() { corpora } else { repository.join(corpora) }.join("clients");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(env::var("CI").as_deref() != Ok("true"), "{test}: no corpus in {}", folder.display());
    eprintln!("skipped {test}: no corpus in {}", folder.display());
    None
}

pub fn statements(folder: &Path) -> Vec<Captured> {
    let mut files = Vec::new();
    for client in entries(folder).into_iter().filter(|entry| entry.is_dir()) {
        files.extend(entries(&client).into_iter().filter(|file| file.extension().is_some_and(|name| name == "sql")));
    }
    files.iter().flat_map(|file| statements_of(folder, file)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("a readable folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    entries
}

fn statements_of(folder: &Path, file: &Path) -> Vec<Captured> {
    let text = fs::read_to_string(file).expect("a readable file");
    let place = file.strip_prefix(folder).expect("a file of the folder").display().to_string();
    let client = place.split('/').next().expect("a client").to_owned();
    let mut captured = Vec::new();
    for part in parts(&text) {
        for sql in split(&part.sql) {
            captured.push(Captured {
                client: client.clone(),
                place: format!("{place}#{}", captured.len() + 1),
                sql,
                parameters: part.parameters.clone(),
            });
        }
    }
    captured
}

#[derive(Default)]
struct Part {
    sql: String,
    parameters: Vec<Option<String>>,
}

/// Cuts a file where a message to the server began, and leaves out what the corpus says about results.
fn parts(text: &str) -> Vec<Part> {
    const RESULTS: &[&str] = &["-- client-side result:", "-- expected psql output", "-- replayed on "];
    let mut parts = vec![Part::default()];
    let mut header = true;
    for line in text.lines() {
        if RESULTS.iter().any(|mark| line.starts_with(mark)) {
            break;
        }
        header &= line.starts_with("--");
        let parameters = line.split_once("parameters: ").map(|(_, list)| parameters(list));
        if line.starts_with("-- [") {
            parts.push(Part { sql: String::new(), parameters: parameters.unwrap_or_default() });
        } else if line.starts_with("-- detail:") {
            let last = parts.last_mut().expect("at least one part");
            last.parameters = parameters.unwrap_or_default();
        } else if !header && !line.starts_with("-- servererror:") {
            let last = parts.last_mut().expect("at least one part");
            last.sql.push_str(line);
            last.sql.push('\n');
        }
    }
    parts
}

/// `$1 = 'a', $2 = NULL`, as the server's log writes it.
fn parameters(list: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = list;
    while let Some((_, value)) = rest.split_once(" = ") {
        if let Some(after) = value.strip_prefix("NULL") {
            values.push(None);
            rest = after;
            continue;
        }
        let mut text = String::new();
        let mut characters = value.strip_prefix('\'').unwrap_or(value).char_indices().peekable();
        let mut end = value.len();
        while let Some((index, character)) = characters.next() {
            if character == '\'' && characters.next_if(|(_, next)| *next == '\'').is_none() {
                end = index + 2;
                break;
            }
            text.push(character);
        }
        values.push(Some(text));
        rest = value.get(end..).unwrap_or("");
    }
    values
}

/// Cuts a batch at semicolons outside of quotes and comments.
fn split(batch: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    let mut quote: Option<char> = None;
    let mut comment = false;
    let mut characters = batch.chars().peekable();
    while let Some(character) = characters.next() {
        let current = statements.last_mut().expect("at least one statement");
        match (character, quote) {
            ('\n', _) if comment => comment = false,
            (_, _) if comment => {}
            ('-', None) if characters.peek() == Some(&'-') => comment = true,
            ('\'' | '"', None) => quote = Some(character),
            (character, Some(open)) if character == open => quote = None,
            (';', None) => {
                statements.push(String::new());
                continue;
            }
            _ => {}
        }
        current.push(character);
    }
    let blank = |sql: &String| sql.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("--"));
    statements.into_iter().filter(|sql| !blank(sql)).map(|sql| sql.trim().to_owned()).collect()
}

#[test]
fn parameters_are_read_with_their_quotes() {
    let values = parameters("$1 = 'a''b, $9 = x', $2 = NULL, $3 = '{1,2}'");
    assert_eq!(values, [Some("a'b, $9 = x".to_owned()), None, Some("{1,2}".to_owned())]);
}

#[test]
fn batches_are_cut_outside_of_quotes_and_comments() {
    assert_eq!(split("SELECT ';' -- a;b\n; -- nothing\n;SELECT 2"), ["SELECT ';' -- a;b", "SELECT 2"]);
}
