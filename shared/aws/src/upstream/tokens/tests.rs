//! Tokens with a real table and a server that issues tokens. Instances share only these two.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use futures::FutureExt;
use futures::future::join_all;
use hyper::body::Incoming;
use hyper::service::service_fn;
use lifecycle::Upstream;
use lifecycle::resource::Resource;

use super::*;
use crate::Secret;
use crate::tests::stores::{Stores, connect, environment, serve, stub};

const PARTNER: Upstream = Upstream::new("partner");

#[tokio::test]
async fn fifty_concurrent_requests_of_eight_instances_make_one_fetch() {
    let (url, fetches) = handing_out(300).await;
    let fleet = fleet(8, &url).await;
    let asked = (0..50).map(|n| fleet[n % fleet.len()].get_before(soon()));
    let tokens: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(fetches.load(SeqCst), 1);
    assert!(tokens.iter().all(|token| token.secret() == "token-1"));
}

#[test]
fn tokens_and_leases_of_released_versions_are_read() {
    let good_until = Timestamp::from_millis(1_800_000_000_000);
    let (upstream, expires_at) = ("partner".to_owned(), good_until.as_seconds() + 30);
    let lease = |purpose| {
        let (upstream, until_ms) = (upstream.clone(), good_until.as_millis());
        Lease { upstream, purpose, until_ms, expires_at }
    };
    lifecycle::released::holds::<Lease>(&[lease(Purpose::Fetch), lease(Purpose::Replacement)]);
    let token = "token-1".to_owned();
    let upstream = upstream.clone();
    lifecycle::released::holds::<AccessToken>(&[AccessToken {
        upstream,
        token,
        good_until,
        expires_at,
    }]);
}

#[tokio::test]
async fn a_token_is_replaced_before_its_end() {
    for (lifetime_s, good_for_s, fetched) in [(300, 270, 1), (40, 20, 1), (0, 0, 2)] {
        let (url, fetches) = handing_out(lifetime_s).await;
        let fleet = fleet(1, &url).await;
        for _ in 0..2 {
            let token = fleet[0].get_before(soon()).await.unwrap();
            let good_for = token.good_until.as_seconds() - now().as_seconds();
            assert!((good_for_s - 3..=good_for_s).contains(&good_for), "{good_for} s");
        }
        assert_eq!(fetches.load(SeqCst), fetched, "{lifetime_s} s");
    }
}

#[tokio::test]
async fn a_refused_token_is_removed_everywhere_and_a_newer_one_is_kept() {
    let (url, fetches) = handing_out(300).await;
    let fleet = fleet(2, &url).await;
    let first = fleet[0].get_before(soon()).await.unwrap();
    assert!(fleet[0].forget(&first).await);
    let second = fleet[1].get_before(soon()).await.unwrap();
    assert_ne!(first, second);
    assert!(fleet[0].forget(&first).await, "there is a newer one");
    assert_eq!(fleet[0].get_before(soon()).await.unwrap(), second);
    assert_eq!(fetches.load(SeqCst), 2);
}

#[tokio::test]
async fn the_fleet_replaces_tokens_refused_in_a_row_only_once() {
    let (url, fetches) = handing_out(300).await;
    let fleet = fleet(4, &url).await;
    let mut replaced = 0;
    for round in 0..20 {
        let instance = &fleet[round % fleet.len()];
        let token = instance.get_before(soon()).await.unwrap();
        replaced += u32::from(instance.forget(&token).await);
    }
    // An instance that still holds the first token learns that there is a newer one.
    assert!((1..=4).contains(&replaced), "{replaced}");
    assert_eq!(fetches.load(SeqCst), 2);
    let kept = fleet[0].get_before(soon()).await.unwrap();
    assert_eq!(kept.secret(), "token-2");
}

#[tokio::test]
async fn without_a_table_an_instance_replaces_a_refused_token_once() {
    let (url, fetches) = handing_out(300).await;
    let mut fleet = fleet(1, &url).await;
    let mut environment = environment();
    environment.insert("TOKENS_TABLE", "t".to_owned());
    environment.insert("AWS_ENDPOINT_URL", "http://127.0.0.1:1".to_owned());
    fleet[0].tokens = connect(&[Resource::Table(TOKENS, &[])], environment).table();
    for expected in [true, false, false] {
        let token = fleet[0].get_before(soon()).await.unwrap();
        assert_eq!(fleet[0].forget(&token).await, expected);
    }
    assert_eq!(fetches.load(SeqCst), 2);
}

#[tokio::test]
async fn a_token_without_a_lifetime_is_for_one_request_and_is_not_stored() {
    let (url, fetches) = handing_out(0).await;
    let fleet = fleet(1, &url).await;
    let asked = (0..4).map(|_| fleet[0].get_before(soon()));
    let tokens: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    assert_eq!((tokens.len(), fetches.load(SeqCst)), (4, 4));
    assert_eq!(fleet[0].stored().await, None);
}

#[tokio::test]
async fn a_4xx_instead_of_a_token_is_returned_and_403_becomes_401() {
    for (status, told) in [(429, 429), (404, 404), (403, 401), (422, 422)] {
        let (url, _) = stub(status, r#"{"error":"slow_down"}"#).await;
        let refused = fleet(1, &url).await[0].get_before(soon()).await;
        let Err(TokenError::Refused(answer)) = refused else { panic!("{status}: {refused:?}") };
        assert_eq!(answer.status, told);
    }
}

#[tokio::test]
async fn a_token_is_fetched_when_the_instance_with_the_lease_is_gone() {
    let (url, fetches) = handing_out(300).await;
    let fleet = fleet(1, &url).await;
    let take = async || fleet[0].take(&fleet[0].lease(Purpose::Fetch, LEASE)).await;
    assert_eq!(take().await, Leased::Yes, "the lease of an instance that is then killed");
    assert_eq!(take().await, Leased::No);
    fleet[0].get_before(Deadline::after(Duration::from_secs(2))).await.unwrap();
    assert_eq!(fetches.load(SeqCst), 1);
    assert_eq!(take().await, Leased::No, "the lease is another instance's, so it stays");
}

#[tokio::test]
async fn a_lease_of_a_clock_that_was_far_ahead_does_not_hold() {
    let fleet = fleet(1, "http://127.0.0.1:1").await;
    let lease = |ahead_s| {
        let length = REPLACED_EVERY + Duration::from_secs(ahead_s);
        fleet[0].lease(Purpose::Replacement, length)
    };
    for (ahead_s, taken) in [(20, Leased::No), (3_600, Leased::Yes), (0, Leased::No)] {
        if ahead_s > 0 {
            fleet[0].write(Write::put(&lease(ahead_s))).await.unwrap();
        }
        assert_eq!(fleet[0].take(&lease(0)).await, taken, "{ahead_s} s");
    }
}

#[tokio::test]
async fn an_instance_fetches_a_token_if_the_table_does_not_answer() {
    let (url, fetches) = handing_out(300).await;
    let mut fleet = fleet(1, &url).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut environment = environment();
    environment.insert("TOKENS_TABLE", "t".to_owned());
    environment.insert("AWS_ENDPOINT_URL", format!("http://{}", silent.local_addr().unwrap()));
    fleet[0].tokens = connect(&[Resource::Table(TOKENS, &[])], environment).table();
    let token = fleet[0].get_before(Deadline::after(Duration::from_secs(6))).await.unwrap();
    assert_eq!((token.secret(), fetches.load(SeqCst)), ("token-1", 1));
}

#[tokio::test]
async fn rejected_credentials_are_a_401_and_nothing_is_cached() {
    let (url, counts) = stub(400, r#"{"error":"invalid_client"}"#).await;
    let fleet = fleet(1, &url).await;
    for asked in 1..=2 {
        let refused = fleet[0].get_before(soon()).await;
        assert!(matches!(&refused, Err(TokenError::Refused(answer)) if answer.status == 401));
        assert_eq!(counts.requests.load(SeqCst), asked);
    }
}

#[tokio::test]
async fn after_a_change_of_the_secret_refused_credentials_are_replaced_at_once() {
    let mut fleet = fleet(1, &issuing_for("changed").await).await;
    let reads = Arc::<AtomicU32>::default();
    let counted = Arc::clone(&reads);
    fleet[0].credentials = ClientCredentials::of(Secret::new("test", move || {
        let first = counted.fetch_add(1, SeqCst) == 0;
        let secret =
            if first { CREDENTIALS.to_owned() } else { CREDENTIALS.replace("hush", "changed") };
        async move { read_credentials(&secret).map_err(ServiceError::internal) }.boxed()
    }));
    let token = fleet[0].get_before(soon()).await.unwrap();
    assert_eq!((token.secret(), reads.load(SeqCst)), ("token-1", 2));
}

#[tokio::test]
async fn the_debug_form_hides_the_token() {
    let (url, _) = handing_out(300).await;
    let token = fleet(1, &url).await[0].get_before(soon()).await.unwrap();
    assert!(!format!("{token:?}").contains("token-1"), "{token:?}");
}

/// A server that issues tokens, and counts them.
async fn handing_out(lifetime_s: u32) -> (String, Arc<AtomicU32>) {
    let fetches = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&fetches);
    let service = service_fn(move |_: http::Request<Incoming>| {
        let number = counted.fetch_add(1, SeqCst) + 1;
        let body = format!(r#"{{"access_token":"token-{number}","expires_in":{lifetime_s}}}"#);
        async move {
            sleep(Duration::from_millis(50)).await;
            Ok::<_, Infallible>(http::Response::new(body))
        }
    });
    (serve(service, Arc::default()).await, fetches)
}

/// A server that issues a token for this client secret alone.
async fn issuing_for(client_secret: &'static str) -> String {
    let service = service_fn(move |request: http::Request<Incoming>| async move {
        let body = ByteStream::new(SdkBody::from_body_1_x(request.into_body())).collect().await;
        let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
        let (status, answer) = if body.contains(&format!("client_secret={client_secret}")) {
            (200, r#"{"access_token":"token-1","expires_in":300}"#)
        } else {
            (401, r#"{"error":"invalid_client"}"#)
        };
        let answer = http::Response::builder().status(status).body(answer.to_owned()).unwrap();
        Ok::<_, Infallible>(answer)
    });
    serve(service, Arc::default()).await
}

async fn fleet(instances: usize, url: &str) -> Vec<AccessTokens> {
    let stores = Stores::start().await;
    let mut environment = environment();
    environment.insert("PARTNER_URL", url.to_owned());
    let client = connect(&[Resource::Upstream(PARTNER)], environment).upstream(PARTNER);
    let instance = |_| AccessTokens {
        client: client.clone(),
        credentials: ClientCredentials::of(Secret::new("test", || {
            async { read_credentials(CREDENTIALS).map_err(ServiceError::internal) }.boxed()
        })),
        tokens: stores.aws.table(),
        held: Mutex::default(),
        flight: SingleFlight::default(),
        replaced: Every::new(REPLACED_EVERY),
    };
    (0..instances).map(instance).collect()
}

const CREDENTIALS: &str = r#"{"clientId":"store","clientSecret":"hush"}"#;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(8))
}
