//! Deployments: what decides about a new version, and that they can always go forward.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::alarms::named;
use super::{Resource, Stack, words};

/// How many functions may be deployed at the same time: `CodeDeploy` asks Lambda about each of them all
/// the time, and Lambda takes 15 such calls a second.
const AT_ONCE_MAX: usize = 8;

/// The alarm that never goes off, for deployments without guards.
const UNGUARDED: &str = "unguarded";

/// The condition under which a deployment is guarded.
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

/// What is wrong with how a new version of a function gets its requests.
fn new_version(main: Stack<'_>, alias: Resource<'_>, existing: &BTreeSet<&str>) -> Vec<String> {
    let policy = &alias.declaration["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"];
    let group = main.named("AWS::CodeDeploy::DeploymentGroup", &policy["DeploymentGroupName"]);
    let Some(group) = group else {
        return vec![format!("{}: nothing decides about a new version", alias.id)];
    };
    let mut complaints = Vec::new();
    let hook = &policy["BeforeAllowTrafficHook"]["Fn::If"];
    if hook[0] != GUARDED || hook[1].is_null() {
        complaints
            .push(format!("{}: a new version gets requests before it has answered", alias.id));
    }
    if hook[2]["Ref"] != "AWS::NoValue" {
        complaints.push(format!("{}: no parameter takes the hook out", alias.id));
    }
    let function = main.named("AWS::Lambda::Function", alias.property("/FunctionName"));
    let at_once = group.is("/DeploymentConfigName/Fn::Sub/1/ConfigName", "AllAtOnce");
    let guards = words::each(group.property("/AlarmConfiguration/Alarms"));
    let guards: Vec<&Value> = guards.map(|guard| &guard["Name"]).collect();
    let clocked = function.is_some_and(|function| is_clocked(main, alias, function));
    if clocked && !at_once {
        complaints.push(format!("{}: has too few invocations to be judged by", alias.id));
    }
    if !at_once && guards.is_empty() {
        complaints.push(format!("{}: no alarm takes a new version back", group.id));
    }
    for guard in guards {
        let choice = &guard["Fn::If"];
        let (alarm, without) = (words::own_name(&choice[1]), words::own_name(&choice[2]));
        if choice[0] != GUARDED || without != Some(UNGUARDED) {
            complaints.push(format!("{}: no parameter takes its alarm out", group.id));
        }
        let alarm = alarm.or_else(|| words::own_name(guard)).unwrap_or_default();
        if !existing.contains(alarm) || !existing.contains(UNGUARDED) {
            complaints.push(format!("{}: {alarm} is no alarm", group.id));
        }
        if !function.is_some_and(|function| is_about(main, alias, function, alarm)) {
            complaints.push(format!("{}: {alarm} is about more than this function", group.id));
        }
    }
    complaints
}

/// Whether a function runs by the clock, or to rotate a secret: a few times a minute or a month.
fn is_clocked(main: Stack<'_>, alias: Resource<'_>, function: Resource<'_>) -> bool {
    let by_rule = main.resources("AWS::Events::Rule").any(|rule| {
        let target = words::referred(rule.property("/Targets/0/Arn"));
        target == Some(alias.id) || target == Some(function.id)
    });
    let mut rotations = main.resources("AWS::SecretsManager::RotationSchedule");
    by_rule
        || rotations.any(|it| words::referred(it.property("/RotationLambdaARN")) == Some(alias.id))
}

/// Whether an alarm is about a function alone: by its name, or by that of the queue or stream that it
/// consumes.
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

/// Whether too many functions are deployed at the same time: one waits for the aliases that it
/// depends on.
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
        .map(|(level, count)| format!("{count} functions are deployed at once, as number {level} of a row: let some depend on others' aliases"))
        .collect()
}

/// How many functions are deployed before this one.
fn level(function: Resource<'_>, functions: &BTreeMap<&str, Resource<'_>>, depth: usize) -> usize {
    let awaited = words::each(&function.declaration["DependsOn"]).filter_map(Value::as_str);
    let awaited =
        awaited.filter_map(|alias| functions.get(alias)).filter(|_| depth < functions.len());
    awaited.map(|function| level(*function, functions, depth + 1) + 1).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use local::template::as_json;

    use crate::workspace;

    /// The clients that the hook asks: a deployment of version 7 of a function, which answers as the
    /// arguments say.
    const CLIENTS: &str = r#"
import io, json, sys, types

class CodeDeploy:
    def list_deployment_targets(self, deploymentId):
        return {"targetIds": ["get_user:live"]}
    def get_deployment_target(self, deploymentId, targetId):
        info = {"functionName": "get_user", "targetVersion": "7"}
        return {"deploymentTarget": {"lambdaTarget": {"lambdaFunctionInfo": info}}}
    def put_lifecycle_event_hook_execution_status(self, **told):
        print("told", told["deploymentId"], told["lifecycleEventHookExecutionId"], told["status"])

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

    /// What the hook says where the function answers this.
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
    fn a_version_that_answers_the_probe_gets_requests_and_any_other_does_not() {
        for (outcome, answer, status) in [
            ("answered", r#"{"lifecycle": "ready"}"#, "Succeeded"),
            ("answered", r#"{"statusCode": 500}"#, "Failed"),
            ("answered", "no JSON", "Failed"),
            ("failed", r#"{"errorType": "Runtime.ExitError"}"#, "Failed"),
            ("refused", "", "Failed"),
        ] {
            let said = said(outcome, answer);
            assert!(
                said.ends_with(&format!("told d-1 e-1 {status}\n")),
                "{outcome} {answer}: {said}"
            );
        }
    }
}
