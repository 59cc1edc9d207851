//! The third-party services of the store, as upstreams of the simulation. They answer as documented;
//! the world draws whether they fail.

mod alerts;
mod answers;
mod objects;
mod partner;

pub use self::alerts::{Alerts, alert_credentials};
pub use self::objects::Objects;
pub use self::partner::{Partner, UNLISTED_FROM, partner_credentials};
