use mantissa_lake::{IngestReport, Progress};

use super::Failure;
use crate::cli::IngestArguments;
use crate::config::Config;
use crate::{progress, wiring};

/// `mantissa ingest`.
pub async fn run(config: Config, arguments: IngestArguments, json: bool) -> Result<(), Failure> {
    let work = tokio::task::spawn_blocking(move || ingest(&config, &arguments));
    let report = work.await.map_err(|error| Failure::message(format!("the ingest ended abruptly: {error}")))??;
    print_report(&report, json);
    Ok(())
}

fn ingest(config: &Config, arguments: &IngestArguments) -> Result<IngestReport, Failure> {
    let lake = wiring::open_lake(config, wiring::geo_source(config)?)?;
    if arguments.retry_quarantine {
        return Ok(lake.retry_quarantine()?);
    }
    let bar = progress::bar(arguments.paths.len() as u64, "ingesting");
    let mut advance = |progress: &Progress<'_>| {
        bar.set_length(progress.inputs_total as u64);
        bar.set_position(progress.inputs_done as u64);
    };
    let report = match (&arguments.source, &arguments.rows) {
        (Some(source), _) => lake.ingest(source, &arguments.paths, &mut advance)?,
        (None, Some(table)) => lake.ingest_rows(table, &arguments.paths, &mut advance)?,
        (None, None) => {
            return Err(Failure::message("name the source with --source").hint("mantissa sources lists them."));
        }
    };
    bar.finish_and_clear();
    Ok(report)
}

fn print_report(report: &IngestReport, json: bool) {
    if json {
        let object = serde_json::json!({
            "inputs": report.inputs,
            "known_inputs": report.known_inputs,
            "rows": report.rows,
            "known_events": report.known_events,
            "quarantined": report.quarantined,
            "bytes": report.bytes,
        });
        say!("{object}");
        return;
    }
    say!("{} rows from {} input(s), {} bytes read", report.rows, report.inputs, report.bytes);
    if report.known_inputs > 0 {
        say!("{} input(s) were in already", report.known_inputs);
    }
    if report.quarantined > 0 {
        say!(
            "{} event(s) went to quarantine; mend the cause, then: mantissa ingest --retry-quarantine",
            report.quarantined
        );
    }
}
