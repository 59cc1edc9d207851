//! The keys of outside issuers, from their published URLs.

use std::time::Duration;

use futures::FutureExt;
use lifecycle::{Deadline, ServiceError, Upstream};

use super::issuer::Trust;
use super::trusted_issuers::OutsideIssuer;
use super::{Issuer, KeySet};
use crate::Aws;
use crate::secrets::pauses::Pauses;
use crate::secrets::{Holding, Secret};
use crate::upstream::{Client, Request};

/// The largest key set that is read.
const JWKS_BYTES_MAX: usize = 64 * 1024;
/// Keys are refreshed after an hour, and used up to a day when that fails. An unknown key causes a
/// refresh, at most once a minute. An issuer that does not respond delays a token for a second;
/// tokens during the pause are not delayed.
pub(super) const KEYS: Holding = Holding {
    fresh: Duration::from_hours(1),
    usable: Duration::from_hours(24),
    within: Duration::from_secs(1),
    pauses: Pauses { first: Duration::from_secs(1), longest: Duration::from_mins(1) },
};

/// Longer than the one second of [`KEYS`], which therefore applies.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The name of these keys in the log.
const NAME: &str = "outside_issuer";

/// Builds an outside issuer. Its keys are fetched when its first token arrives.
pub(super) fn outside_issuer(aws: &Aws, described: &OutsideIssuer) -> Issuer {
    let client = Client::of(aws.clone(), Upstream::new(NAME), &described.jwks_url);
    let keys = Secret::held(NAME, KEYS, move || {
        let client = client.clone();
        async move { fetch(&client).await }.boxed()
    });
    let (issuer, audience) = (described.issuer.as_str(), described.audience.as_str());
    let mut outside = Issuer::new(issuer, audience, keys, &described.roles_claim);
    let (roles, access_claim) = (described.roles.clone(), described.access_claim.clone());
    outside.trust = Trust::Outside { roles, access_claim };
    outside.claims.clone_from(&described.claims);
    outside.plain_subjects = described.plain_subjects;
    outside
}

async fn fetch(client: &Client) -> Result<KeySet, ServiceError> {
    // Once: the cache of the keys retries and limits the time.
    let answer = client.send_before(Deadline::after(TIMEOUT), &Request::get("").once()).await?;
    let body = answer.success()?.body;
    if body.len() > JWKS_BYTES_MAX {
        return Err(ServiceError::internal("a set of keys over 64 KiB"));
    }
    let text = str::from_utf8(&body).map_err(ServiceError::internal)?;
    KeySet::parse(text).map_err(ServiceError::internal)
}
