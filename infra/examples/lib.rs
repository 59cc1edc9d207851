//! Links the unit tests of all examples into one test binary. Each example is a separate binary.
#![cfg(test)]
#![expect(dead_code, reason = "only the binaries use `main` and the clients")]

mod add_stock;
mod book_seat;
mod get_hello;
mod get_rate;
mod list_visits;
mod open_day;
mod outside_authorizer;
mod reserve_credit;
