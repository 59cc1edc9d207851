//! The names by which generated parts refer to the template's hand-written ones.

use sam_template::{merge_globals, parse_json};
use serde_json::Value;
use tooling::Error;

/// The API, its authorizer and the alias of a template's functions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conventions {
    /// The logical id of the HTTP API: the only one, or else `Api`.
    pub(super) api: String,
    /// The authorizer of routes whose callers sign in: the API's default or only one, or else
    /// `TokenAuthorizer`.
    pub(super) authorizer: String,
    /// Whether the API closes its routes by a default authorizer. Then an open route has `NONE`; SAM
    /// refuses it elsewhere.
    pub(super) is_closed: bool,
    /// The name of the alias that functions publish: `AutoPublishAlias` of `Globals`, if it is a
    /// text.
    pub(super) alias: Option<String>,
    /// Whether all functions publish an alias.
    pub(super) has_alias: bool,
}

impl Conventions {
    /// The names in a template.
    ///
    /// # Errors
    ///
    /// If it is not YAML.
    pub(super) fn of(template: &str) -> Result<Self, Error> {
        let template = parse_json(template)?;
        let resources = template["Resources"].as_object().into_iter().flatten();
        let apis = resources.filter(|(_, it)| it["Type"] == "AWS::Serverless::HttpApi");
        let (api, auth) = match &apis.collect::<Vec<_>>()[..] {
            [(id, api)] => (id.as_str(), &api["Properties"]["Auth"]),
            _ => ("Api", &template["Resources"]["Api"]["Properties"]["Auth"]),
        };
        let auth = merge_globals(&template["Globals"]["HttpApi"]["Auth"], auth);
        let alias = &template["Globals"]["Function"]["AutoPublishAlias"];
        Ok(Self {
            api: api.to_owned(),
            authorizer: authorizer(&auth).unwrap_or("TokenAuthorizer").to_owned(),
            is_closed: auth.get("DefaultAuthorizer").is_some(),
            alias: alias.as_str().map(str::to_owned),
            has_alias: !alias.is_null(),
        })
    }
}

fn authorizer(auth: &Value) -> Option<&str> {
    let only = || {
        let mut names = auth["Authorizers"].as_object()?.keys();
        names.next().filter(|_| names.len() == 0).map(String::as_str)
    };
    auth["DefaultAuthorizer"].as_str().or_else(only)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(template: &str) -> [String; 3] {
        let Conventions { api, authorizer, alias, .. } = Conventions::of(template).unwrap();
        [api, authorizer, alias.unwrap_or_default()]
    }

    #[test]
    fn an_api_with_a_default_authorizer_is_closed() {
        for (auth, expected) in [
            ("{DefaultAuthorizer: A, Authorizers: {A: {}}}", true),
            ("{Authorizers: {A: {}}}", false),
        ] {
            let template = format!(
                "Resources:\n  Api: {{Type: AWS::Serverless::HttpApi, Properties: {{Auth: {auth}}}}}\n"
            );
            assert_eq!(Conventions::of(&template).unwrap().is_closed, expected, "{auth}");
        }
    }

    #[test]
    fn the_names_are_found_in_the_template() {
        let globals = "Globals: {Function: {AutoPublishAlias: current}}\n";
        let api = |id: &str, auth: &str| {
            format!("  {id}: {{Type: AWS::Serverless::HttpApi, Properties: {{Auth: {auth}}}}}\n")
        };
        let one = api("LoansApi", "{Authorizers: {Cognito: {}}}");
        let names = found(&format!("{globals}Resources:\n{one}"));
        assert_eq!(names, ["LoansApi", "Cognito", "current"]);
        let several = api("Api", "{DefaultAuthorizer: B, Authorizers: {A: {}, B: {}}}") + &one;
        assert_eq!(found(&format!("Resources:\n{several}")), ["Api", "B", ""]);
    }

    #[test]
    fn the_authorizers_of_the_globals_belong_to_the_api() {
        let found = |own: &str| {
            let template = format!(
                "Globals: {{HttpApi: {{Auth: {{DefaultAuthorizer: A, Authorizers: {{A: {{}}}}}}}}}}\n\
                 Resources:\n  Api: {{Type: AWS::Serverless::HttpApi, Properties: {{{own}}}}}\n"
            );
            let Conventions { authorizer, is_closed, .. } = Conventions::of(&template).unwrap();
            (authorizer, is_closed)
        };
        assert_eq!(found(""), ("A".to_owned(), true));
        let own = "Auth: {DefaultAuthorizer: B, Authorizers: {B: {}}}";
        assert_eq!(found(own), ("B".to_owned(), true));
        assert_eq!(found("Auth: {Authorizers: {B: {}}}"), ("A".to_owned(), true));
    }

    #[test]
    fn a_template_without_them_gets_the_usual_names() {
        let usual = ["Api", "TokenAuthorizer", ""];
        for template in [
            "Resources:\n  UsersTable: {Type: AWS::DynamoDB::Table}\n",
            "Resources:\n  Api:\n    Type: AWS::Serverless::HttpApi\n",
            "Resources:\n  Api: {Type: AWS::Serverless::HttpApi, Properties: {Auth: {Authorizers: {A: {}, B: {}}}}}\n",
        ] {
            assert_eq!(found(template), usual, "{template}");
        }
        assert!(Conventions::of("Resources: {").is_err());
    }
}
