//! `cargo xtask pipeline package`: checks that `sam deploy` passes the unchanged build to AWS.
//!
//! `sam deploy` packs and uploads the programs and the nested templates. Then it asks `CloudFormation`
//! for a change set of a template that names the uploads. ministack keeps the uploads, and a
//! [stand-in](super::cloudformation) takes the change set.

use std::collections::BTreeMap;
use std::path::Path;

use house::pipeline::{BUILT, ROLE, digest};
use house::program_of;
use house::stack::Stack;
use house::{samconfig, tools};
use sam_template::{REGION, as_json, parse_json};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use tooling::process::succeeded;
use tooling::{Error, say, target_directory};

use super::cloudformation::{CloudFormation, Form};
use crate::ministack::Emulator;

/// The bucket that `sam deploy` uploads to.
const BUCKET: &str = "the-uploads";

/// Packs and uploads a stamped build to a separate ministack.
///
/// # Errors
///
/// If `sam deploy` fails, or passes on anything other than the build.
pub(super) fn package(workspace: &Path, stage: &str) -> Result<(), Error> {
    let runtime = Runtime::new()?;
    let log = target_directory(workspace)?.join("package-ministack.log");
    let emulator = Emulator::start(workspace, &log)?;
    let handed = Handed::start(workspace, stage, &emulator.endpoint, &runtime)?;
    let mut deploy = program_of("xtask");
    deploy.args(["pipeline", "deploy", stage]).envs(handed.variables());
    succeeded(&mut deploy)?;
    handed.check(std::env::var(ROLE).ok().as_deref())
}

/// The uploads and the change set of a `sam deploy` that runs with [`Handed::variables`].
pub(super) struct Handed<'a> {
    workspace: &'a Path,
    stage: &'a str,
    endpoint: &'a str,
    cloudformation: CloudFormation,
}

/// The uploaded objects, by key.
#[derive(Deserialize)]
struct Uploaded {
    archives: BTreeMap<String, BTreeMap<String, File>>,
    texts: BTreeMap<String, String>,
}

/// A file of an archive.
#[derive(Debug, Deserialize, PartialEq, Eq)]
struct File {
    sha256: String,
    executable: bool,
}

impl<'a> Handed<'a> {
    /// Creates a bucket at this endpoint, and starts the stand-in for `CloudFormation`.
    pub(super) fn start(
        workspace: &'a Path,
        stage: &'a str,
        endpoint: &'a str,
        runtime: &Runtime,
    ) -> Result<Self, Error> {
        let cloudformation = runtime.block_on(CloudFormation::start(BUCKET))?;
        let handed = Self { workspace, stage, endpoint, cloudformation };
        handed.ask::<()>(json!({ "what": "bucket" }))?;
        Ok(handed)
    }

    /// The environment of `sam deploy`.
    pub(super) fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint.to_owned()),
            ("AWS_ENDPOINT_URL_CLOUDFORMATION", self.cloudformation.endpoint()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
    }

    /// Compares uploads and change set with the build, and with `samconfig.toml`.
    ///
    /// # Errors
    ///
    /// Names each difference.
    pub(super) fn check(&self, role: Option<&str>) -> Result<(), Error> {
        let change_set = self.cloudformation.taken().ok_or("no change set was asked for")?;
        let samconfig = fs_err::read_to_string(self.workspace.join("samconfig.toml"))?;
        let stack = Stack::of(&samconfig, self.stage)?.name;
        let parameters = samconfig::parameters(self.workspace)?.remove(self.stage);
        let parameters = parameters.unwrap_or_default();
        let built = as_json(&self.workspace.join(BUILT).join("template.yaml"))?;
        let address = change_set.get("TemplateURL").map_or("", String::as_str);
        let key = self.key(address).ok_or_else(|| format!("TemplateURL is {address:?}"))?;
        let packaged = parse_json(&self.uploaded(&[], &[key])?.texts[key])?;
        let (programs, mut complaints) = self.programs(&built, &packaged)?;
        let (nested, others) = self.nested(&packaged)?;
        complaints.extend(others);
        complaints.extend(asked_otherwise(&change_set, &stack, &parameters, role));
        complaints.extend(otherwise(&built, &packaged));
        if !complaints.is_empty() {
            return Err(complaints.join("\n").into());
        }
        say(&format!("{stack} gets {programs} and {nested}, unchanged from the build"));
        Ok(())
    }

    /// Compares the uploaded programs with the built ones. Returns their number and the complaints.
    fn programs(&self, built: &Value, packaged: &Value) -> Result<(String, Vec<String>), Error> {
        let programs = of_type(built, "AWS::Serverless::Function");
        let key = |id: &str| self.key(property(&packaged["Resources"][id], "CodeUri"));
        let keys: Vec<&str> = programs.iter().filter_map(|(id, _)| key(id)).collect();
        let uploaded = self.uploaded(&keys, &[])?.archives;
        let mut complaints = Vec::new();
        for (id, resource) in &programs {
            let folder = self.workspace.join(BUILT).join(property(resource, "CodeUri"));
            let archive = key(id).and_then(|key| uploaded.get(key));
            complaints.extend(other_program(id, archive, digest(&folder.join("bootstrap"))?));
        }
        Ok((format!("{} programs", programs.len()), complaints))
    }

    /// Compares the uploaded nested templates with the files that `template.yaml` names. Returns their
    /// number and the complaints.
    fn nested(&self, packaged: &Value) -> Result<(String, Vec<String>), Error> {
        let source = as_json(&self.workspace.join("template.yaml"))?;
        let nested = of_type(&source, "AWS::CloudFormation::Stack");
        let key = |id: &str| self.key(property(&packaged["Resources"][id], "TemplateURL"));
        let keys: Vec<&str> = nested.iter().filter_map(|(id, _)| key(id)).collect();
        let uploaded = self.uploaded(&[], &keys)?.texts;
        let (mut loops, mut complaints) = (0, Vec::new());
        for (id, resource) in &nested {
            let path = property(resource, "TemplateURL");
            let source = as_json(&self.workspace.join(path))?;
            loops += loops_of(&source);
            let text = key(id).and_then(|key| uploaded.get(key));
            let found = text.map(|text| parse_json(text)).transpose()?;
            if found.as_ref().map(without_marks_of_packing) != Some(source) {
                complaints.push(format!("{id}: the upload differs from {path}"));
            }
        }
        Ok((format!("{} nested templates with {loops} loops", nested.len()), complaints))
    }

    /// The key of an upload by its address: `s3://bucket/key`, or by HTTP.
    fn key<'b>(&self, address: &'b str) -> Option<&'b str> {
        let path = address.strip_prefix("s3://");
        let path = path.or_else(|| address.strip_prefix(self.endpoint)?.strip_prefix('/'));
        path?.strip_prefix(BUCKET)?.strip_prefix('/')
    }

    fn uploaded(&self, archives: &[&str], texts: &[&str]) -> Result<Uploaded, Error> {
        self.ask(json!({ "what": "objects", "archives": archives, "texts": texts }))
    }

    fn ask<A: serde::de::DeserializeOwned>(&self, mut job: Value) -> Result<A, Error> {
        job["endpoint"] = self.endpoint.into();
        job["region"] = REGION.into();
        job["bucket"] = BUCKET.into();
        tools::ask(self.workspace, "sam", "uploaded.py", &job)
    }
}

fn of_type<'a>(template: &'a Value, kind: &str) -> Vec<(&'a String, &'a Value)> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    resources.filter(|(_, resource)| resource["Type"] == kind).collect()
}

/// A text property of a resource, or an empty text.
fn property<'a>(resource: &'a Value, name: &str) -> &'a str {
    resource["Properties"][name].as_str().unwrap_or_default()
}

/// The differences between the change set and the stage's configuration. An empty role is none, as for
/// `pipeline deploy`.
fn asked_otherwise(
    change_set: &Form,
    stack: &str,
    parameters: &BTreeMap<String, String>,
    role: Option<&str>,
) -> Vec<String> {
    let member = |name: &str| {
        let place = change_set
            .iter()
            .find(|(place, value)| place.ends_with(".ParameterKey") && value.as_str() == name)?;
        change_set.get(&place.0.replace(".ParameterKey", ".ParameterValue"))
    };
    let values = parameters.iter().map(|(name, value)| (name.as_str(), Some(value), member(name)));
    let role = role.filter(|role| !role.is_empty());
    let (stack, role) = (Some(stack.to_owned()), role.map(str::to_owned));
    let named = [("StackName", stack.as_ref()), ("RoleARN", role.as_ref())];
    let named = named.map(|(name, value)| (name, value, change_set.get(name)));
    let differing = named.into_iter().chain(values).filter(|(_, wanted, found)| wanted != found);
    differing.map(|(name, wanted, found)| format!("{name} is {found:?}, not {wanted:?}")).collect()
}

/// The complaint about the archive of a function's program, if any.
fn other_program(
    id: &str,
    archive: Option<&BTreeMap<String, File>>,
    sha256: String,
) -> Option<String> {
    let built = File { sha256, executable: true };
    let expected = BTreeMap::from([("bootstrap".to_owned(), built)]);
    (archive != Some(&expected))
        .then(|| format!("{id}: the upload is {archive:?}, and the build {expected:?}"))
}

/// The sections in which the template differs from the built one, apart from changes by packing.
fn otherwise(built: &Value, packaged: &Value) -> Vec<String> {
    let [built, packaged] = [built, packaged].map(without_marks_of_packing);
    let mut sections: Vec<&String> =
        [&built, &packaged].into_iter().filter_map(Value::as_object).flat_map(Map::keys).collect();
    sections.sort();
    sections.dedup();
    let differing = sections.into_iter().filter(|name| built.get(name) != packaged.get(name));
    differing.map(|section| format!("{section} is not as it was built")).collect()
}

/// A template without the changes by packing: the addresses of uploads, and the id that is added to
/// each resource.
fn without_marks_of_packing(template: &Value) -> Value {
    let mut template = template.clone();
    let resources = template.get_mut("Resources").and_then(Value::as_object_mut);
    for resource in resources.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut)
    {
        if let Some(Value::Object(properties)) = resource.get_mut("Properties") {
            properties.remove("CodeUri");
            properties.remove("TemplateURL");
        }
        if let Some(Value::Object(metadata)) = resource.get_mut("Metadata") {
            metadata.remove("SamResourceId");
            if metadata.is_empty() {
                resource.remove("Metadata");
            }
        }
    }
    template
}

/// The number of loops of a template.
fn loops_of(template: &Value) -> usize {
    match template {
        Value::Object(members) => {
            let here = members.keys().filter(|name| name.starts_with("Fn::ForEach::")).count();
            here + members.values().map(loops_of).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(loops_of).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Form {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_change_set_without_a_parameter_or_of_another_stack_is_a_complaint() {
        let parameters = form(&[("Level", "debug")]);
        let whole = form(&[
            ("StackName", "shop"),
            ("RoleARN", "arn:role"),
            ("Parameters.member.1.ParameterKey", "Level"),
            ("Parameters.member.1.ParameterValue", "debug"),
        ]);
        let complaints = |change_set: &Form, stack: &str, role: Option<&str>| {
            asked_otherwise(change_set, stack, &parameters, role).len()
        };
        assert_eq!(complaints(&whole, "shop", Some("arn:role")), 0);
        assert_eq!(complaints(&whole, "other", None), 2);
        let bare = form(&[("StackName", "shop")]);
        assert_eq!(asked_otherwise(&bare, "shop", &form(&[]), Some("")), Vec::<String>::new());
        assert_eq!(
            asked_otherwise(&bare, "shop", &parameters, None),
            [r#"Level is None, not Some("debug")"#]
        );
    }

    #[test]
    fn an_archive_with_another_or_no_executable_program_is_a_complaint() {
        let archive = |sha256: &str, executable| {
            BTreeMap::from([(
                "bootstrap".to_owned(),
                File { sha256: sha256.to_owned(), executable },
            )])
        };
        let complaint =
            |archive: Option<_>| other_program("Work", archive.as_ref(), "a".to_owned());
        assert_eq!(complaint(Some(archive("a", true))), None);
        assert!(complaint(Some(archive("a", false))).is_some());
        assert!(complaint(Some(archive("b", true))).is_some());
        assert!(complaint(None).is_some());
    }

    #[test]
    fn only_packings_addresses_and_ids_may_differ_from_the_built_template() {
        let template = |code: &str, timeout: u32| json!({ "Resources": { "Work": { "Metadata": { "SamResourceId": code }, "Properties": { "CodeUri": code, "Timeout": timeout } } } });
        let mut built = template("Work", 10);
        built["Resources"]["Work"].as_object_mut().unwrap().remove("Metadata");
        assert_eq!(otherwise(&built, &template("s3://b/k", 10)), Vec::<String>::new());
        assert_eq!(
            otherwise(&built, &template("s3://b/k", 11)),
            ["Resources is not as it was built"]
        );
    }
}
