//! Our template as SAM finds it built: the binaries as they are, and the platform's tables, queues
//! and secrets in the place of AWS's.

use std::path::{Path, PathBuf};

use local::template::as_json;
use serde_json::{Value, json};
use tokio::process::Command;

use super::bridge::Bridge;
use super::engine::Engine;
use super::ground::Ground;
use crate::descriptions::Error;

/// A template with its code, and the way from containers to what it needs.
pub(super) struct Project {
    folder: PathBuf,
    engine: (&'static str, String),
    programs: PathBuf,
    _bridge: Bridge,
}

impl Project {
    pub(super) async fn new(ground: &Ground, engine: &Engine) -> Result<Self, Error> {
        let folder = ground.folder("project")?;
        let mut bridge = Bridge::of(engine).await?;
        let mut template = as_json(&ground.workspace.join("template.yaml"))?;
        for (id, function) in &ground.template.functions {
            let code = folder.join(id);
            fs_err::create_dir(&code)?;
            fs_err::hard_link(ground.binary(&function.binary)?, code.join("bootstrap"))?;
            let mut variables = ground.variables(id)?;
            for (name, value) in &mut variables {
                if is_address(name) {
                    *value = bridge.to(value).await?;
                }
            }
            let resource = &mut template["Resources"][id];
            resource["Properties"]["CodeUri"] = json!(code);
            resource["Properties"]["Environment"] = json!({ "Variables": variables });
            resource.as_object_mut().and_then(|resource| resource.remove("Metadata"));
            // SAM looks for the authorizer by its logical id, and finds none of another name.
            let properties = resource["Properties"].as_object_mut();
            properties.and_then(|properties| properties.remove("FunctionName"));
        }
        if let Some(api) = &ground.template.api {
            for (name, authorizer) in &api.authorizers {
                // SAM finds a function here, and no alias.
                let function = json!({ "Fn::GetAtt": [authorizer.function, "Arn"] });
                let authorizers = &mut template["Resources"][&api.logical_id]["Properties"]["Auth"];
                authorizers["Authorizers"][name]["FunctionArn"] = function;
            }
        }
        let resources = template["Resources"].as_object_mut();
        for resource in resources.into_iter().flat_map(|resources| resources.values_mut()) {
            // A stack of its own lies beside our template.
            if let Some(path) = resource["Properties"]["TemplateURL"].as_str() {
                resource["Properties"]["TemplateURL"] = json!(ground.workspace.join(path));
            }
        }
        fs_err::write(template_of(&folder), template.to_string())?;
        let (engine, programs) = (engine.variable(), ground.programs.clone());
        Ok(Self { folder, engine, programs, _bridge: bridge })
    }

    /// `sam local …` with this template, in this engine.
    pub(super) fn sam_local(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join("sam"));
        command
            .arg("local")
            .args(arguments)
            .arg("--template")
            .arg(template_of(&self.folder))
            .arg("--skip-pull-image")
            .current_dir(&self.folder)
            .env(self.engine.0, &self.engine.1)
            .env("SAM_CLI_TELEMETRY", "0")
            // The alarms are made by a loop.
            .env("SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS", "1")
            .env("AWS_DEFAULT_REGION", local::template::REGION)
            .kill_on_drop(true);
        command
    }

    /// Where to keep what SAM says.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("sam.log")
    }

    /// A file with an event.
    pub(super) fn event(&self, event: &Value) -> Result<String, Error> {
        let path = self.folder.join("event.json");
        fs_err::write(&path, event.to_string())?;
        Ok(path.display().to_string())
    }
}

/// Whether a variable is an address to call: that of a queue is its name.
fn is_address(variable: &str) -> bool {
    variable.starts_with("AWS_ENDPOINT_URL_")
        || (variable.ends_with("_URL") && !variable.ends_with("_QUEUE_URL"))
}

fn template_of(folder: &Path) -> PathBuf {
    folder.join("template.json")
}
