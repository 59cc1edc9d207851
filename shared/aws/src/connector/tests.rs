//! Connections and their reuse, against servers in this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use lifecycle::testing::simulated::within;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::client::Client;
use super::connection::WAITING_MAX;
use super::tls::{Tls, aws_roots};
use crate::every::tests::WallClock;
use crate::tests::stores::{slow_stub, stub};

fn client() -> Client {
    Client::new(&Tls::trusting(aws_roots(None).unwrap()))
}

fn request(url: &str) -> HttpRequest {
    let request = http::Request::post(url).body(SdkBody::from("{}")).unwrap();
    HttpRequest::try_from(request).unwrap()
}

async fn read(response: Result<HttpResponse, ConnectorError>) -> String {
    let body = ByteStream::new(response.unwrap().into_body()).collect().await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn requests_that_follow_each_other_share_a_connection() {
    let (client, (url, counts)) = (client(), stub(200, "{}").await);
    for _ in 0..3 {
        assert_eq!(read(client.call(request(&url)).await).await, "{}");
    }
    assert_eq!((counts.connections.load(SeqCst), counts.requests.load(SeqCst)), (1, 3));
}

#[tokio::test]
async fn concurrent_requests_have_a_connection_each() {
    let (client, (url, counts)) = (client(), slow_stub(Duration::from_millis(50), 200, "").await);
    let (first, second) = tokio::join!(client.call(request(&url)), client.call(request(&url)));
    assert_eq!((read(first).await, read(second).await), (String::new(), String::new()));
    assert_eq!(counts.connections.load(SeqCst), 2);
}

#[tokio::test]
async fn a_response_that_is_not_read_closes_its_connection() {
    let (client, (url, counts)) = (client(), stub(200, "unread").await);
    drop(client.call(request(&url)).await.unwrap());
    read(client.call(request(&url)).await).await;
    assert_eq!(counts.connections.load(SeqCst), 2);
}

#[tokio::test]
async fn a_poisoned_connection_serves_no_other_request() {
    let (client, (url, counts)) = (client(), stub(500, "{}").await);
    let (capture, mut first) = (CaptureSmithyConnection::new(), request(&url));
    first.add_extension(capture.clone());
    let response = client.call(first).await;
    capture.get().expect("the connection is known").poison();
    read(response).await;
    read(client.call(request(&url)).await).await;
    assert_eq!(counts.connections.load(SeqCst), 2);
}

#[tokio::test]
async fn a_connection_ages_while_the_process_is_frozen() {
    let (client, (url, counts)) = (client(), stub(200, "{}").await);
    let clock = Arc::<WallClock>::default();
    within(clock.clone(), async {
        for connections in 1..=2 {
            read(client.call(request(&url)).await).await;
            assert_eq!(counts.connections.load(SeqCst), connections);
            clock.pass(WAITING_MAX);
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_its_server_has_closed_is_replaced() {
    let (client, (url, connections)) = (client(), closing_server().await);
    for number in 1..=3 {
        assert_eq!(read(client.call(request(&url)).await).await, "ok");
        assert_eq!(connections.load(SeqCst), number);
        // The end of the connection arrives.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_refused_connection_is_an_error_of_io_and_a_strange_url_one_of_the_caller() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client().call(request(&url)).await.unwrap_err();
    assert!(error.is_io(), "{error:?}");
    let error = client().call(request("ftp://127.0.0.1/")).await.unwrap_err();
    assert!(error.is_user(), "{error:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_an_error_of_io() {
    let (url, _) = stub(200, "{}").await;
    let error = client().call(request(&url.replace("http:", "https:"))).await.unwrap_err();
    assert!(error.is_io(), "{error:?}");
}

/// A server that closes each connection after its first response, without announcing it.
async fn closing_server() -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, SeqCst);
            let mut received = [0; 4096];
            let mut length = 0;
            while length < 2 || !received[..length].ends_with(b"{}") {
                let read = stream.read(&mut received[length..]).await.unwrap();
                assert!(read > 0, "the client sends a whole request");
                length += read;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
    });
    (url, connections)
}
