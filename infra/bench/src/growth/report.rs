//! The table of growth, and the verdict.

use std::fmt::Write as _;

use super::tables::Used;

/// The largest ratio of a time to that with the fewest rows.
const TIME_RATIO_MAX: f64 = 1.3;
/// The largest difference of units and calls to those with the fewest rows, as a part of them. Rows
/// of one kind differ by some bytes.
const UNITS_DIFFERENCE_MAX: f64 = 0.02;

/// The cost of one work with a number of rows, per invocation.
pub(super) struct Row {
    pub(super) work: &'static str,
    pub(super) rows: u32,
    pub(super) used: Used,
    pub(super) ms: f64,
}

/// All rows, in Markdown; times also as ratios to those with the fewest rows.
pub(super) fn table(measured: &[Row]) -> String {
    let mut text = "| work | rows | calls | read units | write units | ms |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    for row in measured {
        let Row { work, rows, used, ms } = row;
        let ratio = ms / first(measured, row).ms;
        let Used { calls, read_units, write_units } = used;
        let _ = writeln!(
            text,
            "| {work} | {rows} | {calls:.2} | {read_units:.1} | {write_units:.1} | {ms:.2} \
             ({ratio:.2}×) |"
        );
    }
    text
}

/// A sentence for each cost that grows.
pub(super) fn complaints(measured: &[Row]) -> Vec<String> {
    let mut complaints = Vec::new();
    for row in measured {
        let first = first(measured, row);
        let (work, rows) = (row.work, row.rows);
        for (what, now, before) in [
            ("calls", row.used.calls, first.used.calls),
            ("read units", row.used.read_units, first.used.read_units),
            ("write units", row.used.write_units, first.used.write_units),
        ] {
            if (now - before).abs() > before * UNITS_DIFFERENCE_MAX {
                let fewest = first.rows;
                complaints.push(format!(
                    "{work}: {now:.2} {what} with {rows} rows, {before:.2} with {fewest}"
                ));
            }
        }
        let ratio = row.ms / first.ms;
        if ratio > TIME_RATIO_MAX {
            complaints.push(format!(
                "{work}: {ratio:.2} times the time with {rows} rows, {TIME_RATIO_MAX} at most"
            ));
        }
    }
    complaints
}

/// The row of the same work with the fewest rows.
fn first<'a>(measured: &'a [Row], of: &'a Row) -> &'a Row {
    measured.iter().find(|row| row.work == of.work).unwrap_or(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(rows: u32, read_units: f64, ms: f64) -> Row {
        Row { work: "list", rows, used: Used { calls: 1.0, read_units, write_units: 0.0 }, ms }
    }

    #[test]
    fn each_time_is_compared_with_that_of_the_fewest_rows() {
        let table = table(&[row(1_000, 4.0, 2.0), row(100_000, 4.0, 2.5)]);
        assert!(table.contains("| list | 1000 | 1.00 | 4.0 | 0.0 | 2.00 (1.00×) |"), "{table}");
        assert!(table.contains("| list | 100000 | 1.00 | 4.0 | 0.0 | 2.50 (1.25×) |"), "{table}");
    }

    #[test]
    fn a_cost_that_grows_is_reported() {
        for (read_units, ms, expected) in [
            (4.0, 2.6, None),
            (4.0, 2.7, Some("list: 1.35 times the time with 100000 rows, 1.3 at most")),
            (4.5, 2.0, Some("list: 4.50 read units with 100000 rows, 4.00 with 1000")),
            (3.5, 2.0, Some("list: 3.50 read units with 100000 rows, 4.00 with 1000")),
        ] {
            let complaints = complaints(&[row(1_000, 4.0, 2.0), row(100_000, read_units, ms)]);
            assert_eq!(complaints.first().map(String::as_str), expected);
        }
    }
}
