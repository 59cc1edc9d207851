//! The API description, which every response in every test must match.

use std::sync::LazyLock;

use testkit::Description;

/// The committed description.
pub(crate) static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| {
    Description::read(include_str!("../../../infra/openapi.json")).expect("it is JSON")
});
