use std::io::Read;

use super::Failure;

/// `mantissa translate --dialect NAME SQL|-`.
pub fn run(dialect: &str, sql: &str) -> Result<(), Failure> {
    let mut input = String::new();
    let sql = if sql == "-" {
        std::io::stdin()
            .read_to_string(&mut input)
            .map_err(|error| Failure::message(format!("standard input cannot be read as UTF-8: {error}")))?;
        input.as_str()
    } else {
        sql
    };
    let Some(dialect) = dialects::dialect(dialect) else {
        return Err(Failure::message(format!("there is no dialect {dialect}")));
    };
    for fragment in dialects::split(sql).map_err(|error| explain(error, sql))? {
        let query = dialects::parse_query(fragment.text).map_err(|error| explain(error, fragment.text))?;
        let rendering = dialect.render(&query).map_err(|error| explain(error, fragment.text))?;
        say!("{};", rendering.sql);
    }
    Ok(())
}

fn explain(error: dialects::Error, sql: &str) -> Failure {
    Failure::in_statement(mantissa_guard::problem(error), sql)
}
