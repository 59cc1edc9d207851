//! The names by which generated parts refer to the template's hand-written ones.

use std::collections::BTreeMap;

use sam_template::{applied_globals, merge_globals, parse_json};
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
    /// The alias that functions publish: `AutoPublishAlias` of `Globals`.
    alias: Value,
    /// That of each resource: its own, or that of `Globals` unless it ignores it.
    aliases: BTreeMap<String, Value>,
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
        let (id, api) = match &apis.collect::<Vec<_>>()[..] {
            [(id, api)] => (id.as_str(), *api),
            _ => ("Api", &template["Resources"]["Api"]),
        };
        let globals = &template["Globals"];
        let applied = applied_globals(&globals["HttpApi"], api);
        let auth = merge_globals(&applied["Auth"], &api["Properties"]["Auth"]);
        let alias = &globals["Function"]["AutoPublishAlias"];
        let resources = template["Resources"].as_object().into_iter().flatten();
        let aliases = resources.map(|(id, function)| {
            let own = &function["Properties"]["AutoPublishAlias"];
            let applied = applied_globals(&globals["Function"], function);
            (id.clone(), if own.is_null() { &applied["AutoPublishAlias"] } else { own }.clone())
        });
        Ok(Self {
            api: id.to_owned(),
            authorizer: authorizer(&auth).unwrap_or("TokenAuthorizer").to_owned(),
            is_closed: auth.get("DefaultAuthorizer").is_some(),
            alias: alias.clone(),
            aliases: aliases.collect(),
        })
    }

    /// Whether a function publishes an alias.
    pub(super) fn publishes(&self, function: &str) -> bool {
        !self.alias_of(function).is_null()
    }

    /// The alias of a function, which the template may not have yet.
    fn alias_of(&self, function: &str) -> &Value {
        self.aliases.get(function).unwrap_or(&self.alias)
    }

    /// The logical id of the resource for which another function waits: the alias of a function.
    /// Without an alias, SAM creates no such resource, and it is the function. So it is if the alias
    /// is a reference, whose text is not known here.
    pub(super) fn awaited(&self, function: &str) -> String {
        match self.alias_of(function).as_str() {
            Some(alias) => format!("{function}Alias{alias}"),
            None => function.to_owned(),
        }
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
        let conventions = Conventions::of(template).unwrap();
        let awaited = conventions.awaited("F");
        [conventions.api, conventions.authorizer, awaited]
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
        assert_eq!(names, ["LoansApi", "Cognito", "FAliascurrent"]);
        let several = api("Api", "{DefaultAuthorizer: B, Authorizers: {A: {}, B: {}}}") + &one;
        assert_eq!(found(&format!("Resources:\n{several}")), ["Api", "B", "F"]);
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
    fn globals_that_a_resource_ignores_do_not_apply_to_it() {
        for (ignored, apply) in
            [("[StageName, Timeout]", true), ("[Auth, AutoPublishAlias]", false), ("'*'", false)]
        {
            let template = format!(
                "Globals:\n  Function: {{AutoPublishAlias: live}}\n  \
                 HttpApi: {{Auth: {{DefaultAuthorizer: A}}}}\nResources:\n  \
                 Api: {{Type: AWS::Serverless::HttpApi, IgnoreGlobals: {ignored}}}\n  \
                 F: {{Type: AWS::Serverless::Function, IgnoreGlobals: {ignored}}}\n  \
                 G: {{Type: AWS::Serverless::Function}}\n"
            );
            let conventions = Conventions::of(&template).unwrap();
            assert_eq!(conventions.is_closed, apply, "{ignored}");
            assert_eq!(conventions.publishes("F"), apply, "{ignored}");
            assert_eq!(conventions.awaited("F"), if apply { "FAliaslive" } else { "F" });
            assert!(conventions.publishes("G"), "{ignored}");
            assert_eq!(conventions.awaited("G"), "GAliaslive");
        }
    }

    #[test]
    fn an_alias_of_a_function_precedes_that_of_the_globals() {
        let template = "Globals:\n  Function: {AutoPublishAlias: live}\nResources:\n  \
                        F: {Properties: {AutoPublishAlias: canary}}\n  \
                        G: {Properties: {AutoPublishAlias: !Ref Stage}}\n";
        let conventions = Conventions::of(template).unwrap();
        let awaited = ["F", "G", "H"].map(|function| conventions.awaited(function));
        assert_eq!(awaited, ["FAliascanary", "G", "HAliaslive"]);
        assert!(conventions.publishes("G"), "a reference is an alias, too");
    }

    #[test]
    fn a_template_without_them_gets_the_usual_names() {
        let usual = ["Api", "TokenAuthorizer", "F"];
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
