//! What `samconfig.toml` deploys: the parameters of each environment. `default` deploys nothing.

use std::collections::BTreeMap;
use std::path::Path;

use crate::context::Context;
use crate::descriptions::Error;

/// The parameters of each environment, by the environment's name.
///
/// # Errors
/// Where the file cannot be read, or an override is not written as `Name=value`.
pub(super) fn parameters(
    workspace: &Path,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, Error> {
    let text = fs_err::read_to_string(workspace.join("samconfig.toml"))?;
    let config: toml::Table = toml::from_str(&text).context(|| "samconfig.toml")?;
    let environments = config.iter().filter(|(name, it)| it.is_table() && *name != "default");
    environments.map(|(name, it)| Ok((name.clone(), overrides(name, it)?))).collect()
}

fn overrides(name: &str, environment: &toml::Value) -> Result<BTreeMap<String, String>, Error> {
    let listed = environment.get("deploy").and_then(|deploy| deploy.get("parameters"));
    let listed = listed.and_then(|parameters| parameters.get("parameter_overrides"));
    let listed = listed.and_then(toml::Value::as_array);
    let listed = listed.ok_or_else(|| format!("samconfig.toml: {name} overrides no parameters"))?;
    let pair = |entry: &toml::Value| -> Result<(String, String), Error> {
        let pair = entry.as_str().and_then(|entry| entry.split_once('='));
        let (name, value) = pair.ok_or_else(|| format!("samconfig.toml: {entry:?} is no pair"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    listed.iter().map(pair).collect()
}
