//! What an endpoint is to be: its name, its route, and what follows from them.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};

use crate::descriptions::Error;
use crate::drift::logical_id;

/// The longest name: with the stack's before it, a function's name must keep within 64 characters.
const NAME_CHARACTERS_MAX: usize = 40;

/// Words that no field can be named by: Rust's own, and the one that each skeleton has.
const RESERVED: [&str; 28] = [
    "as", "async", "await", "break", "const", "crate", "dyn", "else", "enum", "extern", "fn",
    "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "self",
    "type", "use", "where", "asked_by",
];

/// An endpoint that is not there yet.
#[derive(Debug, Clone, Args)]
pub(super) struct NewEndpoint {
    /// The binary's name, which is the file's: `get_greeting`.
    pub(super) name: String,
    /// The method of its route.
    #[arg(value_enum, ignore_case = true)]
    pub(super) method: Method,
    /// The path of its route: `/greetings/{greetingId}`.
    pub(super) path: String,
    /// The folder of `functions` that it is about.
    #[arg(long, default_value = "people")]
    pub(super) folder: String,
}

/// The methods that endpoints answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub(super) fn in_capitals(self) -> String {
        format!("{self:?}").to_uppercase()
    }
}

impl NewEndpoint {
    /// Complains of a name or a path that could not become an endpoint.
    ///
    /// # Errors
    ///
    /// Says what is wrong.
    pub(super) fn check(&self) -> Result<(), Error> {
        let words: Vec<&str> = self.name.split('_').collect();
        let is_word = |word: &&str| {
            word.starts_with(|first: char| first.is_ascii_lowercase())
                && word.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit())
        };
        // A word of Rust's own is never two words.
        if words.len() < 2 || !words.iter().all(is_word) || self.name.len() > NAME_CHARACTERS_MAX {
            return Err(format!(
                "{} is no name for an endpoint: two or more words in lower case, get_greeting, and \
                 {NAME_CHARACTERS_MAX} characters at most",
                self.name
            )
            .into());
        }
        if !self.path.starts_with('/') || !self.path[1..].split('/').all(is_segment) {
            return Err(format!(
                "{} is no path: /words-of-it/{{parameterInCamelCase}}/more, without a / at its end",
                self.path
            )
            .into());
        }
        let fields: Vec<String> = self.parameters().map(snake_case).collect();
        if let Some(field) = fields.iter().find(|field| RESERVED.contains(&field.as_str())) {
            return Err(format!("a parameter of the path cannot be called {field}").into());
        }
        if fields.iter().collect::<BTreeSet<_>>().len() < fields.len() {
            return Err(format!("{} names a parameter twice", self.path).into());
        }
        Ok(())
    }

    /// The path's parameters, as the wire has them.
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

    /// The path of a request: every parameter stands for itself.
    pub(super) fn example_path(&self) -> String {
        self.path.replace(['{', '}'], "")
    }
}

/// Whether two paths are the same to API Gateway, whatever their parameters are called.
pub(super) fn same_route(one: &str, other: &str) -> bool {
    let shape = |path: &str| -> Vec<String> {
        path.split('/').map(|it| parameter(it).map_or(it, |_| "{}").to_owned()).collect()
    };
    shape(one) == shape(other)
}

/// `greetingId` as the name of a field.
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
        NewEndpoint { name, method: Method::Get, path, folder: "people".to_owned() }
    }

    #[test]
    fn names_and_paths_that_could_not_become_an_endpoint_are_refused() {
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
            ("get_greeting", "/a/{id}/b/{id}", false),
            ("get_greeting", "/a\"/{id}", false),
        ] {
            assert_eq!(endpoint(name, path).check().is_ok(), taken, "{name} {path}");
        }
    }

    #[test]
    fn routes_are_the_same_whatever_their_parameters_are_called() {
        assert!(same_route("/users/{userId}", "/users/{id}"));
        assert!(!same_route("/users/{userId}", "/users/me"));
    }
}
