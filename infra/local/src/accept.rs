//! Connections, taken one after the other whatever happens to one of them.

use std::io;
use std::time::Duration;

use tokio::time::sleep;

/// How long a listener waits after an error: with too many open files, the next try fails as well until
/// one is closed.
const PAUSE: Duration = Duration::from_millis(50);

/// The next connection. An error ends no listener: too many open files, or a client that has gone.
pub(crate) async fn accepted<T, F>(mut accept: impl FnMut() -> F) -> T
where
    F: Future<Output = io::Result<T>>,
{
    loop {
        match accept().await {
            Ok(connection) => return connection,
            Err(_) => sleep(PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_listener_goes_on_after_errors_and_pauses_before_each_try() {
        let mut tries = 0;
        let begun = tokio::time::Instant::now();
        let connection = accepted(|| {
            tries += 1;
            // EMFILE: too many open files.
            let failed = || io::Error::from_raw_os_error(24);
            std::future::ready(if tries < 4 { Err(failed()) } else { Ok("a connection") })
        })
        .await;
        assert_eq!(connection, "a connection");
        assert_eq!((tries, begun.elapsed()), (4, 3 * PAUSE));
    }
}
