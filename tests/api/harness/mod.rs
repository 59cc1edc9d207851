//! Common parts of the tests: the store on the test kit, and the steps of its users.

mod api;
mod checks;
mod day;
mod description;
mod newsroom;
mod operations;
mod platform;
mod refused;
mod shop;
mod start;

pub(crate) use testkit::{
    ApiResponse, Call, Control, eventually, in_background, setting, skip, unique, when,
};

pub(crate) use self::api::{Api, PASSWORD};
pub(crate) use self::day::{text, unlimited, until_done};
pub(crate) use self::description::DESCRIPTION;
pub(crate) use self::newsroom::{Article, someone};
pub(crate) use self::operations::operate;
pub(crate) use self::platform::{AUDIENCE, ISSUER, InProcess, token_by};
pub(crate) use self::refused::Refused;
pub(crate) use self::shop::{
    ADDRESS, CUSTOMER, euros, home, lamp, new_address, new_product, order_of, proof_in, read,
    stock_in, unique_email, unique_object, user,
};
pub(crate) use self::start::{changed_platform, fresh_platform, shared_platform};
