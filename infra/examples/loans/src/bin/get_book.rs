//! `GET /books/{bookId}`: a book, and the number of copies that are not lent.

use aws::{OrNotFound, Table};
use lifecycle::Query;
use lifecycle::prelude::*;
use loans::resources::BOOKS;
use loans::{Book, BookId, BookView};

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| GetBook { books: aws.table() })
}

struct GetBook {
    books: Table<Book>,
}

impl Query for GetBook {
    // 1. Routing
    const ROUTE: Route = Route::get("/books/{bookId}");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const RESOURCES: Resources = &[Resource::Table(BOOKS, &[GetItem])];

    // 4. Deserialisation
    type Input = Path<BookId>;

    // 5. Syntax validation
    type Command = BookId;

    // 6. Retrieval
    type Facts = Book;

    async fn retrieve(&self, permit: &Permit<Anyone>, book_id: &BookId) -> Retrieved<Book> {
        self.books.get(permit, &Book::key_of(*book_id)).await?.or_not_found()
    }

    // 3b. Authorization: the catalogue is public
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<BookView>;

    fn reply(book: Book) -> reply::Ok<BookView> {
        let tag = book.entity_tag();
        reply::Ok::of(book.into()).tagged(tag)
    }
}
