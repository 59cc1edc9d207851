//! Routes, methods and authorizers.

use sam_template::{Function, Route, Template};
use tooling::descriptions::{Description, Kind, SignIn};

pub(super) fn complaints(
    template: &Template,
    function: &Function,
    description: &Description,
) -> Vec<String> {
    match description.kind {
        Kind::Endpoint => endpoint(template, function, description),
        Kind::Authorizer => authorizer(template, function),
        Kind::Consumer | Kind::Rotation => Vec::new(),
    }
}

fn endpoint(template: &Template, function: &Function, description: &Description) -> Vec<String> {
    let Some(wanted) = &description.route else { return vec!["describes no route".to_owned()] };
    let routes = template.apis.iter().flat_map(|api| &api.routes);
    let routes: Vec<_> = routes.filter(|route| route.function == function.logical_id).collect();
    let (head, routes): (Vec<_>, Vec<_>) =
        routes.into_iter().partition(|route| description.head && route.method == "HEAD");
    let [route] = routes.as_slice() else {
        return vec![format!("has {} routes, but describes one", routes.len())];
    };
    let mut complaints = Vec::new();
    if route.method != wanted.method {
        complaints.push(format!("method {}, but describes {}", route.method, wanted.method));
    }
    if description.head && head.len() != 1 {
        complaints.push(format!("has {} routes for HEAD, but describes it", head.len()));
    }
    for route in head.into_iter().chain([*route]) {
        complaints.extend(differing(route, &wanted.path, description.sign_in));
    }
    complaints
}

/// The differences between a route and its endpoint, except for the method.
fn differing(route: &Route, path: &str, sign_in: Option<SignIn>) -> Vec<String> {
    let mut complaints = Vec::new();
    if route.path != path {
        complaints.push(format!("route {}, but describes {path}", route.path));
    }
    match (&route.authorizer, sign_in) {
        (None, Some(SignIn::Required)) => {
            complaints.push("has no authorizer, but its callers sign in".to_owned());
        }
        (Some(name), Some(SignIn::None | SignIn::Optional)) => {
            complaints.push(format!("has authorizer {name}, but is open"));
        }
        _ => {}
    }
    complaints
}

fn authorizer(template: &Template, function: &Function) -> Vec<String> {
    let mut authorizers = template.apis.iter().flat_map(|api| api.authorizers.values());
    if authorizers.any(|authorizer| authorizer.function == function.logical_id) {
        Vec::new()
    } else {
        vec!["is not an authorizer of the API".to_owned()]
    }
}
