//! Callers of API Gateway's own authorizers, and cookies of a response.

use http::{HeaderValue, header};

use super::*;
use crate::caller::{Authorizer, Claims, Identity};

/// A caller that API Gateway itself has authenticated.
#[derive(Debug, Clone)]
struct Member<const BY_IAM: bool>(String);

impl<const BY_IAM: bool> Identity for Member<BY_IAM> {
    type Role = NoRole;
    const AUTHORIZER: Authorizer = if BY_IAM { Authorizer::Iam } else { Authorizer::Jwt };

    fn from_claims(claims: &Claims) -> Option<Self> {
        let name = if BY_IAM { claims.get("iam")?.get("userArn") } else { claims.get("sub") };
        Some(Self(name?.as_str()?.to_owned()))
    }

    fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(2_000_000_000_000)
    }

    fn subject(&self) -> String {
        self.0.clone()
    }

    fn has(&self, role: NoRole) -> bool {
        match role {}
    }
}

/// The name of the caller, with two cookies.
struct GetName<const BY_IAM: bool>;

impl<const BY_IAM: bool> Query for GetName<BY_IAM> {
    const ROUTE: Route = Route::get("/name");
    type Caller = Member<BY_IAM>;
    const ACCESS: Access<NoRole> = Access::SignedIn;
    const RESOURCES: Resources = &[];
    type Input = ();
    type Command = ();
    type Facts = String;

    async fn retrieve(&self, permit: &Permit<Member<BY_IAM>>, (): &()) -> Retrieved<String> {
        Ok(permit.caller().0.clone())
    }

    const ALLOW: Allow<Self> = Allow::Always;
    type Reply = reply::Ok<String>;

    fn reply(name: String) -> reply::Ok<String> {
        let cookie = |value| (header::SET_COOKIE, HeaderValue::from_static(value));
        let cookies = [cookie("a=1; Path=/"), cookie("b=2")];
        let reply = reply::Ok::of(name);
        cookies.into_iter().fold(reply, |reply, (name, value)| reply.header(name, value))
    }
}

#[tokio::test]
async fn a_caller_is_read_from_the_authorizer_that_its_type_names() {
    let memory = Memory::new();
    let (by_jwt, by_iam) =
        (endpoint(GetName::<false>, &memory), endpoint(GetName::<true>, &memory));
    let ann = Request::new().by(json!({ "sub": "ann" }));
    let role = Request::new().by(json!({ "iam": { "userArn": "arn:aws:iam::1:role/r" } }));
    let answers = [by_jwt.ask(&ann).await, by_iam.ask(&role).await];
    let names = answers.map(|answer| answer.json()["data"].clone());
    assert_eq!(names, ["ann", "arn:aws:iam::1:role/r"]);
    for refused in [
        by_jwt.ask(&role).await,
        by_iam.ask(&ann).await,
        by_jwt.ask(&Request::new()).await,
        by_iam.ask(&Request::new()).await,
    ] {
        assert_eq!(refused.status, 401);
    }
}

#[tokio::test]
async fn an_answer_has_each_cookie_apart_from_the_headers() {
    let ann = Request::new().by(json!({ "sub": "ann" }));
    let answer = endpoint(GetName::<false>, &Memory::new()).ask(&ann).await;
    assert_eq!(answer.cookies, ["a=1; Path=/", "b=2"]);
    assert_eq!(answer.header("set-cookie"), None);
}
