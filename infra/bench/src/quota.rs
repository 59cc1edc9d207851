//! The CPU share of 128 MB, set by a cgroup of version 2 or 1.

use fs_err as fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tooling::Error;

/// Lambda gives a whole core to 1 769 MB, and a proportional share to less.
const SHARE_OF_128_MB: f64 = 128.0 / 1_769.0;

/// A share of a core, and its period.
pub(super) struct Quota {
    parent: PathBuf,
    kind: Kind,
    period_us: u128,
    quota_us: u128,
}

#[derive(Clone, Copy)]
enum Kind {
    Second,
    First,
}

/// A process with a quota.
pub(super) struct Limited {
    group: PathBuf,
}

impl Quota {
    /// The quota, if this process can create cgroups.
    pub(super) fn of_128_mb(period: Duration) -> Result<Self, Error> {
        let second = Path::new("/sys/fs/cgroup");
        let controllers = fs::read_to_string(second.join("cgroup.subtree_control"));
        let has_cpu = controllers.is_ok_and(|all| all.split_whitespace().any(|one| one == "cpu"));
        let (parent, kind) = if has_cpu {
            (second.to_owned(), Kind::Second)
        } else {
            (second.join("cpu"), Kind::First)
        };
        let quota_us = period.mul_f64(SHARE_OF_128_MB).as_micros();
        let quota = Self { parent, kind, period_us: period.as_micros(), quota_us };
        quota.group()?.lift()?;
        Ok(quota)
    }

    /// Puts a process and all its threads under the quota.
    pub(super) fn limit(&self, process: u32) -> Result<Limited, Error> {
        let limited = self.group()?;
        fs::write(limited.group.join("cgroup.procs"), process.to_string())?;
        Ok(limited)
    }

    fn group(&self) -> Result<Limited, Error> {
        let group = self.parent.join(format!("bench-{}", std::process::id()));
        fs::create_dir(&group).map_err(|error| format!("{}: {error}", group.display()))?;
        let limited = Limited { group };
        let write = |name: &str, text: String| fs::write(limited.group.join(name), text);
        // The maximum weight: only the quota should limit it, not other groups.
        match self.kind {
            Kind::Second => {
                write("cpu.weight", "10000".to_owned())?;
                write("cpu.max", format!("{} {}", self.quota_us, self.period_us))?;
            }
            Kind::First => {
                write("cpu.shares", "262144".to_owned())?;
                write("cpu.cfs_period_us", self.period_us.to_string())?;
                write("cpu.cfs_quota_us", self.quota_us.to_string())?;
            }
        }
        Ok(limited)
    }
}

impl Limited {
    /// Removes the group after its process has ended.
    pub(super) fn lift(self) -> Result<(), Error> {
        Ok(fs::remove_dir(&self.group)?)
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        // It is already removed, unless an error came before.
        let _ = fs::remove_dir(&self.group);
    }
}
