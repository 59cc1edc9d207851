//! `cargo xtask stamp`: prepares a build of `sam build` for `sam deploy` to one stage.
//!
//! It checks that each program runs on the stage's architecture, and [stamps](super::stamp) the
//! built template with the stage's parameters. A build can be stamped again for another stage; only
//! the last stamp counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use house::samconfig;
use sam_template::as_json;
use serde_json::Value;
use tooling::context::Context;
use tooling::{Error, say};

use super::binaries;
use super::stamp::{stamp, value_of};

/// Prepares a build for deployment to a stage.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The stage: an environment of samconfig.toml.
    #[arg(long)]
    stage: String,

    /// A parameter that is not in samconfig.toml, as `Name=value`, without SAM's quotes around the
    /// value. `sam deploy` needs the same, in the form that this command prints.
    #[arg(long = "parameter", value_parser = samconfig::pair)]
    parameters: Vec<(String, String)>,

    /// The template written by `sam build`.
    #[arg(long, default_value = ".aws-sam/build/template.yaml")]
    template: PathBuf,
}

/// Runs the command.
///
/// # Errors
///
/// If there is no such stage, or a program does not run on its architecture.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let Arguments { stage, parameters, template } = arguments;
    let path = workspace.join(template);
    let declared = as_json(&workspace.join(super::expansion::FILES[0]))?["Parameters"].clone();
    let mut given = samconfig::parameters(workspace)?
        .remove(stage)
        .ok_or_else(|| format!("samconfig.toml has no stage {stage}"))?;
    given.extend(parameters.iter().cloned());
    let mut built = as_json(&path)?;
    let unfit = unfit(&built, &path, &value_of("Architecture", &declared, &given)?)?;
    if !unfit.is_empty() {
        return Err(unfit.join("\n").into());
    }
    stamp(&mut built, &declared, &given)?;
    fs_err::write(&path, serde_json::to_vec_pretty(&built)?)?;
    say(&format!("{} is ready for {stage}", template.display()));
    if !parameters.is_empty() {
        say(&format!("deploy it with: {}", deployment(stage, &declared, &given)?));
    }
    Ok(())
}

/// The `sam deploy` command for parameters outside samconfig.toml. `--parameter-overrides` replaces
/// the whole list there, so all values are named. Its user fills in secret values. A value has SAM's
/// quotes, and the shell's quotes around these.
///
/// # Errors
///
/// If SAM cannot read a value in any form.
fn deployment(
    stage: &str,
    declared: &Value,
    given: &BTreeMap<String, String>,
) -> Result<String, Error> {
    let value = |(name, value): (&String, &String)| -> Result<String, Error> {
        let value = if declared[name]["NoEcho"] == true { "…" } else { value };
        let written = samconfig::written(name, value)?;
        Ok(format!(" '{}'", written.replace('\'', r"'\''")))
    };
    let overrides = given.iter().map(value).collect::<Result<String, Error>>()?;
    Ok(format!("sam deploy --config-env {stage} --parameter-overrides{overrides}"))
}

/// The problems of a built template's programs.
fn unfit(built: &Value, path: &Path, architecture: &str) -> Result<Vec<String>, Error> {
    let folder = path.parent().unwrap_or(path);
    let mut complaints = Vec::new();
    for (id, code) in code(built) {
        let program = folder.join(code).join("bootstrap");
        let bytes = fs_err::read(&program).context(|| format!("{id} is not built"))?;
        let found = binaries::complaints(&bytes, architecture).context(|| program.display())?;
        complaints.extend(found.into_iter().map(|found| format!("{id}: {found}")));
    }
    Ok(complaints)
}

/// The path of each function's code.
fn code(built: &Value) -> BTreeMap<&str, &str> {
    let resources = built["Resources"].as_object().into_iter().flatten();
    let functions = resources.filter(|(_, it)| it["Type"] == "AWS::Serverless::Function");
    let code =
        functions.filter_map(|(id, it)| Some((id.as_str(), it["Properties"]["CodeUri"].as_str()?)));
    code.collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use house::workspace;
    use serde_json::json;

    use super::*;

    /// A build with one function, whose program is this test.
    fn build(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("stamp-{name}-{}", std::process::id()));
        fs_err::create_dir_all(folder.join("Work")).unwrap();
        fs_err::copy(std::env::current_exe().unwrap(), folder.join("Work/bootstrap")).unwrap();
        let declared = as_json(&workspace().join("template.yaml")).unwrap()["Parameters"].clone();
        let built = json!({
            "Parameters": declared,
            "Resources": { "Work": { "Type": "AWS::Serverless::Function", "Properties": { "CodeUri": "Work" } } },
        });
        let path = folder.join("template.yaml");
        fs_err::write(&path, built.to_string()).unwrap();
        path
    }

    fn release_as(path: &Path, architecture: &str) -> Result<Value, Error> {
        let arguments = Arguments {
            stage: "prod".to_owned(),
            parameters: vec![("Architecture".to_owned(), architecture.to_owned())],
            template: path.to_owned(),
        };
        run(workspace(), &arguments)?;
        Ok(as_json(path)?)
    }

    #[test]
    fn a_build_is_stamped_with_its_stages_parameters() {
        let path = build("stage");
        let here = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let stamped = release_as(&path, here).unwrap();
        fs_err::remove_dir_all(path.parent().unwrap()).unwrap();
        assert_eq!(stamped["Parameters"]["DeletionProtection"]["AllowedValues"], json!(["true"]));
        assert!(
            stamped.pointer("/Resources/Work/Properties/Environment/Variables/REVISION").is_some()
        );
    }

    #[test]
    fn the_deploy_command_has_all_values_except_secret_ones() {
        let declared = json!({ "Key": { "NoEcho": true }, "Level": {} });
        let given = [("Key", "s3cr3t"), ("Level", "debug")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let expected =
            r#"sam deploy --config-env prod --parameter-overrides 'Key="…"' 'Level="debug"'"#;
        assert_eq!(deployment("prod", &declared, &given).unwrap(), expected);
    }

    #[test]
    fn a_shell_passes_each_value_of_the_deploy_command_as_one_argument_in_sams_form() {
        let issuers = r#"[{"issuer": "https://a.example", "rolesClaim": "a's"}]"#;
        let given = [("Issuers", issuers), ("Origins", "https://a, https://b"), ("Second", "")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let command = deployment("prod", &json!({}), &given.into()).unwrap();
        let arguments = command.replace("sam deploy", r"printf '%s\n'");
        let printed = Command::new("sh").args(["-c", &arguments]).output().unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        let expected = [
            "--config-env",
            "prod",
            "--parameter-overrides",
            r#"Issuers="[{\"issuer\": \"https://a.example\", \"rolesClaim\": \"a's\"}]""#,
            r#"Origins="https://a, https://b""#,
            r#"Second="""#,
        ];
        assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_build_for_another_architecture_is_an_error() {
        let path = build("architecture");
        let other = if cfg!(target_arch = "aarch64") { "x86_64" } else { "arm64" };
        let refused = release_as(&path, other).unwrap_err().to_string();
        fs_err::remove_dir_all(path.parent().unwrap()).unwrap();
        assert!(refused.contains("Work: is built for "), "{refused}");
    }
}
