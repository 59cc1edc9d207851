//! The breaker with a real table. Instances are breakers that share only the table.

use futures::future::join_all;

use super::*;
use crate::tests::stores::{Stores, connect, environment};
use crate::upstream::CIRCUITS;
use lifecycle::resource::Resource;

const PARTNER: Upstream = Upstream::new("partner");

#[tokio::test]
async fn five_concurrent_failures_of_the_fleet_open_the_circuit_once() {
    let fleet = fleet(5).await;
    let failed = fleet.iter().map(|instance| instance.tell(Event::Failed, None, at(0)));
    let opened = join_all(failed).await;
    assert_eq!(opened.iter().filter(|opened| **opened).count(), 1, "no failure is lost");
    for instance in &fleet {
        assert!(refused_for(instance, at(5)).await.is_some());
    }
}

#[tokio::test]
async fn after_the_opening_each_other_instance_fails_at_most_once() {
    let fleet = fleet(8).await;
    // All of them know the circuit as closed.
    for instance in &fleet {
        assert_eq!(refused_for(instance, at(0)).await, None);
    }
    for _ in 0..5 {
        fleet[0].tell(Event::Failed, None, at(1)).await;
    }
    let mut asked = 0;
    for second in [1, 2, 3] {
        for instance in &fleet {
            if instance.admit("r", at(second)).await.is_ok() {
                asked += 1;
                instance.tell(Event::Failed, None, at(second)).await;
            }
        }
    }
    assert_eq!(asked, 7);
}

#[tokio::test]
async fn an_instance_learns_of_an_opening_within_five_seconds() {
    let fleet = fleet(2).await;
    assert_eq!(refused_for(&fleet[1], at(0)).await, None);
    for _ in 0..5 {
        fleet[0].tell(Event::Failed, None, at(0)).await;
    }
    assert_eq!(refused_for(&fleet[1], at(4)).await, None);
    assert_eq!(refused_for(&fleet[1], at(5)).await, Some(25));
}

#[tokio::test]
async fn a_state_is_held_for_five_seconds_unless_the_clock_is_set_back() {
    let mut environment = environment();
    environment.insert("CIRCUITS_TABLE", "c".to_owned());
    let breaker = connect(&[Resource::Table(CIRCUITS, &[])], environment).breaker(PARTNER);
    breaker.hold(Circuit::of(PARTNER.name()), at(3_600));
    for (second, is_held) in [(3_600, true), (3_604, true), (3_605, false), (0, false)] {
        assert_eq!(breaker.held(at(second)).is_some(), is_held, "{second}");
    }
}

#[tokio::test]
async fn one_request_at_a_time_is_a_probe_and_three_successes_close_it() {
    let fleet = fleet(8).await;
    for _ in 0..5 {
        fleet[0].tell(Event::Failed, None, at(0)).await;
    }
    for round in 0..3 {
        let now = at(30 + round);
        let ids: Vec<_> = (0..fleet.len()).map(|n| format!("{round}/{n}")).collect();
        let asked = fleet.iter().zip(&ids).map(|(instance, id)| instance.admit(id, now));
        let admitted: Vec<_> = join_all(asked)
            .await
            .into_iter()
            .enumerate()
            .filter(|(_, asked)| asked.is_ok())
            .collect();
        let [(number, Ok(Some(id)))] = &admitted[..] else { panic!("{round}: {admitted:?}") };
        fleet[*number].tell(Event::Succeeded, Some(id), now).await;
    }
    for instance in &fleet {
        assert_eq!(refused_for(instance, at(40)).await, None);
    }
}

#[tokio::test]
async fn a_probe_that_fails_by_our_own_fault_passes_to_the_next_request() {
    let fleet = fleet(2).await;
    for _ in 0..5 {
        fleet[0].tell(Event::Failed, None, at(0)).await;
    }
    for round in 0..5 {
        let id = round.to_string();
        let probe = fleet[0].admit(&id, at(30)).await.unwrap();
        assert_eq!(probe, Some(&*id), "the circuit stays half-open");
        assert!(!fleet[0].tell(Event::GaveUp, probe, at(30)).await);
    }
    assert!(fleet[1].admit("r", at(35)).await.unwrap().is_some(), "another instance may probe");
}

#[tokio::test]
async fn a_probe_whose_write_has_no_answer_still_reports_as_the_probe() {
    let fleet = fleet(1).await;
    for _ in 0..5 {
        fleet[0].tell(Event::Failed, None, at(0)).await;
    }
    let mut environment = environment();
    environment.insert("CIRCUITS_TABLE", "c".to_owned());
    environment.insert("AWS_ENDPOINT_URL", "http://127.0.0.1:1".to_owned());
    let cut_off = connect(&[Resource::Table(CIRCUITS, &[])], environment).breaker(PARTNER);
    cut_off.hold(fleet[0].known(at(29)).await, at(29));
    assert_eq!(cut_off.admit("probe", at(30)).await.unwrap(), Some("probe"));
}

#[tokio::test]
async fn requests_pass_when_the_table_fails() {
    let mut environment = environment();
    environment.insert("CIRCUITS_TABLE", "c".to_owned());
    environment.insert("AWS_ENDPOINT_URL", "http://127.0.0.1:1".to_owned());
    let breaker = connect(&[Resource::Table(CIRCUITS, &[])], environment).breaker(PARTNER);
    for _ in 0..6 {
        assert!(!breaker.tell(Event::Failed, None, at(0)).await);
    }
    assert_eq!(refused_for(&breaker, at(1)).await, None);
}

async fn fleet(instances: usize) -> Vec<Breaker> {
    let stores = Stores::start().await;
    (0..instances).map(|_| stores.aws.breaker(PARTNER)).collect()
}

/// The seconds that a rejected request has to wait.
async fn refused_for(instance: &Breaker, now: Timestamp) -> Option<u32> {
    match instance.admit("r", now).await {
        Ok(_) => None,
        Err(ServiceError::Unavailable { retry_after_s, .. }) => Some(retry_after_s),
        Err(other) => panic!("{other:?}"),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + second * 1000)
}
