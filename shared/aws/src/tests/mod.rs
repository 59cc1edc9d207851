//! The adapters against real stores: DynamoDB by `dynoxide`, SQS and Secrets Manager by
//! `rustack`, in this process, each on a free port.

mod api_keys;
mod broken_responses;
mod commits;
#[cfg(feature = "mail")]
mod connections;
#[cfg(feature = "admin")]
mod dead_letters;
mod other_keys;
mod queues;
mod ranges;
mod reads;
#[cfg(feature = "admin")]
mod rewrites;
mod sequences;
pub(crate) mod stores;
mod upstreams;
