//! `DELETE /loans/{loanId}`: a book is returned, by its member or by a librarian of its library.

use aws::{OrNotFound, Table};
use lifecycle::prelude::*;
use lifecycle::{Endpoint, Identity};
use loans::resources::{BOOKS, LOANS};
use loans::{Book, Loan, LoanId, LoanStatus, Member, Role, error_codes};

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| DeleteLoan { loans: aws.table() })
}

struct DeleteLoan {
    loans: Table<Loan>,
}

impl Endpoint for DeleteLoan {
    // 1. Routing
    const ROUTE: Route = Route::delete("/loans/{loanId}");

    // 2. Authentication
    type Caller = Member;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::SignedIn;

    const RESOURCES: Resources =
        &[Resource::Table(LOANS, &[GetItem, PutItem]), Resource::Table(BOOKS, &[UpdateItem])];

    // 4. Deserialisation
    type Input = Path<LoanId>;

    // 5. Syntax validation
    type Command = LoanId;

    // 6. Retrieval
    type Facts = Loan;

    async fn retrieve(&self, permit: &Permit<Member>, loan_id: &LoanId) -> Retrieved<Loan> {
        self.loans.get(permit, &Loan::key_of(*loan_id)).await?.or_not_found()
    }

    // 3b. Authorization: the loans of other members are hidden from members, and those of other
    // libraries from librarians
    const ALLOW: Allow<Self> = Allow::HideUnless(|caller: &Member, _, loan: &Loan| {
        let is_librarian = caller.has(Role::Librarian) && caller.library == loan.library;
        caller.id == loan.member_id || is_librarian
    });

    const CONDITIONS: Conditions<Loan> = Conditions::Untagged;

    // 7. Business rules
    type Outcome = Loan;
    const ERRORS: &'static [ErrorCode] = &[error_codes::LOAN_RETURNED];

    fn decide(_: &Moment, _: &Member, _: &LoanId, loan: Loan) -> Result<Loan, DomainError> {
        match loan.status {
            LoanStatus::Lent | LoanStatus::Overdue => Ok(loan.becoming(LoanStatus::Returned)),
            LoanStatus::Returned => Err(error_codes::LOAN_RETURNED.into()),
        }
    }

    // 8. Side effects: the loan, and the copy that it returns, in one commit
    fn effects(loan: &Loan) -> Effects {
        Effects::none().write(loan.replace()).write(Book::return_copy(loan.book_id))
    }

    // 9. Response
    type Reply = reply::NoContent;

    fn reply(_: Loan) -> reply::NoContent {
        reply::NoContent
    }
}

#[cfg(test)]
mod tests {
    use loans::Library;
    use loans::examples::{loan, member, moment};

    use super::*;

    #[test]
    fn a_returned_book_is_409_with_loan_returned() {
        let returned = loan().becoming(LoanStatus::Returned);
        let loan_id = returned.loan_id;
        let rejection = DeleteLoan::decide(&moment(), &member("ada"), &loan_id, returned);
        assert_eq!(rejection.unwrap_err().code, "LOAN_RETURNED");
    }

    #[test]
    fn a_book_is_returned_only_by_its_member_or_a_librarian_of_its_library() {
        let librarian = Member { roles: vec![Role::Librarian], ..member("grace") };
        let elsewhere = Library::try_from("east".to_owned()).unwrap();
        let of_another_library = Member { library: elsewhere, ..librarian.clone() };
        for (caller, verdict) in [
            (member("ada"), Verdict::Allow),
            (librarian, Verdict::Allow),
            (of_another_library, Verdict::Hide),
            (member("bob"), Verdict::Hide),
        ] {
            let loan = loan();
            assert_eq!(DeleteLoan::ALLOW.verdict(&caller, &loan.loan_id, &loan), verdict);
        }
    }
}
