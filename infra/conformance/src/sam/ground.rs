//! The environment of the checks: the local platform, and the SAM tools that run its functions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use demo::seed;
use emulator::Platform;
use emulator::options::Options;
use house::tools;
use sam_template::Template;
use tooling::{Error, last_built, target_directory};
use tooling_async::http::{self, Client};

/// The local platform with the demo's users and products, and SAM's programs.
pub(super) struct Ground {
    pub(super) workspace: PathBuf,
    pub(super) template: Template,
    pub(super) platform: Platform,
    pub(super) client: Client,
    /// The folder of SAM's programs.
    pub(super) programs: PathBuf,
    target: PathBuf,
}

impl Ground {
    /// Installs the tools, builds the functions and starts the platform.
    pub(super) async fn prepare(workspace: &Path) -> Result<Self, Error> {
        let programs = tools::installed(workspace, "sam")?;
        let path = workspace.join("template.yaml");
        let template = Template::read(&path, &BTreeMap::new())?;
        let parameters = vec![seed::trust_in_silent_issuer()];
        let options =
            Options { template: Some(path), demo: true, parameters, ..Options::default() };
        let platform = demo::start(options).await?;
        let (workspace, target) = (workspace.to_owned(), target_directory(workspace)?);
        Ok(Self { workspace, template, platform, client: Client::new(), programs, target })
    }

    /// Ends the platform.
    pub(super) async fn leave(self) {
        self.platform.stop().await;
    }

    /// The path of a binary that the platform runs.
    pub(super) fn binary(&self, name: &str) -> Result<PathBuf, Error> {
        let binary = last_built(&self.target, &Path::new("debug").join(name));
        binary.ok_or_else(|| format!("{name} is not built").into())
    }

    /// An empty folder for a check's files.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, Error> {
        let folder = self.target.join("sam").join(name);
        if folder.exists() {
            fs_err::remove_dir_all(&folder)?;
        }
        fs_err::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The environment variables by which a function finds the platform's tables, queues and
    /// secrets.
    pub(super) fn variables(&self, function: &str) -> Result<BTreeMap<String, String>, Error> {
        let variables = self.platform.functions().variables(function);
        variables.ok_or_else(|| format!("the platform does not run {function}").into())
    }

    /// The token of a user of the demo.
    pub(super) async fn token(&self, who: &str) -> Result<String, Error> {
        http::sign_in(&self.client, &self.platform.api_url(), who, seed::PASSWORD).await
    }
}
