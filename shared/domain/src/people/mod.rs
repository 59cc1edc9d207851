//! People: who they are, how they sign in, where they live.

mod address;
mod country;
mod email;
mod password;
mod signed_in;
mod user;
mod verification;

pub use address::{
    Address, AddressDraft, AddressId, AddressView, BuildingNumber, City, StreetName,
};
pub use country::CountryCode;
pub use email::{Email, EmailClaim};
pub use password::{EnteredPassword, Password};
pub use signed_in::{Role, SignedIn, Tier};
pub use user::{PersonName, User, UserDraft, UserId, UserView};
pub use verification::{EmailVerificationRequested, Verification, VerificationAsked};
