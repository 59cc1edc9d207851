//! The running world, as clients and operators reach it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sam_template::{Template, Trigger};
use serde_json::Value as Json;
use tokio::time::{sleep, timeout};

use super::faults::Fault;
use super::gateway::Gateway;
use super::ids;
use super::lambda::Lambda;
use super::request::{ApiAnswer, ApiRequest, NoAnswer};
use super::sources::of_rotation;
use super::state::{World, lock};
use super::trace::{Cause, Happened};
use crate::Millis;
use crate::random::{Random, Seeded};

/// The steps of a rotation.
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
/// The attempts at a rotation: Secrets Manager begins again after a failed step.
const ROTATIONS_MAX: usize = 5;
/// The pause between them.
const ROTATION_PAUSE: Millis = Millis::seconds(60);

/// The running world.
pub(super) struct Platform {
    pub(super) world: Arc<World>,
    lambda: Arc<Lambda>,
    gateway: Option<Arc<Gateway>>,
    /// The function that rotates each secret.
    rotations: BTreeMap<String, String>,
    /// The texts that operations have remembered, by name.
    memory: Mutex<BTreeMap<String, String>>,
}

impl Platform {
    /// # Errors
    /// If the API of the template is not simulated.
    pub(super) fn new(
        template: &Template,
        world: Arc<World>,
        lambda: Arc<Lambda>,
    ) -> Result<Self, String> {
        let api = template.root_api();
        let gateway = api.map(|api| Gateway::new(api, &world, &lambda)).transpose()?;
        let rotations = template.event_sources.iter().filter_map(|source| match &source.trigger {
            Trigger::Rotation(trigger) => Some((trigger.secret.clone(), source.function.clone())),
            _ => None,
        });
        let rotations: BTreeMap<_, _> = rotations.collect();
        for secret in rotations.keys() {
            lock(&world.services).rotate(secret, None);
        }
        let gateway = gateway.map(Arc::new);
        Ok(Self { world, lambda, gateway, rotations, memory: Mutex::default() })
    }

    /// Sends a client's request through the network to the API.
    pub(super) async fn send(
        &self,
        operation: usize,
        request: ApiRequest,
        random: &Mutex<Seeded>,
    ) -> Result<ApiAnswer, NoAnswer> {
        let id = ids::request(&mut *lock(random));
        let address = request.address.clone();
        let source_ip = address.unwrap_or_else(|| {
            // The block for benchmarks has 131 072 addresses (RFC 2544).
            format!("198.18.{}.{}", operation / 250 % 256, operation % 250 + 1)
        });
        self.world.record(Happened::Requested {
            request: id.clone(),
            operation,
            address: source_ip.clone(),
            method: request.method.clone(),
            path: request.path.clone(),
            headers: request.headers.clone(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
        });
        let patience = request.patience.as_duration();
        let answer =
            timeout(patience, self.carry(operation, &id, source_ip, request, random)).await;
        let answer = answer.unwrap_or(Err(NoAnswer::TimedOut));
        if let Err(no_answer) = &answer {
            let reason = match no_answer {
                NoAnswer::TimedOut => "the client gave up",
                NoAnswer::ConnectionLost => "the connection was lost",
            };
            self.world.record(Happened::Unanswered { request: id, operation, reason });
        }
        answer
    }

    async fn carry(
        &self,
        operation: usize,
        id: &str,
        source_ip: String,
        request: ApiRequest,
        random: &Mutex<Seeded>,
    ) -> Result<ApiAnswer, NoAnswer> {
        let Some(gateway) = &self.gateway else { return Err(NoAnswer::ConnectionLost) };
        let latency_max = lock(&self.world.mix).latency_max;
        let (there, back, is_lost, is_answer_lost) = {
            let random = &mut *lock(random);
            let (there, back) = (random.up_to(latency_max), random.up_to(latency_max));
            let draws = |fault, random: &mut Seeded| self.world.draws(fault, id, random);
            let is_lost = draws(Fault::LostClientRequest, random);
            (there, back, is_lost, draws(Fault::LostClientResponse, random))
        };
        sleep(there.as_duration()).await;
        if is_lost {
            return Err(NoAnswer::ConnectionLost);
        }
        // The API goes on if the client gives up.
        let (gateway, world, id) = (Arc::clone(gateway), Arc::clone(&self.world), id.to_owned());
        let handled = tokio::spawn(async move {
            let _busy = world.busy();
            gateway.handle(&request, &id, &source_ip, operation).await
        });
        let answer = handled.await.map_err(|_| NoAnswer::ConnectionLost)?;
        sleep(back.as_duration()).await;
        if is_answer_lost { Err(NoAnswer::ConnectionLost) } else { Ok(answer) }
    }

    pub(super) fn remember(&self, name: &str, text: &str) {
        lock(&self.memory).insert(name.to_owned(), text.to_owned());
    }

    pub(super) fn recall(&self, name: &str) -> Option<String> {
        lock(&self.memory).get(name).cloned()
    }

    pub(super) async fn invoke(
        &self,
        operation: usize,
        function: &str,
        event: Json,
    ) -> Result<Json, String> {
        let invoked = self.lambda.invoke(function, &event, Cause::Operation(operation)).await;
        invoked.map_err(|error| error.to_string())
    }

    pub(super) async fn rotate(&self, secret: &str) -> Result<(), String> {
        let function = self.rotations.get(secret);
        let function = function.ok_or_else(|| format!("{secret} has no rotation"))?;
        let mut random =
            self.world.streams.of(&format!("rotation {secret} {}", self.world.now().0));
        // The version stays the same, so that a repeated step finds the work of the last one.
        let token = ids::uuid(&mut random);
        lock(&self.world.services).rotate(secret, Some(&token));
        let mut ended = self.rotate_once(secret, function, &token).await;
        for _ in 1..ROTATIONS_MAX {
            if ended.is_ok() {
                break;
            }
            sleep(ROTATION_PAUSE.as_duration()).await;
            ended = self.rotate_once(secret, function, &token).await;
        }
        lock(&self.world.services).rotate(secret, None);
        ended
    }

    async fn rotate_once(&self, secret: &str, function: &str, token: &str) -> Result<(), String> {
        for step in STEPS {
            let event = of_rotation(step, secret, token);
            let cause = Cause::Rotation(secret.to_owned());
            let invoked = self.lambda.invoke(function, &event, cause).await;
            invoked.map_err(|error| format!("{step}: {error}"))?;
        }
        Ok(())
    }

    pub(super) fn deploy(&self, function: &str, version: usize) {
        self.lambda.deploy(function, version);
    }
}
