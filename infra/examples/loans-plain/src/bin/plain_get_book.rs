//! `GET /books/{bookId}`: a book, and the number of copies that are not lent.

use lambda_http::{Error, Request, RequestExt, run, service_fn};
use loans_plain::{Book, Failure, Reply, Tables, answer, sdk_config};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_http::tracing::init_default_subscriber();
    let tables = &Tables::new(&sdk_config().await);
    run(service_fn(|request: Request| async move {
        let reply = get_book(tables, &request).await;
        answer(&request, reply)
    }))
    .await
}

async fn get_book(tables: &Tables, request: &Request) -> Result<Reply, Failure> {
    let parameters = request.path_parameters();
    let book_id = parameters.first("bookId").and_then(|id| id.parse::<Uuid>().ok());
    let book_id = book_id.ok_or_else(Failure::invalid)?;
    let book: Option<Book> = tables.get("BOOKS_TABLE", book_id).await?;
    let book = book.ok_or_else(Failure::not_found)?;
    Ok(Reply::ok(&book, book.version))
}
