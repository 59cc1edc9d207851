//! The parts of a simulation, before it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;

use sam_template::Template;
use serde::Serialize;
use serde_json::Value as Json;

use super::faults::FaultMix;
use super::oracle::{AnyOracle, Oracle};
use super::upstream::{AnyUpstream, Upstream};
use super::version::Version;
use super::workload::{AnyWorkload, Workload};
use crate::Millis;
use crate::random::Chance;

/// A service in a simulated world, decided by one seed.
#[derive(Clone)]
pub struct Simulation {
    pub(super) seed: u64,
    pub(super) template: Option<Arc<Template>>,
    pub(super) functions: BTreeMap<String, Vec<Version>>,
    /// The functions of the template that stay without code.
    pub(super) without_code: BTreeSet<String>,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) variables: BTreeMap<String, String>,
    /// The first items, with their tables.
    pub(super) items: Vec<(String, Result<Json, String>)>,
    /// By host.
    pub(super) hosts: BTreeMap<String, Arc<dyn AnyUpstream>>,
    pub(super) faults: FaultMix,
    pub(super) workloads: Vec<(String, Arc<dyn AnyWorkload>)>,
    /// The workloads of the world at rest.
    pub(super) probes: Vec<(String, Arc<dyn AnyWorkload>)>,
    pub(super) oracles: Vec<Arc<dyn AnyOracle>>,
    pub(super) settle_min: Millis,
    pub(super) settle_max: Millis,
    pub(super) operation_max: Millis,
    /// The operations that a shrunk workload leaves out.
    pub(super) left_out: BTreeSet<usize>,
}

impl Simulation {
    /// A world without anything, in which this seed decides everything.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            template: None,
            functions: BTreeMap::new(),
            without_code: BTreeSet::new(),
            secrets: BTreeMap::new(),
            variables: BTreeMap::new(),
            items: Vec::new(),
            hosts: BTreeMap::new(),
            faults: FaultMix::none(),
            workloads: Vec::new(),
            probes: Vec::new(),
            oracles: Vec::new(),
            settle_min: Millis::seconds(1800),
            settle_max: Millis::hours(6),
            operation_max: Millis::hours(24 * 7),
            left_out: BTreeSet::new(),
        }
    }

    /// The same simulation with another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds the resources of the template: tables, queues, secrets, the API with its authorizers, event
    /// sources, schedules, and the functions' limits, variables and policies.
    #[must_use]
    pub fn template(mut self, template: &Template) -> Self {
        self.template = Some(Arc::new(template.clone()));
        self
    }

    /// Adds the code of a function of the template, by its logical id: its `main`.
    ///
    /// # Panics
    /// If the function has code already: [`Simulation::replace`] changes it, and
    /// [`Simulation::version`] adds another version.
    #[must_use]
    pub fn function(
        self,
        logical_id: &str,
        main: impl Fn() -> ExitCode + Send + Sync + 'static,
    ) -> Self {
        assert!(!self.functions.contains_key(logical_id), "{logical_id} has code already");
        self.version(logical_id, Chance::ALWAYS, main)
    }

    /// Adds the code of several functions: pairs of a logical id and a `main`.
    ///
    /// `cargo lifecycle codegen` writes such a list, by the setting `mains`.
    #[must_use]
    pub fn functions<'a, M>(self, mains: impl IntoIterator<Item = &'a (&'a str, M)>) -> Self
    where
        M: Fn() -> ExitCode + Send + Sync + Clone + 'static,
    {
        let mains = mains.into_iter();
        mains.fold(self, |simulation, (id, main)| simulation.function(id, main.clone()))
    }

    /// Leaves a function of the template without code, such as one in another language. Its invocations
    /// fail.
    #[must_use]
    pub fn without_code(mut self, logical_id: &str) -> Self {
        self.without_code.insert(logical_id.to_owned());
        self
    }

    /// Adds the code of a function in place of the code that it has: a mistake that a check must find.
    #[must_use]
    pub fn replace(
        mut self,
        logical_id: &str,
        main: impl Fn() -> ExitCode + Send + Sync + 'static,
    ) -> Self {
        self.functions.remove(logical_id);
        self.function(logical_id, main)
    }

    /// Adds another version of a function, which this share of its environments runs from the
    /// beginning.
    #[must_use]
    pub fn version(
        mut self,
        logical_id: &str,
        share: Chance,
        main: impl Fn() -> ExitCode + Send + Sync + 'static,
    ) -> Self {
        let version = Version { share, main: Arc::new(main) };
        self.functions.entry(logical_id.to_owned()).or_default().push(version);
        self
    }

    /// Sets the text of a secret, by its logical id in the template.
    #[must_use]
    pub fn secret(mut self, logical_id: &str, text: impl Into<String>) -> Self {
        self.secrets.insert(logical_id.to_owned(), text.into());
        self
    }

    /// Adds an item that a table has from the beginning, by the table's logical id, in `DynamoDB`'s JSON:
    /// `lifecycle::record::item_of(&record)` has this form.
    ///
    /// Every operation finds it, also in a shrunk workload. It is in each index at once, and its write is
    /// in the table's stream. An item that a `PutItem` could not store is an error of the run.
    #[must_use]
    pub fn item(mut self, table: &str, item: impl Serialize) -> Self {
        let item = serde_json::to_value(item).map_err(|error| error.to_string());
        self.items.push((table.to_owned(), item));
        self
    }

    /// Sets an environment variable of all functions that have it in the template.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Adds an upstream by its logical name: `partner` is at the address in `PARTNER_URL`.
    #[must_use]
    pub fn upstream(self, name: &str, upstream: impl Upstream + Clone + Sync + 'static) -> Self {
        let host = format!("{name}.upstream.test");
        let variable = format!("{}_URL", name.to_uppercase());
        self.variable(&variable, format!("https://{host}")).host(&host, upstream)
    }

    /// Adds a host that is no service of AWS, such as `id.example.com`. A function
    /// `Fn(&Request<Vec<u8>>) -> Response<Vec<u8>>` is an upstream without state. A request to any other
    /// host is answered 404.
    #[must_use]
    pub fn host(mut self, host: &str, upstream: impl Upstream + Clone + Sync + 'static) -> Self {
        self.hosts.insert(host.to_owned(), Arc::new(upstream));
        self
    }

    /// Sets the faults until all operations have ended.
    #[must_use]
    pub fn faults(mut self, faults: FaultMix) -> Self {
        self.faults = faults;
        self
    }

    /// Adds a workload. Its random numbers depend on its type and on its place among the workloads.
    #[must_use]
    pub fn workload<W: Workload>(mut self, workload: W) -> Self {
        let name = format!("{} {}", self.workloads.len(), std::any::type_name::<W>());
        self.workloads.push((name, Arc::new(workload)));
        self
    }

    /// Adds a workload that begins when the world is at rest and the oracles have checked it: requests
    /// that must succeed, since there are no faults. Its times count from then on. The oracles observe its
    /// events, and a shrunk workload may leave out its operations, which have the last indexes.
    #[must_use]
    pub fn probe<W: Workload>(mut self, workload: W) -> Self {
        let name = format!("probe {} {}", self.probes.len(), std::any::type_name::<W>());
        self.probes.push((name, Arc::new(workload)));
        self
    }

    /// Adds an oracle.
    #[must_use]
    pub fn check(mut self, oracle: impl Oracle + Clone + Sync + 'static) -> Self {
        self.oracles.push(Arc::new(oracle));
        self
    }

    /// Sets the time without faults after the last operation: at least `min`, and at most `max` until
    /// queues and streams are worked off. By default half an hour and six hours.
    #[must_use]
    pub fn settle(mut self, min: Millis, max: Millis) -> Self {
        (self.settle_min, self.settle_max) = (min, max);
        self
    }

    /// Sets how long an operation may take. One that takes longer is ended, and the run fails. By default
    /// seven days.
    #[must_use]
    pub fn operation_max(mut self, max: Millis) -> Self {
        self.operation_max = max;
        self
    }
}

/// Does not show the secrets.
impl std::fmt::Debug for Simulation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let functions: Vec<&String> = self.functions.keys().collect();
        f.debug_struct("Simulation")
            .field("seed", &self.seed)
            .field("functions", &functions)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}
