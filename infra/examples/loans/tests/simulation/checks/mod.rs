//! The checks: rules of the library that hold always or at rest. They read stored items without the
//! library's types, since a mistake in a type must not hide itself.

mod copies;
mod keys;
mod linear;
mod mails;
mod states;
mod stored;

pub(crate) use self::copies::Copies;
pub(crate) use self::keys::Keys;
pub(crate) use self::linear::Linear;
pub(crate) use self::mails::Mails;
pub(crate) use self::states::States;
