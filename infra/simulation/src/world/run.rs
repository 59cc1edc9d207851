//! Runs a world from its beginning until it is at rest, and then its probes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant as WallInstant;

use lifecycle::testing::simulated;
use sam_template::{Template, Trigger};
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep, timeout};

use super::client::Client;
use super::lambda::Lambda;
use super::network::Hosts;
use super::platform::Platform;
use super::report::Report;
use super::simulation::Simulation;
use super::state::{BEGINNING, World, lock};
use super::streams::Streams;
use super::trace::Happened;
use super::workload::{AnyWorkload, Step};
use super::{builder, panic, sources};
use crate::Millis;

/// The name under which the world reports that it does not come to rest.
const RESTS: &str = "the world comes to rest";

/// The name under which the world reports an operation that does not end as it should.
const WORKLOAD: &str = "the workload";

/// The interval at which the world is looked at while it settles.
const LOOK: Duration = Duration::from_secs(5);
/// The world is at rest if it is still for this long: less than the interval of any schedule.
const QUIET: Millis = Millis::seconds(40);

impl Simulation {
    /// Runs the world until it is at rest, and then its probes. It makes a runtime, so call it outside of any.
    ///
    /// # Errors
    /// If the world cannot be built: there is no template, one of its functions has no code, a name of the
    /// simulation is not in it, or it has a part that is not simulated. If there is no workload, since
    /// nothing would happen. If DynamoDB would refuse a first item. If the process or the thread has a
    /// subscriber of `tracing`, which would take the log lines.
    pub fn run(&self) -> Result<Report, String> {
        simulated::start_log()?;
        let began = WallInstant::now();
        let template = self.template.as_deref().ok_or("the simulation has no template")?;
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        let mut report = runtime.block_on(lived(self, template))?;
        report.wall = began.elapsed();
        Ok(report)
    }
}

async fn lived(simulation: &Simulation, template: &Template) -> Result<Report, String> {
    let streams = Streams::new(simulation.seed);
    let (services, names) = builder::services(simulation, template, streams)?;
    let settings = builder::functions(simulation, template, &names)?;
    if simulation.workloads.is_empty() {
        return Err("the simulation has no workload".to_owned());
    }
    let oracles = simulation.oracles.iter().map(|oracle| oracle.begin()).collect();
    let world = World::new(streams, names, services, simulation.faults.clone(), oracles);
    let world = Arc::new(world);
    let hosts = simulation.hosts.iter();
    let hosts: Hosts = hosts.map(|(host, it)| (host.clone(), it.begin().into())).collect();
    let functions = settings.into_iter().map(|settings| {
        let versions = simulation.functions.get(&settings.logical_id).cloned();
        (settings, versions.unwrap_or_default())
    });
    let lambda = Arc::new(Lambda::new(&world, hosts, functions.collect()));
    tokio::spawn(Arc::clone(&world).run_services());
    sources::start(template, &world, &lambda).await?;
    let platform = Arc::new(Platform::new(template, Arc::clone(&world), lambda)?);
    let steps = planned(&simulation.workloads, &world);
    let first_probe = steps.len();
    let mut operations = perform(simulation, &platform, (0..).zip(steps)).await;
    world.end_faults();
    settle(simulation, template, &world).await;
    world.check_at_rest();
    let probes = planned(&simulation.probes, &world);
    operations.extend(perform(simulation, &platform, (first_probe..).zip(probes)).await);
    let (steps, failures, trace) = world.results();
    Ok(Report {
        seed: simulation.seed,
        simulated: world.now().since(BEGINNING),
        wall: Duration::ZERO,
        steps,
        events: u64::try_from(trace.events().len()).unwrap_or(u64::MAX),
        failures,
        trace,
        operations,
    })
}

/// The operations of these workloads.
fn planned(workloads: &[(String, Arc<dyn AnyWorkload>)], world: &World) -> Vec<Step> {
    let mut steps = Vec::new();
    for (name, workload) in workloads {
        let mut random = world.streams.of(&format!("workload {name}"));
        steps.extend(Arc::clone(workload).plan(&mut random));
    }
    steps
}

/// Performs operations, each with its index in the run. Returns the operations that ran.
async fn perform(
    simulation: &Simulation,
    platform: &Arc<Platform>,
    steps: impl Iterator<Item = (usize, Step)>,
) -> Vec<(usize, String)> {
    let world = &platform.world;
    let mut operations = Vec::new();
    let (mut running, mut numbers) = (JoinSet::new(), HashMap::new());
    let most = simulation.operation_max;
    for (operation, step) in steps {
        if simulation.left_out.contains(&operation) {
            continue;
        }
        operations.push((operation, step.text.clone()));
        let (world, client) = (Arc::clone(world), Client::new(Arc::clone(platform), operation));
        let task = running.spawn(async move {
            let Step { after, text, perform } = step;
            sleep(after.as_duration()).await;
            world.record(Happened::OperationBegan { operation, text });
            if timeout(most.as_duration(), perform(client)).await.is_err() {
                let reason = format!(
                    "operation {operation} has not ended after {} simulated seconds",
                    most.as_seconds()
                );
                world.fail(WORKLOAD, reason);
            }
            world.record(Happened::OperationEnded { operation });
        });
        numbers.insert(task.id(), operation);
    }
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended {
            let operation = numbers[&error.id()];
            // The text of the error has the number of the task, which is another in each run.
            let reason = match error.try_into_panic() {
                Ok(payload) => format!("panicked: {}", panic::message(&*payload)),
                Err(_) => "was cancelled".to_owned(),
            };
            world.fail(WORKLOAD, format!("operation {operation} {reason}"));
            world.record(Happened::OperationEnded { operation });
        }
    }
    operations
}

/// Waits until queues and streams are worked off.
async fn settle(simulation: &Simulation, template: &Template, world: &World) {
    let began = Instant::now();
    let mut quiet_since = Instant::now();
    loop {
        sleep(LOOK).await;
        if let Some(reason) = unrest(template, world) {
            quiet_since = Instant::now();
            if Millis::of(began.elapsed()) >= simulation.settle_max {
                return world.fail(RESTS, reason);
            }
            continue;
        }
        let is_quiet = Millis::of(quiet_since.elapsed()) >= QUIET;
        if is_quiet && Millis::of(began.elapsed()) >= simulation.settle_min {
            return;
        }
    }
}

/// Why the world is not at rest.
fn unrest(template: &Template, world: &World) -> Option<String> {
    if !world.is_idle() {
        return Some("an invocation or a delivery is in progress".to_owned());
    }
    let services = lock(&world.services);
    template.event_sources.iter().find_map(|source| match &source.trigger {
        Trigger::Queue(trigger) => {
            let messages = services.messages(world.names.queue(&trigger.queue));
            let first = messages.first()?;
            let (queue, count) = (&trigger.queue, messages.len());
            Some(format!("{queue} still has {count} messages, the first is {first}"))
        }
        _ => None,
    })
}
