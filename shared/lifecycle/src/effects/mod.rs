//! Stage 8 as values: the effects of a decision, in three tiers by the cost of losing one.
//!
//! | tier | value | if it is lost |
//! |---|---|---|
//! | primary | [`Write`] | cannot be recovered: all writes of a decision commit together, or none |
//! | secondary | [`Event`] | must happen, later: a row in the outbox, in the same commit |
//! | secondary | [`Message`], [announced](Effects::announce) | must happen, later: sent after the commit, whose items show that it is due until it was sent |
//! | tertiary | [`Message`] | acceptable: sent after the response, a failure is logged and counted |
//!
//! An endpoint that only queues work has one primary effect: a message that is
//! [sent in place of a commit](Effects::enqueue_instead_of_commit).

mod event;
mod mail;
mod message;
mod post;
mod write;

pub use self::event::{Event, EventData};
pub use self::mail::Mail;
pub use self::message::{Content, Message, QueueName};
pub use self::post::Post;
#[cfg(any(test, feature = "testing"))]
pub(crate) use self::write::whole_number;
pub use self::write::{
    Change, Condition, OnConditionFailed, Write, WriteAction, number, size_bytes_of, text,
};

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
    announced: Vec<Message>,
    mails: Vec<Mail>,
    posts: Vec<Post>,
    parts: Vec<Effects>,
    if_refused: Option<Box<Instead>>,
    if_unsent: Option<Box<Effects>>,
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

    /// Adds a message that is sent once the commit has succeeded, and needs no row in the outbox:
    /// the committed items themselves show that it is due.
    ///
    /// - For a consumer, the record fails if the message is not sent. The next delivery finds the
    ///   committed items, and has to decide on the same announcement, or to do its work. So it
    ///   needs [`Inbox::None`](crate::consumer::Inbox::None): an inbox would ignore that delivery. A
    ///   schedule has to find the items in its next run.
    /// - A message to the consumer's own queue about the record itself is an announcement. One that is
    ///   sent before the commit is a copy of the record: while the commit fails, each delivery of each
    ///   copy adds one.
    /// - For an endpoint, it is sent after the response, or just before it where there is no
    ///   [extension](crate::Endpoint::TERTIARY_EFFECTS). A failure is logged and counted. A schedule has to
    ///   find the items whose announcement is missing, and to announce it again,
    ///   by the same [id](crate::effects::Event::known_as).
    ///
    /// Announcements leave queue after queue, in the order in which the effects name the queues,
    /// and stop at the first queue that fails. So the message of the last queue proves that all
    /// others were sent: if its consumer changes the item, no announcement is missing.
    #[must_use]
    pub fn announce(mut self, message: Message) -> Self {
        self.announced.push(message);
        self
    }

    /// Adds several announcements, as [`Effects::announce`].
    #[must_use]
    pub fn announce_all(mut self, messages: impl IntoIterator<Item = Message>) -> Self {
        self.announced.extend(messages);
        self
    }

    /// Adds an e-mail, with the timing and the guarantee of a [`Message`].
    #[must_use]
    pub fn mail(mut self, mail: Mail) -> Self {
        self.mails.push(mail);
        self
    }

    /// Adds JSON for one of the alert services that [`Post`] names, with the timing and the guarantee of a
    /// [`Message`].
    #[must_use]
    pub fn post(mut self, post: Post) -> Self {
        self.posts.push(post);
        self
    }

    /// Adds independent effects. A consumer sends and commits each part separately, so that one
    /// failed part does not stop the others. Parts need
    /// [`Inbox::None`](crate::consumer::Inbox::None), as an inbox cannot record single parts, and
    /// must be the only effects. Each part sends its messages, commits, and then sends its
    /// announcements.
    ///
    /// A run of a schedule has one part for each row that it works on, or for a few rows that may
    /// fail together. Without parts all rows are one commit: the one row whose write fails or whose
    /// condition does not hold blocks the others, in every run. With parts the others are done. A
    /// part that fails makes the run fail in the end; if others succeeded, `PARTLY_FAILED` counts
    /// the run. A part whose condition does not hold is left to the next run, and `PART_STALE`
    /// counts it. The log names its write, its condition and the attributes that were read. A part
    /// whose items another transaction uses is left to the next run, too.
    ///
    /// Only a schedule has a next run. A record of a queue or of a stream succeeds although one of its
    /// parts is left, and is not delivered again. So announcements in parts belong to schedules.
    ///
    /// A repeated run gives the events of a part the same ids, in any order of the parts: the ids
    /// follow from the items that the part writes, and from the types and aggregates of its events.
    /// Parts that are equal in both are numbered. A repeated run that finds only some of them may
    /// take one for another that has committed. So each part should write an item that no other writes.
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

    /// Sets the effects that a [part](Self::part) commits if a message could not be sent for another
    /// reason, such as a queue that does not answer. The part has failed nevertheless. A sweeper moves
    /// its row behind the others, so that one queue cannot hold up the rows of all.
    #[must_use]
    pub fn if_unsent(mut self, effects: Effects) -> Self {
        self.if_unsent = Some(Box::new(effects));
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

    /// The messages that are sent once the commit has succeeded, in the order they were added.
    pub fn announced(&self) -> &[Message] {
        &self.announced
    }

    /// The e-mails, in the order they were added.
    pub fn mails(&self) -> &[Mail] {
        &self.mails
    }

    /// The posts to alert services, in the order they were added.
    pub fn posts(&self) -> &[Post] {
        &self.posts
    }

    /// The parts, in the order they were added.
    pub fn parts(&self) -> &[Effects] {
        &self.parts
    }

    /// The effects that are committed instead if a message is refused.
    pub fn instead(&self) -> Option<&Effects> {
        self.if_refused.as_ref().map(|instead| &instead.effects)
    }

    /// The effects that a part commits if a message could not be sent.
    pub fn unsent(&self) -> Option<&Effects> {
        self.if_unsent.as_deref()
    }

    pub(crate) fn take_parts(&mut self) -> Vec<Effects> {
        std::mem::take(&mut self.parts)
    }

    pub(crate) fn take_instead(&mut self) -> Option<Instead> {
        self.if_refused.take().map(|instead| *instead)
    }

    pub(crate) fn take_unsent(&mut self) -> Option<Effects> {
        self.if_unsent.take().map(|effects| *effects)
    }

    /// Whether there are no effects.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
            && self.events.is_empty()
            && self.handed_over.is_none()
            && self.messages.is_empty()
            && self.announced.is_empty()
            && self.mails.is_empty()
            && self.posts.is_empty()
            && self.parts.is_empty()
    }
}
