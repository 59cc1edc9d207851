//! An authorizer of an outside issuer: it accepts the access tokens of Cognito, Auth0 or Keycloak.
//!
//! The template's parameter `OutsideIssuers` has the issuers, as JSON; keys are fetched and cached. No
//! secret is needed. `list_visits.rs` reads the claims that it passes on.

use std::process::ExitCode;

use aws::Aws;

fn main() -> ExitCode {
    aws::authorize(&[], Aws::outside_verifier)
}

#[cfg(test)]
mod tests {
    use lifecycle::caller::TokenError;
    use lifecycle::{Timestamp, TokenVerifier};
    use serde_json::json;

    use super::*;

    /// A token of `https://other.example.com`, for `ada`.
    const TOKEN: &str = concat!(
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImsiLCJ0eXAiOiJhdCtqd3QifQ",
        ".eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUuY29tIiwic3ViIjoiYWRhIn0",
        ".MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMA",
    );

    #[tokio::test]
    async fn a_token_of_an_issuer_that_is_not_listed_is_refused() {
        let issuers = json!([{
            "issuer": "https://issuer.example.com",
            "jwksUrl": "https://issuer.example.com/.well-known/jwks.json",
            "audience": "visits",
            "rolesClaim": "roles",
        }]);
        let environment = move |name: &str| match name {
            "ISSUERS" => Some(issuers.to_string()),
            "AWS_REGION" => Some("eu-west-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" | "AWS_SESSION_TOKEN" => {
                Some("test".to_owned())
            }
            _ => None,
        };
        let verifier = Aws::connect_with(&[], environment).unwrap().outside_verifier();
        let refused = verifier.verify(TOKEN, Timestamp::from_millis(0)).await;
        let Err(TokenError::Refused(reason)) = refused else { panic!("it is accepted") };
        assert_eq!(reason, "the issuer is unknown");
    }
}
