//! Example values for the tests of the functions.

use lifecycle::{Claims, Identity, Moment, Timestamp};
use serde_json::{Value, json};

use crate::{Book, BookDraft, Loan, Member};

/// A fixed moment.
pub fn moment() -> Moment {
    Moment::new(Timestamp::from_millis(1_800_000_000_000), [1; 32])
}

/// The claims of this caller, as the authorizer passes them on.
pub fn claims_of(name: &str, library: &str, roles: &[&str]) -> Value {
    json!({
        "sub": moment().id(name), "library": library, "email": format!("{name}@example.com"),
        "roles": roles, "exp": 1_900_000_000,
    })
}

/// This member of the central library.
///
/// # Panics
///
/// Never: the claims are complete.
pub fn member(name: &str) -> Member {
    let claims: Claims =
        serde_json::from_value(claims_of(name, "central", &["MEMBER"])).expect("an object");
    Member::from_claims(&claims).expect("the claims are complete")
}

/// A book of the central library, in one copy.
///
/// # Panics
///
/// Never: the draft is valid.
pub fn book() -> Book {
    let draft: BookDraft =
        serde_json::from_value(json!({ "title": "Emma", "copies": 1 })).expect("a valid draft");
    Book::new(&moment(), member("ada").library, &draft)
}

/// Ada's loan of the book.
///
/// # Panics
///
/// Never: a copy is left.
pub fn loan() -> Loan {
    Loan::new(&moment(), &member("ada"), book()).expect("a copy is left")
}
