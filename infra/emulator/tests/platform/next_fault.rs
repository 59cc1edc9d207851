//! Tests of one-shot faults of the next request that fits.

use std::path::{Path, PathBuf};

use emulator::faults::{FaultStage, NextFault};
use emulator::options::Options;
use emulator::{NoApplication, Platform};
use reqwest::{Client, StatusCode};

use super::probe;

/// An API with an open route, and one whose authorizer is the probe, too.
const TEMPLATE: &str = r"
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Token
        Authorizers:
          Token:
            FunctionArn: !GetAtt AuthorizerFunction.Arn
            AuthorizerPayloadFormatVersion: '2.0'
            EnableSimpleResponses: true
            Identity: {Headers: [Authorization], ReauthorizeEvery: 60}
  AuthorizerFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: PROBE, Handler: bootstrap, Runtime: provided.al2023}
  ProbeFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: PROBE
      Handler: bootstrap
      Runtime: provided.al2023
      Events:
        Open:
          Type: HttpApi
          Properties: {ApiId: !Ref Api, Path: /open, Method: post, Auth: {Authorizer: NONE}}
        Closed: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /closed, Method: get}}
";

async fn platform() -> Platform {
    let options = Options {
        template: Some(template()),
        workspace: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")),
        no_build: true,
        ..Options::default()
    };
    Platform::start(options, &NoApplication).await.unwrap()
}

/// The template in a new directory, with the probe.
fn template() -> PathBuf {
    let name = uuid::Uuid::new_v4().to_string();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let code = directory.join("code_of_probe");
    std::fs::create_dir_all(&code).unwrap();
    std::os::unix::fs::symlink(probe(), code.join("bootstrap")).unwrap();
    let path = directory.join("template.yaml");
    std::fs::write(&path, TEMPLATE.replace("PROBE", "code_of_probe/")).unwrap();
    path
}

#[tokio::test]
async fn a_process_is_killed_before_the_response_of_one_request_of_the_route() {
    let platform = platform().await;
    let client = Client::new();
    let open = async || {
        let request = client.post(format!("{}/open", platform.api_url()));
        request.send().await.unwrap().status()
    };
    let closed = async || {
        let request = client.get(format!("{}/closed", platform.api_url()));
        request.header("authorization", "good").send().await.unwrap().status()
    };
    let faults = platform.functions().next_faults();
    faults.arm(NextFault::stage(FaultStage::Response).of_route("POST /open"));

    assert_eq!(closed().await, StatusCode::OK, "another route");
    assert!(faults.armed().is_some());
    assert_eq!(open().await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(faults.armed(), None);
    assert_eq!(open().await, StatusCode::OK);
    platform.stop().await;
}

#[tokio::test]
async fn an_authorizer_fails_for_one_request_of_a_route_that_has_one() {
    let platform = platform().await;
    let client = Client::new();
    let status = async |method: &str, path: &str| {
        let method = method.parse().unwrap();
        let request = client.request(method, format!("{}{path}", platform.api_url()));
        request.header("authorization", "good").send().await.unwrap().status()
    };
    assert_eq!(status("GET", "/closed").await, StatusCode::OK, "the decision is cached");
    let faults = platform.functions().next_faults();
    faults.arm(NextFault::stage(FaultStage::Authentication));

    assert_eq!(status("POST", "/open").await, StatusCode::OK, "it has no authorizer");
    assert_eq!(status("GET", "/closed").await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(status("GET", "/closed").await, StatusCode::OK);
    platform.stop().await;
}
