//! Expanded templates and their resources.

use serde_json::Value;

use super::words;

/// One expanded template.
#[derive(Clone, Copy)]
pub(super) struct Stack<'a>(pub(super) &'a Value);

/// A resource of a template.
#[derive(Clone, Copy)]
pub(super) struct Resource<'a> {
    pub(super) id: &'a str,
    pub(super) declaration: &'a Value,
}

impl<'a> Stack<'a> {
    /// The resources of a type, `AWS::SQS::Queue`.
    pub(super) fn resources(self, kind: &'static str) -> impl Iterator<Item = Resource<'a>> {
        let all = self.0["Resources"].as_object().into_iter().flatten();
        let all = all.map(|(id, declaration)| Resource { id, declaration });
        all.filter(move |resource| resource.declaration["Type"] == kind)
    }

    /// The resource that a reference points to, if it has this type.
    pub(super) fn named(self, kind: &'static str, reference: &Value) -> Option<Resource<'a>> {
        let id = words::referred(reference)?;
        self.resources(kind).find(|resource| resource.id == id)
    }

    /// The function of the alias that a reference points to.
    pub(super) fn function(self, alias: &Value) -> Option<Resource<'a>> {
        let alias = self.named("AWS::Lambda::Alias", alias)?;
        self.named("AWS::Lambda::Function", alias.property("/FunctionName"))
    }
}

impl<'a> Resource<'a> {
    /// A property by its JSON Pointer, or null.
    pub(super) fn property(self, pointer: &str) -> &'a Value {
        const NULL: &Value = &Value::Null;
        self.declaration["Properties"].pointer(pointer).unwrap_or(NULL)
    }

    /// Whether a property has this value.
    pub(super) fn is(self, pointer: &str, expected: impl Into<Value>) -> bool {
        *self.property(pointer) == expected.into()
    }
}
