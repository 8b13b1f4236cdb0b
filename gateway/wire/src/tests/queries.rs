use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use super::harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn both_protocols_give_all_rows() {
    let server = start(trusting()).await;
    let client = server.client().await;
    let rows = client.query("SELECT n FROM numbers", &[]).await.unwrap();
    let numbers: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(numbers, (0..25).collect::<Vec<_>>());
    let messages = client.simple_query("SELECT n FROM numbers").await.unwrap();
    let rows = messages.iter().filter(|message| matches!(message, SimpleQueryMessage::Row(_))).count();
    assert_eq!(rows, 25);
    assert!(matches!(messages.last(), Some(SimpleQueryMessage::CommandComplete(25))));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_reach_the_statement() {
    let server = start(trusting()).await;
    let client = server.client().await;
    let statement = client
        .prepare_typed(
            "SELECT $1, $2, $3",
            &[tokio_postgres::types::Type::INT4, tokio_postgres::types::Type::TEXT_ARRAY],
        )
        .await
        .unwrap();
    let row = client.query_one(&statement, &[&7i32, &vec![Some("it's"), None], &"x"]).await.unwrap();
    let sql: &str = row.get(0);
    assert!(sql.contains('7') && sql.contains("it''s") && sql.contains("NULL") && sql.contains("'x'"), "{sql}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_stops_at_its_first_error() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    raw.send(&frame(b'Q', b"SELECT n FROM numbers; SELECT n FROM broken; SELECT n FROM numbers\0"));
    let messages = raw.until(b'Z');
    let rows = messages.iter().filter(|(kind, _)| *kind == b'D').count();
    let (_, error) = messages.iter().find(|(kind, _)| *kind == b'E').unwrap();
    assert_eq!((rows, error_field(error, b'C').as_deref()), (35, Some("22012")));
    raw.send(&frame(b'Q', b" -- nothing\0"));
    assert_eq!(raw.letters(), "IZ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_fails_and_says_so() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    let mut status = |sql: &str| {
        raw.send(&frame(b'Q', format!("{sql}\0").as_bytes()));
        let messages = raw.until(b'Z');
        let code = messages.iter().find(|(kind, _)| *kind == b'E').and_then(|(_, body)| error_field(body, b'C'));
        (messages.last().unwrap().1[0], code)
    };
    assert_eq!(status("BEGIN"), (b'T', None));
    assert_eq!(status("SELECT n FROM broken"), (b'E', Some("22012".into())));
    assert_eq!(status("SELECT n FROM numbers"), (b'E', Some("25P02".into())));
    assert_eq!(status("ROLLBACK"), (b'I', None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_the_extended_protocol_skips_to_sync() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    let bind = frame(b'B', b"\0missing\0\0\0\0\0\0\0");
    let execute = frame(b'E', b"\0\0\0\0\0");
    raw.send(&[bind, execute.clone(), execute, frame(b'Q', b"SELECT 1\0"), frame(b'S', b"")].concat());
    let messages = raw.until(b'Z');
    assert_eq!(messages.len(), 2);
    assert_eq!(error_field(&messages[0].1, b'C').as_deref(), Some("26000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_empty_statement_can_be_prepared() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    raw.send(
        &[
            frame(b'P', b"e\0 ; \0\0\0"),
            frame(b'D', b"Se\0"),
            frame(b'B', b"\0e\0\0\0\0\0\0\0"),
            frame(b'D', b"P\0"),
            frame(b'E', b"\0\0\0\0\0"),
            frame(b'C', b"Se\0"),
            frame(b'S', b""),
        ]
        .concat(),
    );
    assert_eq!(raw.letters(), "1tn2nI3Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_is_read_in_pieces() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    let execute = frame(b'E', b"p\0\0\0\0\x0a");
    let sync = frame(b'S', b"");
    raw.send(&[frame(b'Q', b"BEGIN\0"), frame(b'P', b"\0SELECT n FROM numbers\0\0\0")].concat());
    raw.until(b'Z');
    raw.send(&[frame(b'B', b"p\0\0\0\0\0\0\0\x01\0\x01"), execute.clone(), sync.clone()].concat());
    let messages = raw.until(b'Z');
    assert_eq!(messages.iter().filter(|(kind, _)| *kind == b'D').count(), 10);
    assert_eq!(messages[messages.len() - 2].0, b's');
    // Binary int8, as asked for in Bind.
    assert_eq!(messages[2].1, b"\0\x01\0\0\0\x08\0\0\0\0\0\0\0\0");
    assert_eq!(server.open.count(), 1);
    raw.send(&[execute.clone(), execute.clone(), execute.clone(), sync.clone()].concat());
    let messages = raw.until(b'Z');
    let tags: Vec<_> = messages.iter().filter(|(kind, _)| *kind == b'C').map(|(_, body)| body.clone()).collect();
    assert_eq!(tags, [b"SELECT 5\0".to_vec(), b"SELECT 0\0".to_vec()]);
    raw.send(&[frame(b'Q', b"COMMIT\0"), execute, sync].concat());
    raw.until(b'Z');
    let messages = raw.until(b'Z');
    assert_eq!(error_field(&messages[0].1, b'C').as_deref(), Some("34000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn portals_end_with_their_transaction() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    let open = [
        frame(b'P', b"\0SELECT n FROM endless\0\0\0"),
        frame(b'B', b"p\0\0\0\0\0\0\0\0"),
        frame(b'E', b"p\0\0\0\0\x05"),
        frame(b'S', b""),
    ];
    raw.send(&open.concat());
    assert_eq!(raw.letters(), "12DDDDDsZ");
    server.open.none().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_change_are_reported() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    raw.send(&frame(b'Q', b"SET application_name = 'probe'\0"));
    let messages = raw.until(b'Z');
    assert!(messages.contains(&(b'S', b"application_name\0probe\0".to_vec())), "{messages:?}");
    assert!(messages.contains(&(b'C', b"SET\0".to_vec())));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_carry_code_detail_and_position() {
    let server = start(trusting()).await;
    let client = server.client().await;
    let error = client.query("SELECT n FROM broken", &[]).await.unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code(), &SqlState::DIVISION_BY_ZERO);
    assert_eq!(error.detail(), Some("Row 11."));
    assert_eq!(error.position(), Some(&tokio_postgres::error::ErrorPosition::Original(8)));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_share_nothing() {
    let server = start(trusting()).await;
    let (one, two) = (server.client().await, server.client().await);
    one.batch_execute("PREPARE mine AS SELECT n FROM numbers").await.unwrap();
    one.batch_execute("EXECUTE mine").await.unwrap();
    let error = two.batch_execute("EXECUTE mine").await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::INVALID_SQL_STATEMENT_NAME));
}
