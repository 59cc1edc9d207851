//! Operators' access to dead letters.

use lifecycle::ports::Queues;

use super::queues::letter;
use super::stores::{EMAILS, Stores};
use crate::admin::Operator;

#[tokio::test]
async fn hidden_dead_letters_are_counted_and_only_dropped_ones_are_gone() {
    let stores = Stores::start().await;
    for id in ["m1", "m2", "m3"] {
        let letter = letter(EMAILS, id, &format!("\"{id}\""), "no type");
        stores.aws.dead_letter(&letter).await.unwrap();
    }
    let operator = Operator::new(stores.aws.clone());
    let mut taken = Vec::new();
    while taken.len() < 3 {
        taken.extend(operator.take_letters(EMAILS).await.unwrap());
    }
    assert_eq!(operator.letters_count(EMAILS).await.unwrap(), 3);
    let (dropped, others): (Vec<_>, Vec<_>) =
        taken.into_iter().partition(|letter| letter.body == "\"m2\"");
    operator.drop_letters(EMAILS, &dropped).await.unwrap();
    assert_eq!(operator.letters_count(EMAILS).await.unwrap(), 2);
    operator.release_letters(EMAILS, &others).await.unwrap();
    let left = stores.drain("emails-dead-letters").await;
    assert!(left.iter().all(|letter| letter.body() != Some("\"m2\"")), "{left:?}");
    assert_eq!(left.len(), 2);
}
