//! Every "no" of the API has its status, its code, and one shape.

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Api, PASSWORD, order_of, shared, unique, user};

/// The customer of the demo and their address.
const CUSTOMER: &str = "00000000-0000-7000-8000-000000000001";
const ADDRESS: &str = "00000000-0000-7000-8000-000000000201";

#[tokio::test]
async fn the_gateway_refuses_by_itself_what_needs_no_function() {
    let api = shared().await;
    let protected = [
        "POST /orders",
        "POST /addresses",
        "POST /products",
        "PATCH /products/1",
        "GET /users/1",
        "GET /rules",
        "PUT /rules",
    ];
    for route in protected {
        let (method, path) = route.split_once(' ').unwrap();
        let call = || api.call(method.parse().unwrap(), path);
        call().send().await.gateway(401, "Unauthorized");
        call().header("authorization", "").send().await.gateway(401, "Unauthorized");
        call().header("authorization", "Basic YTpi").send().await.gateway(401, "Unauthorized");
    }
    for (method, path) in [
        (Method::GET, "/nowhere"),
        (Method::DELETE, "/orders"),
        (Method::GET, "/users"),
        (Method::POST, "/healthcheck"),
    ] {
        api.call(method, path).send().await.gateway(404, "Not Found");
    }
    let large = api.call(Method::POST, "/users").body(vec![b' '; 10 * 1024 * 1024 + 1]);
    let large = large.header("content-type", "application/json").send().await;
    large.gateway(413, "Request Entity Too Large");
}

#[tokio::test]
async fn a_body_that_is_not_what_it_should_be_is_refused_before_it_is_read() {
    let api = shared().await;
    let text = user("ada@example.com").to_string();
    let with = |content_type: Option<&str>, body: Vec<u8>| {
        let call = api.call(Method::POST, "/users").body(body);
        content_type.into_iter().fold(call, |call, value| call.header("content-type", value))
    };

    let plain = with(Some("text/plain"), text.clone().into()).send().await;
    plain.error(415, "UNSUPPORTED_MEDIA_TYPE");
    with(None, text.clone().into()).send().await.error(415, "UNSUPPORTED_MEDIA_TYPE");
    let html = with(Some("application/json"), text.into()).header("accept", "text/html");
    html.send().await.error(406, "NOT_ACCEPTABLE");
    let large = with(Some("application/json"), vec![b'{'; 256 * 1024 + 1]).send().await;
    large.error(413, "PAYLOAD_TOO_LARGE");
    let just_not = with(Some("application/json"), vec![b'{'; 256 * 1024]).send().await;
    just_not.error(400, "INVALID_REQUEST");
    for broken in ["", "{", "[]", "null", "\"text\"", "{} {}", "\u{feff}{}"] {
        let answer = with(Some("application/json"), broken.into()).send().await;
        assert!(!answer.error_fields(400, "INVALID_REQUEST").is_empty(), "{broken:?}");
    }
    let not_utf8 = with(Some("application/json"), vec![b'"', 0xff, b'"']).send().await;
    not_utf8.error(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn all_violations_of_a_request_are_named_at_once_by_their_pointers() {
    let api = shared().await;
    let (customer, merchant) = (api.token("customer").await, api.token("merchant").await);
    let cases: Vec<(&str, &str, Value, &[&str])> = vec![
        ("/users", "", json!({}), &["/email", "/name", "/password"]),
        (
            "/users",
            "",
            json!({ "email": "nobody", "password": "short", "name": "", "userId": "1", "x": 1 }),
            &["/email", "/name", "/password", "/userId", "/x"],
        ),
        ("/sessions", "", json!({ "email": 1 }), &["/email", "/password"]),
        (
            "/addresses",
            &customer,
            json!({ "buildingNumber": 0, "streetName": "", "city": 7, "country": "XX" }),
            &["/buildingNumber", "/city", "/country", "/streetName"],
        ),
        (
            "/addresses",
            &customer,
            json!({ "buildingNumber": "44", "streetName": "S", "city": "C",
            "country": "US" }),
            &["/buildingNumber"],
        ),
        (
            "/products",
            &merchant,
            json!({ "name": "", "description": null, "discount": 100, "stock": -1,
                "price": { "amount": "1", "currency": "EURO", "cents": 1 } }),
            &[
                "/description",
                "/discount",
                "/name",
                "/price/amount",
                "/price/cents",
                "/price/currency",
                "/stock",
            ],
        ),
        (
            "/products",
            &merchant,
            json!({ "name": "N", "description": "", "discount": 1.5,
            "stock": 1e3, "price": { "amount": -1, "currency": "EUR" } }),
            &["/discount", "/price/amount", "/stock"],
        ),
        (
            "/orders",
            &customer,
            json!({ "items": [{ "productId": "x", "quantity": 0 }, { "quantity": "1" }, 3],
                "paymentMethod": "card", "orderId": 5 }),
            &[
                "/addressId",
                "/items/0/productId",
                "/items/0/quantity",
                "/items/1/productId",
                "/items/1/quantity",
                "/items/2",
                "/orderId",
                "/paymentMethod",
                "header.Idempotency-Key",
            ],
        ),
    ];
    for (path, token, body, fields) in cases {
        let call = api.post(path, &body);
        let call = if token.is_empty() { call } else { call.token(token) };
        let answer = call.send().await;
        assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), fields, "{path} {body}");
    }
}

#[tokio::test]
async fn an_order_has_one_to_twenty_five_different_items() {
    let api = shared().await;
    let customer = api.token("customer").await;
    let item = |id: Uuid| json!({ "productId": id, "quantity": 1 });
    let order = |items: Vec<Value>| json!({ "items": items, "addressId": ADDRESS, "paymentMethod": "CARD" });
    let many: Vec<_> = (0..26).map(|_| item(Uuid::new_v4())).collect();
    let twice = vec![item(Uuid::nil()), item(Uuid::nil())];
    for (items, field) in [(vec![], "/items"), (many, "/items"), (twice, "/items/1/productId")] {
        let answer = api.order(&customer, &unique("key"), &order(items)).send().await;
        assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), [field]);
    }
}

#[tokio::test]
async fn a_bad_path_and_a_bad_header_are_named_like_fields() {
    let api = shared().await;
    let customer = api.token("customer").await;
    let order = order_of(CUSTOMER, 1, ADDRESS);
    let long = "k".repeat(256);
    let cases = [
        (api.get("/products/not-an-id").send().await, "path.productId"),
        (api.get("/users/1").token(&customer).send().await, "path.userId"),
        (api.post("/orders", &order).token(&customer).send().await, "header.Idempotency-Key"),
        (api.order(&customer, &long, &order).send().await, "header.Idempotency-Key"),
        (api.order(&customer, "a b", &order).send().await, "header.Idempotency-Key"),
    ];
    for (answer, field) in cases {
        assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), [field]);
    }
}

#[tokio::test]
async fn a_role_that_is_missing_is_403_and_what_may_not_be_known_is_404() {
    let api = shared().await;
    let (customer, admin) = (api.token("customer").await, api.token("admin").await);
    api.post("/products", &json!({})).token(&customer).send().await.error(403, "FORBIDDEN");
    let gold = "/users/00000000-0000-7000-8000-000000000002";
    api.get(gold).token(&customer).send().await.error(404, "NOT_FOUND");
    let nobody = format!("/users/{}", Uuid::new_v4());
    api.get(&nobody).token(&customer).send().await.error(404, "NOT_FOUND");
    api.get(&nobody).token(&admin).send().await.error(404, "NOT_FOUND");
    assert_eq!(api.get(gold).token(&admin).send().await.data(200)["tier"], "GOLD");
    let own = api.get(&format!("/users/{CUSTOMER}")).token(&customer).send().await.data(200);
    assert_eq!(own["email"], "customer@example.com");
    let unknown = api.get(&format!("/products/{}", Uuid::new_v4())).send().await;
    unknown.error(404, "NOT_FOUND");
}

#[tokio::test]
async fn what_is_taken_is_a_conflict_at_its_field() {
    let api = shared().await;
    let (customer, merchant) = (api.token("customer").await, api.token("merchant").await);
    let taken = api.post("/users", &user("Customer@Example.COM")).send().await;
    assert_eq!(taken.error_fields(409, "EMAIL_TAKEN"), ["/email"], "case makes no other address");

    let mut with_id = user(&format!("{}@example.com", unique("eve")));
    with_id["userId"] = CUSTOMER.into();
    let taken = api.post("/users", &with_id).send().await;
    assert_eq!(taken.error_fields(409, "ID_TAKEN"), ["/userId"]);

    let lamp = json!({ "name": "Desk lamp", "description": "", "discount": 0, "stock": 1,
        "price": { "amount": 1, "currency": "EUR" } });
    let taken = api.post("/products", &lamp).token(&merchant).send().await;
    assert_eq!(taken.error_fields(409, "NAME_TAKEN"), ["/name"]);

    let address = json!({ "addressId": ADDRESS, "buildingNumber": 1, "streetName": "S",
        "city": "C", "country": "DE" });
    let taken = api.post("/addresses", &address).token(&customer).send().await;
    assert_eq!(taken.error_fields(409, "ID_TAKEN"), ["/addressId"]);
}

#[tokio::test]
async fn an_order_that_breaks_a_rule_is_422_and_names_every_item() {
    let api = shared().await;
    let (customer, merchant) = (api.token("customer").await, api.token("merchant").await);
    let product = api.new_product(&merchant, 3).await;
    let (unknown, other) = (Uuid::new_v4().to_string(), Uuid::new_v4());
    let of_merchant = api.new_address(&merchant).await;
    let mut two_unknown = order_of(&unknown, 1, ADDRESS);
    two_unknown["items"] = json!([
        { "productId": other, "quantity": 1 }, { "productId": product, "quantity": 1 },
        { "productId": unknown, "quantity": 1 },
    ]);
    let cases: [(Value, &str, &[&str]); 4] = [
        (order_of(&product, 4, ADDRESS), "OUT_OF_STOCK", &["/items/0/quantity"]),
        (two_unknown, "PRODUCT_UNKNOWN", &["/items/0/productId", "/items/2/productId"]),
        (order_of(&product, 1, &of_merchant), "ADDRESS_UNKNOWN", &["/addressId"]),
        (order_of(&product, 1, &unknown), "ADDRESS_UNKNOWN", &["/addressId"]),
    ];
    for (order, code, fields) in cases {
        let answer = api.order(&customer, &unique("key"), &order).send().await;
        assert_eq!(answer.error_fields(422, code), fields);
    }
    let shown = api.get(&format!("/products/{product}")).send().await.data(200);
    assert_eq!(shown["stock"], 3, "a refused order takes nothing");
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_caller() {
    let api = shared().await;
    let (customer, merchant) = (api.token("customer").await, api.token("merchant").await);
    let (product, key) = (api.new_product(&merchant, 9).await, unique("key"));
    let order = order_of(&product, 1, ADDRESS);
    let first = api.order(&customer, &key, &order).send().await.data(201);

    let other = api.order(&customer, &key, &order_of(&product, 2, ADDRESS)).send().await;
    other.error(422, "IDEMPOTENCY_KEY_REUSED");
    let of_merchant = order_of(&product, 1, &api.new_address(&merchant).await);
    let theirs = api.order(&merchant, &key, &of_merchant).send().await.data(201);
    assert_ne!(theirs["orderId"], first["orderId"], "another caller's key is another key");

    let mut lamp = json!({ "name": unique("Lamp"), "description": "", "discount": 0, "stock": 1,
        "price": { "amount": 1, "currency": "EUR" } });
    let offer = async |product: &Value| -> Answer {
        api.post("/products", product).token(&merchant).key(&key).send().await
    };
    let created = offer(&lamp).await;
    let replayed = offer(&lamp).await;
    assert_eq!((replayed.status, &replayed.body), (201, &created.body));
    assert_eq!(replayed.header("idempotency-replayed"), "true");
    lamp["stock"] = 2.into();
    offer(&lamp).await.error(422, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_alike() {
    let api = shared().await;
    let known = format!("{}@example.com", unique("ada"));
    api.post("/users", &user(&known)).send().await.data(201);
    let unknown = format!("{}@example.com", unique("eve"));
    let sign_in = async |email: &str| {
        let credentials = json!({ "email": email, "password": format!("not-{PASSWORD}") });
        let answer = api.post("/sessions", &credentials).send().await;
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
        let mut error = answer.error(401, "CREDENTIALS_WRONG");
        error["traceId"].take();
        error
    };
    assert_eq!(sign_in(&known).await, sign_in(&unknown).await);
}

#[tokio::test]
async fn the_token_of_a_mail_is_good_for_its_user_alone() {
    let api = shared().await;
    let path = format!("/users/{}/verification", Uuid::new_v4());
    for path in [path.as_str(), "/users/00000000-0000-7000-8000-000000000001/verification"] {
        let answer = api.put(path, &json!({ "token": "a-guess" })).send().await;
        answer.error(410, "VERIFICATION_SPENT");
    }
    let answer = api.put("/users/x/verification", &json!({})).send().await;
    assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), ["/token", "path.userId"]);
}

#[tokio::test]
async fn a_request_id_is_taken_if_it_can_be_and_minted_if_not() {
    let api = shared().await;
    let ask = async |id: &str| {
        let answer = api.get("/products/x").header("x-request-id", id).send().await;
        answer.error(400, "INVALID_REQUEST");
        answer.header("x-request-id").to_owned()
    };
    let longest = "i".repeat(128);
    for id in ["1", "client:42/a_b~c", longest.as_str()] {
        assert_eq!(ask(id).await, id);
    }
    for id in ["two words", &"i".repeat(129), ""] {
        let minted = ask(id).await;
        assert_eq!(Uuid::parse_str(&minted).unwrap().get_version_num(), 7, "{id:?}");
    }
}

#[tokio::test]
async fn problem_details_tell_the_same_to_those_who_ask_for_them() {
    let api = shared().await;
    let ask = async |api: &Api, accept: &str| -> Answer {
        let call = api.post("/users", &json!({ "email": 1 })).header("accept", accept);
        call.header("x-request-id", "r-1").send().await
    };
    let problem = ask(&api, "application/problem+json").await;
    assert_eq!((problem.status, problem.header("content-type")), (400, "application/problem+json"));
    let plain = ask(&api, "application/json").await.error(400, "INVALID_REQUEST");
    let expected = json!({
        "type": "about:blank", "title": "Bad Request", "status": 400,
        "detail": plain["message"], "instance": "/users", "code": "INVALID_REQUEST",
        "traceId": "r-1", "errors": plain["details"],
    });
    assert_eq!(problem.json(), expected);
}
