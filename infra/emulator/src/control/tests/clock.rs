//! Moves of the clock, and who follows them in which order.

use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use axum::body::Bytes;
use futures::FutureExt as _;

use super::super::clock::put;
use super::*;
use crate::functions::scripted;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn the_clock_is_moved_forward_and_expired_items_are_deleted() {
    let running = running().await;
    let put = async |body: Value| {
        let answer = running.client.put(format!("{}/clock", running.url)).json(&body).send().await;
        let answer = answer.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let before: jiff::Timestamp =
        running.get("/clock").await["now"].as_str().unwrap().parse().unwrap();
    let expires_at = (before.as_second() + 1800).to_string();
    let item = json!({"pk": {"S": "1"}, "expiresAt": {"N": expires_at}});
    running.control.stores.put_item("OrdersTable", &item).unwrap();
    running.control.stores.follow_clock().await;
    assert_eq!(running.get("/tables/OrdersTable").await["count"], 1);

    let (status, moved) = put(json!({"offsetS": 3600})).await;

    assert_eq!((status, &moved["offsetS"]), (200, &json!(3600)), "{moved}");
    let now: jiff::Timestamp = moved["now"].as_str().unwrap().parse().unwrap();
    assert!(now.duration_since(before).as_secs() >= 3600, "{moved}");
    assert_eq!(running.get("/tables/OrdersTable").await["count"], 0);
    for (body, reason) in [
        (json!({"offsetS": 3599}), "the clock is 3600 s ahead and cannot be moved back"),
        (json!({"offsetS": -1}), "invalid value"),
        (json!({"seconds": 1}), "unknown field `seconds`"),
    ] {
        let (status, answer) = put(body.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(reason), "{body}: {answer}");
    }
    assert_eq!(running.get("/clock").await["offsetS"], 3600);
}

/// A schedule that waits. It notes the state that its run would find.
struct Schedule {
    control: Control,
    /// Whether an environment of the old time takes invocations, and the number of expired items.
    found: Mutex<Vec<(bool, usize)>>,
}

impl Wake for Schedule {
    fn wake(self: Arc<Self>) {
        let (items, _) = self.control.stores.scan("OrdersTable").unwrap();
        let found = (scripted::is_idle(&self.control.functions), items.len());
        self.found.lock().unwrap().push(found);
    }
}

/// A platform with an idle environment, and with an item that expires within an hour.
async fn warm() -> Control {
    let mut control = control(include_str!("../../services/tests/template.yaml"), "").await;
    let config = scripted::config("Function", Duration::from_secs(3));
    let (clock, activity) = (control.stores.clock(), control.stores.activity());
    control.functions = scripted::warm(config, clock, activity).await;
    let expires_at = (clock.now().as_second() + 1800).to_string();
    let item = json!({"pk": {"S": "1"}, "expiresAt": {"N": expires_at}});
    control.stores.put_item("OrdersTable", &item).unwrap();
    control
}

#[tokio::test]
async fn a_due_schedule_wakes_after_environments_and_items_have_followed_the_clock() {
    let control = warm().await;
    let clock = control.stores.clock().clone();
    let schedule = Schedule { control: control.clone(), found: Mutex::default() };
    let schedule = Arc::new(schedule);
    let waker = Waker::from(Arc::clone(&schedule));
    let mut sleeping = pin!(clock.sleep(clock.read(), HOUR));
    assert!(sleeping.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(scripted::is_idle(&control.functions), "it has the old time");

    let moved = put(State(control), Bytes::from_static(br#"{"offsetS": 3600}"#)).await;

    assert!(moved.is_ok());
    assert_eq!(*schedule.found.lock().unwrap(), [(false, 0)]);
    assert_eq!(sleeping.now_or_never(), Some(()));
}

#[tokio::test]
async fn a_move_of_the_clock_is_completed_although_its_client_has_gone() {
    let control = warm().await;
    let clock = control.stores.clock().clone();
    let begun = clock.read();

    let moved = put(State(control.clone()), Bytes::from_static(br#"{"offsetS": 3600}"#));
    assert!(moved.now_or_never().is_none(), "it is dropped before its response");

    let completed = tokio::time::timeout(Duration::from_secs(30), clock.sleep(begun, HOUR));
    completed.await.expect("sleepers wake");
    assert_eq!(control.stores.scan("OrdersTable").unwrap().0.len(), 0);
    assert!(!scripted::is_idle(&control.functions));
}
