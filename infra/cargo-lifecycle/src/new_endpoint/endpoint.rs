//! A new endpoint: its name, its route, and the values derived from them.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use sam_template::Template;
use tooling::Error;

use super::names;
use crate::codegen::names::logical_id;

/// Names that a field cannot have: Rust's strict and reserved keywords, and the fields of the
/// skeletons.
#[rustfmt::skip]
const RESERVED: [&str; 54] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "type", "unsafe",
    "use", "where", "while",
    "abstract", "become", "box", "do", "final", "gen", "macro", "override", "priv", "try", "typeof",
    "unsized", "virtual", "yield",
    "asked_by", "message",
];

/// An endpoint to create.
#[derive(Debug, Clone, Args)]
pub struct NewEndpoint {
    /// The name of its binary and file: `get_greeting`.
    pub name: String,
    /// The method of its route.
    #[arg(value_enum, ignore_case = true)]
    pub method: Method,
    /// The path of its route: `/greetings/{greetingId}`.
    pub path: String,
    /// Its folder in the package. By default it is the setting `new.folder`, or else src/bin.
    #[arg(long)]
    pub folder: Option<String>,
}

/// The methods of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or does something else.
    Post,
    /// Creates or replaces.
    Put,
    /// Changes in part.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// The method as HTTP writes it: `GET`.
    pub fn in_capitals(self) -> String {
        format!("{self:?}").to_uppercase()
    }
}

impl NewEndpoint {
    /// Checks that name and path can become an endpoint.
    ///
    /// # Errors
    ///
    /// If not; the error has the reason.
    pub(super) fn check(&self) -> Result<(), Error> {
        names::check(&self.name)?;
        if !self.path.starts_with('/') || !self.path[1..].split('/').all(is_segment) {
            return Err(format!(
                "{} is not a path: use /words-of-it/{{parameterInCamelCase}}/more, without a final /",
                self.path
            )
            .into());
        }
        let fields: Vec<String> = self.parameters().map(snake_case).collect();
        if let Some(field) = fields.iter().find(|field| RESERVED.contains(&field.as_str())) {
            return Err(format!("a parameter of the path cannot be named {field}").into());
        }
        if fields.iter().collect::<BTreeSet<_>>().len() < fields.len() {
            return Err(format!("{} names a parameter twice", self.path).into());
        }
        Ok(())
    }

    /// Rejects a route that the template already has.
    ///
    /// # Errors
    ///
    /// If a function has it; the error names it.
    pub(super) fn refuse_known_route(&self, template: &Template) -> Result<(), Error> {
        let method = self.method.in_capitals();
        for route in template.apis.iter().flat_map(|api| &api.routes) {
            if route.method == method && same_route(&route.path, &self.path) {
                return Err(format!(
                    "{method} {} already belongs to {}",
                    route.path, route.function
                )
                .into());
            }
        }
        Ok(())
    }

    /// The path's parameters, in camel case.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter_map(parameter)
    }

    /// The name of its type: `GetGreeting`.
    pub(super) fn type_name(&self) -> String {
        logical_id(&self.name, "")
    }

    /// `GET /greetings/{greetingId}`
    pub(super) fn route_key(&self) -> String {
        format!("{} {}", self.method.in_capitals(), self.path)
    }

    /// The path of an example request: each parameter's value is its name.
    pub fn example_path(&self) -> String {
        self.path.replace(['{', '}'], "")
    }
}

/// Whether two paths are the same to API Gateway, without regard to parameter names.
fn same_route(one: &str, other: &str) -> bool {
    let shape = |path: &str| -> Vec<String> {
        path.split('/').map(|it| parameter(it).map_or(it, |_| "{}").to_owned()).collect()
    };
    shape(one) == shape(other)
}

/// A parameter as a field name: `greeting_id` for `greetingId`.
pub(super) fn snake_case(parameter: &str) -> String {
    let mut field = String::new();
    for letter in parameter.chars() {
        if letter.is_ascii_uppercase() {
            field.push('_');
        }
        field.push(letter.to_ascii_lowercase());
    }
    field
}

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn is_segment(segment: &str) -> bool {
    match parameter(segment) {
        Some(name) => {
            name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.chars().all(|one| one.is_ascii_alphanumeric())
        }
        None => {
            !segment.is_empty()
                && segment.chars().all(|one| {
                    one.is_ascii_lowercase() || one.is_ascii_digit() || "-._".contains(one)
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(name: &str, path: &str) -> NewEndpoint {
        let (name, path) = (name.to_owned(), path.to_owned());
        NewEndpoint { name, method: Method::Get, path, folder: None }
    }

    #[test]
    fn an_invalid_name_or_path_is_an_error() {
        for (name, path, taken) in [
            ("get_greeting", "/greetings/{greetingId}", true),
            ("get_greeting", "/.well-known/greetings", true),
            ("greeting", "/greetings", false),
            ("get__greeting", "/greetings", false),
            ("Get_greeting", "/greetings", false),
            ("get_2", "/greetings", false),
            ("../get_it", "/greetings", false),
            ("get_greeting", "greetings", false),
            ("get_greeting", "/", false),
            ("get_greeting", "/greetings/", false),
            ("get_greeting", "/Greetings", false),
            ("get_greeting", "/greetings/{greeting_id}", false),
            ("get_greeting", "/greetings/{rest+}", false),
            ("get_greeting", "/greetings/{type}", false),
            ("get_greeting", "/greetings/{static}", false),
            ("get_greeting", "/greetings/{gen}", false),
            ("put_item", "/items", false),
            ("json_schema", "/schemas", false),
            ("get_greeting", "/a/{id}/b/{id}", false),
            ("get_greeting", "/a\"/{id}", false),
        ] {
            assert_eq!(endpoint(name, path).check().is_ok(), taken, "{name} {path}");
        }
    }

    #[test]
    fn routes_are_equal_without_regard_to_parameter_names() {
        assert!(same_route("/users/{userId}", "/users/{id}"));
        assert!(!same_route("/users/{userId}", "/users/me"));
    }
}
