//! Query parameters and headers of requests, and the media types that endpoints describe.

use super::*;
use crate::input::{Headers, Json, QueryString};

#[derive(Debug, eserde::Deserialize, schemars::JsonSchema)]
struct Wanted {
    floor: u8,
}

#[derive(Debug, eserde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct By {
    x_entrance: String,
}

/// Returns a query parameter and a header.
struct GetRooms;

impl Query for GetRooms {
    const ROUTE: Route = Route::get("/rooms");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const LIMIT: Limit = Limit::OFF;
    const RESOURCES: Resources = &[];
    type Input = (QueryString<Wanted>, Headers<By>);
    type Command = (Wanted, By);
    type Facts = String;

    async fn retrieve(&self, _: &Permit<Anyone>, (wanted, by): &(Wanted, By)) -> Retrieved<String> {
        Ok(format!("floor {} by {}", wanted.floor, by.x_entrance))
    }

    const ALLOW: Allow<Self> = Allow::Always;
    type Reply = reply::Ok<String>;

    fn reply(text: String) -> reply::Ok<String> {
        reply::Ok::of(text)
    }
}

#[tokio::test]
async fn a_query_parameter_and_a_header_are_read_and_described() {
    let get_rooms = endpoint(GetRooms, &Memory::new());
    let request = Request::new().query("floor", 3).header("x-entrance", "south");
    assert_eq!(get_rooms.ask(&request).await.json()["data"], "floor 3 by south");

    let odd = get_rooms.ask(&Request::new().query("floor", "no")).await;
    let details = odd.json()["error"]["details"].take();
    let fields = details.as_array().unwrap().iter().map(|detail| detail["field"].clone());
    assert_eq!(fields.collect::<Vec<_>>(), ["header.X-Entrance", "query.floor"]);

    let described = crate::describe::endpoint::<GetRooms>();
    assert!(described["input"]["query"]["properties"].get("floor").is_some(), "{described}");
    assert!(described["input"]["headers"]["properties"].get("x-entrance").is_some(), "{described}");
}

/// An endpoint with a body.
macro_rules! with_body {
    ($name:ident, $route:expr) => {
        struct $name;

        impl Query for $name {
            const ROUTE: Route = $route;
            type Caller = Anyone;
            const ACCESS: Access<NoRole> = Access::Public;
            const RESOURCES: Resources = &[];
            type Input = Json<Wanted>;
            type Command = Wanted;
            type Facts = ();

            async fn retrieve(&self, _: &Permit<Anyone>, _: &Wanted) -> Retrieved<()> {
                Ok(())
            }

            const ALLOW: Allow<Self> = Allow::Always;
            type Reply = reply::NoContent;

            fn reply((): ()) -> reply::NoContent {
                reply::NoContent
            }
        }
    };
}

with_body!(PatchRoom, Route::patch("/rooms"));
with_body!(PutRoom, Route::put("/rooms"));

#[test]
fn only_a_patch_describes_that_it_takes_a_merge_patch() {
    let offered = |description: Value| {
        let refusals = description["refusals"].as_array().unwrap().iter();
        let mut unsupported = refusals.filter(|it| it["code"] == "UNSUPPORTED_MEDIA_TYPE");
        unsupported.next().unwrap()["message"].as_str().unwrap().to_owned()
    };
    for (description, is_patch) in [
        (crate::describe::endpoint::<PatchRoom>(), true),
        (crate::describe::endpoint::<PutRoom>(), false),
    ] {
        let offered = offered(description);
        assert!(offered.contains("application/json"), "{offered}");
        assert_eq!(offered.contains("application/merge-patch+json"), is_patch, "{offered}");
    }
}
