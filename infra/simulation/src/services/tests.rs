//! Calls of all services, and a world for the tests of each.

use sam_template::Operator;
use serde_json::{Value as Json, json};

use super::dynamodb::{StreamView, TableDefinition};
use super::sqs::QueueDefinition;
use super::{CallId, Called, Freedom, Permissions, Senders, Services, WireRequest, WireResponse};
use crate::Millis;
use crate::random::Seeded;

/// Services with a clock and random numbers.
pub(super) struct World {
    pub(super) services: Services,
    pub(super) random: Seeded,
    pub(super) now: Millis,
}

impl World {
    pub(super) fn new(freedom: Freedom) -> Self {
        let mut services = Services::new(freedom);
        services.grant("test", Permissions::everything());
        Self { services, random: Seeded::new(1), now: Millis::seconds(1_800_000_000) }
    }

    pub(super) fn start(&mut self, service: &str, operation: &str, body: &Json) -> Called {
        let (target, body) = (format!("{service}.{operation}"), body.to_string());
        let path = if service == "ses" { super::ses::PATH } else { "/" };
        let request = WireRequest {
            caller: "test",
            target: Some(&target).filter(|_| service != "ses").map(String::as_str),
            path,
            body: body.as_bytes(),
        };
        self.services.call(self.now, &mut self.random, request)
    }

    pub(super) fn response(&mut self, service: &str, operation: &str, body: &Json) -> WireResponse {
        match self.start(service, operation, body) {
            Called::AtOnce(response) => response,
            Called::CompletesAt(at, _) => panic!("{operation} ends at {at:?}"),
        }
    }

    /// The body of a successful call.
    pub(super) fn ok(&mut self, service: &str, operation: &str, body: &Json) -> Json {
        let response = self.response(service, operation, body);
        assert_eq!(response.status, 200, "{operation}: {}", response.json());
        response.json()
    }

    /// The body of a call that fails.
    pub(super) fn error(&mut self, service: &str, operation: &str, body: &Json) -> Json {
        let response = self.response(service, operation, body);
        assert_ne!(response.status, 200, "{operation}: {}", response.json());
        response.json()
    }

    /// Moves the clock. Returns the responses of calls that ended.
    pub(super) fn pass(&mut self, time: Millis) -> Vec<(CallId, WireResponse)> {
        self.now = self.now + time;
        self.services.advance(self.now, &mut self.random)
    }
}

#[test]
fn the_same_seed_and_calls_have_the_same_responses() {
    let run = || {
        let mut world = World::new(Freedom::usual());
        let table = TableDefinition::new("t", "pk").with_stream(StreamView::NewImage);
        world.services.add_table(table).unwrap();
        let url = world.services.add_queue(QueueDefinition::new("q")).unwrap();
        let mut trace = Vec::new();
        for number in 0..200 {
            let item = json!({ "TableName": "t", "Item": { "pk": { "S": format!("{number}") } } });
            trace.push(format!("{:?}", world.start("DynamoDB_20120810", "PutItem", &item)));
            let message = json!({ "QueueUrl": url, "MessageBody": "hello" });
            trace.push(format!("{:?}", world.start("AmazonSQS", "SendMessage", &message)));
            let receive = json!({ "QueueUrl": url, "MaxNumberOfMessages": 3 });
            trace.push(format!("{:?}", world.start("AmazonSQS", "ReceiveMessage", &receive)));
            trace.push(format!("{:?}", world.pass(Millis(number * 7))));
        }
        trace
    };

    assert_eq!(run(), run());
}

#[test]
fn a_caller_without_permission_is_denied() {
    let mut world = World::new(Freedom::none());
    world.services.add_table(TableDefinition::new("t", "pk")).unwrap();
    let reads = Permissions::none().and("dynamodb:GetItem", "table/t");
    world.services.grant("test", reads);
    let key = json!({ "pk": { "S": "a" } });

    world.ok("DynamoDB_20120810", "GetItem", &json!({ "TableName": "t", "Key": key }));
    let put = json!({ "TableName": "t", "Item": key });
    let error = world.error("DynamoDB_20120810", "PutItem", &put);

    assert_eq!(error["__type"], "AccessDeniedException");
    let put = json!({ "TransactItems": [{ "Put": { "TableName": "t", "Item": key } }] });
    let error = world.error("DynamoDB_20120810", "TransactWriteItems", &put);
    assert_eq!(error["__type"], "AccessDeniedException");
}

#[test]
fn unknown_targets_and_members_are_errors() {
    let mut world = World::new(Freedom::none());
    world.services.add_table(TableDefinition::new("t", "pk")).unwrap();

    let error = world.error("DynamoDB_20120810", "CreateBackup", &json!({}));
    assert_eq!(error["__type"], "UnknownOperationException");
    let legacy = json!({ "TableName": "t", "Item": { "pk": { "S": "a" } }, "Expected": {} });
    let error = world.error("DynamoDB_20120810", "PutItem", &legacy);
    assert_eq!(error["__type"], "SerializationException");
}

#[test]
fn a_secret_is_read_by_its_stage_and_rotated() {
    let mut world = World::new(Freedom::none());
    world.services.add_secret("keys", "first", &mut world.random);
    let service = "secretsmanager";
    let get = |world: &mut World, stage: &str| {
        world.response(
            service,
            "GetSecretValue",
            &json!({ "SecretId": "keys", "VersionStage": stage }),
        )
    };
    let text = |response: WireResponse| response.json()["SecretString"].as_str().map(str::to_owned);
    let first = get(&mut world, "AWSCURRENT").json()["VersionId"].clone();

    assert_eq!(get(&mut world, "AWSPENDING").json()["__type"], "ResourceNotFoundException");
    let put = json!({
        "SecretId": "keys", "ClientRequestToken": "two", "SecretString": "second",
        "VersionStages": ["AWSPENDING"],
    });
    world.ok(service, "PutSecretValue", &put);
    assert_eq!(text(get(&mut world, "AWSCURRENT")).as_deref(), Some("first"));
    assert_eq!(text(get(&mut world, "AWSPENDING")).as_deref(), Some("second"));

    let mut other = put.clone();
    other["SecretString"] = json!("other");
    world.ok(service, "PutSecretValue", &put);
    assert_eq!(world.error(service, "PutSecretValue", &other)["__type"], "ResourceExistsException");

    let mut promote =
        json!({ "SecretId": "keys", "VersionStage": "AWSCURRENT", "MoveToVersionId": "two" });
    let error = world.error(service, "UpdateSecretVersionStage", &promote);
    assert_eq!(error["__type"], "InvalidParameterException");
    promote["RemoveFromVersionId"] = first.clone();
    world.ok(service, "UpdateSecretVersionStage", &promote);
    assert_eq!(text(get(&mut world, "AWSCURRENT")).as_deref(), Some("second"));
    assert_eq!(text(get(&mut world, "AWSPREVIOUS")).as_deref(), Some("first"));

    let described = world.ok(service, "DescribeSecret", &json!({ "SecretId": "keys" }));
    let stages = &described["VersionIdsToStages"];
    assert_eq!(stages["two"], json!(["AWSCURRENT", "AWSPENDING"]));
    assert_eq!(stages[first.as_str().unwrap()], json!(["AWSPREVIOUS"]));
}

fn mail(to: &str) -> Json {
    json!({
        "FromEmailAddress": "Shop <shop@example.com>",
        "Destination": { "ToAddresses": [to] },
        "Content": { "Simple": {
            "Subject": { "Data": "Hello", "Charset": "UTF-8" },
            "Body": { "Text": { "Data": "text", "Charset": "UTF-8" } },
            "Headers": [{ "Name": "X-Mail-Id", "Value": "1" }],
        }},
    })
}

#[test]
fn a_mail_is_in_the_mailbox() {
    let mut world = World::new(Freedom::none());

    let answer = world.ok("ses", "SendEmail", &mail("ada@example.org"));

    let mails = world.services.mail().take_mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(json!(mails[0].id), answer["MessageId"]);
    assert_eq!((mails[0].from.as_str(), mails[0].subject.as_str()), ("shop@example.com", "Hello"));
    assert_eq!(mails[0].headers, [("X-Mail-Id".to_owned(), "1".to_owned())]);
    for wrong in ["nowhere", "jörg@example.org", "a b@example.org"] {
        let error = world.response("ses", "SendEmail", &mail(wrong));
        assert_eq!(error.headers[0], ("x-amzn-errortype", "BadRequestException".to_owned()));
    }
}

#[test]
fn a_mail_needs_permission_for_its_identity_its_configuration_set_and_its_sender() {
    let mut world = World::new(Freedom::none());
    let senders = |operator, values: &[&str]| Senders {
        operator,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let equal = senders(Operator::StringEquals, &["other@example.com", "shop@example.com"]);
    let like = senders(Operator::StringLike, &["sh?p@*"]);
    let unlike = senders(Operator::StringEquals, &["sh?p@*"]);
    let address = "identity/shop@example.com";
    let set = "configuration-set/orders";
    let none = Permissions::none;
    let mut with_set = mail("ada@example.org");
    with_set["ConfigurationSetName"] = json!("orders");
    for (permissions, without_set_allowed, with_set_allowed) in [
        (none().and("ses:SendEmail", address), true, false),
        (none().and("ses:SendEmail", "identity/example.com"), true, false),
        (none().and("ses:SendEmail", "identity/com"), true, false),
        (none().and("ses:SendEmail", "identity/example.org"), false, false),
        (none().and("ses:SendEmail", set), false, false),
        (none().and("ses:SendEmail", address).and("ses:sendemail", set), true, true),
        (none().and_from(vec![equal.clone()], "ses:Send*", "*"), true, true),
        (none().and_from(vec![equal, like], "ses:*", "*"), true, true),
        (none().and_from(vec![unlike], "ses:*", "*"), false, false),
    ] {
        world.services.grant("test", permissions.clone());
        let mut allowed = |mail: &Json| world.response("ses", "SendEmail", mail).status == 200;
        assert_eq!(allowed(&mail("ada@example.org")), without_set_allowed, "{permissions:?}");
        assert_eq!(allowed(&with_set), with_set_allowed, "{permissions:?}");
    }
}

#[test]
fn a_secret_in_rotation_has_a_pending_version_before_its_value() {
    let mut world = World::new(Freedom::none());
    world.services.add_secret("keys", "first", &mut world.random);
    let service = "secretsmanager";
    let described =
        |world: &mut World| world.ok(service, "DescribeSecret", &json!({ "SecretId": "keys" }));
    assert_eq!(described(&mut world).get("RotationEnabled"), None);

    world.services.rotate("keys", Some("new"));
    let before = described(&mut world);
    assert_eq!(before["RotationEnabled"], true);
    assert_eq!(before["VersionIdsToStages"]["new"], json!(["AWSPENDING"]));
    let pending = json!({ "SecretId": "keys", "VersionStage": "AWSPENDING" });
    assert_eq!(
        world.error(service, "GetSecretValue", &pending)["__type"],
        "ResourceNotFoundException"
    );
    let put = json!({
        "SecretId": "keys", "ClientRequestToken": "new", "SecretString": "second",
        "VersionStages": ["AWSPENDING"],
    });
    world.ok(service, "PutSecretValue", &put);
    assert_eq!(world.ok(service, "GetSecretValue", &pending)["SecretString"], "second");

    world.services.rotate("keys", None);
    let after = described(&mut world);
    assert_eq!(after["RotationEnabled"], true);
    assert_eq!(after["VersionIdsToStages"]["new"], json!(["AWSPENDING"]));

    world.services.rotate("keys", Some("newer"));
    let stages = &described(&mut world)["VersionIdsToStages"];
    assert_eq!((stages.get("new"), &stages["newer"]), (None, &json!(["AWSPENDING"])));
    assert_eq!(world.response(service, "GetSecretValue", &pending).status, 400);
}

#[test]
fn a_mail_is_to_its_whole_address() {
    let mut world = World::new(Freedom::none());
    world.ok("ses", "SendEmail", &mail("Mia <mia@example.com>"));

    let mail = &world.services.mail().take_mails()[0];
    assert!(mail.is_to("mia@example.com"));
    assert!(!mail.is_to("a@example.com"));
}

#[test]
fn the_sandbox_accepts_verified_addresses_and_one_mail_a_second() {
    let mut world = World::new(Freedom::none());
    let verified = ["example.com", "ada@example.org"].map(str::to_owned).into();
    world.services.mail().set_sandbox(Some(super::ses::Sandbox { verified }));

    world.ok("ses", "SendEmail", &mail("ada@example.org"));
    let error = world.error("ses", "SendEmail", &mail("ada@example.org"));
    assert_eq!(error["__type"], "TooManyRequestsException");
    world.pass(Millis::seconds(1));
    let error = world.error("ses", "SendEmail", &mail("other@example.org"));
    assert_eq!(error["__type"], "MessageRejected");
    let sender = Permissions::none().and("ses:SendEmail", "identity/example.com");
    world.services.grant("test", sender.clone());
    let error = world.error("ses", "SendEmail", &mail("ada@example.org"));
    assert_eq!(error["__type"], "AccessDeniedException");
    world.services.grant("test", sender.and("ses:SendEmail", "identity/ada@example.org"));
    world.ok("ses", "SendEmail", &mail("ada@example.org"));
}
