//! Stage 8 as values: the effects of a decision, in three tiers by the cost of losing one.
//!
//! | tier | value | if it is lost |
//! |---|---|---|
//! | primary | [`Write`] | cannot be recovered: all writes of a decision commit together, or none |
//! | secondary | [`Event`] | must happen, later: a row in the outbox, in the same commit |
//! | tertiary | [`Message`] | acceptable: sent after the response, a failure is logged and counted |
//!
//! An endpoint that only queues work has one primary effect: a message that is
//! [sent in place of a commit](Effects::handing_over).

use serde::Serialize;
use serde_dynamo::{AttributeValue, Item};

use crate::alert::Alert;
use crate::error::DomainError;
use crate::record::{Key, Record, TableName, item_of};

/// All effects of a decision.
///
/// ```
/// use lifecycle::effects::{Effects, Write};
/// # use lifecycle::record::{Key, Record, TableName};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Note { id: String }
/// # impl Record for Note {
/// #     const TABLE: TableName = TableName::new("notes");
/// #     fn key(&self) -> Key { Key::new(&self.id) }
/// # }
/// let note = Note { id: "1".into() };
/// let effects = Effects::none().write(Write::create(&note));
/// assert_eq!(effects.writes().len(), 1);
/// ```
#[derive(Debug, Default)]
pub struct Effects {
    writes: Vec<Write>,
    events: Vec<Event>,
    handed_over: Option<Message>,
    messages: Vec<Message>,
    mails: Vec<Mail>,
    notices: Vec<Alert>,
    parts: Vec<Effects>,
    if_refused: Option<Box<Instead>>,
}

/// The replacement for effects that contain a message which its queue refuses.
#[derive(Debug)]
pub(crate) struct Instead {
    /// The effects to commit.
    pub(crate) effects: Effects,
    /// The error type to count.
    pub(crate) counted: &'static str,
}

impl Effects {
    /// No effects.
    pub fn none() -> Self {
        Self::default()
    }

    /// A message as the primary effect of an endpoint. It is in its queue before the response is
    /// sent; if the queue does not take it, the request fails and has no effect.
    ///
    /// A queue cannot take part in a commit, so writes, events and an idempotency record are not
    /// possible with it. It is one message, because a queue may take some of several messages and
    /// refuse others.
    pub fn enqueue_instead_of_commit(message: Message) -> Self {
        Self { handed_over: Some(message), ..Self::default() }
    }

    /// Adds a primary effect.
    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// Adds several primary effects.
    #[must_use]
    pub fn writes_of(mut self, writes: impl IntoIterator<Item = Write>) -> Self {
        self.writes.extend(writes);
        self
    }

    /// Adds a secondary effect: it is part of the commit and is published afterwards.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Adds a message to a queue. For an endpoint it is a tertiary effect, sent after the response.
    /// For a consumer it is sent before the record counts as processed.
    #[must_use]
    pub fn message(mut self, message: Message) -> Self {
        self.messages.push(message);
        self
    }

    /// Adds an e-mail, with the timing and the guarantee of a [`Message`].
    #[must_use]
    pub fn mail(mut self, mail: Mail) -> Self {
        self.mails.push(mail);
        self
    }

    /// Adds an alert, with the timing and the guarantee of a [`Message`].
    #[must_use]
    pub fn notice(mut self, notice: Alert) -> Self {
        self.notices.push(notice);
        self
    }

    /// Adds independent effects. A consumer sends and commits each part separately, so that one
    /// failed part does not stop the others. Parts need
    /// [`Inbox::None`](crate::consumer::Inbox::None), as an inbox cannot record single parts, and
    /// must be the only effects.
    #[must_use]
    pub fn part(mut self, part: Effects) -> Self {
        self.parts.push(part);
        self
    }

    /// Sets the effects that a consumer commits instead if a queue refuses a message because of its
    /// content: a retry would fail again. `counted` is the error type to count
    /// (`OUTBOX_ROW_SET_ASIDE`).
    #[must_use]
    pub fn if_refused(mut self, effects: Effects, counted: &'static str) -> Self {
        self.if_refused = Some(Box::new(Instead { effects, counted }));
        self
    }

    /// The primary effects, in the order they were added.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// The secondary effects, in the order they were added.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The message that is sent in place of a commit.
    pub fn handed_over(&self) -> Option<&Message> {
        self.handed_over.as_ref()
    }

    /// The messages, in the order they were added.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The e-mails, in the order they were added.
    pub fn mails(&self) -> &[Mail] {
        &self.mails
    }

    /// The alerts, in the order they were added.
    pub fn notices(&self) -> &[Alert] {
        &self.notices
    }

    /// The parts, in the order they were added.
    pub fn parts(&self) -> &[Effects] {
        &self.parts
    }

    /// The effects that are committed instead if a message is refused.
    pub fn instead(&self) -> Option<&Effects> {
        self.if_refused.as_ref().map(|instead| &instead.effects)
    }

    pub(crate) fn take_parts(&mut self) -> Vec<Effects> {
        std::mem::take(&mut self.parts)
    }

    pub(crate) fn take_instead(&mut self) -> Option<Instead> {
        self.if_refused.take().map(|instead| *instead)
    }

    /// Whether there are no effects.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
            && self.events.is_empty()
            && self.handed_over.is_none()
            && self.messages.is_empty()
            && self.mails.is_empty()
            && self.notices.is_empty()
            && self.parts.is_empty()
    }
}

/// One conditional write to one item.
#[derive(Debug, Clone)]
pub struct Write {
    /// The table, by its logical name.
    pub table: TableName,
    /// The item's key.
    pub key: Key,
    /// The change to the item.
    pub action: WriteAction,
    /// The condition on the stored item. If it does not hold, nothing of the commit happens.
    pub condition: Option<Condition>,
    /// The meaning of a failed condition.
    pub on_condition_failed: OnConditionFailed,
}

/// The operation of a [`Write`].
#[derive(Debug, Clone)]
pub enum WriteAction {
    /// Stores the whole item, including its key attributes.
    Put(Item),
    /// Changes single attributes.
    Update(Vec<Change>),
    /// Removes the item.
    Delete,
    /// Changes nothing; only checks the condition, as part of the commit.
    Check,
}

/// A change to one attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Sets the attribute.
    Set(&'static str, AttributeValue),
    /// Adds a whole number, which may be negative; a missing attribute counts as 0.
    Add(&'static str, i64),
    /// Removes the attribute.
    Remove(&'static str),
}

/// A condition on the stored item.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// No item has this key.
    Absent,
    /// An item has this key.
    Present,
    /// The attribute has this value.
    Equals(&'static str, AttributeValue),
    /// The attribute is a number of at least this much.
    AtLeast(&'static str, i64),
    /// The attribute is a number below this.
    Below(&'static str, i64),
    /// All of these hold.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
}

/// The meaning of a failed condition.
#[derive(Debug, Clone)]
pub enum OnConditionFailed {
    /// The facts are stale: stages 6 to 8 run again.
    Retry,
    /// A business rule is violated: the client gets this rejection.
    Reject(DomainError),
}

impl Write {
    /// Stores a record whose key does not exist yet.
    ///
    /// # Panics
    ///
    /// As [`item_of`].
    pub fn create<R: Record>(record: &R) -> Self {
        Self::new::<R>(record.key(), WriteAction::Put(item_of(record))).when(Condition::Absent)
    }

    /// Stores a record and overwrites an existing one.
    ///
    /// # Panics
    ///
    /// As [`Write::create`].
    pub fn put<R: Record>(record: &R) -> Self {
        Self::new::<R>(record.key(), WriteAction::Put(item_of(record)))
    }

    /// Replaces a record if its stored `version` still equals `read_version`.
    ///
    /// # Panics
    ///
    /// As [`Write::create`].
    pub fn replace<R: Record>(record: &R, read_version: u64) -> Self {
        Self::put(record).when(Condition::Equals("version", number(read_version)))
    }

    /// Changes single attributes of a record; add them with [`Write::set`] and [`Write::add`].
    pub fn update<R: Record>(key: Key) -> Self {
        Self::new::<R>(key, WriteAction::Update(Vec::new()))
    }

    /// Removes a record.
    pub fn delete<R: Record>(key: Key) -> Self {
        Self::new::<R>(key, WriteAction::Delete)
    }

    /// Changes nothing, but the commit fails unless this record meets the condition.
    pub fn check<R: Record>(key: Key, condition: Condition) -> Self {
        Self::new::<R>(key, WriteAction::Check).when(condition)
    }

    /// Sets an attribute. Only for [`Write::update`].
    #[must_use]
    pub fn set(self, attribute: &'static str, value: AttributeValue) -> Self {
        self.change(Change::Set(attribute, value))
    }

    /// Adds to a numeric attribute; a negative number subtracts. Only for [`Write::update`].
    #[must_use]
    pub fn add(self, attribute: &'static str, amount: i64) -> Self {
        self.change(Change::Add(attribute, amount))
    }

    /// Adds a condition; several must all hold.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(match self.condition.take() {
            None => condition,
            Some(Condition::All(mut all)) => {
                all.push(condition);
                Condition::All(all)
            }
            Some(first) => Condition::All(vec![first, condition]),
        });
        self
    }

    /// Sets the rejection for a failed condition. Without one, a failed condition means that the
    /// facts are stale, and stages 6 to 8 run again.
    #[must_use]
    pub fn or_reject(mut self, rejection: impl Into<DomainError>) -> Self {
        self.on_condition_failed = OnConditionFailed::Reject(rejection.into());
        self
    }

    fn new<R: Record>(key: Key, action: WriteAction) -> Self {
        Self {
            table: R::TABLE,
            key,
            action,
            condition: None,
            on_condition_failed: OnConditionFailed::Retry,
        }
    }

    fn change(mut self, change: Change) -> Self {
        match &mut self.action {
            WriteAction::Update(changes) => changes.push(change),
            other => unreachable!("`set` and `add` need an update, not {other:?}"),
        }
        self
    }
}

/// A number attribute.
pub fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// A string attribute.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// The payload of an event or message: a name, a version and plain JSON.
pub trait EventData: Serialize {
    /// The name of the event type, in the past tense: `OrderCreated`.
    const TYPE: &'static str;
    /// The version of the data's shape; increases with each change of it.
    const VERSION: u32 = 1;
}

/// An event of an aggregate, for other functions to react to.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// See [`EventData::TYPE`].
    pub event_type: &'static str,
    /// See [`EventData::VERSION`].
    pub version: u32,
    /// The id of the aggregate; events of one aggregate are published in order.
    pub aggregate_id: String,
    /// The data as plain JSON.
    pub data: serde_json::Value,
}

impl Event {
    /// An event about one aggregate.
    ///
    /// # Panics
    ///
    /// When the data's `Serialize` fails: a defect of its type, which its first test shows.
    pub fn about<D: EventData>(aggregate_id: impl ToString, data: &D) -> Self {
        let data = serde_json::to_value(data)
            .unwrap_or_else(|error| panic!("{} has no JSON form: {error}", D::TYPE));
        Self {
            event_type: D::TYPE,
            version: D::VERSION,
            aggregate_id: aggregate_id.to_string(),
            data,
        }
    }
}

/// A queue, by its logical name. Its URL is in the environment variable `<NAME>_QUEUE_URL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueName(&'static str);

impl QueueName {
    /// Names a queue in `snake_case`: `emails` is found under `EMAILS_QUEUE_URL`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The logical name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The environment variable that holds the queue's URL.
    pub fn variable(self) -> String {
        format!("{}_QUEUE_URL", self.0.to_uppercase())
    }

    /// The environment variable that holds the URL of the queue's dead-letter queue.
    pub fn dead_letter_variable(self) -> String {
        format!("{}_DEAD_LETTER_QUEUE_URL", self.0.to_uppercase())
    }
}

/// A message to a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The destination.
    pub queue: QueueName,
    /// The content; it is sent in an [`Envelope`](crate::envelope::Envelope).
    pub content: Content,
    /// The delivery delay in seconds, 0 to 900.
    pub delay_s: u16,
    /// The message group: 1 to 128 letters, digits and punctuation marks. A standard queue serves
    /// all groups fairly. In a FIFO queue the aggregate is the group.
    pub group: Option<String>,
}

/// The content of a [`Message`].
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// New data: the lifecycle puts it into an envelope with a new id.
    New(Event),
    /// An existing envelope, which is passed on unchanged.
    Forward(Box<crate::envelope::Envelope<serde_json::Value>>),
}

impl Message {
    /// A message with new data.
    pub fn new(queue: QueueName, event: Event) -> Self {
        Self { queue, content: Content::New(event), delay_s: 0, group: None }
    }

    /// A message that passes an envelope on unchanged.
    pub fn forward(
        queue: QueueName,
        envelope: crate::envelope::Envelope<serde_json::Value>,
    ) -> Self {
        Self { queue, content: Content::Forward(Box::new(envelope)), delay_s: 0, group: None }
    }

    /// Delays the delivery; SQS allows at most 900 s.
    #[must_use]
    pub fn delayed(mut self, seconds: u16) -> Self {
        self.delay_s = seconds.min(900);
        self
    }

    /// Sets the message group.
    #[must_use]
    pub fn of_group(self, group: impl Into<String>) -> Self {
        Self { group: Some(group.into()), ..self }
    }
}

/// A plain-text e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// An id that is the same in every attempt to send this e-mail, so that a duplicate can be
    /// recognised.
    pub id: String,
    /// The recipient, one address.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The body.
    pub text: String,
}
