//! The endpoint URLs of AWS services.

use crate::config::Configuration;

/// The variable with the endpoint URL of all services. With `_<SERVICE>`, it is that of one.
pub(crate) const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// The AWS services that are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    DynamoDb,
    Sqs,
    SecretsManager,
    Ses,
}

impl Service {
    /// The service's endpoint URL: from the variables that every AWS SDK reads, else the public one
    /// of the region. The clients get it explicitly, so that they use the connection that was
    /// opened beforehand.
    pub(crate) fn url(self, configuration: &Configuration) -> String {
        let own = match self {
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Sqs => "AWS_ENDPOINT_URL_SQS",
            Self::SecretsManager => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
            Self::Ses => "AWS_ENDPOINT_URL_SESV2",
        };
        configuration
            .variable(own)
            .or_else(|| configuration.variable(ENDPOINT_URL))
            .unwrap_or_else(|| self.public_url(&configuration.region))
    }

    fn public_url(self, region: &str) -> String {
        let host = match self {
            Self::DynamoDb => "dynamodb",
            Self::Sqs => "sqs",
            Self::SecretsManager => "secretsmanager",
            Self::Ses => "email",
        };
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{host}.{region}.{domain}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_url_is_the_regions_unless_a_variable_sets_it() {
        let environment = |name: &str| match name {
            "AWS_ENDPOINT_URL_SQS" => Some("http://127.0.0.1:9".to_owned()),
            "AWS_REGION" => Some("eu-west-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
            _ => None,
        };
        let configuration = Configuration::read(&[], Box::new(environment)).unwrap();
        let dynamodb = "https://dynamodb.eu-west-1.amazonaws.com";
        assert_eq!(Service::DynamoDb.url(&configuration), dynamodb);
        assert_eq!(Service::Sqs.url(&configuration), "http://127.0.0.1:9");
    }
}
