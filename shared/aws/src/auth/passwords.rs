//! Password hashing with Argon2id, on threads that serve no requests.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use lifecycle::{ServiceError, background, random};
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// OWASP's Password Storage Cheat Sheet: Argon2id with 19 MiB, two iterations, one lane.
const OWASP: Cost = Cost {
    memory_kib: 19 * 1024,
    iterations: 2,
    // It is the hash of 32 random bytes.
    missing: "$argon2id$v=19$m=19456,t=2,p=1$2dVYAL5gylmKmIhv4O2d5A$T+eXBZZNVN/aAjlpT4IKqnM0hj71/MQu2DbEmFi/n2w",
    simulated: Duration::ZERO,
};
/// In a simulation the hash is the cheapest one, and the simulated time passes instead.
#[cfg(feature = "testing")]
const SIMULATED: Cost = Cost {
    memory_kib: 8,
    iterations: 1,
    missing: "$argon2id$v=19$m=8,t=1,p=1$2dVYAL5gylmKmIhv4O2d5A$T+eXBZZNVN/aAjlpT4IKqnM0hj71/MQu2DbEmFi/n2w",
    simulated: Duration::from_millis(30),
};
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
/// The longest password that stage 5 accepts: 128 characters of up to four code points, of four
/// bytes each.
const BYTES_MAX: usize = 2048;

/// The cost of a hash.
#[derive(Debug, Clone, Copy)]
struct Cost {
    memory_kib: u32,
    iterations: u32,
    /// The hash for accounts that do not exist, so that verifying takes as long as for a wrong
    /// password. No password for it is known.
    missing: &'static str,
    /// The simulated time of a hash.
    simulated: Duration,
}

/// Hashes and verifies passwords, at most as many at a time as there are processors.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    cost: Cost,
    at_a_time: Arc<Semaphore>,
}

impl Passwords {
    /// A hasher with OWASP's parameters.
    ///
    /// # Panics
    ///
    /// Never: the parameters are constants that Argon2 accepts.
    pub fn new() -> Self {
        #[cfg(feature = "testing")]
        if lifecycle::testing::simulated::variables().is_some() {
            return Self::costing(SIMULATED, 1);
        }
        Self::costing(OWASP, available_parallelism().map_or(1, usize::from))
    }

    fn costing(cost: Cost, processors: usize) -> Self {
        let params = Params::new(cost.memory_kib, cost.iterations, LANES, None);
        let params = params.expect("these constants are within Argon2's bounds");
        Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            cost,
            at_a_time: Arc::new(Semaphore::new(processors)),
        }
    }

    /// Returns a password as it is stored: a PHC string with its own salt and parameters.
    ///
    /// # Errors
    ///
    /// When the operating system provides no randomness, or the password is over 2 KiB, which stage
    /// 5 rejects.
    pub async fn hash(&self, password: &str) -> Result<String, ServiceError> {
        let mut salt = [0; SALT_BYTES];
        random::fill(&mut salt).map_err(ServiceError::internal)?;
        self.work(password, move |argon2, password| {
            argon2
                .hash_password_with_salt(password, &salt)
                .map(|hash| hash.to_string())
                .map_err(ServiceError::internal)
        })
        .await
    }

    /// Whether the password, in one of its spellings, matches the hash. `None` stands for an
    /// account that does not exist: the work is the same, and the result is `false`.
    ///
    /// # Errors
    ///
    /// When the stored text is not a hash.
    pub async fn verify(
        &self,
        spellings: &[String],
        hash: Option<&str>,
    ) -> Result<bool, ServiceError> {
        for password in spellings {
            if self.verify_one(password, hash).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn verify_one(&self, password: &str, hash: Option<&str>) -> Result<bool, ServiceError> {
        let exists = hash.is_some();
        let hash = hash.unwrap_or(self.cost.missing).to_owned();
        self.work(password, move |argon2, password| {
            let hash = PasswordHash::new(&hash).map_err(ServiceError::internal)?;
            match argon2.verify_password(password, &hash) {
                Ok(()) => Ok(exists),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(ServiceError::internal(error)),
            }
        })
        .await
    }

    /// Runs work of tens of milliseconds on a blocking thread. At most as many run at a time as
    /// there are processors, because each takes 19 MiB.
    async fn work<T: Send + 'static>(
        &self,
        password: &str,
        work: impl FnOnce(&Argon2<'_>, &[u8]) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        if password.len() > BYTES_MAX {
            return Err(ServiceError::internal("a password over 2 KiB"));
        }
        let turn =
            Arc::clone(&self.at_a_time).acquire_owned().await.map_err(ServiceError::internal)?;
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        if !self.cost.simulated.is_zero() {
            sleep(self.cost.simulated).await;
        }
        let worked = background::blocking(move || {
            let worked = work(&argon2, password.as_bytes());
            drop(turn);
            worked
        });
        worked.await.ok_or_else(|| ServiceError::internal("the hash of a password panicked"))?
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_verifies_and_another_does_not() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct-horse-battery").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = async |spellings: &[&str]| {
            let spellings: Vec<_> = spellings.iter().map(ToString::to_string).collect();
            passwords.verify(&spellings, Some(&hash)).await.unwrap()
        };
        assert!(verify(&["correct-horse-battery"]).await);
        assert!(!verify(&["correct-horse-batterx"]).await);
        assert!(verify(&["another", "correct-horse-battery"]).await, "an older spelling");
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let passwords = Passwords::new();
        let hashes = (passwords.hash("same").await.unwrap(), passwords.hash("same").await.unwrap());
        assert_ne!(hashes.0, hashes.1);
    }

    #[tokio::test]
    async fn a_missing_account_costs_the_same_work_and_never_matches() {
        let ours = Passwords::new();
        let hash = ours.hash("something").await.unwrap();
        let parameters = |hash: &str| hash.rsplitn(3, '$').last().map(str::to_owned);
        assert_eq!(parameters(OWASP.missing), parameters(&hash));
        assert!(!ours.verify(&["something".to_owned()], None).await.unwrap());
    }

    #[tokio::test]
    async fn a_stored_text_that_is_not_a_hash_is_an_internal_fault() {
        let verified = Passwords::new();
        let verified = verified.verify(&["something".to_owned()], Some("plain text")).await;
        assert!(matches!(verified, Err(ServiceError::Internal(_))));
    }
}
