//! Tests of the outbox's rows.

use serde_json::json;

use super::*;

const DAY_S: i64 = 86_400;
const EVENT: &str = "0197f5a4-0000-7000-8000-00000000000e";
const ORDER: &str = "0197f5a4-0000-7000-8000-00000000000a";

fn at() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

fn envelope() -> Envelope<Value> {
    Envelope {
        event_id: EVENT.to_owned(),
        event_type: "OrderCreated".to_owned(),
        version: 1,
        occurred_at: at(),
        aggregate_id: ORDER.to_owned(),
        request_id: "request-1".to_owned(),
        data: json!({ "orderId": ORDER, "total": 850 }),
        traceparent: None,
        tracestate: None,
    }
}

fn traced() -> Envelope<Value> {
    Envelope {
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        tracestate: Some("vendor=1".to_owned()),
        ..envelope()
    }
}

fn row_in(write: Write) -> OutboxRow {
    let WriteAction::Put(item) = write.action else { panic!("{:?}", write.action) };
    serde_dynamo::from_item(item).unwrap()
}

#[test]
fn a_refused_row_waits_behind_others_and_is_set_aside_after_the_last_refusal() {
    let waiting = OutboxRow::waiting(envelope(), at());
    assert_eq!(waiting.expires_at, at().as_seconds() + 7 * DAY_S);
    let later = at().plus_seconds(60);
    let (write, counted) = waiting.refused(later);
    let refused = row_in(write);
    assert_eq!((counted, refused.refusals), (OUTBOX_ROW_REFUSED, 1));
    assert_eq!((refused.refused_at, refused.set_aside_at), (Some(later), None));
    assert_eq!(refused.expires_at, waiting.expires_at);
    assert!(refused.indexed()[0].position > waiting.indexed()[0].position);

    let (write, counted) = OutboxRow { refusals: 4, ..waiting.clone() }.refused(later);
    let set_aside = row_in(write);
    assert_eq!((counted, set_aside.refusals), (OUTBOX_ROW_SET_ASIDE, REFUSALS_MAX));
    assert_eq!(set_aside.set_aside_at, Some(later));
    assert_eq!(set_aside.expires_at, later.as_seconds() + 30 * DAY_S);
    assert_eq!(set_aside.indexed(), []);

    let retried = set_aside.retried(later);
    let expected = AttributeValue::S(later.to_string());
    assert_eq!(retried.condition, Some(Condition::Equals(SET_ASIDE_AT, expected)));
    let again = row_in(retried);
    assert_eq!((again.refusals, again.refused_at, again.set_aside_at), (0, None, None));
    assert_eq!(again.expires_at, later.as_seconds() + 7 * DAY_S);
    assert_eq!(again.indexed(), waiting.indexed());
    let may = |expires_at, days| {
        let row = OutboxRow { expires_at, ..set_aside.clone() };
        row.may_be_retried(at().plus_seconds(days * DAY_S))
    };
    let (own, no) = (set_aside.expires_at, i64::MAX);
    assert!(may(own, 30) && !may(own, 31) && may(no, 37) && !may(no, 38));
}

#[test]
fn an_unreadable_item_keeps_its_content_when_it_is_set_aside() {
    let write = OutboxRow::waiting(envelope(), at()).refused(at()).0;
    let WriteAction::Put(mut item) = write.action else { panic!("{:?}", write.action) };
    item.inner_mut().remove("aggregateId");
    let write = OutboxRow::set_aside_unreadable(&item, at()).unwrap();
    assert_eq!(write.key, Key::sorted(ORDER, EVENT));
    assert_eq!(write.condition, Some(Condition::Present));
    let WriteAction::Put(kept) = write.action else { panic!("{:?}", write.action) };
    assert_eq!(kept.get(SET_ASIDE_AT), Some(&AttributeValue::S(at().to_string())));
    let expires_at = (at().as_seconds() + 30 * DAY_S).to_string();
    assert_eq!(kept.get("expiresAt"), Some(&AttributeValue::N(expires_at)));
    assert_eq!(kept.get("data"), item.get("data"));
    assert!(item.get(&BY_WAITING.partition_attribute()).is_some());
    assert_eq!(kept.get(&BY_WAITING.partition_attribute()), None);
    assert_eq!(kept.get(&BY_WAITING.position_attribute()), None);
    item.inner_mut().remove(PARTITION_KEY);
    assert!(OutboxRow::set_aside_unreadable(&item, at()).is_none());
}

#[test]
fn a_row_is_moved_back_only_from_where_it_was_read() {
    assert_eq!(WAITING_POSITION, BY_WAITING.position_attribute());
    let row = OutboxRow::waiting(envelope(), at());
    let write = row.moved_back(at().plus_seconds(60));
    let position = |row: &OutboxRow| match item_of(row).get(WAITING_POSITION) {
        Some(AttributeValue::S(position)) => position.clone(),
        other => panic!("{other:?}"),
    };
    let read_at = AttributeValue::S(position(&row));
    assert_eq!(write.condition, Some(Condition::Equals(WAITING_POSITION, read_at)));
    let moved = row_in(write);
    assert_eq!((moved.refusals, moved.refused_at), (0, Some(at().plus_seconds(60))));
    assert!(position(&moved) > position(&row), "it waits behind the others");
}

#[test]
fn a_row_under_another_key_is_not_read() {
    let stored = |pk: Option<&str>, sk: Option<&str>| {
        let mut row = serde_json::to_value(OutboxRow::waiting(envelope(), at())).unwrap();
        assert_eq!(row.get("refusals"), None, "it is left out while it is 0");
        row["pk"] = pk.into();
        row["sk"] = sk.into();
        serde_json::from_value::<OutboxRow>(row)
    };
    for (pk, sk, is_read) in [
        (None, None, true),
        (Some(ORDER), Some(EVENT), true),
        (Some(EVENT), Some(EVENT), false),
        (Some(ORDER), Some(ORDER), false),
        (None, Some(ORDER), false),
    ] {
        assert_eq!(stored(pk, sk).is_ok(), is_read, "{pk:?} {sk:?}");
    }
}

#[test]
fn a_row_is_a_record_of_its_event_and_its_debug_output_has_no_data() {
    let row = OutboxRow::waiting(traced(), at());
    assert_eq!((row.event_id(), row.request_id()), (Some(EVENT), Some("request-1")));
    assert_eq!(row.traceparent(), traced().traceparent.as_deref());
    assert_eq!(row.tracestate(), Some("vendor=1"));
    let shown = format!("{row:?}");
    assert!(shown.contains(EVENT) && !shown.contains("850"), "{shown}");
}

#[test]
fn rows_of_released_versions_are_read() {
    let at = at();
    let waiting = OutboxRow::waiting(envelope(), at);
    crate::released::holds::<OutboxRow>(&[
        OutboxRow { relayed_at: Some(at), envelope: traced(), ..waiting.clone() },
        OutboxRow { refusals: 1, refused_at: Some(at), ..waiting.clone() },
        OutboxRow {
            refusals: REFUSALS_MAX,
            refused_at: Some(at),
            set_aside_at: Some(at),
            ..waiting.clone()
        },
        waiting,
    ]);
}
