//! `cargo xtask try-new-service`: makes a service with `cargo lifecycle new-service`, tests it on the
//! local platform, adds an endpoint and calls it. The service is deleted afterwards.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use cargo_lifecycle::new_endpoint::{self, Method, NewEndpoint};
use cargo_lifecycle::new_service::{self, NewService};
use cargo_lifecycle::{Location, Service, codegen, drift};
use fs_err as fs;
use house::program_of;
use toml::{Table, Value};
use tooling::process::succeeded;
use tooling::{Error, cargo, say, target_directory};

/// Runs the trial.
///
/// # Errors
///
/// If a step fails; the error names it.
pub(crate) fn run(workspace: &Path) -> Result<(), Error> {
    let target = target_directory(workspace)?;
    // Outside of the workspace, whose settings of rustfmt and clippy would apply.
    let temporary = std::env::temp_dir().join(format!("new-service-{}", std::process::id()));
    let tried = in_folder(workspace, &temporary.join("notes"), &target);
    let removed = if temporary.exists() { fs::remove_dir_all(&temporary) } else { Ok(()) };
    tried.and(removed.map_err(Error::from))
}

fn in_folder(workspace: &Path, folder: &Path, target: &Path) -> Result<(), Error> {
    let begun = Instant::now();
    let done = |what: &str| say(&format!("{:>5.1} s  {what}", begun.elapsed().as_secs_f64()));
    let path = Some(workspace.to_owned());
    new_service::create(&NewService { folder: folder.to_owned(), path })?;
    share_target(workspace, folder, target)?;
    done("written");
    succeeded(cargo(folder).args(["fmt", "--all", "--check"]))?;
    succeeded(cargo(folder).args(["test", "--quiet", "--workspace"]))?;
    done("its tests pass, also those on the local platform");
    let service = service_in(folder)?;
    refuse(&codegen::complaints(&service)?)?;
    refuse(&drift::complaints(&service.clone().without_building())?)?;
    done("codegen and drift find no problems");
    let endpoint = greeting();
    new_endpoint::endpoint(&service, &endpoint)?;
    codegen::write(&service.again()?)?;
    refuse(&drift::complaints(&service.again()?.without_building())?)?;
    let call = format!("{} {}", endpoint.method.in_capitals(), endpoint.example_path());
    let mut conformance = program_of("conformance");
    succeeded(conformance.arg("new-service").arg(folder.join("template.yaml")).arg(call))?;
    done("the local platform returns 200 for a new endpoint");
    Ok(())
}

/// The crates that the service needs with other features than our workspace: they are built for it alone.
/// No code of theirs runs for long, and optimised they would take minutes to compile.
const ITS_OWN: [&str; 33] = [
    "aws-runtime",
    "aws-sdk-dynamodb",
    "aws-sdk-secretsmanager",
    "aws-sdk-sqs",
    "aws-sigv4",
    "aws-smithy-json",
    "aws-smithy-runtime",
    "aws-smithy-runtime-api",
    "aws-smithy-schema",
    "dynoxide-rs",
    "fancy-regex",
    "h2",
    "hyper",
    "hyper-util",
    "jsonschema",
    "jsonwebtoken",
    "lambda-lifecycle",
    "lambda-lifecycle-aws",
    "lambda_http",
    "lambda_runtime",
    "lambda_runtime_api_client",
    "libsqlite3-sys",
    "referencing",
    "regex-automata",
    "ring",
    "rusqlite",
    "rustack-auth",
    "rustack-core",
    "rustls",
    "rustls-webpki",
    "sam-template",
    "schemars",
    "tracing-subscriber",
];

/// Lets cargo build the service where it builds ours, and with the same settings, so that they share
/// dependencies.
fn share_target(workspace: &Path, folder: &Path, target: &Path) -> Result<(), Error> {
    let manifest: Table = toml::from_str(&fs::read_to_string(workspace.join("Cargo.toml"))?)?;
    let profile = manifest.get("profile").and_then(|profiles| profiles.get("dev")?.as_table());
    let mut profile = profile.ok_or("Cargo.toml has no profile dev")?.clone();
    if let Some(Value::Table(packages)) = profile.get_mut("package") {
        for package in ITS_OWN {
            let settings = packages.entry(package).or_insert_with(|| Table::new().into());
            if let Value::Table(settings) = settings {
                settings.insert("opt-level".to_owned(), 0.into());
            }
        }
    }
    let build = Table::from_iter([("target-dir".to_owned(), target.display().to_string().into())]);
    let profiles = Table::from_iter([("dev".to_owned(), profile.into())]);
    let shared = [("build", build), ("profile", profiles)];
    let configuration = folder.join(".cargo");
    fs::create_dir_all(&configuration)?;
    let shared = toml::to_string(&BTreeMap::from(shared))?;
    Ok(fs::write(configuration.join("config.toml"), shared)?)
}

fn service_in(folder: &Path) -> Result<Service, Error> {
    Service::find(&Location { workspace: Some(folder.to_owned()), ..Location::default() })
}

fn greeting() -> NewEndpoint {
    NewEndpoint {
        name: "get_greeting".to_owned(),
        method: Method::Get,
        path: "/greetings/{name}".to_owned(),
        folder: None,
    }
}

fn refuse(complaints: &[String]) -> Result<(), Error> {
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n").into()) }
}
