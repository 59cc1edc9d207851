//! The store as a simulation: its template, functions, secrets, upstreams, people and oracles.

use std::collections::BTreeMap;
use std::process::ExitCode;

use sam_template::Template;
use simulation::Millis;
use simulation::random::Chance;
use simulation::world::{FaultMix, Simulation};

use crate::Main;
use crate::opening::key_secrets;
use crate::oracles;
use crate::upstreams::{Alerts, Objects, Partner, alert_credentials, partner_credentials};
use crate::workloads::{Attackers, Catalogue, Customers, Newsroom, Operators, Partners, Probes};

/// The template that is deployed.
const TEMPLATE: &str = include_str!("../../template.yaml");

/// The share of environments that run the second version of a function from the beginning. Both
/// versions are the same code; each has separate environments and caches.
const SECOND_VERSION: Chance = Chance::percent(20);

/// The template.
///
/// # Errors
/// If it has something that is not simulated.
pub fn template() -> Result<Template, String> {
    Template::parse(TEMPLATE, &BTreeMap::new()).map_err(|error| error.to_string())
}

/// The store under these faults, with so many orders, and with everything else in proportion.
///
/// # Errors
/// If the template cannot be read.
pub fn store(
    functions: &[(&str, Main)],
    seed: u64,
    orders: usize,
    faults: FaultMix,
) -> Result<Simulation, String> {
    let template = template()?;
    let mut store = Simulation::new(seed)
        .template(&template)
        .secret("PartnerCredentialsSecret", partner_credentials())
        .secret("NotifiersSecret", alert_credentials())
        .upstream("partner", Partner::default())
        .upstream("objects", Objects)
        .upstream("slack", Alerts)
        .upstream("datadog", Alerts)
        .upstream("new_relic", Alerts)
        .faults(faults)
        .settle(Millis::seconds(2400), Millis::hours(14));
    for (secret, text) in key_secrets() {
        store = store.secret(secret, text.clone());
    }
    for (id, main) in functions {
        store = store.function(id, *main).version(id, SECOND_VERSION, *main);
        store = store.version(id, Chance::NEVER, || ExitCode::FAILURE);
    }
    let functions = functions.iter().map(|(id, _)| (*id).to_owned()).collect();
    let store = store
        .workload(Customers { orders })
        .workload(Newsroom { edits: orders })
        .workload(Catalogue { changes: orders / 2 })
        .workload(Partners { callbacks: orders / 2 })
        .workload(Attackers { attempts: orders / 2 })
        .workload(Operators { tasks: 2 + orders / 10, functions })
        .probe(Probes);
    Ok(oracles::watching(store, &template))
}
