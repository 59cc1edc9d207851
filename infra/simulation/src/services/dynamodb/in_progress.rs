//! The transactions in progress, and client tokens that were used.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::capacity::ReturnConsumed;
use super::key::Key;
use super::plan::Plan;
use crate::Millis;
use crate::services::call::CallId;

/// The transactions in progress, and the client tokens of the last minutes.
#[derive(Debug, Clone, Default)]
pub(super) struct Transactions {
    pub(super) open: BTreeMap<CallId, Open>,
    pub(super) held: BTreeSet<(String, Key)>,
    pub(super) tokens: BTreeMap<String, Token>,
}

/// A transaction in progress.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) plans: Vec<Plan>,
    pub(super) token: Option<String>,
    pub(super) return_consumed: ReturnConsumed,
}

/// A client token that was used.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// The part of its request that has to be the same for the same token.
    pub(super) actions: Vec<Map<String, Json>>,
    /// When its transaction was committed.
    pub(super) committed_at: Option<Millis>,
}

impl Transactions {
    /// Whether a transaction in progress has this item.
    pub(super) fn holds(&self, table: &str, key: &Key) -> bool {
        // Usually there is none, and the key needs no copy.
        !self.held.is_empty() && self.held.contains(&(table.to_owned(), key.clone()))
    }
}
