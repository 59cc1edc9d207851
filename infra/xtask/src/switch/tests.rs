use std::os::unix::fs::PermissionsExt;

use house::workspace;

use super::*;

const ARN: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/shop-OrdersTable-restored";

#[test]
fn every_reference_to_a_switched_table_names_the_restored_one() {
    let template = as_json(&workspace().join("template.yaml")).unwrap();
    let tables = template["Resources"].as_object().unwrap().iter();
    let tables = tables.filter(|(_, it)| it["Type"] == TABLE).map(|(id, _)| id);
    for id in tables {
        let mut switched = template.clone();
        detach(&mut switched, id, &restored(&template, id)).unwrap();
        assert!(!switched.to_string().contains(&format!("\"{id}")), "{id}");
    }
    let mut switched = template.clone();
    detach(&mut switched, "OrdersTable", &restored(&template, "OrdersTable")).unwrap();
    let function = &switched["Resources"]["GetOrderFunction"]["Properties"];
    assert_eq!(function["Environment"]["Variables"]["ORDERS_TABLE"], "shop-OrdersTable-restored");
    assert!(function["Policies"].to_string().contains(ARN), "{function}");
    assert!(switched.to_string().contains(&format!("{ARN}/index/")), "permissions on indexes");
}

#[test]
fn the_stream_of_the_outbox_is_that_of_the_restored_table() {
    let template = as_json(&workspace().join("template.yaml")).unwrap();
    let mut switched = template.clone();
    detach(&mut switched, "OutboxTable", &restored(&template, "OutboxTable")).unwrap();
    assert!(switched.to_string().contains(&format!("\"{ARN}/stream/1\"")));
    let without = Restored { stream_arn: None, ..restored(&template, "OutboxTable") };
    let refused = detach(&mut template.clone(), "OutboxTable", &without).unwrap_err();
    assert_eq!(refused.to_string(), "a reference to OutboxTable has no replacement");
}

#[test]
fn a_restored_table_that_differs_from_the_declared_one_is_rejected() {
    let template = as_json(&workspace().join("template.yaml")).unwrap();
    let table = kept(&template, "OutboxTable").unwrap();
    let [dev, prod] = ["dev", "prod"].map(|it| declared(workspace(), table, it).unwrap());
    let ready = || restored(&template, "OutboxTable");
    assert_eq!(ready().differences(&dev), Vec::<String>::new());
    assert_eq!(ready().differences(&prod), ["it has no deletion protection"]);
    let described = |change: &dyn Fn(&mut Value)| {
        let mut changed = ready();
        change(&mut changed.described);
        changed
    };
    for (differing, said) in [
        (Restored { expires_by: None, ..ready() }, "it has no time to live by expiresAt"),
        (Restored { is_recoverable: false, ..ready() }, "it has no point-in-time recovery"),
        (described(&|it| it["TableStatus"] = json!("CREATING")), "it is not ACTIVE"),
        (described(&|it| it["KeySchema"] = json!([])), "it has another key"),
        (described(&|it| it["StreamSpecification"] = json!(null)), "it has no stream of NEW_IMAGE"),
        (
            described(&|it| it["GlobalSecondaryIndexes"][0]["IndexStatus"] = json!("CREATING")),
            "it has no active index \"by_waiting\"",
        ),
        (described(&|it| it["SSEDescription"] = json!(null)), "it has no encryption by KMS"),
        (
            described(&|it| it["SSEDescription"]["Status"] = json!("UPDATING")),
            "it has no encryption by KMS",
        ),
        (
            described(&|it| it[PROTECTION] = json!(true)),
            "the template declares no deletion protection",
        ),
    ] {
        assert_eq!(differing.differences(&dev), [said]);
    }
}

#[test]
fn a_property_of_a_restored_table_that_is_not_declared_is_rejected() {
    let template = as_json(&workspace().join("template.yaml")).unwrap();
    let bare =
        json!({ "KeySchema": template["Resources"]["OutboxTable"]["Properties"]["KeySchema"] });
    assert_eq!(
        restored(&template, "OutboxTable").differences(&bare),
        [
            "the template declares no time to live",
            "the template declares no stream",
            "the template declares no point-in-time recovery",
            "the template declares no encryption by KMS",
            "the template declares no index \"by_waiting\"",
        ]
    );
}

#[test]
fn an_unknown_table_and_one_that_cloudformation_would_delete_are_errors() {
    let aws = AwsCli::at(Path::new("/no/aws"), "eu-west-1");
    let refused = |table: &str| {
        let switch = Switch {
            table: table.to_owned(),
            name: "shop-restored".to_owned(),
            stage: "dev".to_owned(),
            template: PathBuf::from("template.yaml"),
        };
        take_out(workspace(), &aws, &switch).unwrap_err().to_string()
    };
    assert_eq!(refused("OrderTable"), "the template has no table OrderTable");
    assert_eq!(refused("GetOrderFunction"), "the template has no table GetOrderFunction");
    assert_eq!(
        refused("TokensTable"),
        "TokensTable would be deleted with its items: its DeletionPolicy is Delete"
    );
    assert!(refused("OrdersTable").contains("/no/aws"), "AWS is asked about a kept table");
}

#[test]
fn a_table_whose_name_does_not_begin_with_the_stacks_is_rejected() {
    let stack = Stack { name: "shop".to_owned(), region: "eu-west-1".to_owned(), gradual: false };
    assert!(check_name("shop-OrdersTable-restored", &stack).is_ok());
    for name in ["OrdersTable-restored", "shop2-OrdersTable"] {
        assert!(check_name(name, &stack).is_err(), "{name}");
    }
}

#[test]
fn the_restored_table_is_imported_under_the_logical_id_of_the_other() {
    let folder = std::env::temp_dir().join(format!("switch-table-{}", std::process::id()));
    fs_err::create_dir_all(&folder).unwrap();
    let program = folder.join("aws");
    let body = json!({ "TemplateBody": { "Resources": { "Api": {} } } });
    fs_err::write(&program, format!("#!/bin/sh\necho '{body}'\n")).unwrap();
    fs_err::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let switch = Switch {
        table: "OrdersTable".to_owned(),
        name: "shop-OrdersTable-restored".to_owned(),
        stage: "prod".to_owned(),
        template: PathBuf::new(),
    };
    let stack = Stack { name: "shop".to_owned(), region: "eu-west-1".to_owned(), gradual: false };
    let aws = AwsCli::at(&program, &stack.region);
    let files = take_in(workspace(), &aws, &stack, &switch, &folder).unwrap();
    let [template, resources] = files.map(|file| as_json(&file).unwrap());
    fs_err::remove_dir_all(&folder).unwrap();
    let table = &template["Resources"]["OrdersTable"];
    assert_eq!((&table["Type"], &table["DeletionPolicy"]), (&json!(TABLE), &json!("Retain")));
    assert_eq!(template["Resources"]["Api"], json!({}));
    assert_eq!(resources[0]["ResourceIdentifier"]["TableName"], "shop-OrdersTable-restored");
    let refused = attach(&mut template.clone(), "OrdersTable", table.clone()).unwrap_err();
    assert_eq!(refused.to_string(), "the stack has OrdersTable already");
}

/// A table with all declared properties, without deletion protection.
fn restored(template: &Value, id: &str) -> Restored {
    let mut described = template["Resources"][id]["Properties"].clone();
    described["TableStatus"] = json!("ACTIVE");
    described["SSEDescription"] = json!({ "Status": "ENABLED", "SSEType": "KMS" });
    described[PROTECTION] = json!(false);
    for index in described["GlobalSecondaryIndexes"].as_array_mut().into_iter().flatten() {
        index["IndexStatus"] = json!("ACTIVE");
    }
    Restored {
        name: "shop-OrdersTable-restored".to_owned(),
        arn: ARN.to_owned(),
        stream_arn: Some(format!("{ARN}/stream/1")),
        expires_by: Some("expiresAt".to_owned()),
        is_recoverable: true,
        described,
    }
}
