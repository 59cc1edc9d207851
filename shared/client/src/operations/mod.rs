//! The operations, one method each, in the same groups as the functions.

mod articles;
mod callback;
mod catalogue;
mod orders;
mod people;
mod platform;

pub use catalogue::PartnerPage;
pub use people::NewUser;
pub use platform::Health;

use lifecycle::paging::PageQuery;

/// The query parameters of a page.
fn page(page: &PageQuery) -> [(&'static str, Option<String>); 3] {
    [
        ("limit", page.limit.map(|limit| limit.get().to_string())),
        ("order", page.order.map(|order| order.as_str().to_owned())),
        ("cursor", page.cursor.as_ref().map(|cursor| cursor.as_str().to_owned())),
    ]
}
