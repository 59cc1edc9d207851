//! API keys, by their table.

use lifecycle::caller::{TokenError, TokenVerifier};
use lifecycle::effects::Write;
use lifecycle::{Claims, FINDING_KEPT_S, Timestamp};
use serde_json::{Value, json};

use super::commits::commit;
use super::stores::Stores;
use crate::auth::api_keys::{ApiKey, ApiKeys};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn claims() -> Claims {
    let claims = json!({ "roles": ["READER"], "sub": "eve", "verdict": "x", "claims": {} });
    claims.as_object().unwrap().clone()
}

async fn refusal(keys: &ApiKeys, key: &str, now: i64) -> &'static str {
    match keys.verify(key, at(now)).await {
        Err(TokenError::Refused(reason)) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn a_stored_key_verifies_until_it_expires_or_is_deleted() {
    let aws = Stores::start().await.aws;
    let keys = aws.api_keys();
    let (stored, key) = ApiKey::generate("ann", claims(), Some(at(2000))).unwrap();
    let (_, stranger) = ApiKey::generate("eve", Claims::new(), None).unwrap();
    commit(&aws, "1", vec![Write::create(&stored)]).await.unwrap();
    for (now, exp) in [(1000, 1000 + i64::from(FINDING_KEPT_S)), (1900, 2000)] {
        let verified = keys.verify(&key, at(now)).await.unwrap();
        let expected = json!({ "sub": "ann", "roles": ["READER"], "exp": exp });
        assert_eq!(Value::from(verified), expected, "at {now}");
    }
    assert_eq!(refusal(&keys, &key, 2000).await, "the API key has expired");
    assert_eq!(refusal(&keys, &stranger, 1000).await, "the API key is unknown");
    let (id, _) = key.split_once('.').unwrap();
    let (_, secret) = stranger.split_once('.').unwrap();
    let forged = format!("{id}.{secret}");
    assert_eq!(refusal(&keys, &forged, 1000).await, "the API key is unknown");
    assert_eq!(refusal(&keys, "a.b.c", 1000).await, "it is not an API key");
    let id = lifecycle::record::Key::new(id);
    commit(&aws, "2", vec![Write::delete::<ApiKey>(id)]).await.unwrap();
    assert_eq!(refusal(&keys, &key, 1000).await, "the API key is unknown");
}
