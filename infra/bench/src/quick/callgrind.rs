//! Callgrind: its program, and its output.

use std::path::PathBuf;

use tooling::Error;

/// The path of valgrind; `None` if it is not installed.
pub(super) fn program() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join("valgrind")).find(|it| it.is_file())
}

/// The number of instructions in a file that callgrind has written.
///
/// # Errors
///
/// If the file counts something else, or is not complete: its last line has the total.
pub(super) fn total(output: &str) -> Result<u64, Error> {
    let value = |name: &str| output.lines().rev().find_map(|line| line.strip_prefix(name));
    if value("events:").map(str::trim) != Some("Ir") {
        return Err("callgrind's output does not count instructions alone".into());
    }
    let total = value("totals:").ok_or("callgrind's output has no total")?;
    Ok(total.trim().parse()?)
}

/// The instructions of one event, by the totals of a run and of one with `events` more.
///
/// # Errors
///
/// If the longer run has not more instructions.
pub(super) fn per_event(fewer: u64, more: u64, events: u32) -> Result<u32, Error> {
    let difference = more.checked_sub(fewer).filter(|difference| *difference > 0);
    let difference = difference
        .ok_or_else(|| format!("{more} instructions with {events} events more, {fewer} without"))?;
    Ok(u32::try_from(difference / u64::from(events))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "# callgrind format\nversion: 1\nevents: Ir\nsummary: 302425\n\n\
                          fn=(1) main\n0 12\n\ntotals: 302425\n";

    #[test]
    fn the_total_of_a_complete_output_is_read() {
        assert_eq!(total(OUTPUT).unwrap(), 302_425);
        for (output, reason) in [
            (OUTPUT.replace("totals: 302425\n", ""), "has no total"),
            (OUTPUT.replace("Ir", "Ir Dr"), "instructions alone"),
            (OUTPUT.replace("totals: 302425", "totals: many"), "invalid digit"),
            (String::new(), "instructions alone"),
        ] {
            let error = total(&output).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn the_start_is_no_part_of_an_event() {
        assert_eq!(per_event(1_000_500, 1_020_500, 200).unwrap(), 100);
        assert!(per_event(1_000, 1_000, 200).is_err());
        assert!(per_event(1_000, 999, 200).is_err());
    }
}
