//! An `ALLOW` whose closure does not name the type of a used parameter.

use lifecycle::Query;
use lifecycle::prelude::*;

struct GetPlant;

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
    type Command = String;

    type Facts = PlantView;

    async fn retrieve(&self, _: &Permit<Anyone>, id: &String) -> Retrieved<PlantView> {
        Ok(PlantView { name: id.clone() })
    }

    const ALLOW: Allow<Self> = Allow::HideUnless(|_, id, _| id.is_empty());

    type Reply = reply::Ok<PlantView>;

    fn reply(plant: PlantView) -> reply::Ok<PlantView> {
        reply::Ok::of(plant)
    }
}

fn main() {}
