//! Stage 8 as values: what a decision wants done, in the three tiers of how bad it is to lose it.
//!
//! | tier | value | when it is lost |
//! |---|---|---|
//! | primary | [`Write`] | cannot be recovered: all writes of a decision commit together, or none does |
//! | secondary | [`Event`] | must happen, later: a row in the outbox, in that same commit |
//! | tertiary | [`Message`] | good to have: sent after the answer, a failure is logged and counted |
//!
//! An endpoint that only takes something in for others to work on has one primary effect, a message
//! that is [handed over](Effects::handing_over) in place of a commit.

use serde::Serialize;
use serde_dynamo::{AttributeValue, Item};

use crate::failure::Rejection;
use crate::notice::Notice;
use crate::record::{Key, Record, Table, item_of};

/// Everything a decision wants done.
///
/// ```
/// use lifecycle::effects::{Effects, Write};
/// # use lifecycle::record::{Key, Record, Table};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Note { id: String }
/// # impl Record for Note {
/// #     const TABLE: Table = Table::new("notes");
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
    notices: Vec<Notice>,
    parts: Vec<Effects>,
    if_refused: Option<Box<Instead>>,
}

/// What happens in place of effects whose message no queue takes.
#[derive(Debug)]
pub(crate) struct Instead {
    /// What is committed then.
    pub(crate) effects: Effects,
    /// The error by which it is counted.
    pub(crate) counted: &'static str,
}

impl Effects {
    /// Nothing at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// A message as the primary effect of an endpoint: it is in its queue before the answer is
    /// given, and if the queue does not take it, the request fails and nothing has happened.
    ///
    /// A queue takes no part in a commit, so there can be no writes, events or idempotency record
    /// beside it, and it is one message, however much it carries: of several, some might be taken
    /// and others not.
    pub fn handing_over(message: Message) -> Self {
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

    /// Adds a secondary effect: it is part of the commit and relayed afterwards.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Adds a message to a queue. For an endpoint it is a tertiary effect, sent after the answer;
    /// for a consumer it is what the record is about, and is sent before the record counts as done.
    #[must_use]
    pub fn message(mut self, message: Message) -> Self {
        self.messages.push(message);
        self
    }

    /// Adds a mail, sent when and as surely as a [`Message`] would be.
    #[must_use]
    pub fn mail(mut self, mail: Mail) -> Self {
        self.mails.push(mail);
        self
    }

    /// Adds a notice, sent when and as surely as a [`Message`] would be.
    #[must_use]
    pub fn notice(mut self, notice: Notice) -> Self {
        self.notices.push(notice);
        self
    }

    /// Adds effects that stand by themselves: a consumer sends and commits each part apart, so that
    /// one that fails keeps no other from being done. Only where there is no inbox, which could not
    /// tell which parts are done, and beside nothing else.
    #[must_use]
    pub fn part(mut self, part: Effects) -> Self {
        self.parts.push(part);
        self
    }

    /// Names what a consumer commits in place of these effects where a queue refuses one of their
    /// messages for what it is, and the error by which that is counted (`OUTBOX_ROW_SET_ASIDE`): such
    /// a message will not get better by being tried again.
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

    /// The message that is handed over in place of a commit.
    pub fn handed_over(&self) -> Option<&Message> {
        self.handed_over.as_ref()
    }

    /// The messages, in the order they were added.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The mails, in the order they were added.
    pub fn mails(&self) -> &[Mail] {
        &self.mails
    }

    /// The notices, in the order they were added.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The parts, in the order they were added.
    pub fn parts(&self) -> &[Effects] {
        &self.parts
    }

    /// What is committed in place of them where a message is refused.
    pub fn instead(&self) -> Option<&Effects> {
        self.if_refused.as_ref().map(|instead| &instead.effects)
    }

    pub(crate) fn take_parts(&mut self) -> Vec<Effects> {
        std::mem::take(&mut self.parts)
    }

    pub(crate) fn take_instead(&mut self) -> Option<Instead> {
        self.if_refused.take().map(|instead| *instead)
    }

    /// Whether there is nothing to be done.
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
    pub table: Table,
    /// The item's key.
    pub key: Key,
    /// What happens to the item.
    pub action: Action,
    /// What must hold of the item as it is stored, for anything of the commit to happen.
    pub condition: Option<Condition>,
    /// What a condition that does not hold stands for.
    pub otherwise: Otherwise,
}

/// What a [`Write`] does to its item.
#[derive(Debug, Clone)]
pub enum Action {
    /// Stores the whole item, which has its key among its attributes.
    Put(Item),
    /// Changes single attributes.
    Update(Vec<Change>),
    /// Removes the item.
    Delete,
    /// Changes nothing, but takes part in the commit by its condition.
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

/// What must hold of the stored item.
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
    /// Every one of these holds.
    All(Vec<Condition>),
    /// One of these holds.
    Any(Vec<Condition>),
}

/// What a failed condition stands for.
#[derive(Debug, Clone)]
pub enum Otherwise {
    /// The facts have moved since they were read: stages 6 to 8 run again.
    Stale,
    /// A rule is broken: the client is told so.
    Reject(Rejection),
}

impl Write {
    /// Stores a record whose key is not taken yet.
    ///
    /// # Panics
    ///
    /// As [`item_of`].
    pub fn create<R: Record>(record: &R) -> Self {
        Self::new::<R>(record.key(), Action::Put(item_of(record))).when(Condition::Absent)
    }

    /// Stores a record whatever was there before.
    ///
    /// # Panics
    ///
    /// As [`Write::create`].
    pub fn put<R: Record>(record: &R) -> Self {
        Self::new::<R>(record.key(), Action::Put(item_of(record)))
    }

    /// Replaces a record if its stored `version` is still the one that was read.
    ///
    /// # Panics
    ///
    /// As [`Write::create`].
    pub fn replace<R: Record>(record: &R, read_version: u64) -> Self {
        Self::put(record).when(Condition::Equals("version", number(read_version)))
    }

    /// Changes single attributes of a record; say which by [`Write::set`] and [`Write::add`].
    pub fn update<R: Record>(key: Key) -> Self {
        Self::new::<R>(key, Action::Update(Vec::new()))
    }

    /// Removes a record.
    pub fn delete<R: Record>(key: Key) -> Self {
        Self::new::<R>(key, Action::Delete)
    }

    /// Changes nothing, but makes the commit depend on this record.
    pub fn check<R: Record>(key: Key, condition: Condition) -> Self {
        Self::new::<R>(key, Action::Check).when(condition)
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

    /// Names the rejection that a failed condition stands for. Without one, a failed condition
    /// means that the facts have moved, and stages 6 to 8 run again.
    #[must_use]
    pub fn otherwise(mut self, rejection: impl Into<Rejection>) -> Self {
        self.otherwise = Otherwise::Reject(rejection.into());
        self
    }

    fn new<R: Record>(key: Key, action: Action) -> Self {
        Self { table: R::TABLE, key, action, condition: None, otherwise: Otherwise::Stale }
    }

    fn change(mut self, change: Change) -> Self {
        match &mut self.action {
            Action::Update(changes) => changes.push(change),
            other => unreachable!("attributes are changed by an update, not by {other:?}"),
        }
        self
    }
}

/// A number as the store keeps it.
pub fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// A string as the store keeps it.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// The payload of an event or message: a name, a version and plain JSON.
pub trait EventData: Serialize {
    /// The name of what happened, in the past tense: `OrderCreated`.
    const TYPE: &'static str;
    /// Counts up when the shape of the data changes.
    const VERSION: u32 = 1;
}

/// Something that happened to an aggregate, for others to react to.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// See [`EventData::TYPE`].
    pub event_type: &'static str,
    /// See [`EventData::VERSION`].
    pub version: u32,
    /// The id of what it happened to; events of one aggregate are relayed in order.
    pub aggregate_id: String,
    /// The data as plain JSON.
    pub data: serde_json::Value,
}

impl Event {
    /// An event about one aggregate.
    ///
    /// # Panics
    ///
    /// When the data's `Serialize` fails: a fault of its type, which its first test shows.
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

/// A queue, by its logical name. Its address stands in the environment as `<NAME>_QUEUE_URL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Queue(&'static str);

impl Queue {
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
    /// Where it goes.
    pub queue: Queue,
    /// What it says; it travels in an [`Envelope`](crate::envelope::Envelope).
    pub content: Content,
    /// How long the queue hides it, in seconds, 0 to 900.
    pub delay_s: u16,
    /// Which of those that share the queue it is from, 1 to 128 letters, digits and signs: a standard
    /// queue serves all groups fairly. In a FIFO queue the aggregate is the group.
    pub group: Option<String>,
}

/// What a [`Message`] carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Something new: the lifecycle seals it in an envelope with an id of its own.
    New(Event),
    /// An envelope that exists already and is passed on unchanged, as a relay does.
    Forward(Box<crate::envelope::Envelope<serde_json::Value>>),
}

impl Message {
    /// A message about something new.
    pub fn new(queue: Queue, event: Event) -> Self {
        Self { queue, content: Content::New(event), delay_s: 0, group: None }
    }

    /// An envelope passed on to a queue unchanged.
    pub fn forward(queue: Queue, envelope: crate::envelope::Envelope<serde_json::Value>) -> Self {
        Self { queue, content: Content::Forward(Box::new(envelope)), delay_s: 0, group: None }
    }

    /// Hides the message for a while; SQS allows at most 900 s.
    #[must_use]
    pub fn delayed(mut self, seconds: u16) -> Self {
        self.delay_s = seconds.min(900);
        self
    }

    /// Says which of those that share the queue it is from.
    #[must_use]
    pub fn of_group(self, group: impl Into<String>) -> Self {
        Self { group: Some(group.into()), ..self }
    }
}

/// A plain-text mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The same for every attempt at the same mail, so that a repeated one can be recognised.
    pub id: String,
    /// One address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The body.
    pub text: String,
}
