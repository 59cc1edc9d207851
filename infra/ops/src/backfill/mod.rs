//! `backfill`: writes every item of a kind again in this version's form.
//!
//! It may run while the system works: conditional writes change only items that are still as they
//! were read, and others are read again. It may be killed, and run again.

mod kinds;
mod pace;
mod progress;
#[cfg(test)]
mod sources;

use std::num::NonZero;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws::admin::{Changed, Operator, Segment};
use clap::Args;
use domain::resources::SETTINGS;
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use lifecycle::ServiceError;
use lifecycle::clock;
use lifecycle::effects::Write;
use lifecycle::error::BoxError;
use lifecycle::record::Key;
use lifecycle::resource::Resource;
use operations::{Say, patiently, pause, told};
use serde_dynamo::Item;

use self::kinds::Kind;
use self::pace::Pace;
use self::progress::{Counts, Current, Position, Progress, SEGMENTS, spoken, time_left};

/// Concurrent changes of each segment.
const CHANGES_AT_ONCE: usize = 8;
/// Attempts at an item that others change before each of them.
const MOVED_MAX: u32 = 10;
/// Attempts at an item that is in use by another transaction in each of them: for some two minutes.
const BUSY_MAX: u32 = 12;
/// The interval at which progress is printed and stored.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// The kind to write again, and the pace.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The kind of items, such as `orders`.
    #[arg(value_parser = Kind::named)]
    kind: Kind,
    /// The maximum of capacity units a second, of reads and writes together.
    #[arg(long, value_name = "UNITS", default_value = "500")]
    rate: NonZero<u32>,
    /// Only counts the items to write.
    #[arg(long)]
    dry_run: bool,
    /// Starts from the beginning, even if an interrupted run could continue.
    #[arg(long)]
    restart: bool,
}

impl Arguments {
    /// The resources that the command needs.
    pub(crate) fn uses(&self) -> Vec<Resource> {
        let table = Resource::Table(self.kind.table, &[]);
        let settings = Resource::Table(SETTINGS, &[]);
        if self.kind.table == SETTINGS { vec![settings] } else { vec![table, settings] }
    }
}

pub(crate) async fn run(
    arguments: &Arguments,
    operator: &Operator,
    say: Say<'_>,
) -> Result<(), BoxError> {
    let Arguments { kind, dry_run, restart, .. } = *arguments;
    let table = operator.name_of(kind.table)?;
    let now = clock::now();
    let before = if dry_run || restart { None } else { begun(operator, &kind).await? };
    let progress = match &before {
        Some(begun) if begun.can_be_gone_on_with(table, now) => {
            let read = begun.counts.read;
            say(&format!("goes on with the run of {}, after {read} items", begun.began_at));
            begun.clone().continued()
        }
        _ => Progress::begin(&kind, table, now),
    };
    let claim = if restart { Write::put(&progress) } else { progress.claim(before.as_ref()) };
    let backfill = Backfill {
        operator,
        kind,
        say,
        is_dry: dry_run,
        total: operator.items_count(kind.table).await,
        pace: Pace::new(arguments.rate.get()),
        began: Instant::now(),
        read_before: progress.counts.read,
        noted: Mutex::new(Noted {
            current: Current::of(progress, kind.position_is_personal()),
            told_at: Instant::now(),
        }),
    };
    if !backfill.write(claim).await? {
        return Err(format!("another run over {} has begun at the same time", kind.name).into());
    }
    let segments = (0..SEGMENTS).map(|number| backfill.segment(number));
    if let Err(fault) = try_join_all(segments).await {
        return Err(interrupted(fault, backfill.store().await, say));
    }
    let end = backfill.lock().current.run.end();
    backfill.write(end).await?;
    let counts = backfill.lock().current.counts();
    say(&format!("done: {}", counts.told(None, dry_run)));
    match counts.left {
        0 => Ok(()),
        left => Err(format!("{left} items of {} are left as they are", kind.name).into()),
    }
}

/// Returns the fault that interrupted a run, also if the progress could not be stored either.
fn interrupted(fault: BoxError, stored: Result<(), BoxError>, say: Say<'_>) -> BoxError {
    match stored {
        Ok(()) => say("not done: run the same command again to continue"),
        Err(error) => {
            say(&format!("not done, and the progress is not stored: {}", told(&*error)));
        }
    }
    fault
}

/// The unfinished run over a kind, if any.
async fn begun(operator: &Operator, kind: &Kind) -> Result<Option<Progress>, BoxError> {
    let key = Progress::key_of(kind.name);
    let begun = operator.together(operator.table::<Progress>().one(key)).await;
    begun.map_err(|fault| {
        let fault = told(&fault);
        format!("the progress cannot be read, and --restart ignores it: {fault}").into()
    })
}

struct Backfill<'a> {
    operator: &'a Operator,
    kind: Kind,
    say: Say<'a>,
    is_dry: bool,
    /// The approximate number of items of the table.
    total: Option<u64>,
    pace: Pace,
    began: Instant,
    /// The number of items that were read before this process.
    read_before: u64,
    noted: Mutex<Noted>,
}

struct Noted {
    current: Current,
    told_at: Instant,
}

/// The result for an item.
enum Outcome {
    OtherKind,
    UpToDate,
    Written,
    Gone,
    Left,
}

/// The failed attempts at an item.
#[derive(Default)]
struct Attempts {
    /// Another writer had changed the item.
    moved: u32,
    /// Another transaction was writing the item. This limits the item and not the table, so it does
    /// not slow down the pace.
    busy: u32,
}

impl Attempts {
    /// The reason to leave the item, after the last attempt.
    fn exhausted(&self) -> Option<&'static str> {
        match self {
            Self { moved: MOVED_MAX.., .. } => {
                Some("concurrent changes came first in every attempt")
            }
            Self { busy: BUSY_MAX.., .. } => {
                Some("it was in use by a transaction in every attempt")
            }
            _ => None,
        }
    }

    fn pause(&self) -> Duration {
        pause(self.moved.max(self.busy))
    }
}

impl Backfill<'_> {
    /// Processes a segment from its position to its end. The position advances after each full
    /// page.
    async fn segment(&self, number: u16) -> Result<(), BoxError> {
        let mut next = match self.lock().current.run.position(number) {
            Position::Beginning => None,
            Position::After { pk, sk } => Some(Key { pk: pk.clone(), sk: sk.clone() }),
            Position::End => return Ok(()),
        };
        let segment = Segment { number, of: SEGMENTS };
        loop {
            self.pace.turn().await;
            let page = self
                .patiently(async || {
                    self.operator.scan_items(self.kind.table, segment, next.as_ref()).await
                })
                .await?;
            self.pace.took(page.units);
            let outcomes = stream::iter(page.items).map(|(key, item)| self.item(key, item));
            let outcomes: Vec<_> = outcomes.buffer_unordered(CHANGES_AT_ONCE).try_collect().await?;
            let mut counts = Counts { read: outcomes.len() as u64, ..Counts::default() };
            for (outcome, moved) in outcomes {
                counts.moved += moved;
                *match outcome {
                    Outcome::OtherKind => &mut counts.others,
                    Outcome::UpToDate => &mut counts.up_to_date,
                    Outcome::Written => &mut counts.written,
                    Outcome::Gone => &mut counts.gone,
                    Outcome::Left => &mut counts.left,
                } += 1;
            }
            next = page.next;
            // Progress is stored before it is printed.
            if let Some(told) = self.note(number, next.as_ref(), counts) {
                self.store().await?;
                (self.say)(&told);
            }
            if next.is_none() {
                return Ok(());
            }
        }
    }

    /// Brings an item up to date. Also returns how often a concurrent change came first.
    async fn item(&self, key: Key, mut item: Item) -> Result<(Outcome, u64), ServiceError> {
        let kind = &self.kind;
        if !(kind.holds)(&key.pk) {
            return Ok((Outcome::OtherKind, 0));
        }
        let mut attempts = Attempts::default();
        let why = loop {
            let rewritten = match (kind.rewritten)(&item) {
                Ok(rewritten) if rewritten == item => {
                    return Ok((Outcome::UpToDate, attempts.moved.into()));
                }
                Ok(rewritten) => rewritten,
                Err(error) => break error.to_string(),
            };
            if self.is_dry {
                return Ok((Outcome::Written, 0));
            }
            self.pace.turn().await;
            let change = async || {
                let operator = self.operator;
                operator.change_item(kind.table, &key, &item, &rewritten, kind.optional).await
            };
            let attempt = self.patiently(change).await?;
            self.pace.took(attempt.units);
            match attempt.result {
                Changed::Done => return Ok((Outcome::Written, attempts.moved.into())),
                Changed::Gone => return Ok((Outcome::Gone, attempts.moved.into())),
                Changed::Moved(now) => {
                    item = now;
                    attempts.moved += 1;
                }
                Changed::Busy => attempts.busy += 1,
                Changed::Refused(reason) => {
                    break format!("the table rejects its rewritten form: {reason}");
                }
            }
            if let Some(why) = attempts.exhausted() {
                break why.to_owned();
            }
            tokio::time::sleep(attempts.pause()).await;
        };
        self.left(&key, &why);
        Ok((Outcome::Left, attempts.moved.into()))
    }

    /// Retries a call as [`patiently`], and slows the pace down.
    async fn patiently<T>(
        &self,
        call: impl AsyncFn() -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        patiently(call, || self.pace.throttled()).await
    }

    /// Records that a page is done. Returns the progress line, if its interval has passed.
    fn note(&self, segment: u16, next: Option<&Key>, counts: Counts) -> Option<String> {
        let mut noted = self.lock();
        noted.current.advance(segment, next, counts);
        if noted.told_at.elapsed() < TOLD_EVERY {
            return None;
        }
        noted.told_at = Instant::now();
        let counts = noted.current.counts();
        let (read, within) = (counts.read, self.began.elapsed());
        let left = self
            .total
            .and_then(|total| time_left(total, read, read - self.read_before, within))
            .map_or_else(String::new, |left| format!("; {} to go", spoken(left)));
        Some(format!("{}: {}{left}", self.kind.name, counts.told(self.total, self.is_dry)))
    }

    /// Stores the progress.
    async fn store(&self) -> Result<(), BoxError> {
        let write = self.lock().current.run.store();
        if self.write(write).await? {
            return Ok(());
        }
        let kind = self.kind.name;
        Err(format!("another run over {kind} has begun, or has ended this one").into())
    }

    /// Writes to the progress. Returns whether the condition holds.
    async fn write(&self, write: Write) -> Result<bool, ServiceError> {
        if self.is_dry {
            return Ok(true);
        }
        self.patiently(async || self.operator.write(write.clone()).await).await
    }

    fn left(&self, key: &Key, why: &str) {
        let shown = Operator::shown_key(key, self.kind.key_is_personal);
        (self.say)(&format!("{} {shown} is left as it is: {why}", self.kind.name));
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_returned_even_if_the_progress_cannot_be_stored() {
        for (stored, line) in [
            (Ok(()), "not done: run the same command again to continue"),
            (Err("no table".into()), "not done, and the progress is not stored: no table"),
        ] {
            let lines = Mutex::new(Vec::new());
            let say = |line: &str| lines.lock().unwrap().push(line.to_owned());
            let fault = interrupted("the scan failed".into(), stored, &say);
            assert_eq!(fault.to_string(), "the scan failed");
            assert_eq!(*lines.lock().unwrap(), [line]);
        }
    }

    #[test]
    fn an_item_is_left_after_10_concurrent_changes_or_12_transactions() {
        for (moved, busy, left) in
            [(0, 1, false), (9, 11, false), (10, 0, true), (0, 12, true), (9, 12, true)]
        {
            let attempts = Attempts { moved, busy };
            assert_eq!(attempts.exhausted().is_some(), left, "{moved} and {busy}");
        }
        let waits = (1..BUSY_MAX).map(|busy| Attempts { moved: 0, busy }.pause());
        let waits = waits.sum::<Duration>().as_secs();
        assert!((50..=150).contains(&waits), "{waits} s");
    }
}
