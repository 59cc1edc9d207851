//! Builds the services and the functions of a template.

use std::collections::BTreeMap;
use std::sync::Arc;

use sam_template::{Condition, ConditionKey, Effect, Function, Template, TemplateValue};

use super::lambda::Settings;
use super::names::{Names, last_part};
use super::simulation::Simulation;
use super::state::{BEGINNING, PLATFORM};
use super::streams::Streams;
use crate::Millis;
use crate::random::Random;
use crate::services::dynamodb::{
    IndexDefinition, IndexProjection, KeyAttribute, KeySchema, KeyType, StreamView,
    TableDefinition, Throughput,
};
use crate::services::sqs::QueueDefinition;
use crate::services::{Freedom, Permissions, REGION, Senders, Services};

/// The services with the resources of the template, and their names.
pub(super) fn services(
    simulation: &Simulation,
    template: &Template,
    streams: Streams,
) -> Result<(Services, Names), String> {
    let mut names = Names::of(template);
    let mut services = Services::new(Freedom::none());
    let mut random = streams.of("secrets");
    services.advance(BEGINNING, &mut random);
    for table in template.tables.values() {
        services.add_table(table_definition(table)?)?;
        if let Some(arn) = services.stream_arn(&table.logical_id) {
            names.streams.insert(table.logical_id.clone(), arn.to_owned());
        }
    }
    // A dead-letter queue is there before the queues that name it.
    let mut left: Vec<&sam_template::Queue> = template.queues.values().collect();
    let mut known: Vec<&str> = Vec::new();
    while !left.is_empty() {
        let is_ready = |queue: &&sam_template::Queue| {
            let redrive = queue.redrive.as_ref();
            redrive.is_none_or(|it| known.contains(&it.dead_letter_queue.as_str()))
        };
        let (ready, waiting): (Vec<_>, Vec<_>) = left.into_iter().partition(is_ready);
        if ready.is_empty() {
            return Err("a dead-letter queue is missing, or is its own".to_owned());
        }
        for queue in ready {
            services.add_queue(queue_definition(queue, &names))?;
            known.push(&queue.logical_id);
        }
        left = waiting;
    }
    for secret in template.secrets.values() {
        let id = &secret.logical_id;
        let text = match (simulation.secrets.get(id), &secret.value) {
            (Some(text), _) => text.clone(),
            (None, Some(value)) => resolved(value, template, &names)?,
            (None, None) => match &secret.generated {
                Some(generated) => {
                    let mut random = streams.of(&format!("secret {id}"));
                    generated.text(|end| random.index(end))
                }
                None => format!("the simulated text of the secret {id}"),
            },
        };
        services.add_secret(id, &text, &mut random);
    }
    let mut random = streams.of("items");
    for (table, item) in &simulation.items {
        let put = |item| services.put_item(table, item, &mut random);
        let is_put = item.as_ref().map_err(String::clone).and_then(put);
        is_put.map_err(|error| format!("an item of {table}: {error}"))?;
    }
    services.advance(BEGINNING, &mut random);
    services.set_freedom(simulation.faults.freedom.clone());
    services.grant(PLATFORM, Permissions::everything());
    for (id, function) in &template.functions {
        services.grant(id.clone(), permissions(function, &names)?);
    }
    Ok((services, names))
}

/// The settings of the functions that have code.
///
/// # Errors
/// If the simulation has a function, a secret or a variable that is not in the template, or the template
/// a function without code.
pub(super) fn functions(
    simulation: &Simulation,
    template: &Template,
    names: &Names,
) -> Result<Vec<Settings>, String> {
    let settings = |id: &String| {
        let function = template.functions.get(id);
        let function = function.ok_or_else(|| format!("the template has no function {id}"))?;
        Ok::<_, String>(Settings {
            logical_id: id.clone(),
            timeout: Millis::of(function.timeout),
            reserved_concurrency: function.reserved_concurrency,
            variables: Arc::new(variables(simulation, template, function, names)?),
        })
    };
    let settings = simulation.functions.keys().map(settings).collect::<Result<_, String>>()?;
    let is_known = |id: &&String| {
        simulation.functions.contains_key(*id) || simulation.without_code.contains(*id)
    };
    let missing: Vec<&str> =
        template.functions.keys().filter(|id| !is_known(id)).map(String::as_str).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(format!("functions of the template have no code: {missing}"));
    }
    if let Some(id) = simulation.secrets.keys().find(|id| !template.secrets.contains_key(*id)) {
        return Err(format!("the template has no secret {id}"));
    }
    let has =
        |name: &String| template.functions.values().any(|it| it.environment.contains_key(name));
    match simulation.variables.keys().find(|name| !has(name)) {
        Some(name) => Err(format!("no function of the template has the variable {name}")),
        None => Ok(settings),
    }
}

fn variables(
    simulation: &Simulation,
    template: &Template,
    function: &Function,
    names: &Names,
) -> Result<BTreeMap<String, String>, String> {
    let id = &function.logical_id;
    let mut variables = BTreeMap::new();
    for (name, value) in &function.environment {
        let value = match simulation.variables.get(name) {
            Some(value) => value.clone(),
            None => resolved(value, template, names)
                .map_err(|error| format!("{id}: the variable {name}: {error}"))?,
        };
        variables.insert(name.clone(), value);
    }
    let own = [
        ("AWS_ACCESS_KEY_ID", "simulated".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "simulated".to_owned()),
        ("AWS_SESSION_TOKEN", "simulated".to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", id.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ];
    variables.extend(own.map(|(name, value)| (name.to_owned(), value)));
    Ok(variables)
}

fn resolved(value: &TemplateValue, template: &Template, names: &Names) -> Result<String, String> {
    let look_up = |reference: &_| names.look_up(reference).or_else(|| template.look_up(reference));
    value.resolve(look_up).map_err(|error| error.to_string())
}

fn permissions(function: &Function, names: &Names) -> Result<Permissions, String> {
    let mut permissions = Permissions::none();
    for statement in &function.policies {
        if statement.effect == Effect::Deny {
            return Err(format!("{}: statements that deny are not simulated", function.logical_id));
        }
        let look_up = |reference: &_| names.look_up_permission(reference);
        // A resource of another kind is none that a simulated service checks.
        let Ok(resource) = statement.resource.resolve(look_up) else { continue };
        let senders = statement.conditions.iter().map(senders).collect::<Result<_, _>>()?;
        let (action, resource) = (statement.action.clone(), last_part(&resource).to_owned());
        permissions = permissions.and_from(senders, action, resource);
    }
    Ok(permissions)
}

fn senders(condition: &Condition) -> Result<Senders, String> {
    let ConditionKey::FromAddress = condition.key;
    let value = |value: &TemplateValue| value.resolve(|_| None).map_err(|error| error.to_string());
    let values = condition.values.iter().map(value).collect::<Result<_, _>>()?;
    Ok(Senders { operator: condition.operator, values })
}

fn table_definition(table: &sam_template::Table) -> Result<TableDefinition, String> {
    let key = |key: &sam_template::Key| {
        let attribute = |name: &String| {
            let kind = table.attributes.get(name);
            let kind = match kind.ok_or_else(|| format!("the attribute {name} has no type"))? {
                sam_template::AttributeType::S => KeyType::S,
                sam_template::AttributeType::N => KeyType::N,
                sam_template::AttributeType::B => KeyType::B,
            };
            Ok::<_, String>(KeyAttribute::new(name.clone(), kind))
        };
        let partition = attribute(&key.partition)?;
        let sort = key.sort.as_ref().map(attribute).transpose()?;
        Ok::<_, String>(KeySchema { partition, sort })
    };
    let index = |index: &sam_template::Index| {
        let projection = match &index.projection {
            sam_template::Projection::All => IndexProjection::All,
            sam_template::Projection::KeysOnly => IndexProjection::KeysOnly,
            sam_template::Projection::Include(names) => IndexProjection::Include(names.clone()),
        };
        let definition = IndexDefinition::new(index.name.clone(), key(&index.key)?);
        Ok::<_, String>(definition.with_projection(projection))
    };
    let mut definition = TableDefinition::new(table.logical_id.clone(), &table.key.partition)
        .with_key(key(&table.key)?)
        .with_throughput(Throughput::OF_A_PARTITION);
    for global in &table.indexes {
        definition = definition.with_global_index(index(global)?);
    }
    for local in &table.local_indexes {
        definition = definition.with_local_index(index(local)?);
    }
    if let Some(view) = table.stream {
        definition = definition.with_stream(match view {
            sam_template::StreamView::KeysOnly => StreamView::KeysOnly,
            sam_template::StreamView::NewImage => StreamView::NewImage,
            sam_template::StreamView::OldImage => StreamView::OldImage,
            sam_template::StreamView::NewAndOldImages => StreamView::NewAndOldImages,
        });
    }
    if let Some(attribute) = &table.ttl_attribute {
        definition = definition.with_ttl(attribute);
    }
    Ok(definition)
}

fn queue_definition(queue: &sam_template::Queue, names: &Names) -> QueueDefinition {
    let mut definition = QueueDefinition::new(names.queue(&queue.logical_id))
        .with_visibility_timeout(Millis::of(queue.visibility_timeout))
        .with_delay(Millis::of(queue.delay))
        .with_retention(Millis::of(queue.retention));
    definition.receive_wait = Millis::of(queue.receive_wait);
    definition.message_bytes_max = queue.message_bytes_max;
    if queue.content_based_deduplication {
        definition = definition.with_content_based_deduplication();
    }
    if let Some(redrive) = &queue.redrive {
        let dead_letters = names.queue(&redrive.dead_letter_queue);
        definition = definition.with_redrive(dead_letters, redrive.max_receive_count);
    }
    definition
}
