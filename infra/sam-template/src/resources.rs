//! Builds the model from evaluated resources.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::TemplateError;
use super::events::EventProperties;
use super::intrinsics::Scope;
use super::mail::{ConfigurationSetProperties, EventDestinationProperties, RuleProperties};
use super::mappings::{QueueMapping, StreamMapping};
use super::model::{
    Authorizer, Cors, EventSource, Function, HttpApi, Index, Key, Projection, Queue, Redrive,
    Secret, Table, Template, Throttle,
};
use super::properties::{
    AuthorizerProperties, FunctionProperties, HttpApiProperties, IndexProperties, KeyProperties,
    KeyType, ProjectionType, QueueProperties, SecretProperties, TableProperties,
};
use super::rotations::RotationSchedule;
use super::{ignored_properties, permissions, references};

/// Builds the model of all resources whose conditions are true.
pub(super) fn model(scope: &Scope<'_>, globals: &Value) -> Result<Template, TemplateError> {
    let resources = Resources { scope, globals };
    let mut template = Template {
        functions: BTreeMap::new(),
        api: None,
        tables: BTreeMap::new(),
        queues: BTreeMap::new(),
        secrets: BTreeMap::new(),
        event_sources: Vec::new(),
        configuration_sets: BTreeSet::new(),
        event_destinations: Vec::new(),
        event_rules: Vec::new(),
        mail_from: scope.parameters.get(MAIL_FROM).and_then(Value::as_str).map(str::to_owned),
    };
    let mut events = Vec::new();
    let mut default_authorizer = None;
    for (id, declaration) in scope.resources {
        if let Some(condition) = declaration["Condition"].as_str()
            && !scope.holds(condition)?
        {
            continue;
        }
        match declaration["Type"].as_str().unwrap_or_default() {
            "AWS::Serverless::Function" => {
                let (function, declared) = resources.function(id, declaration)?;
                events.push((id, declared));
                template.functions.insert(id.clone(), function);
            }
            "AWS::Serverless::HttpApi" if template.api.is_none() => {
                let (api, default) = resources.http_api(id, declaration)?;
                template.api = Some(api);
                default_authorizer = default;
            }
            "AWS::DynamoDB::Table" => {
                template.tables.insert(id.clone(), resources.table(id, declaration)?);
            }
            "AWS::SQS::Queue" => {
                template.queues.insert(id.clone(), resources.queue(id, declaration)?);
            }
            "AWS::SecretsManager::Secret" => {
                template.secrets.insert(id.clone(), resources.secret(id, declaration)?);
            }
            "AWS::Lambda::EventSourceMapping" => {
                template.event_sources.push(resources.mapping(id, declaration)?);
            }
            "AWS::SecretsManager::RotationSchedule" => {
                let rotation: RotationSchedule = resources.properties(
                    id,
                    declaration,
                    NO_GLOBALS,
                    ignored_properties::ROTATION,
                )?;
                template.event_sources.push(rotation.into_source(id));
            }
            "AWS::SES::ConfigurationSet" => {
                let ConfigurationSetProperties {} = resources.properties(
                    id,
                    declaration,
                    NO_GLOBALS,
                    ignored_properties::CONFIGURATION_SET,
                )?;
                template.configuration_sets.insert(id.clone());
            }
            "AWS::SES::ConfigurationSetEventDestination" => {
                let destination: EventDestinationProperties =
                    resources.properties(id, declaration, NO_GLOBALS, &[])?;
                template.event_destinations.push(destination.into_destination());
            }
            "AWS::Events::Rule" => {
                let rule: RuleProperties =
                    resources.properties(id, declaration, NO_GLOBALS, ignored_properties::RULE)?;
                template.event_rules.push(rule.into_rule(id));
            }
            known if ignored_properties::RESOURCES.contains(&known) => {}
            unknown => {
                let what = format!("a resource of type {unknown} (or a second one)");
                return Err(TemplateError::not_understood(&format!("/Resources/{id}"), &what));
            }
        }
    }
    for (function, declared) in events {
        attach(&mut template, function, declared, default_authorizer.as_ref())?;
    }
    references::check(&template)?;
    Ok(template)
}

/// The parameter with the sender of all mail. SES treats its domain as verified.
const MAIL_FROM: &str = "MailFrom";

/// The type name of resources for which SAM has no globals.
const NO_GLOBALS: &str = "";

struct Resources<'a> {
    scope: &'a Scope<'a>,
    globals: &'a Value,
}

impl Resources<'_> {
    fn function(
        &self,
        id: &str,
        declaration: &Value,
    ) -> Result<(Function, BTreeMap<String, EventProperties>), TemplateError> {
        let properties: FunctionProperties =
            self.properties(id, declaration, "Function", ignored_properties::FUNCTION)?;
        if properties.runtime != "provided.al2023" {
            return Err(TemplateError::in_resource(
                id,
                "Runtime",
                "a runtime other than provided.al2023",
            ));
        }
        let binary = declaration
            .pointer("/Metadata/BuildProperties/Binary")
            .and_then(Value::as_str)
            .ok_or_else(|| {
                TemplateError::in_resource(
                    id,
                    "Metadata/BuildProperties/Binary",
                    "no binary is given",
                )
            })?;
        let statements = properties.policies.into_iter().flat_map(|policy| policy.statement);
        let function = Function {
            logical_id: id.to_owned(),
            binary: binary.to_owned(),
            environment: properties.environment.variables,
            timeout: properties.timeout,
            memory_mb: properties.memory_size,
            reserved_concurrency: properties.reserved_concurrent_executions,
            policies: statements.flat_map(permissions::statements).collect(),
        };
        Ok((function, properties.events))
    }

    /// The API, and the default authorizer of its routes.
    fn http_api(
        &self,
        id: &str,
        declaration: &Value,
    ) -> Result<(HttpApi, Option<String>), TemplateError> {
        let properties: HttpApiProperties =
            self.properties(id, declaration, "HttpApi", ignored_properties::HTTP_API)?;
        if properties.stage_name.is_some_and(|stage| stage != "$default") {
            return Err(TemplateError::in_resource(id, "StageName", "a stage other than $default"));
        }
        let mut authorizers = BTreeMap::new();
        for (name, authorizer) in properties.auth.authorizers {
            let place = format!("Auth/Authorizers/{name}");
            authorizers.insert(name, into_authorizer(id, &place, authorizer)?);
        }
        let api = HttpApi {
            logical_id: id.to_owned(),
            routes: Vec::new(),
            authorizers,
            cors: properties.cors_configuration.map(|cors| Cors {
                allow_origins: cors.allow_origins,
                allow_methods: cors.allow_methods,
                allow_headers: cors.allow_headers,
                expose_headers: cors.expose_headers,
                max_age: cors.max_age,
                allow_credentials: cors.allow_credentials,
            }),
            throttle: properties.default_route_settings.map(|settings| Throttle {
                burst: settings.throttling_burst_limit,
                rate_per_s: settings.throttling_rate_limit,
            }),
        };
        Ok((api, properties.auth.default_authorizer))
    }

    fn table(&self, id: &str, declaration: &Value) -> Result<Table, TemplateError> {
        let properties: TableProperties =
            self.properties(id, declaration, "Table", ignored_properties::TABLE)?;
        let indexes = properties.global_secondary_indexes.into_iter();
        Ok(Table {
            logical_id: id.to_owned(),
            key: key(id, properties.key_schema)?,
            attributes: properties
                .attribute_definitions
                .into_iter()
                .map(|attribute| (attribute.attribute_name, attribute.attribute_type))
                .collect(),
            indexes: indexes.map(|index| into_index(id, index)).collect::<Result<_, _>>()?,
            stream: properties.stream_specification.map(|stream| stream.stream_view_type),
            ttl_attribute: properties
                .time_to_live_specification
                .filter(|ttl| ttl.enabled)
                .map(|ttl| ttl.attribute_name),
        })
    }

    fn queue(&self, id: &str, declaration: &Value) -> Result<Queue, TemplateError> {
        let properties: QueueProperties =
            self.properties(id, declaration, "Queue", ignored_properties::QUEUE)?;
        Ok(Queue {
            logical_id: id.to_owned(),
            fifo: properties.fifo_queue,
            content_based_deduplication: properties.content_based_deduplication,
            visibility_timeout: properties.visibility_timeout,
            delay: properties.delay_seconds,
            retention: properties.message_retention_period,
            receive_wait: properties.receive_message_wait_time_seconds,
            redrive: properties.redrive_policy.map(|redrive| Redrive {
                dead_letter_queue: redrive.dead_letter_target_arn,
                max_receive_count: redrive.max_receive_count,
            }),
        })
    }

    fn secret(&self, id: &str, declaration: &Value) -> Result<Secret, TemplateError> {
        let properties: SecretProperties =
            self.properties(id, declaration, "Secret", ignored_properties::SECRET)?;
        Ok(Secret {
            logical_id: id.to_owned(),
            value: properties.secret_string,
            generated: properties.generate_secret_string.is_some(),
        })
    }

    /// The source's attribute decides between queue and stream.
    fn mapping(&self, id: &str, declaration: &Value) -> Result<EventSource, TemplateError> {
        let attribute = declaration.pointer("/Properties/EventSourceArn/Fn::GetAtt/1");
        if attribute.is_some_and(|attribute| attribute == "StreamArn") {
            let stream: StreamMapping = self.properties(id, declaration, NO_GLOBALS, &[])?;
            Ok(stream.into_source(id))
        } else {
            let queue: QueueMapping = self.properties(id, declaration, NO_GLOBALS, &[])?;
            Ok(queue.into_source(id))
        }
    }

    /// A resource's properties: globals merged in, expressions evaluated, properties for AWS only
    /// removed, then strictly parsed.
    fn properties<T: DeserializeOwned>(
        &self,
        id: &str,
        declaration: &Value,
        kind: &str,
        only_on_aws: &[&str],
    ) -> Result<T, TemplateError> {
        let path = format!("/Resources/{id}/Properties");
        let mut merged = self.globals[kind].clone();
        merge(&mut merged, &declaration["Properties"]);
        if let Value::Object(properties) = &mut merged {
            properties.retain(|name, _| !only_on_aws.contains(&name.as_str()));
        } else {
            merged = Value::Object(Map::new());
        }
        let evaluated = self.scope.evaluate(&merged, &path)?;
        serde_path_to_error::deserialize(evaluated).map_err(|error| {
            let place = error.path().to_string().replace('.', "/");
            TemplateError::not_understood(&format!("{path}/{place}"), &error.inner().to_string())
        })
    }
}

/// SAM's merging of globals: maps are merged, other values replaced.
fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                merge(base.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (base, over) => *base = over.clone(),
    }
}

fn into_authorizer(
    api: &str,
    place: &str,
    properties: AuthorizerProperties,
) -> Result<Authorizer, TemplateError> {
    if !properties.authorizer_payload_format_version.is_two() || !properties.enable_simple_responses
    {
        return Err(TemplateError::in_resource(
            api,
            place,
            "an authorizer without payload 2.0 and simple responses",
        ));
    }
    if properties.identity.headers.is_empty() {
        return Err(TemplateError::in_resource(
            api,
            place,
            "an authorizer without an identity source",
        ));
    }
    let headers = properties.identity.headers.into_iter();
    Ok(Authorizer {
        function: properties.function_arn,
        identity_headers: headers.map(|header| header.to_lowercase()).collect(),
        cache_ttl: properties.identity.reauthorize_every,
    })
}

fn key(table: &str, schema: Vec<KeyProperties>) -> Result<Key, TemplateError> {
    let (hash, range): (Vec<_>, Vec<_>) =
        schema.into_iter().partition(|element| element.key_type == KeyType::Hash);
    let mut hash = hash.into_iter().map(|element| element.attribute_name);
    let mut range = range.into_iter().map(|element| element.attribute_name);
    match (hash.next(), hash.next(), range.next(), range.next()) {
        (Some(partition), None, sort, None) => Ok(Key { partition, sort }),
        _ => Err(TemplateError::in_resource(
            table,
            "KeySchema",
            "a key that is not one HASH and at most one RANGE",
        )),
    }
}

fn into_index(table: &str, properties: IndexProperties) -> Result<Index, TemplateError> {
    Ok(Index {
        name: properties.index_name,
        key: key(table, properties.key_schema)?,
        projection: match properties.projection.projection_type {
            ProjectionType::All => Projection::All,
            ProjectionType::KeysOnly => Projection::KeysOnly,
            ProjectionType::Include => {
                Projection::Include(properties.projection.non_key_attributes)
            }
        },
    })
}

/// Adds a function's events to the model: routes to the API, others to the event sources.
fn attach(
    template: &mut Template,
    function: &str,
    events: BTreeMap<String, EventProperties>,
    default_authorizer: Option<&String>,
) -> Result<(), TemplateError> {
    for (name, event) in events {
        let source = match event {
            EventProperties::HttpApi(event) => {
                let api = template.api.as_mut().filter(|api| api.logical_id == event.api);
                let api = api.ok_or_else(|| {
                    TemplateError::in_resource(
                        function,
                        &format!("Events/{name}/ApiId"),
                        "an API that is missing",
                    )
                })?;
                api.routes.push(event.into_route(function, default_authorizer));
                continue;
            }
            EventProperties::Schedule(event) => event.into_source(function, name),
        };
        template.event_sources.push(source);
    }
    Ok(())
}
