//! Event sources: queues, streams and schedules that invoke functions.

mod events;
mod mapping;
mod queue;
mod schedule;
mod stream;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sam_template::schedules::Schedule;
use sam_template::{EventSource, QueueTrigger, StartingPosition, StreamTrigger, Template, Trigger};
use serde_json::json;

pub(super) use self::events::of_rotation;
use self::mapping::Mapping;
use self::queue::Poller;
use self::schedule::Scheduled;
use self::stream::Reader;
use super::lambda::Lambda;
use super::state::World;

/// A task of a source. It never ends.
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Starts all event sources of a template.
///
/// # Errors
/// If a source is invalid.
pub(super) async fn start(
    template: &Template,
    world: &Arc<World>,
    lambda: &Arc<Lambda>,
) -> Result<(), String> {
    let mut tasks: Vec<Task> = Vec::new();
    for source in &template.event_sources {
        let mapping = |name: String| Mapping::new(world, lambda, &source.function, name);
        match &source.trigger {
            Trigger::Queue(trigger) => {
                let mapping = mapping(source.name.clone());
                tasks.push(Box::pin(poller(template, world, mapping, trigger)?.poll()));
            }
            Trigger::Stream(trigger) => {
                for reader in readers(template, world, lambda, source, trigger).await? {
                    tasks.push(Box::pin(reader.read()));
                }
            }
            Trigger::Schedule(trigger) => {
                let (mapping, trigger) = (mapping(source.name.clone()), trigger.clone());
                let schedule = Schedule::parse(&trigger.expression);
                let schedule = schedule.map_err(|error| error.to_string())?;
                tasks.push(Box::pin(Scheduled { mapping, trigger, schedule }.keep()));
            }
            // A rotation begins when an operator asks for it.
            Trigger::Rotation(_) => {}
        }
    }
    for task in tasks {
        tokio::spawn(task);
    }
    Ok(())
}

fn poller(
    template: &Template,
    world: &World,
    mapping: Mapping,
    trigger: &QueueTrigger,
) -> Result<Poller, String> {
    let queue = template.queues.get(&trigger.queue);
    let queue = queue.ok_or_else(|| format!("there is no queue {}", trigger.queue))?;
    Ok(Poller {
        mapping,
        trigger: trigger.clone(),
        queue: world.names.queue(&trigger.queue).to_owned(),
        is_fifo: queue.fifo,
        visibility_timeout: queue.visibility_timeout,
    })
}

/// A reader for each shard and lane.
async fn readers(
    template: &Template,
    world: &Arc<World>,
    lambda: &Arc<Lambda>,
    source: &EventSource,
    trigger: &StreamTrigger,
) -> Result<Vec<Reader>, String> {
    let table = template.tables.get(&trigger.table);
    let table = table.ok_or_else(|| format!("there is no table {}", trigger.table))?;
    let stream = world.names.streams.get(&trigger.table);
    let stream = stream.ok_or_else(|| format!("{} has no stream", trigger.table))?;
    let describe = json!({ "StreamArn": stream });
    let described = world.ask("DynamoDBStreams_20120810.DescribeStream", &describe).await;
    let described = described.map_err(|error| error.to_string())?;
    let mut readers = Vec::new();
    for shard in described["StreamDescription"]["Shards"].as_array().into_iter().flatten() {
        let shard = shard["ShardId"].as_str().unwrap_or_default();
        for lane in 0..trigger.parallelization_factor.max(1) {
            let name = format!("{} {shard} {lane}", source.name);
            let on_failure = trigger.on_failure_queue.as_deref();
            let mut reader = Reader {
                mapping: Mapping::new(world, lambda, &source.function, name),
                trigger: trigger.clone(),
                stream: stream.clone(),
                shard: shard.to_owned(),
                lane,
                partition_key: table.key.partition.clone(),
                on_failure: on_failure.map(|queue| world.names.queue(queue).to_owned()),
                after: None,
                read_at: world.now(),
            };
            if trigger.starting_position == StartingPosition::Latest {
                reader.skip().await.map_err(|error| error.to_string())?;
            }
            readers.push(reader);
        }
    }
    Ok(readers)
}
