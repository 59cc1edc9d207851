//! `cargo xtask switch-table`: replaces a table of the stack by a restored one.
//!
//! | command | when | effect |
//! |---|---|---|
//! | `out TABLE --name NAME` | between `sam build` and `cargo xtask stamp` | checks the restored table; in the built template, replaces references to the stack's table by its name, and removes the stack's table |
//! | `in TABLE --name NAME` | after that deployment | writes the template and the list for importing the restored table into the stack, under the logical id of the other |
//!
//! The next build of the unchanged `template.yaml` then uses the restored table.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use sam_template::as_json;
use serde_json::{Map, Value, json};

use crate::aws_cli::AwsCli;
use crate::deploy::Stack;
use crate::descriptions::{Error, target_directory};
use crate::{say, terminal};

/// Replaces a table of the stack by a restored one.
#[derive(Parser)]
#[command(name = "cargo xtask switch-table")]
struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Subcommand)]
enum Step {
    /// Makes the built template name the restored table, and removes the stack's own from it.
    Out(Switch),
    /// Writes the files that import the restored table into the stack.
    In(Switch),
}

#[derive(Args)]
struct Switch {
    /// The table's logical id: `OrdersTable`.
    table: String,

    /// The restored table's name.
    #[arg(long)]
    name: String,

    /// The stage: an environment of samconfig.toml.
    #[arg(long)]
    stage: String,

    /// The template that `sam build` wrote.
    #[arg(long, default_value = ".aws-sam/build/template.yaml")]
    template: PathBuf,
}

/// Runs the command with the arguments after `switch-table`.
pub(crate) fn run(workspace: &Path, given: &[String]) -> ExitCode {
    terminal::run("switch-table", given, |arguments: &Arguments| {
        let samconfig = fs_err::read_to_string(workspace.join("samconfig.toml"))?;
        let (Step::Out(switch) | Step::In(switch)) = &arguments.step;
        let stack = Stack::of(&samconfig, &switch.stage)?;
        let aws = AwsCli::new(&stack.region);
        match &arguments.step {
            Step::Out(switch) => take_out(workspace, &aws, switch),
            Step::In(switch) => {
                let target = target_directory(workspace)?.join("switch-table");
                let [template, resources] = take_in(workspace, &aws, &stack, switch, &target)?;
                say(&format!("the template:  {}", template.display()));
                say(&format!("the resources: {}", resources.display()));
                Ok(())
            }
        }
    })
}

/// Removes a table from the built template.
fn take_out(workspace: &Path, aws: &AwsCli<'_>, switch: &Switch) -> Result<(), Error> {
    let path = workspace.join(&switch.template);
    let mut built = as_json(&path)?;
    let declared = built["Resources"][&switch.table]["Properties"].clone();
    let restored = Restored::found(aws, &switch.name)?;
    let lacking = restored.lacks(&declared);
    if !lacking.is_empty() {
        return Err(format!("{} is not ready: {}", switch.name, lacking.join("; ")).into());
    }
    detach(&mut built, &switch.table, &restored)?;
    fs_err::write(&path, serde_json::to_vec_pretty(&built)?)?;
    say(&format!("{} names {} instead of {}", path.display(), switch.name, switch.table));
    Ok(())
}

/// Writes the template and the resources of the import.
fn take_in(
    workspace: &Path,
    aws: &AwsCli<'_>,
    stack: &Stack,
    switch: &Switch,
    target: &Path,
) -> Result<[PathBuf; 2], Error> {
    let table = as_json(&workspace.join("template.yaml"))?["Resources"][&switch.table].clone();
    let of_stack = ["--stack-name", &stack.name, "--template-stage", "Processed"];
    let answer = aws.ask(&[&["cloudformation", "get-template"], &of_stack[..]].concat())?;
    let mut deployed = match &answer["TemplateBody"] {
        Value::String(text) => sam_template::parse_json(text)?,
        body => body.clone(),
    };
    attach(&mut deployed, &switch.table, table)?;
    let resources = json!([{
        "ResourceType": TABLE, "LogicalResourceId": switch.table,
        "ResourceIdentifier": { "TableName": switch.name },
    }]);
    let files = ["template.json", "resources.json"].map(|name| target.join(name));
    fs_err::create_dir_all(target)?;
    for (file, content) in files.iter().zip([&deployed, &resources]) {
        fs_err::write(file, serde_json::to_vec(content)?)?;
    }
    Ok(files)
}

/// The type of a table.
const TABLE: &str = "AWS::DynamoDB::Table";

/// A restored table, as AWS describes it.
struct Restored {
    name: String,
    arn: String,
    stream_arn: Option<String>,
    described: Value,
    expires_by: Option<String>,
    is_recoverable: bool,
}

impl Restored {
    /// Asks AWS for the description of a table.
    fn found(aws: &AwsCli<'_>, name: &str) -> Result<Self, Error> {
        let ask = |command: &str| aws.ask(&["dynamodb", command, "--table-name", name]);
        let described = ask("describe-table")?["Table"].take();
        let expiry = ask("describe-time-to-live")?["TimeToLiveDescription"].take();
        let backups = ask("describe-continuous-backups")?["ContinuousBackupsDescription"].take();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let is_on = |status: &Value| matches!(status.as_str(), Some("ENABLED" | "ENABLING"));
        let recovery = &backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"];
        let expires = is_on(&expiry["TimeToLiveStatus"]);
        Ok(Self {
            name: name.to_owned(),
            arn: text(&described["TableArn"]).ok_or_else(|| format!("{name} has no ARN"))?,
            stream_arn: text(&described["LatestStreamArn"]),
            expires_by: text(&expiry["AttributeName"]).filter(|_| expires),
            is_recoverable: is_on(recovery),
            described,
        })
    }

    /// The declared properties that this table lacks. A restored table starts without time to live,
    /// stream and point-in-time recovery.
    fn lacks(&self, declared: &Value) -> Vec<String> {
        let mut lacking = Vec::new();
        let mut lacks = |what: &str| lacking.push(what.to_owned());
        if self.described["TableStatus"] != "ACTIVE" {
            lacks("it is not ACTIVE");
        }
        if self.described["KeySchema"] != declared["KeySchema"] {
            lacks("it has another key");
        }
        let expires_by = declared["TimeToLiveSpecification"]["AttributeName"].as_str();
        if expires_by.is_some() && self.expires_by.as_deref() != expires_by {
            lacks("it has no time to live by expiresAt");
        }
        let view = &declared["StreamSpecification"]["StreamViewType"];
        if !view.is_null() && &self.described["StreamSpecification"]["StreamViewType"] != view {
            lacks("it has no stream of new images");
        }
        let recovery = &declared["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        if recovery == true && !self.is_recoverable {
            lacks("it has no point-in-time recovery");
        }
        for index in declared["GlobalSecondaryIndexes"].as_array().into_iter().flatten() {
            let found = self.described["GlobalSecondaryIndexes"].as_array().into_iter().flatten();
            let is_there = |found: &Value| {
                found["IndexName"] == index["IndexName"]
                    && found["KeySchema"] == index["KeySchema"]
                    && found["IndexStatus"] == "ACTIVE"
            };
            if !found.into_iter().any(is_there) {
                lacks(&format!("it has no active index {}", index["IndexName"]));
            }
        }
        lacking
    }

    /// The value of a table attribute that the template refers to.
    fn attribute(&self, name: &str) -> Option<&str> {
        match name {
            "Arn" => Some(&self.arn),
            "StreamArn" => self.stream_arn.as_deref(),
            _ => None,
        }
    }
}

/// Removes a table from a template, and replaces references to it by the restored one.
fn detach(template: &mut Value, id: &str, restored: &Restored) -> Result<(), Error> {
    let resources = template["Resources"].as_object_mut();
    let taken = resources.and_then(|resources| resources.remove(id));
    if taken.is_none_or(|taken| taken["Type"] != TABLE) {
        return Err(format!("the template has no table {id}").into());
    }
    replace(template, id, restored);
    let rest = template.to_string();
    if rest.contains(&format!("\"{id}\""))
        || rest.contains(&format!("\"{id}."))
        || rest.contains(&format!("${{{id}"))
    {
        return Err(format!("a reference to {id} has no replacement").into());
    }
    Ok(())
}

/// Replaces references by names: `Ref`, `Fn::GetAtt`, `Fn::Sub`, `DependsOn`.
fn replace(value: &mut Value, id: &str, restored: &Restored) {
    let name = match value {
        Value::Object(object) => {
            if let Some(after) = object.get_mut("DependsOn") {
                if *after == id {
                    *after = json!([]);
                } else if let Value::Array(ids) = after {
                    ids.retain(|other| other != id);
                }
            }
            referred(object, id, restored)
        }
        _ => None,
    };
    match value {
        _ if name.is_some() => *value = json!(name),
        Value::Object(object) => {
            if let Some(sub) = object.get_mut("Fn::Sub") {
                let text = if sub.is_array() { &mut sub[0] } else { sub };
                if let Some(written) = text.as_str() {
                    *text = json!(substituted(written, id, restored));
                }
            }
            object.values_mut().for_each(|value| replace(value, id, restored));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, id, restored)),
        _ => {}
    }
}

/// The value of an object that is a reference to the table.
fn referred(object: &Map<String, Value>, id: &str, restored: &Restored) -> Option<String> {
    if object.get("Ref").is_some_and(|other| other == id) {
        return Some(restored.name.clone());
    }
    let attribute = match object.get("Fn::GetAtt")? {
        Value::String(path) => path.strip_prefix(id)?.strip_prefix('.')?.to_owned(),
        path if path[0] == id => path[1].as_str()?.to_owned(),
        _ => return None,
    };
    restored.attribute(&attribute).map(str::to_owned)
}

fn substituted(text: &str, id: &str, restored: &Restored) -> String {
    let text = text.replace(&format!("${{{id}}}"), &restored.name);
    ["Arn", "StreamArn"].iter().fold(text, |text, attribute| match restored.attribute(attribute) {
        Some(value) => text.replace(&format!("${{{id}.{attribute}}}"), value),
        None => text,
    })
}

/// Adds a table to a deployed template for import. A failed import keeps the table.
fn attach(deployed: &mut Value, id: &str, mut table: Value) -> Result<(), Error> {
    if table["Type"] != TABLE {
        return Err(format!("template.yaml has no table {id}").into());
    }
    let resources = deployed["Resources"].as_object_mut();
    let resources = resources.ok_or("the deployed template has no resources")?;
    if resources.contains_key(id) {
        return Err(format!("the stack has {id} already").into());
    }
    table["DeletionPolicy"] = json!("Retain");
    resources.insert(id.to_owned(), table);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::workspace;

    const ARN: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/shop-OrdersTable-restored";

    #[test]
    fn every_reference_to_a_switched_table_names_the_restored_one() {
        let template = as_json(&workspace().join("template.yaml")).unwrap();
        let tables = template["Resources"].as_object().unwrap().iter();
        let tables = tables.filter(|(_, it)| it["Type"] == TABLE).map(|(id, _)| id);
        for id in tables {
            let mut switched = template.clone();
            detach(&mut switched, id, &restored(&template, id)).unwrap();
            assert!(!switched.to_string().contains(&format!("\"{id}")), "{id}");
        }
        let mut switched = template.clone();
        detach(&mut switched, "OrdersTable", &restored(&template, "OrdersTable")).unwrap();
        let function = &switched["Resources"]["GetOrderFunction"]["Properties"];
        assert_eq!(
            function["Environment"]["Variables"]["ORDERS_TABLE"],
            "shop-OrdersTable-restored"
        );
        assert!(function["Policies"].to_string().contains(ARN), "{function}");
        assert!(switched.to_string().contains(&format!("{ARN}/index/")), "permissions on indexes");
    }

    #[test]
    fn the_stream_of_the_outbox_is_that_of_the_restored_table() {
        let template = as_json(&workspace().join("template.yaml")).unwrap();
        let mut switched = template.clone();
        detach(&mut switched, "OutboxTable", &restored(&template, "OutboxTable")).unwrap();
        assert!(switched.to_string().contains(&format!("\"{ARN}/stream/1\"")));
        let without = Restored { stream_arn: None, ..restored(&template, "OutboxTable") };
        let refused = detach(&mut template.clone(), "OutboxTable", &without).unwrap_err();
        assert_eq!(refused.to_string(), "a reference to OutboxTable has no replacement");
    }

    #[test]
    fn a_restored_table_without_a_declared_property_is_rejected() {
        let template = as_json(&workspace().join("template.yaml")).unwrap();
        let declared = &template["Resources"]["OutboxTable"]["Properties"];
        let ready = || restored(&template, "OutboxTable");
        assert_eq!(ready().lacks(declared), Vec::<String>::new());
        let described = |change: &dyn Fn(&mut Value)| {
            let mut lacking = ready();
            change(&mut lacking.described);
            lacking
        };
        for (lacking, said) in [
            (Restored { expires_by: None, ..ready() }, "it has no time to live by expiresAt"),
            (Restored { is_recoverable: false, ..ready() }, "it has no point-in-time recovery"),
            (described(&|it| it["TableStatus"] = json!("CREATING")), "it is not ACTIVE"),
            (described(&|it| it["KeySchema"] = json!([])), "it has another key"),
            (
                described(&|it| it["StreamSpecification"] = json!(null)),
                "it has no stream of new images",
            ),
            (
                described(&|it| it["GlobalSecondaryIndexes"][0]["IndexStatus"] = json!("CREATING")),
                "it has no active index \"by_waiting\"",
            ),
        ] {
            assert_eq!(lacking.lacks(declared), [said]);
        }
    }

    #[test]
    fn the_restored_table_is_imported_under_the_logical_id_of_the_other() {
        let folder = std::env::temp_dir().join(format!("switch-table-{}", std::process::id()));
        fs_err::create_dir_all(&folder).unwrap();
        let program = folder.join("aws");
        let body = json!({ "TemplateBody": { "Resources": { "Api": {} } } });
        fs_err::write(&program, format!("#!/bin/sh\necho '{body}'\n")).unwrap();
        fs_err::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let switch = Switch {
            table: "OrdersTable".to_owned(),
            name: "shop-OrdersTable-restored".to_owned(),
            stage: "prod".to_owned(),
            template: PathBuf::new(),
        };
        let stack =
            Stack { name: "shop".to_owned(), region: "eu-west-1".to_owned(), gradual: false };
        let aws = AwsCli::at(&program, &stack.region);
        let files = take_in(workspace(), &aws, &stack, &switch, &folder).unwrap();
        let [template, resources] = files.map(|file| as_json(&file).unwrap());
        fs_err::remove_dir_all(&folder).unwrap();
        let table = &template["Resources"]["OrdersTable"];
        assert_eq!((&table["Type"], &table["DeletionPolicy"]), (&json!(TABLE), &json!("Retain")));
        assert_eq!(template["Resources"]["Api"], json!({}));
        assert_eq!(resources[0]["ResourceIdentifier"]["TableName"], "shop-OrdersTable-restored");
        let refused = attach(&mut template.clone(), "OrdersTable", table.clone()).unwrap_err();
        assert_eq!(refused.to_string(), "the stack has OrdersTable already");
    }

    /// A table with all declared properties.
    fn restored(template: &Value, id: &str) -> Restored {
        let mut described = template["Resources"][id]["Properties"].clone();
        described["TableStatus"] = json!("ACTIVE");
        for index in described["GlobalSecondaryIndexes"].as_array_mut().into_iter().flatten() {
            index["IndexStatus"] = json!("ACTIVE");
        }
        Restored {
            name: "shop-OrdersTable-restored".to_owned(),
            arn: ARN.to_owned(),
            stream_arn: Some(format!("{ARN}/stream/1")),
            expires_by: Some("expiresAt".to_owned()),
            is_recoverable: true,
            described,
        }
    }
}
