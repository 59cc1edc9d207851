//! A failure whose data is not that of the success.

use lifecycle::Query;
use lifecycle::prelude::*;

struct GetPlant;

#[derive(serde::Serialize, schemars::JsonSchema)]
struct PlantView {
    name: String,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Outage {
    reason: String,
}

impl Query for GetPlant {
    const ROUTE: Route = Route::get("/plants/{plantId}");
    type Caller = Anyone;
    const ACCESS: Access = Access::Public;
    const RESOURCES: Resources = &[];

    type Input = Path<String>;
    type Command = String;

    type Facts = PlantView;

    async fn retrieve(&self, _: &Permit<Anyone>, id: &String) -> Retrieved<PlantView> {
        Ok(PlantView { name: id.clone() })
    }

    const ALLOW: Allow<Self> = Allow::Always;

    type Reply = Result<reply::Ok<PlantView>, reply::ServiceUnavailable<Outage>>;

    fn reply(plant: PlantView) -> Result<reply::Ok<PlantView>, reply::ServiceUnavailable<Outage>> {
        Ok(reply::Ok::of(plant))
    }
}

fn main() {}
