//! The internal extension: it holds the execution environment until what follows an answer is done.
//!
//! It asks for the next event only then, and Lambda freezes nothing before. The extension of the crate
//! ends with the first `next` that fails, and with it the log lines of every invocation that follows;
//! so the asking is done here.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lambda_extension::Extension;
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{Client, build_request};
use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, sleep_until};

use super::after::Aftermath;
use crate::failure::BoxError;

/// How often `next` is asked for in vain before the process ends. Lambda starts another one then.
const FAILURES_MAX: u32 = 5;
/// The pause after the first failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How many invocations are remembered whose aftermath is done.
const REMEMBERED: usize = 64;
/// How long an invocation under way holds up the end of the process: Lambda's longest time-out.
const INVOCATION_MAX: Duration = Duration::from_mins(15);

/// What one invocation leaves, if anything, by its request id.
pub(super) struct Left {
    pub(super) request_id: String,
    pub(super) aftermath: Option<Aftermath>,
}

/// Where invocations leave their aftermath.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    sender: UnboundedSender<Left>,
    under_way: Arc<AtomicUsize>,
}

impl Holder {
    pub(super) fn begin(&self) {
        self.under_way.fetch_add(1, Ordering::SeqCst);
    }

    /// Hands the aftermath over, and gives it back where there is no extension any more.
    pub(super) fn end(&self, left: Left) -> Option<Aftermath> {
        let refused = self.sender.send(left).err();
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        refused.and_then(|refused| refused.0.aftermath)
    }
}

/// Registers the extension. It costs a round trip at the start, and hears of every invocation.
pub(super) async fn hold() -> Result<Holder, BoxError> {
    let extension = Extension::new().with_extension_name("lifecycle").with_events(&["INVOKE"]);
    let id = extension.register().await?.extension_id;
    let (sender, receiver) = unbounded_channel();
    let holder = Holder { sender, under_way: Arc::default() };
    let (client, under_way) = (Client::builder().build()?, Arc::clone(&holder.under_way));
    tokio::spawn(async move {
        let error = attend(|| next(&client, &id), receiver, &under_way).await;
        tracing::error!(error, "the internal extension gets no events: the process ends");
        std::process::exit(1);
    });
    Ok(holder)
}

/// Asks for the next event: the request id of the invocation that it tells of.
async fn next(client: &Client, id: &str) -> Result<Option<String>, BoxError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        event_type: String,
        request_id: Option<String>,
    }
    let request = build_request()
        .method(http::Method::GET)
        .uri("/2020-01-01/extension/event/next")
        .header("Lambda-Extension-Identifier", id)
        .body(Body::empty())?;
    let answer = client.call(request).await?;
    let status = answer.status();
    let body = Body::new(answer.into_body()).collect().await?.to_bytes();
    if !status.is_success() {
        return Err(format!("the Extensions API answers {status}").into());
    }
    let event: Event = serde_json::from_slice(&body)?;
    Ok(event.request_id.filter(|_| event.event_type == "INVOKE"))
}

/// Does what each invocation leaves before it asks for the next one; ends with the last error when
/// asking is in vain, and nothing is left and under way.
async fn attend<N, F>(
    next: N,
    mut receiver: UnboundedReceiver<Left>,
    under_way: &AtomicUsize,
) -> BoxError
where
    N: Fn() -> F,
    F: Future<Output = Result<Option<String>, BoxError>>,
{
    let mut done = Done::default();
    let mut failures = 0;
    loop {
        let asking = next();
        tokio::pin!(asking);
        let event = loop {
            tokio::select! {
                event = &mut asking => break event,
                // Of an event that was lost, or that is behind its invocation's end.
                Some(left) = receiver.recv() => done.perform(left).await,
            }
        };
        match event {
            Ok(None) => failures = 0,
            Ok(Some(request_id)) => {
                failures = 0;
                while !done.knows(&request_id) {
                    match receiver.recv().await {
                        Some(left) => done.perform(left).await,
                        None => return "nothing can leave an aftermath any more".into(),
                    }
                }
            }
            Err(error) => {
                failures += 1;
                if failures >= FAILURES_MAX {
                    finish(&mut receiver, &mut done, under_way).await;
                    return error;
                }
                tracing::warn!(error, failures, "the internal extension asks again");
                let pause = sleep_until(Instant::now() + FIRST_PAUSE * 2_u32.pow(failures - 1));
                tokio::pin!(pause);
                loop {
                    tokio::select! {
                        () = &mut pause => break,
                        Some(left) = receiver.recv() => done.perform(left).await,
                    }
                }
            }
        }
    }
}

/// Waits for the invocations that are under way, and does what they leave.
async fn finish(receiver: &mut UnboundedReceiver<Left>, done: &mut Done, under_way: &AtomicUsize) {
    let end = Instant::now() + INVOCATION_MAX;
    loop {
        while let Ok(left) = receiver.try_recv() {
            done.perform(left).await;
        }
        if under_way.load(Ordering::SeqCst) == 0 || Instant::now() >= end {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    while let Ok(left) = receiver.try_recv() {
        done.perform(left).await;
    }
}

/// The last invocations whose aftermath is done.
#[derive(Default)]
struct Done(VecDeque<String>);

impl Done {
    fn knows(&self, request_id: &str) -> bool {
        self.0.iter().any(|known| known == request_id)
    }

    async fn perform(&mut self, left: Left) {
        if let Some(aftermath) = left.aftermath {
            aftermath.perform().await;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(left.request_id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Answers of `next`, in order; then there is none for ever.
    struct Script(Mutex<VecDeque<Result<&'static str, &'static str>>>);

    impl Script {
        fn of(answers: &[Result<&'static str, &'static str>]) -> Self {
            Self(Mutex::new(answers.iter().copied().collect()))
        }

        fn asked(&self, of: usize) -> usize {
            of - self.0.lock().unwrap().len()
        }

        async fn next(&self) -> Result<Option<String>, BoxError> {
            let answer = self.0.lock().unwrap().pop_front();
            match answer {
                Some(Ok(id)) => Ok(Some(id.to_owned())),
                Some(Err(error)) => Err(error.into()),
                None => std::future::pending().await,
            }
        }
    }

    fn left(id: &str) -> Left {
        Left { request_id: id.to_owned(), aftermath: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_next_that_fails_is_asked_again_and_no_invocation_is_left_behind() {
        let answers = [Err("500"), Ok("1"), Err("closed"), Err("closed"), Ok("2"), Ok("3")];
        let script = Script::of(&answers);
        let (sender, receiver) = unbounded_channel();
        // The event of the first invocation is behind its end, that of 2 comes early, 9 has none.
        for id in ["1", "9", "2", "3"] {
            sender.send(left(id)).unwrap();
        }
        let idle = AtomicUsize::new(0);
        let attending = attend(|| script.next(), receiver, &idle);
        assert!(tokio::time::timeout(Duration::from_mins(1), attending).await.is_err());
        assert_eq!(script.asked(answers.len()), answers.len());
    }

    #[tokio::test(start_paused = true)]
    async fn next_waits_until_its_invocation_has_left_what_it_leaves() {
        let answers = [Ok("1"), Ok("2")];
        let script = Script::of(&answers);
        let (sender, receiver) = unbounded_channel();
        let idle = AtomicUsize::new(0);
        let attending = attend(|| script.next(), receiver, &idle);
        tokio::pin!(attending);
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut attending).await.is_err());
        assert_eq!(script.asked(answers.len()), 1, "the first invocation is under way");
        sender.send(left("1")).unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut attending).await.is_err());
        assert_eq!(script.asked(answers.len()), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn after_five_failures_in_a_row_the_extension_ends_when_nothing_is_under_way() {
        let script = Script::of(&[Err("1"), Err("2"), Err("3"), Err("4"), Err("5")]);
        let (sender, receiver) = unbounded_channel();
        let holder = Holder { sender, under_way: Arc::new(AtomicUsize::new(0)) };
        holder.begin();
        let under_way = Arc::clone(&holder.under_way);
        let attending = attend(|| script.next(), receiver, &under_way);
        tokio::pin!(attending);
        assert!(tokio::time::timeout(Duration::from_mins(1), &mut attending).await.is_err());
        assert!(holder.end(left("1")).is_none(), "it still takes what is left");
        assert_eq!(attending.await.to_string(), "5");
    }
}
