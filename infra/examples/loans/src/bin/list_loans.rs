//! `GET /loans`: the member's loans, by default the newest first.

use aws::{CURSOR_KEY, Pages, Range};
use lifecycle::Query;
use lifecycle::prelude::*;
use loans::resources::{BY_MEMBER, LOANS};
use loans::{Loan, LoanView, Member, Role};

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| ListLoans { loans: aws.pages(ListLoans::ROUTE) })
}

struct ListLoans {
    loans: Pages<Loan>,
}

impl Query for ListLoans {
    // 1. Routing
    const ROUTE: Route = Route::get("/loans");

    // 2. Authentication
    type Caller = Member;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::SignedIn;

    const RESOURCES: Resources = &[Resource::Index(LOANS, BY_MEMBER), Resource::Secret(CURSOR_KEY)];

    // 4. Deserialisation
    type Input = QueryString<PageQuery>;

    // 5. Syntax validation
    type Command = NewestFirst;

    // 6. Retrieval
    type Facts = Page<Loan>;

    async fn retrieve(
        &self,
        permit: &Permit<Member>,
        NewestFirst(page): &NewestFirst,
    ) -> Retrieved<Page<Loan>> {
        self.loans.page(permit, Range::of(BY_MEMBER, permit.caller().id), page).await
    }

    // 3b. Authorization: only the caller's loans were read
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<Page<LoanView>>;

    fn reply(page: Page<Loan>) -> reply::Ok<Page<LoanView>> {
        reply::Ok::of(page.map(LoanView::from))
    }
}
