//! The tables: their client, and the items that several functions read.

use std::collections::HashMap;
use std::env;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Failure;

/// A book as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Book {
    pub book_id: Uuid,
    pub library: String,
    pub title: String,
    pub copies: u32,
    pub available: u32,
    #[serde(skip_serializing)]
    pub version: u64,
}

/// A loan as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Loan {
    pub loan_id: Uuid,
    pub book_id: Uuid,
    pub title: String,
    pub member_id: Uuid,
    pub email: String,
    pub lent_at: String,
    pub due_at: String,
    pub status: String,
    pub version: u64,
}

/// The configuration of AWS, from the function's environment.
pub async fn sdk_config() -> SdkConfig {
    // The default TLS library would be a second one next to that of the other service.
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await
}

/// The client of the tables.
#[derive(Debug, Clone)]
pub struct Tables(pub Client);

impl Tables {
    pub fn new(config: &SdkConfig) -> Self {
        Self(Client::new(config))
    }

    /// The name of a table: the environment variable of this name.
    pub fn name(variable: &str) -> Result<String, Failure> {
        Ok(env::var(variable)?)
    }

    /// Reads an item with strong consistency.
    pub async fn get<T: DeserializeOwned>(
        &self,
        variable: &str,
        pk: impl ToString,
    ) -> Result<Option<T>, Failure> {
        let request = self.0.get_item().table_name(Self::name(variable)?);
        let read = request.set_key(Some(key(pk))).consistent_read(true).send().await?;
        Ok(read.item.map(serde_dynamo::from_item).transpose()?)
    }
}

/// The key of an item.
pub fn key(pk: impl ToString) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), AttributeValue::S(pk.to_string()))])
}
