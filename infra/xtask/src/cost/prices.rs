//! `infra/prices.toml`: prices, and assumptions for uncounted values.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use tooling::Error;
use tooling::context::Context;

/// The content of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prices {
    pub(super) region: String,
    pub(super) prices: List,
    pub(super) assumed: Assumed,
    /// The share of each request, by its name in the counts.
    pub(super) mix: BTreeMap<String, f64>,
}

/// The prices, in the order of the document.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    pub(super) http_api_request: Price,
    pub(super) lambda_request: Price,
    pub(super) lambda_gb_s: Price,
    pub(super) lambda_gb_s_arm64: Price,
    pub(super) read_unit: Price,
    pub(super) write_unit: Price,
    pub(super) sqs_request: Price,
    pub(super) log_byte: Price,
    pub(super) label_set: Price,
    pub(super) alarm_metric: Price,
    pub(super) dashboard: Price,
    pub(super) trace: Price,
    pub(super) secret: Price,
    pub(super) secret_call: Price,
    pub(super) mail: Price,
    pub(super) stored_gb: Price,
    pub(super) recovery_gb: Price,
    pub(super) backup_gb: Price,
}

/// The price of a number of units.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    /// The paid service.
    pub(super) what: String,
    /// The number of units in words, written after the price: `0.20 a million`.
    pub(super) unit: String,
    pub(super) usd: f64,
    /// The number of units.
    pub(super) per: f64,
    /// The day of the price list, or "never".
    pub(super) looked_up: String,
    /// The price of units beyond a number in a month.
    pub(super) beyond: Option<Beyond>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Beyond {
    pub(super) from: f64,
    pub(super) usd: f64,
}

/// Assumptions for uncounted values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Assumed {
    pub(super) invocation_ms: f64,
    pub(super) call_ms: f64,
    pub(super) access_log_bytes: f64,
    pub(super) lambda_log_bytes: f64,
    pub(super) polls_a_minute: f64,
    pub(super) secret_reads_an_hour: f64,
    pub(super) traced_share: f64,
    pub(super) archive_mb: f64,
    pub(super) archives_mb_max: f64,
    pub(super) month_s: f64,
    /// Additional waits of a function's invocations, by its logical id.
    pub(super) also_ms: BTreeMap<String, f64>,
}

impl Prices {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let prices: Self =
            toml::from_str(&fs_err::read_to_string(path)?).context(|| path.display())?;
        let shares: f64 = prices.mix.values().sum();
        if (shares - 1.0).abs() > 1e-9 {
            return Err(format!("{}: the mix adds up to {shares}", path.display()).into());
        }
        Ok(prices)
    }
}

impl List {
    /// All prices, in the order of the document.
    pub(super) fn all(&self) -> [&Price; 18] {
        [
            &self.http_api_request,
            &self.lambda_request,
            &self.lambda_gb_s,
            &self.lambda_gb_s_arm64,
            &self.read_unit,
            &self.write_unit,
            &self.sqs_request,
            &self.log_byte,
            &self.label_set,
            &self.alarm_metric,
            &self.dashboard,
            &self.trace,
            &self.secret,
            &self.secret_call,
            &self.mail,
            &self.stored_gb,
            &self.recovery_gb,
            &self.backup_gb,
        ]
    }
}

impl Price {
    /// The cost of this many units in one month.
    pub(super) fn of(&self, count: f64) -> f64 {
        match &self.beyond {
            Some(beyond) if count > beyond.from => {
                (beyond.from * self.usd + (count - beyond.from) * beyond.usd) / self.per
            }
            _ => count * self.usd / self.per,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_beyond_the_threshold_have_their_own_price() {
        let beyond = Some(Beyond { from: 300e6, usd: 1.0 });
        let price = Price {
            what: String::new(),
            unit: String::new(),
            usd: 1.11,
            per: 1e6,
            looked_up: "never".to_owned(),
            beyond,
        };
        for (count, usd) in [(1e6, 1.11), (300e6, 333.0), (301e6, 334.0)] {
            assert!((price.of(count) - usd).abs() < 1e-9, "{count}: {}", price.of(count));
        }
    }
}
