//! Finds the route of a request, as API Gateway does.

use std::collections::BTreeMap;

use sam_template::{DEFAULT_ROUTE, Route};

/// The routes of an API, most specific first.
pub(super) struct Routes {
    routes: Vec<(Vec<Segment>, Route)>,
    /// The route for all requests that no other matches.
    default: Option<Route>,
}

/// The order is the precedence: two matching routes differ first in such a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    /// `{name}`: one segment.
    Parameter(String),
    /// `{name+}`: the rest of the path.
    Greedy(String),
}

impl Routes {
    pub(super) fn new(routes: &[Route]) -> Self {
        let is_default = |route: &&Route| route.path == DEFAULT_ROUTE;
        let default = routes.iter().find(is_default).cloned();
        let others = routes.iter().filter(|route| !is_default(route));
        let mut routes: Vec<_> =
            others.map(|route| (segments(&route.path), route.clone())).collect();
        let ranks = |segments: &[Segment]| segments.iter().map(Segment::rank).collect::<Vec<_>>();
        routes.sort_by_key(|(segments, route)| (ranks(segments), route.method == "ANY"));
        Self { routes, default }
    }

    /// The route of a request and its path parameters, by the method and the undecoded path.
    pub(super) fn find(
        &self,
        method: &str,
        path: &str,
    ) -> Option<(&Route, BTreeMap<String, String>)> {
        let serves = |route: &Route| route.method == method || route.method == "ANY";
        let mut serving = self.routes.iter().filter(|(_, route)| serves(route));
        let found =
            serving.find_map(|(segments, route)| Some((route, parameters(segments, path)?)));
        found.or_else(|| self.default.as_ref().map(|route| (route, BTreeMap::new())))
    }
}

fn segments(path: &str) -> Vec<Segment> {
    path.trim_start_matches('/').split('/').map(Segment::parse).collect()
}

fn parameters(segments: &[Segment], path: &str) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    let mut rest = Some(path.strip_prefix('/')?);
    for segment in segments {
        let remaining = rest?;
        let (first, after) = match remaining.split_once('/') {
            Some((first, after)) => (first, Some(after)),
            None => (remaining, None),
        };
        rest = after;
        match segment {
            Segment::Literal(literal) if decode(first) == *literal => {}
            Segment::Parameter(name) if !first.is_empty() => {
                parameters.insert(name.clone(), decode(first));
            }
            Segment::Greedy(name) if !remaining.is_empty() => {
                parameters.insert(name.clone(), decode(remaining));
                rest = None;
            }
            _ => return None,
        }
    }
    rest.is_none().then_some(parameters)
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

/// Decodes `%41` and the like. Invalid sequences stay unchanged.
pub(super) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let byte = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        rest = if byte.is_some() { &rest[3..] } else { after };
        decoded.push(byte.unwrap_or(*first));
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Decodes a part of a query, where `+` is a space.
pub(super) fn decode_query(text: &str) -> String {
    decode(&text.replace('+', " "))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_route_serves_a_request() {
        let route = |method: &str, path: &str| Route {
            method: method.to_owned(),
            path: path.to_owned(),
            function: format!("{method} {path}"),
            authorizer: None,
        };
        let routes = Routes::new(&[
            route("ANY", "/{all+}"),
            route("GET", "/users/{id}"),
            route("GET", "/users/me"),
        ]);
        let find = |method: &str, path: &str| {
            let (route, parameters) = routes.find(method, path)?;
            Some((route.function.clone(), parameters.into_values().collect::<Vec<_>>()))
        };

        assert_eq!(find("GET", "/users/me"), Some(("GET /users/me".to_owned(), vec![])));
        let by_id = ("GET /users/{id}".to_owned(), vec!["a b".to_owned()]);
        assert_eq!(find("GET", "/users/a%20b"), Some(by_id));
        let all = ("ANY /{all+}".to_owned(), vec!["users/me".to_owned()]);
        assert_eq!(find("PUT", "/users/me"), Some(all));
    }

    #[test]
    fn invalid_percent_encoding_stays_unchanged() {
        for (encoded, decoded) in
            [("a%20b", "a b"), ("%C3%A4", "ä"), ("100%", "100%"), ("%zz%4", "%zz%4")]
        {
            assert_eq!(decode(encoded), decoded);
        }
        assert_eq!(decode_query("a+b%2B"), "a b+");
    }
}
