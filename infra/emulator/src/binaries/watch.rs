//! Watches binaries for rebuilt ones.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::{MissedTickBehavior, interval};

/// The interval at which binaries are checked.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Calls `changed` with each rebuilt binary. Never returns.
pub(crate) async fn watch(binaries: BTreeSet<PathBuf>, changed: impl Fn(&Path)) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks: Vec<_> = binaries.into_iter().map(Look::new).collect();
    loop {
        ticks.tick().await;
        for look in &mut looks {
            if look.has_changed() {
                changed(&look.path);
            }
        }
    }
}

/// A binary and its state at the last check.
struct Look {
    path: PathBuf,
    known: Option<Stamp>,
    last: Option<Stamp>,
}

/// A file's modification time and length.
type Stamp = (SystemTime, u64);

impl Look {
    fn new(path: PathBuf) -> Self {
        let stamp = stamp(&path);
        Self { path, known: stamp, last: stamp }
    }

    /// Whether the file differs from the known one and was equal in two successive checks: linking
    /// takes time.
    fn has_changed(&mut self) -> bool {
        let now = stamp(&self.path);
        let settled = now.is_some() && now == self.last;
        self.last = now;
        let changed = settled && now != self.known;
        if changed {
            self.known = now;
        }
        changed
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuilt_binary_counts_as_changed_when_stable_for_two_checks() {
        let directory = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("function");
        std::fs::write(&path, "1").unwrap();
        let mut look = Look::new(path.clone());
        assert!(!look.has_changed());

        std::fs::remove_file(&path).unwrap();
        assert!(!look.has_changed(), "it is missing while it is built");
        std::fs::write(&path, "22").unwrap();
        assert!(!look.has_changed(), "it may still be written to");
        assert!(look.has_changed());
        assert!(!look.has_changed());

        std::fs::remove_dir_all(&directory).unwrap();
    }
}
