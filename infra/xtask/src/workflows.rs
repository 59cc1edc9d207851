//! `cargo xtask workflows`: checks the workflows and the pipeline's template with actionlint (with
//! shellcheck), zizmor, cfn-lint, and own rules.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use house::pipeline::WORKFLOWS;
use house::tools;
use sam_template::{REGION, as_json};
use serde_json::{Value, json};
use tooling::Error;
use tooling::context::Context;

use crate::supply::first_on_path;

/// The template of the resources that the workflows need in an account.
const TEMPLATE: &str = "infra/pipeline.yaml";

/// The problems of the workflows and the template, one sentence each.
///
/// # Errors
///
/// If a tool cannot be installed, or a workflow cannot be read.
pub(crate) fn complaints(workspace: &Path) -> Result<Vec<String>, Error> {
    let programs = tools::installed(workspace, "workflows")?;
    let judged = |program: &Path, arguments: &[&str]| -> Result<Option<String>, Error> {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(workspace).env("PATH", first_on_path(&programs)?);
        let output = command.output().context(|| program.display())?;
        let said = [output.stdout, output.stderr].concat();
        let said = || format!("{}: {}", program.display(), String::from_utf8_lossy(&said));
        Ok((!output.status.success()).then(said))
    };
    let cfn_lint = tools::installed(workspace, "sam")?.join("cfn-lint");
    let zizmor = ["--offline", "--no-progress", "--min-severity", "medium", WORKFLOWS];
    let mut complaints = Vec::new();
    complaints.extend(judged(&programs.join("actionlint"), &[])?);
    complaints.extend(judged(&programs.join("zizmor"), &zizmor)?);
    complaints.extend(judged(&cfn_lint, &["--regions", REGION, "--", TEMPLATE])?);
    for entry in fs_err::read_dir(workspace.join(WORKFLOWS))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let found = against(&as_json(&path)?);
        complaints.extend(found.into_iter().map(|found| format!("{name}: {found}")));
    }
    let pipeline = as_json(&workspace.join(TEMPLATE))?;
    let stack = as_json(&workspace.join("template.yaml"))?;
    complaints.extend(beyond(&pipeline, &stack));
    for file in nested(&stack) {
        let found = forbidden(&pipeline, &as_json(&workspace.join(file))?);
        complaints.extend(found.into_iter().map(|found| format!("{file}: {found}")));
    }
    Ok(complaints)
}

/// The templates of the nested stacks that the pipeline creates. One with a condition is first
/// deployed by hand, with another role.
fn nested(stack: &Value) -> impl Iterator<Item = &str> {
    let resources = stack["Resources"].as_object().into_iter().flatten().map(|(_, it)| it);
    let nested = resources.filter(|it| it["Type"] == "AWS::CloudFormation::Stack");
    let always = nested.filter(|it| it["Condition"].is_null());
    always.filter_map(|it| it["Properties"]["TemplateURL"].as_str())
}

/// The parts of a nested stack that the pipeline's roles do not allow.
fn forbidden(pipeline: &Value, nested: &Value) -> Vec<String> {
    let boundary = &pipeline["Resources"]["Boundary"]["Properties"]["PolicyDocument"];
    let within = actions(&boundary["Statement"]);
    let mut complaints = Vec::new();
    for (id, resource) in nested["Resources"].as_object().into_iter().flatten() {
        let properties = &resource["Properties"];
        if resource["Type"] == "AWS::IAM::Role" {
            if properties["PermissionsBoundary"].is_null() {
                complaints.push(format!("{id}: may not be created without the boundary"));
            }
            let policies = properties["Policies"].as_array().into_iter().flatten();
            let actions = policies.flat_map(|it| actions(&it["PolicyDocument"]["Statement"]));
            let beyond = actions.filter(|action| !within.contains(action));
            complaints.extend(beyond.map(|it| format!("{id}: {it} exceeds the boundary")));
        }
        if resource["Type"] == "AWS::Lambda::Function" {
            let name = properties["FunctionName"]["Fn::Sub"].as_str().unwrap_or_default();
            let name = name.replace("${Service}", "serverless-api-${Stage}");
            for (role, action) in
                [("ExecutionRole", "lambda:*"), ("CodeDeployRole", "lambda:InvokeFunction")]
            {
                if !allows(&pipeline["Resources"][role], action, &name) {
                    complaints.push(format!("{id}: {role} is not allowed {action} on {name}"));
                }
            }
        }
    }
    complaints
}

/// Whether a role of the pipeline is allowed an action on the function of this name.
fn allows(role: &Value, action: &str, function: &str) -> bool {
    let policies = role["Properties"]["Policies"].as_array().into_iter().flatten();
    let statements = policies.filter_map(|it| it["PolicyDocument"]["Statement"].as_array());
    let mut statements = statements.flatten().filter(|it| it["Effect"] == "Allow");
    let is_about = |resource: &Value| {
        let named = resource["Fn::Sub"].as_str().and_then(|arn| arn.split_once(":function:"));
        named.is_some_and(|(_, name)| match name.strip_suffix('*') {
            Some(start) => function.starts_with(start),
            None => function == name,
        })
    };
    statements.any(|statement| {
        let resource = &statement["Resource"];
        let mut resources = resource.as_array().into_iter().flatten().chain([resource]);
        actions(&json!([statement])).contains(action) && resources.any(is_about)
    })
}

/// The functions' permissions that exceed the boundary of their roles.
fn beyond(pipeline: &Value, stack: &Value) -> Vec<String> {
    let boundary = &pipeline["Resources"]["Boundary"]["Properties"]["PolicyDocument"];
    let within = actions(&boundary["Statement"]);
    let functions = stack["Resources"].as_object().into_iter().flatten();
    let policies = functions.flat_map(|(id, function)| {
        let policies = function["Properties"]["Policies"].as_array().into_iter().flatten();
        policies.flat_map(move |policy| {
            actions(&policy["Statement"]).into_iter().map(move |it| (id, it))
        })
    });
    let beyond = policies.filter(|(_, action)| !within.contains(action));
    beyond
        .map(|(id, action)| format!("{id}: {action} exceeds the boundary of {TEMPLATE}"))
        .collect()
}

/// The actions of statements, each with one action or a list.
fn actions(statements: &Value) -> BTreeSet<&str> {
    let statements = statements.as_array().into_iter().flatten();
    let actions = statements.flat_map(|statement| {
        let action = &statement["Action"];
        action.as_array().into_iter().flatten().chain([action])
    });
    actions.filter_map(Value::as_str).collect()
}

/// Violations of our own rules in a workflow.
fn against(workflow: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    if workflow["permissions"].as_object().is_none_or(|given| !given.is_empty()) {
        complaints.push("a workflow must grant no permissions; its jobs declare theirs".to_owned());
    }
    for (id, job) in workflow["jobs"].as_object().into_iter().flatten() {
        let calls = job["uses"].is_string();
        if !calls && job["timeout-minutes"].is_null() {
            complaints.push(format!("the job {id} has no timeout-minutes"));
        }
        if !job["environment"].is_null() && job["concurrency"]["cancel-in-progress"] != false {
            complaints.push(format!("the job {id} deploys, but another run may cancel it"));
        }
        let steps = job["steps"].as_array().into_iter().flatten();
        for part in steps.chain([job]) {
            if !part["continue-on-error"].is_null() {
                complaints.push(format!("the job {id} continues after an error"));
            }
            let uses = part["uses"].as_str().unwrap_or("./");
            if !uses.starts_with("./") && !is_pinned(uses) {
                complaints.push(format!("the job {id}: {uses} is not pinned to a commit"));
            }
        }
    }
    complaints
}

fn is_pinned(uses: &str) -> bool {
    let commit = uses.split_once('@').map_or("", |(_, commit)| commit);
    commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_beyond_the_boundary_is_found() {
        let pipeline = json!({ "Resources": { "Boundary": { "Properties": { "PolicyDocument": {
            "Statement": [{ "Action": "ses:SendEmail" }, { "Action": ["sqs:SendMessage"] }],
        } } } } });
        let stack = |action: Value| {
            let policies = json!([{ "Statement": [{ "Action": action }] }]);
            json!({ "Resources": { "Work": { "Properties": { "Policies": policies } } } })
        };
        let within = stack(json!(["sqs:SendMessage", "ses:SendEmail"]));
        assert_eq!(beyond(&pipeline, &within), Vec::<String>::new());
        assert_eq!(beyond(&pipeline, &stack(json!("sqs:PurgeQueue"))).len(), 1);
    }

    fn ours(path: &str) -> Value {
        as_json(&house::workspace().join(path)).unwrap()
    }

    #[test]
    fn the_pipeline_may_create_and_invoke_the_hook_of_deployments() {
        let (pipeline, stack) = (ours(TEMPLATE), ours("template.yaml"));
        let hook = "infra/deployments.yaml";
        assert!(nested(&stack).any(|file| file == hook));
        for file in nested(&stack) {
            assert_eq!(forbidden(&pipeline, &ours(file)), Vec::<String>::new(), "{file}");
        }
        let mut unbound = ours(hook);
        unbound["Resources"]["HookRole"]["Properties"]["PermissionsBoundary"] = Value::Null;
        assert_eq!(forbidden(&pipeline, &unbound).len(), 1);
        let mut renamed = ours(hook);
        let name = json!({ "Fn::Sub": "Hook_${Service}" });
        renamed["Resources"]["HookFunction"]["Properties"]["FunctionName"] = name;
        assert_eq!(forbidden(&pipeline, &renamed).len(), 2);
        let mut narrow = pipeline;
        let boundary = &mut narrow["Resources"]["Boundary"]["Properties"]["PolicyDocument"];
        boundary["Statement"] =
            json!([{ "Action": ["logs:CreateLogStream", "logs:PutLogEvents"] }]);
        assert_eq!(forbidden(&narrow, &ours(hook)).len(), 4);
    }

    #[test]
    fn the_execution_role_may_only_read_and_pass_on_the_role_of_codedeploy() {
        let pipeline = ours(TEMPLATE);
        let policies = &pipeline["Resources"]["ExecutionRole"]["Properties"]["Policies"];
        let statements = policies.as_array().unwrap().iter();
        let statements =
            statements.flat_map(|it| it["PolicyDocument"]["Statement"].as_array().unwrap());
        let denied: Vec<_> = statements.filter(|it| it["Effect"] == "Deny").collect();
        let role = json!({ "Fn::GetAtt": ["CodeDeployRole", "Arn"] });
        let of_role = denied.iter().find(|it| it["Resource"] == role).unwrap();
        assert_eq!(of_role["NotAction"], json!(["iam:GetRole", "iam:PassRole"]));
        let own = |it: &&&Value| it["Resource"].to_string().contains("-pipeline/*");
        assert_eq!(denied.iter().find(own).unwrap()["Action"], "cloudformation:*");
    }

    #[test]
    fn the_execution_role_may_create_the_role_of_api_gateway_alone() {
        let pipeline = ours(TEMPLATE);
        let policies = &pipeline["Resources"]["ExecutionRole"]["Properties"]["Policies"];
        let statements = policies.as_array().unwrap().iter();
        let statements =
            statements.flat_map(|it| it["PolicyDocument"]["Statement"].as_array().unwrap());
        let creates = |it: &&Value| it["Action"].to_string().contains("ServiceLinkedRole");
        let [created] = statements.filter(creates).collect::<Vec<_>>()[..] else {
            panic!("one statement about a service-linked role")
        };
        let service = "ops.apigateway.amazonaws.com";
        let condition = json!({ "StringEquals": { "iam:AWSServiceName": service } });
        assert_eq!(created["Condition"], condition);
        let resource = created["Resource"]["Fn::Sub"].as_str().unwrap();
        let role = format!(":role/aws-service-role/{service}/AWSServiceRoleForAPIGateway");
        assert!(resource.ends_with(&role), "{resource}");
    }

    #[test]
    fn the_execution_role_may_replace_the_list_of_copied_tables() {
        let pipeline = ours(TEMPLATE);
        let policies = &pipeline["Resources"]["ExecutionRole"]["Properties"]["Policies"];
        let statements = |name: &str| {
            let policies = policies.as_array().unwrap();
            let policy = policies.iter().find(|policy| policy["PolicyName"] == name).unwrap();
            policy["PolicyDocument"]["Statement"].clone()
        };
        let (resources, roles) = (statements("resources"), statements("roles"));
        for action in ["Create", "Delete", "Get"] {
            let action = format!("backup:{action}BackupSelection");
            assert!(actions(&resources).contains(action.as_str()), "{action}");
        }
        let services = "/Condition/StringEquals/iam:PassedToService";
        let passed = roles.as_array().unwrap().iter().find_map(|it| it.pointer(services)).unwrap();
        assert!(passed.as_array().unwrap().contains(&json!("backup.amazonaws.com")), "{passed}");
    }

    fn workflow() -> Value {
        json!({
            "permissions": {},
            "jobs": { "dev": {
                "environment": "dev",
                "concurrency": { "group": "dev", "cancel-in-progress": false },
                "timeout-minutes": 10,
                "steps": [{ "uses": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1" }],
            } },
        })
    }

    #[test]
    fn a_workflow_that_fails_closed_has_no_problems() {
        assert_eq!(against(&workflow()), Vec::<String>::new());
    }

    #[test]
    fn each_mistake_in_a_workflow_is_found() {
        for (pointer, value) in [
            ("/permissions", json!({ "contents": "write" })),
            ("/permissions", Value::Null),
            ("/jobs/dev/timeout-minutes", Value::Null),
            ("/jobs/dev/concurrency/cancel-in-progress", json!(true)),
            ("/jobs/dev/concurrency", Value::Null),
            ("/jobs/dev/steps/0/uses", json!("actions/checkout@v7")),
            ("/jobs/dev/steps/0", json!({ "run": "true", "continue-on-error": true })),
        ] {
            let mut workflow = workflow();
            *workflow.pointer_mut(pointer).unwrap() = value;
            assert_eq!(against(&workflow).len(), 1, "{pointer}");
        }
    }
}
