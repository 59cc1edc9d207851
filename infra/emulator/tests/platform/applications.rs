//! Tests of the whole platform, without an application and with one.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use emulator::faults::{FakeResponse, UpstreamFault};
use emulator::options::Options;
use emulator::services::Stores;
use emulator::standins::{Service, Standins};
use emulator::{Application, BoxError, NoApplication, Platform};
use http::{Request, StatusCode};
use serde_json::{Value, json};

/// A template that knows nothing of this workspace.
const TEMPLATE: &str = r"
Transform: AWS::Serverless-2016-10-31
Parameters:
  WeatherUrl: {Type: String, Default: 'https://weather.example.com'}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties: {StageName: $default}
  NotesTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
";

/// A third-party service with the general faults.
struct Weather;

impl Service for Weather {
    const NAME: &'static str = "weather";
    const PARAMETERS: &'static [&'static str] = &["WeatherUrl"];
    type Faults = UpstreamFault;

    fn fault<'a>(faults: &'a UpstreamFault, _: &str) -> (&'static str, &'a UpstreamFault) {
        ("weather", faults)
    }

    fn answer(&self, _: &Request<Bytes>, _: &UpstreamFault) -> FakeResponse {
        FakeResponse::new(StatusCode::OK, json!({ "weather": "fair" }))
    }
}

/// An application with a stand-in, a description and one note.
struct Notes;

impl Application for Notes {
    async fn standins(&self) -> io::Result<Standins> {
        let mut standins = Standins::default();
        standins.add(Weather).await?;
        Ok(standins)
    }

    async fn seed(&self, stores: &Stores, demo: bool) -> Result<(), BoxError> {
        let note = json!({ "pk": { "S": if demo { "demo" } else { "first" } } });
        Ok(stores.put_item("NotesTable", &note)?)
    }

    fn description(&self) -> Option<&'static str> {
        Some(r#"{"openapi": "3.1.0"}"#)
    }
}

#[tokio::test]
async fn a_template_starts_without_an_application() {
    let platform = started(&NoApplication, false).await;

    assert_eq!(status(&format!("{}/notes", platform.api_url())).await, 404);
    assert_eq!(status(&format!("{}/openapi.json", platform.control_url())).await, 404);
    let index = json_at(&format!("{}/", platform.control_url())).await;
    assert_eq!(index["tables"], json!(["/tables/NotesTable"]));
    assert_eq!(index["standins"], json!([]));
    assert_eq!(index["functions"], json!([]));
    assert!(platform.stores().scan("NotesTable").unwrap().0.is_empty());
    platform.stop().await;
}

#[tokio::test]
async fn an_application_adds_stand_ins_data_and_a_description() {
    for (demo, first) in [(false, "first"), (true, "demo")] {
        let platform = started(&Notes, demo).await;
        let control = platform.control_url();

        let weather = &platform.standins().parameters()["WeatherUrl"];
        assert_eq!(json_at(&format!("{weather}/today")).await, json!({ "weather": "fair" }));
        assert_eq!(json_at(&format!("{control}/standins/weather")).await["counts"]["/today"], 1);
        assert_eq!(platform.stores().scan("NotesTable").unwrap().0, [json!({ "pk": first })]);
        let description = json_at(&format!("{control}/openapi.json")).await;
        assert_eq!(description["openapi"], "3.1.0");
        assert_eq!(description["servers"][0]["url"], platform.api_url());
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_document_that_an_option_names_is_shown_as_it_is_now() {
    let path = template(r#"{"openapi": "3.1.0", "info": {"title": "Notes"}}"#);
    let options = Options { openapi: Some(path.clone()), ..options(TEMPLATE, false) };
    let platform = Platform::start(options, &Notes).await.unwrap();
    let address = format!("{}/openapi.json", platform.control_url());

    let first = json_at(&address).await;
    assert_eq!(first["info"]["title"], "Notes");
    assert_eq!(first["servers"][0]["url"], platform.api_url());
    std::fs::write(&path, r#"{"openapi": "3.2.0"}"#).unwrap();
    assert_eq!(json_at(&address).await["openapi"], "3.2.0");
    std::fs::write(&path, "[]").unwrap();
    assert_eq!(status(&address).await, 500);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(status(&address).await, 404);
    platform.stop().await;
}

#[tokio::test]
async fn a_template_without_an_api_starts_without_the_ignored_resources() {
    let source = format!("{TEMPLATE}  Server: {{Type: 'AWS::EC2::Instance'}}\n");
    let source = source.replace("AWS::Serverless::HttpApi", "AWS::EC2::Instance");
    let options = |ignored: &[&str]| Options {
        ignored: ignored.iter().map(|&it| it.to_owned()).collect(),
        ..options(&source, false)
    };

    let platform = Platform::start(options(&["AWS::EC2::Instance"]), &NoApplication).await.unwrap();
    assert!(platform.apis().is_empty());
    assert_eq!(status(&format!("{}/notes", platform.api_url())).await, 404);
    platform.stop().await;

    let error = Platform::start(options(&["Server"]), &NoApplication).await.err().unwrap();
    let expected = "/Resources/Api: a resource of type AWS::EC2::Instance; \
                    --ignore AWS::EC2::Instance leaves it out";
    assert!(error.to_string().ends_with(expected), "{error}");
}

async fn started(application: &impl Application, demo: bool) -> Platform {
    Platform::start(options(TEMPLATE, demo), application).await.unwrap()
}

/// The options for this template, on free ports.
fn options(source: &str, demo: bool) -> Options {
    Options {
        template: Some(template(source)),
        workspace: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")),
        no_build: true,
        demo,
        ..Options::default()
    }
}

/// The text in a new file.
fn template(source: &str) -> PathBuf {
    let name = format!("{}.yaml", uuid::Uuid::new_v4());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, source).unwrap();
    path
}

async fn status(url: &str) -> u16 {
    reqwest::get(url).await.unwrap().status().as_u16()
}

async fn json_at(url: &str) -> Value {
    reqwest::get(url).await.unwrap().json().await.unwrap()
}
