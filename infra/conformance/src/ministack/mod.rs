//! `cargo xtask ministack`: deploys the expanded template to a third-party emulator.
//!
//! ministack emulates `CloudFormation`, API Gateway, Lambda, `DynamoDB`, SQS and more. The binaries
//! are the ones for AWS. The API's tests run against it.

mod api;
mod deployment;
mod emulator;

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use demo::seed;
use sam_template::Template;
use tokio::runtime::Runtime;
use tooling::cargo;

use house::cargo_lambda::{CargoLambda, Profile};
use tooling::context::Context;
use tooling::{Error, say, target_directory};

pub(crate) use self::deployment::{Deployed, deploy};
pub(crate) use self::emulator::Emulator;

/// Tests of known differences.
pub(crate) const DIFFERENT: [&str; 1] = ["a_body_over_10_mb_is_413_and_reaches_no_function"];

/// Deploys to an independent emulator and runs the API's tests there.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Uses binaries of the dev profile.
    #[arg(long)]
    dev: bool,

    /// The tests, by names or parts of names; all by default.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    tests: Vec<String>,
}

/// Builds, deploys and tests. Returns the problems, one sentence each.
///
/// # Errors
/// If something cannot be built, installed or deployed.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<Vec<String>, Error> {
    let profile = if arguments.dev { Profile::Dev } else { Profile::Release };
    let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
    let cargo_lambda = CargoLambda::new(workspace)?;
    cargo_lambda.build(&template.binaries(), profile)?;
    let log = target_directory(workspace)?.join("ministack.log");
    let emulator = Emulator::start(workspace, &log)?;
    // Keeps the stand-ins running while it lives.
    let runtime = Runtime::new()?;
    let standins = runtime.block_on(demo::standins::start())?;
    let program = |_: &str, binary: &str| cargo_lambda.bootstrap(binary);
    let deployed = Deployed { stack: "second-opinion", program: &program, seeds: true };
    let deploying = deploy(workspace, &emulator.endpoint, &template, &deployed, &standins);
    let deployment = runtime.block_on(deploying)?;
    let missing = deployment.complaints(&template);
    if !missing.is_empty() {
        return Ok(missing);
    }
    let url = deployment.url(&emulator.endpoint);
    say(&format!("the API is at {url}"));
    for test in DIFFERENT {
        say(&format!("left out: {test}: infra/docs/SECOND_OPINION.md has the reason"));
    }
    let tested = cargo(workspace)
        .args(["test", "--workspace", "--test", "api", "--"])
        .args(&arguments.tests)
        .args(DIFFERENT.iter().flat_map(|test| ["--skip", test]))
        .env("API_URL", url)
        .env("SILENT_ISSUER", seed::SILENT_ISSUER)
        .status()
        .context(|| "cargo test of the API's tests")?;
    Ok((!tested.success()).then(|| "some tests failed".to_owned()).into_iter().collect())
}
