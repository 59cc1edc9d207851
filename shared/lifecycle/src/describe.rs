//! `--describe`: a binary prints its own description.
//!
//! `infra/openapi.json` and the generated parts of the template are written from it, and other
//! parts are checked against it. So they cannot contradict the code.
//!
//! A build with debug assertions describes itself, as that of the `dev` profile, and so does one with
//! the feature `describe`. A deployed program carries neither schemas nor examples, which no tool
//! reads there.

mod print;

use http::Method;
use serde_json::{Value, json};

pub(crate) use self::print::printed_if_asked;
use crate::caller::{Access, Caller, SignIn};
use crate::conditions::Conditions;
use crate::consumer::{Consumer, Inbox, Source};
use crate::endpoint::Endpoint;
use crate::error::{
    DomainError, ErrorResponse, ErrorShape, FieldErrors, RequestError, ServiceError, Shape,
};
use crate::http::{PROBLEM, own_body};
use crate::idempotency::{IDEMPOTENCY_KEYS, Idempotency};
use crate::input::{Input, Schemas};
use crate::limit::{Counting, LIMITS};
use crate::record::{IndexName, PARTITION_KEY, TableName};
use crate::reply::{Reply, View};
use crate::resource::{Action, OUTBOX, Resource};
use crate::rotation::Rotation;

/// Returns the description of an endpoint.
pub fn endpoint<E: Endpoint>() -> Value {
    let mut schemas = Schemas::default();
    E::Input::describe(&E::ROUTE, &mut schemas);
    let counting = match E::LIMIT.counting {
        Counting::Exact => Some("exact"),
        Counting::Approximate => Some("approximate"),
        Counting::Off => None,
    };
    let idempotency = match E::IDEMPOTENCY {
        Idempotency::None => "none",
        Idempotency::Accepted => "accepted",
        Idempotency::Required => "required",
    };
    let mut description = json!({
        "kind": "endpoint",
        "route": { "method": E::ROUTE.method.as_str(), "path": E::ROUTE.path },
        "access": E::ACCESS.describe(),
        "allow": E::ALLOW.describe(),
        "signIn": format!("{:?}", E::Caller::SIGN_IN).to_lowercase(),
        "input": schemas,
        "status": E::Reply::STATUS.as_u16(),
        "failureStatus": E::Reply::FAILURE_STATUS.map(|status| status.as_u16()),
        "output": <E::Reply as Reply>::View::schema(),
        "refusals": error_codes::<E>(),
        "errorBody": error_body(E::ERROR_SHAPE),
        "bodyBytesMax": E::BODY_BYTES_MAX,
        "limit": counting.map(|counting| json!({
            "quota": E::LIMIT.quota,
            "windowSeconds": E::LIMIT.window.as_secs(),
            "counting": counting,
            "costMax": E::COST_MAX,
        })),
        "subjectLimit": E::SUBJECT_LIMIT.map(|limit| json!({
            "subject": limit.subject,
            "quota": limit.quota,
            "windowSeconds": limit.window.as_secs(),
        })),
        "idempotency": idempotency,
        "conditions": match E::CONDITIONS {
            Conditions::On(_) => "facts",
            Conditions::Creation(_) => "creation",
            Conditions::Untagged if E::ROUTE.method.is_safe() => "reply",
            Conditions::Untagged => "none",
        },
        "head": E::ROUTE.method == Method::GET && matches!(E::ACCESS, Access::Public),
        "resources": resources(&resources_of_endpoint::<E>()),
    });
    if media_type::<E>() != "application/json" {
        description["outputType"] = json!(media_type::<E>());
    }
    description
}

/// The media type of an endpoint's replies.
fn media_type<E: Endpoint>() -> &'static str {
    <<E::Reply as Reply>::View as View>::MEDIA_TYPE
}

/// The error responses of an endpoint, for the API description.
fn error_codes<E: Endpoint>() -> Vec<Value> {
    let show = |failure: RequestError| {
        let answer = failure.response();
        let ErrorResponse { status, code, message, .. } = &answer;
        let mut shown = json!({ "status": status.as_u16(), "code": code, "message": message });
        if let Shape::Own { body, .. } = E::ERROR_SHAPE.0 {
            shown["body"] = own_body(body, &answer, "request-1");
        }
        shown
    };
    failures::<E>().into_iter().map(show).collect()
}

/// The media type and the schema of error bodies; `null` for the standard shape. The schema of
/// problem details is `null`.
fn error_body(shape: ErrorShape) -> Value {
    match shape.0 {
        Shape::Standard => Value::Null,
        Shape::ProblemDetails => json!({ "mediaType": PROBLEM, "schema": null }),
        Shape::Own { media_type, schema, .. } => {
            json!({ "mediaType": media_type, "schema": schema() })
        }
    }
}

/// The failures that can end a request to this endpoint, stage by stage.
fn failures<E: Endpoint>() -> Vec<RequestError> {
    let mut schemas = Schemas::default();
    E::Input::describe(&E::ROUTE, &mut schemas);
    let limit = E::BODY_BYTES_MAX;
    let resources = resources_of_endpoint::<E>();
    // Limits of the lifecycle, and limiters that the endpoint calls itself.
    let has_counts = resources.iter().any(|resource| resource.covers(LIMITS, Action::UpdateItem));
    let mut failures = vec![
        RequestError::NotAcceptable { media_type: media_type::<E>() },
        RequestError::TooLarge { limit },
        RequestError::Invalid(FieldErrors::none()),
        RequestError::PreconditionFailed,
    ];
    failures.extend(has_counts.then_some(RequestError::RateLimited { retry_after_s: 1 }));
    failures.extend([
        ServiceError::internal("").into(),
        ServiceError::Unavailable { retry_after_s: 1, source: "".into() }.into(),
        ServiceError::TimedOut.into(),
    ]);
    let mut may =
        |applies: bool, failure: RequestError| failures.extend(applies.then_some(failure));
    may(E::Caller::SIGN_IN != SignIn::None, RequestError::Unauthenticated);
    // By the role in stage 3, or by the facts in stage 3b.
    let may_forbid = matches!(E::ACCESS, Access::OneOf(_)) || E::ALLOW.may_forbid();
    may(may_forbid, RequestError::Forbidden);
    let is_patch = E::ROUTE.method == Method::PATCH;
    if let Some(offer) = schemas.body_offer(is_patch) {
        may(true, RequestError::UnsupportedMediaType(offer));
    }
    // A resource in the path may be missing or hidden.
    may(E::ROUTE.path.contains('{'), RequestError::Hidden);
    // The keys of callers who are not signed in are scoped to one request, so they cannot be
    // reused.
    let keyed = E::IDEMPOTENCY != Idempotency::None && E::Caller::SIGN_IN != SignIn::None;
    may(keyed, RequestError::KeyReused);
    may(
        E::RESOURCES.iter().any(|it| matches!(it, Resource::Upstream(_))),
        ServiceError::Upstream("".into()).into(),
    );
    failures.extend(E::ERRORS.iter().map(|refusal| DomainError::from(*refusal).into()));
    failures
}

/// Returns the description of a consumer.
pub fn consumer<C: Consumer>() -> Value {
    let source = match C::SOURCE {
        Source::Queue(queue) => json!({ "queue": queue.name() }),
        Source::Stream(table) => json!({ "stream": table.name() }),
        Source::Schedule(schedule) => json!({ "schedule": {
            "expression": schedule.to_string(),
            "eventAgeMaxSeconds": schedule.event_age_s_max(),
        } }),
        Source::Event(name) => json!({ "event": name }),
    };
    json!({
        "kind": "consumer",
        "source": source,
        "concurrency": C::CONCURRENCY,
        "inbox": C::INBOX == Inbox::Remembered,
        "triedForSeconds": C::BACKOFF.tried_for().as_secs(),
        "deliveriesMax": C::BACKOFF.deliveries_max(),
        "resources": resources(&resources_of_consumer::<C>()),
    })
}

/// Returns the description of an authorizer.
pub(crate) fn authorizer(declared: &[Resource]) -> Value {
    json!({ "kind": "authorizer", "resources": resources(declared) })
}

/// Returns the description of a rotation.
pub(crate) fn rotation<R: Rotation>() -> Value {
    json!({ "kind": "rotation", "resources": resources(R::RESOURCES) })
}

/// The resources of the endpoint, and those of the lifecycle on its behalf.
pub(crate) fn resources_of_endpoint<E: Endpoint>() -> Vec<Resource> {
    let mut resources = E::RESOURCES.to_vec();
    if !E::LIMIT.is_off() || E::SUBJECT_LIMIT.is_some() {
        resources.push(Resource::Table(LIMITS, &[Action::UpdateItem]));
    }
    if E::IDEMPOTENCY != Idempotency::None {
        resources.push(Resource::Table(IDEMPOTENCY_KEYS, &[Action::GetItem, Action::PutItem]));
    }
    resources
}

/// The resources of the consumer, and those of the lifecycle on its behalf.
pub(crate) fn resources_of_consumer<C: Consumer>() -> Vec<Resource> {
    let mut resources = C::RESOURCES.to_vec();
    if C::INBOX == Inbox::Remembered {
        resources.push(Resource::Table(IDEMPOTENCY_KEYS, &[Action::GetItem, Action::PutItem]));
    }
    if let Source::Queue(queue) = C::SOURCE {
        resources.push(Resource::ReceiveFrom(queue));
    }
    resources.extend(C::SOURCE.dead_letters().map(Resource::DeadLetterQueue));
    resources
}

fn resources(declared: &[Resource]) -> Value {
    let (mut tables, mut indexes) = (serde_json::Map::new(), serde_json::Map::new());
    let (mut queues, mut probes, mut secrets, mut dead_letters) = (vec![], vec![], vec![], vec![]);
    let (mut written_secrets, mut rotated_secrets) = (vec![], vec![]);
    let (mut mail, mut upstreams, mut public_url) = (false, vec![], false);
    let (mut others, mut variables) = (vec![], serde_json::Map::new());
    let (mut keys, mut index_keys) = (serde_json::Map::new(), serde_json::Map::new());
    for resource in declared {
        let (table, index) = keyed(*resource);
        keys.extend(table.and_then(own_key));
        if let (Some(table), Some((name, key))) = (table, index.and_then(own_index_key)) {
            index_keys.entry(table.name()).or_insert_with(|| json!({}))[name] = key;
        }
        match resource {
            Resource::Table(table, verbs) => {
                verbs.iter().for_each(|verb| list(&mut tables, *table, json!(verb)));
            }
            Resource::Outbox => list(&mut tables, OUTBOX, json!(Action::PutItem)),
            Resource::Index(table, index) => list(&mut indexes, *table, json!(index.name())),
            Resource::Queue(queue) => queues.push(queue.name()),
            Resource::Queues(several) => queues.extend(several.iter().map(|queue| queue.name())),
            Resource::ReadAttributes(queue) => probes.push(queue.name()),
            // The description has the source as a separate field.
            Resource::ReceiveFrom(_) => {}
            Resource::DeadLetterQueue(queue) => dead_letters.push(queue.name()),
            Resource::Secret(name) => secrets.push(*name),
            Resource::WrittenSecret(name) => written_secrets.push(*name),
            Resource::RotatedSecret(name) => rotated_secrets.push(*name),
            Resource::Mail => mail = true,
            Resource::Upstream(upstream) => upstreams.push(upstream.name()),
            Resource::PublicUrl => public_url = true,
            Resource::Other { actions, resource } => {
                others.push(json!({ "actions": actions, "resource": resource }));
            }
            Resource::Variable { name, refers_to } => {
                variables.insert((*name).to_owned(), json!(refers_to));
            }
        }
    }
    let mut described = json!({
        "tables": tables,
        "indexes": indexes,
        "queues": queues,
        "probedQueues": probes,
        "deadLettersOf": dead_letters,
        "secrets": secrets,
        "writtenSecrets": written_secrets,
        "rotatedSecrets": rotated_secrets,
        "mail": mail,
        "upstreams": upstreams,
        "publicUrl": public_url,
    });
    // Few functions have these.
    if !others.is_empty() {
        described["others"] = others.into();
    }
    if !variables.is_empty() {
        described["variables"] = variables.into();
    }
    if !keys.is_empty() {
        described["keys"] = keys.into();
    }
    if !index_keys.is_empty() {
        described["indexKeys"] = index_keys.into();
    }
    described
}

/// The table of a resource, and the index.
fn keyed(resource: Resource) -> (Option<TableName>, Option<IndexName>) {
    match resource {
        Resource::Table(table, _) => (Some(table), None),
        Resource::Outbox => (Some(OUTBOX), None),
        Resource::Index(table, index) => (Some(table), Some(index)),
        _ => (None, None),
    }
}

/// The name of a table and the attributes of its key; `None` if the key is `pk` alone.
fn own_key(table: TableName) -> Option<(String, Value)> {
    let mut key = json!({ "partition": table.partition_key() });
    if table.is_sorted() {
        key["sort"] = json!(table.sort_key());
    }
    let is_usual = table.partition_key() == PARTITION_KEY && !table.is_sorted();
    (!is_usual).then(|| (table.name().to_owned(), key))
}

/// The name of an index and the attributes of its key; `None` if they are named after the index.
fn own_index_key(index: IndexName) -> Option<(&'static str, Value)> {
    if index == IndexName::new(index.name()) {
        return None;
    }
    let (partition, sort) = (index.partition_attribute(), index.position_attribute());
    Some((index.name(), json!({ "partition": partition, "sort": sort })))
}

/// Adds an entry to the list of a table if it is not in it.
fn list(lists: &mut serde_json::Map<String, Value>, table: TableName, entry: Value) {
    let known = lists.entry(table.name()).or_insert_with(|| json!([]));
    if let Some(known) = known.as_array_mut()
        && !known.contains(&entry)
    {
        known.push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::IndexName;

    #[test]
    fn other_resources_and_variables_are_described_if_there_are_any() {
        let described = resources(&[
            Resource::Other { actions: &["s3:GetObject"], resource: "${Uploads.Arn}/*" },
            Resource::Variable { name: "UPLOADS", refers_to: "Uploads" },
        ]);
        let other = json!({ "actions": ["s3:GetObject"], "resource": "${Uploads.Arn}/*" });
        assert_eq!(described["others"], json!([other]));
        assert_eq!(described["variables"], json!({ "UPLOADS": "Uploads" }));
        let without = resources(&[]);
        assert_eq!([without.get("others"), without.get("variables")], [None, None]);
    }

    #[test]
    fn keys_with_other_names_and_sort_keys_are_described() {
        let visits = TableName::new("visits").partition_key_named("customerId").sorted();
        let by_shop = IndexName::new("by_shop").keyed_by("shop", "at");
        let described = resources(&[
            Resource::Index(visits, by_shop),
            Resource::Index(visits, IndexName::new("by_age")),
            Resource::Table(TableName::new("notes"), &[]),
            Resource::Table(TableName::new("loans").sorted(), &[]),
            Resource::Outbox,
        ]);
        let expected = json!({
            "loans": { "partition": "pk", "sort": "sk" },
            "outbox": { "partition": "pk", "sort": "sk" },
            "visits": { "partition": "customerId", "sort": "sk" },
        });
        assert_eq!(described["keys"], expected);
        let expected = json!({ "visits": { "by_shop": { "partition": "shop", "sort": "at" } } });
        assert_eq!(described["indexKeys"], expected);
        let usual = resources(&[Resource::Table(TableName::new("notes"), &[])]);
        assert_eq!([usual.get("keys"), usual.get("indexKeys")], [None, None]);
    }

    #[test]
    fn verbs_and_indexes_are_listed_once_per_table() {
        let notes = TableName::new("notes");
        let described = resources(&[
            Resource::Table(notes, &[Action::GetItem, Action::PutItem]),
            Resource::Table(notes, &[Action::GetItem]),
            Resource::Index(notes, IndexName::new("by_owner")),
            Resource::Index(notes, IndexName::new("by_owner")),
            Resource::Index(notes, IndexName::new("by_title")),
        ]);
        assert_eq!(described["tables"], json!({ "notes": ["GetItem", "PutItem"] }));
        assert_eq!(described["indexes"], json!({ "notes": ["by_owner", "by_title"] }));
    }
}
