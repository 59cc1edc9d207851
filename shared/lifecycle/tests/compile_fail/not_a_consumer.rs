//! A type that is no consumer.

struct WaterPlants;

fn main() {
    let _ = lifecycle::describe::consumer::<WaterPlants>();
}
