//! Access tokens of an upstream, by client credentials (RFC 6749, 4.4), shared by the whole fleet.

mod given;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use lifecycle::effects::{Condition, Write, text};
use lifecycle::failure::BoxError;
use lifecycle::platform::CommitError;
use lifecycle::record::{Key, Record, Table as RecordTable};
use lifecycle::telemetry::observe_cache;
use lifecycle::{Deadline, Fault, Permit, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use self::given::Given;
use super::{Client, Request, Response, UpstreamError, now};
use crate::faults::unavailable;
use crate::flight::Flight;
use crate::{Aws, Secret, Table};

/// Where tokens are shared, one item for each upstream.
///
/// They are stored as they are: the table is encrypted, only the functions that send them may read
/// it, and they end within minutes.
pub const TOKENS: RecordTable = RecordTable::new("tokens");

/// Where tokens are to be had.
const PATH: &str = "/oauth/token";
/// A token is replaced so long before its end, or half its life before, if that is shorter.
const MARGIN_S: i64 = 30;
/// Whoever fetches a token has so long until somebody else does.
const LEASE: Duration = Duration::from_secs(5);
/// A refused token is replaced once in this time, by the whole fleet.
const REPLACED_EVERY: Duration = Duration::from_secs(30);
/// How often others look whether it is there, in milliseconds: at random, at most.
const LOOK_MS_MAX: u64 = 100;

/// A token that opens an upstream. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken {
    upstream: String,
    token: String,
    /// From then on another one is fetched. One that was no good when it came is for one request.
    good_until: Timestamp,
    /// When the store may forget it, in seconds since 1970.
    expires_at: i64,
}

/// Why there is no token.
#[derive(Debug)]
pub enum TokenError {
    /// The upstream gives none, and works: what it answered. Credentials that it does not accept
    /// are a 401, whichever of 400, 401 and 403 it was; other answers are as they came, 429 among
    /// them.
    Refused(Response),
    /// The upstream, or what keeps the credentials, fails.
    Fault(Fault),
}

/// The tokens of one upstream, from memory, from the table that all instances share, or from the
/// upstream itself.
pub struct AccessTokens {
    client: Client,
    credentials: Secret<Credentials>,
    tokens: Table<AccessToken>,
    held: Mutex<Option<AccessToken>>,
    flight: Flight,
    /// When this instance last replaced a refused token without asking the table.
    replaced: Mutex<Option<Instant>>,
}

/// What the secret holds: `{"clientId": …, "clientSecret": …}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Credentials {
    client_id: String,
    client_secret: String,
}

/// What one instance does, and no other until then.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lease {
    upstream: String,
    purpose: Purpose,
    until_ms: i64,
    expires_at: i64,
}

/// What a lease is for.
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
            credentials: self.secret(credentials, read_credentials),
            tokens: self.table(),
            held: Mutex::default(),
            flight: Flight::default(),
            replaced: Mutex::default(),
        }
    }
}

/// What is wrong is told without what stands there.
fn read_credentials(secret: &str) -> Result<Credentials, BoxError> {
    serde_json::from_str(secret).map_err(|_| "expected clientId and clientSecret".into())
}

impl AccessTokens {
    /// A token that is good for some time yet.
    ///
    /// Of all who miss one at the same time, in the whole fleet, one fetches it; the others wait
    /// for it to appear in the table, and fetch it themselves if it does not within five seconds.
    ///
    /// # Errors
    ///
    /// See [`TokenError`].
    pub async fn get<C>(&self, permit: &Permit<C>) -> Result<AccessToken, TokenError> {
        self.get_before(permit.deadline()).await
    }

    /// Forgets a token that the upstream does not accept, here and in the table, and returns
    /// whether another may be had instead.
    ///
    /// An upstream may refuse any token because of the request that it comes with. So a refused
    /// token is replaced at most once in 30 s by the whole fleet; until then it is kept.
    pub async fn discard<C>(&self, _: &Permit<C>, refused: &AccessToken) -> bool {
        self.forget(refused).await
    }

    pub(crate) async fn get_before(&self, deadline: Deadline) -> Result<AccessToken, TokenError> {
        let held = self.good();
        observe_cache(TOKENS.name(), held.is_some());
        if let Some(held) = held {
            return Ok(held);
        }
        let Some(pilot) = self.flight.board().await else {
            let brought = self.lock().clone();
            return match brought {
                Some(token) if token.is_good() => Ok(token),
                // It was for one request, and each of the others needs its own.
                Some(_) => self.fetch(deadline).await,
                None => Err(unavailable("no token could be fetched").into()),
            };
        };
        *self.lock() = None;
        let token = self.shared(deadline).await;
        *self.lock() = token.as_ref().ok().cloned();
        pilot.land();
        token
    }

    pub(crate) async fn forget(&self, refused: &AccessToken) -> bool {
        let newer = self.stored().await.is_some_and(|stored| stored.token != refused.token);
        if !newer && !self.may_replace().await {
            tracing::warn!("a token is refused, like the one before it: it is kept for now");
            return false;
        }
        self.lock().take_if(|held| held.token == refused.token);
        let stored = Condition::Equals("token", text(&*refused.token));
        let removed = self.write(Write::delete::<AccessToken>(refused.key()).when(stored)).await;
        if let Err(CommitError::Fault(fault)) = removed {
            warn("a refused token is still in the table", &fault);
        }
        true
    }

    /// Whether this instance is to replace a refused token: once in a while in the whole fleet. If
    /// the table does not answer, each instance counts by itself.
    async fn may_replace(&self) -> bool {
        match self.take_lease(Purpose::Replacement, REPLACED_EVERY).await {
            Leased::Yes => true,
            Leased::No => false,
            Leased::Unknown => {
                let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
                let may = replaced.is_none_or(|last| last.elapsed() >= REPLACED_EVERY);
                *replaced = if may { Some(Instant::now()) } else { *replaced };
                may
            }
        }
    }

    /// The token of the table; or one that this instance fetches, if nobody else is about to.
    async fn shared(&self, deadline: Deadline) -> Result<AccessToken, TokenError> {
        let patience = Instant::now() + LEASE.min(deadline.left() / 2);
        loop {
            if let Some(token) = self.stored().await {
                return Ok(token);
            }
            // It is fetched by this instance too if the table does not answer.
            if Instant::now() >= patience
                || self.take_lease(Purpose::Fetch, LEASE).await != Leased::No
            {
                let token = self.fetch_leased(deadline).await;
                let lease = self.lease(Purpose::Fetch, LEASE);
                let _ = self.write(Write::delete::<Lease>(lease.key())).await;
                return token;
            }
            sleep(Duration::from_millis(fastrand::u64(1..=LOOK_MS_MAX))).await;
        }
    }

    /// Fetches a token for everybody, unless somebody has before the lease was taken.
    async fn fetch_leased(&self, deadline: Deadline) -> Result<AccessToken, TokenError> {
        if let Some(token) = self.stored().await {
            return Ok(token);
        }
        let token = self.fetch(deadline).await?;
        if token.is_good()
            && let Err(failed) = self.write(Write::put(&token)).await
        {
            tracing::warn!(?failed, "a token is not shared");
        }
        Ok(token)
    }

    /// The token of the table, if it is good and the table answers.
    async fn stored(&self) -> Option<AccessToken> {
        let loaded = self.tokens.load(&self.key(), true).await;
        let loaded = loaded.unwrap_or_else(|fault| {
            warn("tokens are not shared", &fault);
            None
        });
        loaded.filter(AccessToken::is_good)
    }

    async fn fetch(&self, deadline: Deadline) -> Result<AccessToken, TokenError> {
        let Credentials { client_id, client_secret } = &*self.credentials.read().await?;
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            ("client_secret", client_secret.as_str()),
        ];
        // Asking twice gives two tokens, and does no harm.
        let request = Request::post_form(PATH, &fields).repeatable();
        let mut answer = self.client.send_before(deadline, &request).await?;
        if [400, 401, 403].contains(&answer.status.as_u16()) {
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

    /// Whether this instance is the one that does it for so long.
    async fn take_lease(&self, purpose: Purpose, length: Duration) -> Leased {
        let free =
            Condition::Any(vec![Condition::Absent, Condition::Below("untilMs", now().as_millis())]);
        let taken = self.write(Write::put(&self.lease(purpose, length)).when(free)).await;
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
        self.tokens.aws().write(write).await
    }
}

/// Whether a lease was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leased {
    Yes,
    /// Another instance has it.
    No,
    /// The table does not answer.
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

impl<E: Into<Fault>> From<E> for TokenError {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

fn warn(message: &str, fault: &Fault) {
    tracing::warn!(error = fault as &dyn std::error::Error, "{message}");
}
