use futures::{StreamExt, TryStreamExt};
use tokio_postgres::error::SqlState;

use super::harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn copy_gives_each_format() {
    let server = start(trusting()).await;
    let client = server.client().await;
    let copy = async |options: &str| {
        let stream = client.copy_out(&format!("COPY (SELECT n FROM numbers) TO STDOUT {options}")).await.unwrap();
        stream.map_ok(|chunk| chunk.to_vec()).try_concat().await.unwrap()
    };
    let lines: String = (0..25).map(|n| format!("{n}\n")).collect();
    assert_eq!(String::from_utf8(copy("").await).unwrap(), lines);
    assert_eq!(String::from_utf8(copy("WITH (FORMAT csv, HEADER)").await).unwrap(), format!("n\n{lines}"));
    let binary = copy("WITH (FORMAT binary)").await;
    assert_eq!(binary.len(), 19 + 25 * (2 + 4 + 8) + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_request_stops_rows_that_stream() {
    let server = start(trusting()).await;
    let client = server.client().await;
    let rows = client.query_raw("SELECT n FROM endless", std::iter::empty::<i32>()).await.unwrap();
    let mut rows = std::pin::pin!(rows);
    rows.next().await.unwrap().unwrap();
    client.cancel_token().cancel_query(tokio_postgres::NoTls).await.unwrap();
    let end = async {
        loop {
            match rows.next().await {
                Some(Ok(_)) => {}
                other => return other,
            }
        }
    };
    let error = tokio::time::timeout(PATIENCE, end).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED));
    server.open.none().await;
    assert_eq!(client.query("SELECT n FROM numbers", &[]).await.unwrap().len(), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_request_stops_a_statement_without_rows() {
    let server = start(trusting()).await;
    let client = server.client().await;
    let token = client.cancel_token();
    let open = server.open.clone();
    let canceled = async {
        while open.count() == 0 {
            tokio::task::yield_now().await;
        }
        token.cancel_query(tokio_postgres::NoTls).await.unwrap();
    };
    let (result, ()) = tokio::join!(client.query("SELECT n FROM stuck", &[]), canceled);
    assert_eq!(result.unwrap_err().code(), Some(&SqlState::QUERY_CANCELED));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_request_with_a_wrong_key_does_nothing() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    let pid = server.gateway.activity().snapshot()[0].pid;
    let mut cancel = Raw::connect(server.address);
    cancel.send(&[&[0, 0, 0, 16, 4, 210, 22, 46][..], &pid.to_be_bytes(), b"nope"].concat());
    assert!(cancel.rest().is_empty());
    raw.send(&frame(b'Q', b"SELECT n FROM numbers\0"));
    assert!(raw.letters().ends_with("CZ"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_stops_its_statement() {
    let server = start(trusting()).await;
    for table in ["stuck", "endless"] {
        let mut raw = server.raw().await;
        raw.send(&frame(b'Q', format!("SELECT n FROM {table}\0").as_bytes()));
        while server.open.count() == 0 {
            tokio::task::yield_now().await;
        }
        drop(raw);
        server.open.none().await;
    }
    // A half-closed connection is a lost client too.
    let mut raw = server.raw().await;
    raw.send(&frame(b'Q', b"SELECT n FROM stuck\0"));
    while server.open.count() == 0 {
        tokio::task::yield_now().await;
    }
    raw.0.shutdown(std::net::Shutdown::Write).unwrap();
    server.open.none().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_holds_the_engine_back() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    raw.send(&frame(b'Q', b"SELECT n FROM endless\0"));
    raw.until(b'D');
    // The socket's buffers fill, and the server waits with one chunk of rows: other sessions go on meanwhile.
    let client = server.client().await;
    for _ in 0..50 {
        assert_eq!(client.query("SELECT n FROM numbers", &[]).await.unwrap().len(), 25);
    }
    assert_eq!(server.open.count(), 1);
    // A session that is told to end does so even while its client takes nothing.
    let pid = server.gateway.activity().snapshot()[0].pid;
    assert!(server.gateway.activity().terminate(pid));
    server.open.none().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_only_its_own_session() {
    let server = start(trusting()).await;
    let other = server.client().await;
    let mut raw = server.raw().await;
    raw.send(&frame(b'Q', b"SELECT n FROM panics\0"));
    let (kind, error) = raw.next().unwrap();
    assert_eq!(
        (kind, error_field(&error, b'S').as_deref(), error_field(&error, b'C').as_deref()),
        (b'E', Some("FATAL"), Some("XX000"))
    );
    assert!(raw.next().is_none());
    assert_eq!(other.query("SELECT n FROM numbers", &[]).await.unwrap().len(), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_waits_for_statements_and_ends_idle_sessions() {
    let mut server = start(trusting()).await;
    let mut idle = server.raw().await;
    let mut busy = server.raw().await;
    busy.send(&frame(b'Q', b"BEGIN\0"));
    busy.until(b'Z');
    server.shutdown.cancel();
    let (_, error) = idle.next().unwrap();
    assert_eq!(error_field(&error, b'C').as_deref(), Some("57P01"));
    busy.send(&frame(b'Q', b"SELECT n FROM numbers; COMMIT\0"));
    assert!(busy.letters().ends_with("CCZ"));
    let (_, error) = busy.next().unwrap();
    assert_eq!(error_field(&error, b'C').as_deref(), Some("57P01"));
    tokio::time::timeout(PATIENCE, &mut server.running).await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_session_is_told() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    let pid = server.gateway.activity().snapshot()[0].pid;
    raw.send(&frame(b'Q', b"SELECT n FROM stuck\0"));
    while server.open.count() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(server.gateway.activity().terminate(pid));
    let error = raw.until(b'E').pop().unwrap().1;
    assert_eq!(
        (error_field(&error, b'S').as_deref(), error_field(&error, b'C').as_deref()),
        (Some("FATAL"), Some("57P01"))
    );
    assert!(raw.next().is_none());
}
