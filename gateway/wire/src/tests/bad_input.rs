use std::time::Duration;

use super::harness::*;
use crate::WireConfig;

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_client_end_only_their_connection() {
    let server = start(trusting()).await;
    for garbage in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x7f\xff\xff\xff\0\x03\0\0", b"\0\0\0\0\0\0\0\0", b"\0\0\0\x08\0\x01\0\0"]
    {
        let mut raw = Raw::connect(server.address);
        raw.send(garbage);
        let answer = raw.rest();
        assert!(answer.is_empty() || answer[0] == b'E', "{garbage:?}: {answer:?}");
    }
    let client = server.client().await;
    assert_eq!(client.query("SELECT n FROM numbers", &[]).await.unwrap().len(), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_startup_packet_ends_at_the_authentication_timeout() {
    let config = WireConfig { authentication_timeout: Duration::from_millis(50), ..trusting() };
    let server = start(config).await;
    for half in [&b"\0\0"[..], b"\0\0\0\x20\0\x03\0\0user", b""] {
        let mut raw = Raw::connect(server.address);
        raw.send(half);
        assert!(raw.rest().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lengths_over_the_limit_are_refused_without_being_read() {
    let server = start(WireConfig { max_message_bytes: 1 << 20, ..trusting() }).await;
    for head in [&b"Q\x7f\xff\xff\xff"[..], b"P\0\x20\0\0", b"S\0\0\x40\0", b"Q\0\0\0\x01", b"z\0\0\0\x04"] {
        let mut raw = server.raw().await;
        raw.send(head);
        let (kind, error) = raw.next().unwrap();
        assert_eq!(kind, b'E');
        assert_eq!(
            (error_field(&error, b'S').as_deref(), error_field(&error, b'C').as_deref()),
            (Some("FATAL"), Some("08P01"))
        );
        assert!(raw.next().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_the_wrong_shape_leave_the_session_usable() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    for (bad, code) in [
        (frame(b'Q', b"no end"), "08P01"),
        (frame(b'Q', b"SELECT '\xff'\0"), "22021"),
        ([frame(b'P', b"\0"), frame(b'S', b"")].concat(), "08P01"),
        ([frame(b'B', b"\0\0\0\x01\0\x07\0\0\0\0"), frame(b'S', b"")].concat(), "22023"),
        ([frame(b'D', b"Q\0"), frame(b'S', b"")].concat(), "08P01"),
        (frame(b'F', b"\0\0\0\0"), "0A000"),
    ] {
        raw.send(&bad);
        let messages = raw.until(b'Z');
        assert_eq!(error_field(&messages[0].1, b'C').as_deref(), Some(code), "{bad:?}");
    }
    raw.send(&frame(b'Q', b"SELECT n FROM numbers\0"));
    assert!(raw.letters().ends_with("CZ"));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_do_not_fit_are_named() {
    let server = start(trusting()).await;
    let mut raw = server.raw().await;
    raw.send(&[frame(b'P', b"s\0SELECT $1\0\0\x01\0\0\0\x17"), frame(b'S', b"")].concat());
    assert_eq!(raw.letters(), "1Z");
    for (bind, code) in [
        (&b"\0s\0\0\0\0\0\0\0"[..], "08P01"),
        (b"\0s\0\0\0\0\x01\0\0\0\x01x\0\0", "22P02"),
        (b"\0s\0\0\x01\0\x01\0\x01\0\0\0\x02\0\x01\0\0", "22P03"),
        (b"\0s\0\0\0\0\x01\0\0\0\x011\0\x03\0\0\0\0\0\0", "08P01"),
        (b"\0s\0\0\0\0\x01\0\0\0\x0a2147483648\0\0", "22003"),
    ] {
        raw.send(&[frame(b'B', bind), frame(b'S', b"")].concat());
        let messages = raw.until(b'Z');
        assert_eq!(error_field(&messages[0].1, b'C').as_deref(), Some(code), "{bind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_session_ends_at_its_timeout() {
    let server = start(WireConfig { idle_session_timeout: Some(Duration::from_millis(30)), ..trusting() }).await;
    let mut raw = server.raw().await;
    let (_, error) = raw.next().unwrap();
    assert_eq!(error_field(&error, b'C').as_deref(), Some("57P05"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_over_the_limit_are_refused() {
    let server = start(WireConfig { max_sockets: 1, ..trusting() }).await;
    let _first = server.raw().await;
    let mut second = Raw::connect(server.address);
    let (_, error) = second.next().unwrap();
    assert_eq!(error_field(&error, b'C').as_deref(), Some("53300"));
}
