//! The store in this process: its functions, started by their `main`, on simulated services.
//!
//! Each input finds the same state. After a write, and after time has passed, it is copied again.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws::testing::connector;
use bytes::Bytes;
use http::Response;
use lifecycle::testing::simulated::{
    SimulatedFunction, SimulatedInvocation, Surroundings, start, within,
};
use sam_template::Template;
use serde_json::Value as Json;
use simulate::Main;
use simulate::upstreams::{Alerts, Objects, Partner, alert_credentials, partner_credentials};
use simulation::random::Seeded;
use simulation::services::Services;
use simulation::world::{Parts, Simulation};
use store_functions::MAINS;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::items;
pub use crate::network::NOW;
use crate::network::{Around, Network, State, Wire, lock};

/// The time for an invocation.
const TIME: Duration = Duration::from_secs(10);
/// A part of each secret text, which no log line may have.
const SECRET: &str = simulate::people::SECRET;

thread_local! {
    static STORE: RefCell<Option<Store>> = const { RefCell::new(None) };
}

/// The changes of an input before its event arrives.
#[derive(Default)]
pub struct Changes {
    /// Items in `DynamoDB`'s JSON, by the logical id of their table.
    pub items: Vec<(String, Json)>,
    /// Texts of environment variables.
    pub variables: BTreeMap<String, String>,
    /// Answers to the function's requests, in order, in place of the usual ones.
    pub answers: VecDeque<Response<Vec<u8>>>,
    /// Whether the answers are also those of AWS, and not only of other hosts.
    pub answers_of_aws: bool,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.items.is_empty() && self.variables.is_empty() && self.answers.is_empty()
    }
}

/// The result of an invocation.
pub struct Invoked {
    /// The payload, or the message of a failed invocation.
    pub answer: Result<Json, String>,
    /// The bodies of the messages that are in each queue afterwards.
    pub messages: BTreeMap<String, Vec<String>>,
}

/// Invokes a function with an event.
///
/// # Panics
/// If the function cannot start, or writes a secret to its log.
pub fn invoke(function: &str, event: &[u8], changes: Changes) -> Invoked {
    with_store(|store| store.invoke(function, event, changes))
}

/// The description of a function, and whether it has upstreams.
pub struct About {
    /// Its description, as by `--describe`.
    pub description: Json,
    /// Whether it calls third-party services.
    pub has_upstreams: bool,
}

/// The description of a function, by its name such as `create_order`.
///
/// # Panics
/// If there is no such function.
pub fn about(function: &str) -> &'static About {
    static ALL: LazyLock<BTreeMap<String, About>> = LazyLock::new(|| {
        with_store(|store| {
            let functions = names().map(|name| {
                let description = store.function(&name).describe().clone();
                let upstreams = description["resources"]["upstreams"].as_array();
                let has_upstreams = upstreams.is_some_and(|it| !it.is_empty());
                (name.clone(), About { description, has_upstreams })
            });
            let all = functions.collect();
            store.functions.clear();
            all
        })
    });
    ALL.get(function).unwrap_or_else(|| panic!("there is no function {function}"))
}

/// The names of all functions: `create_order`, and so on.
pub fn names() -> impl Iterator<Item = String> {
    MAINS.iter().map(|(id, _)| name_of(id))
}

/// The functions of a kind: `endpoint`, `consumer`, `authorizer` or `rotation`.
pub fn of_kind(kind: &str) -> impl Iterator<Item = String> {
    names().filter(move |name| about(name).description["kind"] == kind)
}

/// The texts of the two secrets with keys.
pub fn key_secrets() -> &'static [(&'static str, String); 2] {
    simulate::opening::key_secrets()
}

fn with_store<T>(work: impl FnOnce(&mut Store) -> T) -> T {
    STORE.with_borrow_mut(|store| work(store.get_or_insert_with(Store::new)))
}

/// `create_order` of `CreateOrderFunction`.
fn name_of(id: &str) -> String {
    let mut name = String::new();
    for character in id.trim_end_matches("Function").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

struct Store {
    runtime: Runtime,
    network: Arc<Network>,
    around: Arc<Around>,
    variables: BTreeMap<String, Arc<BTreeMap<String, String>>>,
    functions: BTreeMap<String, SimulatedFunction>,
    /// Whether the functions were started with other variables than usual.
    is_changed: bool,
}

/// The services with the first data and the variables. Each input finds a copy of them.
static PRISTINE: LazyLock<Parts> = LazyLock::new(|| {
    let mut parts = simulation().parts().expect("the template is simulated");
    let mut random = Seeded::new(2);
    for (table, item) in items::all() {
        parts.services.put_item(table, item, &mut random).expect("the items are valid");
    }
    parts.services.advance(NOW, &mut random);
    parts
});

fn simulation() -> Simulation {
    let limits = ["RateLimit", "ExactRateLimit"].map(|it| (it.to_owned(), "1000000".to_owned()));
    let source = include_str!("../../../template.yaml");
    let template = Template::parse(source, &BTreeMap::from(limits)).expect("it is supported");
    let mut store = Simulation::new(1)
        .template(&template)
        .secret("PartnerCredentialsSecret", partner_credentials())
        .secret("NotifiersSecret", alert_credentials())
        .upstream("partner", Partner::default())
        .upstream("objects", Objects)
        .upstream("slack", Alerts)
        .upstream("datadog", Alerts)
        .upstream("new_relic", Alerts);
    for (secret, text) in key_secrets() {
        store = store.secret(secret, text.clone());
    }
    for (id, main) in MAINS {
        store = store.function(id, *main);
    }
    store
}

fn paused() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime without I/O starts")
}

impl Store {
    fn new() -> Self {
        let Parts { services, variables } = &*PRISTINE;
        let (services, variables) = (services.clone(), variables.clone());
        let runtime = paused();
        let began = runtime.block_on(async { Instant::now() });
        let state =
            State { services, answers: VecDeque::new(), answers_of_aws: false, wrote: false };
        let around = Arc::new(Around {
            began: Mutex::new(began),
            random: Mutex::new(Seeded::new(3)),
            lines: Mutex::default(),
        });
        let network = Network {
            state: Mutex::new(state),
            around: Arc::clone(&around),
            partner: Mutex::default(),
        };
        let functions = BTreeMap::new();
        let network = Arc::new(network);
        Self { runtime, network, around, variables, functions, is_changed: false }
    }

    /// Brings back the state of the beginning.
    fn restore(&mut self) {
        let has_slept = self.around.elapsed(&self.runtime) > Duration::ZERO;
        if lock(&self.network.state).wrote || has_slept || self.is_changed {
            self.functions.clear();
            let services = PRISTINE.services.clone();
            let mut state = lock(&self.network.state);
            *state =
                State { services, answers: VecDeque::new(), answers_of_aws: false, wrote: false };
            // A new runtime: timers depend on the age of theirs.
            self.runtime = paused();
            let began = self.runtime.block_on(async { Instant::now() });
            *lock(&self.around.began) = began;
            *lock(&self.network.partner) = Partner::default();
            self.is_changed = false;
        }
        *lock(&self.around.random) = Seeded::new(3);
        lock(&self.around.lines).clear();
    }

    fn function(&mut self, name: &str) -> &SimulatedFunction {
        if !self.functions.contains_key(name) {
            let started = self.start(name, &BTreeMap::new());
            let started = started.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
            self.functions.insert(name.to_owned(), started);
        }
        &self.functions[name]
    }

    fn start(
        &self,
        name: &str,
        changed: &BTreeMap<String, String>,
    ) -> Result<SimulatedFunction, String> {
        let (id, main) = main_of(name);
        let usual = Arc::clone(&self.variables[id]);
        let changed = changed.clone();
        let lookup = move |name: &str| changed.get(name).or_else(|| usual.get(name)).cloned();
        let wire = connector(Wire { network: Arc::clone(&self.network), caller: id });
        let around: Arc<dyn Surroundings> = Arc::clone(&self.around) as _;
        let started = within(around, async move { wire.scope(|| start(Arc::new(lookup), main)) });
        self.runtime.block_on(started)
    }

    fn invoke(&mut self, name: &str, event: &[u8], changes: Changes) -> Invoked {
        self.restore();
        if !changes.is_empty() {
            self.is_changed = true;
            self.functions.clear();
            let mut state = lock(&self.network.state);
            for (table, item) in &changes.items {
                // An item that no table can hold is not stored.
                let _ = state.services.put_item(table, item, &mut Seeded::new(4));
            }
            state.answers = changes.answers;
            state.answers_of_aws = changes.answers_of_aws;
        }
        if !changes.variables.is_empty() {
            match self.start(name, &changes.variables) {
                Ok(started) => _ = self.functions.insert(name.to_owned(), started),
                Err(error) => return Invoked { answer: Err(error), messages: BTreeMap::new() },
            }
        }
        self.function(name);
        let function = &self.functions[name];
        let event = Bytes::copy_from_slice(event);
        let around: Arc<dyn Surroundings> = Arc::clone(&self.around) as _;
        let invoked = within(around, async {
            let invocation = SimulatedInvocation {
                id: "fuzzed".to_owned(),
                event,
                deadline: Instant::now() + TIME,
                x_ray: None,
                cold_start: false,
            };
            let (answer, deferred) = match function.invoke(invocation).await {
                Ok(returned) => (Ok(returned.payload), returned.deferred),
                Err(failed) => (Err(failed.error), failed.deferred),
            };
            if let Some(deferred) = deferred {
                deferred.await;
            }
            answer
        });
        let answer = self.runtime.block_on(invoked);
        for line in lock(&self.around.lines).iter() {
            assert!(!line.contains(SECRET), "{name} writes a secret to its log: {line}");
        }
        let state = lock(&self.network.state);
        let messages = if state.wrote { messages(&state.services) } else { BTreeMap::new() };
        Invoked { answer, messages }
    }
}

fn messages(services: &Services) -> BTreeMap<String, Vec<String>> {
    let queues = items::queues().iter();
    let full = queues.map(|queue| (queue.clone(), services.messages(queue)));
    full.filter(|(_, messages)| !messages.is_empty()).collect()
}

fn main_of(name: &str) -> (&'static str, Main) {
    let found = MAINS.iter().find(|(id, _)| name_of(id) == name);
    *found.unwrap_or_else(|| panic!("there is no function {name}"))
}
