//! Routes, methods and authorizers.

use local::template::{Function, Route, Template};

use crate::descriptions::{Description, Kind, SignIn};

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
    let routes = template.api.iter().flat_map(|api| &api.routes);
    let routes: Vec<_> = routes.filter(|route| route.function == function.logical_id).collect();
    let (head, routes): (Vec<_>, Vec<_>) =
        routes.into_iter().partition(|route| description.head && route.method == "HEAD");
    let [route] = routes.as_slice() else {
        return vec![format!("has {} routes, and answers one", routes.len())];
    };
    let mut complaints = Vec::new();
    if route.method != wanted.method {
        complaints.push(format!("method {}, but answers {}", route.method, wanted.method));
    }
    if description.head && head.len() != 1 {
        complaints.push(format!("has {} routes for HEAD, and answers it", head.len()));
    }
    for route in head.into_iter().chain([*route]) {
        complaints.extend(differing(route, &wanted.path, description.sign_in));
    }
    complaints
}

/// What a route has otherwise than its endpoint, but for the method.
fn differing(route: &Route, path: &str, sign_in: Option<SignIn>) -> Vec<String> {
    let mut complaints = Vec::new();
    if route.path != path {
        complaints.push(format!("route {}, but answers {path}", route.path));
    }
    match (&route.authorizer, sign_in) {
        (None, Some(SignIn::Required)) => {
            complaints.push("has no authorizer, but its callers sign in".to_owned());
        }
        (Some(name), Some(SignIn::None | SignIn::Optional)) => {
            complaints.push(format!("has authorizer {name}, but lets anybody in"));
        }
        _ => {}
    }
    complaints
}

fn authorizer(template: &Template, function: &Function) -> Vec<String> {
    let mut authorizers = template.api.iter().flat_map(|api| api.authorizers.values());
    if authorizers.any(|authorizer| authorizer.function == function.logical_id) {
        Vec::new()
    } else {
        vec!["is no authorizer of the API".to_owned()]
    }
}
