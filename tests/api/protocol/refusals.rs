//! Error responses of the API: each has its status, its code, and the common shape.

use client::NewUser;
use domain::catalogue::{ProductDraft, Stock};
use domain::orders::OrderDraft;
use domain::people::{AddressDraft, Tier};
use http::Method;
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::harness::{
    ADDRESS, Api, ApiResponse, CUSTOMER, PASSWORD, Refused, home, lamp, new_address, new_product,
    order_of, read, shared_platform, unique, unique_email, user,
};

/// Some of the routes that require a sign-in.
const PROTECTED: [(Method, &str); 7] = [
    (Method::POST, "/orders"),
    (Method::POST, "/addresses"),
    (Method::POST, "/products"),
    (Method::PATCH, "/products/1"),
    (Method::GET, "/users/1"),
    (Method::GET, "/rules"),
    (Method::PUT, "/rules"),
];

#[tokio::test]
async fn the_gateway_refuses_missing_tokens_and_unknown_routes_itself() {
    let api = shared_platform().await;
    for (method, path) in PROTECTED {
        let call = || api.call(method.clone(), path);
        call().send().await.gateway(401, "Unauthorized");
        call().header("authorization", "").send().await.gateway(401, "Unauthorized");
    }
    for (method, path) in [
        (Method::GET, "/nowhere"),
        (Method::DELETE, "/orders"),
        (Method::GET, "/users"),
        (Method::POST, "/healthcheck"),
    ] {
        api.call(method, path).send().await.gateway(404, "Not Found");
    }
}

#[tokio::test]
async fn a_body_over_10_mb_is_413_and_reaches_no_function() {
    let api = shared_platform().await;
    let large = api.call(Method::POST, "/users").body(vec![b' '; 10 * 1024 * 1024 + 1]);
    let large = large.header("content-type", "application/json").send().await;
    large.gateway(413, "Request Entity Too Large");
}

#[tokio::test]
async fn a_foreign_or_malformed_token_is_401_with_a_challenge() {
    const NO_TOKEN: &str = "Bearer realm=\"api\"";
    const NO_TOKEN_OF_OURS: &str = "Bearer realm=\"api\", error=\"invalid_token\"";
    let api = shared_platform().await;
    for (method, path) in PROTECTED {
        for (shown, challenge) in
            [("Basic YTpi", NO_TOKEN), ("Bearer", NO_TOKEN), ("Bearer a.b.c", NO_TOKEN_OF_OURS)]
        {
            let call = api.call(method.clone(), path).header("authorization", shown);
            let answer = call.send().await;
            answer.error(401, "UNAUTHORIZED");
            assert_eq!(answer.header("www-authenticate"), challenge, "{method} {path} {shown}");
        }
    }
}

#[tokio::test]
async fn a_body_of_a_wrong_type_size_or_syntax_is_415_413_or_400() {
    let api = shared_platform().await;
    let text = json!(user("ada@example.com")).to_string();
    let with = |content_type: Option<&str>, body: Vec<u8>| {
        let call = api.call(Method::POST, "/users").body(body);
        content_type.into_iter().fold(call, |call, value| call.header("content-type", value))
    };

    let plain = with(Some("text/plain"), text.clone().into()).send().await;
    plain.error(415, "UNSUPPORTED_MEDIA_TYPE");
    with(None, text.clone().into()).send().await.error(415, "UNSUPPORTED_MEDIA_TYPE");
    let html = with(Some("application/json"), text.into()).header("accept", "text/html");
    html.send().await.error(406, "NOT_ACCEPTABLE");
    let large = with(Some("application/json"), vec![b'{'; 8 * 1024 + 1]).send().await;
    large.error(413, "PAYLOAD_TOO_LARGE");
    let just_not = with(Some("application/json"), vec![b'{'; 8 * 1024]).send().await;
    just_not.error(400, "INVALID_REQUEST");
    for broken in ["", "{", "[]", "null", "\"text\"", "{} {}", "\u{feff}{}"] {
        let answer = with(Some("application/json"), broken.into()).send().await;
        assert!(!answer.error_fields(400, "INVALID_REQUEST").is_empty(), "{broken:?}");
    }
    let not_utf8 = with(Some("application/json"), vec![b'"', 0xff, b'"']).send().await;
    not_utf8.error(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn all_violations_of_a_request_are_400_with_their_pointers() {
    let api = shared_platform().await;
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
            "stock": 1e30, "price": { "amount": -1, "currency": "EUR" } }),
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
async fn an_order_without_1_to_25_different_items_is_400() {
    let api = shared_platform().await;
    let customer = api.token("customer").await;
    let item = |id: Uuid| json!({ "productId": id, "quantity": 1 });
    let order = |items: Vec<Value>| json!({ "items": items, "addressId": ADDRESS, "paymentMethod": "CARD" });
    let many: Vec<_> = (0..26).map(|_| item(Uuid::new_v4())).collect();
    let twice = vec![item(Uuid::nil()), item(Uuid::nil())];
    for (items, field) in [(vec![], "/items"), (many, "/items"), (twice, "/items/1/productId")] {
        let call = api.post("/orders", &order(items)).token(&customer);
        let answer = call.header("idempotency-key", &unique("key")).send().await;
        assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), [field]);
    }
}

#[tokio::test]
async fn an_invalid_path_or_header_is_400_and_named_like_a_field() {
    let api = shared_platform().await;
    let customer = api.token("customer").await;
    let order = order_of(Uuid::nil().into(), 1);
    let long = "k".repeat(256);
    let cases = [
        (api.get("/products/not-an-id").send().await, "path.productId"),
        (api.get("/users/1").token(&customer).send().await, "path.userId"),
        (
            api.post("/orders", &json!(order)).token(&customer).send().await,
            "header.Idempotency-Key",
        ),
        (api.order(&customer, &long, &order).send().await, "header.Idempotency-Key"),
        (api.order(&customer, "a b", &order).send().await, "header.Idempotency-Key"),
    ];
    for (answer, field) in cases {
        assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), [field]);
    }
}

#[tokio::test]
async fn a_missing_role_is_403_and_a_hidden_resource_is_404() {
    let api = shared_platform().await;
    let (customer, admin) = (api.person("customer").await, api.person("admin").await);
    customer.post_product(&lamp(1), None).await.refused(403, "FORBIDDEN");
    let gold = uuid!("00000000-0000-7000-8000-000000000002").into();
    customer.get_user(gold).await.refused(404, "NOT_FOUND");
    let nobody = Uuid::new_v4().into();
    customer.get_user(nobody).await.refused(404, "NOT_FOUND");
    admin.get_user(nobody).await.refused(404, "NOT_FOUND");
    assert_eq!(admin.get_user(gold).await.unwrap().data.tier, Tier::Gold);
    let own = customer.get_user(CUSTOMER.into()).await.unwrap().data;
    assert_eq!(own.email.as_str(), "customer@example.com");
    api.client().get_product(Uuid::new_v4().into()).await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_taken_email_name_or_id_is_409_with_its_field() {
    let api = shared_platform().await;
    let (customer, merchant) = (api.person("customer").await, api.person("merchant").await);
    let taken = api.client().post_user(&user("Customer@Example.COM"), None).await;
    assert_eq!(
        taken.refused_fields(409, "EMAIL_TAKEN"),
        ["/email"],
        "an address in other case is the same"
    );

    let with_id = NewUser { user_id: Some(CUSTOMER.into()), ..user(&unique_email()) };
    let taken = api.client().post_user(&with_id, None).await;
    assert_eq!(taken.refused_fields(409, "ID_TAKEN"), ["/userId"]);

    for name in
        ["Desk lamp", " DESK  LAMP", "Desk\u{A0}lamp", "De\u{AD}sk lamp", "\u{FF24}esk lamp"]
    {
        let draft = ProductDraft { name: read(json!(name)), ..lamp(1) };
        let taken = merchant.post_product(&draft, None).await;
        assert_eq!(taken.refused_fields(409, "NAME_TAKEN"), ["/name"], "{name:?}");
    }

    let address = AddressDraft { address_id: Some(ADDRESS.into()), ..home() };
    let taken = customer.post_address(&address, None).await;
    assert_eq!(taken.refused_fields(409, "ID_TAKEN"), ["/addressId"]);
}

#[tokio::test]
async fn a_name_with_invisible_characters_is_400_at_its_field() {
    let api = shared_platform().await;
    let merchant = api.token("merchant").await;
    let offer = async |name: &str| {
        let mut product = json!(lamp(1));
        product["name"] = json!(name);
        api.post("/products", &product).token(&merchant).send().await
    };
    for name in [
        "Kettle\u{FFFF}",
        "Kettle\u{202E}",
        "Kettle\u{2028}",
        "Kettle\u{FDD0}",
        "Kettle\u{E0041}",
        "Kettle\n",
        "\u{FEFF}",
        "\u{200B}\u{200B}",
        "\u{3164}",
    ] {
        let refused = offer(name).await;
        assert_eq!(refused.error_fields(400, "INVALID_REQUEST"), ["/name"], "{name:?}");
    }
    let name = unique("\u{645}\u{6CC}\u{200C}\u{6A9}\u{646}\u{645} Cafe\u{301}");
    let kept = offer(&format!(" {name} ")).await.data(201);
    assert_eq!(kept["name"], json!(name.replace("e\u{301}", "\u{E9}")));
}

#[tokio::test]
async fn an_order_that_breaks_a_rule_is_422_and_names_every_item() {
    let api = shared_platform().await;
    let (customer, merchant) = (api.person("customer").await, api.person("merchant").await);
    let product = new_product(&merchant, 3).await;
    let unknown = Uuid::new_v4();
    let sent_to = |address_id| OrderDraft { address_id, ..order_of(product, 1) };
    let of_merchant = new_address(&merchant).await;
    let mut two_unknown = order_of(Uuid::new_v4().into(), 1);
    for product in [product, unknown.into()] {
        two_unknown.items.extend(order_of(product, 1).items);
    }
    let cases: [(OrderDraft, &str, &[&str]); 4] = [
        (order_of(product, 4), "OUT_OF_STOCK", &["/items/0/quantity"]),
        (two_unknown, "PRODUCT_UNKNOWN", &["/items/0/productId", "/items/2/productId"]),
        (sent_to(of_merchant), "ADDRESS_UNKNOWN", &["/addressId"]),
        (sent_to(unknown.into()), "ADDRESS_UNKNOWN", &["/addressId"]),
    ];
    for (order, code, fields) in cases {
        let refused = customer.create_order(&order, None).await;
        assert_eq!(refused.refused_fields(422, code), fields);
    }
    let shown = api.client().get_product(product).await.unwrap().data;
    assert_eq!(shown.stock.get(), 3, "a refused order takes nothing");
}

#[tokio::test]
async fn a_key_reused_for_another_request_of_its_caller_is_422() {
    let api = shared_platform().await;
    let (customer, merchant) = (api.person("customer").await, api.person("merchant").await);
    let (product, key) = (new_product(&merchant, 9).await, unique("key"));
    let first = customer.create_order(&order_of(product, 1), Some(&key)).await.unwrap().data;

    let other = customer.create_order(&order_of(product, 2), Some(&key)).await;
    other.refused(422, "IDEMPOTENCY_KEY_REUSED");
    let address_id = new_address(&merchant).await;
    let theirs = OrderDraft { address_id, ..order_of(product, 1) };
    let theirs = merchant.create_order(&theirs, Some(&key)).await.unwrap().data;
    assert_ne!(theirs.order_id, first.order_id, "another caller's key is another key");

    let lamp = lamp(1);
    let created = merchant.post_product(&lamp, Some(&key)).await.unwrap();
    let replayed = merchant.post_product(&lamp, Some(&key)).await.unwrap();
    assert_eq!((replayed.is_replayed(), replayed.data), (true, created.data));
    let more = ProductDraft { stock: Stock::MAX, ..lamp };
    merchant.post_product(&more, Some(&key)).await.refused(422, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_401() {
    let api = shared_platform().await;
    let (known, unknown) = (unique_email(), unique_email());
    api.client().post_user(&user(&known), None).await.unwrap();
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
async fn a_guessed_mail_token_is_410_for_every_user() {
    let api = shared_platform().await;
    for somebody in [Uuid::new_v4(), CUSTOMER] {
        let answer = api.client().put_verification(somebody.into(), "a-guess", PASSWORD).await;
        answer.refused(410, "VERIFICATION_SPENT");
        let answer = api.client().put_password(somebody.into(), "a-guess", "another-long-password");
        answer.await.refused(410, "PASSWORD_RESET_SPENT");
    }
    let answer = api.put("/users/x/verification", &json!({})).send().await;
    assert_eq!(answer.error_fields(400, "INVALID_REQUEST"), ["/password", "/token", "path.userId"]);
}

#[tokio::test]
async fn a_valid_request_id_is_kept_and_an_invalid_one_replaced() {
    let api = shared_platform().await;
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
async fn problem_details_have_the_content_of_the_usual_error() {
    let api = shared_platform().await;
    let ask = async |api: &Api, accept: &str| -> ApiResponse {
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
