//! Finds the route of a request.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::percent;
use sam_template::Route;

/// The routes of an API, most specific first.
pub(super) struct Routes {
    routes: Vec<Pattern>,
}

/// A matched route and its decoded path parameters.
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
        let mut routes: Vec<_> = routes.iter().cloned().map(Pattern::new).collect();
        routes.sort_by(Pattern::precedence);
        Self { routes }
    }

    /// The route of a request, by its method and its undecoded path.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Match<'_>> {
        self.routes.iter().filter(|pattern| pattern.serves(method)).find_map(|pattern| {
            let parameters = pattern.parameters(path)?;
            Some(Match { route: &pattern.route, parameters })
        })
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
                    parameters.insert(name.clone(), percent::decode(first));
                }
                Segment::Greedy(name) if !remaining.is_empty() => {
                    parameters.insert(name.clone(), percent::decode(remaining));
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
