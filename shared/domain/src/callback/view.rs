//! The response to a callback.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The accepted callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallbackView {
    /// The number of different objects that will be looked up.
    pub accepted: usize,
}
