//! An endpoint: `GET /hello/{name}` greets a person.
//!
//! It is public and reads nothing, so its file shows the nine stages and little else. Call it with
//! `curl -i http://127.0.0.1:3000/hello/Ada`.

use lifecycle::Query;
use lifecycle::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

fn main() -> ExitCode {
    aws::serve(|_| GetHello)
}

struct GetHello;

impl Query for GetHello {
    // 1. Routing
    const ROUTE: Route = Route::get("/hello/{name}");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const RESOURCES: Resources = &[];

    // 4. Deserialisation
    type Input = Path<Name>;

    // 5. Syntax validation
    type Command = Name;

    // 6. Retrieval: other queries read their tables here
    type Facts = Name;

    async fn retrieve(&self, _: &Permit<Anyone>, name: &Name) -> Retrieved<Name> {
        Ok(name.clone())
    }

    // 3b. Authorization: every caller is allowed
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<Hello>;

    fn reply(name: Name) -> reply::Ok<Hello> {
        reply::Ok::of(Hello { message: format!("Hello, {}!", name.as_str()) })
    }
}

lifecycle::single_line! {
    /// The name of a person.
    Name: 1..=50
}

/// A greeting.
#[derive(Debug, Serialize, JsonSchema)]
struct Hello {
    /// The greeting, in English.
    message: String,
}

#[cfg(test)]
mod tests {
    use lifecycle::testing::{self, Memory, Request};

    use super::*;

    #[tokio::test]
    async fn a_person_is_greeted_by_name() {
        let get_hello = testing::endpoint(GetHello, &Memory::new());
        let answer = get_hello.ask(&Request::new().path("name", "Ada")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["data"]["message"], "Hello, Ada!");
    }

    #[tokio::test]
    async fn a_name_that_is_too_long_is_400() {
        let get_hello = testing::endpoint(GetHello, &Memory::new());
        let answer = get_hello.ask(&Request::new().path("name", "a".repeat(51))).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
}
