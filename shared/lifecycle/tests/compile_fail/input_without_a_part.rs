//! An input that is no part of a request.

use lifecycle::Query;
use lifecycle::prelude::*;

struct GetPlant;

#[derive(Debug, eserde::Deserialize, schemars::JsonSchema)]
struct Filter {
    colour: String,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct PlantView {
    name: String,
}

impl Query for GetPlant {
    const ROUTE: Route = Route::get("/plants/{plantId}");
    type Caller = Anyone;
    const ACCESS: Access = Access::Public;
    const RESOURCES: Resources = &[];

    type Input = Filter;
    type Command = Filter;

    type Facts = PlantView;

    async fn retrieve(&self, _: &Permit<Anyone>, id: &Filter) -> Retrieved<PlantView> {
        Ok(PlantView { name: id.colour.clone() })
    }

    const ALLOW: Allow<Self> = Allow::Always;

    type Reply = reply::Ok<PlantView>;

    fn reply(plant: PlantView) -> reply::Ok<PlantView> {
        reply::Ok::of(plant)
    }
}

fn main() {}
