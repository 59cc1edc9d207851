//! The store on this machine: the parts that it adds to the [`emulator`] of its template.
//!
//! These are keys to sign tokens with, the people and products of the demo ([`seed`]), stand-ins
//! for third-party services ([`standins`]), and the API's description.

pub mod seed;
pub mod standins;

use std::io;

use domain::orders::{ApprovalLapsed, OrderRejected, OrderTimedOut};
use emulator::options::Options;
use emulator::services::Stores;
use emulator::standins::Standins;
use emulator::{Account, Application, BoxError, Platform, StartError};
use lifecycle::effects::EventData as _;

/// The store.
#[derive(Debug, Clone, Copy, Default)]
pub struct Store;

impl Application for Store {
    async fn standins(&self) -> io::Result<Standins> {
        standins::start().await
    }

    async fn seed(&self, stores: &Stores, demo: bool) -> Result<(), BoxError> {
        // Tokens of an earlier run stay valid.
        if !seed::TOKEN_SECRETS.iter().all(|secret| stores.is_secret_kept(secret)) {
            seed::keys(stores).await?;
        }
        if demo {
            seed::demo(stores).await?;
        }
        Ok(())
    }

    fn circuits(&self) -> Option<&'static str> {
        Some("CircuitsTable")
    }

    fn accounts(&self, demo: bool) -> Vec<Account> {
        if demo { seed::console_accounts() } else { Vec::new() }
    }

    fn compensations(&self) -> &'static [&'static str] {
        // Their consumer releases the credit that it has reserved for the order.
        &[ApprovalLapsed::TYPE, OrderRejected::TYPE, OrderTimedOut::TYPE]
    }

    fn description(&self) -> Option<&'static str> {
        Some(include_str!("../../openapi.json"))
    }
}

/// Builds the functions and starts the platform with the store. When it returns, the API accepts
/// requests.
///
/// # Errors
/// See [`StartError`]. On an error, everything already started is ended.
pub async fn start(options: Options) -> Result<Platform, StartError> {
    Platform::start(options, &Store).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sam_template::Template;
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn the_keys_of_tokens_are_the_same_after_a_restart_with_the_same_folder() {
        let source = include_str!("../../../template.yaml");
        let template = Template::parse(source, &BTreeMap::new()).unwrap();
        let directory = std::env::temp_dir().join(format!("local-demo-{}", uuid::Uuid::new_v4()));
        let mut kept = Vec::new();
        for _ in 0..2 {
            let stores = Stores::start(&template, Some(&directory)).await.unwrap();
            Store.seed(&stores, false).await.unwrap();
            let secrets = std::fs::read(directory.join("secrets.json")).unwrap();
            let secrets: Value = serde_json::from_slice(&secrets).unwrap();
            kept.push(seed::TOKEN_SECRETS.map(|secret| secrets[format!("local-{secret}")].clone()));
        }
        std::fs::remove_dir_all(directory).unwrap();
        assert!(kept[0].iter().all(Value::is_string));
        assert_eq!(kept[0], kept[1]);
    }

    #[tokio::test]
    async fn the_projects_template_can_be_created() {
        let source = include_str!("../../../template.yaml");
        let template = Template::parse(source, &BTreeMap::new()).unwrap();

        let stores = Stores::start(&template, None).await.unwrap();

        let names = stores.names();
        assert!(template.tables.keys().all(|table| names.table(table).is_some()));
        assert!(template.queues.keys().all(|queue| names.queue(queue).is_some()));
        assert!(template.secrets.keys().all(|secret| names.secret(secret).is_some()));
        for function in template.functions.values() {
            for (name, value) in &function.environment {
                let resolved = value.resolve(|reference| names.look_up(reference));
                assert!(resolved.is_ok(), "{}: {name}: {resolved:?}", function.logical_id);
            }
        }
    }
}
