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
mod words;

use std::collections::BTreeMap;

use serde_json::Value;

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

/// One expanded template.
#[derive(Clone, Copy)]
struct Stack<'a>(&'a Value);

/// A resource of it.
#[derive(Clone, Copy)]
struct Resource<'a> {
    id: &'a str,
    declaration: &'a Value,
}

impl<'a> Stack<'a> {
    /// The resources of a type, `AWS::SQS::Queue`.
    fn resources(self, kind: &'static str) -> impl Iterator<Item = Resource<'a>> {
        let all = self.0["Resources"].as_object().into_iter().flatten();
        let all = all.map(|(id, declaration)| Resource { id, declaration });
        all.filter(move |resource| resource.declaration["Type"] == kind)
    }

    /// The resource that a reference points to, if it has this type.
    fn named(self, kind: &'static str, reference: &Value) -> Option<Resource<'a>> {
        let id = words::referred(reference)?;
        self.resources(kind).find(|resource| resource.id == id)
    }

    /// The function of the alias that a reference points to.
    fn function(self, alias: &Value) -> Option<Resource<'a>> {
        let alias = self.named("AWS::Lambda::Alias", alias)?;
        self.named("AWS::Lambda::Function", alias.property("/FunctionName"))
    }
}

impl<'a> Resource<'a> {
    /// A property by its JSON Pointer, or null.
    fn property(self, pointer: &str) -> &'a Value {
        const NULL: &Value = &Value::Null;
        self.declaration["Properties"].pointer(pointer).unwrap_or(NULL)
    }

    fn is(self, pointer: &str, expected: impl Into<Value>) -> bool {
        *self.property(pointer) == expected.into()
    }
}
