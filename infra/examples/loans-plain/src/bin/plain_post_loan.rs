//! `POST /loans`: a member borrows a book of the member's library.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, TransactWriteItem, Update};
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Error, Request, run, service_fn};
use loans_plain::{
    Book, Failure, Loan, Member, Reply, Tables, answer, key, member, request_id, sdk_config,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const LENT_FOR: SignedDuration = SignedDuration::from_hours(14 * 24);
const RESPONSE_KEPT: SignedDuration = SignedDuration::from_hours(24);
const EVENT_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
const ATTEMPTS_MAX: u32 = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_http::tracing::init_default_subscriber();
    let tables = &Tables::new(&sdk_config().await);
    run(service_fn(|request: Request| async move {
        let reply = post_loan(tables, &request).await;
        answer(&request, reply)
    }))
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LoanDraft {
    book_id: Uuid,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoanView<'a> {
    loan_id: Uuid,
    book_id: Uuid,
    title: &'a str,
    lent_at: &'a str,
    due_at: &'a str,
    status: &'a str,
}

/// A response, as it is stored under the idempotency key.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    pk: String,
    request_hash: String,
    path: String,
    body: String,
    expires_at: i64,
}

impl Stored {
    /// The stored response, if it belongs to the same request.
    fn replay(self, request_hash: &str) -> Result<Reply, Failure> {
        if self.request_hash != request_hash {
            let message = "The idempotency key was used for another request.";
            return Err(Failure::refused(422, "IDEMPOTENCY_KEY_REUSED", message));
        }
        let body = serde_json::from_str(&self.body)?;
        Ok(Reply::replayed(201, self.path, body))
    }
}

/// The event, in the form in which the relay of the outbox reads it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutboxRow {
    pk: Uuid,
    sk: Uuid,
    event_id: Uuid,
    event_type: &'static str,
    version: u32,
    occurred_at: String,
    aggregate_id: Uuid,
    request_id: String,
    data: Value,
    expires_at: i64,
}

async fn post_loan(tables: &Tables, request: &Request) -> Result<Reply, Failure> {
    let member = member(request)?;
    let given = request.headers().get("idempotency-key").ok_or_else(Failure::invalid)?;
    let draft: LoanDraft =
        serde_json::from_slice(request.body()).map_err(|_| Failure::invalid())?;
    let scope = Sha256::new().chain_update(member.sub).chain_update(given);
    let stored_key = format!("idempotency#{}", hex(&scope.finalize()));
    let request_hash = hex(&Sha256::digest(draft.book_id));

    for attempt in 0..ATTEMPTS_MAX {
        let (stored, book) = tokio::try_join!(
            tables.get::<Stored>("LEDGER_TABLE", &stored_key),
            tables.get::<Book>("BOOKS_TABLE", draft.book_id),
        )?;
        let now = Timestamp::now();
        if let Some(stored) = stored.filter(|stored| stored.expires_at >= now.as_second()) {
            return stored.replay(&request_hash);
        }
        let book = book.filter(|book| book.library == member.library);
        let book = book.ok_or_else(Failure::not_found)?;
        if book.available < 1 {
            return Err(Failure::refused(409, "NO_COPY_LEFT", "No copy of the book is left."));
        }
        let loan = lend(&member, book, now)?;
        let reply = Reply::created(format!("/loans/{}", loan.loan_id), &view(&loan));
        let stored = Stored {
            pk: stored_key.clone(),
            request_hash: request_hash.clone(),
            path: format!("/loans/{}", loan.loan_id),
            body: reply.body().to_string(),
            expires_at: (now + RESPONSE_KEPT).as_second(),
        };
        match commit(tables, &loan, &stored, request_id(request), now).await? {
            Committed::Yes => return Ok(reply),
            // Another request has changed the book or has the same key: read them again.
            Committed::Conflict => {
                tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
            }
        }
    }
    Err(Failure::refused(503, "SERVICE_UNAVAILABLE", "A dependency is unavailable."))
}

fn lend(member: &Member, book: Book, now: Timestamp) -> Result<Loan, Failure> {
    Ok(Loan {
        loan_id: Uuid::new_v4(),
        book_id: book.book_id,
        title: book.title,
        member_id: member.sub,
        email: member.email.clone(),
        lent_at: format!("{now:.3}"),
        due_at: format!("{:.3}", now.checked_add(LENT_FOR)?),
        status: "LENT".to_owned(),
        version: 1,
    })
}

fn view(loan: &Loan) -> LoanView<'_> {
    let Loan { loan_id, book_id, title, lent_at, due_at, status, .. } = loan;
    LoanView { loan_id: *loan_id, book_id: *book_id, title, lent_at, due_at, status }
}

enum Committed {
    Yes,
    Conflict,
}

/// Stores the loan, takes the copy, and stores the event and the response, all or none.
async fn commit(
    tables: &Tables,
    loan: &Loan,
    stored: &Stored,
    request_id: String,
    now: Timestamp,
) -> Result<Committed, Failure> {
    let mut item: HashMap<String, AttributeValue> = serde_dynamo::to_item(loan)?;
    let position = format!("{}#{}", loan.lent_at, loan.loan_id);
    for (name, value) in [
        ("pk", loan.loan_id.to_string()),
        ("by_member_pk", loan.member_id.to_string()),
        ("by_member_sk", position),
    ] {
        item.insert(name.to_owned(), AttributeValue::S(value));
    }
    let loan_put = Put::builder()
        .table_name(Tables::name("LOANS_TABLE")?)
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(pk)")
        .build()?;
    let copy = Update::builder()
        .table_name(Tables::name("BOOKS_TABLE")?)
        .set_key(Some(key(loan.book_id)))
        .update_expression("ADD available :less, version :one")
        .condition_expression("available >= :one")
        .expression_attribute_values(":less", AttributeValue::N("-1".to_owned()))
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .build()?;
    let event_id = Uuid::new_v4();
    let event = OutboxRow {
        pk: loan.loan_id,
        sk: event_id,
        event_id,
        event_type: "LoanMade",
        version: 1,
        occurred_at: format!("{now:.3}"),
        aggregate_id: loan.loan_id,
        request_id,
        data: json!({ "loanId": loan.loan_id }),
        expires_at: (now + EVENT_KEPT).as_second(),
    };
    let event_put = Put::builder()
        .table_name(Tables::name("OUTBOX_TABLE")?)
        .set_item(Some(serde_dynamo::to_item(event)?))
        .build()?;
    let response_put = Put::builder()
        .table_name(Tables::name("LEDGER_TABLE")?)
        .set_item(Some(serde_dynamo::to_item(stored)?))
        .condition_expression("attribute_not_exists(pk) OR expiresAt < :now")
        .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()))
        .build()?;
    let commit = tables
        .0
        .transact_write_items()
        .client_request_token(event_id.to_string())
        .transact_items(TransactWriteItem::builder().put(loan_put).build())
        .transact_items(TransactWriteItem::builder().update(copy).build())
        .transact_items(TransactWriteItem::builder().put(event_put).build())
        .transact_items(TransactWriteItem::builder().put(response_put).build())
        .send()
        .await;
    match commit {
        Ok(_) => Ok(Committed::Yes),
        Err(error) if is_conflict(&error) => Ok(Committed::Conflict),
        Err(error) => Err(error.into()),
    }
}

/// Whether the transaction failed for the state of its items alone.
fn is_conflict<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return false;
    };
    let codes = cancelled.cancellation_reasons().iter().filter_map(CancellationReason::code);
    codes
        .filter(|code| *code != "None")
        .all(|code| matches!(code, "ConditionalCheckFailed" | "TransactionConflict"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
