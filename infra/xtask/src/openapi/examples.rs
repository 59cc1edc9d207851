//! Examples of endpoints: the event of its tests, and the recorded response.

use std::path::Path;

use serde_json::Value;
use tooling::Error;
use tooling::context::Context;

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
    /// If one of the files is missing or is not JSON.
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

    /// The example of a parameter, in the type of its schema.
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

    /// The recorded response, if it has this status.
    pub(super) fn answer(&self, status: &str) -> Option<&Value> {
        (self.recorded["status"] == status).then_some(&self.recorded)
    }
}
