//! Probes: operations in the world at rest.

use serde_json::json;
use simulation::Millis;
use simulation::random::{Chance, Seeded};
use simulation::world::{ApiRequest, Client, Fault, FaultMix, Planned, Workload};

use super::service::place_order;
use super::{ENDPOINT, settings, simulation};

/// Orders once, and notes the status.
struct OneOrder;

impl Workload for OneOrder {
    type Operation = &'static str;

    fn plan(&self, _: &mut Seeded) -> Vec<Planned<&'static str>> {
        vec![Planned::after(Millis::seconds(1), "probe")]
    }

    async fn perform(&self, client: Client, _: &&'static str) {
        let order = json!({ "orderId": "probe", "pieces": 1 });
        let request = ApiRequest::post("/orders", &order).header("idempotency-key", "probe");
        let status = client.send(request).await.ok().map(|answer| answer.status);
        client.note("probed", json!({ "operation": client.operation(), "status": status }));
    }
}

#[test]
fn a_probe_begins_without_faults_after_everything_else() {
    let mix = FaultMix::only(Fault::LostClientRequest, Chance::percent(50));
    let service = simulation(1, 3, mix).function(ENDPOINT, place_order);

    let without = service.run().unwrap();
    let with = service.probe(OneOrder).run().unwrap();

    let notes = settings::notes(&with, "probed");
    assert_eq!(notes, [&json!({ "operation": 3, "status": 201 })]);
    assert_eq!(with.operations.len(), 4);
    let before = without.trace.events();
    assert_eq!(&with.trace.events()[..before.len()], before, "the same run until then");
}
