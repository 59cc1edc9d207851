//! The requirements on the type of an input's part.

use eserde::EDeserialize;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A type for a part of the input: `#[derive(eserde::Deserialize, JsonSchema)]`.
///
/// Fields are required unless they are an `Option` with `#[serde(default)]`.
pub trait Readable: DeserializeOwned + for<'de> EDeserialize<'de> + JsonSchema + Send {}

impl<T: DeserializeOwned + for<'de> EDeserialize<'de> + JsonSchema + Send> Readable for T {}
