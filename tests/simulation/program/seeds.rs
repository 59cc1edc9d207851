//! Runs the program on a few seeds: all functions, people, faults and oracles.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

/// The last line of the program's output, or its whole output if it fails.
fn simulated(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_simulate")).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    text.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn without_faults_no_oracle_finds_anything() {
    let last = simulated(&["--faults", "none", "--seeds", "1..3", "--orders", "20"]);
    assert!(last.starts_with("2 seeds in ") && last.ends_with(", 0 failed"), "{last}");
}

#[test]
fn hot_spots_keep_their_rates_and_lose_nothing() {
    let load = ["hotspots", "--approvals", "200", "--orders", "60", "--seconds", "2"];
    let last = simulated(&load);
    assert_eq!(last, "nothing was lost, and nothing was sold or numbered twice");
}

#[test]
fn under_all_faults_no_oracle_finds_anything_and_traces_are_equal() {
    let last = simulated(&["--seeds", "1..6", "--orders", "10", "--twice"]);
    assert!(last.starts_with("5 seeds in ") && last.ends_with(", 0 failed"), "{last}");
}
