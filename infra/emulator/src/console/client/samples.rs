//! Sample requests and a journey, for tests.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::activity::view::{
    AnswerView, CacheLookup, CommitAttempt, CommitOutcomeView, CommitView, DeferredView, Delivery,
    Fact, Journey, JourneyEdge, JourneyNode, LogView, NodeKind, NodeState, PermissionView,
    Received, RequestDetail, RequestRow, Rule, Stage, StageBox, StageState, Verdict, WriteKind,
    WriteView,
};

/// The id of [`placed`].
pub(super) const PLACED: &str = "Placed1";
/// The id of [`refused`], the latest request.
pub(super) const REFUSED: &str = "Refused2";

/// A time of the day of the samples.
pub(super) fn at(time: &str) -> Timestamp {
    format!("2026-11-26T{time}Z").parse().unwrap()
}

fn row(id: &str, number: u64, time: &str) -> RequestRow {
    RequestRow {
        id: id.to_owned(),
        number,
        request_id: Some(format!("01a0-{number}")),
        at: at(time),
        api: "HttpApi".to_owned(),
        method: "POST".to_owned(),
        path: "/orders".to_owned(),
        route: Some("POST /orders".to_owned()),
        function: Some("CreateOrderFunction".to_owned()),
        status: Some(201),
        code: None,
        took_ms: Some(41.2),
        caller: Some("customer 01a0".to_owned()),
        client: "curl/8.5.0".to_owned(),
        cold_start: true,
        replayed: false,
        refused_at: None,
        attempts: 0,
    }
}

/// The boxes of a request that ended at a stage, in that state.
pub(super) fn stages(end: Stage, state: StageState, note: Option<&str>) -> Vec<StageBox> {
    let one = |stage: Stage| StageBox {
        stage,
        state: match stage.cmp(&end) {
            std::cmp::Ordering::Less => StageState::Passed,
            std::cmp::Ordering::Equal => state,
            std::cmp::Ordering::Greater => StageState::NotReached,
        },
        took_ms: (stage <= end).then_some(1.4),
        note: if stage == end { note.map(str::to_owned) } else { None },
    };
    Stage::ALL.map(one).to_vec()
}

fn detail(row: RequestRow, stages: Vec<StageBox>) -> RequestDetail {
    RequestDetail {
        row,
        stages,
        received: Received {
            headers: vec![("authorization".to_owned(), "•••".to_owned())],
            body: Some("{\n  \"items\": []\n}".to_owned()),
            body_bytes: 12,
            ..Received::default()
        },
        input: Some("PlaceOrder {\n    items: [],\n}".to_owned()),
        field_errors: Vec::new(),
        verdicts: vec![Verdict {
            stage: Stage::Authentication,
            by: "authorizer".to_owned(),
            allowed: true,
            cached: true,
            reason: "The token is valid.".to_owned(),
            took_ms: Some(0.3),
        }],
        facts: vec![Fact {
            source: "ProductsTable".to_owned(),
            key: "product_id = P1".to_owned(),
            operation: "GetItem".to_owned(),
            found: Some(1),
            read_units: Some(0.5),
            took_ms: 1.5,
            error: None,
            call: 0,
        }],
        caches: vec![CacheLookup { cache: "rules".to_owned(), hit: true }],
        rule: None,
        commit: None,
        answer: None,
        deferred: Vec::new(),
        logs: vec![LogView {
            at: at("19:00:00"),
            level: "INFO".to_owned(),
            message: "request".to_owned(),
            fields: std::iter::once(("route".to_owned(), json!("POST /orders"))).collect(),
        }],
        permissions: vec![PermissionView {
            action: "dynamodb:GetItem".to_owned(),
            resource: "ProductsTable".to_owned(),
            allowed: true,
            count: 1,
        }],
        invocation: None,
        calls: Vec::new(),
        detail_dropped: false,
    }
}

/// A request that a rule refused. Its message has a character that moves a cursor.
pub(super) fn refused() -> RequestDetail {
    let message = "The product P1 is out\u{1b}[2J of stock.";
    let row = RequestRow {
        status: Some(409),
        code: Some("OUT_OF_STOCK".to_owned()),
        refused_at: Some(Stage::Rules),
        ..row(REFUSED, 2, "19:00:05")
    };
    let rule = Rule {
        stage: Stage::Rules,
        code: "OUT_OF_STOCK".to_owned(),
        message: message.to_owned(),
        cause: None,
    };
    let stages = stages(Stage::Rules, StageState::Refused, Some(message));
    RequestDetail { rule: Some(rule), ..detail(row, stages) }
}

/// A request that was committed at its second attempt, and whose mail could not be sent.
pub(super) fn placed() -> RequestDetail {
    let row = RequestRow { attempts: 2, ..row(PLACED, 1, "19:00:00") };
    let stock = |held: bool| WriteView {
        table: "ProductsTable".to_owned(),
        kind: WriteKind::State,
        action: "update".to_owned(),
        key: "product_id = P1".to_owned(),
        condition: Some(if held { "version = 4" } else { "version = 3" }.to_owned()),
        held: Some(held),
        content: json!({"stock": 6}),
        found: (!held).then(|| json!({"version": 4})),
        event: None,
    };
    let outbox = WriteView {
        table: "OutboxTable".to_owned(),
        kind: WriteKind::OutboxRow,
        action: "put".to_owned(),
        key: "event_id = E1".to_owned(),
        condition: None,
        held: None,
        content: Value::Null,
        found: None,
        event: Some("OrderCreated".to_owned()),
    };
    let attempt = |outcome, writes| CommitAttempt {
        operation: "TransactWriteItems".to_owned(),
        outcome,
        writes,
        write_units: Some(4.0),
        took_ms: 3.3,
        call: 1,
    };
    let commit = CommitView {
        attempts: vec![
            attempt(CommitOutcomeView::ConditionFailed, vec![stock(false)]),
            attempt(CommitOutcomeView::Committed, vec![stock(true), outbox]),
        ],
        stale: vec!["update on table products: needs version = 3; read version = 4".to_owned()],
    };
    let stages = stages(Stage::Response, StageState::Passed, None);
    RequestDetail {
        commit: Some(commit),
        answer: Some(AnswerView {
            status: 201,
            headers: Vec::new(),
            body: Some("{}".to_owned()),
            body_bytes: 2,
            by: "function".to_owned(),
        }),
        deferred: vec![DeferredView {
            what: "mail".to_owned(),
            failed: Some("the address is not verified".to_owned()),
            took_ms: Some(2.0),
        }],
        ..detail(row, stages)
    }
}

fn node(id: &str, kind: NodeKind, title: &str, time: &str) -> JourneyNode {
    let node = JourneyNode::new(id.to_owned(), kind, title.to_owned(), at(time));
    JourneyNode { state: NodeState::Done, ..node }
}

fn edge(from: &str, to: &str, label: &str) -> JourneyEdge {
    JourneyEdge { from: from.to_owned(), to: to.to_owned(), label: label.to_owned() }
}

fn delivery(time: &str, succeeded: bool) -> Delivery {
    Delivery {
        at: at(time),
        invocation: None,
        succeeded: Some(succeeded),
        error: (!succeeded).then(|| "time-out".to_owned()),
    }
}

/// The journey of [`placed`]: one message is processed at its second delivery, one waits for its
/// next delivery, and one is a dead letter.
pub(super) fn journey() -> Journey {
    use NodeKind::{DeadLetter, Invocation, Mail, Message, Request, Row};
    let nodes = vec![
        JourneyNode { worked_ms: Some(41.2), ..node(PLACED, Request, "POST /orders", "19:00:00") },
        JourneyNode {
            subtitle: Some("event_id = E1".to_owned()),
            waited_ms: Some(12.0),
            ..node("row", Row, "OrderCreated", "19:00:01")
        },
        JourneyNode {
            worked_ms: Some(7.5),
            ..node("relay", Invocation, "RelayOutboxFunction", "19:00:02")
        },
        JourneyNode {
            waited_ms: Some(1_500.0),
            deliveries: vec![delivery("19:00:03", false), delivery("19:00:33", true)],
            ..node("email", Message, "EmailQueue", "19:00:03")
        },
        JourneyNode {
            worked_ms: Some(20.0),
            ..node("send", Invocation, "SendEmailFunction", "19:00:33")
        },
        node("mail", Mail, "Your order", "19:00:34"),
        JourneyNode {
            state: NodeState::Retrying,
            waited_ms: Some(30_000.0),
            error: Some("the upstream is down".to_owned()),
            next_try_at: Some("2026-11-27T00:00:00Z".parse().unwrap()),
            compensates: true,
            ..node("credit", Message, "CreditQueue", "19:00:04")
        },
        JourneyNode {
            state: NodeState::Failed,
            error: Some("five deliveries failed".to_owned()),
            ..node("dead", DeadLetter, "StockDeadLetterQueue", "19:00:05")
        },
    ];
    let edges = vec![
        edge(PLACED, "row", "wrote"),
        edge("row", "relay", "delivered"),
        edge("relay", "email", "sent"),
        edge("relay", "credit", "sent"),
        edge("relay", "dead", "sent"),
        edge("email", "send", "delivered"),
        edge("send", "mail", "mailed"),
        // A batch: the same invocation processes another message.
        edge("credit", "send", "delivered"),
    ];
    Journey { id: Some(PLACED.to_owned()), nodes, edges, at_rest: true, truncated: false }
}
