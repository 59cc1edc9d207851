//! Tests of parameters and time limits.

use super::*;

#[test]
fn a_route_may_have_its_own_time_limit() {
    let route = |timeout| Route {
        method: "GET".to_owned(),
        path: "/a".to_owned(),
        function: "F".to_owned(),
        authorizer: None,
        timeout,
    };
    assert_eq!(limit(&ApiKind::Http, &route(None)), INTEGRATION_LIMIT);
    let own = Duration::from_millis(500);
    assert_eq!(limit(&ApiKind::Http, &route(Some(own))), own);
}

#[test]
fn only_an_http_api_decodes_the_path_parameters() {
    let encoded = BTreeMap::from([("id".to_owned(), "a%20b".to_owned())]);
    let url = ApiKind::FunctionUrl { signed: false };
    for (kind, expected) in [(ApiKind::Http, "a b"), (url, "a%20b")] {
        assert_eq!(parameters_of_event(&kind, encoded.clone())["id"], expected, "{kind:?}");
    }
}
