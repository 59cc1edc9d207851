//! Accounts, sign-ins, tokens and mail.

mod accounts;
mod mail;
mod outside;
mod rotation;
mod tokens;
mod verification;
