//! How far a run has come, so that one that was killed is gone on with.

use std::time::Duration;

use domain::resources::SETTINGS;
use lifecycle::Timestamp;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

use super::kinds::Kind;

/// How many segments a table is read in, at the same time.
pub(super) const SEGMENTS: u16 = 4;

/// A run over a table that is not at its end.
///
/// It is an item of the table of settings and not a file: whoever goes on with a run, from whatever
/// machine, finds it, and a table that was restored in the place of another has another name and
/// begins anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    /// The name of the kind.
    kind: String,
    /// The physical name of its table.
    table: String,
    /// What wrote the items.
    revision: String,
    /// When the run began.
    pub(super) began_at: Timestamp,
    /// Where each segment goes on.
    segments: Vec<Position>,
    /// What was done.
    pub(super) counts: Counts,
}

/// Where a segment goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Position {
    Beginning,
    /// Behind the item with this key.
    After {
        pk: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sk: Option<String>,
    },
    End,
}

/// What was done with the items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counts {
    /// All that the table has, those of other kinds included.
    pub(super) read: u64,
    /// Those of other kinds.
    pub(super) others: u64,
    pub(super) written: u64,
    pub(super) up_to_date: u64,
    /// How often somebody else had changed an item, and it was looked at again.
    pub(super) moved: u64,
    /// Those that were deleted meanwhile.
    pub(super) gone: u64,
    /// Those that are left as they are: unreadable, or changed all the time.
    pub(super) left: u64,
}

impl Progress {
    /// A run that begins.
    pub(super) fn begin(kind: &Kind, table: &str, now: Timestamp) -> Self {
        Self {
            kind: kind.name.to_owned(),
            table: table.to_owned(),
            revision: kind.revision(),
            began_at: now,
            segments: vec![Position::Beginning; SEGMENTS.into()],
            counts: Counts::default(),
        }
    }

    /// The key of the run over a kind.
    pub(super) fn key_of(kind: &str) -> Key {
        Key::new(format_args!("backfill#{kind}"))
    }

    /// Whether it is a run as this one would be.
    pub(super) fn can_be_gone_on_with(&self, kind: &Kind, table: &str) -> bool {
        self.table == table
            && self.revision == kind.revision()
            && self.segments.len() == usize::from(SEGMENTS)
    }

    /// Where a segment goes on.
    pub(super) fn position(&self, segment: u16) -> &Position {
        &self.segments[usize::from(segment)]
    }

    /// Notes that a page of a segment is done, and what was done with it.
    pub(super) fn advance(&mut self, segment: u16, next: Option<&Key>, counts: Counts) {
        self.segments[usize::from(segment)] = match next {
            None => Position::End,
            Some(Key { pk, sk }) => Position::After { pk: pk.clone(), sk: sk.clone() },
        };
        self.counts.add(counts);
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

    /// What was done, in one line.
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

/// How long the rest takes, by how long a part took.
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

/// A time as people say it.
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
        Progress::begin(&orders(), "stack-OrdersTable", Timestamp::from_millis(0))
    }

    #[test]
    fn a_run_is_read_as_it_was_stored() {
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
    fn a_run_over_another_table_or_of_another_revision_is_not_gone_on_with() {
        let run = run();
        assert!(run.can_be_gone_on_with(&orders(), "stack-OrdersTable"));
        assert!(!run.can_be_gone_on_with(&orders(), "stack-OrdersTable-restored"));
        let other = Progress { revision: "other".to_owned(), ..run };
        assert!(!other.can_be_gone_on_with(&orders(), "stack-OrdersTable"));
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
