//! Takes files into a lake, one transaction each, and prints the name of each input once it is committed.
//!
//! `ingest DATA SOURCE FILE...`

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use mantissa_lake::{Lake, LakeOptions, Result};

fn run(data: &str, source: &str, files: &[String]) -> Result<()> {
    let lake = Lake::create(Path::new(data), LakeOptions::default())?;
    for file in files {
        let mut session = lake.session()?;
        let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy().into_owned();
        session.push_file(source, &name, Path::new(file))?;
        session.commit()?;
        println!("{name}");
        if std::io::stdout().flush().is_err() {
            break;
        }
        lake.compact()?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, source, files @ ..] = &arguments[..] else {
        eprintln!("usage: ingest DATA SOURCE FILE...");
        return ExitCode::FAILURE;
    };
    match run(data, source, files) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
