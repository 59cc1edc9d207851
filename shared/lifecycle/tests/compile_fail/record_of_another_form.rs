//! A consumer whose input is not delivered by any source.

use lifecycle::Consumer;
use lifecycle::prelude::*;

struct WaterPlants;

#[derive(Debug, serde::Deserialize)]
struct Watering {
    litres: u32,
}

impl Consumer for WaterPlants {
    const SOURCE: Source = Source::Schedule(Schedule::every_minutes(1));
    const RESOURCES: Resources = &[];

    type Input = Watering;
    type Command = Watering;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, _: &Watering) -> Retrieved<()> {
        Ok(())
    }

    fn decide(_: &Moment, _: &Watering, (): ()) -> Result<Effects, DomainError> {
        Ok(Effects::none())
    }
}

fn main() {}
