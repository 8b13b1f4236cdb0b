//! Values of the embedded catalog from their text.

use mantissa_core::{Interval, PgType};

use crate::datum::Datum;

/// Reads the text form of a value of one of the types that system catalogs have.
pub(crate) fn parse_datum(text: &str, ty: PgType) -> Option<Datum> {
    if let Some(element) = ty.element() {
        return parse_array(text, element);
    }
    Some(match ty {
        PgType::BOOL => Datum::Bool(text == "t"),
        PgType::INT2 => Datum::Int2(text.parse().ok()?),
        PgType::INT4 => Datum::Int4(text.parse().ok()?),
        PgType::INT8 => Datum::Int8(text.parse().ok()?),
        PgType::FLOAT4 => Datum::Float4(text.parse().ok()?),
        PgType::FLOAT8 => Datum::Float8(text.parse().ok()?),
        PgType::OID => Datum::Oid(text.parse().ok()?),
        PgType::CHAR => Datum::Char(text.bytes().next().unwrap_or(0)),
        PgType::INT2VECTOR => Datum::int2vector(vector(text)?),
        PgType::OIDVECTOR => Datum::oidvector(vector(text)?),
        PgType::INTERVAL => Datum::Interval(clock_interval(text)?),
        reg if reg.is_reg() => Datum::Oid(text.parse().ok()?),
        _ => Datum::text(text),
    })
}

fn vector<T: std::str::FromStr>(text: &str) -> Option<Vec<T>> {
    text.split_ascii_whitespace().map(|element| element.parse().ok()).collect()
}

/// `[-]hh:mm:ss`, the only intervals the catalogs hold.
fn clock_interval(text: &str) -> Option<Interval> {
    let (sign, clock) = text.strip_prefix('-').map_or((1, text), |clock| (-1, clock));
    let mut seconds = 0i64;
    for part in clock.split(':') {
        seconds = seconds * 60 + part.parse::<i64>().ok()?;
    }
    Some(Interval { months: 0, days: 0, micros: sign * seconds * 1_000_000 })
}

/// A one-dimensional array as Postgres prints it.
fn parse_array(text: &str, element: PgType) -> Option<Datum> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut values = Vec::new();
    while !rest.is_empty() {
        let (item, quoted, after) = array_item(rest)?;
        let value = if !quoted && item == "NULL" { Datum::Null } else { parse_datum(&item, element)? };
        values.push(value);
        rest = after;
    }
    Some(Datum::array(element, values))
}

/// The first element of `text`, whether it was quoted, and what follows its comma.
fn array_item(text: &str) -> Option<(String, bool, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (item, after) = text.split_once(',').unwrap_or((text, ""));
        return Some((item.to_owned(), false, after));
    };
    let mut item = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => item.push(characters.next()?.1),
            '"' => {
                let after = &quoted[index + 1..];
                return Some((item, true, after.strip_prefix(',').unwrap_or(after)));
            }
            other => item.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_keep_quotes_and_nulls() {
        let array = parse_datum(r#"{a,"b,\"c",NULL,"NULL"}"#, PgType::TEXT.array().unwrap()).unwrap();
        let expected = [Datum::text("a"), Datum::text("b,\"c"), Datum::Null, Datum::text("NULL")];
        assert_eq!(array.as_array().unwrap().values, expected);
        assert_eq!(parse_datum("{1,x}", PgType::INT4.array().unwrap()), None);
    }

    #[test]
    fn vectors_start_at_zero() {
        let vector = parse_datum("1 2", PgType::INT2VECTOR).unwrap();
        assert_eq!(vector.as_array().unwrap().dimensions[0].lower, 0);
    }

    #[test]
    fn offsets_may_be_negative() {
        let interval = parse_datum("-03:30:00", PgType::INTERVAL).unwrap();
        assert_eq!(interval, Datum::Interval(Interval { months: 0, days: 0, micros: -12_600_000_000 }));
    }
}
