//! A future that dies at an await point.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is dropped at its poll of this number, if it is still pending then.
///
/// A process that dies loses its work at the point that it has reached. Between two await points it
/// does nothing that the world can see, so that the await points are all there is to draw from.
pub(in crate::world) struct Mortal<F: Future> {
    work: Option<Pin<Box<F>>>,
    polls_left: Option<u32>,
}

/// The future has died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) struct Died;

impl<F: Future> Mortal<F> {
    /// The future lives for so many polls, or for ever.
    pub(in crate::world) fn new(work: F, polls: Option<u32>) -> Self {
        Self { work: Some(Box::pin(work)), polls_left: polls }
    }
}

impl<F: Future> Future for Mortal<F> {
    type Output = Result<F::Output, Died>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Ready(Err(Died)) };
        if let Poll::Ready(output) = work.as_mut().poll(context) {
            self.work = None;
            return Poll::Ready(Ok(output));
        }
        match &mut self.polls_left {
            None => Poll::Pending,
            Some(0 | 1) => {
                self.work = None;
                Poll::Ready(Err(Died))
            }
            Some(left) => {
                *left -= 1;
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::task::yield_now;

    use super::*;

    async fn counted(polls: Option<u32>) -> (Result<(), Died>, u32) {
        let count = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&count);
        let work = async move {
            for _ in 0..3 {
                counter.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
            }
        };
        let ended = Mortal::new(work, polls).await;
        (ended, count.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_future_dies_at_the_drawn_await_point_or_not_at_all() {
        assert_eq!(counted(None).await, (Ok(()), 3));
        assert_eq!(counted(Some(1)).await, (Err(Died), 1));
        assert_eq!(counted(Some(3)).await, (Err(Died), 3));
        assert_eq!(counted(Some(4)).await, (Ok(()), 3));
    }
}
