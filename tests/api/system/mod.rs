//! The system as a whole: faults, operators, permissions, and the documents for readers.

mod backfill;
mod concurrent_mode;
mod correlation;
mod effects;
mod faults;
mod health;
mod misbehaving;
mod neighbours;
mod notices;
mod observability;
mod operations;
mod outbox;
mod privileges;
mod readme;
mod rules;
mod story;
