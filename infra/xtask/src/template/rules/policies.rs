//! Least privilege: each statement names its actions and its resources.

use super::stack::{Resource, Stack};
use super::{mail, words};

/// The policies that SAM attaches to functions, to traced ones, and to the service that shifts
/// requests between versions. SAM's policies for queues and streams among `Events` are not allowed:
/// they permit receiving from all of them.
const MANAGED: [&str; 3] = [
    "service-role/AWSLambdaBasicExecutionRole",
    "AWSXrayWriteOnlyAccess",
    "service-role/AWSCodeDeployRoleForLambda",
];

pub(super) fn complaints(main: Stack<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    for function in main.resources("AWS::Lambda::Function") {
        let role = main.named("AWS::IAM::Role", function.property("/Role"));
        let boundary = role.map(|role| role.property("/PermissionsBoundary"));
        let boundary = boundary.and_then(|it| main.named("AWS::IAM::ManagedPolicy", it));
        let denied = boundary.is_some_and(|it| {
            let excluded = words::each(it.property("/PolicyDocument/Statement/0/NotAction"));
            excluded.into_iter().any(|action| action == "logs:CreateLogGroup")
        });
        if !denied {
            complaints
                .push(format!("{}: may create log groups, which are never deleted", function.id));
        }
    }
    for role in main.resources("AWS::IAM::Role") {
        complaints.extend(managed(role));
        for policy in words::each(role.property("/Policies")) {
            for statement in words::each(&policy["PolicyDocument"]["Statement"]) {
                for action in words::each(&statement["Action"]).map(words::spelled) {
                    if action.contains('*') {
                        complaints.push(format!("{}: allows {action}: name each action", role.id));
                    }
                }
                if !mail::is_about_mail(statement) {
                    complaints.extend(resources(main, role, &statement["Resource"]));
                }
            }
        }
    }
    complaints
}

/// The permissions of the deployment hook, statement by statement: actions and resources.
///
/// The hook is in its own stack, since it would otherwise have to name the main stack's functions
/// one by one.
const HOOK: [(&str, &str); 4] = [
    ("lambda:InvokeFunction", ":function:${Service}-*:*"),
    ("codedeploy:PutLifecycleEventHookExecutionStatus", ":deploymentgroup:${Service}-*"),
    ("codedeploy:GetDeploymentTarget codedeploy:ListDeploymentTargets", "*"),
    ("logs:CreateLogStream logs:PutLogEvents", ":log-group:${LogGroup}:*"),
];

pub(super) fn of_hook(hook: Stack<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    for role in hook.resources("AWS::IAM::Role") {
        for policy in words::each(role.property("/Policies")) {
            for statement in words::each(&policy["PolicyDocument"]["Statement"]) {
                let actions: Vec<_> =
                    words::each(&statement["Action"]).map(words::spelled).collect();
                let resource = words::spelled(&statement["Resource"]);
                let known = HOOK.iter().any(|(allowed, on)| {
                    *allowed == actions.join(" ")
                        && (resource == *on || resource.ends_with(on) && on.len() > 1)
                });
                if !known {
                    let actions = actions.join(", ");
                    complaints.push(format!("{}: is allowed {actions} on {resource}", role.id));
                }
            }
        }
    }
    complaints
}

fn managed(role: Resource<'_>) -> Vec<String> {
    let managed = words::each(role.property("/ManagedPolicyArns")).map(words::spelled);
    let unknown = managed.filter(|arn| !MANAGED.iter().any(|known| arn.ends_with(known)));
    unknown.map(|arn| format!("{}: has the managed policy {arn}", role.id)).collect()
}

fn resources(main: Stack<'_>, role: Resource<'_>, named: &serde_json::Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for resource in words::each(named).map(words::spelled) {
        if resource.contains('*') {
            complaints.push(format!("{}: is allowed for {resource}: name the resource", role.id));
        } else if !is_ours(main, &resource) {
            complaints.push(format!(
                "{}: is allowed for {resource}, which the template does not have",
                role.id
            ));
        }
    }
    complaints
}

/// Whether the template has this resource.
fn is_ours(main: Stack<'_>, resource: &str) -> bool {
    let id = resource.strip_prefix("${").and_then(|rest| rest.split(['.', '}']).next());
    id.is_some_and(|id| main.0["Resources"].get(id).is_some())
}
