//! The store's API, typed: one method per operation, made of the very types that the functions
//! read and answer.
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
//! // With no key of its own the order gets one, which its repetitions share.
//! let order = store.create_order(&draft, None).await?;
//! println!("{} costs {}", order.data.order_id, order.data.total.amount.get());
//! # Ok(())
//! # }
//! ```
//!
//! What goes wrong on the way is tried again where that does no harm: reads, what is put or
//! deleted, and whatever carries an idempotency key; anything at all after 429. The waits have full
//! jitter, are no shorter than `Retry-After` asks for, and end with [`Settings::deadline`]. A
//! request that is refused for its token signs in again, once, and so do a thousand at the same
//! moment.

mod answer;
mod call;
mod error;
mod exchange;
mod operations;
mod session;
mod settings;
mod transport;
mod watch;

pub use answer::{Answer, Page};
pub use error::{Error, Refusal};
pub use exchange::Client;
pub use operations::{Health, NewUser, PartnerPage, Session, TakenIn};
pub use settings::Settings;
pub use watch::Attempt;
