//! API keys while reads lag.

use async_trait::async_trait;
use http::{Request, Response};
use lifecycle::caller::TokenVerifier;
use lifecycle::record::item_of;
use lifecycle::resource::Resource;
use lifecycle::{Claims, Timestamp};
use serde_dynamo::AttributeValue;
use serde_json::{Value, json};

use crate::Aws;
use crate::auth::api_keys::{API_KEYS, ApiKey};
use crate::calls::ALL;
use crate::config::Configuration;
use crate::testing::{AsyncRespond, ConnectorFailure, connector};

/// A table with one item, which a read that may lag does not find yet.
struct Lagging(Value);

#[async_trait]
impl AsyncRespond for Lagging {
    async fn respond(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, ConnectorFailure> {
        let read: Value = serde_json::from_slice(request.body()).unwrap();
        let is_current = read["ConsistentRead"] == json!(true);
        let body = if is_current { json!({ "Item": self.0 }) } else { json!({}) };
        Ok(Response::new(body.to_string().into_bytes()))
    }
}

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "AWS_REGION" => "eu-central-1",
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "simulated",
        "API_KEYS_TABLE" => "api_keys",
        _ => return None,
    };
    Some(value.to_owned())
}

/// API Gateway would cache a refusal for minutes.
#[tokio::test]
async fn a_key_verifies_as_soon_as_it_is_stored() {
    let (stored, key) = ApiKey::generate("ann", Claims::new(), None).unwrap();
    let item = item_of(&stored);
    let Some(AttributeValue::S(hash)) = item.get("hash") else { panic!("no hash: {item:?}") };
    let table = Lagging(json!({
        "pk": { "S": stored.id }, "id": { "S": stored.id }, "hash": { "S": hash },
        "subject": { "S": "ann" },
    }));
    let uses = [Resource::Table(API_KEYS, &[])];
    let configuration = Configuration::read(&uses, Box::new(variable)).unwrap();
    let keys = Aws::of(configuration, connector(table).shared(), ALL).api_keys();

    let verified = keys.verify(&key, Timestamp::from_millis(0)).await.unwrap();

    assert_eq!(verified["sub"], "ann");
}
