//! The account of all simulated resources.

/// The id of the account.
pub const ACCOUNT_ID: &str = "123456789012";
/// The region.
pub const REGION: &str = "us-east-1";
