//! The internal extension: it keeps the execution environment running until deferred work is done.
//!
//! It requests the next event only after that, and Lambda freezes nothing before. The loop of AWS's
//! crate stops at the first `next` that fails, and later invocations would lose their log lines. So
//! the two requests are made here, and the crate is not linked.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{Client, build_request};
use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, sleep_until};

use super::deferred::DeferredWork;
use crate::error::BoxError;

/// The header with the id of the registered extension.
const IDENTIFIER: &str = "lambda-extension-identifier";
/// The number of consecutive failures of `next` after which the process exits. Lambda then starts
/// another.
const FAILURES_MAX: u32 = 5;
/// The pause after the first failure; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The number of finished invocations that are remembered.
const REMEMBERED: usize = 64;
/// The maximum wait for running invocations before the exit: Lambda's longest timeout.
const INVOCATION_MAX: Duration = Duration::from_mins(15);

/// The deferred work of one invocation, if any, with its request id.
pub(super) struct Left {
    pub(super) request_id: String,
    pub(super) deferred: Option<DeferredWork>,
}

/// The sender of deferred work.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    sender: UnboundedSender<Left>,
    under_way: Arc<AtomicUsize>,
}

impl Holder {
    pub(super) fn begin(&self) {
        self.under_way.fetch_add(1, Ordering::SeqCst);
    }

    /// Sends the deferred work to the extension; returns it if the extension has stopped.
    pub(super) fn end(&self, left: Left) -> Option<DeferredWork> {
        let refused = self.sender.send(left).err();
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        refused.and_then(|refused| refused.0.deferred)
    }
}

/// Registers the extension for all invocations. Costs a round trip at the start.
pub(super) async fn hold() -> Result<Holder, BoxError> {
    let client = Client::builder().build()?;
    let id = register(&client).await?;
    let (sender, receiver) = unbounded_channel();
    let holder = Holder { sender, under_way: Arc::default() };
    let under_way = Arc::clone(&holder.under_way);
    tokio::spawn(async move {
        let error = attend(|| next(&client, &id), receiver, &under_way).await;
        tracing::error!(error, "the internal extension cannot get events; the process exits");
        std::process::exit(1);
    });
    Ok(holder)
}

/// Registers the extension; returns its id.
async fn register(client: &Client) -> Result<HeaderValue, BoxError> {
    let request = build_request()
        .method(Method::POST)
        .uri("/2020-01-01/extension/register")
        .header("Lambda-Extension-Name", "lifecycle")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(r#"{"events":["INVOKE"]}"#))?;
    let mut answer = client.call(request).await?;
    let status = answer.status();
    let id = answer.headers_mut().remove(IDENTIFIER);
    // A connection serves another request only after its response has been read.
    Body::new(answer.into_body()).collect().await?;
    if !status.is_success() {
        return Err(format!("the Extensions API refused the extension: {status}").into());
    }
    id.ok_or_else(|| "the Extensions API gave the extension no identifier".into())
}

/// Requests the next event; returns the request id of its invocation.
async fn next(client: &Client, id: &HeaderValue) -> Result<Option<String>, BoxError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        event_type: String,
        request_id: Option<String>,
    }
    let request = build_request()
        .method(Method::GET)
        .uri("/2020-01-01/extension/event/next")
        .header(IDENTIFIER, id)
        .body(Body::empty())?;
    let answer = client.call(request).await?;
    let status = answer.status();
    let body = Body::new(answer.into_body()).collect().await?.to_bytes();
    if !status.is_success() {
        return Err(format!("the Extensions API returned {status}").into());
    }
    let event: Event = serde_json::from_slice(&body)?;
    Ok(event.request_id.filter(|_| event.event_type == "INVOKE"))
}

/// Performs the deferred work of each invocation before it requests the next event. Returns the
/// last error after repeated failures, once no work and no invocation is left.
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
                // For an event that was lost, or that arrives after its invocation has ended.
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
                        None => return "all senders of deferred work are gone".into(),
                    }
                }
            }
            Err(error) => {
                failures += 1;
                if failures >= FAILURES_MAX {
                    finish(&mut receiver, &mut done, under_way).await;
                    return error;
                }
                tracing::warn!(
                    error,
                    failures,
                    "the extension's request for an event failed; retrying"
                );
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

/// Waits for running invocations, and performs their deferred work.
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

/// The last invocations whose deferred work is done.
#[derive(Default)]
struct Done(VecDeque<String>);

impl Done {
    fn knows(&self, request_id: &str) -> bool {
        self.0.iter().any(|known| known == request_id)
    }

    async fn perform(&mut self, left: Left) {
        if let Some(deferred) = left.deferred {
            deferred.perform().await;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(left.request_id);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::Mutex;
    use std::thread::{JoinHandle, spawn};

    use super::*;
    use crate::runtime::defer_mode::DeferMode;

    /// An Extensions API with these responses. Returns its client, and the heads of all requests.
    fn extensions_api(responses: &'static [&'static str]) -> (Client, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let served = spawn(move || {
            let asked = responses.iter().map(|response| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    reader.read_line(&mut head).unwrap();
                }
                let length = head.to_ascii_lowercase();
                let length = length.lines().find_map(|line| line.strip_prefix("content-length: "));
                let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
                reader.read_exact(&mut body).unwrap();
                let (head_of, body_of) = response.split_once('|').unwrap();
                let length = body_of.len();
                let end = "Connection: close\r\n\r\n";
                let text = format!("HTTP/1.1 {head_of}Content-Length: {length}\r\n{end}{body_of}");
                stream.write_all(text.as_bytes()).unwrap();
                head
            });
            asked.collect()
        });
        (Client::builder().with_endpoint(address.parse().unwrap()).build().unwrap(), served)
    }

    #[tokio::test]
    async fn an_extension_is_registered_if_the_api_gives_it_an_id() {
        let (client, served) = extensions_api(&[
            "200 OK\r\nLambda-Extension-Identifier: id-1\r\n|{}",
            "200 OK\r\n|{}",
            "403 Forbidden\r\nLambda-Extension-Identifier: id-1\r\n|{}",
        ]);
        assert_eq!(register(&client).await.unwrap(), "id-1");
        assert!(register(&client).await.unwrap_err().to_string().contains("no identifier"));
        assert!(register(&client).await.unwrap_err().to_string().contains("403"));
        let asked = served.join().unwrap();
        assert!(asked[0].starts_with("POST /2020-01-01/extension/register "), "{}", asked[0]);
    }

    #[tokio::test]
    async fn an_event_has_the_id_of_its_invocation() {
        let (client, served) = extensions_api(&[
            "200 OK\r\n|{\"eventType\":\"INVOKE\",\"requestId\":\"1\"}",
            "200 OK\r\n|{\"eventType\":\"SHUTDOWN\",\"requestId\":\"1\"}",
            "500 Internal Server Error\r\n|{\"eventType\":\"INVOKE\",\"requestId\":\"1\"}",
            "200 OK\r\n|no event",
        ]);
        let id = HeaderValue::from_static("id-1");
        assert_eq!(next(&client, &id).await.unwrap().as_deref(), Some("1"));
        assert_eq!(next(&client, &id).await.unwrap(), None);
        assert!(next(&client, &id).await.unwrap_err().to_string().contains("500"));
        assert!(next(&client, &id).await.is_err());
        let asked = served.join().unwrap();
        assert!(asked[0].starts_with("GET /2020-01-01/extension/event/next "), "{}", asked[0]);
        assert!(asked[0].to_ascii_lowercase().contains("identifier: id-1\r\n"), "{}", asked[0]);
    }

    /// Results of `next`, in order; afterwards `next` never returns.
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
        Left { request_id: id.to_owned(), deferred: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_next_is_retried_and_no_deferred_work_is_lost() {
        let answers = [Err("500"), Ok("1"), Err("closed"), Err("closed"), Ok("2"), Ok("3")];
        let script = Script::of(&answers);
        let (sender, receiver) = unbounded_channel();
        // The event of 1 arrives after its end, the event of 2 before; 9 has no event.
        for id in ["1", "9", "2", "3"] {
            sender.send(left(id)).unwrap();
        }
        let idle = AtomicUsize::new(0);
        let attending = attend(|| script.next(), receiver, &idle);
        assert!(tokio::time::timeout(Duration::from_mins(1), attending).await.is_err());
        assert_eq!(script.asked(answers.len()), answers.len());
    }

    #[tokio::test(start_paused = true)]
    async fn next_waits_for_the_deferred_work_of_its_invocation() {
        let answers = [Ok("1"), Ok("2")];
        let script = Script::of(&answers);
        let (sender, receiver) = unbounded_channel();
        let idle = AtomicUsize::new(0);
        let attending = attend(|| script.next(), receiver, &idle);
        tokio::pin!(attending);
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut attending).await.is_err());
        assert_eq!(script.asked(answers.len()), 1, "the first invocation is running");
        sender.send(left("1")).unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut attending).await.is_err());
        assert_eq!(script.asked(answers.len()), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn after_5_failures_the_extension_ends_once_no_invocation_is_running() {
        let script = Script::of(&[Err("1"), Err("2"), Err("3"), Err("4"), Err("5")]);
        let (sender, receiver) = unbounded_channel();
        let holder = Holder { sender, under_way: Arc::new(AtomicUsize::new(0)) };
        DeferMode::InExtension(holder.clone()).before_invocation();
        let under_way = Arc::clone(&holder.under_way);
        let attending = attend(|| script.next(), receiver, &under_way);
        tokio::pin!(attending);
        assert!(tokio::time::timeout(Duration::from_mins(1), &mut attending).await.is_err());
        assert!(holder.end(left("1")).is_none(), "it still accepts deferred work");
        assert_eq!(attending.await.to_string(), "5");
    }
}
