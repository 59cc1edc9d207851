//! Examples of endpoints: the event of its tests, and the recorded response.

use serde_json::Value;
use tooling::Error;
use tooling::context::Context;

use crate::service::Service;

/// An endpoint's examples. Without a folder in the settings, they are `null`.
pub(super) struct Examples {
    event: Value,
    recorded: Value,
}

impl Examples {
    /// The examples of the endpoint of this binary.
    ///
    /// # Errors
    ///
    /// If the settings name their folder, and a file is missing or is not JSON.
    pub(super) fn of(service: &Service, binary: &str) -> Result<Self, Error> {
        let read = |folder: Option<&String>| -> Result<Value, Error> {
            let Some(folder) = folder else { return Ok(Value::Null) };
            let path = service.path(folder).join(format!("{binary}.json"));
            let file = fs_err::read(&path);
            let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
            serde_json::from_slice(&file).context(|| path.display())
        };
        let settings = service.settings();
        Ok(Self {
            event: read(settings.events.as_ref())?,
            recorded: read(settings.recorded.as_ref())?,
        })
    }

    /// Whether the service has test events.
    pub(super) fn has_event(&self) -> bool {
        !self.event.is_null()
    }

    /// Whether the service records its responses.
    pub(super) fn is_recorded(&self) -> bool {
        !self.recorded.is_null()
    }

    /// The body of a request.
    pub(super) fn body(&self) -> Option<Value> {
        serde_json::from_str(self.event["body"].as_str()?).ok()
    }

    /// The example of a parameter, in the type of its schema.
    pub(super) fn parameter(&self, place: &str, name: &str, schema: &Value) -> Option<Value> {
        let value = match place {
            "path" => self.event["pathParameters"][name].as_str(),
            "query" => self.event["queryStringParameters"][name].as_str(),
            "cookie" => self.cookie(name),
            _ => self.event["headers"][name].as_str(),
        }?;
        if schema["type"] == "integer" {
            value.parse().map(Value::Number).ok()
        } else {
            Some(value.into())
        }
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        let mut cookies = self.event["cookies"].as_array()?.iter().filter_map(Value::as_str);
        cookies.find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='))
    }

    /// The recorded response, if it has this status.
    pub(super) fn answer(&self, status: &str) -> Option<&Value> {
        (self.recorded["status"] == status).then_some(&self.recorded)
    }
}
