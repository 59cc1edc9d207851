//! The deployment to ministack, and the check that it is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use demo::seed;
use emulator::standins::Standins;
use house::program_of;
use house::tools;
use sam_template::{REGION, Template, Trigger};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tooling::Error;
use tooling::context::Context;

use super::api;

/// The input of `infra/tools/deploy.py`.
#[derive(Serialize)]
struct Job<'a> {
    endpoint: &'a str,
    region: &'a str,
    stack: &'a str,
    template: Value,
    parameters: BTreeMap<String, String>,
    programs: BTreeMap<String, String>,
    secrets: &'a BTreeMap<&'static str, String>,
    rotations: BTreeMap<&'a str, &'a str>,
    items: Vec<(String, Value)>,
    sender: &'a str,
}

/// The parameters of a deployment.
pub(crate) struct Deployed<'a> {
    /// The stack's name.
    pub(crate) stack: &'a str,
    /// The program of a function, by its logical id and its binary's name.
    pub(crate) program: &'a dyn Fn(&str, &str) -> PathBuf,
    /// Whether the demo's users and products are written to the tables.
    pub(crate) seeds: bool,
}

/// The created resources, as `deploy.py` reports them.
#[derive(Debug, Deserialize)]
pub(crate) struct Deployment {
    /// The API's id.
    api: String,
    routes: BTreeSet<String>,
    /// Types by logical id.
    resources: BTreeMap<String, String>,
    /// The number of enabled event source mappings.
    mappings: usize,
}

/// Deploys the template, with the stand-ins for third-party services.
///
/// # Errors
/// If a tool cannot be installed, or the deployment fails.
pub(crate) async fn deploy(
    workspace: &Path,
    endpoint: &str,
    model: &Template,
    deployed: &Deployed<'_>,
    standins: &Standins,
) -> Result<Deployment, Error> {
    let mut parameters = standins.parameters().clone();
    parameters.extend(seed::limits_out_of_reach());
    parameters.extend([seed::trust_in_silent_issuer()]);
    let mut template = expanded(&parameters)?;
    let resources = template["Resources"].as_object_mut().ok_or("a template has resources")?;
    leave_out(resources);
    api::unfold(resources);
    let mut programs = BTreeMap::new();
    for (id, resource) in resources.iter_mut() {
        if let Some(binary) = resource["Metadata"]["BuildProperties"]["Binary"].as_str() {
            let program = (deployed.program)(id, binary).display().to_string();
            programs.insert(id.clone(), program);
            let code = json!({ "S3Bucket": "the-code", "S3Key": format!("{id}.zip") });
            resource["Properties"]["Code"] = code;
        }
    }
    let secrets = standins.secrets();
    let rotations = model.event_sources.iter().filter_map(|source| match &source.trigger {
        Trigger::Rotation(rotation) => Some((rotation.secret.as_str(), source.function.as_str())),
        _ => None,
    });
    let rotations = rotations.collect();
    let items = if deployed.seeds { seed::demo_items().await? } else { Vec::new() };
    let (region, stack, sender) = (REGION, deployed.stack, "no-reply@example.com");
    let job = Job {
        endpoint,
        region,
        stack,
        template,
        parameters,
        programs,
        secrets,
        rotations,
        items,
        sender,
    };
    tools::ask(workspace, "ministack", "deploy.py", &job)
}

/// The expanded template with these parameters, which `cargo xtask template expand` writes.
fn expanded(parameters: &BTreeMap<String, String>) -> Result<Value, Error> {
    let mut xtask = program_of("xtask");
    xtask.args(["template", "expand"]).stderr(Stdio::inherit());
    for (name, value) in parameters {
        xtask.arg("--parameter").arg(format!("{name}={value}"));
    }
    let written = xtask.output().context(|| "cargo xtask template expand")?;
    let said = String::from_utf8(written.stdout)?;
    if !written.status.success() {
        return Err(format!("cargo xtask template expand: {said}").into());
    }
    // The installation of a tool may print lines before.
    let path = said.lines().next_back().ok_or("cargo xtask template expand prints no path")?;
    serde_json::from_slice(&fs_err::read(path)?).context(|| path)
}

/// Types of resources that ministack does not support and no test needs.
const UNKNOWN: [&str; 6] = [
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::CloudFormation::Stack",
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::SecretsManager::RotationSchedule",
];

/// Removes the parts that ministack does not support and no test needs: nested stacks, gradual
/// deployments, permissions boundaries, and creation suffixes in names.
fn leave_out(resources: &mut Map<String, Value>) {
    let is_known = |resource: &Value| {
        let kind = resource["Type"].as_str().unwrap_or_default();
        !UNKNOWN.contains(&kind) && !kind.starts_with("AWS::CodeDeploy::")
    };
    resources.retain(|_, resource| is_known(resource));
    for resource in resources.values_mut().filter_map(Value::as_object_mut) {
        resource.remove("UpdatePolicy");
        let Some(properties) = resource.get_mut("Properties").and_then(Value::as_object_mut) else {
            continue;
        };
        properties.remove("PermissionsBoundary");
        for name in ["QueueName", "LogGroupName"] {
            let words = properties.get(name).and_then(|name| name.pointer("/Fn::Sub/0")?.as_str());
            if let Some(words) = words.map(|words| words.replace("-${Creation}", "")) {
                properties.insert(name.to_owned(), json!({ "Fn::Sub": words }));
            }
        }
    }
}

impl Deployment {
    /// The API's URL on the emulator at this endpoint.
    pub(crate) fn url(&self, endpoint: &str) -> String {
        format!("{endpoint}/_aws/execute-api/{}/$default", self.api)
    }

    /// The template's resources that are missing, one sentence each.
    pub(crate) fn complaints(&self, template: &Template) -> Vec<String> {
        let routes = template.apis.iter().flat_map(|api| &api.routes);
        let routes = routes.map(|route| format!("{} {}", route.method, route.path));
        let routes = routes.filter(|route| !self.routes.contains(route));
        let routes = routes.map(|route| format!("the route {route} is missing"));
        let functions = template.functions.keys().map(|id| (id, "AWS::Lambda::Function"));
        let tables = template.tables.keys().map(|id| (id, "AWS::DynamoDB::Table"));
        let queues = template.queues.keys().map(|id| (id, "AWS::SQS::Queue"));
        let secrets = template.secrets.keys().map(|id| (id, "AWS::SecretsManager::Secret"));
        let resources = functions.chain(tables).chain(queues).chain(secrets);
        let resources =
            resources.filter(|(id, kind)| self.resources.get(*id).is_none_or(|it| it != kind));
        let resources = resources.map(|(id, kind)| format!("{id}, {kind}, is missing"));
        let wanted = template.event_sources.iter();
        let is_mapping =
            |trigger: &Trigger| matches!(trigger, Trigger::Queue(_) | Trigger::Stream(_));
        let wanted = wanted.filter(|source| is_mapping(&source.trigger)).count();
        let mappings = (self.mappings != wanted)
            .then(|| format!("{} event source mappings are enabled, not {wanted}", self.mappings));
        routes.chain(resources).chain(mappings).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_resources_and_properties_are_removed() {
        let name =
            json!({ "Fn::Sub": ["${AWS::StackName}-emails-${Creation}", { "Creation": "1" }] });
        let mut resources = json!({
            "Alarms": { "Type": "AWS::CloudFormation::Stack" },
            "Boundary": { "Type": "AWS::IAM::ManagedPolicy" },
            "Queue": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": name } },
            "Role": { "Type": "AWS::IAM::Role", "Properties": { "PermissionsBoundary": { "Ref": "Boundary" } } },
        });
        leave_out(resources.as_object_mut().unwrap());
        let expected = json!({
            "Queue": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": { "Fn::Sub": "${AWS::StackName}-emails" } } },
            "Role": { "Type": "AWS::IAM::Role", "Properties": {} },
        });
        assert_eq!(resources, expected);
    }
}
