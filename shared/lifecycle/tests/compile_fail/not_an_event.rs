//! An event of a type without a name.

use lifecycle::effects::{Effects, Event};

#[derive(serde::Serialize)]
struct PlantWatered {
    litres: u32,
}

fn main() {
    let _ = Effects::none().event(Event::about("fern", &PlantWatered { litres: 1 }));
}
