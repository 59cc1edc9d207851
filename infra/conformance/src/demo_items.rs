//! The demo's users and products, for the stage whose tests need them.

use demo::seed;
use tokio::runtime::Runtime;
use tooling::{Error, say};

/// Prints them: pairs of a table's logical id and an item in `DynamoDB`'s JSON.
///
/// # Errors
///
/// If the demo's password cannot be hashed.
pub(crate) fn run() -> Result<(), Error> {
    let items = Runtime::new()?.block_on(seed::demo_items())?;
    say(&serde_json::to_string(&items)?);
    Ok(())
}
