//! All functions of the library, in this process.

use std::process::ExitCode;

#[path = "../../src/bin/authorizer.rs"]
mod authorizer;
#[path = "../../src/bin/delete_loan.rs"]
mod delete_loan;
#[path = "../../src/bin/expire.rs"]
mod expire;
#[path = "../../src/bin/get_book.rs"]
mod get_book;
#[path = "../../src/bin/get_health.rs"]
mod get_health;
#[path = "../../src/bin/list_loans.rs"]
mod list_loans;
#[path = "../../src/bin/post_book.rs"]
mod post_book;
#[path = "../../src/bin/post_loan.rs"]
mod post_loan;
#[path = "../../src/bin/relay_outbox.rs"]
mod relay_outbox;
#[path = "../../src/bin/remind.rs"]
mod remind;
#[path = "../../src/bin/sweep_outbox.rs"]
mod sweep_outbox;

/// The `main` of a function.
type Main = fn() -> ExitCode;

/// The `main` of each function, by its logical id in the template.
pub(crate) const MAINS: [(&str, Main); 11] = [
    ("AuthorizerFunction", authorizer::main),
    ("DeleteLoanFunction", delete_loan::main),
    ("ExpireFunction", expire::main),
    ("GetBookFunction", get_book::main),
    ("GetHealthFunction", get_health::main),
    ("ListLoansFunction", list_loans::main),
    ("PostBookFunction", post_book::main),
    ("PostLoanFunction", post_loan::main),
    ("RelayOutboxFunction", relay_outbox::main),
    ("RemindFunction", remind::main),
    ("SweepOutboxFunction", sweep_outbox::main),
];
