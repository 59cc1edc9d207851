//! Links the unit tests of all functions into one test binary: one per function would cost minutes.
//! Each function is a separate binary.
#![cfg(test)]
#![expect(dead_code, reason = "only the binaries use `main` and the clients")]

#[path = "people/get_user.rs"]
mod get_user;
#[path = "people/mark_undeliverable.rs"]
mod mark_undeliverable;
#[path = "people/post_address.rs"]
mod post_address;
#[path = "people/post_password_reset.rs"]
mod post_password_reset;
#[path = "people/post_session.rs"]
mod post_session;
#[path = "people/post_user.rs"]
mod post_user;
#[path = "people/post_verification_email.rs"]
mod post_verification_email;
#[path = "people/put_password.rs"]
mod put_password;
#[path = "people/put_verification.rs"]
mod put_verification;
#[path = "people/send_email.rs"]
mod send_email;

#[path = "catalogue/get_product.rs"]
mod get_product;
#[path = "catalogue/list_partner_products.rs"]
mod list_partner_products;
#[path = "catalogue/list_products.rs"]
mod list_products;
#[path = "catalogue/patch_product.rs"]
mod patch_product;
#[path = "catalogue/post_product.rs"]
mod post_product;

#[path = "callback/expire_object.rs"]
mod expire_object;
#[path = "callback/get_object.rs"]
mod get_object;
#[path = "callback/post_callback.rs"]
mod post_callback;
#[path = "callback/process_callback.rs"]
mod process_callback;

#[path = "orders/approve_customer.rs"]
mod approve_customer;
#[path = "orders/create_order.rs"]
mod create_order;
#[path = "orders/delete_order.rs"]
mod delete_order;
#[path = "orders/expire_sagas.rs"]
mod expire_sagas;
#[path = "orders/get_order.rs"]
mod get_order;
#[path = "orders/list_orders.rs"]
mod list_orders;
#[path = "orders/list_user_orders.rs"]
mod list_user_orders;
#[path = "orders/project_orders.rs"]
mod project_orders;
#[path = "orders/settle_order.rs"]
mod settle_order;

#[path = "articles/get_article.rs"]
mod get_article;
#[path = "articles/patch_article.rs"]
mod patch_article;
#[path = "articles/post_article.rs"]
mod post_article;
#[path = "articles/post_share_link.rs"]
mod post_share_link;
#[path = "articles/put_approval.rs"]
mod put_approval;

#[path = "system/authorizer.rs"]
mod authorizer;
#[path = "system/get_health.rs"]
mod get_health;
#[path = "system/get_jwks.rs"]
mod get_jwks;
#[path = "system/get_rules.rs"]
mod get_rules;
#[path = "system/notify.rs"]
mod notify;
#[path = "system/put_rules.rs"]
mod put_rules;
#[path = "system/relay_outbox.rs"]
mod relay_outbox;
#[path = "system/rotate_keys.rs"]
mod rotate_keys;
#[path = "system/sweep_communications.rs"]
mod sweep_communications;
#[path = "system/sweep_outbox.rs"]
mod sweep_outbox;
