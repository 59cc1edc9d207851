//! `POST /loans`: a member borrows a book of the member's library.

use aws::{OrNotFound, Table};
use lifecycle::Endpoint;
use lifecycle::prelude::*;
use loans::resources::{BOOKS, LOANS};
use loans::{Book, Loan, LoanDraft, LoanMade, LoanView, Member, Role, error_codes};

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| PostLoan { books: aws.table() })
}

struct PostLoan {
    books: Table<Book>,
}

impl Endpoint for PostLoan {
    // 1. Routing
    const ROUTE: Route = Route::post("/loans");

    // 2. Authentication
    type Caller = Member;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Member]);

    const IDEMPOTENCY: Idempotency = Idempotency::Required;
    const BODY_BYTES_MAX: usize = 4 * 1024;
    const RESOURCES: Resources = &[
        Resource::Table(BOOKS, &[GetItem, UpdateItem]),
        Resource::Table(LOANS, &[PutItem]),
        Resource::Outbox,
    ];

    // 4. Deserialisation
    type Input = Json<LoanDraft>;

    // 5. Syntax validation
    type Command = LoanDraft;

    // 6. Retrieval
    type Facts = Book;

    async fn retrieve(&self, permit: &Permit<Member>, draft: &LoanDraft) -> Retrieved<Book> {
        self.books.get(permit, &Book::key_of(draft.book_id)).await?.or_not_found()
    }

    // 3b. Authorization: the books of other libraries are hidden
    const ALLOW: Allow<Self> =
        Allow::HideUnless(|member: &Member, _, book: &Book| member.library == book.library);

    const CONDITIONS: Conditions<Book> = Conditions::Creation(None);

    // 7. Business rules
    type Outcome = Loan;
    const ERRORS: &'static [ErrorCode] = &[error_codes::NO_COPY_LEFT];

    fn decide(
        moment: &Moment,
        member: &Member,
        _: &LoanDraft,
        book: Book,
    ) -> Result<Loan, DomainError> {
        Loan::new(moment, member, book)
    }

    // 8. Side effects: the loan, the copy that it takes, and `LoanMade`, in one commit
    fn effects(loan: &Loan) -> Effects {
        Effects::none()
            .write(Write::create(loan))
            .write(Book::take_copy(loan.book_id))
            .event(Event::about(loan.loan_id, &LoanMade { loan_id: loan.loan_id }))
    }

    // 9. Response
    type Reply = reply::Created<LoanView>;

    fn reply(loan: Loan) -> reply::Created<LoanView> {
        reply::Created::at(format!("/loans/{}", loan.loan_id), loan.into())
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::OnConditionFailed;
    use loans::Library;
    use loans::examples::{book, member, moment};

    use super::*;

    #[test]
    fn a_loan_its_copy_and_its_event_are_one_commit() {
        let effects = PostLoan::effects(&lent(book()).unwrap());
        let tables: Vec<_> = effects.writes().iter().map(|write| write.table).collect();
        assert_eq!(tables, [LOANS, BOOKS]);
        assert_eq!(effects.events()[0].event_type, "LoanMade");
    }

    #[test]
    fn a_loan_is_decided_again_when_another_member_takes_the_copy() {
        let effects = PostLoan::effects(&lent(book()).unwrap());
        assert!(matches!(effects.writes()[1].on_condition_failed, OnConditionFailed::Retry));
    }

    #[test]
    fn a_book_without_a_copy_left_is_409_with_no_copy_left() {
        let rejection = lent(Book { available: 0, ..book() }).unwrap_err();
        assert_eq!(rejection.code, "NO_COPY_LEFT");
    }

    #[test]
    fn a_book_of_another_library_is_hidden() {
        let elsewhere = Library::try_from("east".to_owned()).unwrap();
        for (book, verdict) in
            [(book(), Verdict::Allow), (Book { library: elsewhere, ..book() }, Verdict::Hide)]
        {
            let draft = LoanDraft { book_id: book.book_id };
            assert_eq!(PostLoan::ALLOW.verdict(&member("ada"), &draft, &book), verdict);
        }
    }

    fn lent(book: Book) -> Result<Loan, DomainError> {
        let draft = LoanDraft { book_id: book.book_id };
        PostLoan::decide(&moment(), &member("ada"), &draft, book)
    }
}
