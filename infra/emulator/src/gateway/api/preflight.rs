//! The preflight requests of a REST API.

use std::net::IpAddr;

use http::Method;
use http::request::Parts;
use sam_template::{ApiKind, Route};

use super::ServedApi;
use crate::gateway::answer::Answer;
use crate::gateway::cors;
use crate::gateway::event::Exchange;

impl ServedApi {
    /// The response to an `OPTIONS` request to a REST API, where SAM adds the method to each path
    /// that does not have it, with the default authorizer. `None` for any other request.
    pub(super) async fn rest_preflight(
        &self,
        parts: &Parts,
        client: IpAddr,
        request_id: &str,
    ) -> Option<Answer> {
        let is_added = parts.method == Method::OPTIONS && matches!(self.kind, ApiKind::Rest { .. });
        let cors = self.cors.as_ref().filter(|_| is_added)?;
        let path = self.path(parts)?;
        let (found, methods) = self.routes.path_item(path)?;
        if methods.contains(&"OPTIONS") {
            return None;
        }
        let route = Route {
            method: "OPTIONS".to_owned(),
            function: String::new(),
            authorizer: cors.preflight_authorizer.clone(),
            ..found.route.clone()
        };
        let exchange = Exchange {
            api: self.target(),
            parts,
            path,
            route: &route,
            parameters: &found.parameters,
            source_ip: client,
            request_id,
            received: self.functions.clock().now(),
        };
        if let Err(failure) = self.authorize(&exchange).await {
            return Some(self.refuse(failure, request_id));
        }
        self.activity().request_is_preflight(request_id);
        Some(cors::rest_preflight(cors, &methods))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use std::time::Duration;

    use http::Request;
    use sam_template::{Api, Authorizer, AuthorizerFormat, Cors};

    use super::*;
    use crate::activity::Activity;
    use crate::clock::Clock;
    use crate::functions::scripted;

    /// A REST API with `ANY /a`, `GET /b` and `OPTIONS /c`.
    async fn api(preflight_authorizer: Option<&str>) -> ServedApi {
        let clock = Clock::default();
        let config = scripted::config("F", Duration::from_secs(3));
        let functions = scripted::warm(config, &clock, &Activity::new(&clock)).await;
        let route = |(method, path): (&str, &str)| Route {
            method: method.to_owned(),
            path: path.to_owned(),
            function: "F".to_owned(),
            authorizer: None,
            timeout: None,
        };
        let authorizer = Authorizer {
            function: "F".to_owned(),
            format: AuthorizerFormat::Token,
            identity_headers: vec!["authorization".to_owned()],
            identity_query_strings: Vec::new(),
            cache_ttl: Duration::ZERO,
        };
        let described = Api {
            logical_id: "Api".to_owned(),
            kind: ApiKind::Rest { binary_media_types: Vec::new() },
            stage: "Prod".to_owned(),
            routes: [("ANY", "/a"), ("GET", "/b"), ("OPTIONS", "/c"), ("PUT", "/{rest+}")]
                .map(route)
                .into(),
            authorizers: BTreeMap::from([("T".to_owned(), authorizer)]),
            jwt_authorizers: BTreeMap::new(),
            cors: Some(Cors {
                preflight_authorizer: preflight_authorizer.map(str::to_owned),
                ..Cors::default()
            }),
            throttle: None,
        };
        ServedApi::new(&described, "api".to_owned(), functions, &Arc::default())
    }

    async fn preflight(api: &ServedApi, path: &str) -> Option<(u16, String)> {
        let request = Request::options(format!("/Prod{path}")).body(()).unwrap();
        let (parts, ()) = request.into_parts();
        let answer = api.rest_preflight(&parts, Ipv4Addr::LOCALHOST.into(), "id").await?;
        let methods = answer.headers().get("access-control-allow-methods");
        let methods = methods.map_or("", |methods| methods.to_str().unwrap());
        Some((answer.status().as_u16(), methods.to_owned()))
    }

    #[tokio::test]
    async fn a_path_without_options_gets_a_preflight_with_its_own_methods() {
        let api = api(None).await;
        let answer = |methods: &str| Some((200, methods.to_owned()));

        let all = "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT";
        assert_eq!(preflight(&api, "/a").await, answer(all));
        assert_eq!(preflight(&api, "/b").await, answer("GET,OPTIONS"));
        assert_eq!(preflight(&api, "/d").await, answer("OPTIONS,PUT"));
        assert_eq!(preflight(&api, "/c").await, None);
    }

    #[tokio::test]
    async fn a_preflight_with_an_authorizer_needs_an_identity() {
        let api = api(Some("T")).await;
        assert_eq!(preflight(&api, "/a").await, Some((401, String::new())));
    }
}
