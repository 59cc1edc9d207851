//! What happens to one stage, once the artifacts are there.

use std::path::Path;
use std::process::Command;

use demo::seed;
use sam_template::as_json;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::build::{BUILT, FOLDER, TESTS, sam};
use super::package::ROLE;
use crate::deploy::Stack;
use crate::descriptions::Error;
use crate::process::succeeded;
use crate::{say, tools};

/// The stage that everything may be tried out on.
const DEV: &str = "dev";

/// Tests that need nobody's account and change nothing. By the third, every function that a signed-in
/// caller reaches is started.
const SMOKE: [&str; 3] = [
    "health::a_deployment_is_healthy_and_publishes_its_keys",
    "walk::every_protected_route_is_the_gateways_401_without_a_token",
    "walk::every_protected_route_is_the_functions_401_with_a_refused_token",
];

/// Compares the account of the credentials with the stage's, which `AWS_ACCOUNT_ID` names.
///
/// # Errors
///
/// Where the credentials are for another account than the stage's.
pub(super) fn check_account(workspace: &Path, stage: &str) -> Result<(), Error> {
    let expected = given("AWS_ACCOUNT_ID");
    let found: String = ask(workspace, stage, json!({ "what": "account" }))?;
    say(&judge(stage, expected.as_deref(), &found)?);
    Ok(())
}

/// Only dev may leave its account open.
fn judge(stage: &str, expected: Option<&str>, found: &str) -> Result<String, String> {
    match expected {
        Some(expected) if expected == found => Ok(format!("{stage} is in account {found}")),
        Some(expected) => Err(format!("{stage} is in account {expected}, not in {found}")),
        None if stage == DEV => Ok(format!("{stage} may be in any account: it is {found}")),
        None => Err(format!("AWS_ACCOUNT_ID does not say in which account {stage} is")),
    }
}

/// Deploys what was built, within what `infra/pipeline.yaml` allows.
///
/// # Errors
///
/// Where `sam deploy` fails.
pub(super) fn deploy(workspace: &Path, stage: &str) -> Result<(), Error> {
    let path = workspace.join(BUILT).join("template.yaml");
    let mut built = as_json(&path)?;
    let (boundary, codedeploy) = (given("BOUNDARY_ARN"), given("CODEDEPLOY_ROLE_ARN"));
    bind(&mut built, boundary.as_deref(), codedeploy.as_deref());
    fs_err::write(&path, serde_json::to_vec_pretty(&built)?)?;
    let role = given(ROLE);
    succeeded(sam(workspace, "deploy")?.args(arguments(stage, role.as_deref())))
}

/// The arguments of `sam deploy`. They name no template: SAM takes the built one, and looks for
/// samconfig.toml beside a template that is named.
fn arguments<'a>(stage: &'a str, role: Option<&'a str>) -> Vec<&'a str> {
    let mut arguments = vec!["--config-env", stage];
    // Somebody has approved of it already, where that is asked for: in the stage's environment.
    arguments.extend(["--no-confirm-changeset", "--no-fail-on-empty-changeset"]);
    arguments.extend(role.into_iter().flat_map(|role| ["--role-arn", role]));
    arguments
}

/// A variable that is there and says something.
fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Gives every role of the stack its boundary, and has `CodeDeploy` take a role that is there already:
/// `infra/pipeline.yaml` lets the deployment make no others. A build without either stays as it is.
fn bind(template: &mut Value, boundary: Option<&str>, codedeploy: Option<&str>) {
    let function = &mut template["Globals"]["Function"];
    if let Some(boundary) = boundary {
        function["PermissionsBoundary"] = json!(boundary);
    }
    if let Some(role) = codedeploy {
        function["DeploymentPreference"]["Role"] = json!(role);
    }
}

/// Puts the people and products of the demo into the stage's tables.
///
/// # Errors
///
/// Where the stage is not dev: everybody can read the demo's passwords.
pub(super) fn seed(workspace: &Path, stage: &str) -> Result<(), Error> {
    if stage != DEV {
        return Err(format!("the demo's people have published passwords: not in {stage}").into());
    }
    let stack = stack(workspace, stage)?;
    let items = Runtime::new()?.block_on(seed::demo_items())?;
    let job = json!({ "what": "items", "stack": stack.name, "items": items });
    let count: usize = ask(workspace, stage, job)?;
    say(&format!("{count} items put into the tables of {}", stack.name));
    Ok(())
}

/// Runs the tests that were built with the functions. `API_URL` names another address than the
/// stack's own, `TEST_ARGUMENTS` what else the tests are to be given.
///
/// # Errors
///
/// Where a test fails, or the stack has no address.
pub(super) fn test(workspace: &Path, stage: &str) -> Result<(), Error> {
    let url = if let Some(url) = given("API_URL") {
        url
    } else {
        let stack = stack(workspace, stage)?.name;
        let outputs: Value = ask(workspace, stage, json!({ "what": "outputs", "stack": stack }))?;
        let url = outputs["ApiUrl"].as_str();
        url.ok_or_else(|| format!("{stack} has no output ApiUrl"))?.to_owned()
    };
    say(&format!("{stage} is at {url}"));
    let mut tests = Command::new(workspace.join(FOLDER).join(TESTS));
    tests.current_dir(workspace.join("tests")).env("API_URL", url);
    if stage != DEV {
        tests.arg("--exact").args(SMOKE);
    }
    let more = std::env::var("TEST_ARGUMENTS").unwrap_or_default();
    succeeded(tests.args(more.split_whitespace()))
}

fn stack(workspace: &Path, stage: &str) -> Result<Stack, Error> {
    Stack::of(&fs_err::read_to_string(workspace.join("samconfig.toml"))?, stage)
}

/// Asks AWS in the stage's region.
fn ask<A: serde::de::DeserializeOwned>(
    workspace: &Path,
    stage: &str,
    mut job: Value,
) -> Result<A, Error> {
    job["region"] = stack(workspace, stage)?.region.into();
    tools::ask(workspace, "sam", "stage.py", &job)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_account_than_the_stages_is_refused_and_only_dev_may_name_none() {
        assert!(judge("prod", Some("111122223333"), "111122223333").is_ok());
        assert!(judge("prod", Some("111122223333"), "444455556666").is_err());
        assert!(judge("prod", None, "111122223333").is_err());
        assert!(judge("dev", None, "111122223333").is_ok());
        assert!(judge("dev", Some("111122223333"), "444455556666").is_err());
    }

    #[test]
    fn a_stack_has_the_boundary_and_codedeploys_role_where_they_are_given() {
        let template = json!({ "Globals": { "Function": { "Timeout": 10 } } });
        let mut bound = template.clone();
        bind(&mut bound, None, None);
        assert_eq!(bound, template);
        bind(&mut bound, Some("arn:boundary"), Some("arn:role"));
        let expected = json!({ "Timeout": 10, "PermissionsBoundary": "arn:boundary",
            "DeploymentPreference": { "Role": "arn:role" } });
        assert_eq!(bound["Globals"]["Function"], expected);
    }

    #[test]
    fn a_deployment_names_no_template_since_sam_would_look_for_samconfig_beside_it() {
        let arguments = arguments("dev", Some("arn:role"));
        assert!(!arguments.contains(&"--template-file"), "{arguments:?}");
        assert!(arguments.ends_with(&["--role-arn", "arn:role"]), "{arguments:?}");
    }

    #[test]
    fn the_demos_people_are_put_into_no_other_stage_than_dev() {
        for stage in ["staging", "prod"] {
            assert!(seed(crate::workspace(), stage).is_err(), "{stage}");
        }
    }

    #[test]
    fn every_test_of_a_stage_exists() {
        for test in SMOKE {
            let (module, name) = test.split_once("::").expect("a test is in a module");
            let path = crate::workspace().join(format!("tests/api/{module}.rs"));
            let text = fs_err::read_to_string(path).unwrap();
            assert!(text.contains(&format!("async fn {name}()")), "{test}");
        }
    }
}
