//! The third-party services of the store: a partner, an object service and receivers of alerts.

mod notifiers;
mod objects;
mod partner;
#[cfg(test)]
mod tests;

use std::io;

use emulator::standins::Standins;

use self::notifiers::Notifiers;
use self::objects::Objects;
use self::partner::Partner;

/// Starts all stand-ins.
///
/// # Errors
/// If no port can be bound.
pub async fn start() -> io::Result<Standins> {
    let mut standins = Standins::default();
    standins.add(Notifiers::default()).await?;
    standins.add(Partner::default()).await?;
    standins.add(Objects).await?;
    Ok(standins)
}
