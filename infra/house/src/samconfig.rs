//! The parameters of each environment in `samconfig.toml`. `default` is not deployed.

use std::collections::BTreeMap;
use std::path::Path;

use tooling::context::{Context, Error};

/// The parameters of each environment, by the environment's name.
///
/// # Errors
/// If the file cannot be read, or an override is not `Name=value`.
pub fn parameters(workspace: &Path) -> Result<BTreeMap<String, BTreeMap<String, String>>, Error> {
    let text = fs_err::read_to_string(workspace.join("samconfig.toml"))?;
    let config: toml::Table = toml::from_str(&text).context(|| "samconfig.toml")?;
    let environments = config.iter().filter(|(name, it)| it.is_table() && *name != "default");
    environments.map(|(name, it)| Ok((name.clone(), overrides(name, it)?))).collect()
}

/// The parameters of one environment.
///
/// # Errors
/// As for [`parameters`].
pub fn overrides(name: &str, environment: &toml::Value) -> Result<BTreeMap<String, String>, Error> {
    // They are in `global`, since `sam build` also needs them: one is the architecture.
    let listed = environment.get("global").and_then(|global| global.get("parameters"));
    let listed = listed.and_then(|parameters| parameters.get("parameter_overrides"));
    let listed = listed.and_then(toml::Value::as_array);
    let listed = listed.ok_or_else(|| format!("samconfig.toml: {name} overrides no parameters"))?;
    let entry = |entry: &toml::Value| -> Result<(String, String), Error> {
        let pair =
            entry.as_str().ok_or_else(|| format!("{entry:?} is not a string")).and_then(pair);
        pair.context(|| "samconfig.toml")
    };
    listed.iter().map(entry).collect()
}

/// The name and the value of `Name=value`.
///
/// # Errors
/// If the text is not such a pair.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').ok_or_else(|| format!("{text:?} is not Name=value"))?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_sam_build_does_not_read_are_an_error() {
        let read = |section: &str| {
            let text = format!("[{section}.parameters]\nparameter_overrides = [\"Level=debug\"]\n");
            overrides("dev", &toml::from_str(&text).unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(read("global").unwrap()["Level"], "debug");
        assert_eq!(read("deploy").unwrap_err(), "samconfig.toml: dev overrides no parameters");
    }
}
