//! Every reading statement that real clients send must parse. The corpus is optional: without it the suite says so.

use std::fs;
use std::path::{Path, PathBuf};

fn corpora() -> PathBuf {
    std::env::var_os("MANTISSA_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from)
}

fn sql_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('_') {
            found.extend(sql_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "sql") && name != "00_schema.sql" {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether the first word, behind comments and brackets, is one that begins a reading statement.
fn is_reading(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else {
            break;
        }
    }
    let word: String = rest.chars().take_while(|c| c.is_ascii_alphabetic()).collect();
    matches!(word.to_ascii_lowercase().as_str(), "select" | "with" | "values" | "table")
}

#[test]
fn every_reading_statement_of_real_clients_parses() {
    let folder = corpora().join("clients");
    if !folder.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "the corpus {} is missing", folder.display());
        eprintln!("skipped: every_reading_statement_of_real_clients_parses ({} is missing)", folder.display());
        return;
    }
    let (mut reading, mut failures) = (0, Vec::new());
    for file in sql_files(&folder) {
        let text = fs::read_to_string(&file).unwrap();
        let fragments = match dialects::split(&text) {
            Ok(fragments) => fragments,
            Err(error) => {
                failures.push(format!("{}: {error}", file.display()));
                continue;
            }
        };
        for fragment in fragments.iter().filter(|fragment| is_reading(fragment.text)) {
            reading += 1;
            if let Err(error) = dialects::parse_query(fragment.text) {
                let at = error.position().unwrap_or(1).saturating_sub(1) as usize;
                let near: String = fragment.text.chars().skip(at.saturating_sub(30)).take(80).collect();
                failures.push(format!("{}: {error} at {at}: ...{near}", file.display()));
            }
        }
    }
    assert!(reading > 300, "only {reading} reading statements were found");
    assert!(failures.is_empty(), "{} of {reading} do not parse:\n{}", failures.len(), failures.join("\n"));
}
