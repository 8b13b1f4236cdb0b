use std::sync::Arc;

use arrow::array::*;
use bytes::BytesMut;
use mantissa_core::Interval;
use proptest::prelude::*;

use super::*;
use crate::encode::{ColumnEncoder, Zone};

fn text(value_text: &str, ty: PgType) -> Result<Value, ErrorKind> {
    value(value_text.as_bytes(), ty, Format::Text, &Style::default()).map_err(|error| error.into_problem(1).kind)
}

fn binary(bytes: &[u8], ty: PgType) -> Result<Value, ErrorKind> {
    value(bytes, ty, Format::Binary, &Style::default()).map_err(|error| error.into_problem(1).kind)
}

fn array_of(ty: PgType) -> PgType {
    ty.array().unwrap()
}

#[test]
fn text_parameters_are_read_as_postgres_reads_them() {
    for (input, ty, expected) in [
        ("t", PgType::BOOL, Value::Bool(true)),
        (" OFF ", PgType::BOOL, Value::Bool(false)),
        (" -7 ", PgType::INT4, Value::Int(-7)),
        ("4294967295", PgType::OID, Value::Int(4_294_967_295)),
        ("1e-3", PgType::FLOAT8, Value::Float(0.001)),
        ("-inf", PgType::FLOAT8, Value::Float(f64::NEG_INFINITY)),
        ("12.50", PgType::NUMERIC, Value::Numeric("12.50".into())),
        ("\\x00 ff", PgType::BYTEA, Value::Bytea(vec![0, 255])),
        ("a\\000\\\\", PgType::BYTEA, Value::Bytea(vec![b'a', 0, b'\\'])),
        ("2024-02-29", PgType::DATE, Value::Date(19_782)),
        ("0001-12-31 BC", PgType::DATE, Value::Date(-719_163)),
        ("infinity", PgType::DATE, Value::Text("infinity".into())),
        ("04:05:06.5", PgType::TIME, Value::Time(14_706_500_000)),
        ("2024-02-29 13:04:05.678", PgType::TIMESTAMP, Value::Timestamp(1_709_211_845_678_000)),
        ("2024-02-29T13:04:05.678Z", PgType::TIMESTAMPTZ, Value::TimestampTz(1_709_211_845_678_000)),
        ("2024-02-29 18:34:05.678+05:30", PgType::TIMESTAMPTZ, Value::TimestampTz(1_709_211_845_678_000)),
        ("2024-02-29 18:34:05.678 +0530", PgType::TIMESTAMPTZ, Value::TimestampTz(1_709_211_845_678_000)),
        ("yesterday", PgType::TIMESTAMPTZ, Value::Text("yesterday".into())),
        ("x", PgType::UNKNOWN, Value::Text("x".into())),
        ("{}", array_of(PgType::INT4), Value::Array(PgType::INT4, vec![])),
        (
            "{1, NULL ,3}",
            array_of(PgType::INT4),
            Value::Array(PgType::INT4, vec![Value::Int(1), Value::Null, Value::Int(3)]),
        ),
        (
            r#"{a,"b, c","NULL","",x\"y, two words }"#,
            array_of(PgType::TEXT),
            Value::Array(
                PgType::TEXT,
                ["a", "b, c", "NULL", "", "x\"y", "two words"].map(|s| Value::Text(s.into())).to_vec(),
            ),
        ),
        ("[2:3]={5,6}", array_of(PgType::INT2), Value::Array(PgType::INT2, vec![Value::Int(5), Value::Int(6)])),
    ] {
        assert_eq!(text(input, ty), Ok(expected), "{input} as {ty}");
    }
}

#[test]
fn text_that_is_not_of_the_type_is_named() {
    for (input, ty, kind) in [
        ("maybe", PgType::BOOL, ErrorKind::InvalidTextRepresentation),
        ("o", PgType::BOOL, ErrorKind::InvalidTextRepresentation),
        ("", PgType::INT4, ErrorKind::InvalidTextRepresentation),
        ("1.0", PgType::INT4, ErrorKind::InvalidTextRepresentation),
        ("2147483648", PgType::INT4, ErrorKind::NumericOutOfRange),
        ("99999999999999999999", PgType::INT8, ErrorKind::NumericOutOfRange),
        ("1e400", PgType::FLOAT8, ErrorKind::NumericOutOfRange),
        ("1e39", PgType::FLOAT4, ErrorKind::NumericOutOfRange),
        ("1..2", PgType::NUMERIC, ErrorKind::InvalidTextRepresentation),
        ("\\x0", PgType::BYTEA, ErrorKind::InvalidTextRepresentation),
        ("\\9", PgType::BYTEA, ErrorKind::InvalidTextRepresentation),
        ("2023-02-29", PgType::DATE, ErrorKind::DatetimeOverflow),
        ("0000-01-01", PgType::DATE, ErrorKind::DatetimeOverflow),
        ("2024-01-01 25:00:00", PgType::TIMESTAMP, ErrorKind::DatetimeOverflow),
        ("123", PgType::UUID, ErrorKind::InvalidTextRepresentation),
        ("1,2", array_of(PgType::INT4), ErrorKind::InvalidTextRepresentation),
        ("{1,2", array_of(PgType::INT4), ErrorKind::InvalidTextRepresentation),
        ("{1,}", array_of(PgType::INT4), ErrorKind::InvalidTextRepresentation),
        ("{1}x", array_of(PgType::INT4), ErrorKind::InvalidTextRepresentation),
        ("{\"a\"b}", array_of(PgType::TEXT), ErrorKind::InvalidTextRepresentation),
        ("{{1},{2}}", array_of(PgType::INT4), ErrorKind::FeatureNotSupported),
        ("a\0b", PgType::TEXT, ErrorKind::CharacterNotInRepertoire),
    ] {
        assert_eq!(text(input, ty), Err(kind), "{input} as {ty}");
    }
    assert_eq!(
        value(b"\xff", PgType::TEXT, Format::Text, &Style::default()).unwrap_err().into_problem(1).message,
        "invalid byte sequence for encoding \"UTF8\": 0xff"
    );
}

#[test]
fn local_times_are_read_in_the_session_zone() {
    let style = Style { zone: Zone::Named(chrono_tz::Tz::Europe__Berlin), ..Style::default() };
    let read = value(b"2024-07-01 12:00:00", PgType::TIMESTAMPTZ, Format::Text, &style).unwrap();
    assert_eq!(read, Value::TimestampTz(1_719_828_000_000_000));
}

#[test]
fn binary_parameters_are_read() {
    for (bytes, ty, expected) in [
        (&b"\x01"[..], PgType::BOOL, Value::Bool(true)),
        (b"\xff\xfe", PgType::INT2, Value::Int(-2)),
        (b"\x7f\xff\xff\xff", PgType::DATE, Value::Text("infinity".into())),
        (b"\0\0\x22\x79", PgType::DATE, Value::Date(19_782)),
        (b"\x01{}", PgType::JSONB, Value::Text("{}".into())),
        (b"\x02\x08\x00\x04\x0a\0\0\x01", PgType::INET, Value::Text("10.0.0.1/8".into())),
        (b"\x02\x20\x00\x04\x0a\0\0\x01", PgType::INET, Value::Text("10.0.0.1".into())),
        (
            b"\0\0\0\0\0\x2d\xc6\xc0\0\0\0\x02\0\0\0\x01",
            PgType::INTERVAL,
            Value::Interval(Interval { months: 1, days: 2, micros: 3_000_000 }),
        ),
        (b"\0\0\0\0\0\0\0\0\0\0\0\x17", PgType(1007), Value::Array(PgType::INT4, vec![])),
        (
            b"\0\0\0\x01\0\0\0\x01\0\0\0\x17\0\0\0\x02\0\0\0\x01\0\0\0\x04\0\0\0\x07\xff\xff\xff\xff",
            PgType(1007),
            Value::Array(PgType::INT4, vec![Value::Int(7), Value::Null]),
        ),
    ] {
        assert_eq!(binary(bytes, ty), Ok(expected), "{ty}");
    }
}

#[test]
fn binary_that_is_not_of_the_type_is_named() {
    let bad = ErrorKind::InvalidBinaryRepresentation;
    for (bytes, ty, kind) in [
        (&b"\0\0\0"[..], PgType::INT4, bad),
        (b"\0\0\0\0\0", PgType::INT4, bad),
        (b"\x02{}", PgType::JSONB, bad),
        (b"\x02\x21\x00\x04\x0a\0\0\x01", PgType::INET, bad),
        (b"\0\x01\0\0\0\0\0\0\x27\x10", PgType::NUMERIC, bad),
        (b"\0\0\0\x01\0\0\0\0\0\0\0\x17\x7f\xff\xff\xff\0\0\0\x01", PgType(1007), bad),
        (b"\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\0\0\0\0\x01", PgType(1007), ErrorKind::DatatypeMismatch),
        (b"\0\0\0\x02\0\0\0\0\0\0\0\x17", PgType(1007), ErrorKind::FeatureNotSupported),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff", PgType::TIME, ErrorKind::DatetimeOverflow),
        (b"\0", PgType::POINT, ErrorKind::UndefinedFunction),
    ] {
        assert_eq!(binary(bytes, ty), Err(kind), "{ty}");
    }
}

#[test]
fn counts_and_formats_must_match() {
    let bind = |formats: Vec<Format>, count| Bind {
        portal: String::new(),
        statement: "s".into(),
        parameter_formats: formats,
        parameters: vec![Some(Bytes::from_static(b"1")); count],
        result_formats: vec![],
    };
    let decode = |bind: &Bind| parameters(bind, &[PgType::INT4, PgType::INT4], &Style::default());
    assert_eq!(decode(&bind(vec![], 2)).unwrap(), [Value::Int(1), Value::Int(1)]);
    assert_eq!(
        decode(&bind(vec![], 1)).unwrap_err().message,
        "bind message supplies 1 parameters, but prepared statement \"s\" requires 2"
    );
    assert_eq!(decode(&bind(vec![Format::Text; 3], 2)).unwrap_err().kind, ErrorKind::ProtocolViolation);
}

fn round_trip(array: ArrayRef, ty: PgType) -> (Value, Value) {
    let read = |format| {
        let mut out = BytesMut::new();
        ColumnEncoder::new(&array, ty, format, &Style::default()).unwrap().write(0, &mut out).unwrap();
        value(&out, ty, format, &Style::default()).unwrap()
    };
    (read(Format::Text), read(Format::Binary))
}

proptest! {
    #[test]
    fn numbers_come_back(int: i64, float in any::<f64>().prop_filter("a number", |f| !f.is_nan())) {
        prop_assert_eq!(round_trip(Arc::new(Int64Array::from(vec![int])), PgType::INT8), (Value::Int(int), Value::Int(int)));
        prop_assert_eq!(round_trip(Arc::new(Float64Array::from(vec![float])), PgType::FLOAT8), (Value::Float(float), Value::Float(float)));
    }

    #[test]
    fn decimals_come_back(unscaled in -10i128.pow(37)..10i128.pow(37), scale in 0i8..30) {
        let array = Decimal128Array::from(vec![unscaled]).with_precision_and_scale(38, scale).unwrap();
        let (text, binary) = round_trip(Arc::new(array), PgType::NUMERIC);
        prop_assert_eq!(text, binary);
    }

    #[test]
    fn moments_come_back(days in -700_000i32..2_900_000, micros in -60_000_000_000_000_000i64..250_000_000_000_000_000) {
        prop_assert_eq!(round_trip(Arc::new(Date32Array::from(vec![days])), PgType::DATE), (Value::Date(days), Value::Date(days)));
        let zoned = TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC");
        prop_assert_eq!(round_trip(Arc::new(zoned), PgType::TIMESTAMPTZ), (Value::TimestampTz(micros), Value::TimestampTz(micros)));
    }

    #[test]
    fn text_arrays_come_back(items in prop::collection::vec(prop::option::of("[^\0]{0,8}"), 0..6)) {
        let mut builder = ListBuilder::new(StringBuilder::new());
        builder.append_value(items.clone());
        let expected = Value::Array(PgType::TEXT, items.into_iter().map(|item| item.map_or(Value::Null, Value::Text)).collect());
        prop_assert_eq!(round_trip(Arc::new(builder.finish()), array_of(PgType::TEXT)), (expected.clone(), expected));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), printable in "[-+:.0-9a-zA-Z{}\", ]{0,30}", kind: u8) {
        fuzz_parameter(&bytes);
        fuzz_parameter(&[&[kind, 2], printable.as_bytes()].concat());
        fuzz_parameter(&[&[kind, 0], printable.as_bytes()].concat());
    }
}
