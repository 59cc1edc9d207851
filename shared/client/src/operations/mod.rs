//! The operations, one method for each, grouped as the functions are.

mod articles;
mod callback;
mod catalogue;
mod orders;
mod people;
mod platform;

pub use callback::TakenIn;
pub use catalogue::PartnerPage;
pub use people::{NewUser, Session};
pub use platform::Health;

use lifecycle::paging::PageQuery;

/// The parameters of a query that name a page.
fn page(page: &PageQuery) -> [(&'static str, Option<String>); 3] {
    [
        ("limit", page.limit.map(|limit| limit.get().to_string())),
        ("order", page.order.map(|order| order.as_str().to_owned())),
        ("cursor", page.cursor.as_ref().map(|cursor| cursor.as_str().to_owned())),
    ]
}
