//! The library over HTTP, on the local platform with its own template.

mod borrowing;
mod console;
mod library;
mod service;
