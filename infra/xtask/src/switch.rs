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
use crate::template::samconfig;
use crate::template::stamp::value_of;
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

    /// The restored table's name, which begins with the stack's.
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
        check_name(&switch.name, &stack)?;
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

/// Accepts only a name that begins with the stack's, as the policies of functions and of the pipeline
/// require.
fn check_name(name: &str, stack: &Stack) -> Result<(), Error> {
    let begin = format!("{}-", stack.name);
    if name.starts_with(&begin) {
        return Ok(());
    }
    Err(format!("the name {name} does not begin with {begin}: policies allow no other tables")
        .into())
}

/// Removes a table from the built template.
fn take_out(workspace: &Path, aws: &AwsCli<'_>, switch: &Switch) -> Result<(), Error> {
    let path = workspace.join(&switch.template);
    let mut built = as_json(&path)?;
    let declared = declared(workspace, kept(&built, &switch.table)?, &switch.stage)?;
    let restored = Restored::found(aws, &switch.name)?;
    let differences = restored.differences(&declared);
    if !differences.is_empty() {
        return Err(format!("{} is not ready: {}", switch.name, differences.join("; ")).into());
    }
    detach(&mut built, &switch.table, &restored)?;
    fs_err::write(&path, serde_json::to_vec_pretty(&built)?)?;
    say(&format!("{} names {} instead of {}", path.display(), switch.name, switch.table));
    Ok(())
}

/// The table of a template.
///
/// # Errors
///
/// If the template has no such table, or `CloudFormation` would delete the table with its items.
fn kept<'a>(template: &'a Value, id: &str) -> Result<&'a Value, Error> {
    let table = &template["Resources"][id];
    if table["Type"] != TABLE {
        return Err(format!("the template has no table {id}").into());
    }
    match table["DeletionPolicy"].as_str() {
        Some("Retain" | "RetainExceptOnCreate") => Ok(table),
        _ => {
            Err(format!("{id} would be deleted with its items: its DeletionPolicy is Delete")
                .into())
        }
    }
}

/// The declared properties of a table, with the stage's value of the deletion protection.
fn declared(workspace: &Path, table: &Value, stage: &str) -> Result<Value, Error> {
    let mut declared = table["Properties"].clone();
    let parameter = declared[PROTECTION]["Ref"].as_str().map(str::to_owned);
    if let Some(parameter) = parameter {
        let parameters = as_json(&workspace.join("template.yaml"))?["Parameters"].clone();
        let given = samconfig::parameters(workspace)?.remove(stage).unwrap_or_default();
        declared[PROTECTION] = json!(value_of(&parameter, &parameters, &given)? == "true");
    }
    Ok(declared)
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

/// The property that prevents the deletion of a table.
const PROTECTION: &str = "DeletionProtectionEnabled";

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

    /// The differences from the declared properties. A restored table starts without time to live,
    /// stream, point-in-time recovery and deletion protection.
    fn differences(&self, declared: &Value) -> Vec<String> {
        let described = &self.described;
        let mut differences = Vec::new();
        if described["TableStatus"] != "ACTIVE" {
            differences.push("it is not ACTIVE".to_owned());
        }
        if described["KeySchema"] != declared["KeySchema"] {
            differences.push("it has another key".to_owned());
        }
        let expires_by = declared["TimeToLiveSpecification"]["AttributeName"].as_str();
        if self.expires_by.as_deref() != expires_by {
            differences.push(match expires_by {
                Some(attribute) => format!("it has no time to live by {attribute}"),
                None => "the template declares no time to live".to_owned(),
            });
        }
        let view = &declared["StreamSpecification"]["StreamViewType"];
        if &described["StreamSpecification"]["StreamViewType"] != view {
            differences.push(match view.as_str() {
                Some(view) => format!("it has no stream of {view}"),
                None => "the template declares no stream".to_owned(),
            });
        }
        let recovery = &declared["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        let encryption = &declared["SSESpecification"]["SSEEnabled"];
        let is_encrypted = described["SSEDescription"]["Status"] == "ENABLED";
        for (property, declared, found) in [
            ("point-in-time recovery", recovery, self.is_recoverable),
            ("encryption by KMS", encryption, is_encrypted),
            ("deletion protection", &declared[PROTECTION], described[PROTECTION] == true),
        ] {
            match (declared == true, found) {
                (true, false) => differences.push(format!("it has no {property}")),
                (false, true) => differences.push(format!("the template declares no {property}")),
                _ => {}
            }
        }
        differences.extend(self.different_indexes(declared));
        differences
    }

    /// The declared indexes that this table lacks, and its indexes that are not declared.
    fn different_indexes(&self, declared: &Value) -> Vec<String> {
        let [declared, described] = [declared, &self.described].map(|table| {
            table["GlobalSecondaryIndexes"].as_array().map(Vec::as_slice).unwrap_or_default()
        });
        let is_same = |one: &Value, other: &Value| {
            one["IndexName"] == other["IndexName"] && one["KeySchema"] == other["KeySchema"]
        };
        let is_there = |index: &Value| {
            described.iter().any(|it| is_same(index, it) && it["IndexStatus"] == "ACTIVE")
        };
        let lacking = declared.iter().filter(|index| !is_there(index));
        let lacking = lacking.map(|index| format!("it has no active index {}", index["IndexName"]));
        let surplus =
            described.iter().filter(|it| !declared.iter().any(|index| is_same(index, it)));
        let surplus =
            surplus.map(|index| format!("the template declares no index {}", index["IndexName"]));
        lacking.chain(surplus).collect()
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
    use std::process::Command;

    use super::*;
    use crate::process::succeeded;
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
    fn a_restored_table_that_differs_from_the_declared_one_is_rejected() {
        let template = as_json(&workspace().join("template.yaml")).unwrap();
        let table = kept(&template, "OutboxTable").unwrap();
        let [dev, prod] = ["dev", "prod"].map(|it| declared(workspace(), table, it).unwrap());
        let ready = || restored(&template, "OutboxTable");
        assert_eq!(ready().differences(&dev), Vec::<String>::new());
        assert_eq!(ready().differences(&prod), ["it has no deletion protection"]);
        let described = |change: &dyn Fn(&mut Value)| {
            let mut changed = ready();
            change(&mut changed.described);
            changed
        };
        for (differing, said) in [
            (Restored { expires_by: None, ..ready() }, "it has no time to live by expiresAt"),
            (Restored { is_recoverable: false, ..ready() }, "it has no point-in-time recovery"),
            (described(&|it| it["TableStatus"] = json!("CREATING")), "it is not ACTIVE"),
            (described(&|it| it["KeySchema"] = json!([])), "it has another key"),
            (
                described(&|it| it["StreamSpecification"] = json!(null)),
                "it has no stream of NEW_IMAGE",
            ),
            (
                described(&|it| it["GlobalSecondaryIndexes"][0]["IndexStatus"] = json!("CREATING")),
                "it has no active index \"by_waiting\"",
            ),
            (described(&|it| it["SSEDescription"] = json!(null)), "it has no encryption by KMS"),
            (
                described(&|it| it["SSEDescription"]["Status"] = json!("UPDATING")),
                "it has no encryption by KMS",
            ),
            (
                described(&|it| it[PROTECTION] = json!(true)),
                "the template declares no deletion protection",
            ),
        ] {
            assert_eq!(differing.differences(&dev), [said]);
        }
    }

    #[test]
    fn a_property_of_a_restored_table_that_is_not_declared_is_rejected() {
        let template = as_json(&workspace().join("template.yaml")).unwrap();
        let bare =
            json!({ "KeySchema": template["Resources"]["OutboxTable"]["Properties"]["KeySchema"] });
        assert_eq!(
            restored(&template, "OutboxTable").differences(&bare),
            [
                "the template declares no time to live",
                "the template declares no stream",
                "the template declares no point-in-time recovery",
                "the template declares no encryption by KMS",
                "the template declares no index \"by_waiting\"",
            ]
        );
    }

    #[test]
    fn an_unknown_table_and_one_that_cloudformation_would_delete_are_errors() {
        let aws = AwsCli::at(Path::new("/no/aws"), "eu-west-1");
        let refused = |table: &str| {
            let switch = Switch {
                table: table.to_owned(),
                name: "shop-restored".to_owned(),
                stage: "dev".to_owned(),
                template: PathBuf::from("template.yaml"),
            };
            take_out(workspace(), &aws, &switch).unwrap_err().to_string()
        };
        assert_eq!(refused("OrderTable"), "the template has no table OrderTable");
        assert_eq!(refused("GetOrderFunction"), "the template has no table GetOrderFunction");
        assert_eq!(
            refused("TokensTable"),
            "TokensTable would be deleted with its items: its DeletionPolicy is Delete"
        );
        assert!(refused("OrdersTable").contains("/no/aws"), "AWS is asked about a kept table");
    }

    #[test]
    fn a_table_whose_name_does_not_begin_with_the_stacks_is_rejected() {
        let stack =
            Stack { name: "shop".to_owned(), region: "eu-west-1".to_owned(), gradual: false };
        assert!(check_name("shop-OrdersTable-restored", &stack).is_ok());
        for name in ["OrdersTable-restored", "shop2-OrdersTable"] {
            assert!(check_name(name, &stack).is_err(), "{name}");
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

    #[test]
    fn the_documented_commands_stop_each_function_that_uses_a_restored_table() {
        let aws = "case $2 in list-functions) printf 'shop-a\\tshop-b\\n' ;; get-function-concurrency) echo None ;; esac";
        let folder = follow("stop-writers", "1. **Stop the writers**", aws);
        let [stopped, calls] =
            ["stopped", "calls"].map(|file| fs_err::read_to_string(folder.join(file)).unwrap());
        fs_err::remove_dir_all(&folder).unwrap();
        assert_eq!(stopped, "shop-a None\nshop-b None\n");
        for table in ["ORDERS_TABLE", "USERS_TABLE"] {
            assert!(calls.contains(&format!("Environment.Variables.{table}]")), "{calls}");
        }
        for function in ["shop-a", "shop-b"] {
            let stop = format!("--function-name {function} --reserved-concurrent-executions 0");
            assert!(calls.contains(&stop), "{calls}");
        }
    }

    #[test]
    fn a_repeated_import_continues_with_the_tables_that_are_not_imported() {
        let aws =
            "case \"$*\" in *list-stack-resources*shop-OrdersTable-1*) echo OrdersTable ;; esac";
        let folder = follow("import-tables", "6. **Import**", aws);
        let calls = fs_err::read_to_string(folder.join("calls")).unwrap();
        fs_err::remove_dir_all(&folder).unwrap();
        let made = |call: &str| calls.lines().filter(|line| line.contains(call)).count();
        assert_eq!(made("switch-table in OrdersTable"), 0, "{calls}");
        assert_eq!(made("switch-table in UsersTable --stage dev --name shop-UsersTable-1"), 1);
        assert_eq!(
            made("execute-change-set --stack-name shop --change-set-name import-UsersTable-"),
            1
        );
    }

    /// Runs the commands of a documented step for two tables. The folder has the workspace's folders,
    /// since the commands run there. The AWS CLI and cargo only add their arguments to its file
    /// `calls`; `aws` prints the answers.
    fn follow(name: &str, step: &str, aws: &str) -> PathBuf {
        let document = fs_err::read_to_string(workspace().join("infra/docs/DATA.md")).unwrap();
        let is_function = |line: &&str| {
            ["restored() ", "variable() ", "imported() "].iter().any(|name| line.starts_with(*name))
        };
        let functions: Vec<_> = document.lines().filter(is_function).collect();
        let (_, step) = document.split_once(step).unwrap();
        let commands = step.split("```").nth(1).unwrap();
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        for entry in fs_err::read_dir(workspace()).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                fs_err::create_dir_all(folder.join(entry.file_name())).unwrap();
            }
        }
        let programs = folder.join("programs");
        fs_err::create_dir_all(&programs).unwrap();
        let calls = folder.join("calls");
        for (program, answers) in [("aws", aws), ("cargo", "")] {
            let text = format!("#!/bin/sh\necho \"$@\" >> {}\n{answers}\n", calls.display());
            fs_err::write(programs.join(program), text).unwrap();
            let mode = PermissionsExt::from_mode(0o755);
            fs_err::set_permissions(programs.join(program), mode).unwrap();
        }
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let script = format!(
            "STAGE=dev STACK=shop RUN=1 BUCKET=bucket AWS_REGION=eu-west-1 TABLES='OrdersTable UsersTable'\n{}\n{commands}",
            functions.join("\n"),
        );
        let mut bash = Command::new("bash");
        succeeded(bash.args(["-c", &script]).current_dir(&folder).env("PATH", path)).unwrap();
        folder
    }

    /// A table with all declared properties, without deletion protection.
    fn restored(template: &Value, id: &str) -> Restored {
        let mut described = template["Resources"][id]["Properties"].clone();
        described["TableStatus"] = json!("ACTIVE");
        described["SSEDescription"] = json!({ "Status": "ENABLED", "SSEType": "KMS" });
        described[PROTECTION] = json!(false);
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
