//! `If-Match` and `If-None-Match`, on every method that changes something.

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Api, eventually, home, lamp, new_product, order_of, shared_platform, unique, unique_email,
    user, when,
};

#[tokio::test]
async fn an_order_is_cancelled_only_with_its_current_version() {
    let api = shared_platform().await;
    let token = api.token("customer").await;
    let product = new_product(&api.person("merchant").await, 5).await;
    let placed = api.order(&token, &unique("key"), &order_of(product, 1)).send().await;
    let path = placed.header("location").to_owned();
    let pending = placed.header("etag").to_owned();
    assert_ne!(pending, "", "{placed:?}");
    let see = async || api.get(&path).token(&token).send().await;
    let approved = eventually("the order to be approved", async || {
        let seen = see().await;
        when(seen, |seen| seen.data(200)["status"] == "APPROVED")
    })
    .await;
    let tag = approved.header("etag").to_owned();
    assert_ne!(tag, pending);

    let delete =
        |name: &str, value: &str| api.delete(&path).token(&token).header(name, value).send();
    for stale in ["\"not-this-one\"", pending.as_str(), &format!("W/{tag}")] {
        delete("if-match", stale).await.error(412, "PRECONDITION_FAILED");
    }
    for known in ["*", tag.as_str()] {
        delete("if-none-match", known).await.error(412, "PRECONDITION_FAILED");
    }
    delete("if-match", "not-quoted").await.error(400, "INVALID_REQUEST");
    assert_eq!(see().await.data(200)["status"], "APPROVED");
    assert_eq!(delete("if-match", &tag).await.status, 204);
}

#[tokio::test]
async fn a_change_with_a_failed_condition_is_412_and_changes_nothing() {
    let api = shared_platform().await;
    let (admin, merchant) = (api.token("admin").await, api.token("merchant").await);
    let (writer, editor) = (api.token("writer").await, api.token("editor").await);
    let product = new_product(&api.person("merchant").await, 5).await;
    let product = format!("/products/{product}");
    let draft = json!({ "title": "How lamps shine", "content": "They glow." });
    let article = api.post("/articles", &draft).token(&writer).send().await;
    let article = article.header("location").to_owned();
    let mut rules = api.get("/rules").token(&admin).send().await.data(200);
    rules.as_object_mut().unwrap().remove("version");

    let calls = || {
        [
            (api.patch(&product, &json!({ "stock": 9 })), &merchant),
            (api.patch(&article, &json!({ "content": "They shine." })), &writer),
            (api.call(Method::PUT, &format!("{article}/approvals/me")), &editor),
            (api.call(Method::POST, &format!("{article}/share-links")), &writer),
            (api.put("/rules", &rules), &admin),
        ]
    };
    for (name, value) in [("if-none-match", "*"), ("if-match", "\"not-this-one\"")] {
        for (call, token) in calls() {
            let answer = call.token(token).header(name, value).send().await;
            answer.error(412, "PRECONDITION_FAILED");
        }
    }
    let tag = api.get(&product).send().await.header("etag").to_owned();
    let own = api.patch(&product, &json!({ "stock": 9 })).token(&merchant);
    own.header("if-none-match", &tag).send().await.error(412, "PRECONDITION_FAILED");
    assert_eq!(api.get(&article).token(&writer).send().await.data(200)["content"], "They glow.");
}

#[tokio::test]
async fn a_creation_with_a_failed_condition_is_412_and_creates_nothing() {
    let api = shared_platform().await;
    for (path, body, token) in creations(&api).await {
        for value in ["\"1\"", "*"] {
            let call = api.post(path, &body).key(&unique("key")).header("if-match", value);
            let call = if let Some(token) = &token { call.token(token) } else { call };
            call.send().await.error(412, "PRECONDITION_FAILED");
        }
        for (name, value, status) in
            [("if-none-match", "*", 201), ("if-none-match", "*", 412), ("x-other", "*", 409)]
        {
            let mut body = body.clone();
            // An unverified account loses its address to the next sign-up.
            if body.get("email").is_some() {
                body["email"] = json!(unique_email());
            }
            let call = api.post(path, &body).key(&unique("key")).header(name, value);
            let call = if let Some(token) = &token { call.token(token) } else { call };
            let answer = call.send().await;
            assert_eq!(answer.status, status, "{path} {name}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn an_id_in_use_is_409_and_reveals_nothing_of_its_resource() {
    let api = shared_platform().await;
    for (path, body, token) in creations(&api).await {
        let mut answers = Vec::new();
        for _ in 0..2 {
            let mut body = body.clone();
            // Other unique fields are new each time.
            for (field, value) in [("email", unique_email()), ("name", unique("Lamp"))] {
                if body.get(field).is_some() {
                    body[field] = json!(value);
                }
            }
            let call = api.post(path, &body).key(&unique("key"));
            let call = if let Some(token) = &token { call.token(token) } else { call };
            answers.push(call.send().await);
        }
        assert_eq!(answers[0].status, 201, "{path}: {:?}", answers[0]);
        let error = answers[1].error(409, "ID_TAKEN");
        let details = error["details"].as_array().unwrap();
        assert_eq!((details.len(), &details[0]["message"]), (1, &json!("is in use")), "{path}");
        assert_eq!(answers[1].header("location"), "");
        assert_eq!(answers[1].header("etag"), "");
    }
}

#[tokio::test]
async fn if_match_on_a_request_that_stores_no_resource_is_412() {
    let api = shared_platform().await;
    let email = unique_email();
    for (path, body) in [
        ("/sessions", json!({ "email": email, "password": "wrong-horse-battery" })),
        ("/verification-emails", json!({ "email": email })),
        ("/callback", json!({ "object_ids": [1] })),
    ] {
        for value in ["*", "\"1\""] {
            let answer = api.post(path, &body).header("if-match", value).send().await;
            answer.error(412, "PRECONDITION_FAILED");
        }
    }
}

#[tokio::test]
async fn a_get_whose_if_match_names_another_version_is_412() {
    let api = shared_platform().await;
    let path = "/products/00000000-0000-7000-8000-000000000102";
    let tag = api.get(path).send().await.header("etag").to_owned();
    api.get(path).header("if-match", "\"x\"").send().await.error(412, "PRECONDITION_FAILED");
    api.get(path).header("if-match", &tag).send().await.data(200);
    api.get(path).header("if-match", "*").send().await.data(200);
}

/// Requests that create a resource under an id from the client: path, body and token.
async fn creations(api: &Api) -> Vec<(&'static str, Value, Option<String>)> {
    let id = || json!(Uuid::new_v4());
    let customer = api.token("customer").await;
    let product = new_product(&api.person("merchant").await, 50).await;
    let with = |mut body: Value, name: &str| {
        body[name] = id();
        body
    };
    let draft = json!({ "title": "How lamps shine", "content": "They glow." });
    let order = with(json!(order_of(product, 1)), "orderId");
    vec![
        ("/users", with(json!(user(&unique_email())), "userId"), None),
        ("/addresses", with(json!(home()), "addressId"), Some(customer.clone())),
        ("/products", with(json!(lamp(9)), "productId"), Some(api.token("merchant").await)),
        ("/articles", with(draft, "articleId"), Some(api.token("writer").await)),
        ("/orders", order, Some(customer)),
    ]
}
