//! Users: their accounts, how they sign in, and their addresses.

mod address;
mod country;
mod email;
mod guessable;
mod known_sources;
mod mail_address;
mod mail_event;
mod password;
mod password_reset;
mod person_name;
mod session;
mod sign_up;
mod signed_in;
mod user;
mod user_id;
mod verification;

pub use address::{
    Address, AddressDraft, AddressId, AddressView, BuildingNumber, City, StreetName,
};
pub use country::CountryCode;
pub use email::{Email, EmailClaim};
pub use known_sources::{KnownSource, KnownSources};
pub use mail_address::{MailAddress, Undeliverable, UndeliverableReason};
pub use mail_event::{MailEvent, MailReport};
pub use password::{EnteredPassword, Password};
pub use password_reset::{PasswordReset, PasswordResetAsked};
pub use person_name::PersonName;
pub use session::{Credentials, Session, SessionView, SignIn};
pub use sign_up::{Holder, SignUp, SignedUp};
pub use signed_in::{Role, SignedIn, Tier};
pub use user::{User, UserDraft, UserView};
pub use user_id::UserId;
pub use verification::{EmailVerificationRequested, Verification, VerificationAsked};
