use super::*;

fn evaluate(value: &Value) -> Result<Value, TemplateError> {
    let function = json!({"Type": names::FUNCTION});
    let resources = json!({
        "Table": {}, "Work": function, "Gone": function, "Lost": function, "LostUrl": {},
    });
    let mappings = json!({"Sizes": {"prod": {"memory": 512}}});
    let conditions = json!({
        "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "IsDev": {"Fn::Not": [{"Condition": "IsProd"}]},
        "Loop": {"Condition": "Loop"},
    });
    let scope = Scope {
        parameters: BTreeMap::from([
            ("Stage".to_owned(), json!("prod")),
            ("Origins".to_owned(), json!(["https://a.example", "https://b.example"])),
        ]),
        named_only: Vec::new(),
        mappings: &mappings,
        conditions: &conditions,
        resources: resources.as_object().unwrap(),
        left_out: [
            ("Topic", "AWS::SNS::Topic"),
            ("Gone", names::FUNCTION),
            ("Lost", names::FUNCTION),
        ]
        .map(|(id, kind)| (id.to_owned(), kind.to_owned()))
        .into(),
        left: Left::new(),
    };
    scope.evaluate(value, "")
}

#[test]
fn known_values_are_evaluated_and_resource_references_remain() {
    let cases = [
        (json!({"Ref": "Stage"}), json!("prod")),
        (json!({"Ref": "Table"}), json!({"Ref": "Table"})),
        (json!({"Fn::Sub": "a-${Stage}-${!x}"}), json!("a-prod-${x}")),
        (json!({"Fn::Sub": "${Table}"}), json!({"Ref": "Table"})),
        (
            json!({"Fn::Sub": "${Table.Arn}/index/*"}),
            json!({"Fn::Join": ["", [{"Fn::GetAtt": ["Table", "Arn"]}, "/index/*"]]}),
        ),
        (
            json!({"Fn::Join": [",", {"Ref": "Origins"}]}),
            json!("https://a.example,https://b.example"),
        ),
        (json!({"Fn::If": ["IsDev", 1, 2]}), json!(2)),
        (json!({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}), json!(512)),
        (json!({"Fn::Select": [1, {"Fn::Split": ["/", "a/b"]}]}), json!("b")),
        (
            json!({"Fn::Select": [3, {"Fn::Split": ["/", {"Fn::GetAtt": ["Table", "StreamArn"]}]}]}),
            json!("*"),
        ),
        (json!({"Ref": "Topic"}), json!("arn:aws:sns:eu-west-1:000000000000:local-Topic")),
        (json!({"Ref": "Work.Version"}), json!({"Ref": "Work"})),
        (json!({"Fn::Sub": "${Work.Alias}"}), json!({"Ref": "Work"})),
        (
            json!({"Fn::Sub": "${Work.Version}:${Table.Arn}"}),
            json!({"Fn::Join": ["", [{"Ref": "Work"}, ":", {"Fn::GetAtt": ["Table", "Arn"]}]]}),
        ),
        (json!({"Ref": "ServerlessHttpApi"}), json!({"Ref": "ServerlessHttpApi"})),
        (
            json!({"Fn::GetAtt": ["WorkRole", "Arn"]}),
            json!("arn:aws:iam::000000000000:role/local-WorkRole"),
        ),
        (json!({"kept": 1, "gone": {"Ref": "AWS::NoValue"}}), json!({"kept": 1})),
    ];

    for (expression, expected) in cases {
        assert_eq!(evaluate(&expression).unwrap(), expected, "{expression}");
    }
}

#[test]
fn a_function_left_out_has_texts_for_its_alias_and_url() {
    for (expression, expected) in [
        (json!({"Ref": "Gone"}), "local-Gone"),
        (json!({"Ref": "Gone.Alias"}), "local-Gone"),
        (json!({"Fn::Sub": "${Gone.Version}"}), "local-Gone"),
        (json!({"Fn::GetAtt": ["GoneUrl", "FunctionUrl"]}), "local-GoneUrl"),
    ] {
        assert_eq!(evaluate(&expression).unwrap(), expected, "{expression}");
    }
    for present in [
        json!({"Fn::GetAtt": ["WorkUrl", "FunctionUrl"]}),
        json!({"Fn::GetAtt": ["LostUrl", "Arn"]}),
        json!({"Ref": "LostUrl"}),
    ] {
        assert_eq!(evaluate(&present).unwrap(), present);
    }
}

#[test]
fn a_value_of_another_stack_is_a_text_with_the_name_of_its_export() {
    let named = json!({"Fn::ImportValue": {"Fn::Sub": "${Stage}-arns"}});
    let item = |index: usize| json!({"Fn::Select": [index, {"Fn::Split": [":", named]}]});
    for expression in [named.clone(), item(0), item(5)] {
        let expected = "{{resolve:import:prod-arns}}";
        assert_eq!(evaluate(&expression).unwrap(), expected, "{expression}");
    }
    let joined = evaluate(&json!({"Fn::Join": ["/", ["a", named]]})).unwrap();
    assert_eq!(joined, "a/{{resolve:import:prod-arns}}");
}

#[test]
fn an_unsupported_expression_is_an_error_with_its_path() {
    let cases = [
        (json!({"a": [{"Fn::Transform": {}}]}), "/a/0: the intrinsic Fn::Transform"),
        (json!({"b": {"Ref": "Nothing"}}), "/b: Nothing, which the template does not have"),
        (
            json!({"Fn::If": ["Loop", 1, 2]}),
            "/Conditions/Loop: conditions that refer to each other",
        ),
        (json!({"c": {"Fn::Sub": "${Stage"}}), "/c: a `${` that is not closed"),
        (json!({"d": {"Fn::ImportValue": {"Ref": "Table"}}}), "/d: an Fn::ImportValue of"),
    ];

    for (expression, expected) in cases {
        let message = evaluate(&expression).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}
