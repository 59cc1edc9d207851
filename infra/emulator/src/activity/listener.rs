//! Listeners: they get the changes, coalesced.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::handle::Activity;
use super::limits::LISTENERS_MAX;
use super::store::{Change, News};

/// The least time between two changes for a listener: ten a second.
const PAUSE: Duration = Duration::from_millis(100);

/// A listener for changes. It ends when this is dropped.
#[derive(Debug)]
pub struct Listener {
    activity: Activity,
    number: u64,
    /// The earliest time of the next change.
    next_at: Instant,
}

impl Activity {
    /// A listener for changes. `None` if there are too many.
    pub fn listen(&self) -> Option<Listener> {
        let mut store = self.lock();
        if store.listeners.len() == LISTENERS_MAX {
            return None;
        }
        let number = store.next_number();
        store.listeners.push(News::of(number));
        self.shared.listeners.store(store.listeners.len(), Ordering::Relaxed);
        drop(store);
        Some(Listener { activity: self.clone(), number, next_at: Instant::now() })
    }
}

impl Listener {
    /// Waits for the next change. There are at most ten a second; changes in between are joined.
    /// The future may be dropped and called again without loss.
    pub async fn next(&mut self) -> Change {
        sleep_until(self.next_at).await;
        loop {
            // Ask to be notified before looking: a change in between is then not missed.
            let changed = self.activity.shared.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            let news = self.activity.lock().take_news(self.number);
            if let Some(taken) = news {
                self.next_at = Instant::now() + PAUSE;
                return taken.redacted(self.activity.redaction());
            }
            changed.await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut store = self.activity.lock();
        store.listeners.retain(|news| news.listener != self.number);
        self.activity.shared.listeners.store(store.listeners.len(), Ordering::Relaxed);
    }
}
