//! The interface of a stand-in for a third-party service.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::faults::{FakeResponse, UpstreamFault};

/// A third-party service. Its responses are pure functions; [`Standins`](super::Standins) listens,
/// records the requests and applies the faults.
pub trait Service: Send + Sync + 'static {
    /// Its name at the control address.
    const NAME: &'static str;

    /// The template's parameters with its URL.
    const PARAMETERS: &'static [&'static str];

    /// Further request headers to show at the control address, in lower case. Others may contain
    /// secrets.
    const SHOWN_HEADERS: &'static [&'static str] = &[];

    /// Its faults in `PUT /faults`, by default none.
    type Faults: Clone + Default + Send + Sync + Serialize + DeserializeOwned + 'static;

    /// The template's secret with its clients' credentials, and their value.
    fn secret(&self) -> Option<(&'static str, Value)> {
        None
    }

    /// The fault setting for this path, and the name under which its requests are counted.
    fn fault<'a>(faults: &'a Self::Faults, path: &str) -> (&'static str, &'a UpstreamFault);

    /// The delay of its own response.
    fn takes(&self, _: &Request<Bytes>, _: &Self::Faults) -> Duration {
        Duration::ZERO
    }

    /// Its response without faults.
    fn answer(&self, request: &Request<Bytes>, faults: &Self::Faults) -> FakeResponse;
}
