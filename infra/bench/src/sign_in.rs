//! `cargo xtask bench sign-in`: checks that the time of a failed sign-in does not reveal whether an
//! account exists.
//!
//! Users sign up. A wrong password is sent for each of them and for an unknown address, in random
//! order for each pair. So other load on the machine affects both alike.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use hyper::StatusCode;
use serde_json::{Value, json};
use tooling::{Error, say};
use tooling_async::http::Client;
use uuid::Uuid;

use super::figures::{median, ms, p99, quantile};
use super::local::Measured;

/// The number of guesses for one address: the limit within a minute.
const GUESSES: u32 = 5;
/// Requests before the measurement: processes start, pools fill.
const WARM_UP: u32 = 20;
/// Below this p-value, the difference is significant.
const SIGNIFICANT: f64 = 0.01;

#[derive(Args)]
pub(super) struct Arguments {
    /// The number of users who sign up. Each gets five guesses.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(4..=2_000))]
    people: u32,

    #[command(flatten)]
    api: Measured,
}

pub(super) async fn run(workspace: &Path, arguments: &Arguments) -> Result<ExitCode, Error> {
    arguments.api.measure(workspace, async |api| compare(api, arguments.people).await).await
}

async fn compare(api: &str, people: u32) -> Result<ExitCode, Error> {
    let guesser = Guesser { client: Client::new(), api };
    let mut addresses = Vec::new();
    for _ in 0..people {
        let (known, unknown) = (address(), address());
        guesser.sign_up(&known).await?;
        addresses.push((known, unknown));
    }
    for _ in 0..WARM_UP {
        guesser.guess(&address()).await?;
    }
    let (mut known_ms, mut unknown_ms) = (Vec::new(), Vec::new());
    for (known, unknown) in &addresses {
        for _ in 0..GUESSES {
            if Uuid::new_v4().as_u128() & 1 == 0 {
                known_ms.push(guesser.guess(known).await?);
                unknown_ms.push(guesser.guess(unknown).await?);
            } else {
                unknown_ms.push(guesser.guess(unknown).await?);
                known_ms.push(guesser.guess(known).await?);
            }
        }
    }
    say("| e-mail address | guesses | p50 ms | p90 ms | p99 ms |\n|---|---|---|---|---|");
    for (name, took_ms) in [("known", &known_ms), ("unknown", &unknown_ms)] {
        let [half, most, worst] =
            [median(took_ms), quantile(took_ms, 90), p99(took_ms)].map(Option::unwrap_or_default);
        let count = took_ms.len();
        say(&format!("| {name} | {count} | {half:.2} | {most:.2} | {worst:.2} |"));
    }
    Ok(verdict(&known_ms, &unknown_ms))
}

fn verdict(known_ms: &[f64], unknown_ms: &[f64]) -> ExitCode {
    let ratio = median(known_ms).unwrap_or_default() / median(unknown_ms).unwrap_or_default();
    let (slower, p) = mann_whitney(known_ms, unknown_ms);
    let told = if p < SIGNIFICANT { "distinguishable" } else { "not distinguishable" };
    say(&format!(
        "\nRatio of the medians {ratio:.4}. A guess at a known address is the slower of two in \
         {:.1} % of all pairs; Mann-Whitney: p = {p:.3}, {told}.",
        slower * 100.0
    ));
    if p < SIGNIFICANT { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The share of all pairs in which the first value is larger, and the p-value of its distance from
/// one half (two-sided, by the normal approximation).
fn mann_whitney(ones: &[f64], others: &[f64]) -> (f64, f64) {
    let beats = |one: f64| {
        others.iter().map(move |other| match one.total_cmp(other) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
    };
    let u: f64 = ones.iter().flat_map(|one| beats(*one)).sum();
    let [m, n] = [ones, others].map(|values| values.iter().map(|_| 1.0).sum::<f64>());
    let deviation = (m * n * (m + n + 1.0) / 12.0).sqrt();
    let z = (u - m * n / 2.0).abs() / deviation;
    (u / (m * n), complementary_error_function(z / std::f64::consts::SQRT_2))
}

/// The formula 7.1.26 of Abramowitz and Stegun: within 1.5e-7.
fn complementary_error_function(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let coefficients =
        [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let polynomial = coefficients.iter().fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    polynomial * (-x * x).exp()
}

struct Guesser<'a> {
    client: Client,
    api: &'a str,
}

impl Guesser<'_> {
    async fn sign_up(&self, email: &str) -> Result<(), Error> {
        let user = json!({ "email": email, "password": demo::seed::PASSWORD, "name": "Ada" });
        self.post("/users", &user, StatusCode::CREATED).await
    }

    /// The response time of a sign-in with a wrong password, in milliseconds.
    async fn guess(&self, email: &str) -> Result<f64, Error> {
        let guess = json!({ "email": email, "password": "not-the-right-one" });
        let asked = Instant::now();
        self.post("/sessions", &guess, StatusCode::UNAUTHORIZED).await?;
        Ok(ms(asked.elapsed()))
    }

    async fn post(&self, path: &str, body: &Value, expected: StatusCode) -> Result<(), Error> {
        self.client.post(&format!("{}{path}", self.api), body, expected).await.map(drop)
    }
}

/// A new address. All have the same length.
fn address() -> String {
    format!("{}@example.com", Uuid::new_v4().simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_distributions_are_not_significant_and_shifted_ones_are() {
        let ones: Vec<f64> = (0..200).map(|n| f64::from(n * 7919 % 1000)).collect();
        let others: Vec<f64> = (200..400).map(|n| f64::from(n * 7919 % 1000)).collect();
        let shifted: Vec<f64> = others.iter().map(|value| value + 200.0).collect();
        let (slower, p) = mann_whitney(&ones, &others);
        assert!((slower - 0.5).abs() < 0.05 && p > 0.1, "{slower} {p}");
        let (slower, p) = mann_whitney(&ones, &shifted);
        assert!(slower < 0.4 && p < 0.001, "{slower} {p}");
    }

    #[test]
    fn the_error_function_matches_published_tables() {
        for (x, expected) in
            [(0.0, 1.0), (0.5, 0.479_500_1), (1.0, 0.157_299_2), (2.0, 0.004_677_7)]
        {
            assert!((complementary_error_function(x) - expected).abs() < 1e-6, "{x}");
        }
    }
}
