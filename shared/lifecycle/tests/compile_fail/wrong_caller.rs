//! A caller that is no `Identity`.

use lifecycle::Query;
use lifecycle::prelude::*;

struct GetPlant;

#[derive(Clone)]
struct Gardener;

#[derive(serde::Serialize, schemars::JsonSchema)]
struct PlantView {
    name: String,
}

impl Query for GetPlant {
    const ROUTE: Route = Route::get("/plants/{plantId}");
    type Caller = Gardener;
    const ACCESS: Access = Access::Public;
    const RESOURCES: Resources = &[];

    type Input = Path<String>;
    type Command = String;

    type Facts = PlantView;

    async fn retrieve(&self, _: &Permit<Gardener>, id: &String) -> Retrieved<PlantView> {
        Ok(PlantView { name: id.clone() })
    }

    const ALLOW: Allow<Self> = Allow::Always;

    type Reply = reply::Ok<PlantView>;

    fn reply(plant: PlantView) -> reply::Ok<PlantView> {
        reply::Ok::of(plant)
    }
}

fn main() {}
