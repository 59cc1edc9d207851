//! The count for which readers of streams wait.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// The number of records that were written to all streams.
///
/// Readers wake in the order in which they began to wait. `tokio::sync::watch` would wake them in a
/// random order, so that one seed had several traces.
#[derive(Debug, Default)]
pub(super) struct Written {
    records: AtomicU64,
    changed: Notify,
}

impl Written {
    /// Sets the number. Another one wakes all waiting readers.
    pub(super) fn set(&self, records: u64) {
        if self.records.swap(records, Ordering::Relaxed) != records {
            self.changed.notify_waiters();
        }
    }

    /// The number of records.
    pub(super) fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Waits until there are more records than `seen`, and sets `seen` to their number.
    pub(super) async fn more_than(&self, seen: &mut u64) {
        // A world has one thread, so that nothing is written between the comparison and the wait.
        while self.records() == *seen {
            self.changed.notified().await;
        }
        *seen = self.records();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn readers_wake_in_the_order_in_which_they_began_to_wait() {
        let (written, woken) = (Arc::<Written>::default(), Arc::<Mutex<Vec<u32>>>::default());
        let readers = (0..20).map(|reader| {
            let (written, woken) = (Arc::clone(&written), Arc::clone(&woken));
            tokio::spawn(async move {
                let mut seen = 0;
                written.more_than(&mut seen).await;
                woken.lock().unwrap().push(reader);
                assert_eq!(seen, 3);
            })
        });
        let readers: Vec<_> = readers.collect();
        tokio::task::yield_now().await;
        written.set(0);
        tokio::task::yield_now().await;
        assert!(woken.lock().unwrap().is_empty(), "the number is the same");
        written.set(3);
        for reader in readers {
            reader.await.unwrap();
        }
        assert_eq!(*woken.lock().unwrap(), (0..20).collect::<Vec<_>>());
    }
}
