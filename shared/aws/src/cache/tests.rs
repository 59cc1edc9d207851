//! Tests of lifetimes, and of how often values are loaded.

use std::sync::atomic::AtomicU32;

use futures::future::join_all;
use lifecycle::testing::simulated::within;
use tokio::time::{advance, sleep};

use super::*;
use crate::every::tests::WallClock;

/// A store with one value, which counts its loads.
#[derive(Default)]
struct Store {
    loads: AtomicU32,
}

impl Store {
    async fn load(
        &self,
        answer: Result<Option<u32>, ServiceError>,
    ) -> Result<Option<u32>, ServiceError> {
        sleep(Duration::from_millis(10)).await;
        self.loads.fetch_add(1, Ordering::SeqCst);
        answer
    }

    fn loads(&self) -> u32 {
        self.loads.load(Ordering::SeqCst)
    }
}

fn down() -> Result<Option<u32>, ServiceError> {
    Err(unavailable("down"))
}

#[tokio::test(start_paused = true)]
async fn fifty_concurrent_misses_make_one_load() {
    let (store, cache) = (Store::default(), Cache::new("test", CachePolicy::DEFAULT));
    let all = join_all((0..50).map(|_| cache.get(&1, async || store.load(Ok(Some(7))).await)));
    assert!(all.await.into_iter().all(|cached| *cached.unwrap().value.unwrap() == 7));
    assert_eq!(store.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn all_that_wait_for_a_load_get_its_result_even_if_it_is_not_kept() {
    let (missing, stale) = (Duration::ZERO, Duration::ZERO);
    for found in [Duration::from_secs(1), Duration::ZERO] {
        let policy = CachePolicy { found, missing, stale, entries_max: 1 };
        for loaded in [Some(7), None] {
            let (store, cache) = (Store::default(), Cache::new("test", policy));
            let all = (0..50).map(|_| cache.get(&1, async || store.load(Ok(loaded)).await));
            for cached in join_all(all).await {
                assert_eq!(cached.unwrap().value.as_deref(), loaded.as_ref());
            }
            assert_eq!(store.loads(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_concurrent_misses_all_fail_after_one_failed_load() {
    let (store, cache) = (Store::default(), Cache::new("test", CachePolicy::DEFAULT));
    let all = join_all((0..50).map(|_| cache.get(&1, async || store.load(down()).await)));
    assert!(all.await.into_iter().all(|cached| cached.is_err()));
    assert_eq!(store.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cached_value_has_its_age_and_the_time_left() {
    let (store, cache) = (Store::default(), Cache::new("test", CachePolicy::DEFAULT));
    cache.get(&1, async || store.load(Ok(Some(7))).await).await.unwrap();
    advance(Duration::from_secs(100)).await;
    let cached = cache.get(&1, async || store.load(Ok(Some(8))).await).await.unwrap();
    assert_eq!((cached.age.as_secs(), cached.left.as_secs()), (100, 800));
    assert_eq!((*cached.value.unwrap(), store.loads()), (7, 1));
}

#[tokio::test(start_paused = true)]
async fn a_value_is_fresh_for_15_minutes_and_a_miss_for_30_seconds() {
    for (answer, lasts_s) in [(Some(7), 900), (None, 30)] {
        let (store, cache) = (Store::default(), Cache::new("test", CachePolicy::DEFAULT));
        cache.get(&1, async || store.load(Ok(answer)).await).await.unwrap();
        advance(Duration::from_secs(lasts_s - 1)).await;
        cache.get(&1, async || store.load(Ok(answer)).await).await.unwrap();
        assert_eq!(store.loads(), 1, "{answer:?}");
        advance(Duration::from_secs(1)).await;
        cache.get(&1, async || store.load(Ok(answer)).await).await.unwrap();
        assert_eq!(store.loads(), 2, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_value_is_served_for_an_hour_while_the_store_fails() {
    let (store, cache) = (Store::default(), Cache::new("test", CachePolicy::DEFAULT));
    cache.get(&1, async || store.load(Ok(Some(7))).await).await.unwrap();
    advance(Duration::from_secs(3500)).await;
    let stale = cache.get(&1, async || store.load(down()).await).await.unwrap();
    assert_eq!((stale.age.as_secs(), stale.left), (3500, Duration::ZERO));
    cache.get(&1, async || store.load(down()).await).await.unwrap();
    assert_eq!(store.loads(), 2, "the next read makes no load");
    advance(Duration::from_secs(100)).await;
    assert!(cache.get(&1, async || store.load(down()).await).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn values_and_misses_age_while_the_process_is_frozen() {
    let clock = Arc::<WallClock>::default();
    let (store, keep) = (Store::default(), CachePolicy::DEFAULT);
    within(clock.clone(), async {
        for (answer, lasts) in [(Some(7), keep.found), (None, keep.missing)] {
            let cache = Cache::new("test", keep);
            cache.get(&1, async || store.load(Ok(answer)).await).await.unwrap();
            clock.pass(lasts);
            let newer = cache.get(&1, async || store.load(Ok(Some(8))).await).await.unwrap();
            assert_eq!(newer.value.as_deref(), Some(&8), "{answer:?}");
            clock.pass(keep.stale);
            assert!(cache.get(&1, async || store.load(down()).await).await.is_err());
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn beyond_the_maximum_the_least_recently_used_entry_is_dropped() {
    let keep = CachePolicy { entries_max: 2, ..CachePolicy::DEFAULT };
    let (store, cache) = (Store::default(), Cache::new("test", keep));
    for key in [1, 2, 1, 3] {
        cache.get(&key, async || store.load(Ok(Some(key))).await).await.unwrap();
    }
    assert_eq!(store.loads(), 3);
    cache.get(&1, async || store.load(Ok(Some(1))).await).await.unwrap();
    assert_eq!(store.loads(), 3, "key 1 was used again and is kept");
    cache.get(&2, async || store.load(Ok(Some(2))).await).await.unwrap();
    assert_eq!(store.loads(), 4, "key 2 was dropped");
}

#[tokio::test(start_paused = true)]
async fn after_a_cancelled_load_the_next_caller_loads() {
    let cache = Cache::new("test", CachePolicy::DEFAULT);
    let never = cache.get(&1, async || std::future::pending().await);
    assert!(tokio::time::timeout(Duration::from_secs(1), never).await.is_err());
    assert_eq!(*cache.get(&1, async || Ok(Some(7))).await.unwrap().value.unwrap(), 7);
}
