//! A statement's answer from the crate, as text.

use mantissa_core::{PgType, Problem};
use mantissa_pg_catalog::{Context, Datum, Session, bind, printed};
use tokio_util::sync::CancellationToken;

use crate::fixture::Fixture;
use crate::replay::Statement;

/// Columns (name and type's OID) and rows, or the SQLSTATE of an error.
pub type Answer = Result<Rows, String>;

/// Columns and rows.
pub type Rows = (Vec<(String, u32)>, Vec<Vec<Option<String>>>);

struct User<'a> {
    fixture: &'a Fixture,
    path: [String; 1],
}

impl Session for User<'_> {
    fn pid(&self) -> i32 {
        1
    }

    fn database(&self) -> &str {
        "demo"
    }

    fn user(&self) -> &str {
        "postgres"
    }

    fn is_superuser(&self) -> bool {
        true
    }

    fn search_path(&self) -> &[String] {
        &self.path
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.fixture.shown.get(&name.to_ascii_lowercase()).cloned()
    }

    fn set(&self, _: &str, value: Option<&str>, _: bool) -> Result<String, Problem> {
        Ok(value.unwrap_or_default().to_owned())
    }

    fn cancel_backend(&self, _: i32) -> Result<bool, Problem> {
        Ok(false)
    }

    fn terminate_backend(&self, _: i32) -> Result<bool, Problem> {
        Ok(false)
    }
}

pub fn ask(fixture: &Fixture, statement: &Statement) -> Answer {
    let answer = answer(fixture, statement);
    if let (Err(problem), Ok(_)) = (&answer, std::env::var("REPLAY")) {
        println!("{problem} ({:?})", problem.position);
    }
    answer.map_err(|problem| match problem.kind.sqlstate() {
        "42883" | "0A000" | "XX000" | "42809" => format!("{} {problem}", problem.kind.sqlstate()),
        state => state.to_owned(),
    })
}

fn answer(fixture: &Fixture, statement: &Statement) -> Result<Rows, Problem> {
    let session = User { fixture, path: ["public".to_owned()] };
    let cancel = CancellationToken::new();
    let now = chrono::Utc::now().timestamp_micros();
    let query = dialects::parse_query(&statement.sql)
        .map_err(|error| Problem::new(mantissa_core::ErrorKind::SyntaxError, error.to_string()))?;
    let context = Context::new(&fixture.relations, &session, now, &cancel, &[]);
    let plan = bind(&context, &query, &[])?;
    let parameters = parameters(&context, &plan.parameters, &statement.parameters)?;
    let context = Context::new(&fixture.relations, &session, now, &cancel, &parameters);
    let rows = plan.run(&context)?;
    let fields = plan.fields.iter().map(|field| (field.name.clone(), field.ty.0)).collect();
    let mut texts = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = row.iter().zip(plan.fields.iter()).map(|(value, field)| printed(&context, value, field.ty));
        texts.push(row.collect::<Result<Vec<_>, _>>()?);
    }
    Ok((fields, texts))
}

fn parameters(context: &Context<'_>, types: &[PgType], texts: &[Option<String>]) -> Result<Vec<Datum>, Problem> {
    let values = texts.iter().zip(types).map(|(text, ty)| match text {
        Some(text) => mantissa_pg_catalog::read(context, text, *ty),
        None => Ok(Datum::Null),
    });
    Ok(values.collect::<Result<_, _>>()?)
}
