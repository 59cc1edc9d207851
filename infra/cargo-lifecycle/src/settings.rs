//! The settings of a service, from `[package.metadata.lifecycle]` of its functions' `Cargo.toml`.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The settings of a service. Paths are relative to the workspace's folder.
///
/// All are optional. A file without a setting is neither read nor written. An unknown key is an error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Settings {
    /// `generate-binaries`: each file in a folder of the package is a function, and `codegen` writes
    /// the `[[bin]]` tables between markers in the package's `Cargo.toml`. By default the functions
    /// are the package's binaries.
    pub generate_binaries: bool,
    /// `modules`: the file of the library that links the functions' unit tests; `codegen` writes its
    /// list of modules.
    pub modules: Option<String>,
    /// `mains`: a file of another crate that runs the functions in its process, such as a simulation;
    /// `codegen` writes its list of modules, and of the `main` of each function.
    pub mains: Option<String>,
    /// `exclude`: the package's binaries that are no functions on this library. The commands leave
    /// them alone, also in the template.
    pub exclude: BTreeSet<String>,
    /// `alarms`: the template of the alarms; `codegen` writes its lists of functions and queues.
    pub alarms: Option<String>,
    /// `events`: the folder of the functions' test events, `NAME.json`.
    pub events: Option<String>,
    /// `recorded`: the folder of the endpoints' recorded responses, `NAME.json`.
    pub recorded: Option<String>,
    /// `[package.metadata.lifecycle.new]`
    pub new: New,
    /// `[package.metadata.lifecycle.openapi]`
    pub openapi: OpenApi,
    /// `[package.metadata.lifecycle.privileges]`
    pub privileges: Privileges,
}

/// The settings of `new-endpoint` and `new-consumer`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct New {
    /// `folder`: the folder of new functions, below the package's; `src/bin` by default.
    pub folder: Option<String>,
    /// `skeletons`: the folder of the files that new functions are made of: `query.txt`,
    /// `command.txt` and `consumer.txt`. The default ones need `aws`, `eserde`, `lifecycle`,
    /// `schemars`, `serde` and `serde_json`.
    pub skeletons: Option<String>,
    /// `endpoint-model`: the endpoint whose test event and recorded response are copied.
    pub endpoint_model: Option<String>,
    /// `consumer-model`: the consumer whose test event is copied.
    pub consumer_model: Option<String>,
    /// `guide`: the document that describes the next steps.
    pub guide: Option<String>,
}

/// The settings of `openapi`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct OpenApi {
    /// `document`: the `OpenAPI` document. `drift` compares the template's CORS with it.
    pub document: Option<String>,
    /// `info`: the document's `info`. The title is the package's name by default, the version the
    /// package's. The description follows the sentences that hold for every service.
    pub info: Map<String, Value>,
    /// `tags`: the functions' folders, with a sentence about each.
    pub tags: Vec<Tag>,
    /// `token`: where clients get their bearer token.
    pub token: Option<String>,
}

/// A group of endpoints in the `OpenAPI` document.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// The folder of the endpoints' files.
    pub name: String,
    /// A sentence.
    pub description: String,
}

/// The settings of `privileges`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Privileges {
    /// `table`: the Markdown file with the test that fails without each permission.
    pub table: Option<String>,
    /// `test`: the command that runs one test binary, such as `cargo test --workspace --test api`.
    pub test: Option<String>,
    /// `sources`: the folder of the tests' source, by which `--check` finds tests that are gone.
    pub sources: Option<String>,
    /// `packages`: further packages with functions, which the tests run. The permissions of all other
    /// packages' functions need no test.
    pub packages: Vec<String>,
    /// `skip`: the beginning of the names of tests that remove permissions themselves.
    pub skip: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        for (text, key) in [
            ("alarm = \"alarms.yaml\"", "alarm"),
            ("[openapi]\npath = \"openapi.json\"", "path"),
            ("[privileges]\ntests = \"cargo test\"", "tests"),
            ("[new]\nmodel = \"get_user\"", "model"),
        ] {
            let error = toml::from_str::<Settings>(text).unwrap_err().to_string();
            assert!(error.contains(&format!("unknown field `{key}`")), "{error}");
        }
    }

    #[test]
    fn without_settings_a_service_has_none_of_the_optional_files() {
        let settings: Settings = toml::from_str("").unwrap();
        assert!(!settings.generate_binaries);
        assert_eq!((settings.alarms, settings.openapi.document), (None, None));
    }
}
