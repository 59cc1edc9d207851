//! `POST /loans` with a mistake that a check must find: the commit has lost the condition that a copy is
//! left, so that two members at the same time get the last one.

use std::process::ExitCode;

use aws::{OrNotFound, Table};
use lifecycle::Endpoint;
use lifecycle::effects::Condition;
use lifecycle::prelude::*;
use loans::resources::{BOOKS, LOANS};
use loans::{Book, Loan, LoanDraft, LoanMade, LoanView, Member, Role, error_codes};

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| CarelessPostLoan { books: aws.table() })
}

struct CarelessPostLoan {
    books: Table<Book>,
}

impl Endpoint for CarelessPostLoan {
    const ROUTE: Route = Route::post("/loans");
    type Caller = Member;
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Member]);
    const IDEMPOTENCY: Idempotency = Idempotency::Required;
    const BODY_BYTES_MAX: usize = 4 * 1024;
    const RESOURCES: Resources = &[
        Resource::Table(BOOKS, &[GetItem, UpdateItem]),
        Resource::Table(LOANS, &[PutItem]),
        Resource::Outbox,
    ];
    type Input = Json<LoanDraft>;
    type Command = LoanDraft;
    type Facts = Book;

    async fn retrieve(&self, permit: &Permit<Member>, draft: &LoanDraft) -> Retrieved<Book> {
        self.books.get(permit, &Book::key_of(draft.book_id)).await?.or_not_found()
    }

    const ALLOW: Allow<Self> = Allow::Always;
    const CONDITIONS: Conditions<Book> = Conditions::Creation(None);
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

    fn effects(loan: &Loan) -> Effects {
        let taken = Write::update::<Book>(Book::key_of(loan.book_id)).add("available", -1);
        Effects::none()
            .write(Write::create(loan))
            // The mistake: `Book::take_copy` asks for a copy that is left at the commit.
            .write(taken.add("version", 1).when(Condition::Present))
            .event(Event::about(loan.loan_id, &LoanMade { loan_id: loan.loan_id }))
    }

    type Reply = reply::Created<LoanView>;

    fn reply(loan: Loan) -> reply::Created<LoanView> {
        reply::Created::at(format!("/loans/{}", loan.loan_id), loan.into())
    }
}
