//! The progress of a run, so that a killed run can continue.

use std::time::Duration;

use domain::resources::SETTINGS;
use lifecycle::Timestamp;
use lifecycle::effects::{Condition, Write, text};
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

use super::kinds::Kind;

/// The number of segments of a table, which are read in parallel.
pub(super) const SEGMENTS: u16 = 4;
/// The hash of the sources that shape stored items. The package's version does not change with each
/// change to them.
const REVISION: &str = env!("BACKFILL_SOURCES");
/// The age after which a run does not continue. Other functions may have written items since.
const AGE_S_MAX: i64 = 24 * 60 * 60;

/// An unfinished run over a table.
///
/// It is an item of the table of settings and not a file, so that any machine can continue the run.
/// A restored table has another name, so its run starts from the beginning. Each write requires that
/// no other process has begun or continued a run; only the first write of a restart replaces any run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    /// The name of the kind.
    kind: String,
    /// The physical name of its table.
    table: String,
    /// The hash of the sources that wrote the items.
    revision: String,
    /// The random id of the process that executes the run; empty in the items of earlier versions.
    #[serde(default)]
    process: String,
    /// When the run began.
    pub(super) began_at: Timestamp,
    /// The position of each segment.
    segments: Vec<Position>,
    /// The results so far.
    pub(super) counts: Counts,
}

/// The position of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Position {
    Beginning,
    /// After the item with this key.
    After {
        pk: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sk: Option<String>,
    },
    End,
}

/// The progress of this process. In a table whose keys are personal data, no key is stored: there,
/// a segment counts only once it has ended, and starts again otherwise.
pub(super) struct Current {
    /// The progress to store.
    pub(super) run: Progress,
    /// The results in each segment that are not in `run` yet.
    unfinished: Vec<Counts>,
    position_is_personal: bool,
}

/// The number of items by result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counts {
    /// All items read, including other kinds.
    pub(super) read: u64,
    /// Items of other kinds.
    pub(super) others: u64,
    pub(super) written: u64,
    pub(super) up_to_date: u64,
    /// How often an item was read again after a concurrent change.
    pub(super) moved: u64,
    /// Items that were deleted meanwhile.
    pub(super) gone: u64,
    /// Items that are left as they are: unreadable, rejected by the table, or in use in every
    /// attempt.
    pub(super) left: u64,
}

impl Progress {
    /// A run at its beginning.
    pub(super) fn begin(kind: &Kind, table: &str, now: Timestamp) -> Self {
        Self {
            kind: kind.name.to_owned(),
            table: table.to_owned(),
            revision: REVISION.to_owned(),
            process: random_id(),
            began_at: now,
            segments: vec![Position::Beginning; SEGMENTS.into()],
            counts: Counts::default(),
        }
    }

    /// The same run, executed by this process.
    pub(super) fn continued(self) -> Self {
        Self { process: random_id(), ..self }
    }

    /// The key of the run over a kind.
    pub(super) fn key_of(kind: &str) -> Key {
        Key::new(format_args!("backfill#{kind}"))
    }

    /// Whether a run of this revision over this table can continue it.
    pub(super) fn can_be_gone_on_with(&self, table: &str, now: Timestamp) -> bool {
        self.table == table
            && self.revision == REVISION
            && self.segments.len() == usize::from(SEGMENTS)
            && now < self.began_at.plus_seconds(AGE_S_MAX)
    }

    /// The write that begins or continues the run, unless another process has done so since `before`
    /// was read.
    pub(super) fn claim(&self, before: Option<&Self>) -> Write {
        let before = before.map_or(Condition::Absent, Self::is_stored);
        // The first attempt may have succeeded without a response.
        Write::put(self).when(Condition::Any(vec![before, self.is_stored()]))
    }

    /// The write that stores the progress, unless another process executes the run or it has ended.
    pub(super) fn store(&self) -> Write {
        Write::put(self).when(self.is_stored())
    }

    /// The write that ends the run.
    pub(super) fn end(&self) -> Write {
        Write::delete::<Self>(self.key()).when(self.is_stored())
    }

    fn is_stored(&self) -> Condition {
        if self.process.is_empty() {
            return Condition::Equals("beganAt", text(self.began_at.to_string()));
        }
        Condition::Equals("process", text(&*self.process))
    }

    /// The position of a segment.
    pub(super) fn position(&self, segment: u16) -> &Position {
        &self.segments[usize::from(segment)]
    }

    /// Advances a segment by a page, and adds the page's counts.
    fn advance(&mut self, segment: u16, next: Option<&Key>, counts: Counts) {
        self.segments[usize::from(segment)] = match next {
            None => Position::End,
            Some(Key { pk, sk }) => Position::After { pk: pk.clone(), sk: sk.clone() },
        };
        self.counts.add(counts);
    }
}

fn random_id() -> String {
    format!("{:016x}", fastrand::u64(..))
}

impl Current {
    /// Continues a run, whose table has personal keys or not.
    pub(super) fn of(run: Progress, position_is_personal: bool) -> Self {
        let unfinished = vec![Counts::default(); run.segments.len()];
        Self { run, unfinished, position_is_personal }
    }

    /// Advances a segment by a page, and adds the page's counts.
    pub(super) fn advance(&mut self, segment: u16, next: Option<&Key>, counts: Counts) {
        let unfinished = &mut self.unfinished[usize::from(segment)];
        unfinished.add(counts);
        if next.is_none() || !self.position_is_personal {
            self.run.advance(segment, next, std::mem::take(unfinished));
        }
    }

    /// The results in all segments.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = self.run.counts;
        for unfinished in &self.unfinished {
            counts.add(*unfinished);
        }
        counts
    }
}

impl Record for Progress {
    const TABLE: TableName = SETTINGS;

    fn key(&self) -> Key {
        Self::key_of(&self.kind)
    }
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        let Self { read, others, written, up_to_date, moved, gone, left } = other;
        self.read += read;
        self.others += others;
        self.written += written;
        self.up_to_date += up_to_date;
        self.moved += moved;
        self.gone += gone;
        self.left += left;
    }

    /// The counts in one line.
    pub(super) fn told(&self, total: Option<u64>, is_dry: bool) -> String {
        let Self { read, others, written, up_to_date, moved, gone, left } = self;
        let of = total.map_or_else(String::new, |total| format!(" of about {}", total.max(*read)));
        let written_is = if is_dry { "would be written" } else { "written" };
        format!(
            "{read}{of} items read, {written} {written_is}, {up_to_date} up to date, {others} of \
             other kinds, {left} left; {moved} changed meanwhile, {gone} deleted meanwhile"
        )
    }
}

/// The estimated time for the rest, by the time of the items read now.
pub(super) fn time_left(
    total: u64,
    read: u64,
    read_now: u64,
    within: Duration,
) -> Option<Duration> {
    let rest = total.checked_sub(read)?;
    let millis = within.as_millis().checked_mul(rest.into())?.checked_div(read_now.into())?;
    u64::try_from(millis).ok().map(Duration::from_millis)
}

/// A duration in two units, such as `2 h 1 min`.
pub(super) fn spoken(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::record::item_of;

    use super::*;

    fn orders() -> Kind {
        Kind::named("orders").unwrap()
    }

    fn run() -> Progress {
        let run = Progress::begin(&orders(), "stack-OrdersTable", Timestamp::from_millis(0));
        Progress { process: "00000000000000aa".to_owned(), ..run }
    }

    #[test]
    fn a_stored_run_reads_back_unchanged() {
        let mut run = run();
        let counts = Counts { read: 100, written: 60, left: 1, ..Counts::default() };
        run.advance(0, Some(&Key::new("a")), counts);
        run.advance(1, Some(&Key::sorted("b", "c")), counts);
        run.advance(2, None, counts);
        let read = Progress::of_item(item_of(&run)).unwrap();
        assert_eq!(read, run);
        assert_eq!((read.position(2), read.position(3)), (&Position::End, &Position::Beginning));
        assert_eq!((read.counts.read, read.counts.left), (300, 3));
    }

    #[test]
    fn a_personal_key_is_not_stored_and_its_segment_counts_once_it_has_ended() {
        let mut current = Current::of(run(), true);
        let page = Counts { read: 10, left: 1, ..Counts::default() };
        let key = Key::new("email#ann@example.com");
        current.advance(0, Some(&key), page);
        current.advance(1, Some(&key), page);
        current.advance(1, None, page);
        let run = &current.run;
        assert_eq!((run.position(0), run.position(1)), (&Position::Beginning, &Position::End));
        assert_eq!((run.counts.read, run.counts.left), (20, 2));
        assert_eq!((current.counts().read, current.counts().left), (30, 3));
        assert!(!format!("{:?}", item_of(run)).contains("ann"));
    }

    #[test]
    fn a_run_of_another_table_or_revision_or_of_yesterday_does_not_continue() {
        let run = run();
        let soon = Timestamp::from_millis(60_000);
        assert!(run.can_be_gone_on_with("stack-OrdersTable", soon));
        assert!(!run.can_be_gone_on_with("stack-OrdersTable-restored", soon));
        let a_day_later = run.began_at.plus_seconds(AGE_S_MAX);
        assert!(!run.can_be_gone_on_with("stack-OrdersTable", a_day_later));
        let other = Progress { revision: "0.1.0;0,1,2,3;".to_owned(), ..run };
        assert!(!other.can_be_gone_on_with("stack-OrdersTable", soon));
    }

    #[test]
    fn each_write_requires_that_no_other_process_executes_the_run() {
        let run = run();
        let of = |name: &'static str, run: &Progress| {
            Condition::Equals(name, item_of(run)[name].clone())
        };
        for write in [run.store(), run.end()] {
            assert_eq!(write.condition, Some(of("process", &run)), "{write:?}");
        }
        let before = Progress { process: "00000000000000bb".to_owned(), ..run.clone() };
        let earlier = Progress { process: String::new(), ..run.clone() };
        for (before, condition) in [
            (Some(&before), of("process", &before)),
            (Some(&earlier), of("beganAt", &earlier)),
            (None, Condition::Absent),
        ] {
            let expected = Condition::Any(vec![condition, of("process", &run)]);
            assert_eq!(run.claim(before).condition, Some(expected));
        }
    }

    #[test]
    fn a_continued_run_has_the_same_progress_and_another_process() {
        let run = run();
        let continued = run.clone().continued();
        assert_ne!(continued.store().condition, run.store().condition);
        assert_eq!(Progress { process: run.process.clone(), ..continued }, run);
    }

    #[test]
    fn the_time_left_follows_from_what_this_process_has_read() {
        let left = time_left(1_000, 400, 100, Duration::from_secs(10)).unwrap();
        assert_eq!(spoken(left), "1 min 0 s");
        assert_eq!(time_left(100, 400, 100, Duration::from_secs(10)), None, "more than counted");
        assert_eq!(time_left(1_000, 400, 0, Duration::from_secs(10)), None, "nothing read yet");
        assert_eq!(spoken(Duration::from_secs(7_300)), "2 h 1 min");
    }

    #[test]
    fn runs_of_released_versions_are_read() {
        let mut further = run();
        further.advance(0, Some(&Key::new("a")), Counts::default());
        further.advance(1, Some(&Key::sorted("a", "b")), Counts::default());
        further.advance(2, None, Counts::default());
        lifecycle::released::holds::<Progress>(&[run(), further]);
    }
}
