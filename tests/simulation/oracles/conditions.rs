//! Conditional requests: a change that names a version happens to that version alone.

use std::collections::BTreeSet;

use simulation::evidence::Requests;
use simulation::world::{Event, Oracle, View};

pub(super) const NAME: &str = "a change needs the version that it names";

/// Checks each success of a change with a condition.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    requests: Requests,
    /// The paths and the tags of changes that succeeded. Each makes a new version.
    changed: BTreeSet<(String, String)>,
}

impl Oracle for Conditions {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        let is_change = matches!(request.method.as_str(), "PUT" | "PATCH" | "DELETE");
        if !is_change || !answer.is_success() {
            return Ok(());
        }
        let (path, named) = (&request.path, |name| request.header(name));
        self.succeeded(path, named("if-match"), named("if-none-match"))
    }
}

impl Conditions {
    fn succeeded(
        &mut self,
        path: &str,
        if_match: Option<&str>,
        if_none_match: Option<&str>,
    ) -> Result<(), String> {
        if if_none_match == Some("*") {
            return Err(format!("{path} was replaced instead of created"));
        }
        let Some(tag) = if_match.filter(|tag| *tag != "*") else { return Ok(()) };
        if self.changed.insert((path.to_owned(), tag.to_owned())) {
            return Ok(());
        }
        Err(format!("{path} was changed twice at version {tag}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_change_of_a_version_and_a_replaced_resource_are_found() {
        let mut conditions = Conditions::default();
        assert!(conditions.succeeded("/rules", Some("\"1\""), None).is_ok());
        assert!(conditions.succeeded("/rules", Some("\"2\""), None).is_ok());
        assert!(conditions.succeeded("/rules", Some("*"), None).is_ok());
        assert!(conditions.succeeded("/rules", None, None).is_ok());
        conditions.succeeded("/rules", Some("\"1\""), None).unwrap_err();
        conditions.succeeded("/rules", None, Some("*")).unwrap_err();
    }
}
