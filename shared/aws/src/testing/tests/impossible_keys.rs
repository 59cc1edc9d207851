//! Keys that no item can have: a memory treats them as the adapter on `DynamoDB` does.

use lifecycle::effects::Condition;
use lifecycle::ports::CommitError;

use super::*;

#[tokio::test]
async fn a_read_by_a_key_that_no_item_can_have_finds_nothing() {
    for aws in both(vec![Write::put(&product(1)), Write::put(&visit(2))]).await {
        let (products, visits): (Table<Product>, Table<Visit>) = (aws.table(), aws.table());
        for text in [String::new(), "x".repeat(2049)] {
            let key = Key::new(&text);
            assert_eq!(products.get(&admitted(), &key).await.unwrap(), None);
            assert_eq!(aws.read(PRODUCTS, &key).await.unwrap(), None);
            let wanted = (products.many([key, Key::new(1)]), visits.one(Key::sorted("ann", &text)));
            let found = batch_get(&admitted(), wanted).await.unwrap();
            assert_eq!(found, (vec![None, Some(product(1))], None));
            assert_eq!(read_of::<Visit>(&aws, &Range::partition(&text), 1).await, []);
        }
    }
}

#[tokio::test]
async fn a_limit_that_no_position_can_be_is_compared_as_by_dynamodb() {
    let [dynamodb, memory] = both((1..4).map(|number| Write::put(&visit(number))).collect()).await;
    for text in [String::new(), position(2) + &"x".repeat(1024)] {
        let whole = || Range::partition("ann");
        for part in [
            whole().after(&text),
            whole().up_to(&text),
            whole().between(&text, "3"),
            whole().between(position(2), &text),
            whole().starting_with(&text),
        ] {
            for direction in [Direction::Ascending, Direction::Descending] {
                let range = part.clone().ordered(direction);
                assert_same::<Visit>(&dynamodb, &memory, &range, 9).await;
            }
        }
    }
}

#[tokio::test]
async fn a_write_to_a_key_that_no_item_can_have_has_the_result_of_dynamodb() {
    let [dynamodb, memory] = both(vec![Write::put(&visit(1))]).await;
    for text in [String::new(), "x".repeat(2049)] {
        let key = || Key::sorted(&text, "2026");
        let check = |condition| Write::check::<Visit>(key(), condition);
        let add = || Write::update::<Visit>(key()).add("times", 1);
        let put = || Write::put(&Visit { customer: text.clone(), at: "2026".to_owned() });
        let delete = || Write::delete::<Visit>(key());
        let real = || Write::update::<Visit>(visit(1).key()).add("times", 1);
        let failing = || real().when(Condition::AtLeast("times", 1_000));
        let commits = [
            (vec![add().when(Condition::Present)], "[0]"),
            (vec![real(), add().when(Condition::AtLeast("times", 1))], "[1]"),
            (vec![add()], "invalid"),
            (vec![real(), add().when(Condition::Absent)], "invalid"),
            (vec![put()], "invalid"),
            (vec![put().when(Condition::Present)], "[0]"),
            (vec![failing(), put()], "invalid"),
            (vec![delete()], "committed"),
            (vec![delete().when(Condition::Present)], "[0]"),
            (vec![delete(), real()], "committed"),
            (vec![check(Condition::Absent), failing()], "[1]"),
            (vec![failing(), check(Condition::Present)], "[1]"),
        ];
        for (number, (writes, expected)) in commits.into_iter().enumerate() {
            let token = format!("{number} {}", text.len());
            let transaction = Transaction { token, writes };
            let mut reasons = Vec::new();
            for aws in [&dynamodb, &memory] {
                let (result, reason) = outcome(aws.commit(&transaction).await);
                assert_eq!(result, expected, "{:?}", transaction.writes);
                reasons.push(reason);
            }
            assert_eq!(reasons[0], reasons[1]);
        }
    }
}

/// The result, with the places of the failed conditions, and the reason of an invalid write.
fn outcome(result: Result<(), CommitError>) -> (String, String) {
    match result {
        Ok(()) => ("committed".to_owned(), String::new()),
        Err(CommitError::Conditions(failed)) => {
            let places: Vec<_> = failed.iter().map(|one| one.write).collect();
            (format!("{places:?}"), String::new())
        }
        Err(CommitError::Invalid(reason)) => ("invalid".to_owned(), reason),
        Err(other) => panic!("{other:?}"),
    }
}
