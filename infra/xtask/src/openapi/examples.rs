//! Examples: the event that each endpoint is tested with, and the answer that is recorded of it.

use std::path::Path;

use serde_json::Value;

use crate::context::Context;
use crate::descriptions::Error;

/// An endpoint's examples.
pub(super) struct Examples {
    event: Value,
    recorded: Value,
}

impl Examples {
    /// The examples of the endpoint of this binary.
    ///
    /// # Errors
    ///
    /// When one of the files is missing or is no JSON.
    pub(super) fn of(workspace: &Path, binary: &str) -> Result<Self, Error> {
        let read = |folder: &str| -> Result<Value, Error> {
            let path = workspace.join(format!("tests/{folder}/{binary}.json"));
            let file = fs_err::read(&path);
            let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
            serde_json::from_slice(&file).context(|| path.display())
        };
        Ok(Self { event: read("events")?, recorded: read("recorded")? })
    }

    /// The body of a request.
    pub(super) fn body(&self) -> Option<Value> {
        serde_json::from_str(self.event["body"].as_str()?).ok()
    }

    /// What a parameter may be, in the kind that its schema asks for.
    pub(super) fn parameter(&self, place: &str, name: &str, schema: &Value) -> Option<Value> {
        let values = match place {
            "path" => &self.event["pathParameters"],
            "query" => &self.event["queryStringParameters"],
            _ => &self.event["headers"],
        };
        let value = values[name].as_str()?;
        if schema["type"] == "integer" {
            value.parse().map(Value::Number).ok()
        } else {
            Some(value.into())
        }
    }

    /// The recorded answer, if it has this status.
    pub(super) fn answer(&self, status: &str) -> Option<&Value> {
        (self.recorded["status"] == status).then_some(&self.recorded)
    }
}
