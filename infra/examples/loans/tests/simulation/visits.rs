//! The workload: members borrow, repeat and return, a librarian returns and adds books, and odd messages
//! come to the queue.

use serde_json::{Value, json};
use simulation::Millis;
use simulation::random::{Random, Seeded};
use simulation::world::{ApiAnswer, ApiRequest, Client, Planned, Workload};

use crate::first::{COPIES, DUE_MINUTES, book_id, loan_id};
use crate::people::{POISON, Person};

/// The visits of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visits {
    /// Their number.
    pub(crate) count: usize,
    /// The time within which they begin.
    pub(crate) within: Millis,
}

impl Visits {
    /// Visits at the same time: they meet.
    pub(crate) const BUSY: Self = Self { count: 20, within: Millis::seconds(2) };
    /// Visits of an hour, after which a schedule marks overdue loans.
    pub(crate) const HOUR: Self = Self { count: 20, within: Millis::seconds(3600) };

    /// The time without faults that the work after the visits takes at least.
    pub(crate) fn settle(self) -> Millis {
        if self.within < Self::HOUR.within {
            Millis::seconds(150)
        } else {
            Millis::seconds(75 * 60)
        }
    }
}

/// One visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Visit {
    /// A member borrows a book.
    Borrow { member: usize, book: usize, then: Then },
    /// The librarian returns the book of one of the first loans.
    ReturnFor { loan: usize },
    /// A client without a token looks at a book.
    Look { book: usize },
    /// The librarian adds a book.
    Add { copies: u64 },
    /// Another system sends a message that no consumer can read.
    Poison { is_json: bool },
    /// An operator moves the dead letters back, and looks at the health.
    Redrive,
}

/// The next step after a loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Leave,
    /// Returns the book, twice.
    Return,
    /// Sends the same request again.
    Repeat,
    /// Asks for another book with the same key.
    ReuseKey,
    /// Reads the own loans.
    List,
}

const MEMBERS: usize = 6;
const THEN: [Then; 6] =
    [Then::Leave, Then::Return, Then::Return, Then::Repeat, Then::ReuseKey, Then::List];

impl Workload for Visits {
    type Operation = Visit;

    fn plan(&self, random: &mut Seeded) -> Vec<Planned<Visit>> {
        let planned = |_| {
            let visit = visit(random);
            Planned::within(self.within, random, visit)
        };
        (0..self.count).map(planned).collect()
    }

    async fn perform(&self, client: Client, visit: &Visit) {
        // A client who gets no answer gives up: the checks look at the work until then.
        let _ = match *visit {
            Visit::Borrow { member, book, then } => {
                borrow(&client, Person::Member(member), book, then).await
            }
            Visit::ReturnFor { loan } => {
                give_back(&client, Person::Librarian, &loan_id(loan)).await
            }
            Visit::Look { book } => look(&client, &book_id(book)).await,
            Visit::Add { copies } => add(&client, copies).await,
            Visit::Poison { is_json } => {
                let mark = format!("{POISON}-{}", client.operation());
                let body = if is_json { json!({ "mark": mark }).to_string() } else { mark };
                let sent = client.send_message("LoanEventsQueue", &body).await;
                sent.expect("the queue is in the template");
                None
            }
            Visit::Redrive => {
                client.redrive("LoanEventsDeadLetterQueue", "LoanEventsQueue").await;
                client.send_until_answered(&ApiRequest::get("/healthcheck")).await
            }
        };
    }
}

fn visit(random: &mut Seeded) -> Visit {
    let book = random.index(COPIES.len());
    match random.below(12) {
        0 => Visit::ReturnFor { loan: random.index(DUE_MINUTES.len()) },
        1 | 2 => Visit::Look { book },
        3 => Visit::Add { copies: 1 + random.below(3) },
        4 => Visit::Poison { is_json: random.below(2) == 0 },
        5 => Visit::Redrive,
        _ => {
            let (member, then) = (random.index(MEMBERS), THEN[random.index(THEN.len())]);
            Visit::Borrow { member, book, then }
        }
    }
}

async fn borrow(client: &Client, member: Person, book: usize, then: Then) -> Option<ApiAnswer> {
    let ask = |book: usize| {
        ApiRequest::post("/loans", &json!({ "bookId": book_id(book) }))
            .bearer(&member.token())
            .header("idempotency-key", format!("loan-{}", client.operation()))
    };
    let answer = client.send_until_answered(&ask(book)).await?;
    client.think(Millis::seconds(60)).await;
    match (then, answer.json()["data"]["loanId"].as_str()) {
        (Then::Return, Some(loan_id)) => {
            give_back(client, member, loan_id).await?;
            look(client, &book_id(book)).await?;
            give_back(client, member, loan_id).await
        }
        (Then::Repeat, _) => client.send_until_answered(&ask(book)).await,
        (Then::ReuseKey, Some(_)) => {
            client.send_until_answered(&ask((book + 1) % COPIES.len())).await
        }
        (Then::List, _) => {
            let own = ApiRequest::get("/loans?limit=5").bearer(&member.token());
            client.send_until_answered(&own).await
        }
        _ => Some(answer),
    }
}

async fn give_back(client: &Client, person: Person, loan_id: &str) -> Option<ApiAnswer> {
    let request = ApiRequest::new("DELETE", format!("/loans/{loan_id}"));
    client.send_until_answered(&request.bearer(&person.token())).await
}

async fn look(client: &Client, book_id: &str) -> Option<ApiAnswer> {
    client.send_until_answered(&ApiRequest::get(format!("/books/{book_id}"))).await
}

async fn add(client: &Client, copies: u64) -> Option<ApiAnswer> {
    let draft: Value = json!({ "title": format!("New {}", client.operation()), "copies": copies });
    let request = ApiRequest::post("/books", &draft)
        .bearer(&Person::Librarian.token())
        .header("idempotency-key", format!("book-{}", client.operation()));
    let added = client.send_until_answered(&request).await?;
    look(client, added.json()["data"]["bookId"].as_str()?).await
}
