//! The one-shot fault of a request, at the calls of its function.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::call::{Call, Resource, Store};
use super::fault_injector::{InjectedError, Injection};
use crate::faults::{CommitSide, FaultPoint, FaultStage};

/// The operations that read items.
const READS: [&str; 5] = ["BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems"];

impl Injection {
    /// Adds the one-shot fault that a call meets.
    pub(super) fn add(&mut self, at: &FaultPoint) {
        match at {
            FaultPoint::Commit(CommitSide::Before) => self.kill_before_commit = true,
            FaultPoint::Commit(CommitSide::After) => self.kill_after_commit = true,
            FaultPoint::Stage(_) | FaultPoint::Table(_) | FaultPoint::Queue(_) => {
                self.refusal = Some(InjectedError::Failed);
            }
        }
    }
}

impl Call {
    /// Whether it is at the place of a one-shot fault.
    pub(super) fn is_at(&self, place: &FaultPoint) -> bool {
        let mut accesses = self.accesses.iter().map(|access| &access.resource);
        match place {
            FaultPoint::Stage(FaultStage::Retrieval) => {
                self.store == Store::Tables && READS.contains(&self.operation.as_str())
            }
            FaultPoint::Stage(FaultStage::Effects) | FaultPoint::Commit(_) => self.is_commit(),
            // These are not at a call.
            FaultPoint::Stage(FaultStage::Authentication | FaultStage::Response) => false,
            FaultPoint::Table(meant) => accesses.any(|it| match it {
                Resource::Table(name) | Resource::Index(name, _) => name == meant,
                _ => false,
            }),
            FaultPoint::Queue(meant) => {
                accesses.any(|it| matches!(it, Resource::Queue(name) if name == meant))
            }
        }
    }

    /// A hash of its operation and body, which a repetition has too.
    pub(super) fn content_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.operation, &self.body).hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::call::tests::call_by;

    #[test]
    fn a_call_is_at_the_place_of_its_operation_and_resources() {
        let body = r#"{"TableName": "local-UsersTable"}"#;
        let get = call_by("GetUserFunction", "GetItem", body);
        let put = call_by("GetUserFunction", "PutItem", body);
        let count = call_by("GetUserFunction", "UpdateItem", r#"{"TableName": "LimitsTable"}"#);
        let stage = |stage: FaultStage| FaultPoint::Stage(stage);
        let table = |name: &str| FaultPoint::Table(name.to_owned());
        for (place, expected) in [
            (stage(FaultStage::Retrieval), [true, false, false]),
            (stage(FaultStage::Effects), [false, true, false]),
            (FaultPoint::Commit(CommitSide::Before), [false, true, false]),
            (stage(FaultStage::Authentication), [false; 3]),
            (stage(FaultStage::Response), [false; 3]),
            (table("UsersTable"), [true, true, false]),
            (table("OrdersTable"), [false; 3]),
            (FaultPoint::Queue("UsersTable".to_owned()), [false; 3]),
        ] {
            let are_at = [&get, &put, &count].map(|call| call.is_at(&place));
            assert_eq!(are_at, expected, "{place:?}");
        }
        assert_ne!(get.content_hash(), put.content_hash());
        let again = call_by("GetUserFunction", "GetItem", body);
        assert_eq!(get.content_hash(), again.content_hash());
    }
}
