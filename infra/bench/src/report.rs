//! The tables, in Markdown.

use std::fmt::Write as _;

use super::arguments::Arguments;
use super::figures::{Figures, median, p99};

/// The column's name, and its value of a candidate.
type Column = (&'static str, fn(&Figures) -> Option<f64>);

const FULL_SPEED: [Column; 10] = [
    ("init ms", |it| median(&it.init_ms)),
    ("first answer ms", |it| median(&it.first_ms)),
    ("cold ms", |it| median(&it.cold_ms)),
    ("cold CPU ms", |it| median(&it.cold_cpu_ms)),
    ("warm ms", |it| median(&it.warm_ms)),
    ("warm p99 ms", |it| p99(&it.warm_ms)),
    ("warm CPU µs", |it| median(&it.cpu_us)),
    ("peak MB", |it| median(&it.peak_mb)),
    ("binary MB", |it| it.binary_mb),
    ("calls", |it| it.calls),
];

const WITH_128_MB: [Column; 3] = [
    ("first answer ms", |it| median(&it.slow_first_ms)),
    ("cold ms", |it| median(&it.slow_cold_ms)),
    ("second answer ms", |it| median(&it.slow_second_ms)),
];

/// All figures; ours also as ratios to their bare functions.
pub(super) fn tables(figures: &[Figures], arguments: &Arguments) -> String {
    let Arguments { rounds, warm, period_ms, .. } = arguments;
    let mut text = format!(
        "Medians of {rounds} starts, interleaved, and of {warm} warm invocations after each.\n\n"
    );
    text += &table(figures, &FULL_SPEED);
    if figures.iter().any(|one| !one.slow_first_ms.is_empty()) {
        let _ = write!(
            text,
            "\nInit at full speed, then 7.2 % of a core, granted every {period_ms} ms.\n\n"
        );
        text += &table(figures, &WITH_128_MB);
    }
    text
}

fn table(figures: &[Figures], columns: &[Column]) -> String {
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    let mut text = format!("| function | baseline | {} |\n", names.join(" | "));
    let _ = writeln!(text, "|---|---|{}", "---|".repeat(columns.len()));
    for one in figures {
        let name = one.candidate.partner;
        let partner = figures.iter().find(|other| Some(other.candidate.name) == name);
        let cells: Vec<_> =
            columns.iter().map(|(_, of)| cell(of(one), partner.and_then(of))).collect();
        let (name, baseline) = (one.candidate.name, name.unwrap_or("–"));
        let _ = writeln!(text, "| {name} | {baseline} | {} |", cells.join(" | "));
    }
    text
}

fn cell(value: Option<f64>, partner: Option<f64>) -> String {
    // A ratio to zero has no meaning.
    match (value, partner.filter(|partner| *partner > 0.0)) {
        (None, _) => "–".to_owned(),
        (Some(value), None) => number(value),
        (Some(value), Some(partner)) => format!("{} ({:.2}×)", number(value), value / partner),
    }
}

/// Three digits: the machine is not precise enough for more.
fn number(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.2}")
    } else if value < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidates::{CACHED, JSON, named};

    #[test]
    fn a_figure_has_its_ratio_to_the_partners() {
        let names = [JSON, CACHED].map(str::to_owned);
        let mut figures: Vec<_> = named(&names).unwrap().into_iter().map(Figures::of).collect();
        figures[0].cold_ms = vec![2.0];
        figures[1].cold_ms = vec![5.0];
        let table = table(&figures, &[("cold ms", |it| median(&it.cold_ms))]);
        assert!(table.contains("| bare_json | – | 2.00 |"), "{table}");
        assert!(table.contains("| get_product_cached | bare_json | 5.00 (2.50×) |"), "{table}");
    }
}
