//! Users of outside issuers, with tokens made by another implementation.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use emulator::faults::Faults;
use emulator::options::Options;
use lifecycle::paging::PageQuery;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::harness::{Refused, fresh_platform, someone};

#[tokio::test]
async fn users_of_an_outside_issuer_are_admitted_with_their_roles() {
    let fixture = fixture();
    let theirs = Publisher::start(json!([fixture["keys"]["RS256"]])).await;
    let issuers = json!([{ "issuer": "https://outside.example", "jwksUrl": theirs.url,
        "audience": "outside-api", "rolesClaim": "/realm_access/roles", "roles": ["ADMIN"],
        "accessClaim": { "name": "iss", "value": "https://outside.example" } }]);
    let issuers = ("OutsideIssuers".to_owned(), issuers.to_string());
    let options = Options { parameters: vec![issuers], ..Options::default() };
    let Some(api) = fresh_platform(options).await else { return };
    let ask = async |token: &Value| {
        // Only administrators may list all orders.
        let whoever = api.client().with_token(token.as_str().unwrap());
        whoever.list_orders(&PageQuery::default()).await
    };
    for (what, token) in fixture["refused"].as_object().unwrap() {
        println!("{what}");
        ask(token).await.refused(401, "UNAUTHORIZED");
    }
    ask(&fixture["tokens"]["RS256"]).await.expect("an administrator");
    theirs.publish(json!([fixture["keys"]["RS256"], fixture["keys"]["ES256"]]));
    ask(&fixture["tokens"]["ES256"]).await.expect("their keys have rotated");

    theirs.end().await;
    api.control().unwrap().inject(&Faults::default().cold_starts()).await;
    let refused = ask(&fixture["tokens"]["EdDSA"]).await.refused(503, "SERVICE_UNAVAILABLE");
    assert!(refused.retry_after_s.is_some(), "{refused:?}");
    let ours = someone(api.inside().unwrap(), "ADMIN");
    ask(&ours.into()).await.expect("our tokens do not depend on their keys");
}

fn fixture() -> Value {
    let text = include_str!("../../../shared/aws/tests/fixtures/outside_tokens.json");
    serde_json::from_str(text).unwrap()
}

/// Publishes keys on a separate port.
struct Publisher {
    url: String,
    keys: Arc<Mutex<Value>>,
    serving: JoinHandle<()>,
}

impl Publisher {
    async fn start(keys: Value) -> Self {
        let keys = Arc::new(Mutex::new(keys));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let published = Arc::clone(&keys);
        let serving = tokio::spawn(async move {
            loop {
                let Ok((mut client, _)) = listener.accept().await else {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let body = json!({ "keys": *published.lock().unwrap() }).to_string();
                // A request for keys fits into one read.
                let _ = client.read(&mut [0; 4096]).await;
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length:";
                let answer = format!("{head} {}\r\n\r\n{body}", body.len());
                let _ = client.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, keys, serving }
    }

    fn publish(&self, keys: Value) {
        *self.keys.lock().unwrap() = keys;
    }

    async fn end(self) {
        self.serving.abort();
        let _ = self.serving.await;
    }
}
