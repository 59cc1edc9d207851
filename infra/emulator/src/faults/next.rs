//! One-shot faults: a fault of the next request that fits, which applies to that request alone.
//!
//! At most one is armed. The gateway binds it to the next request with its route, and it is no
//! longer armed. [`FaultPoint`] names the place where it applies; a request that does not come so far is
//! not affected. Programs set it by `PUT /activity/next-fault`, and tests also by
//! [`Functions::next_faults`](crate::functions::Functions::next_faults).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// The most requests with a fault at once. The oldest one keeps none.
const BOUND_MAX: usize = 32;

/// A fault of the next request that fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NextFault {
    /// The route, as `POST /orders` or `GET /orders/{orderId}`; without one, any route.
    #[serde(default)]
    pub route: Option<String>,
    /// The place where it applies.
    pub at: FaultPoint,
}

/// The place in a request where a one-shot fault applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum FaultPoint {
    /// At a stage.
    Stage(FaultStage),
    /// The first call on a table fails with an internal error, and so do its repetitions by the SDK.
    /// The name is the template's logical id.
    Table(String),
    /// The first call on a queue fails in the same way.
    Queue(String),
    /// The function's process is killed at the first commit.
    Commit(CommitSide),
}

/// A stage that can fail by its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "String")]
#[non_exhaustive]
pub enum FaultStage {
    /// The route's authorizer fails; it is not invoked.
    Authentication,
    /// The first read of a table fails with an internal error, and so do its repetitions by the SDK.
    Retrieval,
    /// Every commit fails with an internal error, without effect.
    Effects,
    /// The function's process is killed when it has a response. Its commit stays.
    Response,
}

/// The side of a commit at which a process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CommitSide {
    /// Before the write, which has no effect.
    Before,
    /// After the write, before the process reads the response.
    After,
}

/// The stages without I/O.
const WITHOUT_IO: [&str; 5] =
    ["routing", "authorization", "deserialization", "validation", "rules"];

/// The reason why a stage has no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoFaultStage {
    /// There is no such stage.
    #[error("there is no stage `{0}`; authentication, retrieval, effects and response can fail")]
    Unknown(String),
    /// The stage has no I/O.
    #[error(
        "the stage `{0}` cannot fail by its environment, since it has no I/O; \
         authentication, retrieval, effects and response can"
    )]
    WithoutIo(String),
}

impl TryFrom<String> for FaultStage {
    type Error = NoFaultStage;

    fn try_from(name: String) -> Result<Self, NoFaultStage> {
        match name.as_str() {
            "authentication" => Ok(Self::Authentication),
            "retrieval" => Ok(Self::Retrieval),
            "effects" => Ok(Self::Effects),
            "response" => Ok(Self::Response),
            stage if WITHOUT_IO.contains(&stage) => Err(NoFaultStage::WithoutIo(name)),
            _ => Err(NoFaultStage::Unknown(name)),
        }
    }
}

impl NextFault {
    /// The fault at a place of the next request of any route.
    pub fn at(at: FaultPoint) -> Self {
        Self { route: None, at }
    }

    /// The fault at a stage of the next request of any route.
    pub fn stage(stage: FaultStage) -> Self {
        Self::at(FaultPoint::Stage(stage))
    }

    /// The same, of the next request of this route: `POST /orders`.
    #[must_use]
    pub fn of_route(mut self, route: &str) -> Self {
        self.route = Some(route.to_owned());
        self
    }

    fn fits(&self, route: &str) -> bool {
        self.route.as_ref().is_none_or(|meant| meant == route)
    }

    fn is_authentication(&self) -> bool {
        self.at == FaultPoint::Stage(FaultStage::Authentication)
    }
}

/// The armed fault, and the faults of running requests. Clones are handles to the same faults.
#[derive(Debug, Clone, Default)]
pub struct NextFaults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    armed: Option<NextFault>,
    /// Oldest first.
    bound: VecDeque<Bound>,
}

/// The fault of a running request.
#[derive(Debug)]
struct Bound {
    request: String,
    at: FaultPoint,
    /// The first call that it has met.
    met: Option<u64>,
}

impl NextFaults {
    /// Arms a fault, instead of the one that is armed.
    pub fn arm(&self, fault: NextFault) {
        self.lock().armed = Some(fault);
    }

    /// The armed fault. `None` after it was bound to a request.
    pub fn armed(&self) -> Option<NextFault> {
        self.lock().armed.clone()
    }

    /// Removes the armed fault. A request that it was bound to keeps it.
    pub fn disarm(&self) {
        self.lock().armed = None;
    }

    /// Whether the authorizer of a request with this route shall fail.
    pub(crate) fn fails_authentication(&self, route: impl FnOnce() -> String) -> bool {
        self.claim(true, route).is_some()
    }

    /// Binds the armed fault to a request that its function is about to get.
    pub(crate) fn bind(&self, request: &str, route: impl FnOnce() -> String) {
        if let Some(at) = self.claim(false, route) {
            let mut state = self.lock();
            if state.bound.len() == BOUND_MAX {
                state.bound.pop_front();
            }
            state.bound.push_back(Bound { request: request.to_owned(), at, met: None });
        }
    }

    /// Whether no request has a fault.
    pub(crate) fn is_idle(&self) -> bool {
        self.lock().bound.is_empty()
    }

    /// The fault that a call of a request meets. A call is identified by a hash, so that its
    /// repetitions fail, too. `is_met` returns whether the call is at a place.
    pub(crate) fn met(
        &self,
        request: &str,
        call: u64,
        is_met: impl FnOnce(&FaultPoint) -> bool,
    ) -> Option<FaultPoint> {
        let mut state = self.lock();
        let bound = state.bound.iter_mut().find(|bound| bound.request == request)?;
        let is_every = bound.at == FaultPoint::Stage(FaultStage::Effects);
        let applies = match bound.met {
            Some(first) if !is_every => first == call,
            _ => is_met(&bound.at),
        };
        if applies {
            bound.met.get_or_insert(call);
        }
        applies.then(|| bound.at.clone())
    }

    /// Whether the process of a request shall be killed, since it has a response.
    pub(crate) fn kills_at_response(&self, request: &str) -> bool {
        let response = FaultPoint::Stage(FaultStage::Response);
        let mut state = self.lock();
        let place = state.bound.iter().position(|it| it.request == request && it.at == response);
        place.and_then(|place| state.bound.remove(place)).is_some()
    }

    /// Takes the armed fault if it fits a route.
    fn claim(&self, authentication: bool, route: impl FnOnce() -> String) -> Option<FaultPoint> {
        let mut state = self.lock();
        let armed = state.armed.as_ref()?;
        if armed.is_authentication() != authentication || !armed.fits(&route()) {
            return None;
        }
        state.armed.take().map(|fault| fault.at)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave the faults inconsistent; continuing is harmless.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn route() -> String {
        "POST /orders".to_owned()
    }

    fn at(json: serde_json::Value) -> FaultPoint {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn faults_have_the_json_of_the_control_address() {
        for at in [
            json!({"stage": "authentication"}),
            json!({"stage": "response"}),
            json!({"table": "OrdersTable"}),
            json!({"queue": "EmailQueue"}),
            json!({"commit": "before"}),
        ] {
            let fault = json!({"route": "POST /orders", "at": at});
            let read: NextFault = serde_json::from_value(fault.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), fault);
        }
        for (stage, complaint) in [
            ("rules", "the stage `rules` cannot fail by its environment, since it has no I/O"),
            ("efects", "there is no stage `efects`"),
        ] {
            let refused = serde_json::from_value::<NextFault>(json!({"at": {"stage": stage}}));
            let reason = refused.unwrap_err().to_string();
            assert!(reason.contains(complaint), "{reason}");
        }
    }

    #[test]
    fn an_armed_fault_is_bound_to_one_request_of_its_route_and_vanishes() {
        let faults = NextFaults::default();
        let fault = NextFault::at(at(json!({"table": "OrdersTable"}))).of_route("POST /orders");
        faults.arm(fault.clone());
        faults.bind("1", || "GET /orders".to_owned());
        assert!(!faults.fails_authentication(route));
        assert_eq!((faults.armed(), faults.is_idle()), (Some(fault), true));

        faults.bind("2", route);
        faults.bind("3", route);

        assert_eq!((faults.armed(), faults.is_idle()), (None, false));
        assert_eq!(faults.met("1", 7, |_| true), None);
        assert_eq!(faults.met("3", 7, |_| true), None);
        assert_eq!(faults.met("2", 6, |_| false), None);
        assert!(faults.met("2", 7, |_| true).is_some());
        assert!(faults.met("2", 7, |_| true).is_some(), "a repetition");
        assert_eq!(faults.met("2", 8, |_| true), None, "only the first call fails");
    }

    #[test]
    fn every_commit_of_a_request_with_a_fault_of_effects_fails() {
        let faults = NextFaults::default();
        faults.arm(NextFault::stage(FaultStage::Effects));
        faults.bind("1", route);
        for call in 0..3 {
            assert!(faults.met("1", call, |_| true).is_some());
        }
        assert_eq!(faults.met("1", 4, |_| false), None);
    }

    #[test]
    fn an_authorizer_fails_and_a_process_is_killed_once() {
        let faults = NextFaults::default();
        faults.arm(NextFault::stage(FaultStage::Authentication));
        faults.bind("1", route);
        assert!(faults.fails_authentication(route));
        assert!(!faults.fails_authentication(route));

        faults.arm(NextFault::stage(FaultStage::Response));
        faults.bind("1", route);
        assert!(!faults.kills_at_response("2"));
        assert!(faults.kills_at_response("1"));
        assert!(!faults.kills_at_response("1"));
        faults.arm(NextFault::stage(FaultStage::Response));
        faults.disarm();
        faults.bind("1", route);
        assert!(faults.is_idle());
    }
}
