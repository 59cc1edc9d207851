//! `cargo xtask switch-table`: replaces a table of the stack by a restored one.
//!
//! | command | when | effect |
//! |---|---|---|
//! | `out TABLE --name NAME` | between `sam build` and `cargo xtask stamp` | checks the restored table; in the built template, replaces references to the stack's table by its name, and removes the stack's table |
//! | `in TABLE --name NAME` | after that deployment | writes the template and the list for importing the restored table into the stack, under the logical id of the other |
//!
//! The next build of the unchanged `template.yaml` then uses the restored table.

#[cfg(test)]
mod documented;
mod references;
mod restored;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use house::samconfig;
use house::stack::Stack;
use sam_template::as_json;
use serde_json::{Value, json};
use tooling::{Error, say, target_directory};

use self::references::{TABLE, attach, detach, kept};
use self::restored::{PROTECTION, Restored};
use crate::aws_cli::AwsCli;
use crate::template::stamp::value_of;

/// Replaces a table of the stack by a restored one.
#[derive(clap::Args)]
pub(crate) struct Arguments {
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

#[derive(clap::Args)]
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

/// Runs the command.
///
/// # Errors
///
/// If the restored table is not ready, or a file cannot be read or written.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
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
