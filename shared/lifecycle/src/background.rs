//! Work next to requests: tasks that continue after them, and work that blocks a thread.
//!
//! `tokio::spawn` would lose the request of the log lines, and in a simulation its task would
//! outlive the execution environment.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::JoinHandle;

use crate::telemetry::carried;

/// A task that runs. Its result is `None` if it panicked. A dropped value does not end the task.
#[derive(Debug)]
pub struct Spawned<T>(Inner<T>);

#[derive(Debug)]
enum Inner<T> {
    Task(JoinHandle<T>),
    /// A task of a simulated execution environment.
    #[cfg(any(test, feature = "testing"))]
    Simulated(tokio::sync::oneshot::Receiver<T>),
}

/// Runs a future as a separate task, whose log lines and metrics have the id of the current request,
/// as by [`carried`].
///
/// Lambda freezes the process between invocations, and its tasks with it.
///
/// # Panics
///
/// Outside of an async runtime.
pub fn spawn<F>(future: F) -> Spawned<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let future = carried(future);
    #[cfg(any(test, feature = "testing"))]
    if let Some(environment) = crate::surroundings::environment() {
        return Spawned(Inner::Simulated(simulated(&environment, future)));
    }
    Spawned(Inner::Task(tokio::spawn(future)))
}

/// A dropped sender is a task that panicked, or whose environment has ended.
#[cfg(any(test, feature = "testing"))]
fn simulated<F>(
    environment: &crate::surroundings::Environment,
    future: F,
) -> tokio::sync::oneshot::Receiver<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    use std::panic::AssertUnwindSafe;

    use futures::FutureExt;

    let (sender, receiver) = tokio::sync::oneshot::channel();
    if let Some(tasks) = environment.tasks.upgrade() {
        tasks.add(async move {
            if let Ok(output) = AssertUnwindSafe(future).catch_unwind().await {
                let _ = sender.send(output);
            }
        });
    }
    receiver
}

/// Runs work that blocks its thread for milliseconds or more, on a thread that serves no requests.
/// In a simulation it runs at once. Returns `None` if it panicked.
#[expect(clippy::disallowed_methods, reason = "this is the place that asks the runtime")]
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    #[cfg(any(test, feature = "testing"))]
    if crate::surroundings::is_simulated() {
        return std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok();
    }
    tokio::task::spawn_blocking(work).await.ok()
}

impl<T> Future for Spawned<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        match &mut self.0 {
            Inner::Task(task) => Pin::new(task).poll(context).map(Result::ok),
            #[cfg(any(test, feature = "testing"))]
            Inner::Simulated(result) => Pin::new(result).poll(context).map(Result::ok),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_has_its_result_and_none_if_it_panicked() {
        let panics = || -> u8 { panic!("a test") };
        assert_eq!(spawn(async { 7 }).await, Some(7));
        assert_eq!(spawn(async move { panics() }).await, None);
        assert_eq!(blocking(|| 7).await, Some(7));
        assert_eq!(blocking(panics).await, None);
    }
}
