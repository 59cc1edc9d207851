//! `POST /books`: a librarian adds a book to the librarian's library.

use lifecycle::Endpoint;
use lifecycle::prelude::*;
use loans::resources::BOOKS;
use loans::{Book, BookDraft, BookView, Member, Role};

pub(crate) fn main() -> ExitCode {
    aws::serve(|_| PostBook)
}

struct PostBook;

impl Endpoint for PostBook {
    // 1. Routing
    const ROUTE: Route = Route::post("/books");

    // 2. Authentication
    type Caller = Member;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Librarian]);

    const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
    const BODY_BYTES_MAX: usize = 4 * 1024;
    const RESOURCES: Resources = &[Resource::Table(BOOKS, &[PutItem])];

    // 4. Deserialisation
    type Input = Json<BookDraft>;

    // 5. Syntax validation
    type Command = BookDraft;

    // 6. Retrieval: nothing is needed
    type Facts = ();

    async fn retrieve(&self, _: &Permit<Member>, _: &BookDraft) -> Retrieved<()> {
        Ok(())
    }

    // 3b. Authorization: the role is enough
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<()> = Conditions::Creation(None);

    // 7. Business rules: none
    type Outcome = Book;

    fn decide(
        moment: &Moment,
        librarian: &Member,
        draft: &BookDraft,
        (): (),
    ) -> Result<Book, DomainError> {
        Ok(Book::new(moment, librarian.library.clone(), draft))
    }

    // 8. Side effects
    fn effects(book: &Book) -> Effects {
        Effects::none().write(Write::create(book))
    }

    // 9. Response
    type Reply = reply::Created<BookView>;

    fn reply(book: Book) -> reply::Created<BookView> {
        let (path, tag) = (format!("/books/{}", book.book_id), book.entity_tag());
        reply::Created::at(path, book.into()).tagged(tag)
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::testing::{self, Memory, Request};
    use loans::examples::claims_of;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn a_librarian_adds_a_book_once_per_idempotency_key() {
        let memory = Memory::new();
        let post_book = testing::endpoint(PostBook, &memory);
        let request = of("LIBRARIAN", json!({ "title": " Emma ", "copies": 2 }));
        let request = request.header("idempotency-key", "key-1");

        let answer = post_book.ask(&request).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let book = &answer.json()["data"];
        assert_eq!((&book["title"], &book["available"]), (&json!("Emma"), &json!(2)));
        assert_eq!(book["library"], "central");
        let path = format!("/books/{}", book["bookId"].as_str().unwrap());
        assert_eq!(answer.header("location"), Some(path.as_str()));

        let again = post_book.ask(&request).await;
        assert_eq!(again.body, answer.body);
        assert_eq!(memory.items(BOOKS).len(), 1);
    }

    #[tokio::test]
    async fn a_member_who_is_no_librarian_is_403() {
        let memory = Memory::new();
        let request = of("MEMBER", json!({ "title": "Emma", "copies": 2 }));
        assert_eq!(testing::endpoint(PostBook, &memory).ask(&request).await.status, 403);
        assert!(memory.commits().is_empty());
    }

    #[tokio::test]
    async fn all_invalid_fields_are_named_in_one_400() {
        let memory = Memory::new();
        let request = of("LIBRARIAN", json!({ "title": "", "copies": 100 }));
        let answer = testing::endpoint(PostBook, &memory).ask(&request).await;
        let details = answer.json()["error"]["details"].as_array().unwrap().clone();
        let fields: Vec<_> = details.iter().map(|detail| detail["field"].as_str()).collect();
        assert_eq!((answer.status, fields), (400, vec![Some("/copies"), Some("/title")]));
    }

    fn of(role: &str, book: Value) -> Request {
        Request::new().by(claims_of("grace", "central", &[role])).json(&book)
    }
}
