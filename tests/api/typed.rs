//! The typed client's whole way through the store, as any program would take it.

use client::Error;
use domain::articles::{ArticleDraft, ArticlePatch, ArticleStatus, Title};
use domain::catalogue::{ProductDraft, ProductPatch, Stock};
use domain::orders::{OrderDraft, OrderStatus};
use lifecycle::paging::{PageLimit, PageQuery};
use serde_json::json;

use crate::harness::{Api, PASSWORD, eventually, read, shared, unique};

#[tokio::test]
async fn an_order_is_placed_once_by_its_key_approved_and_called_off() {
    let api = shared().await;
    let (customer, merchant) = (person(&api, "customer"), person(&api, "merchant"));
    let draft: ProductDraft = read(json!({
        "name": unique("Lamp"), "description": "It shines.", "discount": 10, "stock": 9,
        "price": { "amount": 200, "currency": "EUR" },
    }));
    let lamp = merchant.post_product(&draft, None).await.unwrap().data;
    let address_id = api.new_address(&api.token("customer").await).await;
    let order: OrderDraft = read(json!({
        "items": [{ "productId": lamp.product_id, "quantity": 2 }], "addressId": address_id,
        "paymentMethod": "CARD",
    }));

    let key = unique("key");
    let placed = customer.create_order(&order, Some(&key)).await.unwrap();
    assert_eq!((placed.data.status, placed.is_replayed()), (OrderStatus::Pending, false));
    let order_id = placed.data.order_id;
    assert_eq!(placed.header("location"), Some(&*format!("/orders/{order_id}")));
    let again = customer.create_order(&order, Some(&key)).await.unwrap();
    assert!(again.is_replayed());
    assert_eq!(again.data, placed.data);

    eventually("the order to be approved", async || {
        let order = customer.get_order(order_id).await.unwrap().data;
        (order.status == OrderStatus::Approved).then_some(())
    })
    .await;
    customer.delete_order(order_id).await.unwrap();
    let gone = customer.delete_order(order_id).await.unwrap_err();
    assert_eq!(gone.code(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn what_has_changed_meanwhile_is_not_changed_by_who_names_its_version() {
    let api = shared().await;
    let (writer, reader) = (person(&api, "writer"), api.store());
    let draft: ArticleDraft = read(json!({ "title": "How lamps shine", "content": "They glow." }));
    let article = writer.post_article(&draft, None).await.unwrap().data;
    let seen = writer.get_article(article.article_id, None).await.unwrap();
    let title: Title = read(json!("How kettles whistle"));
    let patch = ArticlePatch { title: title.clone().into(), ..ArticlePatch::default() };
    let changed = writer.patch_article(article.article_id, &patch, seen.etag()).await.unwrap();
    assert_eq!((changed.data.title, changed.data.status), (title, ArticleStatus::Draft));
    let late = writer.patch_article(article.article_id, &patch, seen.etag()).await.unwrap_err();
    assert_eq!(late.code(), Some("PRECONDITION_FAILED"));

    assert_eq!(
        reader.get_article(article.article_id, None).await.unwrap_err().code(),
        Some("NOT_FOUND")
    );
    let link = writer.post_share_link(article.article_id).await.unwrap().data;
    let shared = reader.get_article(article.article_id, Some(&link.token)).await.unwrap();
    assert_eq!(shared.data.article_id, article.article_id);
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let api = shared().await;
    let reader = api.store();
    let mut asked = PageQuery { limit: PageLimit::try_from(100).ok(), ..PageQuery::default() };
    let mut names = Vec::new();
    loop {
        let page = reader.list_products(None, &asked).await.unwrap().data;
        names.extend(page.items.iter().map(|product| product.name.clone()));
        match page.next(&asked) {
            Some(next) => asked = next,
            None => break,
        }
    }
    assert!(!names.is_empty());
    let listed = reader.list_products(names.first(), &PageQuery::default()).await.unwrap().data;
    assert_eq!(listed.items[0].name, names[0]);
}

#[tokio::test]
async fn a_refusal_is_a_value_with_its_code_and_what_is_at_fault() {
    let api = shared().await;
    let patch = ProductPatch { stock: Stock::MIN.into(), ..ProductPatch::default() };
    let lamp = api.new_product(&api.token("merchant").await, 1).await;
    let lamp = read(json!(lamp));
    let nobody = api.store().patch_product(lamp, &patch, None).await.unwrap_err();
    let refusal = nobody.refusal().expect("the gateway says no");
    assert_eq!((refusal.status.as_u16(), &refusal.code), (401, &None));
    let nothing =
        person(&api, "merchant").patch_product(lamp, &ProductPatch::default(), None).await;
    let Err(Error::Refused(refusal)) = nothing else { panic!("{nothing:?}") };
    assert_eq!(refusal.code.as_deref(), Some("INVALID_REQUEST"));
    assert_eq!(refusal.violations.len(), 1);
    assert!(refusal.request_id.is_some());
}

/// Somebody of the demo, who signs in when they need to.
fn person(api: &Api, who: &str) -> client::Client {
    api.store().signing_in(&format!("{who}@example.com"), PASSWORD)
}
