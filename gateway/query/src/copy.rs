//! Options of COPY ... TO STDOUT, in the parenthesised and the older keyword form.

use mantissa_core::{ErrorKind, Problem};

use crate::outcome::{CopyFormat, ForceQuote, Result};
use crate::words::{Word, Words};

#[derive(Default)]
struct Options {
    format: Option<String>,
    delimiter: Option<u8>,
    null: Option<String>,
    header: bool,
    quote: Option<u8>,
    escape: Option<u8>,
    force_quote: Option<ForceQuote>,
}

/// Reads what follows `TO STDOUT`.
pub(crate) fn options(words: &mut Words<'_>) -> Result<CopyFormat> {
    let mut options = Options::default();
    words.accept("with");
    if words.accept_symbol('(') {
        loop {
            let name = words.identifier()?;
            option(words, &name, &mut options)?;
            if !words.accept_symbol(',') {
                words.expect_symbol(')')?;
                break;
            }
        }
    } else {
        legacy(words, &mut options)?;
    }
    build(options)
}

fn option(words: &mut Words<'_>, name: &str, options: &mut Options) -> Result<()> {
    match name {
        "format" => options.format = Some(word(words)?),
        "delimiter" => options.delimiter = Some(one_byte(words, "delimiter")?),
        "null" => options.null = Some(words.text()?),
        "header" => options.header = flag(words)?,
        "quote" => options.quote = Some(one_byte(words, "quote")?),
        "escape" => options.escape = Some(one_byte(words, "escape")?),
        "force_quote" => options.force_quote = Some(force_quote(words)?),
        "encoding" => encoding(&words.text()?)?,
        "freeze" => {
            flag(words)?;
        }
        other => {
            return Err(Problem::new(ErrorKind::SyntaxError, format!("option \"{other}\" not recognized")));
        }
    }
    Ok(())
}

/// `BINARY`, `CSV HEADER DELIMITER ';'`: the syntax before PostgreSQL 9.0, which drivers still send.
fn legacy(words: &mut Words<'_>, options: &mut Options) -> Result<()> {
    while !words.at_end() {
        if words.accept("binary") {
            options.format = Some("binary".into());
        } else if words.accept("csv") {
            options.format = Some("csv".into());
        } else if words.accept("header") {
            options.header = true;
        } else if words.accept("delimiter") || words.accept("delimiters") {
            words.accept("as");
            options.delimiter = Some(one_byte(words, "delimiter")?);
        } else if words.accept("null") {
            words.accept("as");
            options.null = Some(words.text()?);
        } else if words.accept("quote") {
            words.accept("as");
            options.quote = Some(one_byte(words, "quote")?);
        } else if words.accept("escape") {
            words.accept("as");
            options.escape = Some(one_byte(words, "escape")?);
        } else if words.accept_all(&["force", "quote"]) {
            options.force_quote = Some(force_quote(words)?);
        } else if words.accept("encoding") {
            encoding(&words.text()?)?;
        } else {
            return Err(words.syntax_error());
        }
    }
    Ok(())
}

fn word(words: &mut Words<'_>) -> Result<String> {
    match words.take() {
        Some(Word::Name(word) | Word::Text(word) | Word::Quoted(word)) => Ok(word.to_lowercase()),
        _ => Err(words.syntax_error()),
    }
}

fn flag(words: &mut Words<'_>) -> Result<bool> {
    if matches!(words.peek(), Some(Word::Symbol(',' | ')')) | None) {
        return Ok(true);
    }
    match words.take() {
        Some(Word::Name(word) | Word::Text(word)) => Ok(!matches!(word.to_lowercase().as_str(), "off" | "false")),
        Some(Word::Number(number)) => Ok(number != "0"),
        _ => Err(words.syntax_error()),
    }
}

fn one_byte(words: &mut Words<'_>, what: &str) -> Result<u8> {
    match words.text()?.as_bytes() {
        [byte] => Ok(*byte),
        _ => {
            let message = format!("COPY {what} must be a single one-byte character");
            Err(Problem::new(ErrorKind::FeatureNotSupported, message))
        }
    }
}

fn force_quote(words: &mut Words<'_>) -> Result<ForceQuote> {
    if words.accept_symbol('*') {
        return Ok(ForceQuote::All);
    }
    let parenthesised = words.accept_symbol('(');
    let mut columns = vec![words.identifier()?];
    while words.accept_symbol(',') {
        columns.push(words.identifier()?);
    }
    if parenthesised {
        words.expect_symbol(')')?;
    }
    Ok(ForceQuote::Columns(columns))
}

fn encoding(name: &str) -> Result<()> {
    if matches!(name.to_ascii_lowercase().replace('-', "").as_str(), "utf8" | "unicode") {
        return Ok(());
    }
    Err(Problem::new(ErrorKind::FeatureNotSupported, format!("COPY encoding \"{name}\" is not supported"))
        .hint("Use UTF8."))
}

fn build(options: Options) -> Result<CopyFormat> {
    match options.format.as_deref() {
        None | Some("text") => {
            if options.quote.is_some() || options.escape.is_some() || options.force_quote.is_some() {
                let message = "COPY quote options are available only in CSV mode";
                return Err(Problem::new(ErrorKind::FeatureNotSupported, message));
            }
            Ok(CopyFormat::Text {
                delimiter: options.delimiter.unwrap_or(b'\t'),
                null: options.null.unwrap_or_else(|| "\\N".into()),
                header: options.header,
            })
        }
        Some("csv") => {
            let quote = options.quote.unwrap_or(b'"');
            Ok(CopyFormat::Csv {
                delimiter: options.delimiter.unwrap_or(b','),
                null: options.null.unwrap_or_default(),
                header: options.header,
                quote,
                escape: options.escape.unwrap_or(quote),
                force_quote: options.force_quote.unwrap_or(ForceQuote::None),
            })
        }
        Some("binary") => {
            if options.delimiter.is_some() || options.null.is_some() || options.header {
                let message = "COPY delimiter, null and header are not available in binary mode";
                return Err(Problem::new(ErrorKind::SyntaxError, message));
            }
            Ok(CopyFormat::Binary)
        }
        Some(other) => {
            Err(Problem::new(ErrorKind::InvalidParameterValue, format!("COPY format \"{other}\" not recognized")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CopyFormat> {
        options(&mut Words::new(text))
    }

    #[test]
    fn both_forms_mean_the_same() {
        let csv = CopyFormat::Csv {
            delimiter: b';',
            null: "-".into(),
            header: true,
            quote: b'"',
            escape: b'"',
            force_quote: ForceQuote::All,
        };
        assert_eq!(read("(FORMAT csv, HEADER, DELIMITER ';', NULL '-', FORCE_QUOTE *)").unwrap(), csv);
        assert_eq!(read("CSV HEADER DELIMITER AS ';' NULL AS '-' FORCE QUOTE *").unwrap(), csv);
        assert_eq!(read("(FORMAT 'binary')").unwrap(), CopyFormat::Binary);
        assert_eq!(read("WITH BINARY").unwrap(), CopyFormat::Binary);
    }

    #[test]
    fn wrong_options_are_refused() {
        for text in ["(FORMAT xml)", "(DELIMITER 'ab')", "(FORMAT binary, HEADER)", "(nonsense 1)", "QUOTE '|'"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
