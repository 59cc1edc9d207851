//! The tests of the other service that hold for the plain functions too, with the template here.

#[path = "../../../loans/tests/http/borrowing.rs"]
mod borrowing;
#[path = "../../../loans/tests/http/service.rs"]
mod service;
