//! The rules for the expanded templates beyond their validity.
//!
//! Each rule is a function from the templates to sentences about problems.

mod alarms;
mod api;
mod data;
mod deployments;
mod edge;
mod mail;
mod policies;
mod queues;
mod runbook;
mod schedules;
mod size;
mod stack;
mod words;

use std::collections::BTreeMap;

use serde_json::Value;

use self::stack::Stack;
use super::expansion::FILES;

/// The expanded templates, by path, and the runbook.
pub(super) struct Deployed<'a> {
    pub(super) templates: &'a BTreeMap<String, Value>,
    pub(super) runbook: &'a str,
}

/// All problems, one sentence each.
pub(super) fn complaints(deployed: &Deployed<'_>) -> Vec<String> {
    let Some([main, alarms, dashboard, hook, backup, edge, waf]) = deployed.stacks() else {
        // The expansion has already reported this problem.
        return Vec::new();
    };
    [
        policies::complaints(main),
        mail::complaints(main),
        policies::of_hook(hook),
        data::complaints(main),
        data::copied(main, backup),
        queues::complaints(main),
        api::complaints(main),
        alarms::complaints(main, alarms),
        deployments::complaints(main, alarms, hook),
        schedules::complaints(main, alarms),
        edge::complaints(main, edge, waf),
        runbook::complaints(alarms, dashboard, deployed.runbook),
        size::complaints(deployed.templates),
    ]
    .concat()
}

impl Deployed<'_> {
    fn stacks(&self) -> Option<[Stack<'_>; FILES.len()]> {
        let stacks = FILES.iter().map(|path| self.templates.get(*path).map(Stack));
        stacks.collect::<Option<Vec<_>>>()?.try_into().ok()
    }
}
