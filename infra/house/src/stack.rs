//! The stacks that `samconfig.toml` describes.

use crate::samconfig;
use tooling::context::{Context, Error};

/// A stack that `sam deploy` has created.
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Whether new versions get a share of the requests first.
    pub gradual: bool,
}

impl Stack {
    /// The stack of a stage.
    ///
    /// # Errors
    ///
    /// If `samconfig.toml` has no stack for the stage.
    pub fn of(samconfig: &str, stage: &str) -> Result<Self, Error> {
        let config: toml::Table = toml::from_str(samconfig).context(|| "samconfig.toml")?;
        let setting = |name: &str| -> Result<String, Error> {
            let global = config.get(stage).and_then(|stage| stage.get("global"));
            let value = global.and_then(|global| global.get("parameters")?.get(name)?.as_str());
            let lacking = || format!("samconfig.toml has no {name} for the stage {stage}");
            Ok(value.ok_or_else(lacking)?.to_owned())
        };
        let (name, region) = (setting("stack_name")?, setting("region")?);
        let parameters = samconfig::overrides(stage, &config[stage])?;
        let preference = parameters.get("DeploymentPreference");
        let gradual = preference.is_some_and(|preference| preference != "AllAtOnce");
        Ok(Self { name, region, gradual })
    }

    /// The function's name in the stack, as the template sets it.
    pub fn function(&self, binary: &str) -> String {
        format!("{}-{binary}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn every_stage_has_a_stack() {
        let samconfig = fs_err::read_to_string(workspace().join("samconfig.toml")).unwrap();
        for stage in ["dev", "staging", "prod"] {
            assert!(Stack::of(&samconfig, stage).is_ok(), "{stage}");
        }
        assert!(Stack::of(&samconfig, "nowhere").is_err());
    }
}
