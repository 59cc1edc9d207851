//! `HEAD` on public `GET` routes.

use http::Method;

use crate::harness::shared_platform;

const PRODUCT: &str = "/products/00000000-0000-7000-8000-000000000102";
const UNKNOWN: &str = "/products/00000000-0000-7000-8000-00000000ffff";

#[tokio::test]
async fn head_has_the_status_and_headers_of_get_without_a_body() {
    let api = shared_platform().await;
    for (path, status) in [
        (PRODUCT, 200),
        ("/healthcheck", 200),
        ("/products?limit=1", 200),
        ("/.well-known/jwks.json", 200),
        (UNKNOWN, 404),
        ("/products?limit=0", 400),
        ("/objects/1", 404),
        ("/articles/00000000-0000-7000-8000-00000000ffff", 404),
        ("/partner/products", 400),
    ] {
        let get = api.get(path).send().await;
        let head = api.call(Method::HEAD, path).send().await;
        assert_eq!((head.status, get.status, head.body.len()), (status, status, 0), "{path}");
        head.assert_is_a_functions();
        for name in ["content-type", "vary", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
        assert!(head.header("content-length").parse::<usize>().unwrap() > 0, "{path}: {head:?}");
    }
    let tag = api.get(PRODUCT).send().await.header("etag").to_owned();
    let known = api.call(Method::HEAD, PRODUCT).header("if-none-match", &tag).send().await;
    assert_eq!((known.status, known.header("etag")), (304, tag.as_str()));
}

#[tokio::test]
async fn head_on_a_protected_route_is_404_even_with_a_token() {
    let api = shared_platform().await;
    let token = api.token("admin").await;
    for path in ["/orders", "/rules"] {
        let answer = api.call(Method::HEAD, path).token(&token).send().await;
        assert_eq!((answer.status, answer.body.len()), (404, 0), "{path}: no such route");
    }
}
