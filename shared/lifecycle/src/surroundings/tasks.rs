//! The background tasks of a simulated execution environment.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures::StreamExt;
use futures::stream::FuturesUnordered;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The background tasks of an environment.
///
/// They progress only while work of the environment is polled: between invocations Lambda freezes
/// the process. When the environment is dropped, they are.
#[derive(Default)]
pub(crate) struct Tasks {
    new: Mutex<Vec<Task>>,
    running: Mutex<FuturesUnordered<Task>>,
}

impl Tasks {
    pub(crate) fn add(&self, task: impl Future<Output = ()> + Send + 'static) {
        lock(&self.new).push(Box::pin(task));
    }

    fn poll(&self, context: &mut Context<'_>) {
        let mut running = lock(&self.running);
        loop {
            let new = std::mem::take(&mut *lock(&self.new));
            let is_settled = new.is_empty();
            running.extend(new);
            while let Poll::Ready(Some(())) = running.poll_next_unpin(context) {}
            if is_settled && lock(&self.new).is_empty() {
                return;
            }
        }
    }
}

/// Runs a future, and the tasks during it.
pub(crate) async fn driven<F: Future>(tasks: &Tasks, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        tasks.poll(context);
        polled
    })
    .await
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_progresses_only_during_work_and_ends_with_its_environment() {
        let tasks = Arc::new(Tasks::default());
        let (sender, mut receiver) = oneshot::channel();
        let (kept, mut never) = oneshot::channel::<()>();
        tasks.add(async move {
            sleep(Duration::from_secs(5)).await;
            let _ = sender.send(7);
        });
        tasks.add(async move {
            std::future::pending::<()>().await;
            drop(kept);
        });

        driven(&tasks, sleep(Duration::from_secs(1))).await;
        sleep(Duration::from_mins(1)).await;
        assert!(receiver.try_recv().is_err(), "frozen");
        driven(&tasks, async {}).await;

        assert_eq!(receiver.try_recv(), Ok(7));
        assert_eq!(never.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        drop(tasks);
        assert_eq!(never.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }

    #[tokio::test]
    async fn work_may_wait_for_its_task() {
        let tasks = Tasks::default();
        let work = async {
            let (sender, receiver) = oneshot::channel();
            tasks.add(async move {
                tokio::task::yield_now().await;
                let _ = sender.send(());
            });
            receiver.await
        };
        assert_eq!(driven(&tasks, work).await, Ok(()));
    }
}
