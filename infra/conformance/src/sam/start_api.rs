//! `sam local start-api`: routes and authorizer in front of the real binaries.

use fs_err::File;
use std::process::Stdio;
use std::str::FromStr;
use std::time::{Duration, Instant};
use tooling::context::Context;
use tooling::{Error, say};
use tooling_async::child;

use demo::seed::{SILENT_ISSUER, token_in_the_name_of};
use hyper::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::ground::Ground;
use super::project::Project;

/// The time limit for SAM's start.
const START_LIMIT: Duration = Duration::from_mins(1);

/// A request's name, method, path, token, body and expected status.
type Case<'a> = (&'a str, Method, &'a str, Option<&'a str>, Option<&'a Value>, u16);

pub(super) async fn check(ground: &Ground, project: &Project) -> Result<(), Error> {
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port().to_string();
    let log = project.log();
    let mut sam = project
        .sam_local(&["start-api", "--port", &port, "--warm-containers", "LAZY"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?.into_parts().0)
        .spawn()
        .context(|| "sam local start-api")?;
    let checked = requests(ground, &port).await;
    let checked = checked.map_err(|error| format!("{error}; see {}", log.display()).into());
    // On its end, it ends its containers.
    let ended = child::end(&mut sam).await;
    checked.and(ended)
}

async fn requests(ground: &Ground, port: &str) -> Result<(), Error> {
    let begun = Instant::now();
    let address = format!("127.0.0.1:{port}");
    while TcpStream::connect(&address).await.is_err() {
        if begun.elapsed() > START_LIMIT {
            return Err("sam local start-api does not listen".into());
        }
        sleep(Duration::from_millis(100)).await;
    }
    let token = ground.token("customer").await?;
    let own = format!("/users/{}", demo::seed::demo_id(1));
    let sighting = json!({ "object_ids": [1, 2] });
    let cases: [Case<'_>; 4] = [
        ("open", Method::GET, "/healthcheck", None, None, 200),
        ("open, with a body and a queue", Method::POST, "/callback", None, Some(&sighting), 202),
        ("signed in", Method::GET, &own, Some(&token), None, 200),
        ("signed in, without the role", Method::GET, "/orders", Some(&token), None, 403),
    ];
    say("| sam local start-api | request | status |\n|---|---|---|");
    for (what, method, path, token, body, expected) in cases {
        let url = format!("http://{address}{path}");
        let answer = ground.client.call(method.clone(), &url, token, body).await?;
        say(&format!("| {what} | {method} {path} | {} |", answer.status.as_u16()));
        if answer.status != StatusCode::from_u16(expected)? {
            return Err(format!("{what}: not {expected}, but {answer:?}").into());
        }
    }
    walk(ground, &address).await
}

/// Calls every route that needs a token without one, with a wrong one, and with an unverifiable
/// one.
async fn walk(ground: &Ground, address: &str) -> Result<(), Error> {
    let unavailable = token_in_the_name_of(SILENT_ISSUER);
    let routes = ground.template.apis.iter().flat_map(|api| &api.routes);
    for route in routes.filter(|route| route.authorizer.is_some()) {
        let segments = route.path.split('/');
        let segments = segments.map(|it| if it.starts_with('{') { "1" } else { it });
        let path = segments.collect::<Vec<_>>().join("/");
        for (what, token, status, code, header) in [
            ("without a token", None, 401, None, None),
            (
                "with a wrong token",
                Some("a.b.c"),
                401,
                Some("UNAUTHORIZED"),
                Some(WWW_AUTHENTICATE),
            ),
            (
                "with a token that cannot be verified",
                Some(&*unavailable),
                503,
                Some("SERVICE_UNAVAILABLE"),
                Some(RETRY_AFTER),
            ),
        ] {
            let (method, url) =
                (Method::from_str(&route.method)?, format!("http://{address}{path}"));
            let answer = ground.client.call(method, &url, token, None).await?;
            say(&format!("| {what} | {} {path} | {} |", route.method, answer.status.as_u16()));
            let body: Value = serde_json::from_slice(&answer.body)?;
            let is_as_expected = answer.status.as_u16() == status
                && body["error"]["code"].as_str() == code
                && header.is_none_or(|name| answer.headers.contains_key(name));
            if !is_as_expected {
                return Err(format!("{} {path} {what}: {answer:?}", route.method).into());
            }
        }
    }
    Ok(())
}
