//! The steps of one stage: checks, deployment, demo data and tests.

use std::path::Path;
use std::process::Command;

use house::pipeline::{BUILT, FOLDER, ROLE};
use house::stack::Stack;
use house::{samconfig, tools};
use sam_template::as_json;
use serde_json::{Value, json};
use tooling::process::succeeded;
use tooling::{Error, say};

use super::build::{ITEMS, TESTS, demo_items, sam};

/// The parameters of the nested stack with the hook of deployments, whose role needs the boundary too.
const DEPLOYMENTS: &str = "/Resources/Deployments/Properties/Parameters";

/// The stage for experiments.
const DEV: &str = "dev";

/// Tests that need no account and change nothing. The third starts every function behind the
/// authorizer.
const SMOKE: [&str; 3] = [
    "system::health::a_deployment_is_healthy_and_publishes_its_keys",
    "protocol::walk::every_protected_route_is_the_gateways_401_without_a_token",
    "protocol::walk::every_protected_route_is_the_functions_401_with_a_refused_token",
];

/// Compares the account of the credentials with the stage's, which `AWS_ACCOUNT_ID` names.
///
/// # Errors
///
/// If the credentials are for another account than the stage's.
pub(super) fn check_account(workspace: &Path, stage: &str) -> Result<(), Error> {
    let expected = given("AWS_ACCOUNT_ID");
    let found: String = ask(workspace, stage, json!({ "what": "account" }))?;
    say(&judge(stage, expected.as_deref(), &found)?);
    Ok(())
}

/// Accepts only the stage's account. Only dev may declare none.
fn judge(stage: &str, expected: Option<&str>, found: &str) -> Result<String, String> {
    match expected {
        Some(expected) if expected == found => Ok(format!("{stage} is in account {found}")),
        Some(expected) => Err(format!("{stage} is in account {expected}, not in {found}")),
        None if stage == DEV => Ok(format!("{stage} may be in any account: it is {found}")),
        None => Err(format!("AWS_ACCOUNT_ID is not set: the account of {stage} is unknown")),
    }
}

/// Deploys the build, with the permissions of `infra/pipeline.yaml`. `TRUSTED_HOPS_SECRET` has the
/// value of the parameter `TrustedHopsSecret`, with which the build was stamped.
///
/// # Errors
///
/// If `sam deploy` fails.
pub(super) fn deploy(workspace: &Path, stage: &str) -> Result<(), Error> {
    let path = workspace.join(BUILT).join("template.yaml");
    let mut built = as_json(&path)?;
    let (boundary, codedeploy) = (given("BOUNDARY_ARN"), given("CODEDEPLOY_ROLE_ARN"));
    bind(&mut built, boundary.as_deref(), codedeploy.as_deref());
    fs_err::write(&path, serde_json::to_vec_pretty(&built)?)?;
    let role = given(ROLE);
    let mut command = sam(workspace, "deploy")?;
    command.args(arguments(stage, role.as_deref()));
    if let Some(secret) = given("TRUSTED_HOPS_SECRET") {
        command.arg("--parameter-overrides").args(overrides(workspace, stage, secret)?);
    }
    succeeded(&mut command)
}

/// All parameters of a stage that has `TrustedHopsSecret`: SAM takes them in place of the list in
/// samconfig.toml.
fn overrides(workspace: &Path, stage: &str, secret: String) -> Result<Vec<String>, Error> {
    let all = samconfig::parameters(workspace)?.remove(stage);
    let mut all = all.ok_or_else(|| format!("samconfig.toml has no stage {stage}"))?;
    all.insert("TrustedHopsSecret".to_owned(), secret);
    all.iter().map(|(name, value)| samconfig::written(name, value)).collect()
}

/// The arguments of `sam deploy`. They name no template: SAM takes the built one. It would look for
/// samconfig.toml in the folder of a named template.
fn arguments<'a>(stage: &'a str, role: Option<&'a str>) -> Vec<&'a str> {
    let mut arguments = vec!["--config-env", stage];
    // Where an approval is required, the stage's environment in GitHub has asked for it already.
    arguments.extend(["--no-confirm-changeset", "--no-fail-on-empty-changeset"]);
    arguments.extend(role.into_iter().flat_map(|role| ["--role-arn", role]));
    arguments
}

/// A variable that is set and not empty.
fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Gives every role of the stack its boundary, also the one of the nested stack `Deployments`, and `CodeDeploy` an existing role: `infra/pipeline.yaml`
/// does not allow other roles. A value that is not given changes nothing.
fn bind(template: &mut Value, boundary: Option<&str>, codedeploy: Option<&str>) {
    if let Some(boundary) = boundary {
        template["Globals"]["Function"]["PermissionsBoundary"] = json!(boundary);
        if let Some(parameters) = template.pointer_mut(DEPLOYMENTS) {
            parameters["Boundary"] = json!(boundary);
        }
    }
    if let Some(role) = codedeploy {
        template["Globals"]["Function"]["DeploymentPreference"]["Role"] = json!(role);
    }
}

/// Puts the demo's users and products into the stage's tables.
///
/// # Errors
///
/// If the stage is not dev: the demo's passwords are public.
pub(super) fn seed(workspace: &Path, stage: &str) -> Result<(), Error> {
    if stage != DEV {
        return Err(format!("the demo's users have public passwords: not in {stage}").into());
    }
    let stack = stack(workspace, stage)?;
    let built = workspace.join(FOLDER).join(ITEMS);
    let items = if built.exists() { fs_err::read(built)? } else { demo_items()? };
    let items: Value = serde_json::from_slice(&items)?;
    let job = json!({ "what": "items", "stack": stack.name, "items": items });
    let count: usize = ask(workspace, stage, job)?;
    say(&format!("{count} items put into the tables of {}", stack.name));
    Ok(())
}

/// Runs the tests that were built with the functions. `API_URL` replaces the stack's address, and
/// `TEST_ARGUMENTS` adds arguments of the tests.
///
/// # Errors
///
/// If a test fails, or the stack has no address.
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
    fn another_account_than_the_stages_is_an_error_and_only_dev_may_have_none() {
        assert!(judge("prod", Some("111122223333"), "111122223333").is_ok());
        assert!(judge("prod", Some("111122223333"), "444455556666").is_err());
        assert!(judge("prod", None, "111122223333").is_err());
        assert!(judge("dev", None, "111122223333").is_ok());
        assert!(judge("dev", Some("111122223333"), "444455556666").is_err());
    }

    #[test]
    fn a_stack_gets_the_given_boundary_and_codedeploys_role() {
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
    fn the_role_of_the_hook_gets_the_boundary() {
        let mut template = as_json(&house::workspace().join("template.yaml")).unwrap();
        bind(&mut template, Some("arn:boundary"), None);
        assert_eq!(template.pointer(DEPLOYMENTS).unwrap()["Boundary"], "arn:boundary");
        let nested = as_json(&house::workspace().join("infra/deployments.yaml")).unwrap();
        assert_eq!(nested["Parameters"]["Boundary"]["Default"], "");
    }

    #[test]
    fn a_stage_behind_a_cdn_is_deployed_with_all_its_parameters_and_the_secret() {
        let given = overrides(house::workspace(), "prod", "a \"b".to_owned()).unwrap();
        for expected in ["TrustedHopsSecret=\"a \\\"b\"", "Backup=\"true\""] {
            assert!(given.iter().any(|it| it == expected), "{given:?}");
        }
        let steps = as_json(&house::workspace().join(".github/workflows/stage.yml")).unwrap();
        let steps = steps["jobs"]["deploy"]["steps"].as_array().unwrap();
        for name in ["Stamp", "Deploy"] {
            let step = steps.iter().find(|step| step["name"] == name).unwrap();
            let secret = &step["env"]["TRUSTED_HOPS_SECRET"];
            assert_eq!(*secret, "${{ secrets.TRUSTED_HOPS_SECRET }}", "{name}");
        }
    }

    #[test]
    fn the_roles_of_the_pipeline_may_make_sams_bucket_and_each_resource_of_the_stack() {
        let pipeline = as_json(&house::workspace().join("infra/pipeline.yaml")).unwrap();
        let allows = |role: &str, action: &str, resource: &str| {
            let policies = pipeline["Resources"][role]["Properties"]["Policies"].as_array();
            let statements = policies.unwrap().iter().map(|it| &it["PolicyDocument"]["Statement"]);
            let mut statements = statements.flat_map(|it| it.as_array().unwrap());
            statements.any(|it| {
                let is_allowed = it["Effect"] == "Allow";
                let acts = it["Action"].to_string().contains(&format!("\"{action}\""));
                is_allowed && acts && it["Resource"].to_string().contains(resource)
            })
        };
        let bucket = ":s3:::aws-sam-cli-managed-default-*";
        let policies = ":policy/serverless-api-${Stage}-*";
        let budgets = ":budget/serverless-api-${Stage}*";
        let layers = ":lambda:${AWS::Region}:*:layer:*:*";
        for (role, action, resource) in [
            ("DeployRole", "s3:GetBucketPolicy", bucket),
            ("DeployRole", "s3:TagResource", bucket),
            ("ExecutionRole", "iam:ListEntitiesForPolicy", policies),
            ("ExecutionRole", "lambda:GetLayerVersion", layers),
            ("ExecutionRole", "budgets:ListTagsForResource", budgets),
            ("ExecutionRole", "budgets:UntagResource", budgets),
            ("ExecutionRole", "billing:GetBillingViewData", ":billingview/*"),
        ] {
            assert!(allows(role, action, resource), "{role}: {action} on {resource}");
        }
    }

    #[test]
    fn a_deployment_names_no_template_so_that_sam_finds_samconfig() {
        let arguments = arguments("dev", Some("arn:role"));
        assert!(!arguments.contains(&"--template-file"), "{arguments:?}");
        assert!(arguments.ends_with(&["--role-arn", "arn:role"]), "{arguments:?}");
    }

    #[test]
    fn seeding_another_stage_than_dev_is_an_error() {
        for stage in ["staging", "prod"] {
            assert!(seed(house::workspace(), stage).is_err(), "{stage}");
        }
    }

    #[test]
    fn every_test_of_a_stage_exists() {
        for test in SMOKE {
            let (module, name) = test.rsplit_once("::").expect("a test is in a module");
            let path =
                house::workspace().join(format!("tests/api/{}.rs", module.replace("::", "/")));
            let text = fs_err::read_to_string(path).unwrap();
            assert!(text.contains(&format!("async fn {name}()")), "{test}");
        }
    }
}
