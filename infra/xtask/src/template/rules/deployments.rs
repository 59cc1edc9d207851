//! Deployments: the guards of a new version, and parameters that can disable them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::alarms::named;
use super::stack::{Resource, Stack};
use super::words;

/// The maximum number of functions deployed in parallel. `CodeDeploy` polls Lambda about each of
/// them, and Lambda allows 15 such calls a second.
const AT_ONCE_MAX: usize = 8;

/// The alarm that never fires, for deployments without guards.
const UNGUARDED: &str = "unguarded";

/// The condition for guarded deployments.
const GUARDED: &str = "GuardsDeployments";

pub(super) fn complaints(main: Stack<'_>, alarms: Stack<'_>, hook: Stack<'_>) -> Vec<String> {
    let existing: BTreeSet<&str> = named(alarms, "AWS::CloudWatch::Alarm", "/AlarmName").collect();
    let aliases = main.resources("AWS::Lambda::Alias");
    let versions = aliases.flat_map(|alias| new_version(main, alias, &existing));
    let hooks = hook.resources("AWS::Lambda::Function").filter(|function| {
        !words::spelled(function.property("/FunctionName")).starts_with("CodeDeployHook_")
    });
    let hooks = hooks.map(|hook| format!("{}: CodeDeploy may not invoke it", hook.id));
    versions.chain(hooks).chain(pace(main)).collect()
}

/// The problems with the deployment of a function's new versions.
fn new_version(main: Stack<'_>, alias: Resource<'_>, existing: &BTreeSet<&str>) -> Vec<String> {
    let policy = &alias.declaration["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"];
    let group = main.named("AWS::CodeDeploy::DeploymentGroup", &policy["DeploymentGroupName"]);
    let Some(group) = group else {
        return vec![format!("{}: has no deployment group", alias.id)];
    };
    let mut complaints = Vec::new();
    let hook = &policy["BeforeAllowTrafficHook"]["Fn::If"];
    if hook[0] != GUARDED || hook[1].is_null() {
        complaints
            .push(format!("{}: a new version gets requests before the hook tests it", alias.id));
    }
    if hook[2]["Ref"] != "AWS::NoValue" {
        complaints.push(format!("{}: no parameter disables the hook", alias.id));
    }
    let function = main.named("AWS::Lambda::Function", alias.property("/FunctionName"));
    let at_once = group.is("/DeploymentConfigName/Fn::Sub/1/ConfigName", "AllAtOnce");
    let guards = words::each(group.property("/AlarmConfiguration/Alarms"));
    let guards: Vec<&Value> = guards.map(|guard| &guard["Name"]).collect();
    let clocked = function.is_some_and(|function| is_clocked(main, alias, function));
    if clocked && !at_once {
        complaints.push(format!("{}: has too few invocations for a gradual deployment", alias.id));
    }
    if !at_once && guards.is_empty() {
        complaints.push(format!("{}: no alarm rolls a new version back", group.id));
    }
    for guard in guards {
        let choice = &guard["Fn::If"];
        let (alarm, without) = (words::own_name(&choice[1]), words::own_name(&choice[2]));
        if choice[0] != GUARDED || without != Some(UNGUARDED) {
            complaints.push(format!("{}: no parameter disables its alarm", group.id));
        }
        let alarm = alarm.or_else(|| words::own_name(guard)).unwrap_or_default();
        if !existing.contains(alarm) || !existing.contains(UNGUARDED) {
            complaints.push(format!("{}: {alarm} is not an alarm", group.id));
        }
        if !function.is_some_and(|function| is_about(main, alias, function, alarm)) {
            complaints.push(format!("{}: {alarm} is not specific to this function", group.id));
        }
    }
    complaints
}

/// Whether a function runs on a schedule or rotates a secret: it then runs a few times a minute or
/// a month.
fn is_clocked(main: Stack<'_>, alias: Resource<'_>, function: Resource<'_>) -> bool {
    let by_rule = main.resources("AWS::Events::Rule").any(|rule| {
        let target = words::referred(rule.property("/Targets/0/Arn"));
        target == Some(alias.id) || target == Some(function.id)
    });
    let mut rotations = main.resources("AWS::SecretsManager::RotationSchedule");
    by_rule
        || rotations.any(|it| words::referred(it.property("/RotationLambdaARN")) == Some(alias.id))
}

/// Whether an alarm is specific to a function: it has its name, or that of its queue or stream.
fn is_about(main: Stack<'_>, alias: Resource<'_>, function: Resource<'_>, alarm: &str) -> bool {
    let subject = alarm.rsplit_once('-').map_or(alarm, |(subject, _)| subject);
    let name = words::own_name(function.property("/FunctionName"));
    let mut mappings = main.resources("AWS::Lambda::EventSourceMapping");
    let source =
        mappings.find(|it| words::referred(it.property("/FunctionName")) == Some(alias.id));
    let source = source.and_then(|it| words::referred(it.property("/EventSourceArn")));
    let camel = |text: &str| {
        let capital = |word: &str| {
            word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default()
        };
        text.split('_').map(capital).collect::<String>()
    };
    name == Some(subject)
        || source.is_some_and(|source| {
            source.trim_end_matches("Queue").trim_end_matches("Table") == camel(subject)
        })
}

/// The groups of functions that exceed the maximum in parallel: a function waits for the aliases
/// that it depends on.
fn pace(main: Stack<'_>) -> Vec<String> {
    let deployed = main.resources("AWS::Lambda::Alias").filter_map(|alias| {
        Some((alias.id, main.named("AWS::Lambda::Function", alias.property("/FunctionName"))?))
    });
    let functions: BTreeMap<&str, Resource<'_>> = deployed.collect();
    let mut levels: BTreeMap<usize, usize> = BTreeMap::new();
    for function in functions.values() {
        *levels.entry(level(*function, &functions, 0)).or_default() += 1;
    }
    let crowded = levels.into_iter().filter(|(_, count)| *count > AT_ONCE_MAX);
    crowded
        .map(|(level, count)| format!("{count} functions are deployed at once, at level {level} of dependencies: let some depend on others' aliases"))
        .collect()
}

/// The number of functions that are deployed in sequence before this one.
fn level(function: Resource<'_>, functions: &BTreeMap<&str, Resource<'_>>, depth: usize) -> usize {
    let awaited = words::each(&function.declaration["DependsOn"]).filter_map(Value::as_str);
    let awaited =
        awaited.filter_map(|alias| functions.get(alias)).filter(|_| depth < functions.len());
    awaited.map(|function| level(*function, functions, depth + 1) + 1).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use house::workspace;
    use sam_template::as_json;

    /// The AWS clients of the hook: a deployment of version 7 of a function, whose response the
    /// arguments select.
    const CLIENTS: &str = r#"
import io, json, sys, types

class CodeDeploy:
    def list_deployment_targets(self, deploymentId):
        return {"targetIds": ["get_user:live"]}
    def get_deployment_target(self, deploymentId, targetId):
        info = {"functionName": "get_user", "targetVersion": "7"}
        return {"deploymentTarget": {"lambdaTarget": {"lambdaFunctionInfo": info}}}
    def put_lifecycle_event_hook_execution_status(self, **given):
        print("given", given["deploymentId"], given["lifecycleEventHookExecutionId"], given["status"])

class Lambda:
    def invoke(self, FunctionName, Qualifier, Payload):
        assert (FunctionName, Qualifier, json.loads(Payload)) == ("get_user", "7", {"lifecycle": "probe"})
        if sys.argv[1] == "refused":
            raise PermissionError("AccessDenied")
        failed = {"FunctionError": "Unhandled"} if sys.argv[1] == "failed" else {}
        return {"Payload": io.BytesIO(sys.argv[2].encode()), **failed}

clients = {"codedeploy": CodeDeploy, "lambda": Lambda}
sys.modules["boto3"] = types.SimpleNamespace(client=lambda name: clients[name]())
"#;

    /// The hook's output for this response of the function.
    fn said(outcome: &str, answer: &str) -> String {
        let stack = as_json(&workspace().join("infra/deployments.yaml")).unwrap();
        let hook = stack.pointer("/Resources/HookFunction/Properties/Code/ZipFile").unwrap();
        let event =
            "handler({'DeploymentId': 'd-1', 'LifecycleEventHookExecutionId': 'e-1'}, None)";
        let program = format!("{CLIENTS}\n{}\n{event}\n", hook.as_str().unwrap());
        let ran = Command::new("python3").args(["-c", &program, outcome, answer]).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    #[test]
    fn a_version_succeeds_only_if_it_answers_the_probe() {
        for (outcome, answer, status) in [
            ("answered", r#"{"lifecycle": "ready"}"#, "Succeeded"),
            ("answered", r#"{"statusCode": 500}"#, "Failed"),
            ("answered", "no JSON", "Failed"),
            ("failed", r#"{"errorType": "Runtime.ExitError"}"#, "Failed"),
            ("refused", "", "Failed"),
        ] {
            let said = said(outcome, answer);
            assert!(
                said.ends_with(&format!("given d-1 e-1 {status}\n")),
                "{outcome} {answer}: {said}"
            );
        }
    }
}
