//! Single flight: of all who want the same thing at the same time, one goes and gets it.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, MutexGuard};

/// One thing that is worth getting only once at a time.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    turn: Mutex<()>,
    landed: AtomicU64,
}

/// The one who goes.
pub(crate) struct Pilot<'a> {
    landed: &'a AtomicU64,
    _turn: MutexGuard<'a, ()>,
}

impl Flight {
    /// Waits for a turn. `None` when somebody else has been there and back meanwhile, with or
    /// without success: then look at what they have brought.
    ///
    /// Whoever goes and is cancelled on the way leaves the turn to the next one.
    pub(crate) async fn board(&self) -> Option<Pilot<'_>> {
        let landed = self.landed.load(Ordering::Acquire);
        let turn = self.turn.lock().await;
        let nobody_went = self.landed.load(Ordering::Acquire) == landed;
        nobody_went.then_some(Pilot { landed: &self.landed, _turn: turn })
    }

    /// A turn if nobody is on the way.
    pub(crate) fn board_if_empty(&self) -> Option<Pilot<'_>> {
        let turn = self.turn.try_lock().ok()?;
        Some(Pilot { landed: &self.landed, _turn: turn })
    }
}

impl Pilot<'_> {
    /// Says that the way is done, after what was brought has been put where the others look.
    pub(crate) fn land(self) {
        self.landed.fetch_add(1, Ordering::Release);
    }
}
