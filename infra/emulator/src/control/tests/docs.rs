//! The documentation page, and the requests that it sends through the control address.

use super::*;

#[tokio::test]
async fn the_page_is_served_with_its_files_and_a_csp_for_its_origin() {
    let running = running().await;
    let get = async |path: &str| {
        running.client.get(format!("{}{path}", running.url)).send().await.unwrap()
    };
    let page = get("/docs").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    for (file, media_type, coding) in [
        ("page.js", "text/javascript; charset=utf-8", None),
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", Some("gzip")),
        ("swagger-ui.css", "text/css; charset=utf-8", Some("gzip")),
        ("favicon-32x32.png", "image/png", None),
        ("LICENSE", "text/plain; charset=utf-8", Some("gzip")),
    ] {
        let answer = get(&format!("/docs/{file}")).await;
        assert_eq!(answer.status(), 200, "{file}");
        assert_eq!(answer.headers()["content-type"], media_type, "{file}");
        let told = answer.headers().get("content-encoding").map(|coding| coding.to_str().unwrap());
        assert_eq!(told, coding, "{file}");
    }
    assert_eq!(get("/docs/index.html").await.status(), 404);
}

#[tokio::test]
async fn a_request_below_api_is_forwarded_with_headers_and_body() {
    let api = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = api.local_addr().unwrap().to_string();
    let echo = Router::new().fallback(async |request: axum::extract::Request| {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1_000).await.unwrap();
        let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
        let told = json!({
            "method": parts.method.as_str(),
            "uri": parts.uri.to_string(),
            "host": header("host"),
            "origin": header("origin"),
            "authorization": header("authorization"),
            "body": String::from_utf8_lossy(&body),
        });
        (StatusCode::IM_A_TEAPOT, [("etag", "\"1\"")], Json(told))
    });
    tokio::spawn(async { axum::serve(api, echo).await });
    let running = running_beside(&format!("http://{address}")).await;

    let request = running.client.patch(format!("{}/api/products/7?a=b%20c", running.url));
    let request = request.bearer_auth("token").header("origin", &running.url);
    let request = request.header("content-type", "application/json");
    let answer = request.body("{}").send().await.unwrap();

    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["etag"]),
        (418, &"\"1\"".parse().unwrap())
    );
    let told = answer.json::<Value>().await.unwrap();
    let expected = json!({
        "method": "PATCH", "uri": "/products/7?a=b%20c", "host": address, "origin": null,
        "authorization": "Bearer token", "body": "{}",
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_forwarded_page_runs_no_scripts_and_keeps_its_policy() {
    let api = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = api.local_addr().unwrap();
    let page = Router::new().fallback(async || {
        let headers =
            [("content-security-policy", "img-src 'none'"), ("content-type", "text/html")];
        (headers, "<script>alert(1)</script>")
    });
    tokio::spawn(async { axum::serve(api, page).await });
    let running = running_beside(&format!("http://{address}")).await;

    let answer = running.client.get(format!("{}/api/page", running.url)).send().await.unwrap();

    let policies = answer.headers().get_all("content-security-policy").iter();
    let policies: Vec<_> = policies.map(|policy| policy.to_str().unwrap()).collect();
    assert_eq!(policies, ["img-src 'none'", "sandbox"]);
}

#[tokio::test]
async fn an_api_that_does_not_listen_is_502_with_the_reason() {
    let closed = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let running = running_beside(&format!("http://{closed}")).await;
    let answer = running.client.get(format!("{}/api/products", running.url)).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    let reason = answer.json::<Value>().await.unwrap()["error"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("the API does not respond: "), "{reason}");
}
