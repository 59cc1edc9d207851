//! Our template in the form of a SAM build: with the existing binaries, and the local platform's
//! tables, queues and secrets instead of AWS's.

use std::path::{Path, PathBuf};

use sam_template::as_json;
use serde_json::{Value, json};
use tokio::process::Command;
use tooling::Error;

use super::bridge::Bridge;
use super::engine::Engine;
use super::ground::Ground;

/// A template with its code, and the bridge from containers to services.
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
            // SAM finds the authorizer only by its logical id, so it must not have another name.
            let properties = resource["Properties"].as_object_mut();
            properties.and_then(|properties| properties.remove("FunctionName"));
        }
        if let Some(api) = ground.template.root_api() {
            for (name, authorizer) in &api.authorizers {
                // SAM finds a function here, but not an alias.
                let function = json!({ "Fn::GetAtt": [authorizer.function, "Arn"] });
                let authorizers = &mut template["Resources"][&api.logical_id]["Properties"]["Auth"];
                authorizers["Authorizers"][name]["FunctionArn"] = function;
            }
        }
        let resources = template["Resources"].as_object_mut();
        for resource in resources.into_iter().flat_map(|resources| resources.values_mut()) {
            // The nested template is copied next to our template.
            if let Some(path) = resource["Properties"]["TemplateURL"].as_str() {
                resource["Properties"]["TemplateURL"] = json!(ground.workspace.join(path));
            }
        }
        fs_err::write(template_of(&folder), template.to_string())?;
        let (engine, programs) = (engine.variable(), ground.programs.clone());
        Ok(Self { folder, engine, programs, _bridge: bridge })
    }

    /// The command `sam local …` with this template and this engine.
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
            // The template has loops, for its alarms.
            .env("SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS", "1")
            .env("AWS_DEFAULT_REGION", sam_template::REGION)
            .kill_on_drop(true);
        command
    }

    /// The file for SAM's output.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("sam.log")
    }

    /// Writes an event to a file and returns its path.
    pub(super) fn event(&self, event: &Value) -> Result<String, Error> {
        let path = self.folder.join("event.json");
        fs_err::write(&path, event.to_string())?;
        Ok(path.display().to_string())
    }
}

/// Whether a variable is a URL to call. A queue URL only names the queue.
fn is_address(variable: &str) -> bool {
    variable.starts_with("AWS_ENDPOINT_URL_")
        || (variable.ends_with("_URL") && !variable.ends_with("_QUEUE_URL"))
}

fn template_of(folder: &Path) -> PathBuf {
    folder.join("template.json")
}
