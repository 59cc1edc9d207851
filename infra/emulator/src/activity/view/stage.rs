//! The nine boxes of a request.

use serde::{Deserialize, Serialize};

/// The nine stages of a request, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// 1. Finding the function for method and path.
    Routing,
    /// 2. Finding out who the caller is.
    Authentication,
    /// 3. Deciding whether the caller may do this: before and after the facts are known.
    Authorization,
    /// 4. Reading the input.
    Deserialization,
    /// 5. Checking each value of the input.
    Validation,
    /// 6. Reading the facts.
    Retrieval,
    /// 7. The business rules.
    Rules,
    /// 8. The commit of the side effects.
    Effects,
    /// 9. The response.
    Response,
}

impl Stage {
    /// All stages, in order.
    pub(crate) const ALL: [Self; 9] = [
        Self::Routing,
        Self::Authentication,
        Self::Authorization,
        Self::Deserialization,
        Self::Validation,
        Self::Retrieval,
        Self::Rules,
        Self::Effects,
        Self::Response,
    ];
}

/// The state of a stage of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StageState {
    /// It ended, and the next one began.
    Passed,
    /// The request was refused, or failed, here.
    Refused,
    /// The process ended here: it was killed, crashed or exceeded its time.
    Interrupted,
    /// It is running.
    Running,
    /// It never began.
    NotReached,
    /// The function does not report stages.
    Unknown,
}

/// One box of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageBox {
    pub stage: Stage,
    pub state: StageState,
    /// The time in this stage, over all its runs.
    pub took_ms: Option<f64>,
    /// One sentence for people: the reason of the refusal, or the result.
    pub note: Option<String>,
}
