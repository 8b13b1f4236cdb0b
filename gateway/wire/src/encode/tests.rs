//! Golden values: what PostgreSQL 15 prints and packs for the same values.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::*;
use arrow::record_batch::RecordBatch;
use bytes::BytesMut;
use chrono_tz::Tz;
use mantissa_core::{ErrorKind, Field, PgType, Problem};
use mantissa_query::{CopyFormat, ForceQuote};
use proptest::prelude::*;

use super::*;

fn encoded(array: &ArrayRef, ty: PgType, format: Format, style: &Style) -> Result<Vec<u8>, EncodeError> {
    let mut column = ColumnEncoder::new(array, ty, format, style)?;
    assert!(!column.is_null(0));
    let mut out = BytesMut::new();
    column.write(0, &mut out)?;
    Ok(out.to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check(array: impl Array + 'static, ty: PgType, text: &str, binary: &str) {
    let array: ArrayRef = Arc::new(array);
    let style = Style::default();
    let printed = encoded(&array, ty, Format::Text, &style).unwrap();
    assert_eq!(String::from_utf8_lossy(&printed), text, "{ty:?} text");
    let packed = encoded(&array, ty, Format::Binary, &style).unwrap();
    assert_eq!(hex(&packed), binary, "{ty:?} binary");
}

#[test]
fn scalars_take_the_forms_of_postgres() {
    check(BooleanArray::from(vec![true]), PgType::BOOL, "t", "01");
    check(Int16Array::from(vec![-2]), PgType::INT2, "-2", "fffe");
    check(Int32Array::from(vec![42]), PgType::INT4, "42", "0000002a");
    check(Int64Array::from(vec![i64::MIN]), PgType::INT8, "-9223372036854775808", "8000000000000000");
    check(Int64Array::from(vec![7]), PgType::INT4, "7", "00000007");
    check(UInt32Array::from(vec![u32::MAX]), PgType::OID, "4294967295", "ffffffff");
    check(UInt32Array::from(vec![1259]), PgType::REGCLASS, "1259", "000004eb");
    check(Float32Array::from(vec![1.1]), PgType::FLOAT4, "1.1", "3f8ccccd");
    check(Float64Array::from(vec![1e20]), PgType::FLOAT8, "1e+20", "4415af1d78b58c40");
    check(Float64Array::from(vec![1.5]), PgType::FLOAT4, "1.5", "3fc00000");
    check(StringArray::from(vec!["é"]), PgType::TEXT, "é", "c3a9");
    check(LargeStringArray::from(vec!["x"]), PgType::VARCHAR, "x", "78");
    check(
        StringViewArray::from(vec!["a long string that is not inlined"]),
        PgType::NAME,
        "a long string that is not inlined",
        &hex(b"a long string that is not inlined"),
    );
    check(StringArray::from(vec!["r"]), PgType::CHAR, "r", "72");
    check(StringArray::from(vec!["{\"a\": 1}"]), PgType::JSON, "{\"a\": 1}", "7b2261223a20317d");
    check(StringArray::from(vec!["{\"a\": 1}"]), PgType::JSONB, "{\"a\": 1}", "017b2261223a20317d");
    check(StringArray::from(vec!["10.0.0.1/8"]), PgType::INET, "10.0.0.1/8", "020800040a000001");
    check(BinaryArray::from(vec![&b"\x00A\\\x7f\x80"[..]]), PgType::BYTEA, "\\x00415c7f80", "00415c7f80");
    check(BinaryViewArray::from(vec![&b"\x01"[..]]), PgType::BYTEA, "\\x01", "01");
    check(Int64Array::from(vec![5]), PgType::NUMERIC, "5", "00010000000000000005");
}

#[test]
fn numerics_come_from_decimals_and_from_text() {
    let decimal = |value: i128, scale| Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap();
    check(decimal(-15, 1), PgType::NUMERIC, "-1.5", "000200004000000100011388");
    check(decimal(12_345_678, 3), PgType::NUMERIC, "12345.678", "0003000100000003000109291a7c");
    check(decimal(0, 2), PgType::NUMERIC, "0.00", "0000000000000002");
    let wide = Decimal256Array::from(vec![i256::from_i128(1)]).with_precision_and_scale(76, 4).unwrap();
    check(wide, PgType::NUMERIC, "0.0001", "0001ffff000000040001");
    check(StringArray::from(vec!["NaN"]), PgType::NUMERIC, "NaN", "00000000c0000000");
}

#[test]
fn dates_and_times_take_the_forms_of_postgres() {
    check(Date32Array::from(vec![19_782]), PgType::DATE, "2024-02-29", "00002279");
    check(Date32Array::from(vec![i32::MAX]), PgType::DATE, "infinity", "7fffffff");
    check(Date32Array::from(vec![2_932_897]), PgType::DATE, "10000-01-01", "002c95d4");
    check(Time64MicrosecondArray::from(vec![14_706_500_000]), PgType::TIME, "04:05:06.5", "000000036c9361a0");
    check(
        TimestampMicrosecondArray::from(vec![1_709_211_845_678_000]),
        PgType::TIMESTAMP,
        "2024-02-29 13:04:05.678",
        "0002b583a9b073b0",
    );
    check(
        TimestampNanosecondArray::from(vec![1_709_211_845_678_000_000]).with_timezone("UTC"),
        PgType::TIMESTAMPTZ,
        "2024-02-29 13:04:05.678+00",
        "0002b583a9b073b0",
    );
    check(TimestampSecondArray::from(vec![0]), PgType::TIMESTAMP, "1970-01-01 00:00:00", "fffca2fec4c82000");
    check(TimestampMillisecondArray::from(vec![-1]), PgType::TIMESTAMP, "1969-12-31 23:59:59.999", "fffca2fec4c81c18");
    check(TimestampMicrosecondArray::from(vec![i64::MIN]), PgType::TIMESTAMP, "-infinity", "8000000000000000");
    let interval = IntervalMonthDayNanoType::make_value(1, 2, 3_000_000_000);
    check(
        IntervalMonthDayNanoArray::from(vec![interval]),
        PgType::INTERVAL,
        "1 mon 2 days 00:00:03",
        "00000000002dc6c00000000200000001",
    );
}

#[test]
fn uuids_come_from_bytes_and_from_text() {
    let text = "00112233-4455-6677-8899-aabbccddeeff";
    let binary = "00112233445566778899aabbccddeeff";
    let bytes: Vec<u8> = (0..16).map(|i| i * 0x11).collect();
    check(FixedSizeBinaryArray::try_from_iter([bytes].into_iter()).unwrap(), PgType::UUID, text, binary);
    check(StringArray::from(vec![text]), PgType::UUID, text, binary);
}

#[test]
fn arrays_take_the_forms_of_postgres() {
    let int4 = PgType::INT4.array().unwrap();
    let text = PgType::TEXT.array().unwrap();
    let ints = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None, Some(3)])]);
    check(ints, int4, "{1,NULL,3}", "00000001000000010000001700000003000000010000000400000001ffffffff0000000400000003");
    let empty = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(Vec::<Option<i32>>::new())]);
    check(empty, int4, "{}", "000000000000000000000017");
    let mut builder = ListBuilder::new(StringBuilder::new());
    builder
        .append_value(["a", "b c", "NULL", "", "a\"b", "a\\b", "{x}", "é", " x"].map(Some).into_iter().chain([None]));
    let array: ArrayRef = Arc::new(builder.finish());
    let printed = encoded(&array, text, Format::Text, &Style::default()).unwrap();
    assert_eq!(String::from_utf8(printed).unwrap(), r#"{a,"b c","NULL","","a\"b","a\\b","{x}",é," x",NULL}"#);
}

fn nested(rows: &[&[i32]]) -> ListArray {
    let inner = ListArray::from_iter_primitive::<Int32Type, _, _>(
        rows.iter().map(|row| Some(row.iter().map(|value| Some(*value)).collect::<Vec<_>>())),
    );
    let field = Arc::new(arrow::datatypes::Field::new_list_field(inner.data_type().clone(), true));
    ListArray::new(field, OffsetBuffer::from_lengths([rows.len()]), Arc::new(inner), None)
}

#[test]
fn lists_of_lists_are_arrays_of_two_dimensions() {
    let int4 = PgType::INT4.array().unwrap();
    check(
        nested(&[&[1, 2], &[3, 4]]),
        int4,
        "{{1,2},{3,4}}",
        "000000020000000000000017000000020000000100000002000000010000000400000001000000040000000200000004000000030000000400000004",
    );
    check(nested(&[&[], &[]]), int4, "{}", "000000000000000000000017");
    let ragged: ArrayRef = Arc::new(nested(&[&[1], &[2, 3]]));
    assert_eq!(encoded(&ragged, int4, Format::Binary, &Style::default()), Err(EncodeError::RaggedArray));
}

#[test]
fn vectors_are_arrays_that_start_at_zero() {
    let list = ListArray::from_iter_primitive::<Int16Type, _, _>([Some(vec![Some(1), Some(2), Some(3)])]);
    let binary = "0000000100000000000000150000000300000000000000020001000000020002000000020003";
    check(list, PgType::INT2VECTOR, "1 2 3", binary);
    check(StringArray::from(vec!["1 2 3"]), PgType::INT2VECTOR, "1 2 3", binary);
}

#[test]
fn nulls_are_null_in_every_layout() {
    let interval = IntervalMonthDayNanoArray::from(vec![None, Some(IntervalMonthDayNanoType::make_value(0, 0, 0))]);
    let dictionary: DictionaryArray<Int8Type> = vec![None, Some("x"), None].into_iter().collect();
    let null_in_values =
        DictionaryArray::new(Int32Array::from(vec![1, 0]), Arc::new(StringArray::from(vec![Some("a"), None])));
    let arrays: [(ArrayRef, PgType); 5] = [
        (Arc::new(interval), PgType::INTERVAL),
        (Arc::new(dictionary), PgType::TEXT),
        (Arc::new(null_in_values), PgType::TEXT),
        (Arc::new(NullArray::new(1)), PgType::INT4),
        (
            new_null_array(
                &DataType::List(Arc::new(arrow::datatypes::Field::new_list_field(DataType::Int32, true))),
                1,
            ),
            PgType::INT4.array().unwrap(),
        ),
    ];
    for (array, ty) in arrays {
        for format in [Format::Text, Format::Binary] {
            let column = ColumnEncoder::new(&array, ty, format, &Style::default()).unwrap();
            assert!(column.is_null(0), "{ty:?} {format:?}");
            assert_eq!(array.len() > 1, array.len() > 1 && !column.is_null(1));
        }
    }
}

#[test]
fn dictionaries_give_their_values() {
    let dictionary: DictionaryArray<Int32Type> = vec![Some("x"), Some("y"), Some("x")].into_iter().collect();
    check(dictionary, PgType::TEXT, "x", "78");
    let numbers = DictionaryArray::new(UInt8Array::from(vec![1]), Arc::new(Int64Array::from(vec![4, 5])));
    check(numbers, PgType::INT8, "5", "0000000000000005");
}

#[test]
fn the_session_style_is_followed() {
    let array: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC"));
    let style = Style { zone: Zone::Named(Tz::Asia__Kolkata), ..Style::default() };
    assert_eq!(encoded(&array, PgType::TIMESTAMPTZ, Format::Text, &style).unwrap(), b"1970-01-01 05:30:00+05:30");
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\x00A\\\x7f\x80"[..]]));
    let style = Style { bytea: ByteaFormat::Escape, ..Style::default() };
    assert_eq!(encoded(&bytes, PgType::BYTEA, Format::Text, &style).unwrap(), b"\\000A\\\\\\177\\200");
}

#[test]
fn what_has_no_form_is_a_named_error() {
    let cases: [(ArrayRef, PgType, ErrorKind); 4] = [
        (Arc::new(Int64Array::from(vec![1i64 << 40])), PgType::INT4, ErrorKind::NumericOutOfRange),
        (Arc::new(StringArray::from(vec!["pg_class"])), PgType::REGCLASS, ErrorKind::UndefinedFunction),
        (Arc::new(StringArray::from(vec!["(1,2)"])), PgType::POINT, ErrorKind::UndefinedFunction),
        (Arc::new(StringArray::from(vec!["1.2.3"])), PgType::INET, ErrorKind::Internal),
    ];
    for (array, ty, kind) in cases {
        let error = encoded(&array, ty, Format::Binary, &Style::default()).unwrap_err();
        assert_eq!(Problem::from(error).kind, kind, "{ty:?}");
    }
}

fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let fields: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| arrow::datatypes::Field::new(format!("c{i}"), column.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

#[test]
fn rows_are_written_until_the_buffer_or_the_limit_is_full() {
    let batch = batch(vec![Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]))]);
    let fields = [Field::new("a", PgType::INT4)];
    let mut rows = RowEncoder::new(&batch, &fields, |_| Format::Text, &Style::default()).unwrap();
    let mut out = BytesMut::new();
    assert_eq!(rows.write(&mut out, usize::MAX, 2).unwrap(), 2);
    assert_eq!(&out[..], b"D\0\0\0\x0b\0\x01\0\0\0\x011D\0\0\0\x0a\0\x01\xff\xff\xff\xff");
    assert_eq!(rows.write(&mut out, 1, 9).unwrap(), 0);
    assert_eq!(rows.remaining(), 1);
    assert_eq!(rows.write(&mut out, 1 << 20, 9).unwrap(), 1);
    assert_eq!(rows.remaining(), 0);
}

#[test]
fn a_row_that_fails_leaves_no_half_message() {
    let batch = batch(vec![Arc::new(Int64Array::from(vec![1, 1 << 40]))]);
    let fields = [Field::new("a", PgType::INT4)];
    let mut rows = RowEncoder::new(&batch, &fields, |_| Format::Binary, &Style::default()).unwrap();
    let mut out = BytesMut::new();
    assert!(rows.write(&mut out, usize::MAX, 9).is_err());
    assert_eq!(&out[..], b"D\0\0\0\x0e\0\x01\0\0\0\x04\0\0\0\x01");
}

fn copied(format: CopyFormat, names: &[&str], columns: Vec<(ArrayRef, PgType)>) -> Vec<u8> {
    let fields: Vec<_> = names.iter().zip(&columns).map(|(name, (_, ty))| Field::new(*name, *ty)).collect();
    let batch = batch(columns.into_iter().map(|(array, _)| array).collect());
    let mut copy = CopyEncoder::new(format, &fields);
    let mut out = BytesMut::new();
    copy.write_header(&fields, &mut out).unwrap();
    let mut rows = copy.batch(&batch, &fields, &Style::default()).unwrap();
    copy.write(&mut rows, &mut out, usize::MAX).unwrap();
    assert!(rows.is_done());
    copy.write_trailer(&mut out).unwrap();
    let mut payload = Vec::new();
    let mut rest = &out[..];
    while let [b'd', a, b, c, d, tail @ ..] = rest {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize - 4;
        payload.extend_from_slice(&tail[..length]);
        rest = &tail[length..];
    }
    assert!(rest.is_empty());
    payload
}

fn text_column(value: &str) -> (ArrayRef, PgType) {
    (Arc::new(StringArray::from(vec![value])), PgType::TEXT)
}

fn sample() -> Vec<(ArrayRef, PgType)> {
    vec![
        (Arc::new(Int32Array::from(vec![1])), PgType::INT4),
        text_column("a\"b"),
        (Arc::new(StringArray::from(vec![None::<&str>])), PgType::TEXT),
        text_column(""),
        (Arc::new(BooleanArray::from(vec![true])), PgType::BOOL),
        text_column("x,y"),
        text_column("l\nm"),
        text_column("\\."),
        text_column(" sp"),
    ]
}

#[test]
fn copy_csv_quotes_as_postgres_does() {
    let csv = |header, delimiter, quote, escape, null: &str, force_quote| CopyFormat::Csv {
        delimiter,
        null: null.to_owned(),
        header,
        quote,
        escape,
        force_quote,
    };
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let plain = copied(csv(true, b',', b'"', b'"', "", ForceQuote::None), &names, sample());
    assert_eq!(String::from_utf8(plain).unwrap(), "a,b,c,d,e,f,g,h,i\n1,\"a\"\"b\",,\"\",t,\"x,y\",\"l\nm\",\\., sp\n");
    let forced = copied(csv(false, b';', b'\'', b'\\', "N", ForceQuote::All), &names[..6], sample()[..6].to_vec());
    assert_eq!(String::from_utf8(forced).unwrap(), "'1';'a\"b';N;'';'t';'x,y'\n");
    let one = ForceQuote::Columns(vec!["a".into()]);
    let chosen = copied(csv(false, b',', b'"', b'"', "", one), &names[..2], sample()[..2].to_vec());
    assert_eq!(String::from_utf8(chosen).unwrap(), "\"1\",\"a\"\"b\"\n");
    let end_mark = copied(csv(false, b',', b'"', b'"', "", ForceQuote::None), &["a"], vec![text_column("\\.")]);
    assert_eq!(end_mark, b"\"\\.\"\n");
}

#[test]
fn copy_text_escapes_as_postgres_does() {
    let format = |header, delimiter, null: &str| CopyFormat::Text { delimiter, null: null.to_owned(), header };
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("x\\y")]);
    let columns = vec![
        (Arc::new(Int32Array::from(vec![1])) as ArrayRef, PgType::INT4),
        text_column("a\tb\\c\nd"),
        (Arc::new(StringArray::from(vec![None::<&str>])), PgType::TEXT),
        text_column(""),
        (Arc::new(list.finish()), PgType::TEXT.array().unwrap()),
    ];
    let copy = copied(format(false, b'\t', "\\N"), &["a", "b", "c", "d", "e"], columns);
    assert_eq!(String::from_utf8(copy).unwrap(), "1\ta\\tb\\\\c\\nd\t\\N\t\t{\"x\\\\\\\\y\"}\n");
    let copy = copied(format(true, b'|', "N"), &["x\ty", "p|q"], vec![text_column("a"), text_column("b|c")]);
    assert_eq!(String::from_utf8(copy).unwrap(), "x\\ty|p\\|q\na|b\\|c\n");
}

#[test]
fn copy_binary_has_header_and_trailer() {
    let columns = vec![
        (Arc::new(Int32Array::from(vec![1])) as ArrayRef, PgType::INT4),
        text_column("ab"),
        (Arc::new(Int32Array::from(vec![None])), PgType::INT4),
    ];
    let copy = copied(CopyFormat::Binary, &["a", "b", "c"], columns);
    assert_eq!(hex(&copy), "5047434f50590aff0d0a00000000000000000000030000000400000001000000026162ffffffffffff");
}

proptest! {
    #[test]
    fn floats_read_back_equal(value: f64) {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![value]));
        let text = encoded(&array, PgType::FLOAT8, Format::Text, &Style::default()).unwrap();
        let read: f64 = std::str::from_utf8(&text).unwrap().parse().unwrap();
        prop_assert!(read == value || (read.is_nan() && value.is_nan()));
    }

    #[test]
    fn sliced_columns_keep_their_rows(values in prop::collection::vec(prop::option::of(".{0,20}"), 1..20), from in 0usize..19) {
        let array = StringArray::from(values.clone());
        let from = from.min(values.len() - 1);
        let slice: ArrayRef = Arc::new(array.slice(from, values.len() - from));
        let mut column = ColumnEncoder::new(&slice, PgType::TEXT, Format::Text, &Style::default()).unwrap();
        for (row, expected) in values[from..].iter().enumerate() {
            prop_assert_eq!(column.is_null(row), expected.is_none());
            if let Some(expected) = expected {
                let mut out = BytesMut::new();
                column.write(row, &mut out).unwrap();
                prop_assert_eq!(&out[..], expected.as_bytes());
            }
        }
    }

    #[test]
    fn sliced_lists_keep_their_elements(values in prop::collection::vec(prop::option::of(prop::collection::vec(any::<i32>(), 0..4)), 2..12)) {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(values.iter().map(|v| v.as_ref().map(|v| v.iter().copied().map(Some))));
        let slice: ArrayRef = Arc::new(list.slice(1, values.len() - 1));
        let mut column = ColumnEncoder::new(&slice, PgType::INT4.array().unwrap(), Format::Text, &Style::default()).unwrap();
        for (row, expected) in values[1..].iter().enumerate() {
            let Some(expected) = expected else { prop_assert!(column.is_null(row)); continue };
            let mut out = BytesMut::new();
            column.write(row, &mut out).unwrap();
            let joined = expected.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
            prop_assert_eq!(String::from_utf8(out.to_vec()).unwrap(), format!("{{{joined}}}"));
        }
    }
}
