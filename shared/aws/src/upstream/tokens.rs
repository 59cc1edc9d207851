//! Access tokens of an upstream, by client credentials (RFC 6749, 4.4), shared by all instances.

mod credentials;
mod given;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use lifecycle::clock::now;
use lifecycle::effects::{Condition, Write, number, text};
use lifecycle::ports::CommitError;
use lifecycle::record::{Key, Record, TableName as RecordTable};
use lifecycle::telemetry::observe_cache;
use lifecycle::{Deadline, Permit, ServiceError, Timestamp, random};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};

use self::credentials::{ClientCredentials, Credentials, read_credentials};
use self::given::Given;
use super::limits::SKEW_S;
use super::{Client, Request, Response, UpstreamError};
use crate::cache::single_flight::SingleFlight;
use crate::errors::unavailable;
use crate::every::Every;
use crate::{Aws, Table};

/// The table of shared tokens, one item for each upstream.
///
/// Their text is stored unchanged: the table is encrypted, only the functions that send them may
/// read it, and they expire within minutes.
pub const TOKENS: RecordTable = RecordTable::new("tokens");

/// The path that issues tokens.
const PATH: &str = "/oauth/token";
/// A token is replaced this many seconds before its end; a short-lived one, half its lifetime
/// before.
const MARGIN_S: i64 = 30;
/// How long one instance has for fetching a token, before another one may.
const LEASE: Duration = Duration::from_secs(5);
/// A refused token is replaced at most once in this time, by all instances together.
const REPLACED_EVERY: Duration = Duration::from_secs(30);
/// The time for one call of the table. If it takes longer, the request still has time to fetch a token and
/// to use it.
const PATIENCE: Duration = Duration::from_secs(1);
const TOO_LONG: &str = "the table of tokens took too long";
/// Longest random pause before another instance looks for the token again, in milliseconds.
const LOOK_MS_MAX: u64 = 100;

/// An access token of an upstream. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken {
    upstream: String,
    token: String,
    /// From then on another one is fetched. A token that arrives after this time serves one
    /// request.
    good_until: Timestamp,
    /// When the store may delete it, in seconds since 1970.
    expires_at: i64,
}

/// Why there is no token.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// The upstream works but issues no token: its response. Rejected credentials (400, 401 or 403)
    /// are always a 401; other responses are unchanged, including a 429.
    Refused(Response),
    /// The upstream, or the secret with the credentials, fails.
    ServiceError(ServiceError),
}

/// The tokens of one upstream, from memory, from the table that all instances share, or from the
/// upstream itself.
pub struct AccessTokens {
    client: Client,
    credentials: ClientCredentials,
    tokens: Table<AccessToken>,
    held: Mutex<Option<AccessToken>>,
    flight: SingleFlight,
    /// When this instance last replaced a refused token while the table failed.
    replaced: Every,
}

/// Reserves a task for one instance until a time.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lease {
    upstream: String,
    purpose: Purpose,
    until_ms: i64,
    expires_at: i64,
}

/// The task of a lease.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Purpose {
    /// Fetching a token.
    Fetch,
    /// Replacing a token that the upstream has refused.
    Replacement,
}

impl Aws {
    /// The tokens of an upstream, by the client credentials in a secret.
    ///
    /// # Panics
    ///
    /// As [`Aws::table`] and [`Aws::secret`].
    pub fn access_tokens(&self, client: Client, credentials: &'static str) -> AccessTokens {
        AccessTokens {
            client,
            credentials: ClientCredentials::of(self.secret(credentials, read_credentials)),
            tokens: self.table(),
            held: Mutex::default(),
            flight: SingleFlight::default(),
            replaced: Every::new(REPLACED_EVERY),
        }
    }
}

impl AccessTokens {
    /// A token that stays valid for some time.
    ///
    /// Concurrent requests of all instances share one fetch. The others wait for the token in the
    /// table, and fetch one themselves if it does not appear within five seconds.
    ///
    /// # Errors
    ///
    /// See [`TokenError`].
    pub async fn get<C>(&self, permit: &Permit<C>) -> Result<AccessToken, TokenError> {
        self.get_before(permit.deadline()).await
    }

    /// Removes a token that the upstream refused, from memory and from the table. Returns whether
    /// another token can be fetched.
    ///
    /// An upstream may refuse any token because of the request that carries it. So a refused token
    /// is replaced at most once in 30 s by all instances together; until then it is kept.
    pub async fn discard<C>(&self, _: &Permit<C>, refused: &AccessToken) -> bool {
        self.forget(refused).await
    }

    pub(crate) async fn get_before(&self, deadline: Deadline) -> Result<AccessToken, TokenError> {
        let held = self.good();
        observe_cache(TOKENS.name(), held.is_some());
        if let Some(held) = held {
            return Ok(held);
        }
        let Some(pilot) = self.flight.lead_or_wait().await else {
            let brought = self.lock().clone();
            return match brought {
                Some(token) if token.is_good() => Ok(token),
                // That token served one request. Each of the others needs a new one.
                Some(_) => self.fetch(deadline).await,
                None => Err(unavailable("no token could be fetched").into()),
            };
        };
        *self.lock() = None;
        let token = self.shared(deadline).await;
        *self.lock() = token.as_ref().ok().cloned();
        pilot.finish();
        token
    }

    pub(crate) async fn forget(&self, refused: &AccessToken) -> bool {
        let newer = self.stored().await.is_some_and(|stored| stored.token != refused.token);
        if !newer && !self.may_replace().await {
            tracing::warn!("token refused again within 30 s; it is kept for now");
            return false;
        }
        self.lock().take_if(|held| held.token == refused.token);
        let stored = Condition::Equals("token", text(&*refused.token));
        let removed = self.write(Write::delete::<AccessToken>(refused.key()).when(stored)).await;
        if let Err(CommitError::ServiceError(fault)) = removed {
            warn("refused token not removed from the table", &fault);
        }
        true
    }

    /// Whether this instance may replace a refused token: once in [`REPLACED_EVERY`] for all
    /// instances. If the table fails, each instance counts alone.
    async fn may_replace(&self) -> bool {
        match self.take(&self.lease(Purpose::Replacement, REPLACED_EVERY)).await {
            Leased::Yes => true,
            Leased::No => false,
            Leased::Unknown => self.replaced.is_due(),
        }
    }

    /// The token of the table, or one that this instance fetches if no other instance does.
    async fn shared(&self, deadline: Deadline) -> Result<AccessToken, TokenError> {
        let patience = Instant::now() + LEASE.min(deadline.left() / 2);
        loop {
            if let Some(token) = self.stored().await {
                return Ok(token);
            }
            if Instant::now() >= patience {
                return self.fetch_leased(deadline).await;
            }
            let lease = self.lease(Purpose::Fetch, LEASE);
            match self.take(&lease).await {
                Leased::Yes => {
                    let token = self.fetch_leased(deadline).await;
                    // It may have run out meanwhile, and another instance may have taken one.
                    let mine = Condition::Equals("untilMs", number(lease.until_ms));
                    let _ = self.write(Write::delete::<Lease>(lease.key()).when(mine)).await;
                    return token;
                }
                // The table fails, so this instance fetches one, too.
                Leased::Unknown => return self.fetch_leased(deadline).await,
                Leased::No => {}
            }
            sleep(Duration::from_millis(1 + random::up_to(LOOK_MS_MAX - 1))).await;
        }
    }

    /// Fetches a token for all instances, unless one was stored before the lease was taken.
    async fn fetch_leased(&self, deadline: Deadline) -> Result<AccessToken, TokenError> {
        if let Some(token) = self.stored().await {
            return Ok(token);
        }
        let token = self.fetch(deadline).await?;
        if token.is_good()
            && let Err(failed) = self.write(Write::put(&token)).await
        {
            tracing::warn!(?failed, "token not stored; other instances fetch another one");
        }
        Ok(token)
    }

    /// The token of the table, if it is valid and the table can be read.
    async fn stored(&self) -> Option<AccessToken> {
        let loaded = timeout(PATIENCE, self.tokens.load(&self.key(), true)).await;
        let loaded = loaded.unwrap_or_else(|_| Err(unavailable(TOO_LONG)));
        let loaded = loaded.unwrap_or_else(|fault| {
            warn("shared tokens cannot be read", &fault);
            None
        });
        loaded.filter(AccessToken::is_good)
    }

    /// Fetches a token. Refused credentials may be outdated: if their secret has changed since it
    /// was read, the new ones are tried at once.
    async fn fetch(&self, deadline: Deadline) -> Result<AccessToken, TokenError> {
        let credentials = self.credentials.read().await?;
        let mut answer = self.ask(deadline, &credentials).await?;
        if are_refused(&answer)
            && let Some(newer) = self.credentials.instead_of(&credentials).await
        {
            answer = self.ask(deadline, &newer).await?;
        }
        if are_refused(&answer) {
            answer.status = StatusCode::UNAUTHORIZED;
        }
        if answer.status.is_client_error() {
            return Err(TokenError::Refused(answer));
        }
        let upstream = self.client.upstream().name();
        let given: Given = answer.success()?.json()?;
        let given = given
            .checked()
            .map_err(|place| UpstreamError::Unreadable { upstream, place: place.to_owned() })?;
        let lifetime_s = given.lifetime_s();
        let end = now().plus_seconds(lifetime_s);
        Ok(AccessToken {
            upstream: upstream.to_owned(),
            token: given.access_token,
            good_until: end.plus_seconds(-MARGIN_S.min(lifetime_s / 2)),
            expires_at: end.as_seconds(),
        })
    }

    async fn ask(
        &self,
        deadline: Deadline,
        credentials: &Credentials,
    ) -> Result<Response, UpstreamError> {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", credentials.client_id.as_str()),
            ("client_secret", credentials.client_secret.as_str()),
        ];
        // A second request returns a second token, and does no harm.
        let request = Request::post_form(PATH, &fields).repeatable();
        self.client.send_before(deadline, &request).await
    }

    /// Tries to take a lease for this instance.
    async fn take(&self, lease: &Lease) -> Leased {
        let free = Condition::Any(vec![
            Condition::Absent,
            Condition::Below("untilMs", now().as_millis()),
            Condition::AtLeast("untilMs", lease.until_ms.saturating_add(SKEW_S * 1000)),
        ]);
        let taken = self.write(Write::put(lease).when(free)).await;
        match taken {
            Ok(()) => Leased::Yes,
            Err(CommitError::Conditions(_) | CommitError::Conflict) => Leased::No,
            Err(_) => Leased::Unknown,
        }
    }

    fn lease(&self, purpose: Purpose, length: Duration) -> Lease {
        let until = now().plus_seconds(length.as_secs().cast_signed());
        let upstream = self.client.upstream().name().to_owned();
        Lease { upstream, purpose, until_ms: until.as_millis(), expires_at: until.as_seconds() }
    }

    fn key(&self) -> Key {
        Key::new(self.client.upstream().name())
    }

    fn good(&self) -> Option<AccessToken> {
        self.lock().as_ref().filter(|held| held.is_good()).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Option<AccessToken>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self, write: Write) -> Result<(), CommitError> {
        let written = timeout(PATIENCE, self.tokens.aws().write(write)).await;
        written.unwrap_or_else(|_| Err(CommitError::ServiceError(unavailable(TOO_LONG))))
    }
}

/// Whether a lease was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leased {
    Yes,
    /// Another instance has it.
    No,
    /// The table failed.
    Unknown,
}

impl AccessToken {
    /// The token itself.
    pub fn secret(&self) -> &str {
        &self.token
    }

    fn is_good(&self) -> bool {
        now() < self.good_until
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("good_until", &self.good_until).finish_non_exhaustive()
    }
}

impl Record for AccessToken {
    const TABLE: RecordTable = TOKENS;

    fn key(&self) -> Key {
        Key::new(&self.upstream)
    }
}

impl Record for Lease {
    const TABLE: RecordTable = TOKENS;

    fn key(&self) -> Key {
        let purpose = match self.purpose {
            Purpose::Fetch => "lease",
            Purpose::Replacement => "replacement",
        };
        Key::new(format_args!("{}#{purpose}", self.upstream))
    }
}

impl<E: Into<ServiceError>> From<E> for TokenError {
    fn from(error: E) -> Self {
        Self::ServiceError(error.into())
    }
}

/// Whether a response refuses the credentials.
fn are_refused(answer: &Response) -> bool {
    [400, 401, 403].contains(&answer.status.as_u16())
}

fn warn(message: &str, fault: &ServiceError) {
    tracing::warn!(error = fault as &dyn std::error::Error, "{message}");
}
