//! The generated parts of the document, in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use house::counts::Use;
use tooling::Error;

use super::money::{Amounts, Bill, Costs};

/// The generated texts by the names of their markers.
pub(super) type Tables = BTreeMap<&'static str, String>;

/// The request whose parts are shown.
const JOURNEY: &str = "POST /orders";

/// The row of the authorizer.
const AUTHORIZER: &str = "authorizer, for a token it has not seen";

/// The rates of the table of months, in requests a second, as they are written.
const RATES: [(f64, &str); 3] = [(1.0, "1"), (1_000.0, "1 000"), (10_000.0, "10 000")];

const MILLION: f64 = 1e6;

pub(super) fn all(bill: &Bill<'_>, routes: &[String]) -> Result<Tables, Error> {
    Ok(Tables::from([
        ("arm64", arm64(bill)?),
        ("journey", journey(bill)?),
        ("logs", logs(bill)),
        ("million", million(bill, routes)?),
        ("month", month(bill)?),
        ("others", others(bill)?),
        ("prices", prices(bill)),
        ("times", times(bill)),
        ("uses", uses(bill, routes)?),
    ]))
}

fn prices(bill: &Bill<'_>) -> String {
    let region = &bill.prices.region;
    let mut text = format!("\n\n| what | US dollars in {region} | looked up |\n|---|---|---|\n");
    for price in bill.prices.prices.all() {
        let beyond = price.beyond.as_ref().map(|beyond| {
            format!("; {:.2} beyond {} million a month", beyond.usd, beyond.from / MILLION)
        });
        let (what, unit) = (&price.what, &price.unit);
        let usd = price_of(price.usd);
        row(
            &mut text,
            &[what, &format!("{usd} {unit}{}", beyond.unwrap_or_default()), &price.looked_up],
        );
    }
    format!("{text}\n")
}

/// A price with at least two decimal places, and all that it has.
fn price_of(usd: f64) -> String {
    let (short, long) = (format!("{usd:.2}"), usd.to_string());
    if short.len() > long.len() { short } else { long }
}

fn times(bill: &Bill<'_>) -> String {
    let assumed = &bill.prices.assumed;
    let mut also: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for (function, ms) in &assumed.also_ms {
        let name = format!("`{function}`");
        // Milliseconds are whole numbers.
        also.entry(ms.to_bits()).or_default().push(name);
    }
    let also = also
        .iter()
        .map(|(ms, names)| format!("{} ms for {}", grouped(f64::from_bits(*ms)), names.join(", ")));
    format!(
        "{} ms for an invocation, {} ms more for each call; in addition {}",
        assumed.invocation_ms,
        assumed.call_ms,
        also.collect::<Vec<_>>().join("; "),
    )
}

fn uses(bill: &Bill<'_>, routes: &[String]) -> Result<String, Error> {
    let mut text = "\n\n| request | invocations | reads | writes | SQS | log KB | mails |\n|---|---|---|---|---|---|---|\n".to_owned();
    for name in names(bill, routes) {
        let request = bill.counts.request(name)?;
        let used = request.total();
        let functions = request.functions.iter();
        let sqs: f64 = functions.map(|(function, used)| bill.sqs_requests(function, *used)).sum();
        let more = if bill.asks_authorizer(name) { " + authorizer" } else { "" };
        let invocations = format!("{}{more}", short(used.invocations));
        used_row(&mut text, &titled(name), &invocations, used, sqs, &short(request.mails));
    }
    let used = bill.counts.authorizer;
    used_row(&mut text, AUTHORIZER, &short(used.invocations), used, 0.0, "0");
    Ok(format!("{text}\n"))
}

fn used_row(text: &mut String, name: &str, invocations: &str, used: Use, sqs: f64, mails: &str) {
    let kb = format!("{:.1}", used.log_bytes / 1_000.0);
    row(
        text,
        &[
            name,
            invocations,
            &short(used.read_units),
            &short(used.write_units),
            &short(sqs),
            &kb,
            mails,
        ],
    );
}

/// The share of each function in an order.
fn journey(bill: &Bill<'_>) -> Result<String, Error> {
    let mut text = "\n\n| function | invocations | calls | reads | writes | SQS | log KB |\n|---|---|---|---|---|---|---|\n".to_owned();
    for (function, used) in &bill.counts.request(JOURNEY)?.functions {
        let sqs = short(bill.sqs_requests(function, *used));
        let kb = format!("{:.1}", used.log_bytes / 1_000.0);
        let [invocations, calls] = [used.invocations, used.calls].map(short);
        let [reads, writes] = [used.read_units, used.write_units].map(short);
        row(
            &mut text,
            &[&format!("`{function}`"), &invocations, &calls, &reads, &writes, &sqs, &kb],
        );
    }
    Ok(format!("{text}\n"))
}

fn million(bill: &Bill<'_>, routes: &[String]) -> Result<String, Error> {
    let mut text = format!("\n\n| a million of | {COSTS}\n");
    for name in names(bill, routes) {
        costs_row(&mut text, &titled(name), bill.costs(bill.request(name)?.times(MILLION)), cents);
    }
    let authorizer = bill.costs(bill.authorizer().times(MILLION));
    costs_row(&mut text, AUTHORIZER, authorizer, cents);
    let mix = bill.costs(bill.mix()?.times(MILLION));
    costs_row(&mut text, &format!("the mix: {}", mixed(bill)), mix, cents);
    Ok(format!("{text}\n"))
}

/// The heading of costs.
const COSTS: &str = "HTTP API | Lambda | DynamoDB | SQS | logs | mails | together |\n|---|---|---|---|---|---|---|---|";

fn costs_row(text: &mut String, name: &str, costs: Costs, shown: fn(f64) -> String) {
    let together = format!("**{}**", shown(costs.together()));
    let parts = [costs.http_api, costs.lambda, costs.dynamodb, costs.sqs, costs.logs, costs.mails];
    let parts = parts.map(shown);
    let cells = [&[name.to_owned()], &parts[..], &[together]].concat();
    row(text, &cells.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The shares of the mix, the largest first.
fn mixed(bill: &Bill<'_>) -> String {
    let mut shares: Vec<_> = bill.prices.mix.iter().collect();
    shares.sort_by(|one, other| other.1.total_cmp(one.1));
    let shares =
        shares.iter().map(|(name, share)| format!("{:.0} % {}", *share * 100.0, titled(name)));
    shares.collect::<Vec<_>>().join("; ")
}

fn month(bill: &Bill<'_>) -> Result<String, Error> {
    let mut text = format!("\n\n| requests a second | {COSTS}\n");
    for (rate, name) in RATES {
        let requests = rate * bill.prices.assumed.month_s;
        costs_row(&mut text, name, bill.costs(bill.mix()?.times(requests)), dollars);
    }
    Ok(format!("{text}\n"))
}

/// The monthly costs that do not depend on the rate.
fn others(bill: &Bill<'_>) -> Result<String, Error> {
    let (prices, assumed, deployed) = (&bill.prices.prices, &bill.prices.assumed, bill.deployed);
    let sets: u32 = bill.counts.label_sets.values().sum();
    let answered = bill.counts.label_sets.get("http_requests_total").copied().unwrap_or_default();
    let more = deployed.answers.saturating_sub(answered);
    let sets_most = sets + more;
    let functions = f64::from(u32::try_from(deployed.memory_mb.len())?);
    let polls = f64::from(deployed.mappings) * assumed.polls_a_minute / 60.0 * assumed.month_s;
    let reads = f64::from(deployed.secret_readers) * assumed.secret_reads_an_hour / 3_600.0;
    let reads = reads * assumed.month_s;
    let traced = |rate: f64| 1.0 + (rate - 1.0) * assumed.traced_share;
    let traces = RATES.map(|(rate, _)| dollars(prices.trace.of(traced(rate) * assumed.month_s)));
    let releases = (assumed.archives_mb_max / (functions * assumed.archive_mb)).floor();
    let routes = if deployed.route_metrics { "on: paid for as own metrics" } else { "off" };
    let mut text = "\n\n| what | a month |\n|---|---|\n".to_owned();
    let rows = [
        (
            format!("own metrics: {sets} sets of labels, once each route has succeeded"),
            dollars(prices.label_set.of(f64::from(sets))),
        ),
        (
            format!("and {more} more, once each has answered with every status of its description"),
            format!("up to {}", dollars(prices.label_set.of(f64::from(sets_most)))),
        ),
        (format!("API Gateway's metrics of each route: {routes}"), dollars(0.0)),
        (
            format!("alarms: {}, with {} metrics in them", deployed.alarms, deployed.alarm_metrics),
            dollars(prices.alarm_metric.of(f64::from(deployed.alarm_metrics))),
        ),
        (
            format!("dashboards: {}; an account's first three cost nothing", deployed.dashboards),
            format!("0 to {}", dollars(prices.dashboard.of(f64::from(deployed.dashboards)))),
        ),
        (
            format!(
                "queues, polled for nothing: {} mappings, {} requests each",
                deployed.mappings,
                grouped(polls / f64::from(deployed.mappings))
            ),
            dollars(prices.sqs_request.of(polls)),
        ),
        (
            format!("secrets: {}", deployed.secrets),
            dollars(prices.secret.of(f64::from(deployed.secrets))),
        ),
        (
            format!(
                "reads of secrets: {} by functions, each {} times an hour in one environment",
                deployed.secret_readers, assumed.secret_reads_an_hour
            ),
            format!("up to {}", dollars(prices.secret_call.of(reads))),
        ),
        ("tracing, where `Tracing=Active`, at the three rates".to_owned(), traces.join(", ")),
        (
            format!("versions: {functions} functions of {} MB a release", assumed.archive_mb),
            format!("0; some {releases} releases until old ones have to be deleted"),
        ),
    ];
    for (what, usd) in rows {
        row(&mut text, &[&what, &usd]);
    }
    Ok(format!("{text}\n"))
}

fn logs(bill: &Bill<'_>) -> String {
    let (price, assumed) = (&bill.prices.prices.log_byte, &bill.prices.assumed);
    format!(
        "API Gateway's access log, some {} bytes a request, is {} a million; Lambda's own lines, some {} bytes an invocation, are {} a million",
        assumed.access_log_bytes,
        cents(price.of(assumed.access_log_bytes * MILLION)),
        assumed.lambda_log_bytes,
        cents(price.of(assumed.lambda_log_bytes * MILLION)),
    )
}

fn arm64(bill: &Bill<'_>) -> Result<String, Error> {
    let prices = &bill.prices.prices;
    let Amounts { gb_s, .. } = bill.mix()?.times(MILLION);
    let (now, then) = (prices.lambda_gb_s.of(gb_s), prices.lambda_gb_s_arm64.of(gb_s));
    let together = bill.costs(bill.mix()?.times(MILLION)).together();
    Ok(format!(
        "{} instead of {} of the {} dollars that a million requests of the mix cost",
        cents(then),
        cents(now),
        cents(together)
    ))
}

/// The requests in the order of the document.
fn names<'a>(bill: &'a Bill<'_>, routes: &'a [String]) -> impl Iterator<Item = &'a str> {
    routes.iter().flat_map(|route| bill.counts.cases(route))
}

/// The route as code, followed by its case as plain text: `GET /users/{userId}`.
fn titled(name: &str) -> String {
    match name.split_once(", ") {
        Some((route, case)) => format!("`{route}`, {case}"),
        None => format!("`{name}`"),
    }
}

fn row(text: &mut String, cells: &[&str]) {
    writeln!(text, "| {} |", cells.join(" | ")).expect("a string takes any text");
}

/// At most one decimal place, or two below one, without trailing zeros.
fn short(value: f64) -> String {
    let places = if value < 1.0 { 100.0 } else { 10.0 };
    ((value * places).round() / places).to_string()
}

fn cents(usd: f64) -> String {
    format!("{usd:.2}")
}

/// Whole dollars; above a thousand, three significant digits.
fn dollars(usd: f64) -> String {
    let unit = if usd < 1_000.0 { 1.0 } else { 10_f64.powf(usd.log10().floor() - 2.0) };
    grouped((usd / unit).round() * unit)
}

/// A whole number with a blank between thousands.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use house::counts::Counts;

    use super::*;
    use crate::cost::deployed::Deployed;
    use crate::cost::prices::Prices;

    #[test]
    fn reads_of_secrets_are_priced() {
        let prices = Prices::read(&house::workspace().join(crate::cost::PRICES)).unwrap();
        let deployed = Deployed { secret_readers: 1_000, mappings: 1, ..Deployed::default() };
        let counts = Counts::default();
        let others = others(&Bill { prices: &prices, deployed: &deployed, counts: &counts });
        let a_month = 1_000.0 * prices.assumed.secret_reads_an_hour * 24.0 * 30.0;
        let price = &prices.prices.secret_call;
        let usd = dollars(a_month * price.usd / price.per);
        let row = format!("in one environment | up to {usd} |");
        let others = others.unwrap();
        assert!(others.contains(&row), "{row} is not in {others}");
    }

    #[test]
    fn numbers_have_at_most_three_significant_digits_above_a_thousand() {
        for (usd, expected) in
            [(0.4, "0"), (12.6, "13"), (999.0, "999"), (11_123.0, "11 100"), (111_123.0, "111 000")]
        {
            assert_eq!(dollars(usd), expected);
        }
        assert_eq!([2.0, 6.44, 0.15, 0.004].map(short), ["2", "6.4", "0.15", "0"]);
        assert_eq!([0.0, 648_000.0, 1_234_567.0].map(grouped), ["0", "648 000", "1 234 567"]);
        assert_eq!([0.2, 0.1415, 1.0].map(price_of), ["0.20", "0.1415", "1.00"]);
    }
}
