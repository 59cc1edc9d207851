//! Forms, raw bodies and cookies of requests.

use super::*;
use crate::input::{Cookies, Form, RawBody};

#[derive(Debug, eserde::Deserialize, schemars::JsonSchema)]
struct SignUp {
    name: String,
    copies: u8,
}

#[derive(Debug, eserde::Deserialize, schemars::JsonSchema)]
struct Shown {
    theme: String,
}

/// Returns the fields of a form, with a cookie.
struct PostSignUp;

impl Query for PostSignUp {
    const ROUTE: Route = Route::post("/sign-ups");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const LIMIT: Limit = Limit::OFF;
    const RESOURCES: Resources = &[];
    type Input = (Cookies<Shown>, Form<SignUp>);
    type Command = (Shown, SignUp);
    type Facts = String;

    async fn retrieve(
        &self,
        _: &Permit<Anyone>,
        (shown, form): &(Shown, SignUp),
    ) -> Retrieved<String> {
        Ok(format!("{} for {} in {}", form.copies, form.name, shown.theme))
    }

    const ALLOW: Allow<Self> = Allow::Always;
    type Reply = reply::Ok<String>;

    fn reply(text: String) -> reply::Ok<String> {
        reply::Ok::of(text)
    }
}

/// Returns the media type and the bytes of a body.
struct PostUpload;

impl Query for PostUpload {
    const ROUTE: Route = Route::post("/uploads");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const LIMIT: Limit = Limit::OFF;
    const RESOURCES: Resources = &[];
    type Input = RawBody;
    type Command = RawBody;
    type Facts = String;

    async fn retrieve(&self, _: &Permit<Anyone>, body: &RawBody) -> Retrieved<String> {
        Ok(format!("{}: {:?}", body.content_type().unwrap_or("none"), body.bytes()))
    }

    const ALLOW: Allow<Self> = Allow::Always;
    type Reply = reply::Ok<String>;

    fn reply(text: String) -> reply::Ok<String> {
        reply::Ok::of(text)
    }
}

#[tokio::test]
async fn a_form_and_cookies_reach_the_endpoint() {
    let post_sign_up = endpoint(PostSignUp, &Memory::new());
    let request = Request::new()
        .cookie("theme", "dark")
        .cookie("other", 1)
        .form([("name", "Ada & Löw"), ("copies", "2")]);
    let answer = post_sign_up.ask(&request).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "data": "2 for Ada & Löw in dark" })));
    let unread = post_sign_up.ask(&request.json(&json!({ "name": "Ada" }))).await;
    assert_eq!(unread.status, 415);
}

#[tokio::test]
async fn the_bytes_and_the_media_type_of_a_body_reach_the_endpoint() {
    let post_upload = endpoint(PostUpload, &Memory::new());
    for (request, expected) in [
        (Request::new().body("text/csv", "a,b"), "text/csv: [97, 44, 98]"),
        (Request::new().body("image/png", b"\x89PNG"), "image/png: [137, 80, 78, 71]"),
        (Request::new(), "none: []"),
    ] {
        let answer = post_upload.ask(&request).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "data": expected })));
    }
}
