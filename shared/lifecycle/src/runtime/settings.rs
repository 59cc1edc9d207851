//! The settings from environment variables, read once at start.

use std::env;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::source::TrustedHops;

/// The settings of every function.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// `SERVICE_NAME`: the namespace of metrics and the service of spans.
    pub(crate) service: String,
    /// The function's name on Lambda.
    pub(crate) function: String,
    /// `ALLOWED_ORIGINS`: the origins whose pages may read responses, separated by commas.
    pub(crate) allowed_origins: Vec<String>,
    /// `LOG_LEVEL`.
    pub(crate) log_level: Option<String>,
    /// `LOG_SUCCESSES`: the number of successful records in a line; 0 is 1.
    pub(crate) log_successes: u32,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: the collector for spans, if any.
    pub(crate) collector: Option<String>,
    /// `OTEL_EXPORTER_OTLP_HEADERS`: request headers for the collector, `name=value,…`.
    pub(crate) collector_headers: Vec<(String, String)>,
    /// `LIFECYCLE_INSPECTOR`: the socket of the local platform's console, if any.
    pub(crate) inspector: Option<String>,
    /// `RATE_LIMIT`: replaces the quota of endpoints with approximate counting.
    pub(crate) rate_limit: Option<u32>,
    /// `EXACT_RATE_LIMIT`: replaces the quota of endpoints with exact counting.
    pub(crate) exact_rate_limit: Option<u32>,
    /// `TRUSTED_HOPS` and `TRUSTED_HOPS_SECRET`: the trusted proxies before API Gateway.
    pub(crate) trusted_hops: TrustedHops,
    /// `AWS_LAMBDA_RUNTIME_API`: the address of Lambda's Runtime API.
    pub(crate) runtime_api: String,
    /// `AWS_LAMBDA_MAX_CONCURRENCY`: the number of concurrent requests; 1 on classic Lambda.
    pub(crate) concurrency: usize,
    /// The variables that have no effect, since their values are not the numbers that they should be.
    pub(crate) ignored: Vec<&'static str>,
}

impl Settings {
    pub(crate) fn from_environment() -> Self {
        Self::read(|name| env::var(name).ok())
    }

    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| variable(name).filter(|value| !value.is_empty());
        let list = |name: &str| text(name).map(|value| split(&value)).unwrap_or_default();
        let function = text("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "function".to_owned());
        let headers = list("OTEL_EXPORTER_OTLP_HEADERS");
        let mut ignored = Vec::new();
        Self {
            service: text("SERVICE_NAME").unwrap_or_else(|| function.clone()),
            function,
            allowed_origins: list("ALLOWED_ORIGINS"),
            log_level: text("LOG_LEVEL"),
            log_successes: number("LOG_SUCCESSES", &text, &mut ignored).unwrap_or(1),
            collector: text("OTEL_EXPORTER_OTLP_ENDPOINT"),
            collector_headers: headers
                .iter()
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.trim().to_owned(), decoded(value.trim())))
                .collect(),
            inspector: text("LIFECYCLE_INSPECTOR"),
            rate_limit: number("RATE_LIMIT", &text, &mut ignored),
            exact_rate_limit: number("EXACT_RATE_LIMIT", &text, &mut ignored),
            trusted_hops: TrustedHops {
                count: number("TRUSTED_HOPS", &text, &mut ignored).unwrap_or(0),
                secret: text("TRUSTED_HOPS_SECRET"),
            },
            runtime_api: text("AWS_LAMBDA_RUNTIME_API").unwrap_or_default(),
            concurrency: number("AWS_LAMBDA_MAX_CONCURRENCY", &text, &mut ignored).unwrap_or(1),
            ignored,
        }
    }

    /// Returns the allowed origin for a page of `origin`; `None` if it may not read responses.
    pub(crate) fn allowed_origin(&self, origin: Option<&str>) -> Option<&str> {
        let origin = origin?;
        self.allowed_origins
            .iter()
            .find(|allowed| *allowed == origin || *allowed == "*")
            .map(String::as_str)
    }
}

/// The values of OpenTelemetry's header list are percent-encoded.
fn decoded(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// The number in a variable. A variable with another value is added to the ignored ones.
fn number<N: FromStr>(
    name: &'static str,
    text: &impl Fn(&str) -> Option<String>,
    ignored: &mut Vec<&'static str>,
) -> Option<N> {
    let number: Option<N> = text(name)?.parse().ok();
    if number.is_none() {
        ignored.push(name);
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::warn_of_ignored;
    use crate::telemetry::log::captured::Captured;

    #[test]
    fn a_variable_that_is_not_its_number_has_no_effect_and_is_named() {
        let settings = Settings::read(|name| match name {
            "RATE_LIMIT" => Some("600 a minute".to_owned()),
            "LOG_SUCCESSES" => Some("most".to_owned()),
            "EXACT_RATE_LIMIT" => Some("7".to_owned()),
            "TRUSTED_HOPS" => Some("-1".to_owned()),
            "AWS_LAMBDA_MAX_CONCURRENCY" => Some(String::new()),
            _ => None,
        });
        assert_eq!((settings.rate_limit, settings.exact_rate_limit), (None, Some(7)));
        assert_eq!((settings.trusted_hops.count, settings.concurrency), (0, 1));
        assert_eq!(settings.log_successes, 1);
        assert_eq!(settings.ignored, ["LOG_SUCCESSES", "RATE_LIMIT", "TRUSTED_HOPS"]);
    }

    #[test]
    fn lists_are_separated_by_commas_and_empty_entries_are_left_out() {
        let settings = Settings::read(|name| match name {
            "ALLOWED_ORIGINS" => Some(" https://a.example,, https://b.example ,".to_owned()),
            "OTEL_EXPORTER_OTLP_HEADERS" => {
                Some("key=a=b, odd, Authorization = Basic%20abc".to_owned())
            }
            _ => None,
        });
        assert_eq!(settings.allowed_origins, ["https://a.example", "https://b.example"]);
        assert_eq!(
            settings.collector_headers,
            [("key", "a=b"), ("Authorization", "Basic abc")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn an_origin_is_allowed_by_its_name_or_by_a_star() {
        let settings =
            |origins: &str| Settings { allowed_origins: split(origins), ..Settings::default() };
        let (named, any) = (settings("https://a.example"), settings("*"));
        let (ours, other) = (Some("https://a.example"), Some("https://b.example"));
        assert_eq!((named.allowed_origin(ours), named.allowed_origin(other)), (ours, None));
        assert_eq!((any.allowed_origin(ours), any.allowed_origin(other)), (Some("*"), Some("*")));
        assert_eq!(any.allowed_origin(None), None);
    }

    #[test]
    fn the_environment_is_read() {
        // Cargo sets it for each test.
        assert!(env::var("CARGO_MANIFEST_DIR").is_ok());
        assert_eq!(Settings::from_environment().function, "function");
    }

    #[test]
    fn ignored_variables_are_in_the_log_once() {
        let logged = Captured::start();
        let message = "variables are no valid numbers; they have no effect";
        warn_of_ignored(&Settings::default());
        assert_eq!(logged.of(message).len(), 0);
        let ignored = vec!["RATE_LIMIT", "TRUSTED_HOPS"];
        warn_of_ignored(&Settings { ignored, ..Settings::default() });
        assert_eq!(logged.of(message)[0]["variables"], "RATE_LIMIT, TRUSTED_HOPS");
    }
}
