//! Keys that no item can have.

use super::*;
use crate::effects::Condition;
use crate::ports::{CommitError, Transaction};

fn long() -> String {
    "x".repeat(2049)
}

#[tokio::test]
async fn a_key_that_no_item_can_have_finds_nothing() {
    let memory = Memory::new();
    let longest = "x".repeat(2048);
    for id in ["", &long(), &longest] {
        memory.put(&visit(id, "hall"));
        let found = memory.read(VISITS, &Key::new(id)).await.unwrap();
        assert_eq!(found.is_some(), id == longest, "{} bytes", id.len());
    }
}

#[tokio::test]
async fn a_write_to_a_key_that_no_item_can_have_is_judged_as_to_a_missing_item() {
    let memory = Memory::new();
    memory.put(&visit("1", "hall"));
    let real = || Write::update::<Visit>(Key::new("1")).add("count", 1);
    for id in [String::new(), long()] {
        let update = || Write::update::<Visit>(Key::new(&id)).add("count", 1);
        let delete = || Write::delete::<Visit>(Key::new(&id));
        let absent = || Write::check::<Visit>(Key::new(&id), Condition::Absent);
        let put = || Write::create(&visit(&id, "hall"));
        for (writes, expected) in [
            (vec![real(), update().when(Condition::AtLeast("count", 1))], Err(Some(1))),
            (vec![delete().when(Condition::Present), real()], Err(Some(0))),
            (vec![real(), update()], Err(None)),
            (vec![put()], Err(None)),
            (vec![delete(), real()], Ok(())),
            (vec![absent(), real()], Ok(())),
        ] {
            let transaction = Transaction { token: "t".to_owned(), writes };
            let result = memory.commit(&transaction).await;
            let result = result.map_err(|error| match error {
                CommitError::Conditions(failed) => failed.first().map(|one| one.write),
                CommitError::Invalid(reason) => {
                    assert!(reason.contains("no item can have its key"), "{reason}");
                    None
                }
                other => panic!("{other:?}"),
            });
            assert_eq!(result, expected, "{:?}", transaction.writes);
        }
    }
    let counted = memory.read(VISITS, &Key::new("1")).await.unwrap().unwrap();
    assert_eq!((memory.items(VISITS).len(), counted.get("count")), (1, Some(&number(4))));
}
