//! Reading one item.

use lifecycle::ServiceError;
use lifecycle::record::{Key, TableName};
use lifecycle::telemetry::observe_query;
use tokio::time::Instant;

use super::expressions::{SdkItem, key_of};
use crate::Aws;
use crate::errors::fault;

impl Aws {
    /// Reads one item: strongly consistent, or eventually consistent at half the price. A key that no
    /// item can have is not sent.
    pub(crate) async fn get_item(
        &self,
        table: TableName,
        key: &Key,
        consistent: bool,
    ) -> Result<Option<SdkItem>, ServiceError> {
        let name = self.table_name(table)?;
        if !table.can_have(key) {
            return Ok(None);
        }
        let request = self
            .dynamodb()
            .get_item()
            .table_name(name)
            .set_key(Some(key_of(table, key)))
            .consistent_read(consistent);
        let started = Instant::now();
        let answer = request.send().await;
        observe_query("GetItem", table.name(), started.elapsed());
        let answer = answer.map_err(|error| fault("GetItem", table.name(), error))?;
        Ok(answer.item)
    }

    /// The physical name of a table.
    pub(crate) fn table_name(&self, table: TableName) -> Result<&str, ServiceError> {
        self.configuration().table(table).ok_or_else(|| {
            ServiceError::internal(format!("RESOURCES lacks the table {}", table.name()))
        })
    }
}
