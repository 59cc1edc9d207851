//! No callback is lost. Many callbacks arrive while the object service is down, then slow, then
//! failing at times, and while processes are killed. Then everything is counted.
//!
//! The test runs a short storm. This runs a long one:
//! `CALLBACK_POSTS=100 CALLBACK_OBJECTS=20000 CALLBACK_DOWN_S=120 cargo test -p blackbox \
//! no_callback_is_lost -- --nocapture`

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use emulator::faults::{Faults, KillFault, UpstreamFault};
use lifecycle::{Timestamp, clock};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::callbacks::waiting;
use crate::harness::{Api, changed_platform, eventually, read, setting, unlimited, when};

/// The objects of one callback.
const OBJECTS_PER_POST: usize = 200;
/// Maximum concurrent look-ups that the object service must bear.
const IN_FLIGHT_MAX: u64 = 200;
/// Maximum memory of a worker, in bytes.
const MEMORY_MAX: u64 = 64 * 1024 * 1024;
/// How long the system may take to come to rest: after a long storm, retries go on for a quarter of
/// an hour.
const REST: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_callback_is_lost_and_none_is_stored_wrongly() {
    let storm = Storm::asked_for();
    // The messages of a killed process become visible again soon.
    let sooner = |template: String| {
        let template = template.replace("VisibilityTimeout: 120", "VisibilityTimeout: 10");
        // It must not be above the visibility timeout.
        template.replace("      Timeout: 20\n", "      Timeout: 10\n")
    };
    let Some(api) = changed_platform(unlimited(), sooner).await else { return };
    let mut told = storm.rage(&api).await;
    let (mut books, end) = (Books::default(), Instant::now() + REST);
    loop {
        books.read(&api).await;
        books.agree(&told);
        if waiting(&api, "CallbacksQueue").await == 0 {
            break;
        }
        assert!(Instant::now() < end, "callbacks do not come to rest");
        sleep(Duration::from_millis(500)).await;
    }
    let last = storm.calm(&api, &mut told).await;
    books.read(&api).await;
    println!("{storm:?}\n{}", books.counts());
    books.balance(&told, &last);
}

/// The parameters of a run.
#[derive(Debug, Clone, Copy)]
struct Storm {
    posts: usize,
    /// Different objects.
    objects: usize,
    /// How long the object service is down at first. Then it is slow for as long.
    down: Duration,
}

/// When each object was called back first and last.
type Told = BTreeMap<i64, (Timestamp, Timestamp)>;

impl Storm {
    fn asked_for() -> Self {
        let posts = setting("CALLBACK_POSTS", 4);
        let objects = setting("CALLBACK_OBJECTS", posts * OBJECTS_PER_POST * 3 / 4);
        let down = Duration::from_secs(setting("CALLBACK_DOWN_S", 3) as u64);
        Self { posts, objects, down }
    }

    /// Calls all objects back while the object service is down, then lets it recover step by step.
    async fn rage(&self, api: &Api) -> Told {
        let control = api.control().unwrap();
        let in_trouble = async |trouble: UpstreamFault| {
            let faults = Faults::default()
                .standin("objects", "lookups", trouble)
                .standin("objects", "takesMs", [5, 50])
                .kill("ProcessCallbackFunction", KillFault::around_commit(0.01))
                .deliveries(0.05, 0.1);
            control.inject(&faults).await;
        };
        in_trouble(UpstreamFault::down()).await;
        let told = self.call_back(api).await;
        sleep(self.down).await;
        in_trouble(UpstreamFault::delay_ms(300)).await;
        let again = self.call_back(api).await;
        sleep(self.down).await;
        in_trouble(UpstreamFault::answer(500, Value::Null).share(0.2)).await;
        let both = told.into_iter().map(|(id, (first, _))| (id, (first, again[&id].1)));
        both.collect()
    }

    /// Without faults, the next callback is processed at once. Returns its objects.
    async fn calm(&self, api: &Api, told: &mut Told) -> BTreeSet<i64> {
        api.control().unwrap().no_faults().await;
        let next = Self { posts: 1, ..*self }.call_back(api).await;
        let done = async || when(waiting(api, "CallbacksQueue").await, |seen| *seen == 0);
        eventually("the next callback to be processed", done).await;
        for (id, (_, last)) in &next {
            told.get_mut(id).unwrap().1 = *last;
        }
        next.into_keys().collect()
    }

    async fn call_back(&self, api: &Api) -> Told {
        let mut told = Told::new();
        for post in 0..self.posts {
            let begin = clock::now();
            let ids = post * OBJECTS_PER_POST..(post + 1) * OBJECTS_PER_POST;
            let ids = ids.map(|number| i64::try_from(number % self.objects).unwrap());
            let ids: BTreeSet<i64> = ids.collect();
            let callback = read(json!({ "object_ids": ids }));
            let taken_in = api.client().post_callback(&callback).await.unwrap().data;
            assert_eq!(taken_in.accepted, ids.len());
            let end = clock::now();
            for id in ids {
                told.entry(id).or_insert((begin, end)).1 = end;
            }
        }
        told
    }
}

/// The state at one time.
#[derive(Debug, Default)]
struct Books {
    looked_up: BTreeSet<i64>,
    in_flight_max: u64,
    dead_letters: u64,
    stored: Vec<Value>,
    /// The objects that were stored at any time.
    ever_stored: BTreeSet<i64>,
    memory_max: u64,
}

impl Books {
    async fn read(&mut self, api: &Api) {
        let asked = api.control().unwrap().standin("objects").await;
        let paths = asked["counts"].as_object().unwrap().keys();
        let ids = paths.map(|path| path.strip_prefix("/objects/").unwrap().parse().unwrap());
        self.looked_up = ids.collect();
        self.in_flight_max = asked["inFlightMax"].as_u64().unwrap();
        self.dead_letters = waiting(api, "CallbacksDeadLetterQueue").await;
        self.stored = api.scan("ObjectsTable").await;
        self.ever_stored.extend(self.stored.iter().map(id_of));
        self.memory_max = self.memory_max.max(memory_of_workers());
    }

    /// Checks that every stored object was called back, and when.
    fn agree(&self, told: &Told) {
        for object in &self.stored {
            let id = id_of(object);
            let last_seen: Timestamp = object["lastSeen"].as_str().unwrap().parse().unwrap();
            let (first, last) = told[&id];
            assert_eq!(id % 2, 0, "an offline object is stored: {object}");
            assert!(first <= last_seen, "{object}");
            assert!(last_seen <= last, "{object}");
        }
    }

    /// Checks that every callback was processed within bounds, and the last one just now.
    fn balance(&self, told: &Told, last: &BTreeSet<i64>) {
        self.agree(told);
        let stored: BTreeSet<_> = self.stored.iter().map(id_of).collect();
        let online = last.iter().copied().filter(|id| id % 2 == 0);
        assert!(stored.is_superset(&online.collect()), "{last:?} but {stored:?}");
        assert_eq!(self.looked_up, told.keys().copied().collect());
        assert_eq!(self.dead_letters, 0);
        assert!(self.in_flight_max <= IN_FLIGHT_MAX, "{} at once", self.in_flight_max);
        assert!((1..MEMORY_MAX).contains(&self.memory_max), "{} bytes", self.memory_max);
    }

    fn counts(&self) -> String {
        let (looked_up, stored) = (self.looked_up.len(), self.ever_stored.len());
        let Self { in_flight_max, dead_letters, memory_max, .. } = self;
        format!(
            "{looked_up} looked up, at most {in_flight_max} at once, {stored} stored, \
             {dead_letters} dead letters, at most {memory_max} bytes for a worker"
        )
    }
}

fn id_of(object: &Value) -> i64 {
    object["id"].as_i64().unwrap()
}

/// The largest memory of a worker so far, in bytes, as Linux reports it.
fn memory_of_workers() -> u64 {
    let mut most = 0;
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let status = std::fs::read_to_string(process.path().join("status")).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches(':').split_whitespace().next().map(str::to_owned)
        };
        let ours = field("PPid") == Some(std::process::id().to_string());
        // Linux keeps 15 characters of a process name.
        if ours && field("Name").is_some_and(|name| "process_callback".starts_with(&name)) {
            let kibibytes = field("VmHWM").and_then(|text| text.parse::<u64>().ok());
            most = most.max(kibibytes.unwrap_or_default() * 1024);
        }
    }
    most
}
