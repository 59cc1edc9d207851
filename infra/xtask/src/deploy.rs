//! `cargo xtask deploy`: builds functions with cargo lambda and deploys the named ones, or all
//! whose binaries have changed.
//!
//! It deploys only code, to functions that `sam deploy` has created; their configuration stays
//! unchanged. It rejects functions that the stack does not have, since cargo lambda would create
//! them with a new role. It rejects stages with gradual deployments too. The last deployed hashes
//! are recorded below `target`: a machine without a record deploys everything.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;
use house::cargo_lambda::{CargoLambda, Profile};
use house::stack::Stack;
use sam_template::Template;
use sha2::{Digest, Sha256};
use tooling::context::Context;
use tooling::process::succeeded;
use tooling::{Error, say};

use crate::aws_cli::AwsCli;

/// The alias that the API and the queues invoke.
pub(crate) const ALIAS: &str = "live";

/// Builds functions and deploys their code.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// The functions, by their binaries' names.
    #[arg(required_unless_present = "changed", conflicts_with = "changed")]
    functions: Vec<String>,

    /// All functions whose binary differs from the one that this machine deployed last.
    #[arg(long)]
    changed: bool,

    /// The stage: an environment of samconfig.toml.
    #[arg(long, default_value = "dev")]
    stage: String,

    /// Builds and packs, and lists the functions to deploy. Makes no calls to AWS.
    #[arg(long)]
    dry: bool,

    /// Builds without optimisation: faster to build, but larger and slower functions.
    #[arg(long)]
    unoptimised: bool,
}

/// Base64 SHA-256 hashes by binary name.
type Hashes = BTreeMap<String, String>;

/// Runs the command.
///
/// # Errors
///
/// If a function cannot be built or deployed, or the stage deploys gradually.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let stack =
        Stack::of(&fs_err::read_to_string(workspace.join("samconfig.toml"))?, &arguments.stage)?;
    if stack.gradual {
        let why = "its new versions get requests gradually";
        return Err(format!("{}: {why}: use sam deploy", arguments.stage).into());
    }
    let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
    let all = template.binaries();
    let wanted: Vec<&String> =
        if arguments.changed { all.iter().collect() } else { arguments.functions.iter().collect() };
    if let Some(unknown) = wanted.iter().find(|binary| !all.contains(**binary)) {
        return Err(format!("the template has no function of the binary {unknown}").into());
    }
    let cargo_lambda = CargoLambda::new(workspace)?;
    let profile = if arguments.unoptimised { Profile::Dev } else { Profile::Release };
    cargo_lambda.build(wanted.iter().copied(), profile)?;
    let built = hashes(&cargo_lambda, &wanted)?;
    let record = cargo_lambda.folder().join(format!("deployed-{}.json", arguments.stage));
    let mut deployed = deployed(&record)?;
    let due = if arguments.changed { changed(&built, &deployed) } else { wanted };
    if !arguments.dry {
        refuse_unknown(&AwsCli::new(&stack.region), &stack, &due)?;
    }
    say(&format!("{} of {} functions to deploy to {}", due.len(), built.len(), stack.name));
    for binary in due {
        push(&cargo_lambda, binary, &stack, arguments.dry)?;
        if !arguments.dry {
            deployed.insert(binary.clone(), built[binary].clone());
            fs_err::write(&record, serde_json::to_string_pretty(&deployed)?)?;
        }
    }
    Ok(())
}

/// The binaries that differ from those last deployed.
fn changed<'a>(built: &'a Hashes, deployed: &Hashes) -> Vec<&'a String> {
    let is_new = |(binary, hash): &(&String, &String)| deployed.get(*binary) != Some(hash);
    built.iter().filter(is_new).map(|(binary, _)| binary).collect()
}

fn deployed(record: &Path) -> Result<Hashes, Error> {
    match fs_err::read_to_string(record) {
        Ok(text) => serde_json::from_str(&text).context(|| record.display()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Hashes::new()),
        Err(error) => Err(error.into()),
    }
}

/// Rejects functions that the stack does not have.
///
/// # Errors
///
/// If there are such functions (the error names them), or the stack's resources cannot be listed.
fn refuse_unknown(aws: &AwsCli<'_>, stack: &Stack, due: &[&String]) -> Result<(), Error> {
    let arguments = ["cloudformation", "list-stack-resources", "--stack-name", &stack.name];
    let answer = aws.ask(&arguments)?;
    let resources = answer["StackResourceSummaries"].as_array().into_iter().flatten();
    let functions = resources.filter(|it| it["ResourceType"] == "AWS::Lambda::Function");
    let known: Vec<_> = functions.filter_map(|it| it["PhysicalResourceId"].as_str()).collect();
    let names = due.iter().map(|binary| stack.function(binary));
    let unknown: Vec<_> = names.filter(|name| !known.contains(&name.as_str())).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(format!("the stack has no {} yet: run sam deploy first", unknown.join(", ")).into())
}

/// Deploys a built binary.
fn push(
    cargo_lambda: &CargoLambda<'_>,
    binary: &str,
    stack: &Stack,
    dry: bool,
) -> Result<(), Error> {
    let mut command = cargo_lambda.command("deploy");
    command.args(["--binary-name", binary, "--alias", ALIAS, "--region", &stack.region]);
    // Keep the environment variables that the template sets.
    command.arg("--merge-env").args(dry.then_some("--dry"));
    command.arg(stack.function(binary));
    succeeded(&mut command)
}

fn hashes(cargo_lambda: &CargoLambda<'_>, binaries: &[&String]) -> Result<Hashes, Error> {
    let hash = |binary: &&String| -> Result<_, Error> {
        let path = cargo_lambda.bootstrap(binary);
        let bytes = fs_err::read(&path);
        let bytes = bytes.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(((*binary).clone(), STANDARD.encode(Sha256::digest(bytes))))
    };
    binaries.iter().map(hash).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn hashes(pairs: &[(&str, &str)]) -> Hashes {
        pairs.iter().map(|(binary, hash)| ((*binary).to_owned(), (*hash).to_owned())).collect()
    }

    #[test]
    fn new_and_changed_binaries_are_due_for_deployment() {
        let built = hashes(&[("get_user", "a"), ("get_order", "b"), ("notify", "c")]);
        let deployed = hashes(&[("get_user", "a"), ("get_order", "x"), ("gone", "y")]);
        assert_eq!(changed(&built, &deployed), ["get_order", "notify"]);
        assert_eq!(changed(&built, &built), Vec::<&String>::new());
    }

    #[test]
    fn a_stage_with_gradual_deployments_is_an_error() {
        for (stage, refused) in [("dev", false), ("staging", true), ("prod", true)] {
            let samconfig = fs_err::read_to_string(house::workspace().join("samconfig.toml"));
            let stack = Stack::of(&samconfig.unwrap(), stage).unwrap();
            assert_eq!(stack.gradual, refused, "{stage}");
        }
        let arguments = Arguments::parse_from(["deploy", "get_user", "--stage", "prod", "--dry"]);
        let refused = run(house::workspace(), &arguments).unwrap_err().to_string();
        assert!(refused.starts_with("prod: its new versions get"), "{refused}");
    }

    #[test]
    fn a_function_that_the_stack_does_not_have_is_an_error() {
        let folder = std::env::temp_dir().join(format!("deploy-{}", std::process::id()));
        fs_err::create_dir_all(&folder).unwrap();
        let program = folder.join("aws");
        let answer = r#"{"StackResourceSummaries":[{"ResourceType":"AWS::Lambda::Function","PhysicalResourceId":"shop-get_user"},{"ResourceType":"AWS::IAM::Role","PhysicalResourceId":"shop-get_order"}]}"#;
        fs_err::write(&program, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
        fs_err::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let stack =
            Stack { name: "shop".to_owned(), region: "eu-west-1".to_owned(), gradual: false };
        let (known, unknown) = ("get_user".to_owned(), "get_order".to_owned());
        let aws = AwsCli::at(&program, &stack.region);
        assert!(refuse_unknown(&aws, &stack, &[&known]).is_ok());
        let refused = refuse_unknown(&aws, &stack, &[&known, &unknown]).unwrap_err().to_string();
        fs_err::remove_dir_all(&folder).unwrap();
        assert_eq!(refused, "the stack has no shop-get_order yet: run sam deploy first");
    }
}
