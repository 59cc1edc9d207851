//! The requirements on the type of an input's part.

use eserde::EDeserialize;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A type for a part of the input: `#[derive(eserde::Deserialize, JsonSchema)]`.
///
/// Fields are required unless they are an `Option` with `#[serde(default)]`.
#[diagnostic::on_unimplemented(
    message = "stage 4: `{Self}` cannot be read from a request",
    label = "lacks `eserde::Deserialize`, `JsonSchema` or `Send`",
    note = "derive `eserde::Deserialize` and `schemars::JsonSchema` for it; `serde::Deserialize` is not enough"
)]
pub trait Readable: DeserializeOwned + for<'de> EDeserialize<'de> + JsonSchema + Send {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + for<'de> EDeserialize<'de> + JsonSchema + Send> Readable for T {}
