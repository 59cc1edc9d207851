//! Connections that wait for a request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::connection::Connection;
use super::origin::Origin;

/// The largest number of waiting connections to one origin; more are closed.
const IDLE_MAX: usize = 64;

/// Connections that wait for a request, by their origin. There are as many origins as the function
/// has services and upstreams.
#[derive(Default)]
pub(super) struct Pool(Mutex<HashMap<Origin, Vec<Connection>>>);

impl Pool {
    /// Takes the connection that was used last: it is the least likely to be closed by its server.
    pub(super) fn take(&self, origin: &Origin) -> Option<Connection> {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = pool.get_mut(origin)?;
        while let Some(connection) = waiting.pop() {
            if connection.is_usable() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection whose response has been read.
    pub(super) fn put(&self, origin: Origin, connection: Connection) {
        if !connection.is_usable() {
            return;
        }
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = pool.entry(origin).or_default();
        if waiting.len() < IDLE_MAX {
            waiting.push(connection.waiting());
        }
    }
}
