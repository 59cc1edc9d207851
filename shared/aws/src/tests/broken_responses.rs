//! Responses that break off, or never begin.

use lifecycle::ServiceError;
use lifecycle::effects::Write;
use lifecycle::ports::{CommitError, Store};
use lifecycle::record::Key;
use lifecycle::resource::Resource;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::commits::{commit, product};
use super::stores::{PRODUCTS, connect, environment};
use crate::Aws;

/// A success that ends before its body does.
const CUT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
/// The refusal of a write, because the item of another writer is stored.
const REFUSED: &str = concat!(
    "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n",
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","#,
    r#""Item":{"pk":{"S":"a"},"writtenBy":{"S":"another"}}}"#
);

#[tokio::test]
async fn a_response_that_breaks_off_or_is_missing_is_unavailable() {
    for response in [CUT, ""] {
        let aws = answered_by(vec![response]).await;
        let read = aws.read(PRODUCTS, &Key::new("a")).await;
        assert!(matches!(read, Err(ServiceError::Unavailable { .. })), "{response:?}: {read:?}");
    }
}

/// The first attempt has written, and the other writer came after it. A second decision would undo
/// the other's change.
#[tokio::test]
async fn a_success_that_breaks_off_and_another_writer_are_an_unknown_outcome() {
    let aws = answered_by(vec![CUT, REFUSED]).await;
    let committed = commit(&aws, "1", vec![Write::create(&product("a", 5))]).await;
    let Err(CommitError::ServiceError(ServiceError::Unavailable { source, .. })) = committed else {
        panic!("expected an unknown outcome, got {committed:?}")
    };
    assert!(source.to_string().contains("outcome is unknown"), "{source}");
}

/// A function whose services answer with these bytes in turn, and with the last ones from then on.
/// Each connection is closed after its response.
async fn answered_by(responses: Vec<&'static str>) -> Aws {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut environment = environment();
    let url = format!("http://{}", listener.local_addr().unwrap());
    environment.extend([("PRODUCTS_TABLE", "p".to_owned()), ("AWS_ENDPOINT_URL", url)]);
    tokio::spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await;
            let response = responses.get(number).or(responses.last()).unwrap();
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    connect(&[Resource::Table(PRODUCTS, &[])], environment)
}

/// Reads a whole request: the rest of one would reset the connection.
async fn read_request(stream: &mut TcpStream) {
    let mut received = Vec::new();
    while !is_whole(&received) {
        let read = stream.read_buf(&mut received).await.unwrap();
        assert!(read > 0, "the client sends a whole request");
    }
}

fn is_whole(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let mut names = head.lines().filter_map(|line| line.split_once(": "));
    let length = names.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.is_none_or(|(_, length)| length.parse::<usize>().unwrap() <= body.len())
}
