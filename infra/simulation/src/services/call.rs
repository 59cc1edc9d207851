//! A call in progress.

use serde_json::Value as Json;

use super::access::Access;
use super::freedom::Freedom;
use super::wire::{AwsError, WireResponse};
use crate::Millis;
use crate::random::Random;

/// The number of a call that has not ended yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(super) u64);

/// The result of [`Services::call`](super::Services::call).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// The call has ended.
    AtOnce(WireResponse),
    /// The call ends at this time, or before:
    /// [`Services::advance`](super::Services::advance) returns its response.
    CompletesAt(Millis, CallId),
}

/// The circumstances of a call.
pub(super) struct Call<'a> {
    pub(super) id: CallId,
    pub(super) now: Millis,
    pub(super) random: &'a mut dyn Random,
    pub(super) freedom: &'a Freedom,
    pub(super) access: Access<'a>,
}

impl Call<'_> {
    /// The circumstances in which the call changes something.
    pub(super) fn turn(&mut self) -> Turn<'_> {
        Turn { now: self.now, random: &mut *self.random, freedom: self.freedom }
    }
}

/// The circumstances of a change.
pub(super) struct Turn<'a> {
    pub(super) now: Millis,
    pub(super) random: &'a mut dyn Random,
    pub(super) freedom: &'a Freedom,
}

/// The answer of a service to a valid call.
#[derive(Debug)]
pub(super) enum Answer {
    Now(Json),
    /// Until this time.
    Later(Millis),
}

/// A call that has ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) id: CallId,
    pub(super) result: Result<Json, AwsError>,
}
