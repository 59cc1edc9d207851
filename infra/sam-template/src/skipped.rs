//! The parts of a template that the platform leaves out.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The maximum number of names in a line.
const NAMED_MAX: usize = 3;

/// A part of a template that the platform leaves out, in all resources that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// The part: a type of resource, such as `AWS::IAM::Role`, or a property.
    pub part: String,
    /// The logical ids of the resources concerned.
    pub resources: BTreeSet<String>,
    /// The reason, and its consequence.
    pub why: &'static str,
}

/// Formats the part as one line: `AWS::IAM::Role (A, B): nothing here needs it`.
impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.resources.iter().map(String::as_str).collect();
        let shown = if names.len() > NAMED_MAX {
            format!("{} resources", names.len())
        } else {
            names.join(", ")
        };
        write!(formatter, "{} ({shown}): {}", self.part, self.why)
    }
}

/// Collects the parts that are left out while the template is read.
#[derive(Default)]
pub(super) struct Skips(RefCell<BTreeMap<(String, &'static str), BTreeSet<String>>>);

impl Skips {
    /// Adds a part of a resource.
    pub(super) fn add(&self, part: impl Into<String>, resource: &str, why: &'static str) {
        let mut all = self.0.borrow_mut();
        all.entry((part.into(), why)).or_default().insert(resource.to_owned());
    }

    /// Adds the request validators of a REST API, or of a function's events.
    pub(super) fn add_request_validators(&self, resource: &str) {
        self.add("the request validators", resource, "requests are not checked here");
    }

    /// All parts, by name.
    pub(super) fn into_list(self) -> Vec<Skipped> {
        let all = self.0.into_inner().into_iter();
        all.map(|((part, why), resources)| Skipped { part, resources, why }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_one_line_with_its_resources_or_their_number() {
        let skips = Skips::default();
        for id in ["A", "B"] {
            skips.add("Layers", id, "not loaded");
        }
        for id in ["A", "B", "C", "D"] {
            skips.add("VpcConfig", id, "no network");
        }
        let lines: Vec<String> = skips.into_list().iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["Layers (A, B): not loaded", "VpcConfig (4 resources): no network"]);
    }
}
