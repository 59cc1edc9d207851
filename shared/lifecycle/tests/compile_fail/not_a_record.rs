//! A write of a type that no table has.

use lifecycle::effects::Effects;
use lifecycle::effects::Write;

#[derive(serde::Serialize, serde::Deserialize)]
struct Plant {
    name: String,
}

fn main() {
    let plant = Plant { name: "fern".to_owned() };
    let _ = Effects::none().write(Write::put(&plant));
}
