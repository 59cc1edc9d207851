//! Sequences against `DynamoDB`: each position once.

use futures::future::join_all;
use lifecycle::caller::Anyone;
use lifecycle::effects::Write;
use lifecycle::record::Key;
use lifecycle::testing::permit;
use lifecycle::{Moment, Permit, Timestamp};

use super::commits::{Product, commit, product};
use super::stores::Stores;
use crate::{Aws, Sequence};

/// The sequence of one execution environment.
fn sequence(aws: &Aws) -> Sequence {
    aws.sequence::<Product>(Key::new("a"), "stock")
}

fn admitted() -> Permit<Anyone> {
    permit(Anyone, Moment::new(Timestamp::from_millis(0), [0; 32]))
}

#[tokio::test]
async fn concurrent_callers_of_several_environments_get_each_position_once() {
    let aws = Stores::start().await.aws;
    let (environments, permit) = ([(); 3].map(|()| sequence(&aws)), admitted());

    let calls = (0..90).map(|number| environments[number % 3].next(&permit));
    let taken = join_all(calls).await.into_iter().map(Result::unwrap);

    let mut taken: Vec<u64> = taken.collect();
    taken.sort_unstable();
    assert_eq!(taken, (1..=90).collect::<Vec<u64>>());
    assert_eq!(sequence(&aws).next(&permit).await.unwrap(), 91);
}

#[tokio::test]
async fn a_sequence_continues_the_stored_number() {
    let aws = Stores::start().await.aws;
    commit(&aws, "first", vec![Write::put(&product("a", 7))]).await.unwrap();
    assert_eq!(sequence(&aws).next(&admitted()).await.unwrap(), 8);
}
