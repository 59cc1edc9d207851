//! The cache of secrets, with a paused clock.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use futures::FutureExt;
use futures::future::join_all;
use lifecycle::testing::simulated::within;
use tokio::time::{advance, sleep};

use super::*;
use crate::every::tests::WallClock;

/// A store that counts its reads and can be made to fail.
#[derive(Default)]
struct Store {
    reads: AtomicU32,
    fails: AtomicBool,
}

fn secret(store: &Arc<Store>) -> Secret<u32> {
    let store = Arc::clone(store);
    Secret::new("test", move || {
        let store = Arc::clone(&store);
        async move {
            sleep(Duration::from_millis(10)).await;
            let reads = store.reads.fetch_add(1, SeqCst) + 1;
            if store.fails.load(SeqCst) { Err(unavailable("down")) } else { Ok(reads) }
        }
        .boxed()
    })
}

#[tokio::test(start_paused = true)]
async fn fifty_concurrent_callers_make_one_read() {
    let store = Arc::new(Store::default());
    let secret = secret(&store);
    let read = join_all((0..50).map(|_| secret.read())).await;
    assert!(read.into_iter().all(|value| *value.unwrap() == 1));
    assert_eq!(store.reads.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn fifty_concurrent_callers_all_fail_after_one_failed_read() {
    let store = Arc::new(Store { fails: true.into(), ..Store::default() });
    let secret = secret(&store);
    let read = join_all((0..50).map(|_| secret.read())).await;
    assert!(read.into_iter().all(|value| value.is_err()));
    assert_eq!(store.reads.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn after_five_minutes_a_secret_is_refreshed_in_the_background() {
    let store = Arc::new(Store::default());
    let secret = secret(&store);
    assert_eq!(*secret.read().await.unwrap(), 1);
    advance(FRESH).await;
    assert_eq!(*secret.read().await.unwrap(), 1, "no caller waits for the newer value");
    sleep(Duration::from_millis(20)).await;
    assert_eq!(*secret.read().await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_good_value_is_used_for_an_hour_and_no_longer() {
    let store = Arc::new(Store::default());
    let secret = secret(&store);
    assert_eq!(*secret.read().await.unwrap(), 1);
    store.fails.store(true, SeqCst);
    advance(USABLE.checked_sub(Duration::from_secs(1)).unwrap()).await;
    assert_eq!(*secret.read().await.unwrap(), 1);
    advance(Duration::from_secs(1)).await;
    assert!(secret.read().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_failing_secret_is_read_after_growing_pauses_and_else_unavailable() {
    let store = Arc::new(Store { fails: true.into(), ..Store::default() });
    let secret = secret(&store);
    for _ in 0..6_000 {
        let before = (store.reads.load(SeqCst), Instant::now());
        let fault = secret.read().await.unwrap_err();
        assert!(matches!(fault, ServiceError::Unavailable { .. }), "{fault:?}");
        let waited = before.1.elapsed() > Duration::ZERO;
        assert_eq!(
            waited,
            store.reads.load(SeqCst) > before.0,
            "a caller that does not read does not wait"
        );
        advance(Duration::from_millis(100)).await;
    }
    let reads = store.reads.load(SeqCst);
    assert!((60..=130).contains(&reads), "in ten minutes, the last ones 5 to 10 s apart: {reads}");

    store.fails.store(false, SeqCst);
    advance(OURS.pauses.longest).await;
    secret.read().await.unwrap();
    assert!(secret.failing().is_none(), "a success ends the pauses");
}

#[tokio::test(start_paused = true)]
async fn a_slow_or_cancelled_read_counts_as_failed() {
    // Its wall clock stands still: the first pause may last only 125 ms, and the test may be slow.
    within(Arc::<WallClock>::default(), async {
        let secret = Secret::<u32>::new("test", || futures::future::pending().boxed());
        let begun = Instant::now();
        let cancelled = timeout(Duration::from_secs(1), secret.read()).await;
        assert!(cancelled.is_err(), "the read is cancelled");
        assert!(secret.read().await.is_err());
        assert_eq!(begun.elapsed(), Duration::from_secs(1), "it fails at once during the pause");
        advance(OURS.pauses.longest).await;
        let begun = Instant::now();
        assert!(secret.read().await.is_err());
        assert_eq!(begun.elapsed(), OURS.within);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_and_its_pauses_age_while_the_process_is_frozen() {
    let (clock, store) = (Arc::<WallClock>::default(), Arc::new(Store::default()));
    let secret = secret(&store);
    within(clock.clone(), async {
        assert_eq!(*secret.read().await.unwrap(), 1);
        // The order of two moments is that of the monotonic clock.
        advance(Duration::from_millis(1)).await;
        clock.pass(FRESH);
        assert_eq!(*secret.read().await.unwrap(), 1, "no caller waits for the newer value");
        sleep(Duration::from_millis(20)).await;
        assert_eq!(*secret.read().await.unwrap(), 2);

        clock.pass(USABLE);
        store.fails.store(true, SeqCst);
        assert!(secret.read().await.is_err(), "the value is too old");
        store.fails.store(false, SeqCst);
        assert!(secret.read().await.is_err(), "the pause is not over");
        clock.pass(OURS.pauses.longest);
        assert_eq!(*secret.read().await.unwrap(), 4);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_is_not_retried_at_once() {
    let store = Arc::new(Store::default());
    let secret = secret(&store);
    secret.read().await.unwrap();
    store.fails.store(true, SeqCst);
    advance(FRESH).await;
    for _ in 0..20 {
        secret.read().await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(store.reads.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_does_not_delay_a_read_that_is_needed() {
    let store = Arc::new(Store::default());
    let secret = secret(&store);
    secret.read().await.unwrap();
    store.fails.store(true, SeqCst);
    advance(USABLE.checked_sub(Duration::from_millis(10)).unwrap()).await;
    assert_eq!(*secret.read().await.unwrap(), 1);
    sleep(Duration::from_millis(15)).await;
    store.fails.store(false, SeqCst);
    assert_eq!(*secret.read().await.unwrap(), 3, "read at once, without a pause");
}

#[tokio::test(start_paused = true)]
async fn after_a_refresh_that_did_not_succeed_a_caller_waits_for_the_next_one() {
    let store = Arc::new(Store::default());
    let secret = secret(&store);
    secret.read().await.unwrap();
    store.fails.store(true, SeqCst);
    advance(FRESH).await;
    assert_eq!(*secret.read().await.unwrap(), 1, "no caller waits for the first refresh");
    sleep(BETWEEN_TRIES).await;
    store.fails.store(false, SeqCst);
    assert_eq!(*secret.read().await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_caller_waits_a_second_at_most_for_a_refresh_that_hangs() {
    let hangs = Arc::new(AtomicBool::new(false));
    let secret = Secret::new("test", {
        let hangs = Arc::clone(&hangs);
        move || {
            let hangs = hangs.load(SeqCst);
            async move { if hangs { futures::future::pending().await } else { Ok(1) } }.boxed()
        }
    });
    secret.read().await.unwrap();
    hangs.store(true, SeqCst);
    advance(FRESH).await;
    for waited in [Duration::ZERO, REFRESHED_WITHIN] {
        let begun = Instant::now();
        assert_eq!(*secret.read().await.unwrap(), 1);
        assert_eq!(begun.elapsed(), waited);
        sleep(BETWEEN_TRIES).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_waits_for_a_failed_refresh_gets_no_older_value() {
    let store = Arc::new(Store::default());
    let secret = secret(&store);
    secret.read().await.unwrap();
    advance(FRESH).await;
    store.fails.store(true, SeqCst);
    let both = futures::future::join(secret.refresh(), secret.refresh()).await;
    assert!(both.0.is_err() && both.1.is_err(), "{both:?}");
    assert_eq!(store.reads.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_read_ahead_that_is_cut_off_does_not_delay_the_first_caller() {
    let store = Arc::new(Store::default());
    let secret = secret(&store);
    assert!(timeout(Duration::from_millis(5), secret.read_ahead()).await.is_err());
    assert_eq!(*secret.read().await.unwrap(), 1);
    store.fails.store(true, SeqCst);
    let another = self::secret(&store);
    another.read_ahead().await;
    store.fails.store(false, SeqCst);
    assert!(another.read().await.is_ok());
}
