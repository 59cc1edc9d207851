//! The client has exactly the operations of the API description.

use std::collections::BTreeSet;

use client::{Client, NewUser, PartnerPage};
use domain::articles::ArticleId;
use domain::orders::OrderId;
use domain::people::UserId;
use lifecycle::paging::PageQuery;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::Server;

const DOCUMENT: &str = include_str!("../../../../infra/openapi.json");

#[tokio::test]
async fn the_client_has_all_operations_of_the_description_and_no_others() {
    let no = json!({ "error": { "code": "NO", "message": "No.", "traceId": "1" } });
    let (server, client) = Server::telling(vec![(418, vec![], no)]).await;
    call_everything(&client).await;
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        // HEAD is for caches and monitors; the client has GET.
        for method in item.as_object().unwrap().keys().filter(|method| *method != "head") {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let template = |path: &str| {
        let paths = document["paths"].as_object().unwrap().keys();
        paths.into_iter().find(|template| fits(template, path)).cloned().unwrap_or(path.to_owned())
    };
    let mut made: BTreeSet<_> = server
        .asked()
        .iter()
        .map(|asked| format!("{} {}", asked.method, template(&asked.path)))
        .collect();
    // Not called above: this server never refuses it.
    made.insert("POST /sessions".to_owned());
    let missing: Vec<_> = described.difference(&made).collect();
    assert!(missing.is_empty(), "the client has no method for {missing:?}");
    let strange: Vec<_> = made.difference(&described).collect();
    assert!(strange.is_empty(), "the client has methods for {strange:?}, which is not described");
}

async fn call_everything(client: &Client) {
    let (id, page) = (Uuid::nil(), PageQuery::default());
    let (user, order, article) = (UserId::from(id), OrderId::from(id), ArticleId::from(id));
    let product = read(json!(id));
    let new = NewUser {
        user_id: None,
        email: "ada@example.com".to_owned(),
        password: "correct-horse-battery".to_owned(),
        name: "Ada".to_owned(),
    };
    let refused = [
        client.post_user(&new, None).await.is_err(),
        client.get_user(user).await.is_err(),
        client.post_verification_email("ada@example.com").await.is_err(),
        client.put_verification(user, "token", "password").await.is_err(),
        client.post_password_reset("ada@example.com").await.is_err(),
        client.put_password(user, "token", "password").await.is_err(),
        client.post_address(&example("post_address"), None).await.is_err(),
        client.post_product(&example("post_product"), None).await.is_err(),
        client.patch_product(product, &example("patch_product"), None).await.is_err(),
        client.get_product(product).await.is_err(),
        client.list_products(None, &page).await.is_err(),
        client
            .list_partner_products(
                &read(json!("acme-7")),
                &read(json!("en")),
                &PartnerPage::default(),
            )
            .await
            .is_err(),
        client.create_order(&example("create_order"), None).await.is_err(),
        client.get_order(order).await.is_err(),
        client.list_orders(&page).await.is_err(),
        client.list_user_orders(user, &page).await.is_err(),
        client.delete_order(order).await.is_err(),
        client.post_article(&example("post_article"), None).await.is_err(),
        client.get_article(article, None).await.is_err(),
        client.patch_article(article, &example("patch_article"), None).await.is_err(),
        client.put_approval(article, None).await.is_err(),
        client.post_share_link(article).await.is_err(),
        client.post_callback(&example("post_callback")).await.is_err(),
        client.get_object(read(json!(4711))).await.is_err(),
        client.get_health().await.is_err(),
        client.get_jwks().await.is_err(),
        client.get_rules().await.is_err(),
        client.put_rules(&example("put_rules"), None).await.is_err(),
    ];
    assert!(refused.iter().all(|refused| *refused), "the server refuses every operation");
}

#[test]
fn request_bodies_have_the_shape_of_the_descriptions_examples() {
    fn same<T: DeserializeOwned + serde::Serialize>(operation: &str) {
        let mut written = serde_json::to_value(example::<T>(operation)).unwrap();
        written.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(written, example::<Value>(operation), "{operation}");
    }
    same::<domain::people::AddressDraft>("post_address");
    same::<domain::catalogue::ProductDraft>("post_product");
    same::<domain::catalogue::ProductPatch>("patch_product");
    same::<domain::orders::OrderDraft>("create_order");
    same::<domain::articles::ArticleDraft>("post_article");
    same::<domain::articles::ArticlePatch>("patch_article");
    same::<domain::callback::CallbackDraft>("post_callback");
    same::<domain::rules::RulesDraft>("put_rules");
}

/// The example of a request in the description.
fn example<T: DeserializeOwned>(operation: &str) -> T {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let items = document["paths"].as_object().unwrap().values();
    let mut operations = items.flat_map(|item| item.as_object().unwrap().values());
    let described = operations.find(|described| described["operationId"] == operation).unwrap();
    read(described["requestBody"]["content"]["application/json"]["example"].clone())
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, given) = (template.split('/'), path.split('/'));
    let same = |(wanted, given): (&str, &str)| wanted == given || wanted.starts_with('{');
    wanted.clone().count() == given.clone().count() && wanted.zip(given).all(same)
}
