//! Every statement of `cases/*.sql`, rendered in every dialect.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::fs;
use std::path::Path;

fn rendered(text: &str) -> String {
    let mut report = String::new();
    for fragment in dialects::split(text).unwrap() {
        let _ = writeln!(report, "{}", fragment.text);
        match dialects::parse_query(fragment.text) {
            Ok(query) => {
                for dialect in dialects::DIALECTS {
                    let outcome = match dialect.render(&query) {
                        Ok(rendering) => rendering.sql.replace('\u{1f}', "<US>"),
                        Err(error) => describe(&error),
                    };
                    let _ = writeln!(report, "  {}: {outcome}", dialect.name());
                }
            }
            Err(error) => {
                let _ = writeln!(report, "  {}", describe(&error));
            }
        }
    }
    report
}

fn describe(error: &dialects::Error) -> String {
    let position = error.position().map_or("-".to_owned(), |position| position.to_string());
    format!("ERROR {} at {position}: {error}. HINT: {}", error.sqlstate(), error.hint().unwrap_or_default())
}

#[test]
fn each_case_in_every_dialect() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5);
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        insta::assert_snapshot!(name, rendered(&fs::read_to_string(&file).unwrap()));
    }
}
