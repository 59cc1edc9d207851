//! Finds the route of a request, as API Gateway does.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::model::{DEFAULT_ROUTE, Route};
use super::percent;

/// The routes of an API, most specific first.
#[derive(Debug, Clone)]
pub struct Routes {
    routes: Vec<Pattern>,
    /// The route for all requests that no other matches.
    default: Option<Route>,
}

/// A matched route and its path parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'a> {
    /// The route.
    pub route: &'a Route,
    /// The values by name, as the client has encoded them: only an HTTP API decodes them.
    pub parameters: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Pattern {
    route: Route,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone)]
enum Segment {
    Literal(String),
    /// `{name}`: one segment.
    Parameter(String),
    /// `{name+}`: the rest of the path.
    Greedy(String),
}

impl Routes {
    /// Orders the routes by precedence.
    pub fn new(routes: &[Route]) -> Self {
        let (default, others): (Vec<_>, Vec<_>) =
            routes.iter().cloned().partition(|route| route.path == DEFAULT_ROUTE);
        let mut routes: Vec<_> = others.into_iter().map(Pattern::new).collect();
        routes.sort_by(Pattern::precedence);
        Self { routes, default: default.into_iter().next() }
    }

    /// The first route of the most specific path that matches, of any method, and the methods
    /// of that path.
    pub fn path_item(&self, path: &str) -> Option<(Match<'_>, Vec<&str>)> {
        let found = self.routes.iter().find_map(|pattern| {
            Some(Match { route: &pattern.route, parameters: pattern.parameters(path)? })
        })?;
        let routes = self.routes.iter().map(|pattern| &pattern.route);
        let routes = routes.filter(|route| route.path == found.route.path);
        let methods = routes.map(|route| route.method.as_str()).collect();
        Some((found, methods))
    }

    /// The route of a request, by its method and its undecoded path without the query.
    pub fn find(&self, method: &str, path: &str) -> Option<Match<'_>> {
        let mut serving = self.routes.iter().filter(|pattern| pattern.serves(method));
        let found = serving.find_map(|pattern| {
            Some(Match { route: &pattern.route, parameters: pattern.parameters(path)? })
        });
        let default = self.default.as_ref();
        found.or_else(|| default.map(|route| Match { route, parameters: BTreeMap::new() }))
    }
}

impl Pattern {
    fn new(route: Route) -> Self {
        let segments = route.path.trim_start_matches('/').split('/').map(Segment::parse).collect();
        Self { route, segments }
    }

    fn serves(&self, method: &str) -> bool {
        self.route.method == method || self.route.method == "ANY"
    }

    /// Compares segment by segment, then a specific method before `ANY`.
    fn precedence(&self, other: &Self) -> Ordering {
        let ranks = |pattern: &Self| pattern.segments.iter().map(Segment::rank).collect::<Vec<_>>();
        let is_any = |pattern: &Self| pattern.route.method == "ANY";
        ranks(self).cmp(&ranks(other)).then(is_any(self).cmp(&is_any(other)))
    }

    /// The undecoded values of the path parameters; `None` if the path does not match.
    fn parameters(&self, path: &str) -> Option<BTreeMap<String, String>> {
        let mut parameters = BTreeMap::new();
        let mut rest = Some(path.strip_prefix('/')?);
        for segment in &self.segments {
            let remaining = rest?;
            let (first, after) = match remaining.split_once('/') {
                Some((first, after)) => (first, Some(after)),
                None => (remaining, None),
            };
            rest = after;
            match segment {
                Segment::Literal(literal) if percent::decode(first) == *literal => {}
                Segment::Parameter(name) if !first.is_empty() => {
                    parameters.insert(name.clone(), first.to_owned());
                }
                Segment::Greedy(name) if !remaining.is_empty() => {
                    parameters.insert(name.clone(), remaining.to_owned());
                    rest = None;
                }
                _ => return None,
            }
        }
        rest.is_none().then_some(parameters)
    }
}

impl Segment {
    fn parse(segment: &str) -> Self {
        match segment.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
            None => Self::Literal(segment.to_owned()),
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Parameter(name.to_owned()),
            },
        }
    }

    /// The precedence: two matching routes are compared at their first different segment.
    fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Parameter(_) => 1,
            Self::Greedy(_) => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Route {
        Route {
            method: method.to_owned(),
            path: path.to_owned(),
            function: format!("{method} {path}"),
            authorizer: None,
            timeout: None,
        }
    }

    #[test]
    fn the_most_specific_route_matches() {
        let routes = Routes::new(&[
            route("ANY", "/{proxy+}"),
            route("GET", "/pets/{proxy+}"),
            route("GET", "/pets/dog/{id}"),
            route("ANY", "/pets/dog/1"),
            route("GET", "/pets/dog/1"),
        ]);
        let cases = [
            ("GET", "/pets/dog/1", Some("GET /pets/dog/1")),
            ("PUT", "/pets/dog/1", Some("ANY /pets/dog/1")),
            ("GET", "/pets/dog/2", Some("GET /pets/dog/{id}")),
            ("GET", "/pets/cat/1", Some("GET /pets/{proxy+}")),
            ("POST", "/test/5", Some("ANY /{proxy+}")),
            ("POST", "/", None),
        ];

        for (method, path, expected) in cases {
            let found = routes.find(method, path).map(|found| found.route.function.as_str());
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn the_default_route_matches_requests_that_no_other_matches() {
        let routes = Routes::new(&[route("ANY", DEFAULT_ROUTE), route("GET", "/a")]);
        let found = |method, path| routes.find(method, path).unwrap().route.path.as_str();

        assert_eq!(found("GET", "/a"), "/a");
        assert_eq!(found("POST", "/a"), DEFAULT_ROUTE);
        assert_eq!(found("GET", "/"), DEFAULT_ROUTE);
    }

    #[test]
    fn a_path_item_has_only_the_methods_of_the_most_specific_path() {
        let routes =
            Routes::new(&[route("ANY", "/{a+}"), route("GET", "/b/{c}"), route("PUT", "/b/{c}")]);

        let (found, methods) = routes.path_item("/b/1").unwrap();
        assert_eq!((found.route.path.as_str(), found.parameters["c"].as_str()), ("/b/{c}", "1"));
        assert_eq!(methods, ["GET", "PUT"]);
        assert_eq!(routes.path_item("/b").unwrap().1, ["ANY"]);
    }

    #[test]
    fn a_literal_matches_decoded_and_a_parameter_is_as_the_client_has_encoded_it() {
        let routes = Routes::new(&[route("GET", "/a b/{id}"), route("PUT", "/files/{path+}")]);
        let found = |method, path| routes.find(method, path).unwrap().parameters;

        assert_eq!(found("GET", "/a%20b/x%40y")["id"], "x%40y");
        assert_eq!(found("PUT", "/files/a%20b/c")["path"], "a%20b/c");
    }

    #[test]
    fn a_parameter_is_one_nonempty_segment() {
        let routes = Routes::new(&[route("GET", "/users/{userId}")]);
        let parameter =
            |path: &str| routes.find("GET", path).map(|found| found.parameters["userId"].clone());

        assert_eq!(parameter("/users/1").as_deref(), Some("1"));
        assert_eq!(parameter("/users/"), None);
        assert_eq!(parameter("/users/1/"), None);
        assert_eq!(parameter("/users"), None);
    }
}
