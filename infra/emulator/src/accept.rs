//! Accepting connections; an error does not end the listener.

use std::io;
use std::time::Duration;

use tokio::time::sleep;

/// The pause after an error. With too many open files, the next attempt also fails until one is
/// closed.
const PAUSE: Duration = Duration::from_millis(50);

/// The next connection. Errors such as too many open files, or a client that disconnected, are
/// ignored.
pub async fn accepted<T, F>(mut accept: impl FnMut() -> F) -> T
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
    async fn after_an_error_a_listener_pauses_and_accepts_again() {
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
