//! The services of an AWS account, as state machines.

mod access;
mod account;
mod call;
pub mod dynamodb;
mod freedom;
pub mod secrets;
pub mod ses;
pub mod sqs;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use self::access::Access;
pub use self::access::Permissions;
pub(crate) use self::access::Senders;
pub use self::account::{ACCOUNT_ID, REGION};
use self::call::{Answer, Call, Finished, Turn};
pub use self::call::{CallId, Called};
#[cfg(test)]
pub(crate) use self::dynamodb::item_of;
use self::dynamodb::{DynamoDb, TableDefinition, item_to_json};
pub(crate) use self::dynamodb::{Item, plain};
pub use self::freedom::Freedom;
use self::secrets::Secrets;
use self::ses::Ses;
use self::sqs::{QueueDefinition, Sqs};
use self::wire::AwsError;
pub use self::wire::{WireRequest, WireResponse};
use crate::Millis;
use crate::random::Random;

/// The services of an account. They know the time only from the calls.
#[derive(Debug, Clone, Default)]
pub struct Services {
    freedom: Freedom,
    permissions: BTreeMap<String, Permissions>,
    dynamodb: DynamoDb,
    sqs: Sqs,
    secrets: Secrets,
    ses: Ses,
    next_call: u64,
    /// Calls that have ended, until `advance` returns them.
    finished: Vec<(CallId, WireResponse)>,
    now: Millis,
}

impl Services {
    /// Services without resources.
    pub fn new(freedom: Freedom) -> Self {
        Self { freedom, ..Self::default() }
    }

    /// Adds a table.
    ///
    /// # Errors
    /// If there is one with its name, or an index is invalid.
    pub fn add_table(&mut self, definition: TableDefinition) -> Result<(), String> {
        self.dynamodb.add(definition, self.now)
    }

    /// Adds a queue. Returns its URL.
    ///
    /// # Errors
    /// If there is one with its name, or its dead-letter queue is not there.
    pub fn add_queue(&mut self, definition: QueueDefinition) -> Result<String, String> {
        self.sqs.add(definition, self.now)
    }

    /// Adds a secret with a first version.
    pub fn add_secret(&mut self, name: &str, value: &str, random: &mut impl Random) {
        self.secrets.add(name, value, self.now, random);
    }

    /// The mailbox that `SendEmail` fills, and the rules of the sandbox.
    pub fn mail(&mut self) -> &mut Ses {
        &mut self.ses
    }

    /// All mails that were accepted, in order: for checks.
    pub fn mails(&self) -> &[ses::Mail] {
        self.ses.mails()
    }

    /// The ARN of the stream of a table, if it has one.
    pub fn stream_arn(&self, table: &str) -> Option<&str> {
        self.dynamodb.stream_arn(table)
    }

    /// Begins the rotation of a secret to a version with this id; `None` is the time between two
    /// rotations.
    pub(crate) fn rotate(&mut self, secret: &str, version: Option<&str>) {
        self.secrets.rotate(secret, version);
    }

    /// The number of records that all streams have got so far.
    pub fn stream_records(&self) -> u64 {
        self.dynamodb.stream_records()
    }

    /// Whether a shard has no record after the one with this sequence number; `None` is its beginning.
    pub(crate) fn is_shard_read(&self, stream: &str, shard: &str, after: Option<&str>) -> bool {
        self.dynamodb.is_shard_read(stream, shard, after)
    }

    /// Sets the permissions of a caller. A caller without any is denied everything.
    pub fn grant(&mut self, caller: impl Into<String>, permissions: Permissions) {
        self.permissions.insert(caller.into(), permissions);
    }

    /// Sets how far the services use their freedom from now on.
    pub fn set_freedom(&mut self, freedom: Freedom) {
        self.freedom = freedom;
    }

    /// Stores an item in `DynamoDB`'s JSON, without a caller: the data of a test.
    ///
    /// # Errors
    /// If there is no such table, or the item is invalid.
    pub fn put_item(
        &mut self,
        table: &str,
        item: &Json,
        random: &mut impl Random,
    ) -> Result<(), String> {
        let mut turn = Turn { now: self.now, random, freedom: &self.freedom };
        self.dynamodb.seed(table, item, &mut turn)
    }

    /// All items of a table in `DynamoDB`'s JSON, as a consistent read sees them: for checks.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn items(&self, table: &str) -> Vec<Json> {
        self.dynamodb.stored(table).map(|item| item_to_json(item)).collect()
    }

    /// All items of a table, as a consistent read sees them.
    pub(crate) fn stored(&self, table: &str) -> impl Iterator<Item = &Arc<Item>> {
        self.dynamodb.stored(table)
    }

    /// The bodies of all messages of a queue, hidden ones too: for checks.
    pub fn messages(&self, queue: &str) -> Vec<String> {
        self.sqs.bodies(queue)
    }

    /// Performs a call. Events until `now` happen before it.
    ///
    /// `now` must not be before the time of an earlier call.
    pub fn call(
        &mut self,
        now: Millis,
        random: &mut impl Random,
        request: WireRequest<'_>,
    ) -> Called {
        self.run_until(now, random);
        let id = CallId(self.next_call);
        self.next_call += 1;
        let access = Access { caller: request.caller, permissions: &self.permissions };
        let mut call = Call { id, now, random, freedom: &self.freedom, access };
        let target = request.target.and_then(|it| it.split_once('.'));
        let (service, operation) = target.unwrap_or_default();
        let answer = match service {
            "DynamoDB_20120810" => self.dynamodb.call(operation, request.body, &mut call),
            "DynamoDBStreams_20120810" => {
                self.dynamodb.call_stream(operation, request.body, &mut call)
            }
            "AmazonSQS" => self.sqs.call(operation, request.body, &mut call),
            "secretsmanager" => self.secrets.call(operation, request.body, &mut call),
            _ if request.path == ses::PATH => self.ses.call(request.body, &mut call),
            _ => Err(AwsError { status: 404, ..AwsError::unknown_operation() }),
        };
        match answer {
            Ok(Answer::Now(body)) => Called::AtOnce(WireResponse::of(Ok(body))),
            Ok(Answer::Later(at)) => Called::CompletesAt(at, id),
            Err(error) => Called::AtOnce(WireResponse::of(Err(error))),
        }
    }

    /// The time of the next event, which may have passed: something changes by
    /// [`Services::advance`] then.
    pub fn next_event_at(&self) -> Option<Millis> {
        if !self.finished.is_empty() {
            return Some(self.now);
        }
        let events = [self.dynamodb.next_event_at(), self.sqs.next_event_at()];
        events.into_iter().flatten().min().map(|at| at.max(self.now))
    }

    /// Performs all events until `now`. Returns the responses of the calls that have ended.
    pub fn advance(
        &mut self,
        now: Millis,
        random: &mut impl Random,
    ) -> Vec<(CallId, WireResponse)> {
        self.run_until(now, random);
        std::mem::take(&mut self.finished)
    }

    /// Ends a call whose caller is gone. A waiting receive call takes no message then; a
    /// transaction goes on without it.
    pub fn abandon(&mut self, call: CallId) {
        self.sqs.abandon(call);
        self.finished.retain(|(finished, _)| *finished != call);
    }

    fn run_until(&mut self, now: Millis, random: &mut dyn Random) {
        let now = now.max(self.now);
        loop {
            let (tables, queues) = (self.dynamodb.next_event_at(), self.sqs.next_event_at());
            let next = tables.into_iter().chain(queues).min();
            let Some(at) = next.filter(|at| *at <= now) else { break };
            self.now = self.now.max(at);
            let ended = if tables == Some(at) {
                self.dynamodb.advance(&self.freedom, random)
            } else {
                self.sqs.advance(self.now, &self.freedom, random)
            };
            if let Some(Finished { id, result }) = ended {
                self.finished.push((id, WireResponse::of(result)));
            }
        }
        self.now = now;
    }
}
