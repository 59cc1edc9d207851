//! Connections opened before anybody waits for them.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use futures::future::join_all;
use tokio::time::timeout;

use crate::Aws;
use crate::endpoints::Service;

/// Init has ten seconds on Lambda and costs every cold start; what is not there by now will be
/// opened by the first request.
const TIMEOUT: Duration = Duration::from_secs(1);

impl Aws {
    /// Makes the clients of the services in use, and sends each service an unsigned request: its
    /// answer does not matter, but the connection that it came over stays in the pool, with the
    /// TLS handshake done. A failure is no harm.
    pub(super) async fn open_connections(&self) {
        let [tables, queues, secrets, mail] = self.configuration().uses();
        let mut services = Vec::new();
        if tables {
            self.dynamodb();
            services.push(Service::DynamoDb);
        }
        if queues {
            self.sqs();
            services.push(Service::Sqs);
        }
        if secrets {
            self.secrets_manager();
            services.push(Service::SecretsManager);
        }
        if mail {
            self.ses();
            services.push(Service::Ses);
        }
        let opened = services
            .into_iter()
            .map(|service| self.open_connection(service));
        // Whoever is too late is abandoned, like whoever fails.
        let _ = timeout(TIMEOUT, join_all(opened)).await;
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
            // A connection goes back to the pool only once its answer has been read.
            let _ = aws_smithy_types::byte_stream::ByteStream::new(answer.into_body())
                .collect()
                .await;
        }
    }
}
