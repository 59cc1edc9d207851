//! The cost of requests: counts times prices.

use house::counts::{Counts, Request, Use};
use tooling::Error;

use super::deployed::Deployed;
use super::prices::Prices;

/// The inputs of a price.
#[derive(Clone, Copy)]
pub(super) struct Bill<'a> {
    pub(super) prices: &'a Prices,
    pub(super) deployed: &'a Deployed,
    pub(super) counts: &'a Counts,
}

/// The billed amounts of a number of requests.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Amounts {
    pub(super) requests: f64,
    pub(super) invocations: f64,
    pub(super) gb_s: f64,
    pub(super) read_units: f64,
    pub(super) write_units: f64,
    pub(super) sqs_requests: f64,
    /// The functions' output, Lambda's own lines and the access log.
    pub(super) log_bytes: f64,
    pub(super) mails: f64,
}

/// Costs in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Costs {
    pub(super) http_api: f64,
    pub(super) lambda: f64,
    pub(super) dynamodb: f64,
    pub(super) sqs: f64,
    pub(super) logs: f64,
    pub(super) mails: f64,
}

impl Bill<'_> {
    /// One request of this name, with a token that the authorizer has not seen.
    pub(super) fn request(&self, name: &str) -> Result<Amounts, Error> {
        let request = self.counts.request(name)?;
        let amounts = self.without_authorizer(request);
        Ok(if self.asks_authorizer(name) { amounts.plus(self.authorizer()) } else { amounts })
    }

    /// The authorizer, for a token that it has not seen.
    pub(super) fn authorizer(&self) -> Amounts {
        let mut amounts = Amounts::default();
        self.add(&mut amounts, &self.deployed.authorizer, self.counts.authorizer);
        amounts
    }

    /// Whether the request's route has an authorizer.
    pub(super) fn asks_authorizer(&self, name: &str) -> bool {
        let route = name.split_once(", ").map_or(name, |(route, _)| route);
        self.deployed.authorized.contains(route)
    }

    fn without_authorizer(&self, request: &Request) -> Amounts {
        let log_bytes = self.prices.assumed.access_log_bytes;
        let mut amounts =
            Amounts { requests: 1.0, mails: request.mails, log_bytes, ..Amounts::default() };
        for (function, used) in &request.functions {
            self.add(&mut amounts, function, *used);
        }
        amounts
    }

    fn add(&self, amounts: &mut Amounts, function: &str, used: Use) {
        amounts.invocations += used.invocations;
        amounts.gb_s += self.gb_s(function, used);
        amounts.read_units += used.read_units;
        amounts.write_units += used.write_units;
        amounts.sqs_requests += self.sqs_requests(function, used);
        let of_lambda = used.invocations * self.prices.assumed.lambda_log_bytes;
        amounts.log_bytes += used.log_bytes + of_lambda;
    }

    /// The SQS requests of a function: its own, and one receive and one delete for each batch that
    /// invokes it.
    pub(super) fn sqs_requests(&self, function: &str, used: Use) -> f64 {
        let polled = self.deployed.consumers.contains(function);
        used.sqs_requests + if polled { 2.0 * used.invocations } else { 0.0 }
    }

    fn gb_s(&self, function: &str, used: Use) -> f64 {
        let assumed = &self.prices.assumed;
        let also_ms = assumed.also_ms.get(function).copied().unwrap_or_default();
        let ms =
            used.invocations * (assumed.invocation_ms + also_ms) + used.calls * assumed.call_ms;
        let memory_mb = self.deployed.memory_mb.get(function).copied().unwrap_or_default();
        ms / 1_000.0 * f64::from(memory_mb) / 1_024.0
    }

    /// One request of the mix.
    pub(super) fn mix(&self) -> Result<Amounts, Error> {
        let mut amounts = Amounts::default();
        for (name, share) in &self.prices.mix {
            amounts = amounts.plus(self.request(name)?.times(*share));
        }
        Ok(amounts)
    }

    pub(super) fn costs(&self, amounts: Amounts) -> Costs {
        let prices = &self.prices.prices;
        Costs {
            http_api: prices.http_api_request.of(amounts.requests),
            lambda: prices.lambda_request.of(amounts.invocations)
                + prices.lambda_gb_s.of(amounts.gb_s),
            dynamodb: prices.read_unit.of(amounts.read_units)
                + prices.write_unit.of(amounts.write_units),
            sqs: prices.sqs_request.of(amounts.sqs_requests),
            logs: prices.log_byte.of(amounts.log_bytes),
            mails: prices.mail.of(amounts.mails),
        }
    }
}

impl Amounts {
    pub(super) fn times(self, factor: f64) -> Self {
        self.with(self, |one, _| one * factor)
    }

    fn plus(self, other: Self) -> Self {
        self.with(other, |one, other| one + other)
    }

    fn with(self, other: Self, each: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            requests: each(self.requests, other.requests),
            invocations: each(self.invocations, other.invocations),
            gb_s: each(self.gb_s, other.gb_s),
            read_units: each(self.read_units, other.read_units),
            write_units: each(self.write_units, other.write_units),
            sqs_requests: each(self.sqs_requests, other.sqs_requests),
            log_bytes: each(self.log_bytes, other.log_bytes),
            mails: each(self.mails, other.mails),
        }
    }
}

impl Costs {
    pub(super) fn together(&self) -> f64 {
        self.http_api + self.lambda + self.dynamodb + self.sqs + self.logs + self.mails
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The workspace's own prices: expectations name them instead of repeating their values.
    fn prices() -> Prices {
        Prices::read(&house::workspace().join(crate::cost::PRICES)).unwrap()
    }

    fn deployed() -> Deployed {
        Deployed {
            memory_mb: ["Get", "Settle", "Authorizer"].map(|it| (it.to_owned(), 512)).into(),
            consumers: ["Settle".to_owned()].into(),
            authorized: ["GET /a".to_owned()].into(),
            authorizer: "Authorizer".to_owned(),
            ..Deployed::default()
        }
    }

    fn counts(functions: &[(&str, Use)]) -> Counts {
        let functions = functions.iter().map(|(name, used)| ((*name).to_owned(), *used));
        let request = Request { functions: functions.collect(), mails: 1.0 };
        Counts {
            authorizer: Use { invocations: 1.0, log_bytes: 100.0, ..Use::default() },
            requests: [("GET /a".to_owned(), request.clone()), ("GET /b".to_owned(), request)]
                .into(),
            ..Counts::default()
        }
    }

    #[track_caller]
    fn is(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
    }

    #[test]
    fn a_request_costs_its_functions_and_the_authorizer_of_its_route() {
        let get = Use {
            invocations: 1.0,
            calls: 2.0,
            read_units: 3.0,
            write_units: 4.0,
            sqs_requests: 1.0,
            log_bytes: 1_000.0,
        };
        let settle = Use { invocations: 1.5, log_bytes: 500.0, ..Use::default() };
        let (prices, deployed, counts) =
            (prices(), deployed(), counts(&[("Get", get), ("Settle", settle)]));
        let bill = Bill { prices: &prices, deployed: &deployed, counts: &counts };
        let public = bill.request("GET /b").unwrap();
        is(public.invocations, 2.5);
        is(public.sqs_requests, 1.0 + 2.0 * 1.5);
        let (access_log, of_lambda) =
            (prices.assumed.access_log_bytes, prices.assumed.lambda_log_bytes);
        is(public.log_bytes, 1_500.0 + access_log + 2.5 * of_lambda);
        let ms = 2.5 * prices.assumed.invocation_ms + 2.0 * prices.assumed.call_ms;
        is(public.gb_s, ms / 1_000.0 / 2.0);
        let signed_in = bill.request("GET /a").unwrap();
        is(signed_in.invocations, 3.5);
        is(signed_in.log_bytes, 1_600.0 + access_log + 3.5 * of_lambda);
        assert!(bill.request("GET /c").is_err());
    }

    #[test]
    fn a_million_is_counts_times_prices() {
        let (prices, deployed, counts) = (prices(), deployed(), counts(&[]));
        let bill = Bill { prices: &prices, deployed: &deployed, counts: &counts };
        let amounts = Amounts {
            requests: 1.0,
            invocations: 2.0,
            gb_s: 0.5,
            read_units: 3.0,
            write_units: 4.0,
            sqs_requests: 5.0,
            log_bytes: 1_000.0,
            mails: 1.0,
        };
        let costs = bill.costs(amounts.times(1e6));
        let list = &prices.prices;
        is(costs.http_api, list.http_api_request.usd);
        is(costs.lambda, 2.0 * list.lambda_request.usd + 0.5 * list.lambda_gb_s.usd);
        is(costs.dynamodb, 3.0 * list.read_unit.usd + 4.0 * list.write_unit.usd);
        is(costs.sqs, 5.0 * list.sqs_request.usd);
        is(costs.logs, list.log_byte.usd);
        is(costs.mails, 1_000.0 * list.mail.usd);
        is(
            costs.together(),
            costs.http_api + costs.lambda + costs.dynamodb + costs.sqs + costs.logs + costs.mails,
        );
    }
}
