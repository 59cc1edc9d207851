//! A typed client of the store's API: one method per operation, with the domain's types and a few
//! more.
//!
//! ```no_run
//! use client::{Client, Settings};
//! use domain::orders::{OrderDraft, OrderItem, PaymentMethod, Quantity};
//!
//! # async fn order() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Client::new("http://127.0.0.1:3000", Settings::default())?
//!     .signing_in("customer@example.com", "correct-horse-battery");
//! let kettle = store.list_products(None, &Default::default()).await?.data.items.remove(0);
//! let draft = OrderDraft {
//!     order_id: None,
//!     items: vec![OrderItem {
//!         product_id: kettle.product_id,
//!         quantity: Quantity::try_from(2)?,
//!     }]
//!     .into(),
//!     address_id: "00000000-0000-7000-8000-000000000201".to_owned().try_into()?,
//!     payment_method: PaymentMethod::Card,
//! };
//! // Without a key, the client generates one, which all attempts share.
//! let order = store.create_order(&draft, None).await?;
//! println!("{} costs {}", order.data.order_id, order.data.total.amount.get());
//! # Ok(())
//! # }
//! ```
//!
//! Failed requests are retried if that is safe: reads, `PUT`, `DELETE`, and requests with an
//! idempotency key. After 429 every request is retried. The waits have full jitter, are at least as
//! long as `Retry-After`, and end with [`Settings::deadline`]. After a 401 a client with
//! credentials signs in again and repeats the request once. Concurrent requests share that sign-in.

#![expect(clippy::disallowed_methods, reason = "the client runs outside of functions")]

mod answer;
mod call;
mod error;
mod exchange;
mod operations;
mod session;
mod settings;
mod sign_in;
mod transport;
mod watch;

pub use answer::{ApiResponse, Page};
pub use error::{ApiError, Error};
pub use exchange::Client;
pub use operations::{Health, NewUser, PartnerPage};
pub use settings::Settings;
pub use watch::Attempt;
