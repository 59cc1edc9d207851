//! Evidence for oracles: requests with their answers, sent messages, stored items and tokens.
//!
//! [`Requests`], [`Sends`] and [`Writes`] are members of an oracle, which shows them each event in
//! [`Oracle::observe`](crate::world::Oracle::observe).

mod items;
mod requests;
mod sends;
mod tokens;

pub use self::items::{Writes, records};
pub use self::requests::{Answer, Request, Requests};
pub use self::sends::{Sends, Sent};
pub use self::tokens::{claims, subject};
use crate::world::View;

/// The bodies of all dead letters, a line each. An oracle excuses unfinished work that one of them
/// names: it waits for an operator.
pub fn dead_letters(view: &View<'_>) -> String {
    let queues: Vec<&str> = view.dead_letter_queues().collect();
    queues.into_iter().flat_map(|queue| view.messages(queue)).collect::<Vec<_>>().join("\n")
}
