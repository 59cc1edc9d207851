//! The permission to read data.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::identity::Caller;
use crate::effects::Message;
use crate::{Deadline, Moment};

/// The permission to read data: proof that stages 2 and 3 have admitted the caller.
///
/// Retrieval functions take a permit, and only the lifecycle can make one. So reading before
/// authorization does not compile.
///
/// ```compile_fail
/// use lifecycle::{Anyone, Permit};
/// let forged = Permit { caller: Anyone };
/// ```
#[derive(Debug)]
pub struct Permit<C> {
    caller: C,
    moment: Moment,
    deadline: Deadline,
    source: String,
    prefix: String,
    after_response: AfterResponse,
    /// Whether facts of an earlier run were stale.
    stale: AtomicBool,
    kept: Kept,
}

/// The results of work that is done once, by name.
#[derive(Default)]
struct Kept(Mutex<HashMap<String, Box<dyn Any + Send>>>);

impl fmt::Debug for Kept {
    /// Without the results, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(…)")
    }
}

/// The messages to send after the response, of success or failure.
#[derive(Debug, Clone, Default)]
pub(crate) struct AfterResponse(Arc<Mutex<Vec<Message>>>);

impl AfterResponse {
    /// Takes the messages out.
    pub(crate) fn take(&self) -> Vec<Message> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, message: Message) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }
}

impl<C> Permit<C> {
    pub(crate) fn new(caller: C, moment: Moment, deadline: Deadline) -> Self {
        Self {
            caller,
            moment,
            deadline,
            source: String::new(),
            prefix: String::new(),
            after_response: AfterResponse::default(),
            stale: AtomicBool::new(false),
            kept: Kept::default(),
        }
    }

    /// The permit of a request from this source, under this public prefix.
    pub(crate) fn of_request(
        self,
        source: String,
        prefix: String,
        after_response: AfterResponse,
    ) -> Self {
        Self { source, prefix, after_response, ..self }
    }

    /// The admitted caller.
    pub fn caller(&self) -> &C {
        &self.caller
    }

    /// The moment of the request.
    pub fn moment(&self) -> &Moment {
        &self.moment
    }

    /// The time by which the request must be answered.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Whether the facts of an earlier run of stage 6 were stale. Reads that may lag at first must
    /// not lag then: the decision would fail again.
    pub fn had_stale_facts(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }

    /// Notes that the commit of a run met a change, so that the next run reads it.
    pub(crate) fn facts_were_stale(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    /// Does work once for this request or record, although stage 6 is repeated while facts are
    /// stale: hashing a password, for example, or counting an attempt. Later runs get the first
    /// result of this name and type. An error is not kept.
    ///
    /// # Errors
    ///
    /// Those of the work.
    pub async fn once<T, E>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E>
    where
        T: Clone + Send + 'static,
    {
        let known = self.kept().get(name).and_then(|kept| kept.downcast_ref::<T>()).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let done = work.await?;
        self.kept().insert(name.to_owned(), Box::new(done.clone()));
        Ok(done)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Box<dyn Any + Send>>> {
        self.kept.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The source address of the request as limits count it: an IPv4 address, or the /64 of an
    /// IPv6 one. Empty for a record.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The part of the request's path before this API's paths: a stage or a base path.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the public URL of a path of this API: `base`, the prefix of the request's path
    /// unless `base` ends with it, and the path.
    pub fn public_url(&self, base: &str, path: &str) -> String {
        let base = base.trim_end_matches('/');
        let prefix = if base.ends_with(&self.prefix) { "" } else { &self.prefix };
        format!("{base}{prefix}{path}")
    }
}

impl<C: Caller> Permit<C> {
    /// Sends a message after the response, even if the request fails. For events about failures: a
    /// failed request has no effects that could carry them.
    pub fn send_after_response(&self, message: Message) {
        self.after_response.add(message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::{Event, EventData, QueueName};
    use crate::{Anyone, Timestamp};

    #[derive(serde::Serialize)]
    struct Failed;

    impl EventData for Failed {
        const TYPE: &'static str = "Failed";
    }

    fn permit() -> Permit<Anyone> {
        let moment = Moment::new(Timestamp::from_millis(0), [0; 32]);
        Permit::new(Anyone, moment, Deadline::after(std::time::Duration::ZERO))
    }

    #[test]
    fn kept_results_are_not_shown() {
        let kept = Kept::default();
        kept.0.lock().unwrap().insert("token".to_owned(), Box::new("hunter2"));
        assert_eq!(format!("{kept:?}"), "Kept(…)");
    }

    #[test]
    fn a_public_url_has_the_prefix_of_the_request_once() {
        for (prefix, base, expected) in [
            ("", "https://a.example", "https://a.example/notes/1"),
            ("", "https://a.example/v1/", "https://a.example/v1/notes/1"),
            ("/v1", "https://a.example", "https://a.example/v1/notes/1"),
            ("/v1", "https://a.example/v1", "https://a.example/v1/notes/1"),
        ] {
            let permit =
                permit().of_request(String::new(), prefix.to_owned(), AfterResponse::default());
            assert_eq!(permit.public_url(base, "/notes/1"), expected);
        }
    }

    #[test]
    fn a_permit_has_the_source_of_its_request_and_notes_stale_facts() {
        let permit = permit();
        assert_eq!((permit.source(), permit.had_stale_facts()), ("", false));
        let source = "192.0.2.1".to_owned();
        let permit = permit.of_request(source, String::new(), AfterResponse::default());
        permit.facts_were_stale();
        assert_eq!((permit.source(), permit.had_stale_facts()), ("192.0.2.1", true));
    }

    #[tokio::test]
    async fn work_is_done_once_for_each_name_and_again_after_an_error() {
        let permit = permit();
        let done = std::cell::Cell::new(0);
        let work = |result: Result<u8, &'static str>| {
            let done = &done;
            async move {
                done.set(done.get() + 1);
                result
            }
        };
        assert_eq!(permit.once("hash", work(Err("no entropy"))).await, Err("no entropy"));
        assert_eq!(permit.once("hash", work(Ok(1))).await, Ok(1));
        assert_eq!(permit.once("hash", work(Ok(2))).await, Ok(1));
        assert_eq!(permit.once("another", work(Ok(3))).await, Ok(3));
        assert_eq!(done.get(), 3);
        assert!(!format!("{permit:?}").contains("another"));
    }

    #[test]
    fn messages_for_after_the_response_are_taken_once() {
        let after_response = AfterResponse::default();
        let permit = permit().of_request(String::new(), String::new(), after_response.clone());
        let message = Message::new(QueueName::new("failures"), Event::about("1", &Failed));
        permit.send_after_response(message.clone());
        assert_eq!(after_response.take(), [message]);
        assert_eq!(after_response.take(), []);
    }
}
