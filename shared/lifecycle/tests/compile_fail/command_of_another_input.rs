//! A command without a conversion from the input.

use lifecycle::Query;
use lifecycle::prelude::*;

struct GetPlant;

#[derive(Debug)]
struct PlantId(String);

#[derive(serde::Serialize, schemars::JsonSchema)]
struct PlantView {
    name: String,
}

impl Query for GetPlant {
    const ROUTE: Route = Route::get("/plants/{plantId}");
    type Caller = Anyone;
    const ACCESS: Access = Access::Public;
    const RESOURCES: Resources = &[];

    type Input = Path<String>;
    type Command = PlantId;

    type Facts = PlantView;

    async fn retrieve(&self, _: &Permit<Anyone>, id: &PlantId) -> Retrieved<PlantView> {
        Ok(PlantView { name: id.0.clone() })
    }

    const ALLOW: Allow<Self> = Allow::Always;

    type Reply = reply::Ok<PlantView>;

    fn reply(plant: PlantView) -> reply::Ok<PlantView> {
        reply::Ok::of(plant)
    }
}

fn main() {}
