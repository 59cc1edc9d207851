//! Functions of a simulation: how they start, how they end, and their background tasks.

use std::future::pending;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::time::{Instant, advance, sleep, timeout};

use crate::caller::{Access, Anyone, NoRole};
use crate::consumer::Consumer;
use crate::endpoint::{Allow, Query};
use crate::error::{BoxError, Retrieved};
use crate::limit::Limit;
use crate::resource::{Resource, Resources};
use crate::rotation::{Rotation, Step};
use crate::route::Route;
use crate::testing::Memory;
use crate::testing::simulated::{
    SimulatedFunction, SimulatedInvocation, Surroundings, start, variables, within,
};
use crate::{Permit, Timestamp, background, clock, random, reply, runtime};

use super::authorizer::Obedient;
use super::consumers::Keep;

/// Spawns a task that lasts a minute and holds the value, and responds if it should.
struct Hang {
    held: Arc<()>,
    responds: bool,
}

impl Query for Hang {
    const ROUTE: Route = Route::get("/hang");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const LIMIT: Limit = Limit::OFF;
    const RESOURCES: Resources = &[];
    type Input = ();
    type Command = ();
    type Facts = String;

    async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Retrieved<String> {
        let held = Arc::clone(&self.held);
        background::spawn(async move {
            sleep(Duration::from_mins(1)).await;
            drop(held);
        });
        if !self.responds {
            pending::<()>().await;
        }
        Ok(format!("{} {}", clock::now(), random::uuid_v7()))
    }

    const ALLOW: Allow<Self> = Allow::Always;
    type Reply = reply::Ok<String>;

    fn reply(found: String) -> reply::Ok<String> {
        reply::Ok::of(found)
    }
}

fn started(hang: Hang) -> SimulatedFunction {
    let variables = |name: &str| (name == "AWS_LAMBDA_FUNCTION_NAME").then(|| "Hang".to_owned());
    let main = || crate::runtime::endpoint(|_| Ok(Memory::new()), move |_| hang);
    start(Arc::new(variables), main).unwrap()
}

fn hang(held: &Arc<()>, responds: bool) -> SimulatedFunction {
    started(Hang { held: Arc::clone(held), responds })
}

fn invocation() -> SimulatedInvocation {
    let event = json!({
        "version": "2.0", "rawPath": "/hang", "rawQueryString": "", "headers": {},
        "requestContext": { "http": { "method": "GET", "sourceIp": "192.0.2.1" } },
    });
    SimulatedInvocation {
        id: "1".to_owned(),
        event: Bytes::from(event.to_string()),
        deadline: Instant::now() + Duration::from_secs(10),
        x_ray: None,
        cold_start: true,
    }
}

/// Counts up instead of drawing, and keeps the log.
struct Counting {
    began: Instant,
    next: Mutex<u8>,
    lines: Mutex<Vec<Value>>,
}

impl Counting {
    fn new() -> Arc<Self> {
        let (next, lines) = (Mutex::default(), Mutex::default());
        Arc::new(Self { began: Instant::now(), next, lines })
    }

    fn lines_with(&self, message: &str) -> Vec<Value> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line["message"] == message).cloned().collect()
    }
}

impl Surroundings for Counting {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        Timestamp::from_millis(1_800_000_000_000 + passed)
    }

    fn fill(&self, bytes: &mut [u8]) {
        let mut next = self.next.lock().unwrap();
        for byte in bytes {
            *byte = *next;
            *next = next.wrapping_add(1);
        }
    }

    fn log(&self, line: &str) {
        self.lines.lock().unwrap().push(serde_json::from_str(line).unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_describes_itself_and_responds() {
    let hang = hang(&Arc::default(), true);
    assert_eq!((hang.name(), hang.kind()), ("Hang", "endpoint"));
    assert_eq!(hang.route(), Some(("GET", "/hang")));
    hang.initialise().await;
    assert_eq!(hang.invoke(invocation()).await.unwrap().payload["statusCode"], 200);
    assert!(variables().is_none(), "only during a start");
}

#[tokio::test(start_paused = true)]
async fn time_randomness_and_log_are_those_of_the_surroundings() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let surroundings = Counting::new();
        let hang = within(surroundings.clone(), async { hang(&Arc::default(), true) }).await;
        advance(Duration::from_secs(5)).await;
        let returned = hang.invoke(invocation()).await.unwrap();
        assert!(returned.deferred.is_none(), "the lines are written before the response");
        let [line] = surroundings.lines_with("request").try_into().unwrap();
        assert_eq!(line["function"], "Hang");
        assert_eq!(line["timestamp"], "2027-01-15T08:00:05.000Z");
        assert_eq!(returned.lines[0], line);
        runs.push((returned.payload, line));
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].0["body"].as_str().unwrap().contains("2027-01-15T08:00:05.000Z"));
}

#[tokio::test(start_paused = true)]
async fn a_killed_invocation_leaves_no_task_behind() {
    let held = Arc::new(());
    let hang = hang(&held, false);

    let killed = timeout(Duration::from_secs(1), hang.invoke(invocation())).await;

    assert!(killed.is_err());
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    assert_eq!(Arc::strong_count(&held), 3, "of the test, of the endpoint, of its task");
    drop(hang);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[tokio::test(start_paused = true)]
async fn a_background_task_stands_still_between_invocations() {
    let held = Arc::new(());
    let hang = hang(&held, true);
    hang.invoke(invocation()).await.unwrap();
    sleep(Duration::from_hours(1)).await;
    assert_eq!(Arc::strong_count(&held), 3, "frozen");
    hang.invoke(invocation()).await.unwrap();
    assert_eq!(Arc::strong_count(&held), 3, "the first task has ended, the second one runs");
}

#[tokio::test(start_paused = true)]
async fn work_ends_before_the_deadline_of_its_invocation() {
    let hang = hang(&Arc::default(), false);
    let began = Instant::now();
    let returned = hang.invoke(invocation()).await.unwrap();
    assert_eq!(returned.payload["statusCode"], 504);
    let took = began.elapsed().as_millis();
    assert!((9_500..9_510).contains(&took), "{took} ms");
}

#[test]
fn the_reason_why_a_function_does_not_start_is_its_error() {
    let lacking = || {
        let connect = |_: &[_]| Err::<Memory, BoxError>("the environment lacks USERS_TABLE".into());
        crate::runtime::endpoint(connect, |_| Hang { held: Arc::default(), responds: true })
    };
    let panicking = || -> ExitCode { panic!("RESOURCES lacks the secret keys") };
    let silent = || ExitCode::SUCCESS;
    let mains: [(&dyn Fn() -> ExitCode, &str); 3] = [
        (&lacking, "the environment lacks USERS_TABLE"),
        (&panicking, "RESOURCES lacks the secret keys"),
        (&silent, "main returned without serving"),
    ];
    for (main, reason) in mains {
        let error = start(Arc::new(|_: &str| None::<String>), main).unwrap_err();
        assert_eq!(error, reason);
    }
}

/// The levels of the lines that a function with this `LOG_LEVEL` writes while it starts.
async fn levels(level: &'static str) -> Vec<Value> {
    let surroundings = Counting::new();
    let variables = move |name: &str| (name == "LOG_LEVEL").then(|| level.to_owned());
    let main = || {
        tracing::debug!("starting");
        tracing::info!("starting");
        tracing::error!(target: "aws_config::profile", "starting");
        tracing::error!(target: "aws_orders::placing", "starting");
        runtime::rotation(|_| Ok(Memory::new()), |_| Idle)
    };
    within(surroundings.clone(), async { start(Arc::new(variables), main).unwrap() }).await;
    let lines = surroundings.lines_with("starting");
    lines.into_iter().map(|line| line["level"].clone()).collect()
}

#[tokio::test]
async fn each_function_has_a_log_level_and_no_lines_of_the_sdk() {
    let cases: [(&str, &[&str]); 5] = [
        ("error", &["ERROR"]),
        ("debug", &["DEBUG", "INFO", "ERROR"]),
        ("off", &[]),
        ("", &["INFO", "ERROR"]),
        ("error", &["ERROR"]),
    ];
    for (level, expected) in cases {
        assert_eq!(levels(level).await, expected, "{level:?}");
    }
}

#[test]
fn a_function_whose_log_would_be_lost_does_not_start() {
    let main = || runtime::rotation(|_| Ok(Memory::new()), |_| Idle);
    let started = || start(Arc::new(|_: &str| None::<String>), main);
    let other = tracing::subscriber::set_default(tracing_subscriber::registry());

    let error = started().unwrap_err();

    assert!(error.starts_with("function cannot start: another subscriber"), "{error}");
    drop(other);
    assert!(started().is_ok());
}

/// Rotates nothing.
struct Idle;

impl Rotation for Idle {
    const RESOURCES: &'static [Resource] = &[];

    fn secret_id(&self) -> &'static str {
        "arn:keys"
    }

    async fn perform(&self, _: Step, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
}

/// Starts a function, which is of this kind and is connected with these resources.
fn starts(kind: &str, resources: &[Resource], main: impl FnOnce() -> ExitCode) {
    let variables = |name: &str| (name == "AWS_LAMBDA_FUNCTION_NAME").then(|| "It".to_owned());
    let function = start(Arc::new(variables), main).unwrap();
    assert_eq!((function.kind(), function.name()), (kind, "It"));
    // The lifecycle's own tables are behind them.
    let own = &function.resources()[..resources.len()];
    assert_eq!(format!("{own:?}"), format!("{resources:?}"));
    assert_eq!(format!("{function:?}"), "SimulatedFunction { name: \"It\", .. }");
}

#[test]
fn each_kind_of_function_is_started_by_its_main() {
    const MAIL: &[Resource] = &[Resource::Mail];
    starts("consumer", <Keep as Consumer>::RESOURCES, || {
        runtime::consumer(|_| Ok(Memory::new()), |_| Keep)
    });
    starts("authorizer", MAIL, || runtime::authorizer(MAIL, |_| Ok(Memory::new()), |_| Obedient));
    starts("rotation", &[], || runtime::rotation(|_| Ok(Memory::new()), |_| Idle));
}
