//! An upstream with a circuit breaker: `GET /rates/{currency}` asks a bank for an exchange rate.
//!
//! After five failures in 30 seconds, counted across all instances, requests are answered 503 at once,
//! with `Retry-After`; then single requests probe the bank. The template's parameter `BankUrl` has the
//! address of the bank.

use aws::Aws;
use aws::upstream::{Breaker, CIRCUITS, Client, Health, Request, Response, UpstreamError};
use lifecycle::prelude::*;
use lifecycle::{Query, ServiceError, Upstream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    aws::serve(build)
}

fn build(aws: &Aws) -> GetRate {
    GetRate { bank: aws.upstream(BANK), breaker: aws.breaker(BANK) }
}

const BANK: Upstream = Upstream::new("bank");

struct GetRate {
    bank: Client,
    breaker: Breaker,
}

impl Query for GetRate {
    // 1. Routing
    const ROUTE: Route = Route::get("/rates/{currency}");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const RESOURCES: Resources =
        &[Resource::Upstream(BANK), Resource::Table(CIRCUITS, &[GetItem, PutItem])];

    // 4. Deserialisation
    type Input = Path<Currency>;

    // 5. Syntax validation
    type Command = Currency;

    // 6. Retrieval: a call to the bank, unless the circuit is open
    type Facts = Rate;

    async fn retrieve(&self, permit: &Permit<Anyone>, currency: &Currency) -> Retrieved<Rate> {
        let request = Request::get(format!("/rates/{}", currency.as_str()));
        let call = self.bank.send(permit, &request);
        let guarded = self.breaker.guard(permit, call, health).await?;
        rate(guarded.value)
    }

    // 3b. Authorization: the rates are public
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<Rate>;

    fn reply(rate: Rate) -> reply::Ok<Rate> {
        reply::Ok::of(rate)
    }
}

lifecycle::wire_enum! {
    /// A currency.
    Currency {
        /// The dollar of the United States.
        Usd = "USD",
        /// The yen of Japan.
        Jpy = "JPY",
    }
}

/// An exchange rate.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Rate {
    /// The amount of one euro, as a decimal number.
    per_euro: String,
}

/// The health of the bank by its response. A refusal is no failure.
fn health(answer: &Result<Response, UpstreamError>) -> Health {
    match answer {
        Ok(response) if response.status.is_server_error() => Health::Down,
        Ok(_) => Health::Up,
        Err(UpstreamError::Unsendable { .. }) => Health::Unknown,
        Err(_) => Health::Down,
    }
}

fn rate(answer: Result<Response, UpstreamError>) -> Retrieved<Rate> {
    let response = answer.map_err(ServiceError::from)?;
    if response.status.as_u16() == 404 {
        return Err(RetrieveError::NotFound);
    }
    let response = response.success().map_err(ServiceError::from)?;
    Ok(response.json().map_err(ServiceError::from)?)
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use http::StatusCode;
    use lifecycle::testing::{self, Memory};

    use super::*;

    #[tokio::test]
    async fn the_rate_of_the_bank_is_200() {
        let bank = InMemory::new(&Memory::new()).upstream(BANK, |request| {
            assert_eq!(request.uri().path(), "/rates/USD");
            http::Response::new(br#"{"perEuro":"1.08"}"#.to_vec())
        });
        let request = testing::Request::new().path("currency", "USD");
        let answer = bank.endpoint(build).ask(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["data"]["perEuro"], "1.08");
    }

    fn answer(status: u16, body: &str) -> Response {
        Response::made_up(BANK, StatusCode::from_u16(status).unwrap(), body)
    }

    #[test]
    fn the_banks_failures_count_against_it_and_its_refusals_do_not() {
        for (status, health) in [(200, Health::Up), (404, Health::Up), (503, Health::Down)] {
            assert_eq!(super::health(&Ok(answer(status, ""))), health, "{status}");
        }
    }

    #[test]
    fn a_rate_is_read_and_an_unknown_currency_is_not_found() {
        let found = rate(Ok(answer(200, r#"{"perEuro":"1.08"}"#))).unwrap();
        assert_eq!(found, Rate { per_euro: "1.08".to_owned() });
        assert!(matches!(rate(Ok(answer(404, ""))), Err(RetrieveError::NotFound)));
        let failed = rate(Ok(answer(500, ""))).unwrap_err();
        assert!(matches!(failed, RetrieveError::Service(ServiceError::Upstream(_))), "{failed:?}");
    }
}
