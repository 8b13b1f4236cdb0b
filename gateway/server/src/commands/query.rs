use futures::StreamExt;
use mantissa_core::Rows;
use mantissa_query::{Login, Outcome, Session};

use super::{Failure, print};
use crate::config::Config;
use crate::wiring;

/// `mantissa query SQL`: through the same path as any client, with the operator's rights.
pub async fn run(config: &Config, sql: &str, json: bool) -> Result<(), Failure> {
    let mantissa = wiring::open(config, wiring::geo_source(config)?).await?;
    let login = Login {
        identity: wiring::operator(config),
        database: wiring::LAKE.to_owned(),
        application_name: "mantissa".to_owned(),
        client: None,
        options: Vec::new(),
    };
    let mut session = mantissa.gateway.open(login).await?;
    let outcome = statements(&mut session, sql, json).await;
    drop(session);
    mantissa.store.close().await?;
    outcome
}

/// `mantissa ask QUESTION`.
pub async fn ask(config: &Config, question: &str, explain: bool, json: bool) -> Result<(), Failure> {
    let literal = question.replace('\'', "''");
    let prefix = if explain { "EXPLAIN " } else { "" };
    run(config, &format!("{prefix}ASK '{literal}'"), json).await
}

async fn statements(session: &mut Session, sql: &str, json: bool) -> Result<(), Failure> {
    let explain = |problem| Failure::in_statement(problem, sql);
    for parsed in session.parse(sql).map_err(explain)? {
        let prepared = parsed.undescribed();
        let outcome = session.execute(&prepared, Vec::new()).await.map_err(explain)?;
        notices(session);
        match outcome {
            Outcome::Rows { rows, .. } | Outcome::CopyOut { rows, .. } => {
                show(rows, json).await.map_err(explain_rows)?
            }
            Outcome::Command(tag) => eprintln!("{tag}"),
            Outcome::Empty => {}
        }
        notices(session);
    }
    session.finish_implicit();
    Ok(())
}

fn explain_rows(failure: Failure) -> Failure {
    failure
}

fn notices(session: &mut Session) {
    for notice in session.take_notices() {
        eprintln!("{}: {}", notice.severity, notice.message);
        if let Some(detail) = notice.detail {
            eprintln!("DETAIL: {detail}");
        }
        if let Some(hint) = notice.hint {
            eprintln!("HINT: {hint}");
        }
    }
}

async fn show(mut rows: Rows, json: bool) -> Result<(), Failure> {
    let mut cells = Vec::new();
    while let Some(batch) = rows.batches.next().await {
        let batch = batch?;
        if json {
            print::json_lines(&rows.fields, &batch)?;
        } else {
            cells.extend(print::cells(&batch)?);
        }
    }
    if !json {
        let headings: Vec<&str> = rows.fields.iter().map(|field| field.name.as_str()).collect();
        print::table(&headings, &cells, false)?;
    }
    Ok(())
}
