//! Tests of Secrets Manager's part in the rotation of a secret.

use std::fmt::Debug;

use aws_sdk_secretsmanager::error::SdkError;

use super::*;

const ROTATION: &str = "
  OtherSecret:
    Type: AWS::SecretsManager::Secret
  RotateKeysFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: rotate_keys}}
    Properties:
      CodeUri: .
      Handler: bootstrap
      Runtime: provided.al2023
      Policies:
        - Statement:
            - {Effect: Allow, Action: \"secretsmanager:*\", Resource: !Ref SigningKeysSecret}
  SigningKeysRotation:
    Type: AWS::SecretsManager::RotationSchedule
    Properties:
      SecretId: !Ref SigningKeysSecret
      RotationLambdaARN: !Ref RotateKeysFunction.Alias
      RotationRules: {ScheduleExpression: rate(30 days)}
";

const SECRET: &str = "local-SigningKeysSecret";

async fn stores() -> Stores {
    let source = format!("{}{ROTATION}", include_str!("template.yaml"));
    let template = Template::parse(&source, &BTreeMap::new()).unwrap();
    let stores = Stores::start(&template, None).await.unwrap();
    stores.put_secret("SigningKeysSecret", "old").await.unwrap();
    stores
}

impl Clients {
    async fn rotate(&self) -> String {
        let rotated = self.secrets.rotate_secret().secret_id(SECRET).send().await.unwrap();
        assert_eq!(rotated.name(), Some(SECRET));
        rotated.version_id.unwrap()
    }

    async fn put_pending(&self, version: &str, value: &str) -> Result<(), String> {
        let put = self.secrets.put_secret_value().secret_id(SECRET).secret_string(value);
        let put = put.client_request_token(version).version_stages("AWSPENDING");
        put.send().await.map(drop).map_err(words)
    }

    /// The value with a label, and all labels of its version.
    async fn labelled(&self, label: &str) -> Result<(String, Vec<String>), String> {
        let get = self.secrets.get_secret_value().secret_id(SECRET).version_stage(label);
        let found = get.send().await.map_err(words)?;
        assert!(found.created_date.is_some());
        Ok((found.secret_string.unwrap(), found.version_stages.unwrap()))
    }
}

fn words<E: Debug, R: Debug>(error: SdkError<E, R>) -> String {
    format!("{error:?}")
}

fn refused<T>(answer: Result<T, String>, why: &str) {
    let error = answer.err().unwrap();
    assert!(error.contains(why), "{error}");
}

#[tokio::test]
async fn a_new_version_is_pending_then_has_a_value_then_is_current() {
    let stores = stores().await;
    let function = Clients::of(&stores, "RotateKeysFunction");

    let token = Clients::with_key(&stores, "operator").rotate().await;
    let rotations = stores.rotations("SigningKeysSecret").unwrap();
    assert_eq!(rotations.borrow().as_ref(), Some(&token));
    let described = function.secrets.describe_secret().secret_id(SECRET).send().await.unwrap();
    assert_eq!(described.rotation_enabled(), Some(true));
    assert_eq!(described.version_ids_to_stages().unwrap()[&token], ["AWSPENDING"]);
    refused(function.labelled("AWSPENDING").await, "ResourceNotFoundException");

    for _ in 0..2 {
        function.put_pending(&token, "new").await.unwrap();
    }
    refused(function.put_pending(&token, "newer").await, "ResourceExistsException");
    let pending = ("new".to_owned(), vec!["AWSPENDING".to_owned()]);
    assert_eq!(function.labelled("AWSPENDING").await.unwrap(), pending);
    let get = function.secrets.get_secret_value().secret_id(SECRET).version_id(&token);
    assert_eq!(get.send().await.unwrap().secret_string(), Some("new"));

    let promote = function.secrets.update_secret_version_stage().secret_id(SECRET);
    let promote = promote.version_stage("AWSCURRENT").move_to_version_id(&token);
    let unnamed = promote.clone().send().await.map_err(words);
    refused(unnamed, "The parameter RemoveFromVersionId can't be empty.");
    let versions = described.version_ids_to_stages.unwrap();
    let (current, _) = versions.iter().find(|(_, labels)| labels[0] == "AWSCURRENT").unwrap();
    promote.remove_from_version_id(current).send().await.unwrap();
    let (value, labels) = function.labelled("AWSCURRENT").await.unwrap();
    assert_eq!((value.as_str(), labels), ("new", vec!["AWSCURRENT".into(), "AWSPENDING".into()]));
    assert_eq!(function.labelled("AWSPREVIOUS").await.unwrap().0, "old");

    let early = function.secrets.rotate_secret().secret_id(SECRET).send().await;
    refused(early.map_err(words), "A previous rotation isn't complete.");
    stores.rotation_ended("SigningKeysSecret").unwrap();
    assert_ne!(function.rotate().await, token);
    refused(function.labelled("AWSPENDING").await, "ResourceNotFoundException");
}

#[tokio::test]
async fn an_incomplete_rotation_is_retried_before_another_starts() {
    let stores = stores().await;
    let operator = Clients::with_key(&stores, "operator");
    let rotations = stores.rotations("SigningKeysSecret").unwrap();
    let token = operator.rotate().await;
    let rotate = || operator.secrets.rotate_secret().secret_id(SECRET);

    let repeated = rotate().client_request_token(&token).send().await.unwrap();
    assert_eq!(repeated.version_id(), Some(token.as_str()), "a client retries");
    refused(rotate().send().await.map_err(words), "A previous rotation isn't complete.");
    operator.put_pending(&token, "new").await.unwrap();
    stores.rotation_ended("SigningKeysSecret").unwrap();
    assert!(rotations.borrow().is_none());

    refused(rotate().send().await.map_err(words), "That rotation will be reattempted.");
    assert_eq!(rotations.borrow().as_ref(), Some(&token));
}

#[tokio::test]
async fn an_invalid_rotation_request_is_an_error_with_the_reason() {
    let stores = stores().await;
    let secrets = Clients::with_key(&stores, "operator").secrets;
    let rotate = |secret: &str| secrets.rotate_secret().secret_id(secret);

    let cases = [
        (rotate("local-OtherSecret"), "No Lambda rotation function ARN is associated"),
        (rotate("Nobody"), "ResourceNotFoundException"),
        (rotate(SECRET).rotation_lambda_arn("arn:x"), "unknown field `RotationLambdaARN`"),
        (rotate(SECRET).rotate_immediately(false), "unknown field `RotateImmediately`"),
        (rotate(SECRET).client_request_token("short"), "InvalidParameterException"),
    ];
    for (call, why) in cases {
        refused(call.send().await.map_err(words), why);
    }
    assert!(stores.rotations("SigningKeysSecret").unwrap().borrow().is_none());
}

#[tokio::test]
async fn a_function_accesses_a_secret_only_as_its_policy_allows() {
    let stores = stores().await;
    let secrets = Clients::of(&stores, "GetUserFunction").secrets;

    let put = secrets.put_secret_value().secret_id(SECRET).secret_string("x").send().await;
    let describe = secrets.describe_secret().secret_id(SECRET).send().await;
    let update = secrets.update_secret_version_stage().secret_id(SECRET);
    let update = update.version_stage("AWSCURRENT").send().await;
    let rotate = secrets.rotate_secret().secret_id(SECRET).send().await;

    let answers = [
        ("PutSecretValue", put.map(drop).map_err(words)),
        ("DescribeSecret", describe.map(drop).map_err(words)),
        ("UpdateSecretVersionStage", update.map(drop).map_err(words)),
        ("RotateSecret", rotate.map(drop).map_err(words)),
    ];
    for (operation, answer) in answers {
        refused(answer, &format!("is not authorized to perform: secretsmanager:{operation} on"));
    }
    secrets.get_secret_value().secret_id(SECRET).send().await.unwrap();
}
