//! The names of the emulated account, and of the resources that only have a name here.

use super::model::{ApiKind, Template};
use super::value::Reference;

/// The region of all emulated resources.
pub const REGION: &str = "eu-west-1";
/// The account of all emulated resources.
pub const ACCOUNT_ID: &str = "000000000000";
/// The name of the stack, and the first part of the physical names that the template does not give.
pub const STACK_NAME: &str = "local";

/// The type of SAM's functions.
pub(super) const FUNCTION: &str = "AWS::Serverless::Function";
/// The HTTP API that SAM adds for events without `ApiId`.
pub(super) const IMPLICIT_HTTP_API: &str = "ServerlessHttpApi";
/// The REST API that SAM adds for events without `RestApiId`.
pub(super) const IMPLICIT_REST_API: &str = "ServerlessRestApi";

impl Template {
    /// The value of a reference to a function or an API. `None` for other resources, whose values
    /// are known when they are created.
    pub fn look_up(&self, reference: &Reference) -> Option<String> {
        let id = reference.resource.as_str();
        let attribute = reference.attribute.as_deref();
        if let Some(function) = self.functions.get(id) {
            let name = &function.name;
            return match attribute {
                None => Some(name.clone()),
                Some("Arn") => Some(function_arn(name)),
                Some(_) => None,
            };
        }
        let api = self.apis.iter().find(|api| api.logical_id == id)?;
        let name = self.api_id(id);
        match (&api.kind, attribute) {
            (ApiKind::FunctionUrl { .. }, Some("FunctionUrl")) => {
                Some(format!("https://{name}.lambda-url.{REGION}.on.aws/"))
            }
            (ApiKind::FunctionUrl { .. }, _) => None,
            (ApiKind::Http, Some("ApiEndpoint")) => {
                Some(format!("https://{name}.execute-api.{REGION}.amazonaws.com"))
            }
            (_, None | Some("ApiId" | "RestApiId")) => Some(name),
            (_, Some(_)) => None,
        }
    }

    /// The id of an API in its events and domain name: `local` for the API at the root of the
    /// address, and for others their logical id in lower case.
    pub fn api_id(&self, logical_id: &str) -> String {
        if self.root_api().is_some_and(|api| api.logical_id == logical_id) {
            STACK_NAME.to_owned()
        } else {
            logical_id.to_lowercase()
        }
    }
}

/// A physical name: `local-OrdersTable`.
pub(super) fn physical(logical_id: &str) -> String {
    format!("{STACK_NAME}-{logical_id}")
}

/// The ARN of a function in the emulated account, by its physical name.
pub fn function_arn(name: &str) -> String {
    arn("lambda", &format!("function:{name}"))
}

/// An ARN in the emulated account.
pub(super) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{resource}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn functions_and_apis_have_names_and_other_resources_have_none_here() {
        let source = "Resources:
  Work:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: work}}
    Properties:
      Runtime: provided.al2023
      FunctionUrlConfig: {AuthType: NONE}
      Events: {Any: {Type: HttpApi}}
  Q: {Type: 'AWS::SQS::Queue'}
";
        let template = Template::parse(source, &BTreeMap::new()).unwrap();
        let value = |resource: &str, attribute: Option<&str>| {
            let attribute = attribute.map(str::to_owned);
            template.look_up(&Reference { resource: resource.to_owned(), attribute })
        };

        assert_eq!(value("Work", None).as_deref(), Some("local-Work"));
        let arn = "arn:aws:lambda:eu-west-1:000000000000:function:local-Work";
        assert_eq!(value("Work", Some("Arn")).as_deref(), Some(arn));
        assert_eq!(value(IMPLICIT_HTTP_API, None).as_deref(), Some("local"));
        let url = "https://workurl.lambda-url.eu-west-1.on.aws/";
        assert_eq!(value("WorkUrl", Some("FunctionUrl")).as_deref(), Some(url));
        assert_eq!(value("Q", None), None);
    }
}
