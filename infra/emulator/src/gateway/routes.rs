//! Finds the route of a request.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::percent;
use sam_template::{DEFAULT_ROUTE, Route};

/// The routes of an API, most specific first.
pub(super) struct Routes {
    routes: Vec<Pattern>,
    /// The route for all requests that no other matches.
    default: Option<Route>,
    /// Whether path parameters are decoded.
    decoded: bool,
}

/// A matched route and its path parameters.
pub(super) struct Match<'a> {
    pub(super) route: &'a Route,
    pub(super) parameters: BTreeMap<String, String>,
}

struct Pattern {
    route: Route,
    segments: Vec<Segment>,
}

/// The order is the precedence. Two matching routes are compared at their first different segment.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    /// `{name}`: one segment.
    Parameter(String),
    /// `{name+}`: the rest of the path.
    Greedy(String),
}

impl Routes {
    pub(super) fn new(routes: &[Route]) -> Self {
        let (default, others): (Vec<_>, Vec<_>) =
            routes.iter().cloned().partition(|route| route.path == DEFAULT_ROUTE);
        let mut routes: Vec<_> = others.into_iter().map(Pattern::new).collect();
        routes.sort_by(Pattern::precedence);
        Self { routes, default: default.into_iter().next(), decoded: true }
    }

    /// Routes that pass path parameters as the client has encoded them.
    pub(super) fn undecoded(routes: &[Route]) -> Self {
        Self { decoded: false, ..Self::new(routes) }
    }

    /// The methods of the routes that match a path.
    pub(super) fn methods(&self, path: &str) -> Vec<&str> {
        let matching =
            self.routes.iter().filter(|pattern| pattern.parameters(path, true).is_some());
        matching.map(|pattern| pattern.route.method.as_str()).collect()
    }

    /// The route of a request, by its method and its undecoded path.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Match<'_>> {
        let mut serving = self.routes.iter().filter(|pattern| pattern.serves(method));
        let found = serving.find_map(|pattern| {
            let parameters = pattern.parameters(path, self.decoded)?;
            Some(Match { route: &pattern.route, parameters })
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

    fn parameters(&self, path: &str, decoded: bool) -> Option<BTreeMap<String, String>> {
        let value = |raw: &str| if decoded { percent::decode(raw) } else { raw.to_owned() };
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
                    parameters.insert(name.clone(), value(first));
                }
                Segment::Greedy(name) if !remaining.is_empty() => {
                    parameters.insert(name.clone(), value(remaining));
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
        assert_eq!(routes.methods("/a"), ["GET"]);
    }

    #[test]
    fn an_undecoded_parameter_is_as_the_client_has_encoded_it() {
        let routes = Routes::undecoded(&[route("GET", "/a b/{id}")]);
        let found = routes.find("GET", "/a%20b/x%40y").unwrap();
        assert_eq!(found.parameters["id"], "x%40y");
    }

    #[test]
    fn a_parameter_is_one_nonempty_segment() {
        let routes = Routes::new(&[route("GET", "/users/{userId}")]);
        let parameter =
            |path: &str| routes.find("GET", path).map(|found| found.parameters["userId"].clone());

        assert_eq!(parameter("/users/a%20b").as_deref(), Some("a b"));
        assert_eq!(parameter("/users/"), None);
        assert_eq!(parameter("/users/1/"), None);
        assert_eq!(parameter("/users"), None);
    }
}
