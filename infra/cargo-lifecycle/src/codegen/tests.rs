//! Tests with the project's files, and with copies of the template that have one mistake each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tooling::descriptions::Description;

use super::declared::{Declared, Function};
use super::document::{Document, END, START};
use super::{alarms, complaints, declared, described, tables, template};
use crate::drift;
use crate::service::{Location, Service, ours_built};

#[test]
fn the_files_are_as_generated_and_each_mistake_in_the_template_is_found_and_repaired() {
    let service = ours_built();
    assert_eq!(complaints(&service).unwrap(), Vec::<String>::new());
    let source = fs_err::read_to_string(service.template_path()).unwrap();
    let descriptions = described(&service).unwrap();
    let functions = declared::functions(&service).unwrap();
    let all = Declared::of(&functions, &descriptions).unwrap();

    for (right, wrong, part) in MISTAKES {
        assert!(source.contains(right), "the template no longer has {right}");
        let mut template = Document::new("template.yaml", source.replacen(right, wrong, 1));
        template::fill(&mut template, &all, &BTreeSet::new()).unwrap();
        let [change] = template.changes() else { panic!("{right} → {wrong}: {template:?}") };
        assert!(change.starts_with(&format!("template.yaml: {part}\n")), "{change}");
        assert!(template.text() == source, "{right} → {wrong} is not repaired");
    }
    for (right, wrong, found) in REFUSED {
        assert!(source.contains(right), "the template no longer has {right}");
        let mut template = Document::new("template.yaml", source.replacen(right, wrong, 1));
        let refused =
            template::fill(&mut template, &all, &BTreeSet::new()).unwrap_err().to_string();
        assert!(refused.contains(found), "{right} → {wrong}: {refused}");
    }
}

/// The correct text, the mistake, and the resource with the mistake.
const MISTAKES: [(&str, &str, &str); 24] = [
    ("Path: \"/users/{userId}\", Auth", "Path: \"/user/{userId}\", Auth", "GetUserFunction"),
    (
        "Action: [dynamodb:PutItem], Resource: !GetAtt OrdersTable.Arn",
        "Action: [dynamodb:GetItem], Resource: !GetAtt OrdersTable.Arn",
        "CreateOrderFunction",
    ),
    (
        "Action: [dynamodb:PutItem], Resource: !GetAtt OrdersTable.Arn",
        "Action: [dynamodb:PutItem, dynamodb:Scan], Resource: !GetAtt OrdersTable.Arn",
        "CreateOrderFunction",
    ),
    (
        "Action: [dynamodb:PutItem], Resource: !GetAtt OrdersTable.Arn",
        "Action: [dynamodb:PutItem], Resource: !GetAtt SettingsTable.Arn",
        "CreateOrderFunction",
    ),
    (
        "${OrdersTable.Arn}/index/by_creation",
        "${OrdersTable.Arn}/index/by_deadline",
        "ListOrdersFunction",
    ),
    ("${OrdersTable.Arn}/index/by_creation", "${OrdersTable.Arn}/index/*", "ListOrdersFunction"),
    (
        "!Sub \"${OrdersTable.Arn}/index/by_creation\"",
        "!GetAtt OrdersTable.Arn",
        "ListOrdersFunction",
    ),
    ("ORDERS_TABLE: !Ref OrdersTable", "ORDERS_TABLE: !Ref OutboxTable", "CreateOrderFunction"),
    ("          ORDERS_TABLE: !Ref OrdersTable\n", "", "CreateOrderFunction"),
    ("          PARTNER_URL: !Ref PartnerUrl\n", "", "ListPartnerProductsFunction"),
    (
        "          PARTNER_URL: !Ref PartnerUrl\n",
        "          PARTNER_URL: !Ref PartnerUrl\n          BANK_URL: !Ref PartnerUrl\n",
        "ListPartnerProductsFunction",
    ),
    ("          PUBLIC_URL: !Ref PublicUrl\n", "", "PostShareLinkFunction"),
    ("      FunctionResponseTypes: [ReportBatchItemFailures]\n", "", "EmailsMapping"),
    (
        "RedrivePolicy: {deadLetterTargetArn: !GetAtt EmailsDeadLetterQueue.Arn, maxReceiveCount: 11}",
        "DelaySeconds: 0",
        "EmailsQueue",
    ),
    ("maxReceiveCount: 11}", "maxReceiveCount: 5}", "EmailsQueue"),
    ("[sqs:ChangeMessageVisibility, ", "[", "SendEmailFunction"),
    (
        "          EMAILS_QUEUE_URL: !Ref EmailsQueue\n          LEDGER_TABLE: !Ref LedgerTable\n          LIMITS_TABLE: !Ref LimitsTable\n          MAIL",
        "          LEDGER_TABLE: !Ref LedgerTable\n          LIMITS_TABLE: !Ref LimitsTable\n          MAIL",
        "SendEmailFunction",
    ),
    ("${AWS::AccountId}:identity/*", "${AWS::AccountId}:identity/${MailFrom}", "SendEmailFunction"),
    (
        "                - !Sub \"arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/*\"\n",
        "",
        "SendEmailFunction",
    ),
    ("          MAIL_CONFIGURATION_SET: !Ref MailConfigurationSet\n", "", "SendEmailFunction"),
    (", secretsmanager:UpdateSecretVersionStage]", "]", "RotateKeysFunction"),
    ("{Schedule: rate(1 minute)}", "{Schedule: rate(1 hour)}", "ExpireSagasFunction"),
    ("MaximumEventAgeInSeconds: 60}", "MaximumEventAgeInSeconds: 3600}", "ExpireSagasFunction"),
    ("            - !GetAtt OrdersTable.Arn\n", "", "Backups"),
];

/// The correct text, a mistake that only a person can repair, and a part of the error.
const REFUSED: [(&str, &str, &str); 5] = [
    (
        "      MemorySize: 512\n",
        "      MemorySize: 512\n      Policies: [AmazonDynamoDBFullAccess]\n",
        "CreateOrderFunction: Policies is generated",
    ),
    (
        "      MemorySize: 512\n",
        "      MemorySize: 512\n      Events: {Other: {Type: HttpApi, Properties: {Method: GET, Path: /other}}}\n",
        "CreateOrderFunction: Events is generated",
    ),
    (
        "      Timeout: 20\n\n  # Articles\n",
        "      Timeout: 20\n      EventInvokeConfig: {MaximumRetryAttempts: 2}\n\n  # Articles\n",
        "ExpireSagasFunction: EventInvokeConfig is generated",
    ),
    (
        "{Binary: get_user}",
        "{Binary: read_user}",
        "template.yaml: GetUserFunction has the binary read_user, which no package of the workspace has",
    ),
    (
        "  GetUserFunction:\n    # <generated by cargo lifecycle codegen>\n",
        "  GetUserFunction:\n",
        "GetUserFunction has no <generated by cargo lifecycle codegen>",
    ),
];

const TEMPLATE: &str = "Resources:

  SendEmailFunction:
    # <generated by cargo lifecycle codegen>
      # </generated>
      Timeout: 20

  EmailsMapping:
    # <generated by cargo lifecycle codegen>
      # </generated>

  GetOrderFunction:
    # <generated by cargo lifecycle codegen>
      # </generated>

  UsersTable:
    Type: AWS::DynamoDB::Table

  EmailsQueue:
    # <generated by cargo lifecycle codegen>
      # </generated>

  EmailsDeadLetterQueue:
    # <generated by cargo lifecycle codegen>
      # </generated>

Outputs:
";

pub(crate) fn description(kind: &str, queue: Option<&str>) -> Description {
    with_source(kind, &queue.map(|queue| json!({ "queue": queue })).into())
}

fn scheduled(expression: &str, age_s_max: u32) -> Description {
    let schedule = json!({ "expression": expression, "eventAgeMaxSeconds": age_s_max });
    with_source("consumer", &json!({ "schedule": schedule }))
}

fn with_source(kind: &str, source: &Value) -> Description {
    let none: [&str; 0] = [];
    let resources = json!({
        "tables": { "users": ["GetItem"] }, "indexes": {}, "queues": none, "probedQueues": none,
        "deadLettersOf": none, "secrets": none, "writtenSecrets": none, "rotatedSecrets": none,
        "mail": false, "upstreams": none, "publicUrl": false,
    });
    let description = json!({
        "kind": kind, "source": source, "deliveriesMax": 11, "resources": resources,
    });
    serde_json::from_value(description).unwrap()
}

#[test]
fn the_template_of_the_examples_is_as_generated_and_has_no_drift() {
    let workspace = crate::service::repository();
    let examples = Service::find(&Location {
        workspace: Some(workspace.to_owned()),
        template: Some(workspace.join("infra/examples/template.yaml")),
        package: Some("examples".to_owned()),
    });
    let examples = examples.unwrap();
    assert_eq!(complaints(&examples).unwrap(), Vec::<String>::new());
    // They are built now.
    let examples = examples.without_building();
    assert_eq!(drift::complaints(&examples).unwrap(), Vec::<String>::new());
}

#[test]
fn a_new_consumer_is_added_with_its_mapping_and_its_queues() {
    let function =
        |folder: &str, name: &str| Function { folder: folder.to_owned(), name: name.to_owned() };
    let functions = [
        function("orders", "get_order"),
        function("people", "count_greetings"),
        function("people", "send_email"),
    ];
    let descriptions: BTreeMap<String, Description> = [
        ("get_order", description("endpoint", None)),
        ("count_greetings", description("consumer", Some("greetings"))),
        ("send_email", description("consumer", Some("emails"))),
    ]
    .map(|(name, description)| (name.to_owned(), description))
    .into();
    let all = Declared::of(&functions, &descriptions).unwrap();
    let mut template = Document::new("template.yaml", TEMPLATE.to_owned());
    template::fill(&mut template, &all, &BTreeSet::new()).unwrap();
    let text = template.text().to_owned();
    assert_eq!(
        resources_of(&text),
        [
            "SendEmailFunction",
            "EmailsMapping",
            "CountGreetingsFunction",
            "GreetingsMapping",
            "GetOrderFunction",
            "UsersTable",
            "EmailsQueue",
            "EmailsDeadLetterQueue",
            "GreetingsQueue",
            "GreetingsDeadLetterQueue",
        ]
    );
    assert!(text.contains("      # </generated>\n      VisibilityTimeout: 120\n"), "{text}");
    assert!(text.ends_with("\n\nOutputs:\n"), "{text}");

    let mut again = Document::new("template.yaml", text);
    template::fill(&mut again, &all, &BTreeSet::new()).unwrap();
    assert_eq!(again.changes(), Vec::<String>::new());
}

#[test]
fn a_template_without_resources_gets_the_first_function_table_and_queue() {
    let function = |name: &str| Function { folder: "people".to_owned(), name: name.to_owned() };
    let functions = [function("get_user"), function("send_email"), function("track_users")];
    let descriptions: BTreeMap<String, Description> = [
        ("get_user", description("endpoint", None)),
        ("send_email", description("consumer", Some("emails"))),
        ("track_users", with_source("consumer", &json!({ "stream": "users" }))),
    ]
    .map(|(name, description)| (name.to_owned(), description))
    .into();
    let all = Declared::of(&functions, &descriptions).unwrap();
    let globals = "Globals:\n  Function: {AutoPublishAlias: live}\n";
    let mut template = Document::new("template.yaml", format!("{globals}\nResources:\n"));
    template::fill(&mut template, &all, &BTreeSet::new()).unwrap();
    let text = template.text().to_owned();
    assert_eq!(
        resources_of(&text),
        [
            "GetUserFunction",
            "SendEmailFunction",
            "EmailsMapping",
            "TrackUsersFunction",
            "UsersMapping",
            "EmailsQueue",
            "EmailsDeadLetterQueue",
            "UsersDeadLetterQueue",
            "UsersTable",
        ]
    );
    assert!(text.contains("BuildProperties: {Binary: get_user}"), "{text}");
    let mut again = Document::new("template.yaml", text);
    template::fill(&mut again, &all, &BTreeSet::new()).unwrap();
    assert_eq!(again.changes(), Vec::<String>::new());
}

/// The logical ids of a template's resources, in order.
fn resources_of(template: &str) -> Vec<&str> {
    let ids = template.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    ids.filter(|id| !id.starts_with(' ')).collect()
}

#[test]
fn a_second_consumer_of_a_queue_is_refused_and_does_not_take_its_mapping() {
    let function = |name: &str| Function { folder: "people".to_owned(), name: name.to_owned() };
    let functions = [function("send_email"), function("send_email_again")];
    let descriptions: BTreeMap<String, Description> = ["send_email", "send_email_again"]
        .map(|name| (name.to_owned(), description("consumer", Some("emails"))))
        .into();
    let all = Declared::of(&functions, &descriptions).unwrap();
    let mut template = Document::new("template.yaml", TEMPLATE.to_owned());
    let refused = template::fill(&mut template, &all, &BTreeSet::new()).unwrap_err().to_string();
    assert_eq!(refused, "send_email and send_email_again both consume emails");
    assert_eq!(template.changes(), Vec::<String>::new());
}

#[test]
fn a_schedule_is_generated_with_its_settings_and_its_event_keeps_its_name() {
    let function = |name: &str| Function { folder: "people".to_owned(), name: name.to_owned() };
    let functions = [function("send_email"), function("send_reminders")];
    let filled = |text: &str, expression: &str| {
        let descriptions: BTreeMap<String, Description> = [
            ("send_email", description("consumer", Some("emails"))),
            ("send_reminders", scheduled(expression, 300)),
        ]
        .map(|(name, description)| (name.to_owned(), description))
        .into();
        let all = Declared::of(&functions, &descriptions).unwrap();
        let mut template =
            Document::new("template.yaml", text.replace("GetOrder", "SendReminders"));
        template::fill(&mut template, &all, &BTreeSet::new()).unwrap();
        template.text().to_owned()
    };
    let settings =
        "      EventInvokeConfig: {MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 300}\n";
    let event = |name: &str, schedule: &str| {
        format!(
            "{settings}      Events:\n        {name}: {{Type: Schedule, Properties: \
             {{Schedule: {schedule}}}}}\n      # </generated>\n"
        )
    };
    let new = filled(TEMPLATE, "rate(5 minutes)");
    assert!(new.contains(&event("Clock", "rate(5 minutes)")), "{new}");
    let named = new.replace("        Clock:", "        Overdue:");
    let changed = filled(&named, "cron(0,30 8 ? * MON-FRI *)");
    assert!(changed.contains(&event("Overdue", "\"cron(0,30 8 ? * MON-FRI *)\"")), "{changed}");
}

#[test]
fn a_declared_table_that_the_template_lacks_is_added_behind_the_others() {
    let functions = [Function { folder: "people".to_owned(), name: "get_order".to_owned() }];
    let mut reading = description("endpoint", None);
    let indexes = BTreeSet::from(["by_creation".to_owned()]);
    reading.resources.indexes = BTreeMap::from([("orders".to_owned(), indexes)]);
    let descriptions = BTreeMap::from([("get_order".to_owned(), reading)]);
    let all = Declared::of(&functions, &descriptions).unwrap();
    let mut template = Document::new("template.yaml", TEMPLATE.to_owned());
    tables::add_missing(&mut template, &all).unwrap();
    let added = "  UsersTable:\n    Type: AWS::DynamoDB::Table\n\n  OrdersTable:\n";
    assert!(template.text().contains(added), "{template:?}");
    assert!(template.text().contains("- IndexName: by_creation\n"), "{template:?}");
    assert_eq!(template.changes(), ["template.yaml: OrdersTable is missing"]);
}

#[test]
fn the_outbox_is_added_with_its_stream_its_expiry_and_the_filter_of_its_mapping() {
    let functions = [
        Function { folder: "people".to_owned(), name: "relay".to_owned() },
        Function { folder: "people".to_owned(), name: "track_users".to_owned() },
    ];
    let mut relay = with_source("consumer", &json!({ "stream": "outbox" }));
    relay.resources.tables.insert("outbox".to_owned(), BTreeSet::new());
    let track = with_source("consumer", &json!({ "stream": "users" }));
    let descriptions =
        BTreeMap::from([("relay".to_owned(), relay), ("track_users".to_owned(), track)]);
    let all = Declared::of(&functions, &descriptions).unwrap();
    let globals = "Globals:\n  Function: {AutoPublishAlias: live}\n\nResources:\n";
    let mut template = Document::new("template.yaml", globals.to_owned());
    template::fill(&mut template, &all, &BTreeSet::new()).unwrap();
    let block = |id: &str| {
        let begin = template.text().find(&format!("\n  {id}:\n")).unwrap();
        template.text()[begin + 1..].split("\n\n").next().unwrap().to_owned()
    };
    for (id, line, expected) in [
        ("OutboxTable", "StreamSpecification: {StreamViewType: NEW_IMAGE}", true),
        ("OutboxTable", "TimeToLiveSpecification: {AttributeName: expiresAt, Enabled: true}", true),
        ("UsersTable", "StreamSpecification: {StreamViewType: NEW_IMAGE}", true),
        ("UsersTable", "TimeToLiveSpecification", false),
        ("OutboxMapping", "{\"eventName\": [\"INSERT\"]}", true),
        ("UsersMapping", "FilterCriteria", false),
    ] {
        assert_eq!(block(id).contains(line), expected, "{id}: {line}\n{}", block(id));
    }
}

#[test]
fn only_schedules_that_run_every_five_minutes_share_the_alarm_on_missing_runs() {
    let function = |name: &str| Function { folder: "people".to_owned(), name: name.to_owned() };
    let functions = [function("send_digest"), function("send_reminders")];
    let descriptions = BTreeMap::from([
        ("send_digest".to_owned(), scheduled("cron(0 8 * * ? *)", 21_600)),
        ("send_reminders".to_owned(), scheduled("rate(5 minutes)", 300)),
    ]);
    let all = Declared::of(&functions, &descriptions).unwrap();
    let lists = ["Judged", "Functions", "Slow", "Clocks"].map(|name| (name, "Function"));
    let lists = lists.into_iter().chain([("Sources", "Source"), ("Waiting", "Queue")]);
    let lists = lists.map(|(name, variable)| {
        format!("\n  Fn::ForEach::{name}:\n    - {variable}\n    # {START}\n    # {END}\n")
    });
    let text = lists.collect::<Vec<_>>().concat();
    let mut alarms = Document::new("infra/alarms.yaml", text);
    let template = Document::new("template.yaml", TEMPLATE.to_owned());
    alarms::fill(&mut alarms, &template, &all).unwrap();
    let list =
        |name: &str| alarms.generated(&format!("\n  Fn::ForEach::{name}:\n    - Function\n"));
    assert_eq!(list("Clocks"), Some("    - [send_reminders]\n"));
    assert_eq!(list("Slow"), Some("    - [send_digest, send_reminders]\n"));
    assert_eq!(list("Functions"), Some("    - []\n"));
}
