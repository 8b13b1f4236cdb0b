//! Arbitrary bytes: no panic, nothing lost, the same again gives the same.

mod support;

use mantissa_lake::fuzzing::{Scan, parse_all, parse_time, scan_value};
use mantissa_lake::sources;
use proptest::prelude::*;
use support::lake;

const PARSED: &[&str] = &["cloudtrail", "vpc_flow", "okta", "github", "kubernetes", "guardduty", "syslog", "json"];

/// Bytes that look like logs now and then.
fn logs() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        r#"[ -~\n]{0,60}"#.prop_map(String::into_bytes),
        Just(br#"{"Records":[{"eventTime":"2026-01-01T00:00:00Z","userIdentity":null},"#.to_vec()),
        Just(br#"{"detail":{"type":"x","severity":"high"}}"#.to_vec()),
        Just(br#"{"CloudTrailEvent":"{\"eventName\":\"\\ud800\"}"}"#.to_vec()),
        Just(b"<34>1 2003-10-11T22:14:15.003Z host app - ID47 [x y=\"z\"".to_vec()),
        Just(b"Oct 11 22:14:15 host sshd[1]: Failed password for \xc3\xa9 from ::1".to_vec()),
        Just(b"2 1 eni - - 1 99999999999999999999 6 1 1 1e99 9 ACCEPT OK\n".to_vec()),
        Just(b"type=X msg=audit(999999999999999.9:1): y=\"".to_vec()),
        Just(b"{\"time\":\"".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"]}".to_vec()),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_rows_or_quarantined(bytes in logs()) {
        let (_folder, lake) = lake();
        let mut session = lake.session().unwrap();
        for source in PARSED {
            let report = session.push_bytes(source, "any", &bytes).unwrap();
            let has_lines = bytes.split(|byte| *byte == b'\n').any(|line| !line.trim_ascii().is_empty());
            let empty_envelope = report.rows + report.quarantined == 0;
            prop_assert!(!empty_envelope || !has_lines || bytes.iter().all(|byte| b"[]{},: \n\r\t\x1e\xef\xbb\xbf".contains(byte))
                || *source == "vpc_flow", "{source}");
        }
        let report = session.commit().unwrap();
        let rows: u64 = lake.snapshot().tables.values().map(|table| table.rows).sum();
        prop_assert_eq!(rows, report.rows);
        prop_assert_eq!(lake.quarantined().unwrap().len() as u64, report.quarantined);
        let retried = lake.retry_quarantine().unwrap();
        prop_assert!(retried.rows + retried.quarantined >= report.quarantined);
    }

    #[test]
    fn a_line_of_syslog_is_never_lost(lines in proptest::collection::vec("[ -~]{1,80}", 1..20)) {
        let (_folder, lake) = lake();
        let expected = lines.iter().filter(|line| !line.trim().is_empty()).count() as u64;
        let mut text = b"plain start\n".to_vec();
        text.extend(lines.join("\n").into_bytes());
        let report = lake.ingest_bytes("syslog", "any", &text).unwrap();
        prop_assert_eq!(report.rows + report.quarantined, expected + 1);
    }

    #[test]
    fn the_scanner_takes_what_serde_takes(text in r#"[\[\]{}",:0-9eE.+\- tfnaulrsu\\]{0,24}"#) {
        let padded = format!("{text}\n");
        let ours = matches!(scan_value(padded.as_bytes(), 0), Scan::Done(end) if padded[end..].trim().is_empty());
        let theirs = !text.starts_with(' ') && serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        prop_assert_eq!(ours, theirs, "{}", text);
    }

    #[test]
    fn times_never_panic_and_stay_in_range(text in "\\PC{0,40}", digits in "[0-9T:\\-+. Z/]{0,30}") {
        for time in [parse_time(&text), parse_time(&digits)].into_iter().flatten() {
            prop_assert!((0..7_258_118_400_000_000).contains(&time));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_parser_panics(bytes in logs(), max_event in 1usize..200) {
        for source in sources().unwrap().iter().filter(|source| source.parser.is_some()) {
            let (rows, refused) = parse_all(source, &bytes, max_event);
            prop_assert!(rows + refused <= 4 * bytes.len() as u64 + 4);
        }
    }
}
