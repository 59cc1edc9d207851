//! Platforms in the process of the tests.

use std::sync::LazyLock;

use emulator::Platform;
use tokio::runtime::{Builder, Runtime};

use crate::environment::note_used_permissions;

/// The runtime of the platforms. A test's runtime ends with the test, but a shared platform must
/// not.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads can be started")
});

/// A running platform, with the values that a service's tests need of it, such as the key that
/// signs its tokens. A [`Platform`] alone is one too.
pub trait Running: Send + Sync + 'static {
    /// The platform.
    fn platform(&self) -> &Platform;

    /// The platform, to be stopped.
    fn into_platform(self) -> Platform;
}

impl Running for Platform {
    fn platform(&self) -> &Platform {
        self
    }

    fn into_platform(self) -> Platform {
        self
    }
}

/// A platform that stops when it is dropped.
pub(crate) struct InProcess<R: Running> {
    /// `None` once it has stopped.
    running: Option<R>,
}

impl<R: Running> InProcess<R> {
    pub(crate) fn of(running: R) -> Self {
        Self { running: Some(running) }
    }

    pub(crate) fn running(&self) -> &R {
        self.running.as_ref().expect("it is taken only on drop")
    }

    /// Appends the permissions that functions have used so far to a file, if one is set.
    pub(crate) fn note_used_permissions(&self) {
        note_used_permissions(|| {
            let used = self.running().platform().stores().used_rights();
            used.iter().map(ToString::to_string).collect()
        });
    }
}

impl<R: Running> Drop for InProcess<R> {
    /// Stops the platform even if a test panics, so that no process is left.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let platform = running.into_platform();
            let stopping = std::thread::spawn(|| RUNTIME.block_on(platform.stop()));
            // A failure to stop does not concern the test, which is over.
            let _ = stopping.join();
        }
    }
}

/// Runs a future that starts processes, so that they outlive the test's runtime.
pub async fn in_background<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    RUNTIME.spawn(future).await.expect("the future does not panic")
}
