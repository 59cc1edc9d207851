//! Connections, secrets and settings that are made ready during init, before the first request.

use std::iter::repeat_n;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use futures::future::join_all;
use lifecycle::record::{IndexName, TableName};
use tokio::time::timeout;

use crate::Aws;
use crate::endpoints::Service;

/// Lambda's init has ten seconds, and each cold start pays for it. A connection that is not up by
/// now is opened by the first request.
const TIMEOUT: Duration = Duration::from_secs(1);

/// More connections to the tables than this cost every start more than they save the first request.
const TABLE_CONNECTIONS_MAX: usize = 4;

impl Aws {
    /// Makes the clients of the used services, does the prepared work, and sends each service an
    /// unsigned request. The response does not matter, but its connection stays in the pool with
    /// the TLS handshake done. Failures are ignored.
    pub(crate) async fn open_connections(&self) {
        let preparations = self.take_preparations();
        let [tables, queues, mail] = self.configuration().uses();
        let mut services = Vec::new();
        if tables {
            self.dynamodb();
            let connections = self.table_connections(&preparations.tables);
            services.extend(repeat_n(Service::DynamoDb, connections));
        }
        if queues && let Ok(calls) = self.linked().queues() {
            calls.connect(self);
            services.push(Service::Sqs);
        }
        if mail && let Ok(calls) = self.linked().mail() {
            calls.connect(self);
            services.push(Service::Ses);
        }
        let opened = services.into_iter().map(|service| self.open_connection(service));
        let all = async { tokio::join!(join_all(opened), join_all(preparations.work)) };
        // A connection that is not up by then is dropped, like one that fails.
        let _ = timeout(TIMEOUT, all).await;
    }

    /// One connection for each concurrent call of a request, since HTTP/1.1 carries one call at a
    /// time. Prepared tables are not read again, and their connection can serve other tables.
    fn table_connections(&self, prepared: &[TableName]) -> usize {
        let configuration = self.configuration();
        let alone = configuration.tables_read.iter().filter(|table| !prepared.contains(table));
        let of_index = if configuration.reads_index { IndexName::WRITE_SHARDS.len() } else { 0 };
        let calls = alone.count() + usize::from(configuration.reads_together) + of_index;
        calls.clamp(1, TABLE_CONNECTIONS_MAX).saturating_sub(prepared.len())
    }

    async fn open_connection(&self, service: Service) {
        let url = service.url(self.configuration());
        let Ok(request) = http::Request::get(url).body(SdkBody::empty()) else {
            return;
        };
        let Ok(request) = HttpRequest::try_from(request) else {
            return;
        };
        if let Ok(answer) = self.connector().call(request).await {
            // A connection returns to the pool only after its response has been read.
            let _ =
                aws_smithy_types::byte_stream::ByteStream::new(answer.into_body()).collect().await;
        }
    }
}
