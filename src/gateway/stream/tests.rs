use std::time::Duration;

use pingora::protocols::Peek as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::{Instant, sleep};

use super::*;
use crate::gateway::connection::Ends;
use crate::gateway::frames::PREFACE;
use crate::gateway::head::HeadFault;
use crate::telemetry::Metrics;

/// A watched stream with the default limits, and the client's end of it.
fn pair(http2: bool) -> (Guarded, Arc<Connection>, DuplexStream) {
    let (ours, client) = duplex(64 * 1024);
    let connection = Connection::new(Ends::default(), false, (None, None), Metrics::new().unwrap().connection());
    let stream = Guarded::new(Box::new(ours), connection.clone(), Arc::new(Limits::default()), http2);
    (stream, connection, client)
}

/// Sends a byte a second for as long as anybody listens.
fn dribble(mut client: DuplexStream, bytes: Vec<u8>) {
    tokio::spawn(async move {
        for byte in bytes {
            if client.write_all(&[byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
        std::future::pending::<()>().await;
    });
}

async fn read(stream: &mut Guarded) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 64 * 1024];
    let length = stream.read(&mut bytes).await?;
    bytes.truncate(length);
    Ok(bytes)
}

fn seconds(since: Instant) -> u64 {
    since.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_dribbled_head_is_refused_after_ten_seconds() {
    let (mut stream, connection, client) = pair(false);
    let begun = Instant::now();
    dribble(client, b"GET /a-long-path-that-takes-its-time HTTP/1.1\r\n".to_vec());
    let substitute = read(&mut stream).await.unwrap();
    assert_eq!(seconds(begun), 10);
    assert_eq!(connection.take_fault(), Some(HeadFault::Slow));
    assert!(substitute.starts_with(b"GET / HTTP/1.1\r\n"));
    assert_eq!(read(&mut stream).await.unwrap(), b"", "nothing more is read");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_for_every_head_and_not_for_what_lies_between() {
    let (mut stream, connection, mut client) = pair(false);
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    client.write_all(head).await.unwrap();
    assert_eq!(read(&mut stream).await.unwrap(), head);
    sleep(Duration::from_secs(30)).await;
    client.write_all(b"abcGET").await.unwrap();
    let mut body = [0; 3];
    stream.read_exact(&mut body).await.unwrap();
    assert_eq!(&body, b"abc", "a body is not read as a head");
    connection.expect_head();
    let mut rest = vec![0; 3];
    let begun = Instant::now();
    dribble(client, b" / HTTP/1.1 that is slow".to_vec());
    let _ = stream.read(&mut rest).await.unwrap();
    assert_eq!(seconds(begun), 10);
    assert_eq!(connection.take_fault(), Some(HeadFault::Slow));
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_without_a_word_after_a_minute() {
    let (mut stream, connection, _client) = pair(false);
    let begun = Instant::now();
    assert_eq!(read(&mut stream).await.unwrap(), b"");
    assert_eq!((seconds(begun), connection.take_fault()), (60, None));
}

#[tokio::test(start_paused = true)]
async fn a_refused_head_never_reaches_the_proxy() {
    let (mut stream, connection, mut client) = pair(false);
    client.write_all(b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert_eq!(connection.take_fault(), Some(HeadFault::RequestLine));
    assert!(!String::from_utf8(all).unwrap().contains("smuggled"));
}

#[tokio::test(start_paused = true)]
async fn a_head_is_handed_on_in_pieces_and_without_the_body() {
    let (mut stream, _connection, mut client) = pair(false);
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";
    client.write_all(&[head.as_slice(), b"body"].concat()).await.unwrap();
    let mut some = [0; 10];
    stream.read_exact(&mut some).await.unwrap();
    assert_eq!(some, head[..10]);
    assert_eq!(read(&mut stream).await.unwrap(), head[10..]);
    assert_eq!(read(&mut stream).await.unwrap(), b"body");
}

#[tokio::test(start_paused = true)]
async fn a_stalled_body_ends_the_read_under_way() {
    let (mut stream, connection, mut client) = pair(false);
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read(&mut stream).await.unwrap();
    let reading = tokio::spawn(async move { read(&mut stream).await });
    sleep(Duration::from_secs(1)).await;
    connection.stall();
    assert_eq!(reading.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_cut() {
    let (mut stream, _connection, _client) = pair(false);
    let begun = Instant::now();
    let error = stream.write_all(&[0; 100 * 1024]).await.unwrap_err();
    assert_eq!((seconds(begun), error.kind()), (30, io::ErrorKind::TimedOut));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_still_sends_is_read_on_for_a_second_when_it_matters() {
    let (mut stream, connection, client) = pair(false);
    dribble(client, vec![b'x'; 100]);
    let begun = Instant::now();
    connection.linger();
    stream.shutdown().await.unwrap();
    assert_eq!(seconds(begun), 1);
    let (mut stream, _connection, _client) = pair(false);
    let begun = Instant::now();
    stream.shutdown().await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_dribbled_frame_ends_an_http2_connection_after_ten_seconds() {
    let (mut stream, _connection, mut client) = pair(true);
    client.write_all(PREFACE).await.unwrap();
    read(&mut stream).await.unwrap();
    sleep(Duration::from_secs(30)).await;
    let begun = Instant::now();
    dribble(client, vec![0, 0, 50, 1, 4, 0, 0, 0, 1, 0x82, 0x82, 0x82, 0x82, 0x82, 0x82]);
    let error = loop {
        if let Err(error) = read(&mut stream).await {
            break error;
        }
    };
    assert_eq!((seconds(begun), error.kind()), (10, io::ErrorKind::TimedOut));
}

#[tokio::test(start_paused = true)]
async fn prior_knowledge_of_http2_is_seen_and_its_bytes_are_kept() {
    for (sent, http2) in [(PREFACE.to_vec(), true), (b"PRI * HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), false)] {
        let (mut stream, _connection, mut client) = pair(false);
        client.write_all(&sent).await.unwrap();
        let mut peeked = [0; 24];
        assert!(stream.try_peek(&mut peeked).await.unwrap());
        assert_eq!(peeked == PREFACE, http2);
        assert_eq!(read(&mut stream).await.unwrap(), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn the_look_for_prior_knowledge_and_the_head_share_one_deadline() {
    let (mut stream, connection, client) = pair(false);
    let begun = Instant::now();
    dribble(client, b"PRI".to_vec());
    let mut peeked = [0; 24];
    assert!(stream.try_peek(&mut peeked).await.unwrap());
    assert_ne!(peeked, PREFACE);
    read(&mut stream).await.unwrap();
    assert_eq!((seconds(begun), connection.take_fault()), (10, Some(HeadFault::Slow)));
}

#[tokio::test(start_paused = true)]
async fn behind_a_body_there_is_nothing_until_a_head_is_expected() {
    let (mut stream, connection, mut client) = pair(false);
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    client.write_all(&[head, &b"abc\r\n"[..]].concat()).await.unwrap();
    assert_eq!(read(&mut stream).await.unwrap(), head);
    assert_eq!(read(&mut stream).await.unwrap(), b"abc");
    assert!(tokio::time::timeout(Duration::from_secs(5), read(&mut stream)).await.is_err(), "nothing to read");
    connection.expect_head();
    read(&mut stream).await.unwrap();
    assert_eq!(connection.take_fault(), Some(HeadFault::LineEnd));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_during_its_request_is_noticed() {
    let (mut stream, _connection, mut client) = pair(false);
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET").await.unwrap();
    read(&mut stream).await.unwrap();
    drop(client);
    assert_eq!(read(&mut stream).await.unwrap(), b"");
}

#[tokio::test(start_paused = true)]
async fn no_head_is_read_out_of_the_middle_of_a_body() {
    let (mut stream, connection, mut client) = pair(false);
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nGET / HTTP/1.1\r\n").await.unwrap();
    read(&mut stream).await.unwrap();
    connection.expect_head();
    assert_eq!(read(&mut stream).await.unwrap(), b"");
}
