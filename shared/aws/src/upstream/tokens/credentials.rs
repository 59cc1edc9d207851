//! The client credentials of an upstream, and their replacement when they are refused.

use std::sync::Arc;
use std::time::Duration;

use lifecycle::ServiceError;
use lifecycle::error::BoxError;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::Secret;
use crate::errors::unavailable;
use crate::every::Every;

/// A read again takes at most this long: the request waits for it, and so do those of other instances.
const PATIENCE: Duration = Duration::from_secs(1);
/// An instance reads the secret of refused credentials again at most once in this time.
const READ_AGAIN_EVERY: Duration = Duration::from_secs(30);

/// The content of the secret: `{"clientId": …, "clientSecret": …}`.
#[derive(PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Credentials {
    pub(super) client_id: String,
    pub(super) client_secret: String,
}

/// The error does not contain the secret.
pub(super) fn read_credentials(secret: &str) -> Result<Credentials, BoxError> {
    serde_json::from_str(secret).map_err(|_| "expected clientId and clientSecret".into())
}

/// The secret with the credentials.
pub(super) struct ClientCredentials {
    secret: Secret<Credentials>,
    /// When a refusal last caused a refresh of the secret.
    refreshed: Every,
    /// Refused callers read again one after the other: all others then find the result of the first one.
    turn: Mutex<()>,
}

impl ClientCredentials {
    pub(super) fn of(secret: Secret<Credentials>) -> Self {
        Self { secret, refreshed: Every::new(READ_AGAIN_EVERY), turn: Mutex::default() }
    }

    /// The credentials, mostly from memory.
    pub(super) async fn read(&self) -> Result<Arc<Credentials>, ServiceError> {
        self.secret.read().await
    }

    /// Returns other credentials than the refused ones, if the secret has changed since these were
    /// read.
    ///
    /// The upstream may refuse any credentials. So the secret is refreshed at most once in
    /// [`READ_AGAIN_EVERY`].
    pub(super) async fn instead_of(&self, refused: &Credentials) -> Option<Arc<Credentials>> {
        let newest = timeout(PATIENCE, self.newest(refused)).await;
        match newest.unwrap_or_else(|_| Err(unavailable("the secret takes too long"))) {
            Ok(newest) => Some(newest).filter(|newest| **newest != *refused),
            Err(fault) => {
                let error = &fault as &dyn std::error::Error;
                tracing::warn!(error, "refused credentials not read again; the refusal stands");
                None
            }
        }
    }

    async fn newest(&self, refused: &Credentials) -> Result<Arc<Credentials>, ServiceError> {
        let _turn = self.turn.lock().await;
        let known = self.secret.read().await?;
        if *known == *refused && self.refreshed.is_due() {
            return self.secret.refresh().await;
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use futures::FutureExt;
    use futures::future::join_all;
    use tokio::time::{Instant, advance, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_secret_of_refused_credentials_is_read_again_once_in_30_s() {
        let reads = Arc::<AtomicU32>::default();
        let counted = Arc::clone(&reads);
        let credentials = ClientCredentials::of(Secret::new("test", move || {
            counted.fetch_add(1, SeqCst);
            let read = read_credentials(r#"{"clientId":"store","clientSecret":"hush"}"#);
            async move { read.map_err(ServiceError::internal) }.boxed()
        }));
        let refused = credentials.read().await.unwrap();
        for expected in [2, 3] {
            for _ in 0..3 {
                assert!(credentials.instead_of(&refused).await.is_none());
            }
            assert_eq!(reads.load(SeqCst), expected);
            advance(READ_AGAIN_EVERY).await;
        }
    }

    /// A secret that has changed since its first read. A later read takes this long.
    fn changed(takes: Duration) -> ClientCredentials {
        let reads = AtomicU32::default();
        ClientCredentials::of(Secret::new("test", move || {
            let number = reads.fetch_add(1, SeqCst);
            async move {
                if number > 0 {
                    sleep(takes).await;
                }
                let secret = format!(r#"{{"clientId":"store","clientSecret":"{number}"}}"#);
                read_credentials(&secret).map_err(ServiceError::internal)
            }
            .boxed()
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn callers_that_are_refused_at_the_same_time_all_get_the_newer_credentials() {
        let credentials = changed(Duration::from_millis(100));
        let refused = credentials.read().await.unwrap();
        let newer = join_all((0..3).map(|_| credentials.instead_of(&refused))).await;
        for newer in newer {
            assert_eq!(newer.unwrap().client_secret, "1");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_caller_does_not_wait_long_for_the_secret() {
        let credentials = changed(PATIENCE + Duration::from_secs(1));
        let refused = credentials.read().await.unwrap();
        let asked = Instant::now();
        assert!(credentials.instead_of(&refused).await.is_none());
        assert_eq!(asked.elapsed(), PATIENCE);
    }
}
