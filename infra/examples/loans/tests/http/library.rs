//! The other endpoints, and the schedule.

use std::collections::BTreeSet;

use emulator::faults::{Faults, StoreFault};
use lifecycle::testing::envelope;
use loans::LoanOverdue;
use serde_json::json;
use testkit::{Api, eventually, unique, when};

use crate::service::{Library, Person, fresh, loan_of, new_book, shared};

#[tokio::test]
async fn a_librarian_adds_a_book_that_a_member_may_not_add() {
    let api = shared().await;
    let draft = json!({ "title": "Persuasion", "copies": 3 });

    let member = Person::new().member();
    api.post("/books", &draft).token(&member).send().await.error(403, "FORBIDDEN");

    let librarian = Person::new().librarian();
    let added = api.post("/books", &draft).token(&librarian).send().await;
    let book = added.data(201);
    assert_eq!(api.get(added.header("location")).send().await.data(200), book);
    assert_eq!(book["library"], "central");

    let invalid = json!({ "title": "", "copies": 0, "isbn": 1 });
    let refused = api.post("/books", &invalid).token(&librarian).send().await;
    let fields = refused.error_fields(400, "INVALID_REQUEST");
    assert!(["/title", "/copies"].iter().all(|field| fields.contains(&(*field).to_owned())));
}

#[tokio::test]
async fn the_pages_of_a_members_loans_are_disjoint_and_complete() {
    let api = shared().await;
    let (ada, bob) = (Person::new(), Person::new());
    let mut lent = BTreeSet::new();
    for _ in 0..5 {
        lent.insert(borrow(&api, &ada).await);
    }
    borrow(&api, &bob).await;

    let (mut found, mut path) = (Vec::new(), "/loans?limit=2".to_owned());
    loop {
        let page = api.get(&path).token(&ada.member()).send().await.json();
        let loans = page["data"].as_array().expect("a list").iter();
        found.extend(loans.map(|loan| loan["loanId"].as_str().expect("an id").to_owned()));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/loans?limit=2&cursor={cursor}");
    }
    assert_eq!((found.len(), found.into_iter().collect()), (5, lent));

    let stranger = "/loans?limit=2&cursor=forged";
    let refused = api.get(stranger).token(&ada.member()).send().await;
    assert_eq!(refused.error_fields(400, "INVALID_REQUEST"), ["query.cursor"]);
}

#[tokio::test]
async fn a_returned_book_can_be_lent_again_and_is_returned_once() {
    let api = shared().await;
    let (ada, bob) = (Person::new(), Person::new());
    let book_id = new_book(&api, 1);
    let borrow = async |person: &Person| {
        let call = api.post("/loans", &loan_of(&book_id)).token(&person.member());
        call.key(&unique("key")).send().await
    };
    let loan = borrow(&ada).await.data(201);
    let path = format!("/loans/{}", loan["loanId"].as_str().expect("an id"));

    api.delete(&path).token(&bob.member()).send().await.error(404, "NOT_FOUND");
    borrow(&bob).await.error(409, "NO_COPY_LEFT");
    assert_eq!(api.delete(&path).token(&ada.member()).send().await.status, 204);
    api.delete(&path).token(&ada.member()).send().await.error(409, "LOAN_RETURNED");
    borrow(&bob).await.data(201);
}

#[tokio::test]
async fn a_message_that_is_delivered_twice_sends_one_mail() {
    let api = fresh().await;
    let control = api.control().expect("a platform in this process");
    let mut loans = Vec::new();
    for _ in 0..3 {
        let member = Person::new();
        let loan_id = borrow(&api, &member).await;
        control.mail(&member.email(), "Your loan").await;
        loans.push((loan_id, member));
    }

    // Sent without the relay: its batches would be repeated too, and copies may be consumed in parallel.
    control.inject(&Faults::default().deliveries(1.0, 0.5)).await;
    for (loan_id, _) in &loans {
        let id = serde_json::from_value(json!(loan_id)).expect("an id");
        let overdue = LoanOverdue { loan_id: id };
        let event = envelope(&unique("event"), loan_id, &overdue);
        control.send("LoanEventsQueue", &json!(event)).await;
    }

    for (_, member) in &loans {
        control.mail(&member.email(), "Your loan is overdue").await;
    }
    let repeated = [r#"source="loan_events""#, r#"outcome="repeated""#];
    let all = async || when(control.metric("records_total", &repeated).await, |seen| *seen >= 3.0);
    eventually("every message to be delivered twice", all).await;
    for (_, member) in &loans {
        let mails = control.mails(&member.email()).await;
        let subjects: Vec<_> = mails.iter().map(|mail| &mail["subject"]).collect();
        assert_eq!(subjects, ["Your loan", "Your loan is overdue"]);
    }
}

#[tokio::test]
async fn overdue_loans_are_marked_and_reminded_of_despite_a_row_that_cannot_be_read() {
    let api = fresh().await;
    let control = api.control().expect("a platform in this process");
    let members: Vec<_> = (0..3).map(|_| Person::new()).collect();
    for member in &members {
        borrow(&api, member).await;
        control.mail(&member.email(), "Your loan").await;
    }
    for shard in ["0", "1", "2", "3"] {
        let poisoned = json!({
            "pk": format!("poisoned-{shard}"), "by_due_pk": shard, "by_due_sk": "2020-01-01",
        });
        api.put_item("LoansTable", poisoned);
    }

    control.run_schedule("ExpireFunction").await;
    assert_eq!(statuses(&api, &members[0]).await, ["LENT"], "two weeks have not passed");

    control.pass(15 * 24 * 60 * 60).await;
    for member in &members {
        control.mail(&member.email(), "Your loan is overdue").await;
        assert_eq!(statuses(&api, member).await, ["OVERDUE"]);
    }
    assert_eq!(control.events("LoanOverdue").await.len(), members.len());
}

#[tokio::test]
async fn the_health_check_is_200_and_the_tables_failure_makes_it_503() {
    let api = fresh().await;
    let health = api.get("/healthcheck").send().await;
    assert_eq!((health.status, health.json()), (200, json!({ "status": "OK" })));

    let control = api.control().expect("a platform in this process");
    let fault = StoreFault::fail(1.0);
    control.inject(&Faults::default().table("BooksTable", fault)).await;
    let ill = eventually("the health check to fail", async || {
        when(api.get("/healthcheck").send().await, |health| health.status == 503)
    });
    assert_eq!(ill.await.json()["unavailable"], json!(["table"]));
}

/// Lends a new book to a member. Returns the loan's id.
async fn borrow(api: &Api<Library>, member: &Person) -> String {
    let loan = loan_of(&new_book(api, 1));
    let call = api.post("/loans", &loan).token(&member.member()).key(&unique("key"));
    let loan = call.send().await.data(201);
    loan["loanId"].as_str().expect("an id").to_owned()
}

async fn statuses(api: &Api<Library>, member: &Person) -> Vec<String> {
    let page = api.get("/loans").token(&member.member()).send().await.json();
    let loans = page["data"].as_array().expect("a list").iter();
    loans.map(|loan| loan["status"].as_str().expect("a text").to_owned()).collect()
}
