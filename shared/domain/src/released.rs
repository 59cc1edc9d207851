//! Tests that this version reads the items and events of released versions: `lifecycle::released`.

use lifecycle::released::{holds, holds_events};
use serde_json::json;

use crate::BusinessRules;
use crate::articles::Article;
use crate::callback::{CallbackReceived, Object, ObjectExpires, ObjectIds, SourceGroup};
use crate::catalogue::{NameClaim, Product, StockPart, StockedProduct, TypedNameClaim};
use crate::communications::{Ending, LoggedMessage, Outcome, UpstreamCall};
use crate::credit::{CreditAccount, Reservation};
use crate::examples::{
    ann, ann_with_token, approved_article, approved_order, article, communication, home, lamp,
    moment, pending_order, read,
};
use crate::notices::{NoticeDue, NoticeLog, UpstreamFailed};
use crate::orders::{
    ApprovalLapsed, CustomerDecided, Order, OrderApproved, OrderCreated, OrderDeleted,
    OrderOverdue, OrderRejected, OrderState, OrderStatus, OrderSummary, OrderTimedOut,
    SerialNumbers, TakenFrom,
};
use crate::people::{
    Address, EmailClaim, EmailVerificationRequested, KnownSources, MailAddress, PasswordResetAsked,
    User, VerificationAsked,
};

#[test]
fn people_of_released_versions_are_read() {
    let now = moment().now();
    let (unproven, token) = ann_with_token();
    let asked = PasswordResetAsked::new(&moment(), unproven.email.clone());
    let resetting = unproven.clone().reset_asked(&asked, now, now).expect("it may be asked");
    let proven = unproven.clone().verified(&token, now).expect("the token is hers");
    let claims = [unproven.email_claim(), proven.email_claim()];
    holds::<User>(&[unproven, resetting, proven]);
    holds::<EmailClaim>(&claims);
    let email = ann().email;
    let once = KnownSources::after(None, &email, "192.0.2.1", now);
    let twice = KnownSources::after(once.clone(), &email, "2001:db8::", now);
    holds::<KnownSources>(&[once.expect("it is new"), twice.expect("it is new")]);
    let report = json!({
        "reason": "BOUNCE", "kind": "General", "at": now, "messageId": "0102018",
    });
    holds::<MailAddress>(&[
        read(json!({ "email": "ann@example.com", "undeliverable": report, "version": 1 })),
        read(json!({ "email": "ann@example.com", "clearedAt": now, "version": 2 })),
        read(json!({
            "email": "ann@example.com", "undeliverable": report, "clearedAt": now, "version": 3,
        })),
    ]);
    holds::<Address>(&[home()]);
}

#[test]
fn the_catalogue_of_released_versions_is_read() {
    let withdrawn = Product { available: false, version: 2, ..lamp() };
    let sold = Product { sold_at: Some(moment().now()), ..lamp() };
    let split = StockedProduct::split(sold, 2);
    holds::<Product>(&[lamp(), withdrawn, split.product]);
    holds::<StockPart>(&split.parts);
    holds::<NameClaim>(&[lamp().name_claim()]);
    holds::<TypedNameClaim>(&[TypedNameClaim(lamp().name_claim())]);
}

#[test]
fn orders_of_released_versions_are_read() {
    let of = |status| Order { status, version: 2, ..pending_order() };
    let cancelled = Order { status: OrderStatus::Cancelled, version: 3, ..approved_order() };
    holds::<Order>(&[
        pending_order(),
        approved_order(),
        Order {
            taken_from: vec![TakenFrom { product_id: lamp().product_id, part: 1 }],
            ..pending_order()
        },
        of(OrderStatus::Rejected),
        of(OrderStatus::TimedOut),
        cancelled.clone(),
    ]);
    holds::<OrderSummary>(&[
        OrderSummary::of(&approved_order(), Some(&ann()), &home()).expect("it is approved"),
        OrderSummary::of(&cancelled, None, &home()).expect("it was approved"),
    ]);
    let (user_id, order_id) = (ann().user_id, pending_order().order_id);
    holds::<CreditAccount>(&[read(
        json!({ "userId": user_id, "currency": "EUR", "reserved": 850 }),
    )]);
    let reservation = |status, refused| {
        let amount = json!({ "amount": 850, "currency": "EUR" });
        read(json!({
            "orderId": order_id, "userId": user_id, "amount": amount, "status": status,
            "refused": refused,
        }))
    };
    holds::<Reservation>(&[
        reservation("HELD", false),
        reservation("RELEASED", false),
        reservation("RELEASED", true),
    ]);
    holds::<SerialNumbers>(&[read(json!({ "last": 7 }))]);
}

#[test]
fn articles_objects_and_rules_of_released_versions_are_read() {
    let (shared, _) = article().shared(&moment(), "https://api.example.com/articles/1");
    holds::<Article>(&[article(), approved_article(), shared]);
    let object = Object::seen(7.into(), moment().now());
    let prolonged = Object { confirmed_at: Some(moment().now()), ..object.clone() };
    holds::<Object>(&[object, prolonged]);
    holds::<BusinessRules>(&[BusinessRules { version: 1, ..BusinessRules::default() }]);
}

#[test]
fn upstream_calls_and_alerts_of_released_versions_are_read() {
    let said = LoggedMessage::of([("content-type", "application/json")], br#"{"token":"secret"}"#);
    let answered = Ending {
        outcome: Outcome::Answered,
        answer: Some((200, said.clone())),
        latency_ms: Some(12),
    };
    let cut_off = Ending { outcome: Outcome::CutOff, answer: None, latency_ms: None };
    let pending = UpstreamCall { request: said, ..communication() };
    let ended = |ending| pending.clone().ended(ending);
    holds::<UpstreamCall>(&[pending.clone(), ended(answered), ended(cut_off)]);
    let log = json!({ "kind": "partner/FAILED", "noticedAt": moment().now(), "suppressed": 3 });
    holds::<NoticeLog>(&[read(log)]);
}

#[test]
fn events_about_orders_of_released_versions_are_read() {
    holds_events::<OrderCreated>(&[pending_order().created()]);
    let (pending, approved) =
        (OrderState::from(&pending_order()), OrderState::from(&approved_order()));
    holds_events::<OrderApproved>(&[OrderApproved(approved.clone())]);
    holds_events::<OrderRejected>(&[OrderRejected(pending.clone())]);
    holds_events::<OrderTimedOut>(&[OrderTimedOut(pending.clone())]);
    holds_events::<OrderDeleted>(&[OrderDeleted(approved)]);
    holds_events::<ApprovalLapsed>(&[ApprovalLapsed(pending)]);
    holds_events::<OrderOverdue>(&[OrderOverdue::of(&pending_order())]);
    let decided = |order_type| {
        let (order_id, user_id) = (pending_order().order_id, ann().user_id);
        read(json!({ "orderId": order_id, "orderType": order_type, "userId": user_id }))
    };
    holds_events::<CustomerDecided>(&[decided("APPROVED"), decided("REJECTED")]);
}

#[test]
fn events_about_people_objects_and_failures_of_released_versions_are_read() {
    let (email, user_id) = (ann().email, ann().user_id);
    let (_, token) = ann_with_token();
    holds_events::<EmailVerificationRequested>(&[EmailVerificationRequested { user_id, token }]);
    holds_events::<VerificationAsked>(&[VerificationAsked::new(&moment(), email.clone())]);
    let reset = PasswordResetAsked::new(&moment(), email.clone());
    let of_the_previous_version = PasswordResetAsked { to_unproven: false, ..reset.clone() };
    holds_events::<PasswordResetAsked>(&[of_the_previous_version, reset]);
    let callback = |source| {
        let object_ids = ObjectIds::try_from(vec![7.into(), 8.into()]).expect("two ids");
        CallbackReceived { object_ids, received_at: moment().now(), source }
    };
    holds_events::<CallbackReceived>(&[
        callback(None),
        callback(Some(SourceGroup::of("192.0.2.1"))),
    ]);
    let expires = ObjectExpires { object_id: 7.into(), last_seen: moment().now() };
    holds_events::<ObjectExpires>(&[expires]);
    let failed = |kind, code: Option<&str>| -> UpstreamFailed {
        let mut failed = json!({ "upstream": "partner", "kind": kind, "at": moment().now() });
        if let Some(code) = code {
            failed["code"] = code.into();
        }
        read(failed)
    };
    let (coded, plain) = (failed("FAILED", Some("S01")), failed("CIRCUIT_OPENED", None));
    holds_events::<UpstreamFailed>(&[coded.clone(), plain]);
    let due = |receiver| NoticeDue {
        receiver: read(json!(receiver)),
        failed: coded.clone(),
        suppressed: 3,
    };
    holds_events::<NoticeDue>(&["SLACK", "DATADOG", "NEW_RELIC"].map(due));
}
